/**
 * What an evidence pack proves, what it does not, and where it was altered. Only the documented format and node:crypto:
 * nothing of the firmware, so that both cannot share a mistake. Source: src/settlement/EVIDENCE.md; RFC 8032, §5.1.
 * @module
 */
import { createPublicKey, timingSafeEqual, verify } from "node:crypto";
import { checkAgreement } from "./verify-agreement";
import { hmac, sha256 } from "./verify-bytes";
import { checkChain } from "./verify-chain";
import type { Finding, Verdict, VerifyOptions } from "./verify-findings";
import type { PackObject, ParsedPack, Span } from "./verify-json";
import { misshapen, PACK_SHAPE } from "./verify-shape";

export type { Finding, Verdict, VerifyOptions } from "./verify-findings";

export const PACK_FORMAT = "unsettled evidence 1";
const SIGNATURE_MARK = ',"signature":';
/** SubjectPublicKeyInfo of an Ed25519 key, before its 32 bytes. Source: RFC 8410, §4. */
const SPKI_HEAD = "302a300506032b6570032100";
/**
 * Points of small order, without the sign bit: under such a key one signature fits every message.
 * Source: RFC 8032, §5.1.7, "cofactor"; the list is that of libsodium's ge25519_has_small_order.
 */
const WEAK_KEYS: readonly string[] = [
	"00".repeat(32),
	`01${"00".repeat(31)}`,
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	`ec${"ff".repeat(30)}7f`,
	`ed${"ff".repeat(30)}7f`,
	`ee${"ff".repeat(30)}7f`,
];

/** @param bytes - the file that `parsed` was read from */
export function checkPack(bytes: Uint8Array, parsed: ParsedPack, options: VerifyOptions): Verdict {
	const findings: Finding[] = [];
	const pack = parsed.value as PackObject;
	const wrong = misshapen(parsed.value, PACK_SHAPE);
	if (wrong !== undefined) {
		findings.push({ verdict: "altered", code: "misshapen", path: wrong.path, facts: { problem: wrong.problem } });
		return { findings, signature: "bad", signer: "unknown", transactions: [], pack };
	}
	const good = checkSignature(bytes, pack, parsed.spans, findings);
	checkDigests(bytes, pack, parsed.spans, findings);
	const signer = checkKey(pack, options, findings);
	const body = pack.body as PackObject;
	checkLines(body, findings);
	const transactions = checkChain(body, options, findings);
	const signature = good ? "good" : "bad";
	if (!good || signer === "other") {
		// What was altered, or is somebody else's, proves nothing: only where is of interest.
		const altered = findings.filter(({ verdict }) => verdict === "altered");
		return { findings: altered, signature, signer, transactions: [], pack };
	}
	checkFull(body, options, findings);
	checkAgreement(body, findings);
	return { findings, signature, signer, transactions, pack };
}

function checkSignature(
	bytes: Uint8Array,
	pack: PackObject,
	spans: ReadonlyMap<string, Span>,
	findings: Finding[],
): boolean {
	const key = String(pack.key);
	if (isWeak(key)) {
		findings.push({ verdict: "altered", code: "weakKey", path: "key" });
		return false;
	}
	const good = isSigned(bytes, pack, spans);
	if (good) findings.push({ verdict: "proven", code: "signed", facts: { key } });
	else findings.push({ verdict: "altered", code: "badSignature", path: "signature" });
	return good;
}

function isWeak(key: string): boolean {
	const bytes = Buffer.from(key, "hex");
	bytes[31] &= 0x7f;
	return WEAK_KEYS.includes(bytes.toString("hex"));
}

function isSigned(bytes: Uint8Array, pack: PackObject, spans: ReadonlyMap<string, Span>): boolean {
	const value = spans.get("signature") as Span;
	const signed = bytes.subarray(0, value.start - SIGNATURE_MARK.length);
	const message = Buffer.concat([Buffer.from(`${PACK_FORMAT}\n`, "latin1"), sha256(signed)]);
	const spki = Buffer.from(SPKI_HEAD + String(pack.key), "hex");
	try {
		const key = createPublicKey({ key: spki, format: "der", type: "spki" });
		return verify(null, message, key, Buffer.from(String(pack.signature), "hex"));
	} catch {
		return false; // 32 bytes that are no point of the curve are no key.
	}
}

