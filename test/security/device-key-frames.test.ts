/**
 * Tags of full frames. Goal: who has the host authentication key and the frame can check its tag by the format's
 * description; who has all of the pack and the flash, and no key, can not even try card numbers.
 */
import { deepEqual, equal, notDeepEqual, ok, throws } from "node:assert/strict";
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import { MemoryKeys } from "../../host-sim/board/memory-keys";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { fromHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import type { DeviceKeyStore } from "../../src/security/device-key";
import {
	FRAME_ID_BYTES,
	FRAME_SALT_BYTES,
	FRAME_TAG_BYTES,
	FrameTags,
	PACK_CHECK_BYTES,
	PACK_NONCE_BYTES,
} from "../../src/security/device-key-frames";
import { aesCmac, hmac, openSalt, packSalt } from "./evidence-acquirer";
import { MemoryWatch } from "./memory-watch";

const FRAME = new Uint8Array(200).map((_, i) => i * 3);
const HAK = fromHex(TEST_KEYS.HAK);

interface Tagged {
	id: Uint8Array;
	tag: Uint8Array;
}

function tagged(tags: FrameTags, byteLength = FRAME.length): Tagged {
	const id = new Uint8Array(FRAME_ID_BYTES);
	const tag = new Uint8Array(FRAME_TAG_BYTES);
	tags.tag(FRAME, byteLength, id, tag);
	return { id, tag };
}

function sealed(tags: FrameTags, id: Uint8Array): Uint8Array {
	const out = new Uint8Array(FRAME_SALT_BYTES);
	tags.sealSalt(id, out);
	return out;
}

function begun(tags: FrameTags): { nonce: Uint8Array; check: Uint8Array } {
	const nonce = new Uint8Array(PACK_NONCE_BYTES);
	const check = new Uint8Array(PACK_CHECK_BYTES);
	tags.beginPack(nonce, check);
	return { nonce, check };
}

describe("security: tags of frames", () => {
	it("the other side's CMAC is RFC 4493's", () => {
		const key = fromHex("2b7e151628aed2a6abf7158809cf4f3c");
		const message = fromHex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411");
		equal(aesCmac(key, message).toString("hex"), "dfa66747de9ae63030ca32611497c827");
		equal(aesCmac(key, message.subarray(0, 16)).toString("hex"), "070a16b46b4d4144f79bdd9dd04a287c");
		equal(aesCmac(key, new Uint8Array(0)).toString("hex"), "bb1d6929e95937287fa37d129b756746");
	});

	it("are opened by the acquirer's key alone, in this boot and in later ones", () => {
		const keys = new MemoryKeys(TEST_KEYS);
		const random = new SeededRandom(1);
		const frames: Tagged[] = [];
		for (let boot = 0; boot < 3; boot++) {
			const tags = new FrameTags(keys, random);
			frames.push(tagged(tags), tagged(tags, 100));
		}
		for (const tags of [new FrameTags(keys, random), new FrameTags(keys, random)]) {
			const { nonce, check } = begun(tags);
			const salt = packSalt(HAK, nonce);
			deepEqual(Buffer.from(check), hmac(salt, "check").subarray(0, 8));
			for (const [n, { id, tag }] of frames.entries()) {
				const key = openSalt(salt, id, sealed(tags, id));
				deepEqual(hmac(key, FRAME.subarray(0, n % 2 === 0 ? 200 : 100)), Buffer.from(tag));
			}
			tags.endPack();
		}
	});

	it("are all different, also of one frame, and so are the seals of one salt", () => {
		const keys = new MemoryKeys(TEST_KEYS);
		const random = new SeededRandom(1);
		const seen = new Set<string>();
		const first = new FrameTags(keys, random);
		for (const tags of [first, new FrameTags(keys, random)]) {
			for (let n = 0; n < 20; n++) seen.add(Buffer.from(tagged(tags).tag).toString("hex"));
		}
		equal(seen.size, 40);
		const { id } = tagged(first);
		begun(first);
		const one = sealed(first, id);
		begun(first);
		notDeepEqual(sealed(first, id), one);
	});

	it("are not opened by another terminal's or another pack's salt", () => {
		const tags = new FrameTags(new MemoryKeys(TEST_KEYS), new SeededRandom(1));
		const { id, tag } = tagged(tags);
		const { nonce } = begun(tags);
		const seal = sealed(tags, id);
		for (const salt of [
			packSalt(
				HAK.map((byte) => byte ^ 1),
				nonce,
			),
			packSalt(
				HAK,
				nonce.map((byte) => byte ^ 1),
			),
		]) {
			notDeepEqual(hmac(openSalt(salt, id, seal), FRAME), Buffer.from(tag));
		}
	});

	it("make no pack's salt without a host authentication key", () => {
		const { TMK, STORE } = TEST_KEYS;
		const tags = new FrameTags(new MemoryKeys({ TMK, STORE }), new SeededRandom(1));
		throws(
			() => begun(tags),
			(error: unknown) => error instanceof CodedError && error.code === "unprovisioned",
		);
		throws(() => sealed(tags, tagged(tags).id), /a pack is open/);
	});

	it("open no salt when the device's key is gone", () => {
		const { id } = tagged(new FrameTags(new MemoryKeys(TEST_KEYS), new SeededRandom(1)));
		const tags = new FrameTags(new MemoryKeys(TEST_KEYS), new SeededRandom(2));
		begun(tags);
		throws(
			() => sealed(tags, id),
			(error: unknown) => error instanceof CodedError && error.code === "missing",
		);
	});

	it("leave nothing of seed, host key and pack's salt in memory", () => {
		const seed = "77".repeat(16) + "12".repeat(16);
		const keys = new MemoryKeys(TEST_KEYS);
		(keys as DeviceKeyStore).write("DEVICE", fromHex(seed));
		const watch = new MemoryWatch();
		const tags = watch.watch(() => new FrameTags(keys, new SeededRandom(1)));
		const salts = watch.watch(() => {
			const { id } = tagged(tags);
			const { nonce } = begun(tags);
			sealed(tags, id);
			return { nonce, id, seal: sealed(tags, id) };
		});
		const salt = packSalt(HAK, salts.nonce);
		const frameSalt = openSalt(salt, salts.id, salts.seal);
		equal(watch.holds(salt.toString("hex")), true, "while the pack is open");
		watch.watch(() => tags.endPack());
		ok(watch.pieces > 3);
		equal(watch.holds(seed.slice(0, 32)), false);
		equal(watch.holds(TEST_KEYS.HAK), false);
		equal(watch.holds(salt.toString("hex")), false);
		equal(watch.holds(frameSalt.toString("hex")), false);
	});
});
