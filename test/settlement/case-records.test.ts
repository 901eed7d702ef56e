/** The bytes of a case: where each field is, what it holds, and what is refused. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import {
	CASE_EVENTS_MAX,
	CASE_RECORD_BYTES,
	type CaseRecord,
	decodeCase,
	encodeCase,
	REQUEST_ID_BYTES,
} from "../../src/settlement/case-records";

function record(changes: Partial<CaseRecord> = {}): CaseRecord {
	return {
		id: 0x01020304,
		version: 0x0506,
		row: 2,
		state: 3,
		cause: 2,
		facts: 0x090a0b,
		step: 2,
		turns: 1,
		kind: 1,
		batch: 123_456,
		stan: 654_321,
		amountMinor: 12_345_678_901,
		hostMinor: 500,
		hostFlags: 3,
		creditedMinor: 250,
		rrn: "112200000001",
		panFirst: "621234",
		panLast: "1232",
		panDigits: 16,
		transactionId: 77,
		resendId: 78,
		openedS: 0x65000000,
		dueS: 0x65000001,
		requestId: Uint8Array.from({ length: 16 }, (_, at) => 0xf0 + at),
		requestType: 1,
		requestMinor: 999,
		reference: "CLM000000001",
		requestState: 3,
		reason: 4,
		expectedS: 0x65000002,
		tries: 300,
		answer: 1,
		outcome: 0,
		idMax: 0x01020305,
		events: [
			{ event: 1, state: 1, timeS: 0x65000000 },
			{ event: 3, state: 2, timeS: 0x65000005 },
		],
		...changes,
	};
}

function bytesOf(changes: Partial<CaseRecord> = {}): Uint8Array {
	const bytes = new Uint8Array(CASE_RECORD_BYTES);
	encodeCase(bytes, record(changes));
	return bytes;
}

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u24 = fc.integer({ min: 0, max: 0xff_ffff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const byte = fc.integer({ min: 0, max: 0xff });
const amount = fc.integer({ min: 0, max: 999_999_999_999 });
const text = fc.constantFrom("", "112200000001", "CRD000000042", "A");
const PLAIN = { noNullPrototype: true } as const;
const anyEvent = fc.record({ event: fc.integer({ min: 1, max: 255 }), state: byte, timeS: u32 }, PLAIN);
const anyRecord: fc.Arbitrary<CaseRecord> = fc.record(
	{
		id: u32,
		version: u16,
		row: fc.integer({ min: 2, max: 13 }),
		state: fc.integer({ min: 1, max: 10 }),
		cause: fc.integer({ min: 1, max: 9 }),
		facts: u24,
		step: byte,
		turns: byte,
		kind: byte,
		batch: u24,
		stan: u24,
		amountMinor: amount,
		hostMinor: amount,
		hostFlags: byte,
		creditedMinor: amount,
		rrn: text,
		panFirst: fc.constant("621234"),
		panLast: fc.constant("1232"),
		panDigits: fc.integer({ min: 12, max: 19 }),
		transactionId: u32,
		resendId: u32,
		openedS: u32,
		dueS: u32,
		requestId: fc.uint8Array({ minLength: REQUEST_ID_BYTES, maxLength: REQUEST_ID_BYTES }),
		requestType: byte,
		requestMinor: amount,
		reference: text,
		requestState: byte,
		reason: byte,
		expectedS: u32,
		tries: u16,
		answer: byte,
		outcome: byte,
		idMax: u32,
		events: fc.array(anyEvent, {
			maxLength: CASE_EVENTS_MAX,
		}),
	},
	PLAIN,
);

describe("settlement: case record", () => {
	it("has each field where the table says", () => {
		const hex = toHex(bytesOf());
		const expected = [
			"01", // format
			"01020304", // id
			"0506", // version
			"02", // row
			"03", // state
			"02", // cause
			"090A0B", // facts
			"02", // step
			"01", // turns
			"01", // kind
			"01E240", // batch
			"09FBF1", // STAN
			"012345678901", // amount
			"000000000500", // host's
			"03", // flags
			"000000000250", // credited
			"313132323030303030303031", // RRN
			"621234123210", // card
			"0000004D", // transaction
			"0000004E", // resend
			"65000000", // opened
			"65000001", // due
			"F0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF", // request id
			"01", // request
			"000000000999", // its amount
			"434C4D303030303030303031", // reference
			"03", // its state
			"04", // reason
			"65000002", // expected
			"012C", // tries
			"01", // answer
			"00", // outcome
			"01020305", // greatest id
			"010165000000", // events
			"030265000005",
			"000000000000".repeat(12),
		];
		assert.equal(hex, expected.join(""));
		assert.equal(hex.length, 2 * CASE_RECORD_BYTES);
		assert.deepEqual(decodeCase(bytesOf(), 0, CASE_RECORD_BYTES), record());
	});

	it("comes back as it was, wherever it stands in memory", () => {
		fc.assert(
			fc.property(anyRecord, fc.integer({ min: 0, max: 40 }), (one, start) => {
				const bytes = new Uint8Array(start + CASE_RECORD_BYTES + 5).fill(0xee);
				const own = new Uint8Array(CASE_RECORD_BYTES).fill(0x55);
				encodeCase(own, one);
				bytes.set(own, start);
				assert.deepEqual(decodeCase(bytes, start, CASE_RECORD_BYTES), one);
				assert.equal(bytes[start + CASE_RECORD_BYTES], 0xee);
			}),
		);
	});

	it("does without card, RRN, reference and request where there are none", () => {
		const changes = { panFirst: "", panLast: "", panDigits: 0, rrn: "", reference: "", events: [] };
		const one = record({ ...changes, requestId: new Uint8Array(REQUEST_ID_BYTES) });
		assert.deepEqual(decodeCase(bytesOf(one), 0, CASE_RECORD_BYTES), one);
	});

	it("refuses what a field does not hold, with the field's name and nothing of its value", () => {
		const refusals: [Partial<CaseRecord>, string, string][] = [
			[{ id: -1 }, "range", "case id"],
			[{ id: 2 ** 32 }, "range", "case id"],
			[{ version: 0x1_0000 }, "range", "case version"],
			[{ facts: 0x100_0000 }, "range", "case facts"],
			[{ batch: 0x100_0000 }, "range", "case batch"],
			[{ stan: 1.5 }, "range", "case stan"],
			[{ row: 256 }, "range", "case row"],
			[{ amountMinor: 1_000_000_000_000 }, "range", "case amountMinor"],
			[{ hostMinor: -1 }, "range", "case hostMinor"],
			[{ rrn: "1234567890123" }, "length", "case RRN"],
			[{ rrn: "11220000000\n" }, "charset", "case RRN"],
			[{ reference: "1234567890123" }, "length", "case reference"],
			[{ panFirst: "62123" }, "length", "case card"],
			[{ panLast: "" }, "length", "case card"],
			[{ panDigits: 0 }, "length", "case card"],
			[{ panFirst: "62123x" }, "charset", "case card"],
			[{ requestId: new Uint8Array(15) }, "length", "case request id"],
			[{ tries: 70_000 }, "range", "case tries"],
			[{ dueS: Number.NaN }, "range", "case dueS"],
			[{ events: Array.from({ length: 15 }, () => ({ event: 1, state: 1, timeS: 0 })) }, "length", "case events"],
			[{ events: [{ event: 300, state: 1, timeS: 0 }] }, "range", "case event"],
		];
		for (const [changes, code, place] of refusals) {
			assert.throws(() => bytesOf(changes), { code, place }, place);
		}
	});

	it("of firmware to come is newer: another format, row, state or cause", () => {
		for (const [at, value] of [
			[0, 2],
			[0, 0],
			[7, 18],
			[7, 0],
			[7, 1],
			[7, 14],
			[8, 11],
			[8, 0],
			[9, 10],
			[9, 0],
		]) {
			const bytes = bytesOf();
			bytes[at] = value;
			assert.throws(() => decodeCase(bytes, 0, CASE_RECORD_BYTES), { code: "newer" }, `${at}: ${value}`);
		}
	});

	it("of any other length is refused", () => {
		const bytes = new Uint8Array(CASE_RECORD_BYTES + 1);
		bytes.set(bytesOf());
		for (let byteLength = 0; byteLength <= bytes.length; byteLength++) {
			if (byteLength === CASE_RECORD_BYTES) continue;
			assert.throws(() => decodeCase(bytes, 0, byteLength), { code: "length" }, `${byteLength}`);
		}
	});

	it("with any bit flipped is read as something, or refused with a code", () => {
		for (let bit = 0; bit < 8 * CASE_RECORD_BYTES; bit++) {
			const bytes = bytesOf();
			bytes[bit >> 3] ^= 1 << (bit & 7);
			try {
				decodeCase(bytes, 0, CASE_RECORD_BYTES);
			} catch (error) {
				assert.ok(error instanceof CodedError, `bit ${bit}`);
			}
		}
	});
});
