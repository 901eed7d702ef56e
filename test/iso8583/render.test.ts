/**
 * Goal: a message on several lines says what every field and code means, and masked it holds nothing that has to stay
 * secret. Method: golden vectors, whose secrets are looked for in text and in hex; and messages that are wrong inside.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import { fromHex } from "../../src/core/bytes";
import { MessageDecoder } from "../../src/iso8583/decoder";
import type { Dialect } from "../../src/iso8583/dialect";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { FIELD_NAMES, MESSAGE_NAMES } from "../../src/iso8583/field-names";
import { renderMasked } from "../../src/iso8583/mask";
import { messageName, renderFields, renderLines } from "../../src/iso8583/render";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { UNIONPAY_DUKPT } from "../../src/iso8583/unionpay-dukpt";
import file from "../vectors/unionpay.json";
import { GENERIC_ASCII } from "./generic-ascii";
import { putFields, type Vector } from "./vector-helpers";

const VECTORS = file.vectors as unknown as Vector[];
const EN = { language: "en", unmask: false } as const;
const ZH = { language: "zh", unmask: false } as const;
const OPEN = { language: "en", unmask: true } as const;

function decoded(name: string): MessageDecoder {
	const frame = fromHex((VECTORS.find((vector) => vector.name === name) as Vector).frame);
	const message = new MessageDecoder(UNIONPAY);
	message.decode(frame, frame.length);
	return message;
}

function made(mti: string, fields: Record<number, string>, dialect: Dialect = UNIONPAY): MessageDecoder {
	const out = new Uint8Array(2100);
	const encoder = new MessageEncoder(dialect, out);
	encoder.begin(mti, { secondary: Object.keys(fields).some((de) => Number(de) > 64) });
	putFields(encoder, dialect, fields);
	const message = new MessageDecoder(dialect);
	message.decode(out, encoder.finish());
	return message;
}

/** "name value [meaning]" of the parts of one field. */
function parts(message: MessageDecoder, de: number, options: typeof EN | typeof ZH | typeof OPEN = EN): string[] {
	const field = renderFields(message, options).find((candidate) => candidate.de === de);
	return (field?.parts ?? []).map(({ name, value, meaning }) =>
		[name, value, ...(meaning === undefined ? [] : [`[${meaning}]`])].join(" "),
	);
}

function meaning(message: MessageDecoder, de: number, options: typeof EN | typeof ZH = EN): string | undefined {
	return renderFields(message, options).find((field) => field.de === de)?.meaning;
}

/** What of a vector must not be seen. */
function secretsOf({ fields }: Vector): string[] {
	const secrets: string[] = [];
	for (const de of [2, 35, 36, 52]) if (fields[de] !== undefined) secrets.push(fields[de]);
	for (const text of [fields[2], fields[35]?.split("D")[0], ...(fields[48]?.match(/62\d{14}/g) ?? [])]) {
		if (text === undefined) continue;
		for (let i = 0; i + 13 <= text.length; i++) secrets.push(text.slice(i, i + 13));
	}
	if (fields[62]?.length === 80) secrets.push(fields[62].slice(0, 32), fields[62].slice(40, 72));
	return secrets;
}

function toAsciiHex(text: string): string {
	return Buffer.from(text, "latin1").toString("hex").toUpperCase();
}

