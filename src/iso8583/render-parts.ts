/**
 * What stands inside the fields that carry several things: 48, 53, 55, 60, 61, 62, 63. Everything is masked unless
 * asked otherwise; what does not have its form is said to be malformed, with the place inside the field, never thrown.
 * Source: DESIGN.md; public descriptions of the card network's terminal specification.
 * @module
 */
import { toHex } from "../core/bytes";
import {
	CHIP_CONDITIONS,
	codeName,
	NETWORK_CODES,
	READERS,
	SETTLEMENT_RESULTS,
	TAGS,
	TRANSACTION_TYPES,
} from "./code-names";
import type { MessageDecoder } from "./decoder";
import type { Format } from "./dialect";
import type { Words } from "./field-names";
import { maskNumbers, maskPan } from "./mask";
import { amountOf, PartList, type RenderedPart, type RenderOptions } from "./part-list";
import { readSync } from "./render-sync";
import { readTlv } from "./tlv";

/** The fields with parts, as the UnionPay dialects have them. */
const FORMATS: Readonly<Record<number, Format>> = { 48: "n", 53: "b", 55: "b", 60: "n", 61: "n", 62: "b", 63: "ans" };

/** The parts of a field; empty for one that is a single value, or hidden whole. */
export function partsOf(message: MessageDecoder, de: number, options: RenderOptions): RenderedPart[] {
	// Another dialect may have something else in these fields.
	if (FORMATS[de] === undefined || message.dialect.fields[de]?.format !== FORMATS[de]) return [];
	const parts = new Parts(message, de, options);
	switch (de) {
		case 48:
			parts.additional();
			break;
		case 53:
			parts.keyName();
			break;
		case 55:
			parts.tags();
			break;
		case 60:
			parts.type();
			break;
		case 61:
			parts.original();
			break;
		case 62:
			parts.privateData();
			break;
		case 63:
			parts.scheme();
			break;
	}
	return parts.done;
}

/** Collects the parts of one field. */
class Parts {
	readonly #list: PartList;
	readonly #message: MessageDecoder;
	readonly #de: number;
	readonly #options: RenderOptions;

	constructor(message: MessageDecoder, de: number, options: RenderOptions) {
		this.#message = message;
		this.#de = de;
		this.#options = options;
		this.#list = new PartList(options.language);
	}

	get done(): RenderedPart[] {
		return this.#list.parts;
	}

	/** DE 60: type 2, batch 6, code 3, reader 1, IC condition 1. */
	type(): void {
		const isNetwork = this.#message.equalsAt(60, 0, "00");
		let at = this.digits(0, 2, { zh: "60.1 类型", en: "60.1 type" }, TRANSACTION_TYPES);
		at = this.digits(at, 6, { zh: "60.2 批次号", en: "60.2 batch" });
		at = this.digits(at, 3, { zh: "60.3 管理码", en: "60.3 code" }, isNetwork ? NETWORK_CODES : undefined);
		at = this.digits(at, 1, { zh: "60.4 读卡能力", en: "60.4 reader" }, READERS);
		at = this.digits(at, 1, { zh: "60.5 芯片条件", en: "60.5 chip" }, CHIP_CONDITIONS);
		const rest = this.#message.count(60) - at;
		this.digits(at, rest, { zh: "60.6 其他", en: "60.6 other" });
	}

