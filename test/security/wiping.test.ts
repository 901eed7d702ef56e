/**
 * Goal: zeroing after use (I9): when an operation is over, its keys, PINs and clear blocks are in no memory that it or
 * a library made. Not in reach: copies that the engine makes by itself.
 * Method: all typed arrays made on the way are watched and searched.
 */
import { equal, ok } from "node:assert/strict";
import { initialKey, workingKey } from "../../host-sim/acquirer/dukpt";
import { keyBlock } from "../../host-sim/acquirer/host-keys";
import { MemoryKeys } from "../../host-sim/board/memory-keys";
import { fromHex, toHex } from "../../src/core/bytes";
import { CardSeal } from "../../src/security/card-seal";
import { loadDukpt } from "../../src/security/dukpt-loading";
import { DUKPT_RING, DukptScheme } from "../../src/security/dukpt-scheme";
import { loadKey, makeStoreKey } from "../../src/security/key-loading";
import { WorkingKeyScheme } from "../../src/security/key-scheme";
import { SyncMac } from "../../src/security/sync-mac";
import dukpt from "../vectors/aes-dukpt.json";
import file from "../vectors/unionpay.json";
import { MemoryWatch } from "./memory-watch";

const { TMK, PIK, MAK, HAK } = file.keys;
const STORE = "808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9F";
const BLOCK = fromHex(file.vectors.find((v) => v.name === "sign-on-response")?.fields["62"] as string);
const MESSAGE = new Uint8Array(64).map((_, i) => i);
const PIN = fromHex("31323334");
const PAN = "6221234567890123450";
const RANDOM = { fill: (bytes: Uint8Array) => bytes.fill(0xc3) };

/** Uses whatever is behind a scheme's ticket. */
function use(scheme: WorkingKeyScheme | DukptScheme): void {
	const out = new Uint8Array(8);
	ok(scheme.use(scheme.open()));
	scheme.mac(MESSAGE, 0, 40, out, 0);
	scheme.verify(MESSAGE, 0, 40, 40);
	scheme.pinBlock(PIN, PAN, new Uint8Array(scheme.pinBlockBytes));
}

/** Both halves too: a copy of one is a copy. */
function gone(watch: MemoryWatch, key: string, what: string): void {
	ok(watch.pieces > 0);
	for (let at = 0; at < key.length; at += 16) equal(watch.holds(key.slice(at, at + 16)), false, what);
}

