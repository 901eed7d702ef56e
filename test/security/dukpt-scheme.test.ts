/**
 * Goal: each exchange has keys of its own, those the host derives; no counter is ever handed out twice (I4); answers
 * can be verified as long as they may come.
 */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { workingKey } from "../../host-sim/acquirer/dukpt";
import { AssertionError } from "../../src/core/assert";
import { fromHex, readU32, toHex } from "../../src/core/bytes";
import { DUKPT_STATE_BYTES_MAX, DukptRegisters } from "../../src/security/dukpt";
import { DUKPT_CHUNK, DUKPT_RING, DukptScheme } from "../../src/security/dukpt-scheme";
import { createMac } from "../../src/security/mac";
import { coded } from "../iso8583/vector-helpers";
import file from "../vectors/aes-dukpt.json";
import { CutKeys, PowerCut, TestKeys } from "./keys-helper";

const INITIAL = fromHex(file.initialKey);
const ID = fromHex(file.keyId);
const MESSAGE = new Uint8Array(40).map((_, i) => i * 3 + 7);
const RANDOM = {
	fill: (bytes: Uint8Array) => bytes.set(fromHex(file.pinBlocks.random.padStart(2 * bytes.length, "0"))),
};

/** The stored state when `counter` comes next. */
function stateAt(counter: number, id = ID): string {
	const registers = new DukptRegisters();
	registers.load(INITIAL, id);
	const state = new Uint8Array(DUKPT_STATE_BYTES_MAX);
	return toHex(state, 0, registers.writeState(counter, state));
}

const FRESH = stateAt(1);

function fresh(): { keys: TestKeys; scheme: DukptScheme } {
	const keys = new TestKeys({ DUKPT: FRESH });
	return { keys, scheme: new DukptScheme(keys, RANDOM) };
}

function storedCounter(keys: TestKeys): number {
	return readU32(fromHex(keys.keys.DUKPT as string), 12);
}

function macOf(scheme: DukptScheme): string {
	const out = new Uint8Array(8);
	scheme.mac(MESSAGE, 0, MESSAGE.length, out, 0);
	return toHex(out);
}

/** As the host makes it: AES-CMAC under the key of a usage. */
function hostMac(counter: number, usage: number): string {
	const out = new Uint8Array(8);
	createMac("cmac").compute(workingKey(INITIAL, ID, counter, usage), MESSAGE, 0, MESSAGE.length, out, 0);
	return toHex(out);
}

/** Whether an answer of the host under the keys of `counter` is taken. */
function verifies(scheme: DukptScheme, counter: number): boolean {
	const answer = new Uint8Array([...MESSAGE, ...fromHex(hostMac(counter, 0x2001))]);
	return scheme.verify(answer, 0, MESSAGE.length, MESSAGE.length);
}

