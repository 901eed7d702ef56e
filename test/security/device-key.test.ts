/**
 * The device's own key: made once, durable before it is used, never shown, and its signatures are those of RFC 8032.
 * The other implementation is node:crypto's.
 */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import { MemoryKeys } from "../../host-sim/board/memory-keys";
import { fromHex, toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import type { RandomSource } from "../../src/ports";
import {
	DEVICE_SEED_BYTES,
	DeviceKey,
	type DeviceKeyStore,
	makeDeviceKey,
	PUBLIC_KEY_BYTES,
	SIGNATURE_BYTES,
} from "../../src/security/device-key";

const SEED = "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7";
/** RFC 8032, §7.1, test 3. */
const PUBLIC = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025";
const MESSAGE = "af82";
const SIGNATURE =
	"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac" +
	"18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a";

const random = (hex: string): RandomSource => ({ fill: (bytes) => bytes.set(fromHex(hex).subarray(0, bytes.length)) });
const NO_RANDOM: RandomSource = {
	fill: () => {
		throw new Error("nothing is to be drawn");
	},
};

function keysWith(seed: string): DeviceKeyStore {
	const keys: DeviceKeyStore = new MemoryKeys(TEST_KEYS);
	keys.write("DEVICE", fromHex(seed));
	return keys;
}

const failsWith = (code: string) => (error: unknown) => error instanceof CodedError && error.code === code;

function signed(key: DeviceKey, message: Uint8Array): Uint8Array {
	const out = new Uint8Array(SIGNATURE_BYTES);
	key.sign(message, out);
	return out;
}

function publicOf(key: DeviceKey): Uint8Array {
	const out = new Uint8Array(PUBLIC_KEY_BYTES);
	key.publicKey(out);
	return out;
}

describe("security: device key", () => {
	it("signs as RFC 8032 has it", () => {
		const key = new DeviceKey(keysWith(SEED), NO_RANDOM);
		equal(toHex(publicOf(key)).toLowerCase(), PUBLIC);
		equal(toHex(signed(key, fromHex(MESSAGE))).toLowerCase(), SIGNATURE);
	});

	it("signs what another implementation signs and verifies", () => {
		for (let n = 1; n <= 8; n++) {
			const seed = Buffer.alloc(32, n * 29);
			const key = new DeviceKey(keysWith(seed.toString("hex")), NO_RANDOM);
			const message = Buffer.alloc(13 * n, n);
			const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
			const other = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
			const signature = signed(key, message);
			deepEqual(Buffer.from(signature), sign(null, message, other));
			ok(verify(null, message, createPublicKey(other), signature));
		}
	});

	it("is made at first need, durable before its public key is told, and the same at each boot", () => {
		const writes: string[] = [];
		const store = new MemoryKeys(TEST_KEYS) as DeviceKeyStore;
		const keys: DeviceKeyStore = {
			read: (name, out) => store.read(name, out),
			write: (name, key) => {
				writes.push(name);
				store.write(name, key);
			},
		};
		const first = new DeviceKey(keys, random(SEED));
		deepEqual(writes, []);
		equal(toHex(publicOf(first)).toLowerCase(), PUBLIC);
		deepEqual(writes, ["DEVICE"]);
		const second = new DeviceKey(keys, NO_RANDOM);
		deepEqual(signed(second, new Uint8Array(5)), signed(first, new Uint8Array(5)));
		deepEqual(writes, ["DEVICE"]);
		equal(makeDeviceKey(keys, NO_RANDOM), false);
	});

	it("tells no public key and signs nothing when the seed did not become durable", () => {
		const keys: DeviceKeyStore = {
			read: () => 0,
			write: () => {
				throw new CodedError("flash", "key DEVICE");
			},
		};
		const key = new DeviceKey(keys, random(SEED));
		const out = new Uint8Array(PUBLIC_KEY_BYTES);
		throws(() => key.publicKey(out), failsWith("flash"));
		ok(out.every((byte) => byte === 0));
		throws(() => signed(key, new Uint8Array(1)), failsWith("flash"));
	});

	it("replaces no entry that is no seed, and draws none of zeros", () => {
		for (const entry of ["11".repeat(31), "11".repeat(64), "00".repeat(DEVICE_SEED_BYTES)]) {
			const keys = keysWith(entry);
			throws(() => publicOf(new DeviceKey(keys, random(SEED))), failsWith("format"));
			const out = new Uint8Array(528);
			equal(keys.read("DEVICE", out), entry.length / 2);
		}
		const none = new MemoryKeys(TEST_KEYS) as DeviceKeyStore;
		throws(() => makeDeviceKey(none, { fill: () => {} }), failsWith("range"));
		equal(none.read("DEVICE", new Uint8Array(528)), 0);
	});

	it("leaves nothing of the seed in its own memory; the library leaves its padded blocks of SHA-512, and nothing else", () => {
		const keys = keysWith(SEED);
		const made = arraysMade(() => {
			const key = new DeviceKey(keys, NO_RANDOM);
			publicOf(key);
			signed(key, fromHex(MESSAGE));
		});
		const holding = made.filter((bytes) => Buffer.from(bytes).includes(Buffer.from(SEED, "hex").subarray(0, 16)));
		ok(made.length > 20);
		// crypto_hash of tweetnacl, once for the public key and once for the signature: collected, not wiped.
		deepEqual(
			holding.map(({ length }) => length),
			[256, 256],
		);
	});
});

/** All byte arrays that are made while `action` runs, by whomever. */
function arraysMade(action: () => void): Uint8Array[] {
	const made: Uint8Array[] = [];
	const before = Uint8Array;
	globalThis.Uint8Array = new Proxy(Uint8Array, {
		construct(target, args, newTarget) {
			const bytes = Reflect.construct(target, args, newTarget) as Uint8Array;
			made.push(bytes);
			return bytes;
		},
	});
	try {
		action();
	} finally {
		globalThis.Uint8Array = before;
	}
	return made;
}
