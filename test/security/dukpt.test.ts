/**
 * Goal: the terminal's registers give the keys of the standard, and never those of the past.
 * Method: the published vectors; and the simulated host's derivation, which knows no registers and was written by
 * others, for counters over several chunks, around skipped ones, and at the end of the key's life.
 */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { initialKey, workingKey } from "../../host-sim/acquirer/dukpt";
import { AssertionError } from "../../src/core/assert";
import { fromHex, toHex } from "../../src/core/bytes";
import {
	checkState,
	DUKPT_STATE_BYTES_MAX,
	DukptRegisters,
	nextCounter,
	USAGE_MAC_GENERATION,
	USAGE_MAC_VERIFICATION,
	USAGE_PIN,
} from "../../src/security/dukpt";
import { coded } from "../iso8583/vector-helpers";
import file from "../vectors/aes-dukpt.json";

const KEY_ID = fromHex(file.keyId);
const INITIAL = fromHex(file.initialKey);
const LAST_COUNTER = 0xffff0000;
const STATE_HEADER_BYTES = 16;

function loaded(): DukptRegisters {
	const registers = new DukptRegisters();
	registers.load(INITIAL, KEY_ID);
	return registers;
}

/** Registers as they are when `counter` comes next, reached in one jump. */
function at(counter: number): DukptRegisters {
	const state = new Uint8Array(DUKPT_STATE_BYTES_MAX);
	const registers = loaded();
	registers.readState(state, registers.writeState(counter, state));
	return registers;
}

function key(registers: DukptRegisters, usage: number): string {
	const out = new Uint8Array(16);
	registers.workingKey(usage, out, 0);
	return toHex(out);
}

/** Of the registers now: the stored state without its header, in hex. */
function stored(registers: DukptRegisters, counter = registers.counter): string {
	const state = new Uint8Array(DUKPT_STATE_BYTES_MAX);
	return toHex(state, STATE_HEADER_BYTES, registers.writeState(counter, state));
}

function ones(counter: number): number {
	let count = 0;
	for (let bit = 0; bit < 32; bit++) count += (counter >>> bit) & 1;
	return count;
}

/** A counter that the rule allows: 1 to 16 one-bits. */
const counters = fc.uniqueArray(fc.nat(31), { minLength: 1, maxLength: 16 }).map((bits) => {
	let counter = 0;
	for (const bit of bits) counter += 2 ** bit;
	return counter;
});

