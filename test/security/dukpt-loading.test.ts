import { equal, throws } from "node:assert/strict";
import { fromHex, toHex } from "../../src/core/bytes";
import { DukptRegisters, USAGE_PIN } from "../../src/security/dukpt";
import { loadDukpt } from "../../src/security/dukpt-loading";
import { DukptScheme } from "../../src/security/dukpt-scheme";
import { coded } from "../iso8583/vector-helpers";
import file from "../vectors/aes-dukpt.json";
import { CutKeys, PowerCut, TestKeys } from "./keys-helper";

const KEY = fromHex(file.initialKey);
const ID = fromHex(file.keyId);
/** AES-CMAC of sixteen zero bytes under the initial key, by OpenSSL. */
const CHECK = fromHex("05EF4531EC");
const NO_RANDOM = { fill: () => {} };

describe("security DUKPT loading", () => {
	it("stores the registers of the initial key, and the key itself nowhere", () => {
		const keys = new TestKeys({});
		loadDukpt(keys, KEY, ID, CHECK);
		const state = fromHex(keys.keys.DUKPT as string);
		equal(state.length, 528);
		equal(toHex(state).includes(file.initialKey), false);
		const registers = new DukptRegisters();
		registers.readState(state, state.length);
		const out = new Uint8Array(16);
		registers.workingKey(USAGE_PIN, out, 0);
		equal(toHex(out), file.transactions[0].pin);
		equal(keys.wiped(), true);
		equal(toHex(KEY), file.initialKey, "the caller's bytes are the caller's to wipe");
	});

	it("takes a check value of 3 to 5 bytes, and refuses a wrong one at every bit with nothing done", () => {
		for (const n of [3, 4, 5]) {
			const keys = new TestKeys({});
			loadDukpt(keys, KEY, ID, CHECK.subarray(0, n));
			for (let bit = 0; bit < n * 8; bit++) {
				const wrong = CHECK.slice(0, n);
				wrong[bit >> 3] ^= 0x80 >> (bit & 7);
				const none = new TestKeys({});
				throws(() => loadDukpt(none, KEY, ID, wrong), coded("auth", "security DUKPT"));
				equal(none.writes.length, 0);
			}
		}
		for (const n of [0, 1, 2])
			throws(() => loadDukpt(new TestKeys({}), KEY, ID, CHECK.subarray(0, n)), coded("length"));
		throws(() => loadDukpt(new TestKeys({}), KEY, ID, new Uint8Array([...CHECK, 0])), coded("length"));
	});

	it("refuses keys and ids of another length, and a key of zeros", () => {
		const keys = new TestKeys({});
		throws(() => loadDukpt(keys, KEY.subarray(1), ID, CHECK), coded("length", "security DUKPT"));
		throws(() => loadDukpt(keys, new Uint8Array(32), ID, CHECK), coded("length", "security DUKPT"));
		throws(() => loadDukpt(keys, KEY, ID.subarray(1), CHECK), coded("length", "security DUKPT"));
		const zerosCheck = fromHex("763CBCDE81");
		throws(() => loadDukpt(keys, new Uint8Array(16), ID, zerosCheck), coded("auth", "security DUKPT"));
		equal(keys.writes.length, 0);
	});

	it("refuses the initial key it has, whose counter would begin anew (I4), also when its state is damaged", () => {
		const keys = new TestKeys({});
		loadDukpt(keys, KEY, ID, CHECK);
		const scheme = new DukptScheme(keys, NO_RANDOM);
		scheme.open();
		const before = keys.keys.DUKPT as string;
		throws(() => loadDukpt(keys, KEY, ID, CHECK), coded("duplicate", "security DUKPT"));
		keys.keys.DUKPT = `${before.slice(0, -2)}${before.endsWith("00") ? "01" : "00"}`;
		equal(new DukptScheme(keys, NO_RANDOM).provisioned(), false);
		throws(() => loadDukpt(keys, KEY, ID, CHECK), coded("duplicate", "security DUKPT"));
		equal(keys.wiped(), true);
		const other = ID.slice();
		other[7] ^= 1;
		loadDukpt(keys, KEY, other, CHECK);
		equal(new DukptScheme(keys, NO_RANDOM).provisioned(), true);
	});

	it("cut at its write has the old state or the new one, whole", () => {
		const old = new TestKeys({});
		loadDukpt(old, KEY, ID, CHECK);
		for (const after of [false, true]) {
			const keys = new CutKeys({ ...old.keys }, 0, after);
			const other = ID.slice();
			other[0] ^= 1;
			throws(() => loadDukpt(keys, KEY, other, CHECK), PowerCut);
			equal(keys.keys.DUKPT === old.keys.DUKPT, !after);
			equal(keys.wiped(), true);
			equal(new DukptScheme(keys, NO_RANDOM).ready(), true);
		}
	});
});