function checkDigests(
	bytes: Uint8Array,
	pack: PackObject,
	spans: ReadonlyMap<string, Span>,
	findings: Finding[],
): void {
	const digests = pack.digests as PackObject;
	const body = pack.body as PackObject;
	for (const name of new Set([...Object.keys(body), ...Object.keys(digests)])) {
		const span = spans.get(`body.${name}`);
		const fits = span !== undefined && sha256(bytes.subarray(span.start, span.end)).toString("hex") === digests[name];
		if (!fits) findings.push({ verdict: "altered", code: "section", path: `body.${name}` });
	}
}

function checkKey(pack: PackObject, options: VerifyOptions, findings: Finding[]): Verdict["signer"] {
	const { key } = options;
	if (key === undefined) {
		findings.push({ verdict: "unproven", code: "keyUnknown" });
		return "unknown";
	}
	const given = Buffer.from(key).toString("hex") === pack.key;
	if (given) findings.push({ verdict: "proven", code: "keyGiven" });
	else findings.push({ verdict: "altered", code: "keyOther", path: "key" });
	return given ? "given" : "other";
}

function checkLines(body: PackObject, findings: Finding[]): void {
	const frames = body.frames as readonly PackObject[];
	if (body.ring === 0) findings.push({ verdict: "unproven", code: "noRing" });
	else if (frames.length === 0) findings.push({ verdict: "unproven", code: "noFrames" });
	let fitting = 0;
	let lost = 0;
	for (const [n, frame] of frames.entries()) {
		lost += (frame.lost as number | undefined) ?? 0;
		if (sha256(Buffer.from(String(frame.text), "utf8")).toString("hex") === frame.sha256) fitting++;
		else findings.push({ verdict: "altered", code: "line", path: `body.frames[${n}].text` });
	}
	if (fitting > 0) findings.push({ verdict: "proven", code: "lines", facts: { count: fitting } });
	if (lost > 0) findings.push({ verdict: "unproven", code: "framesLost", facts: { count: lost } });
}

/** Whether the full frames that somebody brings are the pack's. */
function checkFull(body: PackObject, options: VerifyOptions, findings: Finding[]): void {
	const frames = body.frames as readonly PackObject[];
	const sealing = body.salt as PackObject | undefined;
	const { salt, full = [] } = options;
	if (salt === undefined) {
		if (frames.length > 0) findings.push({ verdict: "unproven", code: "fullUnknown" });
		return;
	}
	if (sealing === undefined) {
		findings.push({ verdict: "altered", code: "saltAbsent", path: "body.salt" });
		return;
	}
	const check = hmac(salt, Buffer.from("check", "latin1")).subarray(0, 8);
	if (!timingSafeEqual(check, Buffer.from(String(sealing.check), "hex"))) {
		findings.push({ verdict: "altered", code: "saltOther", path: "body.salt.check" });
		return;
	}
	if (full.length === 0 && frames.length > 0) findings.push({ verdict: "unproven", code: "fullUnknown" });
	const salts = frames.map((frame) => (full.length === 0 ? undefined : saltOf(frame, salt)));
	for (const [n, copy] of full.entries()) {
		const at = frames.findIndex((frame, m) => isFrame(frame, copy, salts[m]));
		if (at >= 0)
			findings.push({ verdict: "proven", code: "full", path: `body.frames[${at}]`, facts: { number: n + 1 } });
		else findings.push({ verdict: "altered", code: "fullNone", facts: { number: n + 1 } });
	}
}

/** A frame's own salt, out of the sealed one; undefined in a pack that has none. */
function saltOf(frame: PackObject, packSalt: Uint8Array): Uint8Array | undefined {
	if (frame.salt === undefined) return undefined;
	const id = Buffer.from(String(frame.id), "hex");
	const mask = hmac(packSalt, Buffer.concat([Buffer.from("frame", "latin1"), id]));
	return Buffer.from(String(frame.salt), "hex").map((byte, n) => byte ^ mask[n]);
}

function isFrame(frame: PackObject, copy: Uint8Array, salt: Uint8Array | undefined): boolean {
	return salt !== undefined && frame.bytes === copy.length && hmac(salt, copy).toString("hex") === frame.hmac;
}