describe("security DUKPT registers", () => {
	it("have the standard's keys of every published counter", () => {
		equal(toHex(initialKey(fromHex(file.bdk), KEY_ID)), file.initialKey, "what is loaded is the standard's key");
		for (const row of file.transactions) {
			const registers = at(row.counter);
			if (row.pin !== undefined) equal(key(registers, USAGE_PIN), row.pin, `counter ${row.counter}`);
			if (row.macGeneration !== undefined) equal(key(registers, USAGE_MAC_GENERATION), row.macGeneration);
			if (row.macVerification !== undefined) equal(key(registers, USAGE_MAC_VERIFICATION), row.macVerification);
			// The first register in use is the transaction's own.
			if (row.derivation !== undefined) equal(stored(registers).slice(0, 32), row.derivation, `counter ${row.counter}`);
		}
	});

	it("are the standard's after loading and after each transaction", () => {
		const registers = loaded();
		equal(stored(registers), file.registers.afterLoading.join(""));
		registers.advance();
		equal(stored(registers), file.registers.afterTransaction1.filter((one) => one !== null).join(""));
		registers.advance();
		equal(stored(registers), file.registers.afterTransaction2.filter((one) => one !== null).join(""));
	});

	it("give the keys that a host derives from the initial key, over several chunks", () => {
		const registers = loaded();
		for (let counter = 1; counter <= 300; counter++) {
			equal(registers.counter, counter);
			for (const usage of [USAGE_PIN, USAGE_MAC_GENERATION, USAGE_MAC_VERIFICATION]) {
				equal(key(registers, usage), toHex(workingKey(INITIAL, KEY_ID, counter, usage)), `counter ${counter}`);
			}
			registers.advance();
		}
	});

	it("skip counters of more than 16 one-bits and no others, and have the right keys behind them", () => {
		// Around 0x1FFFF, the first that is skipped; where runs are; and up to the end.
		for (const first of [0x1ffe0, 0x2fff0, 0x3ffe0, 0x7ffdff00, 0xfffdff00]) {
			let counter = first;
			while (ones(counter) > 16) counter++;
			const registers = at(counter);
			for (let n = 0; n < 40; n++) {
				equal(registers.counter, counter);
				equal(key(registers, USAGE_PIN), toHex(workingKey(INITIAL, KEY_ID, counter, USAGE_PIN)), counter.toString(16));
				registers.advance();
				const before = counter++;
				while (ones(counter) > 16) counter++;
				if (counter > 0xffffffff) counter = 0;
				equal(nextCounter(before), counter, `after ${before.toString(16)}`);
				if (counter === 0) break;
			}
		}
	});

	it("end with the last counter of 16 one-bits, and hold nothing then", () => {
		const registers = at(0xfffe8000);
		registers.advance();
		equal(registers.counter, LAST_COUNTER);
		equal(stored(registers).length, 32, "one register is left");
		registers.advance();
		equal(registers.counter, 0);
		equal(stored(registers), "");
		throws(() => registers.advance(), AssertionError);
		throws(() => key(registers, USAGE_PIN), AssertionError);
	});

	it("go to any later counter in one jump as step by step (property)", () => {
		fc.assert(
			fc.property(counters, fc.integer({ min: 1, max: 80 }), (from, steps) => {
				const registers = at(from);
				const jump = at(from);
				let to = from;
				for (let n = 0; n < steps && to !== 0; n++) to = nextCounter(to);
				const jumped = stored(jump, to);
				for (let n = 0; n < steps && registers.counter !== 0; n++) registers.advance();
				equal(registers.counter, to);
				equal(stored(registers), jumped);
			}),
			{ numRuns: 60, seed: 24 },
		);
	});

	it("derive no key of the past: not of one counter before the present one (property)", () => {
		const state = new Uint8Array(DUKPT_STATE_BYTES_MAX);
		fc.assert(
			fc.property(counters, counters, (a, b) => {
				fc.pre(a !== b);
				const [past, present] = a < b ? [a, b] : [b, a];
				const registers = at(present);
				throws(() => registers.writeState(past, state), AssertionError);
			}),
			{ numRuns: 100, seed: 25 },
		);
		// And no byte of a register that is an ancestor of a past key is kept: the key of counter 1 and what follows it.
		const registers = loaded();
		const first = stored(registers).slice(0, 32);
		registers.advance();
		equal(stored(registers).includes(first), false);
		equal(stored(loaded()).includes(file.initialKey), false);
	});

	it("come back from a stored state, which has at most 528 bytes", () => {
		fc.assert(
			fc.property(counters, (counter) => {
				const state = new Uint8Array(DUKPT_STATE_BYTES_MAX);
				const registers = at(counter);
				const byteLength = registers.writeState(counter, state);
				const again = new DukptRegisters();
				again.readState(state, byteLength);
				equal(again.counter, counter);
				equal(stored(again), stored(registers));
				const id = new Uint8Array(8);
				again.copyKeyId(id, 0);
				deepEqual(id, KEY_ID);
			}),
			{ numRuns: 50, seed: 26 },
		);
		equal(loaded().writeState(1, new Uint8Array(DUKPT_STATE_BYTES_MAX)), 528);
		equal(DUKPT_STATE_BYTES_MAX, 528);
	});

	it("refuse every single-bit change and every truncation of a stored state", () => {
		const state = new Uint8Array(DUKPT_STATE_BYTES_MAX);
		const byteLength = at(0xfffe8000).writeState(0xfffe8000, state);
		const registers = new DukptRegisters();
		for (let bit = 0; bit < byteLength * 8; bit++) {
			const bad = state.slice();
			bad[bit >> 3] ^= 0x80 >> (bit & 7);
			throws(() => registers.readState(bad, byteLength), coded("damaged", "security DUKPT"), `bit ${bit}`);
			equal(registers.counter, 0);
		}
		for (let n = 0; n < byteLength; n++) throws(() => checkState(state, n), coded("damaged"));
		throws(() => checkState(state, byteLength + 1), coded("damaged"));
		throws(() => checkState(state, 529), coded("damaged"));
		checkState(state, byteLength);
	});
});