describe("security wiping", () => {
	it("sees what is left in private memory: the working keys while they are installed", () => {
		const watch = new MemoryWatch();
		const keys = new MemoryKeys({ TMK });
		watch.watch(() => new WorkingKeyScheme(keys, "unionpay").install(BLOCK));
		equal(watch.holds(PIK), true);
		equal(watch.holds(MAK), true);
		gone(watch, TMK, "master key");
	});

	it("leaves nothing of the master key after a sign-on, and nothing of the working keys after a sign-off", () => {
		const watch = new MemoryWatch();
		const keys = new MemoryKeys({ TMK });
		for (const forgets of [true, false]) {
			const scheme = watch.watch(() => new WorkingKeyScheme(keys, "unionpay"));
			watch.watch(() => {
				scheme.provisioned();
				scheme.install(BLOCK);
				use(scheme);
				if (forgets) scheme.forget();
				else scheme.install(BLOCK);
			});
			gone(watch, TMK, "master key");
			if (forgets) for (const key of [PIK, MAK]) gone(watch, key, "working key");
			// The clear block of format 0, before the card number is in it and after.
			equal(watch.holds("041234FFFFFFFFFF"), false);
			equal(watch.holds("0412719876FEDCBA"), false);
		}
	});

	it("leaves nothing of a refused sign-on", () => {
		const watch = new MemoryWatch();
		const keys = new MemoryKeys({ TMK });
		const bad = BLOCK.slice();
		bad[39] ^= 1;
		watch.watch(() => {
			const scheme = new WorkingKeyScheme(keys, "unionpay");
			try {
				scheme.install(bad);
			} catch {
				return;
			}
			throw new Error("taken");
		});
		for (const key of [TMK, PIK, MAK]) gone(watch, key, "key");
	});

	it("leaves nothing of the keys that two later sign-ons have replaced", () => {
		const other = "186D093C890FE028E2513BB52ECB7902"; // Some ciphertext, which is a key like any other.
		const watch = new MemoryWatch();
		const keys = new MemoryKeys({ TMK });
		const scheme = watch.watch(() => new WorkingKeyScheme(keys, "unionpay"));
		watch.watch(() => scheme.install(BLOCK));
		const next = keyBlock(fromHex(TMK), { pik: fromHex(other), mak: fromHex(other) });
		watch.watch(() => scheme.install(next));
		equal(watch.holds(PIK), true, "the previous keys verify late answers");
		watch.watch(() => scheme.install(next));
		gone(watch, PIK, "PIN key");
		gone(watch, MAK, "MAC key");
	});

	it("leaves nothing of the host authentication key, nor of what AES makes of it", () => {
		const watch = new MemoryWatch();
		const keys = new MemoryKeys({ HAK });
		watch.watch(() => {
			const mac = new SyncMac(keys);
			mac.mac(MESSAGE, 0, 40, new Uint8Array(8), 0);
			mac.verify(MESSAGE, 0, 40, 40);
		});
		gone(watch, HAK, "key");
		// Second round key, and the subkey K1 of RFC 4493, §4; words of a schedule lie as the machine has them.
		for (const secret of ["A0FAFE1788542CB123A339392A6C7605", "FBEED618357133667C85E08F7236A8DE"]) {
			gone(watch, secret, "derived from the key");
		}
	});

	it("leaves nothing of the key that seals cards", () => {
		const watch = new MemoryWatch();
		const keys = new MemoryKeys({ STORE });
		const nonce = fromHex("070000004041424344454647");
		watch.watch(() => {
			const seal = new CardSeal(keys);
			seal.open(seal.seal(MESSAGE.subarray(0, 15), nonce, nonce), nonce, nonce);
		});
		gone(watch, STORE, "key");
	});

	it("leaves nothing of loaded keys", () => {
		const watch = new MemoryWatch();
		const keys = new MemoryKeys();
		const tmk = fromHex(TMK);
		const hak = fromHex(HAK);
		const checks = [fromHex("08D7B4FB"), fromHex("7AD386C3")] as const;
		watch.watch(() => {
			loadKey(keys, "TMK", tmk, checks[0]);
			loadKey(keys, "HAK", hak, checks[1]);
			makeStoreKey(keys, RANDOM);
		});
		tmk.fill(0); // The caller's own, which the library has looked at.
		hak.fill(0);
		for (const key of [TMK, HAK, "C3".repeat(32)]) gone(watch, key, "key");
	});

	it("leaves nothing of an initial key but its registers, and those in the key store only", () => {
		const watch = new MemoryWatch();
		const keys = new MemoryKeys();
		const key = fromHex(dukpt.initialKey);
		const id = fromHex(dukpt.keyId);
		const check = fromHex("05EF4531EC");
		watch.watch(() => loadDukpt(keys, key, id, check));
		key.fill(0); // The caller's own.
		gone(watch, dukpt.initialKey, "initial key");
		for (const register of dukpt.registers.afterLoading) gone(watch, register, "register");
	});

	it("leaves nothing from which the keys of a transaction come, and nothing of them when their place is taken", () => {
		const id = fromHex(dukpt.keyId);
		const initial = initialKey(fromHex(dukpt.bdk), id);
		const keys = new MemoryKeys();
		loadDukpt(keys, initial, id, fromHex("05EF4531EC"));
		const watch = new MemoryWatch();
		const scheme = watch.watch(() => new DukptScheme(keys, RANDOM));
		watch.watch(() => use(scheme));
		const { derivation, pin, macGeneration, macVerification } = dukpt.transactions[0];
		gone(watch, derivation as string, "derivation key of a past transaction");
		const working = [pin, macGeneration, macVerification] as string[];
		for (const key of working) equal(watch.holds(key), true, "the exchange is open");
		scheme.close(1);
		watch.watch(() => {
			for (let n = 0; n < DUKPT_RING; n++) use(scheme);
		});
		for (const key of working) gone(watch, key, "key of a past transaction");
		equal(watch.holds("441234AAAAAAAAAA"), false, "clear PIN field");
		const last = workingKey(initial, id, DUKPT_RING + 1, 0x1000);
		equal(watch.holds(toHex(last)), true);
		watch.watch(() => scheme.forget());
		gone(watch, toHex(last), "key after forgetting");
		for (const register of dukpt.registers.afterLoading) gone(watch, register, "register after forgetting");
	});

	it("leaves no registers in memory when the chunk is used up", () => {
		const keys = new MemoryKeys();
		loadDukpt(keys, fromHex(dukpt.initialKey), fromHex(dukpt.keyId), fromHex("05EF4531EC"));
		const watch = new MemoryWatch();
		const scheme = watch.watch(() => new DukptScheme(keys, RANDOM));
		watch.watch(() => {
			for (let n = 0; n < 63; n++) scheme.open();
		});
		equal(watch.holds(dukpt.registers.afterLoading[31]), true);
		watch.watch(() => scheme.open());
		for (const register of dukpt.registers.afterLoading) gone(watch, register, "register");
	});
});
