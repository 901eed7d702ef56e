/**
 * Goal: settlement and upload are the golden frames, totals are never clipped, what the host answers is read for what it
 * says, and no card number stays behind in the frame.
 * Method: the golden vectors byte for byte, answers made by the acquirer's own table of totals, each bit of the golden
 * answer flipped.
 */
import assert from "node:assert/strict";
import { NO_TOTALS, readTotals, writeTotals } from "../../host-sim/acquirer/totals";
import { makeConfig } from "../../src/config";
import { fromHex, toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { SettlementAnswer, SettlementMessages } from "../../src/settlement/settlement-messages";
import { KIND_OFFLINE_SALE, KIND_REFUND, KIND_SALE } from "../../src/transactions/records";
import { coded, type Vector } from "../iso8583/vector-helpers";
import file from "../vectors/unionpay.json";

const VECTORS = file.vectors as unknown as Vector[];
const SENT = { debitMinor: 991_234, debits: 2, creditMinor: 500, credits: 1 };
const PAN = "6212345678901232";
const LONG_PAN = "6221234567890123450";

function vectorOf(name: string): Vector {
	const vector = VECTORS.find((candidate) => candidate.name === name);
	assert(vector !== undefined);
	return vector;
}

const makeMessages = () => new SettlementMessages(UNIONPAY, makeConfig());

function decoded(frame: Uint8Array, byteLength = frame.length): MessageDecoder {
	const message = new MessageDecoder(UNIONPAY);
	message.decode(frame, byteLength);
	return message;
}

/** 0510 or 0330 with this DE 39 and, where there is one, 48. */
function answerOf(mti: string, code: string, totals?: string): MessageDecoder {
	const out = new Uint8Array(1462);
	const encoder = new MessageEncoder(UNIONPAY, out);
	encoder.begin(mti);
	encoder.digits(11, "000006");
	encoder.ascii(39, code);
	encoder.ascii(41, "12345678");
	encoder.ascii(42, "123456789012345");
	if (totals !== undefined) encoder.digits(48, totals);
	encoder.digits(60, "00000001201");
	return decoded(out, encoder.finish());
}

/** The answer to what was sent last, by result digit and totals of both sides. */
function settled(domestic: object, foreign: object = {}): SettlementAnswer {
	const messages = makeMessages();
	messages.settlement(6, 1, SENT);
	const text = writeTotals({ ...NO_TOTALS, ...domestic }, { ...NO_TOTALS, ...foreign });
	const answer = new SettlementAnswer();
	assert.equal(messages.readSettlement(answerOf("0510", "00", text), answer), "taken");
	return answer;
}

describe("settlement", () => {
	it("is the golden frame, byte for byte", () => {
		const messages = makeMessages();
		const byteLength = messages.settlement(6, 1, SENT);
		assert.equal(toHex(messages.frame, 0, byteLength), vectorOf("settlement-request").frame);
		assert.deepEqual(messages.expected, {
			mti: "0510",
			stan: 6,
			messageType: "00",
			batch: 1,
			networkCode: "201",
			ticket: 0,
			mac: "none",
		});
	});

	it("is what the host reads, up to the greatest totals", () => {
		const messages = makeMessages();
		const most = { debitMinor: 999_999_999_999, debits: 999, creditMinor: 1, credits: 0 };
		const text = decoded(messages.frame, messages.settlement(6, 999_999, most)).text(48);
		assert.deepEqual(readTotals(text), { ...most, result: 0 });
		assert.deepEqual(readTotals(text, true), NO_TOTALS);
	});

	it("never clips a total", () => {
		const messages = makeMessages();
		assert.throws(() => messages.settlement(6, 1, { ...SENT, debits: 1_000 }), coded("overflow", "settlement count"));
		assert.throws(() => messages.settlement(6, 1, { ...SENT, credits: 1_000 }), coded("overflow", "settlement count"));
		const amount = coded("overflow", "settlement amount");
		assert.throws(() => messages.settlement(6, 1, { ...SENT, debitMinor: 1e12 }), amount);
		assert.throws(() => messages.settlement(6, 1, { ...SENT, creditMinor: -1 }), coded("range", "settlement amount"));
	});

	it("reads the golden answer: unbalanced, with the host's totals", () => {
		const messages = makeMessages();
		messages.settlement(6, 1, SENT);
		const answer = new SettlementAnswer();
		const vector = vectorOf("settlement-response-unbalanced");
		assert.equal(messages.readSettlement(decoded(fromHex(vector.frame)), answer), "taken");
		assert.equal(answer.result, "unbalanced");
		assert.deepEqual(answer.domestic, SENT);
	});

	it("is balanced where the host says so, and its totals are what it was sent", () => {
		assert.equal(settled({ ...SENT, result: 1 }, { result: 1 }).result, "balanced");
		assert.equal(settled({ ...SENT, result: 1 }).result, "balanced");
	});

	it("is not balanced for a host that contradicts itself", () => {
		assert.equal(settled({ ...SENT, debits: 3, result: 1 }).result, "unbalanced");
		assert.equal(settled({ ...SENT, creditMinor: 501, result: 1 }).result, "unbalanced");
		assert.equal(settled({ ...SENT, result: 1 }, { debits: 1, debitMinor: 7, result: 1 }).result, "unbalanced");
	});

	it("goes by both result digits", () => {
		assert.equal(settled({ ...SENT, result: 2 }, { result: 1 }).result, "unbalanced");
		assert.equal(settled({ ...SENT, result: 1 }, { result: 2 }).result, "unbalanced");
		assert.equal(settled({ ...SENT, result: 3 }, { result: 1 }).result, "error");
		assert.equal(settled({ ...SENT, result: 2 }, { result: 3 }).result, "error");
	});

	it("is refused by any other code, with or without totals", () => {
		const messages = makeMessages();
		messages.settlement(6, 1, SENT);
		const answer = new SettlementAnswer();
		assert.equal(messages.readSettlement(answerOf("0510", "96"), answer), "refused");
		const balanced = writeTotals({ ...SENT, result: 1 }, NO_TOTALS);
		assert.equal(messages.readSettlement(answerOf("0510", "40", balanced), answer), "refused");
		assert.equal(answer.result, "error");
	});

	it("refuses an answer without a result, with half the totals, or with none", () => {
		const messages = makeMessages();
		messages.settlement(6, 1, SENT);
		const answer = new SettlementAnswer();
		const read = (text?: string) => () => messages.readSettlement(answerOf("0510", "00", text), answer);
		assert.throws(read(), coded("missing"));
		assert.throws(read("0".repeat(31)), coded("length", "settlement DE 48"));
		assert.throws(read("0".repeat(62)), coded("range", "settlement result"));
		assert.throws(read(writeTotals({ ...SENT, result: 4 }, NO_TOTALS)), coded("range", "settlement result"));
		const foreign = writeTotals({ ...SENT, result: 1 }, { ...NO_TOTALS, result: 4 });
		assert.throws(read(foreign), coded("range", "settlement foreign result"));
		assert.equal(answer.result, "error");
	});

	it("gives a code or a correct value for each bit of the golden answer flipped, and each cut", () => {
		const messages = makeMessages();
		messages.settlement(6, 1, SENT);
		const frame = fromHex(vectorOf("settlement-response-unbalanced").frame);
		const answer = new SettlementAnswer();
		const check = (bytes: Uint8Array) => {
			try {
				messages.readSettlement(decoded(bytes), answer);
			} catch (error) {
				assert(error instanceof CodedError, `${error}`);
				return;
			}
			const same = JSON.stringify(answer.domestic) === JSON.stringify(SENT);
			assert(same || answer.result !== "balanced", "other totals are never balanced");
		};
		for (let bit = 0; bit < frame.length * 8; bit++) {
			const flipped = frame.slice();
			flipped[bit >> 3] ^= 0x80 >> (bit & 7);
			check(flipped);
		}
		for (let length = 0; length < frame.length; length++) check(frame.subarray(0, length));
	});
});

describe("batch upload", () => {
	it("is the golden frames, byte for byte, cards with 16 and 19 digits", () => {
		const messages = makeMessages();
		messages.beginPage();
		messages.addRow(KIND_SALE, 2, PAN, 1_234);
		messages.addRow(KIND_SALE, 3, LONG_PAN, 990_000);
		assert.equal(messages.rows, 2);
		assert.equal(toHex(messages.frame, 0, messages.upload(7, 1)), vectorOf("batch-upload").frame);
		assert.equal(messages.expected.mti, "0330");
		assert.equal(messages.expected.networkCode, "201");
		const end = messages.uploadEnd(8, 1, 2, false);
		assert.equal(toHex(messages.frame, 0, end), vectorOf("batch-upload-end").frame);
		assert.equal(messages.expected.networkCode, "202");
	});

	it("says 207 for a batch that balances", () => {
		const messages = makeMessages();
		const message = decoded(messages.frame, messages.uploadEnd(8, 1, 990, true));
		assert.equal(message.rule?.name, "batch upload end, balanced");
		assert.equal(message.text(48), "0990");
		assert.equal(messages.expected.networkCode, "207");
		assert.throws(() => messages.uploadEnd(8, 1, 10_000, true), coded("range", "upload rows"));
	});

	it("holds eight rows, the greatest of each", () => {
		const messages = makeMessages();
		messages.beginPage();
		for (let n = 0; n < 8; n++) messages.addRow(KIND_OFFLINE_SALE, 999_999, LONG_PAN, 999_999_999_999);
		assert.throws(() => messages.addRow(KIND_SALE, 1, PAN, 1), /8 rows/);
		const message = decoded(messages.frame, messages.upload(7, 1));
		assert.equal(message.count(48), 322);
		assert.equal(message.text(48).slice(0, 42), `0800999999${`0${LONG_PAN}`}999999999999`);
	});

	it("tells what was given back from what was sold", () => {
		const messages = makeMessages();
		messages.beginPage();
		messages.addRow(KIND_REFUND, 5, PAN, 1);
		assert.equal(decoded(messages.frame, messages.upload(7, 1)).text(48).slice(2, 4), "01");
	});

	it("leaves no card number behind once it is wiped", () => {
		const messages = makeMessages();
		messages.beginPage();
		messages.addRow(KIND_SALE, 2, PAN, 1_234);
		const byteLength = messages.upload(7, 1);
		assert(toHex(messages.frame, 0, byteLength).includes(PAN));
		messages.wipe();
		assert(messages.frame.every((byte) => byte === 0));
		assert.equal(messages.rows, 0);
	});

	it("refuses a card number that is none, and names it not", () => {
		const messages = makeMessages();
		messages.beginPage();
		assert.throws(() => messages.addRow(KIND_SALE, 2, "62123456789", 1), coded("length", "upload card"));
		assert.throws(() => messages.addRow(KIND_SALE, 2, `${LONG_PAN}1`, 1), coded("length", "upload card"));
		assert.throws(() => messages.addRow(KIND_SALE, 2, PAN, 1e12), coded("overflow"));
		assert.equal(messages.rows, 0);
		messages.addRow(KIND_SALE, 2, "62123456789012AB", 1);
		assert.throws(
			() => messages.upload(7, 1),
			(error: Error) => coded("charset")(error) && !error.message.includes("6212"),
		);
		assert.equal(messages.rows, 0, "a page that failed is forgotten");
		messages.addRow(KIND_SALE, 2, PAN, 1);
		assert.equal(decoded(messages.frame, messages.upload(7, 1)).count(48), 42);
		assert.equal(messages.rows, 0, "and so is one that is built");
	});

	it("is taken with 00 and refused with anything else", () => {
		const messages = makeMessages();
		assert.equal(messages.readUpload(answerOf("0330", "00")), "taken");
		assert.equal(messages.readUpload(answerOf("0330", "94")), "refused");
	});
});
