/**
 * Goal: every message of the protocol has a shape, the golden vectors have theirs, and what differs is named.
 * Method: vectors are taken apart and put together again with a field less or more.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { DE_MAX } from "../../src/iso8583/dialect";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { checkShape, isInSet, SHAPES } from "../../src/iso8583/messages";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import file from "../vectors/unionpay.json";
import { GENERIC_ASCII } from "./generic-ascii";
import { putFields, type Vector } from "./vector-helpers";

const VECTORS = file.vectors as unknown as Vector[];
const out = new Uint8Array(1462);
const encoder = new MessageEncoder(UNIONPAY, out);
const message = new MessageDecoder(UNIONPAY);

function fieldsOf(name: string): Record<number, string> {
	const { fields } = VECTORS.find((vector) => vector.name === name) as Vector;
	const copy: Record<number, string> = { ...fields };
	if (copy[22] !== undefined) copy[22] = copy[22].slice(0, 3);
	if (copy[23] !== undefined) copy[23] = copy[23].slice(1);
	delete copy[1];
	return copy;
}

/** The vector's message with other fields. */
function changed(name: string, change: Record<number, string | undefined>): MessageDecoder {
	const { mti } = VECTORS.find((vector) => vector.name === name) as Vector;
	const fields = { ...fieldsOf(name), ...change } as Record<number, string>;
	const present = Object.entries(fields).filter(([, value]) => value !== undefined);
	encoder.begin(mti, { secondary: present.some(([de]) => Number(de) > 64) });
	putFields(encoder, UNIONPAY, fields);
	message.decode(out, encoder.finish());
	return message;
}

function verdict(name: string, change: Record<number, string | undefined> = {}): string {
	const error = checkShape(changed(name, change));
	return error === undefined ? "right" : `${error.code} ${error.place}`;
}

const REQUESTS = VECTORS.filter(({ mti }) => mti[2] === "0");
const ANSWERS = VECTORS.filter(({ mti }) => mti[2] === "1");

describe("iso8583 message shapes", () => {
	it("fit all golden vectors, and each has a rule", () => {
		for (const { name } of VECTORS) {
			equal(verdict(name), "right", name);
			ok(message.rule !== undefined, name);
		}
	});

	it("are there for every message of the dialect, and for no other", () => {
		deepEqual(Object.keys(SHAPES).sort(), UNIONPAY.messages.map((rule) => rule.name).sort());
	});

	it("speak of fields the dialect has, none both mandatory and optional", () => {
		for (const [name, shape] of Object.entries(SHAPES)) {
			for (let de = 0; de <= DE_MAX; de++) {
				const ways = [shape.request, shape.optional].filter((fields) => isInSet(fields, de)).length;
				ok(ways < 2, `${name} DE ${de}`);
				if (ways > 0 || isInSet(shape.answer, de)) ok(UNIONPAY.fields[de] !== undefined, `${name} DE ${de}`);
			}
		}
	});

	it("miss each mandatory field of each request by its number, also the MAC", () => {
		let missed = 0;
		for (const { name, mti } of REQUESTS) {
			changed(name, {});
			const rule = message.rule;
			const { request } = SHAPES[rule?.name ?? ""];
			const macDe = message.macDe;
			for (let de = 2; de <= DE_MAX; de++) {
				// Without these two it is another message, or none.
				if (de === 60 || (de === 3 && mti !== "0400")) continue;
				if (isInSet(request, de)) {
					equal(verdict(name, { [de]: undefined }), `missing iso8583 DE ${de}`, name);
					missed++;
				}
			}
			if (rule?.mac === "none") equal(macDe, 0, name);
			else if (macDe === 64) equal(verdict(name, { 64: undefined }), "missing iso8583 DE 64", name);
		}
		ok(missed > 60, String(missed));
	});

	it("name a field that a request does not have", () => {
		equal(verdict("sale-chip-no-pin", { 48: "0002" }), "unknown iso8583 DE 48");
		equal(verdict("sale-chip-no-pin", { 39: "00" }), "unknown iso8583 DE 39");
		equal(verdict("sign-on-request", { 64: "0000000000000000" }), "unknown iso8583 DE 64");
		equal(verdict("reversal-timeout", { 35: "6212345678901232D3012" }), "unknown iso8583 DE 35");
		equal(verdict("reversal-timeout", { 52: "0000000000000000" }), "unknown iso8583 DE 52");
		equal(verdict("sync-list-request", { 2: "6212345678901232" }), "unknown iso8583 DE 2");
		equal(verdict("batch-upload", { 4: "000000000001" }), "unknown iso8583 DE 4");
	});

	it("let answers carry more, and miss only what says which request they answer", () => {
		for (const { name } of ANSWERS) {
			equal(verdict(name, { 54: "1002156C000000000001", 55: "910A00" }), "right", name);
			for (const de of [39, 41, 42, 11]) equal(verdict(name, { [de]: undefined }), `missing iso8583 DE ${de}`, name);
		}
		for (const de of [2, 4, 12, 13, 14, 15, 25, 32, 37, 38, 44, 49, 63, 64]) {
			equal(verdict("sale-response-approved", { [de]: undefined }), "right", `DE ${de}`);
		}
		equal(verdict("sign-on-response", { 39: "96", 62: undefined, 12: undefined }), "right");
	});

	it("find no message where DE 3 and 60.1 do not go together", () => {
		equal(verdict("sale-chip-no-pin", { 3: "900000" }), "unknown iso8583 message");
		equal(verdict("sale-chip-no-pin", { 60: "9900000100060" }), "unknown iso8583 message");
		equal(verdict("sale-chip-no-pin", { 60: undefined }), "unknown iso8583 message");
		equal(verdict("sign-off", { 60: "00000001009" }), "unknown iso8583 message");
		equal(verdict("sign-off", { 60: "00" }), "unknown iso8583 message");
	});

	it("know a reversal by its MTI, whatever original it repeats", () => {
		for (const change of [{}, { 3: "200000", 60: "2300000100060", 61: "000001000002" }, { 60: "5200000100060" }]) {
			equal(verdict("reversal-timeout", change), "right");
			equal(message.rule?.name, "reversal");
		}
	});

	it("ask nothing of a dialect that has none", () => {
		const memory = new Uint8Array(2004);
		const other = new MessageEncoder(GENERIC_ASCII, memory);
		other.begin("0800");
		other.number(11, 1);
		const decoder = new MessageDecoder(GENERIC_ASCII);
		decoder.decode(memory, other.finish());
		equal(checkShape(decoder), undefined);
		decoder.clear();
		equal(checkShape(decoder)?.code, "unknown");
	});
});
