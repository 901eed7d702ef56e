/** Evidence packs that somebody has changed who has a key, only not the device's: digests and signature are made to fit. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";

const FORMAT = "unsettled evidence 1";
/** PrivateKeyInfo of an Ed25519 key, before its seed. Source: RFC 8410, §7. */
const PKCS8_HEAD = "302e020100300506032b657004220420";

export type Mutable = { [key: string]: MutableValue };
export type MutableValue = number | string | MutableValue[] | Mutable;

const FORGER: KeyObject = createPrivateKey({
	key: Buffer.concat([Buffer.from(PKCS8_HEAD, "hex"), Buffer.alloc(32, 7)]),
	format: "der",
	type: "pkcs8",
});

/** The forger's public key, in hex. */
export const FORGER_KEY = createPublicKey(FORGER).export({ format: "der", type: "spki" }).subarray(12).toString("hex");

export function forged(bytes: Uint8Array, change: (body: Mutable) => void): Buffer {
	return sealed(bytes, change, FORGER_KEY, (message) => sign(null, message, FORGER));
}

/** A body under another key, with whatever signature. */
export function sealed(
	bytes: Uint8Array,
	change: (body: Mutable) => void,
	key: string,
	signer: (message: Uint8Array) => Uint8Array,
): Buffer {
	const { body } = JSON.parse(Buffer.from(bytes).toString("utf8")) as { body: Mutable };
	change(body);
	const whole = sorted(body) as Mutable;
	const digests = Object.fromEntries(
		Object.entries(whole).map(([name, part]) => [name, sha256(JSON.stringify(part)).toString("hex")]),
	);
	const open = JSON.stringify({ body: whole, digests, format: FORMAT, key }).slice(0, -1);
	const signature = Buffer.from(signer(Buffer.concat([Buffer.from(`${FORMAT}\n`), sha256(open)]))).toString("hex");
	return Buffer.from(`${open},"signature":"${signature}"}`, "utf8");
}

/** With the keys of each object in ascending order. */
function sorted(value: MutableValue): MutableValue {
	if (Array.isArray(value)) return value.map(sorted);
	if (typeof value !== "object") return value;
	return Object.fromEntries(
		Object.keys(value)
			.sort()
			.map((key) => [key, sorted(value[key])]),
	);
}

function sha256(text: string): Buffer {
	return createHash("sha256").update(text, "utf8").digest();
}