describe("iso8583 rendering", () => {
	it("shows a sale with the meaning of its codes", () => {
		const lines = renderLines(decoded("sale-chip-no-pin"), EN).map((line) => line.replace(/ {2,}/g, "  "));
		equal(lines[0], "0200 sale request  TPDU 6000030000  header 603100311108");
		for (const line of [
			"  2  card number  621234******1232",
			"  3  processing code  000000  purchase",
			"  4  amount  000000001234  12.34",
			" 14  expiry  <4>",
			" 22  entry mode  052  chip, no PIN",
			" 35  track 2  <33>",
			" 49  currency  156  CNY",
			"  60.1 type  22  sale",
			"  60.2 batch  000001",
			"  9F26 cryptogram  1122334455667788",
			' 64  MAC  4132414232414130  "A2AB2AA0"',
		]) {
			ok(lines.includes(line), `${line}\n${lines.join("\n")}`);
		}
	});

	it("aligns Chinese, whose characters take two columns", () => {
		const lines = renderLines(decoded("sale-response-declined"), ZH);
		equal(lines[0].split("  ")[0], "0210 消费应答");
		const line = lines.find((candidate) => candidate.startsWith(" 39")) as string;
		match(line, /^ 39 {3}应答码 +51 +余额不足$/);
		const column = (text: string, value: string) => {
			let width = 0;
			for (const character of text.slice(0, text.indexOf(value))) width += character > "\u1100" ? 2 : 1;
			return width;
		};
		equal(column(line, "51"), column(lines.find((candidate) => candidate.startsWith(" 41")) as string, "12345678"));
	});

	it("shows no secret of any vector: neither card number, track, PIN block nor wrapped key, in text or in hex", () => {
		let looked = 0;
		for (const vector of VECTORS) {
			const message = decoded(vector.name);
			for (const options of [EN, ZH]) {
				// The merchant's number has 13 digits in common with the first test card.
				const all = `${renderLines(message, options).join("\n")}\n${renderMasked(message)}`;
				const shown = all.replaceAll(vector.fields[42], "");
				for (const secret of secretsOf(vector)) {
					equal(shown.includes(secret), false, `${vector.name} shows a secret`);
					equal(shown.includes(toAsciiHex(secret)), false, `${vector.name} shows a secret in hex`);
					looked++;
				}
			}
		}
		ok(looked > 100, String(looked));
	});

	it("shows them when asked to: the check above can fail", () => {
		for (const vector of VECTORS) {
			const shown = renderLines(decoded(vector.name), OPEN).join("\n");
			for (const secret of secretsOf(vector)) ok(shown.includes(secret), `${vector.name}: ${secret}`);
		}
	});

	it("hides card data in the tags of DE 55, and every tag that nobody has looked at", () => {
		const emv = `5A0862123456789012325713${"6212345678901232D301222011963000000F"}57015F20025A5A5F2403301231DF3103AABBCC`;
		const message = made("0200", { 55: `${emv.slice(0, 20)}9A03261122` });
		deepEqual(parts(message, 55), ["5A card number <8>", "9A date 261122"]);
		deepEqual(parts(message, 55, OPEN), ["5A card number 6212345678901232", "9A date 261122"]);
		const more = made("0200", { 55: "5F20025A5A5F2403301231DF3103AABBCC720186" });
		deepEqual(parts(more, 55), ["5F20 holder's name <2>", "5F24 expiry <3>", "DF31 <3>", "72 issuer script 2 <1>"]);
	});

	it("masks what could be a card number in a text of people, also on one line", () => {
		const fields = { 44: "card 6212345678901232", 63: "CUPsee 6221234567890123450!" };
		const message = made("0210", { 3: "000000", ...fields, 60: "2200000100060" });
		equal(renderMasked(message).includes("6212345678901232"), false);
		deepEqual(parts(message, 63), ["63.1 scheme CUP", "63.2 text see 622123*********3450!"]);
		deepEqual(parts(message, 63, OPEN)[1], "63.2 text see 6221234567890123450!");
		const grouped = made("0210", { 3: "000000", 63: "CUP6212 3456-7890.1232 x", 60: "2200000100060" });
		deepEqual(parts(grouped, 63)[1], "63.2 text 6212 34**-****.1232 x");
	});

	it("reads DE 39 of a reversal as its reason, of an answer as the host's answer", () => {
		equal(meaning(decoded("reversal-timeout"), 39), "no answer in time");
		equal(renderFields(decoded("reversal-timeout"), EN).find(({ de }) => de === 39)?.name, "reason");
		equal(meaning(made("0400", { 39: "A0" }), 39, ZH), "应答校验失败");
		equal(meaning(made("0410", { 39: "96" }), 39), "System fault, try later");
		equal(meaning(made("0210", { 39: "ZZ" }), 39), undefined);
	});

	it("says the totals of a settlement and its results", () => {
		const lines = parts(decoded("settlement-response-unbalanced"), 48);
		equal(lines.length, 10);
		equal(lines[0], "domestic debit amount 000000991234 [9912.34]");
		equal(lines[1], "domestic debit count 002");
		equal(lines[4], "domestic result 2 [unbalanced]");
		equal(lines[9], "foreign result 1 [balanced]");
	});

	it("lists the entries of an upload with masked card numbers", () => {
		deepEqual(parts(decoded("batch-upload"), 48), [
			"entries 02",
			"entry 1 00 000002 621234******1232 [12.34]",
			"entry 2 00 000003 622123*********3450 [9900.00]",
		]);
		deepEqual(parts(decoded("batch-upload-end"), 48), ["entries in all 0002"]);
	});

	it("shows of wrapped keys only that they are there, and their check values", () => {
		deepEqual(parts(decoded("sign-on-response"), 62), [
			"PIK <16>",
			"PIK check value 1D536912",
			"MAK <16>",
			"MAK check value 7D5FA210",
		]);
	});

	it("takes the data of sync messages apart", () => {
		deepEqual(parts(decoded("sync-list-response"), 62), [
			"nonce 0102030405060708",
			"entries 2",
			"more 0 [no]",
			"entry 1 STAN 000002 kind 1 12.34 flags 0B reason 0 RRN 112209311201 [recorded, debited, posted]",
			"entry 2 STAN 000003 kind 1 9900.00 flags 03 reason 0 RRN 112209315802 [recorded, debited]",
		]);
		deepEqual(parts(decoded("sync-claim-response"), 62), [
			"nonce 0102030405060708",
			"reference CLM000000042",
			"state 1 [received]",
			"reason 0",
			"expected by 261124120000 [2026-11-24 12:00:00]",
		]);
		equal(parts(decoded("sync-digest-response"), 62).length, 2 + 8);
		deepEqual(parts(decoded("sync-list-request"), 62).slice(1), ["batch 000001", "from STAN 000002", "to STAN 000010"]);
	});

	it("takes every kind of sync message apart, request and answer, without anything left over", () => {
		const nonce = "0102030405060708";
		const entry = `00000201000000001234${"0B00"}${toAsciiHex("112209311201")}`;
		const claim = `${toAsciiHex("CLM000000042")}0500261124120000`;
		const id = "00112233445566778899AABBCCDDEEFF";
		const hash = "BB".repeat(32);
		const requests: Record<string, string> = {
			401: "000001000002000010",
			402: "000001000002",
			403: `${id}000001000003000000990000${hash}`,
			404: `${id}000001000003000000990000${hash}`,
			405: id,
			406: `000001000010${hash}`,
			407: `${id}000001000003`,
		};
		const answers: Record<string, string> = {
			401: `0101${entry}`,
			402: `01${entry}261122093112000000000000`,
			403: claim,
			404: claim,
			405: claim,
			406: `${hash}${"0001000000001234".repeat(4)}`,
			407: claim,
		};
		for (const code of Object.keys(requests)) {
			const request = made("0300", { 60: `00000001${code}`, 62: nonce + requests[code] });
			const answer = made("0310", { 39: "00", 60: `00000001${code}`, 62: nonce + answers[code] });
			for (const message of [request, answer]) {
				const lines = parts(message, 62);
				ok(lines.length > 1 && !lines.some((line) => line.startsWith("malformed")), `${code}: ${lines.join("\n")}`);
				const short = made(message.mti, {
					...(message.has(39) ? { 39: "00" } : {}),
					60: `00000001${code}`,
					62: message.text(62).slice(0, -2),
				});
				ok(parts(short, 62).at(-1)?.startsWith("malformed"), `${code}, a byte less`);
			}
		}
		deepEqual(parts(made("0310", { 39: "30", 60: "00000001401", 62: nonce }), 62), [`nonce ${nonce}`]);
		deepEqual(parts(made("0310", { 39: "00", 60: "00000001402", 62: `${nonce}00` }), 62).at(-1), "found 0 [no]");
		deepEqual(parts(made("0300", { 60: "00000001402", 62: `${nonce}00000A000002` }), 62).at(-1), "malformed +8");
	});

	it("names the key of an acquirer with AES-DUKPT", () => {
		const message = made("0200", { 53: "123456789012345600000001" }, UNIONPAY_DUKPT);
		deepEqual(parts(message, 53), ["initial key id 1234567890123456", "key counter 00000001"]);
		deepEqual(parts(decoded("sale-magstripe-pin"), 53), []);
	});

	it("says where a field does not have its form, and throws at nothing", () => {
		const settlement = { 60: "00000001201" };
		equal(parts(made("0500", { ...settlement, 48: "0000" }), 48).at(-1), "malformed +4");
		equal(parts(made("0500", { ...settlement, 48: "" }), 48).at(-1), "malformed +0");
		equal(parts(made("0500", { ...settlement, 48: "0".repeat(63) }), 48).at(-1), "malformed +62");
		equal(parts(made("0320", { ...settlement, 48: "02".padEnd(42, "0") }), 48).at(-1), "malformed +42");
		equal(parts(made("0320", { ...settlement, 48: "" }), 48).at(-1), "malformed +0");
		equal(parts(made("0320", { 60: "00000001202", 48: "00021" }), 48).at(-1), "malformed +4");
		equal(parts(made("0810", { 60: "00000001003", 62: "00" }), 62).at(-1), "malformed +0");
		equal(parts(made("0200", { 55: "9A0326" }), 55).at(-1), "malformed +0");
		deepEqual(parts(made("0200", { 60: "2" }), 60), ["60.1 type 2"]);
		deepEqual(parts(made("0200", { 60: "", 61: "", 63: "" }), 60), []);
		equal(parts(made("0200", { 60: "22000001000601234" }), 60).at(-1), "60.6 other 1234");
	});

	it("throws at nothing that decodes, and masks it (property)", () => {
		const change = fc.tuple(fc.nat(10_000), fc.nat(255));
		const message = new MessageDecoder(UNIONPAY);
		let rendered = 0;
		fc.assert(
			fc.property(fc.constantFrom(...VECTORS), fc.array(change, { minLength: 1, maxLength: 4 }), (vector, changes) => {
				const bytes = fromHex(vector.frame);
				for (const [at, value] of changes) bytes[15 + (at % (bytes.length - 15))] = value;
				message.examine(bytes, bytes.length);
				for (const options of [EN, ZH, OPEN]) rendered += renderLines(message, options).length;
			}),
			{ numRuns: 3000, seed: 9 },
		);
		ok(rendered > 50_000, String(rendered));
	});

	it("renders another dialect by its own table", () => {
		const message = made("0200", { 2: "6212345678901232", 3: "000000", 48: "x", 55: "9A03261122" }, GENERIC_ASCII);
		equal(messageName(message, EN), "sale request");
		deepEqual(parts(message, 55), ["9A date 261122"]);
		deepEqual(parts(message, 48), []);
		match(renderLines(message, EN)[0], /^0200 sale request$/);
		equal(messageName(made("0300", { 60: "99" }), EN), "message not known");
	});

	it("has a name for every field and every message of the dialects", () => {
		for (const { fields, messages } of [UNIONPAY, UNIONPAY_DUKPT]) {
			for (const [de, rule] of fields.entries()) ok(rule === undefined || FIELD_NAMES[de] !== undefined, `DE ${de}`);
			for (const rule of messages) ok(MESSAGE_NAMES[rule.name] !== undefined, rule.name);
		}
	});
});
