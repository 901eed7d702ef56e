/** Bytes of the records, against the tables of src/transactions/DESIGN.md written out by hand. */
import { strict as assert } from "node:assert";
import { fromHex, toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import {
	ADVICE_BYTES_MAX,
	ADVICE_BYTES_MIN,
	ADVICE_CLEAR_BYTES,
	type AdviceFacts,
	decodeAdvice,
	decodeIntent,
	decodeMark,
	decodeOutcome,
	decodeStep,
	encodeAdvice,
	encodeIntent,
	encodeMark,
	encodeOutcome,
	encodeReserved,
	encodeStep,
	INTENT_BYTES,
	type Intent,
	intentNonce,
	intentSeconds,
	MARK_BYTES,
	MARK_HEADS_BYTES,
	maskedCard,
	NO_ORIGINAL,
	OUTCOME_BYTES,
	RESERVED_BYTES,
	reservedStan,
	STEP_BYTES,
	TransactionRecord,
} from "../../src/transactions/records";

const INTENT: Intent = {
	id: 0x01020304,
	stan: 999_999,
	kind: 1,
	batch: 258,
	amountMinor: 123_456_789_012,
	timeS: 0x65f0a1b2,
	entryMode: "051",
	condition: "00",
	field60Rest: "00060",
	panFirst: "621234",
	panLast: "1232",
	panDigits: 16,
};

const INTENT_HEX = [
	"01020304", // id
	"0F423F", // STAN 999999
	"01", // kind: sale
	"000102", // batch 258
	"123456789012", // amount
	"65F0A1B2", // time
	"0510", // DE 22 and pad
	"00", // DE 25
	"000600", // DE 60.3-60.5 and pad
	"621234", // first six
	"1232", // last four
	"10", // digits
].join("");

const ORIGINAL: AdviceFacts = {
	originalBatch: 257,
	originalStan: 69_442,
	originalDate: "1122",
	rrn: "112200000001",
	authorization: "A1B2C3",
};

const failsWith = (code: string) => (error: unknown) => error instanceof CodedError && error.code === code;
const hex = (bytes: Uint8Array) => toHex(bytes, 0, bytes.length);

describe("transactions: records", () => {
	it("writes an intent's clear part as the table says", () => {
		const bytes = new Uint8Array(INTENT_BYTES).fill(0xee);
		encodeIntent(bytes, INTENT);
		assert.equal(hex(bytes.subarray(0, 33)), INTENT_HEX);
		assert.equal(hex(bytes.subarray(33)), "EE".repeat(31), "the sealed card is not touched");
	});

	it("takes the time of a clock that was never set, or is far ahead, as the nearest an intent carries", () => {
		assert.equal(intentSeconds(-1), 0);
		assert.equal(intentSeconds(-86_400_000), 0);
		assert.equal(intentSeconds(1_999), 1);
		assert.equal(intentSeconds(0xffff_ffff * 1_000 + 999), 0xffff_ffff);
		assert.equal(intentSeconds(0x1_0000_0000 * 1_000), 0xffff_ffff);
	});

	it("reads an intent back, at any offset", () => {
		const bytes = new Uint8Array(INTENT_BYTES + 5);
		bytes.set(fromHex(INTENT_HEX, "test"), 5);
		assert.deepEqual(decodeIntent(bytes, 5, INTENT_BYTES), INTENT);
	});

	it("refuses an intent of another length", () => {
		const bytes = new Uint8Array(100);
		for (const byteLength of [0, 1, 33, 63, 65, 100]) {
			assert.throws(() => decodeIntent(bytes, 0, byteLength), failsWith("length"), `${byteLength}`);
		}
	});

	it("refuses an intent whose digits are none", () => {
		for (const at of [11, 16, 21, 23, 24, 27, 30]) {
			const bytes = new Uint8Array(INTENT_BYTES);
			encodeIntent(bytes, INTENT);
			bytes[at] = 0xa0;
			assert.throws(() => decodeIntent(bytes, 0, INTENT_BYTES), failsWith("charset"), `byte ${at}`);
		}
	});

	it("refuses an amount that does not fit or is none", () => {
		const bytes = new Uint8Array(INTENT_BYTES);
		for (const amountMinor of [-1, 1.5, Number.NaN, 1_000_000_000_000]) {
			assert.throws(() => encodeIntent(bytes, { ...INTENT, amountMinor }), failsWith("range"), `${amountMinor}`);
		}
	});

	it("writes an outcome as the table says, and reads it back", () => {
		const outcome = { code: "00", rrn: "112200000002", authorization: "A1B2C3", hostTime: "0912351122" };
		const bytes = new Uint8Array(OUTCOME_BYTES);
		encodeOutcome(bytes, 0x01020304, 3, 2, outcome);
		const expected = `01020304 03 02 3030 313132323030303030303032 413142324333 0912351122 00`;
		assert.equal(hex(bytes), expected.replaceAll(" ", ""));
		assert.deepEqual(decodeOutcome(bytes, 0, OUTCOME_BYTES), outcome);
	});

	it("keeps what the host left out as spaces, and reads it as absent", () => {
		const bytes = new Uint8Array(OUTCOME_BYTES);
		const outcome = { code: "51", rrn: "", authorization: "", hostTime: "0000000000" };
		encodeOutcome(bytes, 1, 1, 4, outcome);
		assert.equal(hex(bytes.subarray(8, 26)), "20".repeat(18));
		assert.deepEqual(decodeOutcome(bytes, 0, OUTCOME_BYTES), outcome);
	});

	it("leaves nothing of an earlier record in an outcome", () => {
		const bytes = new Uint8Array(OUTCOME_BYTES).fill(0x41);
		encodeOutcome(bytes, 1, 1, 4, { code: "51", rrn: "", authorization: "", hostTime: "0000000000" });
		assert.equal(bytes.indexOf(0x41), -1);
	});

	it("refuses an outcome of another length", () => {
		for (const byteLength of [0, 31, 33]) {
			assert.throws(() => decodeOutcome(new Uint8Array(64), 0, byteLength), failsWith("length"));
		}
	});

	it("writes a step as the table says, and reads it back", () => {
		const bytes = new Uint8Array(STEP_BYTES);
		encodeStep(bytes, 0x01020304, 7, 6, { reason: "A0", tries: 0x1234, flags: 5 });
		assert.equal(hex(bytes), "010203040706413012".concat("3405"));
		assert.deepEqual(decodeStep(bytes, 0, STEP_BYTES), { reason: "A0", tries: 0x1234, flags: 5 });
	});

	it("refuses a step of another length", () => {
		for (const byteLength of [0, 10, 12]) {
			assert.throws(() => decodeStep(new Uint8Array(32), 0, byteLength), failsWith("length"));
		}
	});

	it("writes the mark as the table says, reads it back, and refuses a newer one", () => {
		const mark = {
			batch: 0x010203,
			idMax: 0x04050607,
			stanMax: 0x08090a,
			idReserved: 0x0b0c0d0e,
			settledBatch: 0x0f1011,
			stanReserved: 0x121314,
		};
		const bytes = encodeMark(mark);
		assert.equal(hex(bytes), "0301020304050607".concat("08090A0B0C0D0E0F1011121314"));
		assert.deepEqual(decodeMark(bytes, 0, MARK_BYTES), mark);
		assert.deepEqual(decodeMark(fromHex(`EEEE${hex(bytes)}`), 2, MARK_BYTES), mark);
		assert.throws(() => decodeMark(bytes, 0, MARK_BYTES - 1), failsWith("length"));
		for (const version of [0, 5, 255]) {
			bytes[0] = version;
			assert.throws(() => decodeMark(bytes, 0, MARK_BYTES), failsWith("newer"), `${version}`);
		}
		assert.throws(() => decodeMark(bytes, 0, 0), failsWith("newer"));
	});

	it("writes a mark with the heads of the evidence chain behind it, and not with half of them", () => {
		const heads = new Uint8Array(MARK_HEADS_BYTES).map((_, at) => at + 1);
		const counters = { batch: 1, idMax: 2, stanMax: 3, idReserved: 4, settledBatch: 5, stanReserved: 6 };
		const bytes = encodeMark({ ...counters, heads });
		assert.equal(hex(bytes), "04000001000000020000030000000400000500000".concat("6", hex(heads)));
		assert.deepEqual(decodeMark(bytes, 0, bytes.length), { ...counters, heads });
		assert.deepEqual(decodeMark(fromHex(`EEEE${hex(bytes)}`), 2, bytes.length), { ...counters, heads });
		assert.throws(() => decodeMark(bytes, 0, bytes.length - 1), failsWith("length"));
		assert.throws(() => decodeMark(bytes, 0, MARK_BYTES), failsWith("length"));
		assert.throws(() => encodeMark({ ...counters, heads: heads.subarray(1) }), /both heads or none/);
	});

	it("reads a mark of version 1: nothing was settled then", () => {
		const bytes = fromHex("0101020304050607".concat("08090A"));
		assert.deepEqual(decodeMark(bytes, 0, bytes.length), {
			batch: 0x010203,
			idMax: 0x04050607,
			stanMax: 0x08090a,
			idReserved: 0x04050607,
			settledBatch: 0,
			stanReserved: 0x08090a,
		});
		assert.throws(() => decodeMark(bytes, 0, bytes.length - 1), failsWith("length"));
	});

	it("reads a mark of version 2: no STAN was reserved then", () => {
		const bytes = fromHex("0201020304050607".concat("08090A0B0C0D0E0F1011"));
		assert.deepEqual(decodeMark(bytes, 0, bytes.length), {
			batch: 0x010203,
			idMax: 0x04050607,
			stanMax: 0x08090a,
			idReserved: 0x0b0c0d0e,
			settledBatch: 0x0f1011,
			stanReserved: 0x08090a,
		});
		assert.throws(() => decodeMark(bytes, 0, bytes.length - 1), failsWith("length"));
	});

	it("writes a reservation as the table says, and reads one of earlier firmware, which reserved no STAN", () => {
		const bytes = new Uint8Array(RESERVED_BYTES);
		encodeReserved(bytes, 0x01020304, 0x050607);
		assert.equal(hex(bytes), "01020304050607");
		assert.equal(reservedStan(fromHex(`EE${hex(bytes)}`), 1, RESERVED_BYTES), 0x050607);
		assert.equal(reservedStan(bytes, 0, 4), 0);
		for (const byteLength of [0, 3, 5, 6, 8]) {
			assert.throws(() => reservedStan(bytes, 0, byteLength), failsWith("length"), `${byteLength}`);
		}
	});

	it("writes an advice's clear part as the table says, behind that of an intent, and reads both back", () => {
		const bytes = new Uint8Array(ADVICE_BYTES_MIN + 2).fill(0xee);
		const intent = { ...INTENT, kind: 3 };
		encodeIntent(bytes, intent);
		encodeAdvice(bytes, ORIGINAL);
		const rest = "000101".concat("010F42", "1122", "313132323030303030303031", "413142324333");
		assert.equal(hex(bytes.subarray(0, ADVICE_CLEAR_BYTES)), INTENT_HEX.replace("0F423F01", "0F423F03") + rest);
		assert.equal(bytes[ADVICE_CLEAR_BYTES], 0xee);
		const moved = new Uint8Array(bytes.length + 3);
		moved.set(bytes, 3);
		assert.deepEqual(decodeIntent(moved, 3, ADVICE_BYTES_MIN), intent);
		assert.deepEqual(decodeAdvice(moved, 3, ADVICE_BYTES_MIN), ORIGINAL);
	});

	it("keeps an offline sale's missing original as zeros and spaces", () => {
		const bytes = new Uint8Array(ADVICE_BYTES_MIN).fill(0xee);
		encodeIntent(bytes, { ...INTENT, kind: 2 });
		encodeAdvice(bytes, NO_ORIGINAL);
		assert.equal(hex(bytes.subarray(33, ADVICE_CLEAR_BYTES)), "00".repeat(8) + "20".repeat(18));
		assert.deepEqual(decodeAdvice(bytes, 0, ADVICE_BYTES_MIN), NO_ORIGINAL);
	});

	it("keeps spaces that the host's texts have inside their field: a repeat is the identical message", () => {
		const bytes = new Uint8Array(ADVICE_BYTES_MIN);
		const original = { ...ORIGINAL, rrn: " 1122000000 ", authorization: "A1    " };
		encodeIntent(bytes, { ...INTENT, kind: 4 });
		encodeAdvice(bytes, original);
		assert.deepEqual(decodeAdvice(bytes, 0, ADVICE_BYTES_MIN), original);
	});

	const impossible: Record<string, [Partial<AdviceFacts>, string]> = {
		"no batch": [{ originalBatch: 0 }, "range"],
		"a batch of seven digits": [{ originalBatch: 1_000_000 }, "range"],
		"no STAN": [{ originalStan: 0 }, "range"],
		"a STAN of seven digits": [{ originalStan: 1_000_000 }, "range"],
		"a short date": [{ originalDate: "112" }, "length"],
		"a date that is none": [{ originalDate: "11A2" }, "charset"],
		"no RRN": [{ rrn: "" }, "length"],
		"a long RRN": [{ rrn: "1122000000010" }, "length"],
		"a short authorization": [{ authorization: "A1B2C" }, "length"],
		"a long authorization": [{ authorization: "A1B2C3D" }, "length"],
		"a text outside ASCII": [{ authorization: "A1B2Cé" }, "charset"],
	};
	for (const [what, [change, code]] of Object.entries(impossible)) {
		it(`refuses an advice whose original has ${what}`, () => {
			const bytes = new Uint8Array(ADVICE_BYTES_MIN);
			encodeIntent(bytes, { ...INTENT, kind: 3 });
			assert.throws(() => encodeAdvice(bytes, { ...ORIGINAL, ...change }), failsWith(code));
		});
	}

	it("refuses an advice shorter than its sealed card or longer than its chip data can be", () => {
		const bytes = new Uint8Array(512);
		encodeIntent(bytes, { ...INTENT, kind: 2 });
		for (const byteLength of [INTENT_BYTES, ADVICE_BYTES_MIN - 1, ADVICE_BYTES_MAX + 1]) {
			assert.throws(() => decodeIntent(bytes, 0, byteLength), failsWith("length"), `${byteLength}`);
			assert.throws(() => decodeAdvice(bytes, 0, byteLength), failsWith("length"), `${byteLength}`);
		}
		assert.equal(ADVICE_BYTES_MIN, 90);
		assert.equal(ADVICE_BYTES_MAX, 345);
	});

	it("shows no more of a card number than its first six and last four digits (I9)", () => {
		assert.equal(maskedCard(INTENT), "621234******1232");
		assert.equal(maskedCard({ ...INTENT, panDigits: 19 }), "621234*********1232");
		assert.equal(maskedCard({ ...INTENT, panDigits: 12 }), "621234**1232");
	});

	it("builds the nonce of journal id, generation, record type and transaction id (I4)", () => {
		const nonce = new Uint8Array(12).fill(0xee);
		intentNonce(nonce, 0x01020304, 0x0506, 0x0708090a);
		assert.equal(hex(nonce), "0102030405060008".concat("0708090A"));
		intentNonce(nonce, 0x01020304, 0x0506, 0x0708090a, TransactionRecord.advice);
		assert.equal(hex(nonce), "010203040506000C".concat("0708090A"), "another one for an advice");
		assert.equal(TransactionRecord.intent, 8);
	});
});