describe("security DUKPT scheme", () => {
	it("is ready with the registers of an initial key, and takes a sign-on that brings none", () => {
		const { keys, scheme } = fresh();
		equal(scheme.provisioned(), true);
		equal(scheme.ready(), true);
		equal(keys.wiped(), true);
		scheme.install(new Uint8Array(0));
		throws(() => scheme.install(new Uint8Array(40)), coded("format", "security key block"));
		equal(keys.writes.length, 0, "nothing is reserved before it is needed");
	});

	it("gives each exchange the keys that the host derives for its counter", () => {
		const { scheme } = fresh();
		for (let counter = 1; counter <= 3 * DUKPT_CHUNK + 5; counter++) {
			const ticket = scheme.open();
			equal(ticket, counter);
			equal(scheme.use(ticket), true);
			equal(macOf(scheme), hostMac(counter, 0x2000));
			equal(verifies(scheme, counter), true);
			scheme.close(ticket);
		}
	});

	it("verifies answers under the verification key only: its own requests do not come back as answers", () => {
		const { scheme } = fresh();
		scheme.use(scheme.open());
		const echoed = new Uint8Array([...MESSAGE, ...fromHex(macOf(scheme))]);
		equal(scheme.verify(echoed, 0, MESSAGE.length, MESSAGE.length), false);
		const answer = new Uint8Array([...MESSAGE, ...fromHex(hostMac(1, 0x2001))]);
		for (let bit = 0; bit < answer.length * 8; bit++) {
			answer[bit >> 3] ^= 0x80 >> (bit & 7);
			equal(scheme.verify(answer, 0, MESSAGE.length, MESSAGE.length), false, `bit ${bit}`);
			answer[bit >> 3] ^= 0x80 >> (bit & 7);
		}
	});

	it("makes the PIN blocks of X9.24-3's supplement, and says in DE 53 whose keys they are under", () => {
		const { scheme } = fresh();
		const out = new Uint8Array(16);
		for (const { counter, block } of file.pinBlocks.blocks) {
			equal(scheme.use(scheme.open()), true);
			scheme.pinBlock(fromHex("31323334"), file.pinBlocks.pan, out);
			equal(toHex(out), block);
			equal(toHex(scheme.securityControl()), `${file.keyId}${counter.toString(16).padStart(8, "0")}`);
		}
		equal(scheme.pinBlockBytes, 16);
		equal(scheme.securityControl().length, 12);
	});

	it("reserves 64 counters before the first of them is used, and writes nothing more until they are", () => {
		const { keys, scheme } = fresh();
		for (let n = 1; n <= 2 * DUKPT_CHUNK + 1; n++) {
			const ticket = scheme.open();
			equal(keys.writes.length, Math.ceil(n / DUKPT_CHUNK));
			ok(storedCounter(keys) > ticket, "what is stored lies behind what is used");
			equal(keys.wiped(), true);
		}
		deepEqual(new Set(keys.writes), new Set(["DUKPT"]));
	});

	it("stores nothing from which the keys of the chunk could be derived", () => {
		const { keys, scheme } = fresh();
		scheme.open();
		const stolen = new DukptRegisters();
		const state = fromHex(keys.keys.DUKPT as string);
		stolen.readState(state, state.length);
		const out = new Uint8Array(DUKPT_STATE_BYTES_MAX);
		for (let counter = 1; counter <= DUKPT_CHUNK; counter++) {
			throws(() => stolen.writeState(counter, out), AssertionError, `counter ${counter}`);
		}
		equal(stolen.writeState(DUKPT_CHUNK + 1, out) > 16, true);
	});

	it("never hands out a counter twice: cuts at any write, before or after it counts, and restarts anywhere (property)", () => {
		const boots = fc.array(
			fc.record({
				exchanges: fc.nat(2 * DUKPT_CHUNK + 3),
				cutAt: fc.nat(3),
				after: fc.boolean(),
				forgets: fc.boolean(),
			}),
			{ minLength: 1, maxLength: 6 },
		);
		const starts = fc.constantFrom(1, 0x1ffc0, 0x1ff91, 0x3fff0, 0xfffdff00, 0xfffe8000);
		fc.assert(
			fc.property(starts, boots, (start, lives) => {
				let flash: ConstructorParameters<typeof CutKeys>[0] = { DUKPT: stateAt(start) };
				let highest = start - 1;
				for (const { exchanges, cutAt, after, forgets } of lives) {
					const keys = new CutKeys(flash, cutAt, after);
					const scheme = new DukptScheme(keys, RANDOM);
					try {
						for (let n = 0; n < exchanges; n++) {
							if (!scheme.ready()) break;
							const ticket = scheme.open();
							ok(ticket > highest, `${ticket} after ${highest}`);
							highest = ticket;
							if (forgets && n % 50 === 49) scheme.forget();
						}
					} catch (error) {
						if (!(error instanceof PowerCut)) throw error;
						equal(keys.wiped(), true);
						// A store that failed without the power going: the scheme tries again and repeats nothing.
						throws(
							() => scheme.open(),
							(again: Error) => again instanceof PowerCut || coded("overflow")(again),
						);
					}
					flash = keys.keys;
				}
			}),
			{ numRuns: 60, seed: 4 },
		);
	});

	it("ends with the last counter of the rule: overflow, not ready, provisioned, also after a restart", () => {
		const keys = new TestKeys({ DUKPT: stateAt(0xfffe8000) });
		const scheme = new DukptScheme(keys, RANDOM);
		equal(scheme.open(), 0xfffe8000);
		equal(scheme.ready(), true);
		const last = scheme.open();
		equal(last, 0xffff0000);
		for (const one of [scheme, new DukptScheme(keys, RANDOM)]) {
			equal(one.ready(), false);
			equal(one.provisioned(), true);
			throws(() => one.open(), coded("overflow", "security DUKPT"));
		}
		equal(scheme.use(last), true);
		equal(macOf(scheme), hostMac(last, 0x2000), "what is open goes on");
	});

	it("keeps the keys of the last exchanges for late answers, those that are open longest", () => {
		const { scheme } = fresh();
		const open = scheme.open();
		const tickets: number[] = [];
		for (let n = 0; n < 40; n++) {
			const ticket = scheme.open();
			tickets.push(ticket);
			scheme.close(ticket);
		}
		for (const ticket of tickets) {
			const expected = ticket > 41 - (DUKPT_RING - 1);
			equal(scheme.use(ticket), expected, `ticket ${ticket}`);
			if (expected) equal(verifies(scheme, ticket), true);
			else throws(() => macOf(scheme), AssertionError, "the keys named are gone");
		}
		equal(scheme.use(open), true, "an exchange under way has its keys, whatever else happens");
		equal(macOf(scheme), hostMac(open, 0x2000));
		equal(verifies(scheme, tickets[39]), false, "one exchange's answer is not another's");
		equal(scheme.use(0), false);
		equal(scheme.use(1_000), false);
		scheme.close(1_000);
	});

	it("gives up the oldest open exchange only when more are open than the ring has places", () => {
		const { scheme } = fresh();
		for (let n = 1; n <= DUKPT_RING; n++) scheme.open();
		equal(scheme.use(1), true);
		scheme.open();
		throws(() => macOf(scheme), AssertionError, "the keys in use were those that went");
		equal(scheme.use(1), false);
		for (let n = 2; n <= DUKPT_RING + 1; n++) equal(scheme.use(n), true);
	});

	it("forgets all keys in memory, and goes on behind the chunk", () => {
		const { scheme } = fresh();
		const ticket = scheme.open();
		scheme.use(ticket);
		scheme.forget();
		equal(scheme.use(ticket), false);
		equal(scheme.ready(), true);
		equal(scheme.open(), DUKPT_CHUNK + 1);
	});

	it("does not take the tickets of an earlier initial key for those of a new one", () => {
		const { keys, scheme } = fresh();
		for (let n = 1; n <= DUKPT_CHUNK; n++) scheme.open();
		equal(scheme.use(DUKPT_CHUNK), true);
		keys.keys.DUKPT = stateAt(DUKPT_CHUNK - 5, fromHex("FFFFFFFFFFFFFFFF"));
		equal(scheme.open(), DUKPT_CHUNK - 5);
		equal(scheme.use(DUKPT_CHUNK), false);
		equal(scheme.use(DUKPT_CHUNK - 5), true);
		equal(toHex(scheme.securityControl(), 0, 8), "FFFFFFFFFFFFFFFF");
	});

	it("without registers, or with damaged ones, is not provisioned and says so", () => {
		const none = new DukptScheme(new TestKeys({}), RANDOM);
		equal(none.provisioned(), false);
		equal(none.ready(), false);
		throws(() => none.open(), coded("unprovisioned", "security DUKPT"));
		throws(() => macOf(none), coded("unprovisioned", "security DUKPT"));
		const keys = new TestKeys({ DUKPT: `00${FRESH.slice(2)}` });
		const damaged = new DukptScheme(keys, RANDOM);
		equal(damaged.provisioned(), false);
		equal(damaged.ready(), false);
		throws(() => damaged.open(), coded("damaged", "security DUKPT"));
		equal(keys.wiped(), true);
	});

	it("asserts that keys are named before they are used, and refuses what is outside the bytes", () => {
		const { scheme } = fresh();
		throws(() => macOf(scheme), AssertionError);
		throws(() => scheme.securityControl(), AssertionError);
		scheme.use(scheme.open());
		const out = new Uint8Array(16).fill(0xa5);
		throws(() => scheme.mac(MESSAGE, 0, MESSAGE.length + 1, out, 0), coded("length", "MAC input"));
		throws(() => scheme.verify(MESSAGE, 0, 8, MESSAGE.length - 7), coded("length", "security MAC"));
		throws(() => scheme.pinBlock(fromHex("313233"), file.pinBlocks.pan, out), coded("length", "PIN"));
		equal(toHex(out), "A5".repeat(16));
	});
});