	/** DE 61: batch 6, STAN 6, date 4. */
	original(): void {
		let at = this.digits(0, 6, { zh: "61.1 原批次号", en: "61.1 batch" });
		at = this.digits(at, 6, { zh: "61.2 原流水号", en: "61.2 STAN" });
		at = this.digits(at, 4, { zh: "61.3 原日期", en: "61.3 date" });
		this.digits(at, this.#message.count(61) - at, { zh: "61.4 其他", en: "61.4 other" });
	}

	/** DE 63 of an answer about money: card scheme 3, text. */
	scheme(): void {
		const message = this.#message;
		const rule = message.rule;
		if (rule === undefined || message.mti !== rule.answer || message.count(63) <= 3) return;
		this.#list.add({ zh: "63.1 卡组织", en: "63.1 scheme" }, message.textAt(63, 0, 3));
		this.#list.add({ zh: "63.2 附言", en: "63.2 text" }, this.textOfPeople(63, 3));
	}

	/** DE 53 of an acquirer with AES-DUKPT: initial key id 8, transaction counter 4. */
	keyName(): void {
		const bytes = this.#message.bytes(53);
		if (bytes.length !== 12) {
			this.#list.malformed(0);
			return;
		}
		this.#list.add({ zh: "初始密钥标识", en: "initial key id" }, toHex(bytes, 0, 8));
		this.#list.add({ zh: "密钥计数器", en: "key counter" }, toHex(bytes, 8, 12));
	}

	/** DE 55: BER-TLV. */
	tags(): void {
		const bytes = this.#message.bytes(55);
		const { items, badOffset } = readTlv(bytes);
		for (const { tag, offset, byteLength } of items) {
			const name = Object.hasOwn(TAGS, tag) ? TAGS[tag] : undefined;
			const visible = this.#options.unmask || name?.shown === true;
			const value = visible ? toHex(bytes, offset, offset + byteLength) : `<${byteLength}>`;
			this.#list.add(name === undefined ? tag : { zh: `${tag} ${name.zh}`, en: `${tag} ${name.en}` }, value);
		}
		if (badOffset !== undefined) this.#list.malformed(badOffset);
	}

	/** DE 48: totals of a settlement, or entries of an upload. */
	additional(): void {
		const message = this.#message;
		const rule = message.rule;
		if (rule === undefined) return;
		if (rule.name === "settlement") this.totals();
		else if (rule.name === "batch upload") this.uploaded();
		else if (rule.name.startsWith("batch upload end")) {
			const at = this.digits(0, 4, { zh: "上送总笔数", en: "entries in all" });
			if (at < message.count(48)) this.#list.malformed(at);
		}
	}

	/** Twice [debit amount 12, count 3, credit amount 12, count 3, result 1]. */
	private totals(): void {
		const sides: Words[] = [
			{ zh: "内卡", en: "domestic" },
			{ zh: "外卡", en: "foreign" },
		];
		let at = 0;
		for (const { zh, en } of sides) {
			at = this.amount(at, { zh: `${zh}借记金额`, en: `${en} debit amount` });
			at = this.digits(at, 3, { zh: `${zh}借记笔数`, en: `${en} debit count` });
			at = this.amount(at, { zh: `${zh}贷记金额`, en: `${en} credit amount` });
			at = this.digits(at, 3, { zh: `${zh}贷记笔数`, en: `${en} credit count` });
			at = this.digits(at, 1, { zh: `${zh}结果`, en: `${en} result` }, SETTLEMENT_RESULTS);
		}
		if (at !== this.#message.count(48) || at !== 62) this.#list.malformed(at);
	}

	/** Count 2, then [class 2, STAN 6, PAN 20 zero-left, amount 12]. */
	private uploaded(): void {
		const message = this.#message;
		const count = this.#message.count(48);
		let at = this.digits(0, 2, { zh: "笔数", en: "entries" });
		for (let n = 1; at + 40 <= count; n++, at += 40) {
			const pan = message.textAt(48, at + 8, 20).replace(/^0+/, "");
			const shown = this.#options.unmask ? pan : maskPan(pan);
			const value = `${message.textAt(48, at, 2)} ${message.textAt(48, at + 2, 6)} ${shown}`;
			this.#list.add({ zh: `第${n}笔`, en: `entry ${n}` }, value, amountOf(message.textAt(48, at + 28, 12)));
		}
		if (at !== count || count !== 2 + 40 * message.numberAt(48, 0, Math.min(2, count))) this.#list.malformed(at);
	}

	/** DE 62: wrapped keys of a sign-on, or the data of a sync message. */
	privateData(): void {
		const rule = this.#message.rule;
		if (rule?.name === "sign-on") this.wrappedKeys();
		else if (rule?.name === "sync") readSync(this.#message, this.#list);
	}

	/** PIK under TMK 16, check value 4, MAK under TMK 16, check value 4. */
	private wrappedKeys(): void {
		const bytes = this.#message.bytes(62);
		if (bytes.length !== 40) {
			this.#list.malformed(0);
			return;
		}
		for (let at = 0; at < 40; at += 20) {
			const name = at === 0 ? "PIK" : "MAK";
			this.#list.add(name, this.#options.unmask ? toHex(bytes, at, at + 16) : "<16>");
			this.#list.add({ zh: `${name}校验值`, en: `${name} check value` }, toHex(bytes, at + 16, at + 20));
		}
	}

	/** `count` digits from the `at`-th on, fewer where the field ends. @returns the place behind them */
	private digits(at: number, count: number, name: Words, codes?: Readonly<Record<string, Words>>): number {
		const there = Math.min(count, this.#message.count(this.#de) - at);
		if (there <= 0) return at;
		const value = this.#message.textAt(this.#de, at, there);
		const meaning = codes === undefined || there < count ? undefined : codeName(codes, value);
		this.#list.add(name, value, meaning);
		return at + there;
	}

	private amount(at: number, name: Words): number {
		const there = Math.min(12, this.#message.count(this.#de) - at);
		if (there <= 0) return at;
		const value = this.#message.textAt(this.#de, at, there);
		this.#list.add(name, value, there === 12 ? amountOf(value) : undefined);
		return at + there;
	}

	/** The rest of a field of free text: what could be a card number is masked. */
	private textOfPeople(de: number, from: number): string {
		const text = this.#message.textAt(de, from, this.#message.count(de) - from);
		return this.#options.unmask ? text : maskNumbers(text);
	}
}
