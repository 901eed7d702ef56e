/**
 * DE 62 of the sync messages, line by line: nonce, then what 60.3 says. Numbers are BCD unless said otherwise.
 * Source: DESIGN.md, "Sync messages".
 * @module
 */
import { readAscii, readU16, toHex } from "../core/bytes";
import { ENTRY_FLAGS, REQUEST_STATES } from "./code-names";
import type { MessageDecoder } from "./decoder";
import type { Words } from "./field-names";
import { amountOf, type PartList } from "./part-list";

const NONCE_BYTES = 8;
const ENTRY_BYTES = 24;
const DIGEST_BYTES = 32;

const YES: Words = { zh: "是", en: "yes" };
const NO: Words = { zh: "否", en: "no" };
const BATCH: Words = { zh: "批次号", en: "batch" };
const STAN: Words = { zh: "流水号", en: "STAN" };
const TO_STAN: Words = { zh: "截止流水号", en: "to STAN" };
const REQUEST_ID: Words = { zh: "申请编号", en: "request id" };

/** Adds the parts of a sync message's DE 62. */
export function readSync(message: MessageDecoder, parts: PartList): void {
	const data = new SyncData(message.bytes(62), parts);
	const code = message.count(60) >= 11 ? message.textAt(60, 8, 3) : "";
	data.hex({ zh: "随机数", en: "nonce" }, NONCE_BYTES);
	const isRequest = message.rule?.mti === message.mti;
	// A refusal carries nothing but the nonce.
	const isRefusal = !isRequest && !message.equals(39, "00") && data.rest === 0;
	if (!isRefusal) (isRequest ? readRequest : readAnswer)(code, data);
	data.end();
}

function readRequest(code: string, data: SyncData): void {
	switch (code) {
		case "401":
			data.digits(BATCH, 3);
			data.digits({ zh: "起始流水号", en: "from STAN" }, 3);
			data.digits(TO_STAN, 3);
			break;
		case "402":
			data.digits(BATCH, 3);
			data.digits(STAN, 3);
			break;
		case "403":
		case "404":
			data.hex(REQUEST_ID, 16);
			data.digits(BATCH, 3);
			data.digits(STAN, 3);
			data.amount({ zh: "金额", en: "amount" });
			data.hex({ zh: "证据摘要", en: "evidence digest" }, DIGEST_BYTES);
			break;
		case "405":
			data.hex(REQUEST_ID, 16);
			break;
		case "406":
			data.digits(BATCH, 3);
			data.digits(TO_STAN, 3);
			data.hex({ zh: "证据链头", en: "evidence chain head" }, DIGEST_BYTES);
			break;
		case "407":
			data.hex(REQUEST_ID, 16);
			data.digits(BATCH, 3);
			data.digits(STAN, 3);
			break;
	}
}

function readAnswer(code: string, data: SyncData): void {
	switch (code) {
		case "401": {
			const count = data.binary({ zh: "笔数", en: "entries" }, 1);
			data.flag({ zh: "还有更多", en: "more" });
			for (let n = 1; n <= count; n++) data.entry({ zh: `第${n}笔`, en: `entry ${n}` });
			break;
		}
		case "402":
			data.flag({ zh: "找到", en: "found" });
			if (data.rest === 0) break;
			data.entry({ zh: "交易", en: "entry" });
			data.time({ zh: "记录时间", en: "recorded at" });
			data.time({ zh: "入账时间", en: "posted at" });
			break;
		case "403":
		case "404":
		case "405":
		case "407":
			data.ascii({ zh: "受理编号", en: "reference" }, 12);
			data.state({ zh: "状态", en: "state" });
			data.binary({ zh: "原因", en: "reason" }, 1);
			data.time({ zh: "预计完成", en: "expected by" });
			break;
		case "406":
			data.hex({ zh: "批次摘要", en: "digest" }, DIGEST_BYTES);
			for (const name of [
				{ zh: "已记录", en: "recorded" },
				{ zh: "已入账", en: "posted" },
				{ zh: "待入账", en: "pending" },
				{ zh: "被拒", en: "refused" },
			]) {
				data.binary({ zh: `${name.zh}笔数`, en: `${name.en} count` }, 2);
				data.amount({ zh: `${name.zh}金额`, en: `${name.en} sum` });
			}
			break;
	}
}

/** A cursor over the bytes of DE 62; after the first thing that does not fit it adds nothing more. */
class SyncData {
	readonly #bytes: Uint8Array;
	readonly #parts: PartList;
	#at = 0;
	#broken = false;

	constructor(bytes: Uint8Array, parts: PartList) {
		this.#bytes = bytes;
		this.#parts = parts;
	}

	get rest(): number {
		return this.#bytes.length - this.#at;
	}

	hex(name: Words, byteLength: number): void {
		const at = this.take(byteLength);
		if (at >= 0) this.#parts.add(name, toHex(this.#bytes, at, at + byteLength));
	}

	ascii(name: Words, byteLength: number): void {
		const at = this.take(byteLength);
		if (at >= 0) this.#parts.add(name, printable(this.#bytes, at, at + byteLength));
	}

	digits(name: Words, byteLength: number): void {
		const text = this.readDigits(byteLength);
		if (text !== undefined) this.#parts.add(name, text);
	}

	amount(name: Words): void {
		const text = this.readDigits(6);
		if (text !== undefined) this.#parts.add(name, text, amountOf(text));
	}

	/** YYMMDDhhmmss; zeros where there is no time. */
	time(name: Words): void {
		const text = this.readDigits(6);
		if (text === undefined) return;
		const [year, month, day, hour, minute, second] = [0, 2, 4, 6, 8, 10].map((i) => text.slice(i, i + 2));
		const isNone = /^0+$/.test(text);
		this.#parts.add(name, text, isNone ? undefined : `20${year}-${month}-${day} ${hour}:${minute}:${second}`);
	}

	/** An unsigned number, big-endian. @returns it; 0 when it is not there */
	binary(name: Words, byteLength: 1 | 2): number {
		const at = this.take(byteLength);
		if (at < 0) return 0;
		const value = byteLength === 1 ? this.#bytes[at] : readU16(this.#bytes, at);
		this.#parts.add(name, String(value));
		return value;
	}

	flag(name: Words): void {
		const at = this.take(1);
		if (at >= 0) this.#parts.add(name, String(this.#bytes[at]), this.#bytes[at] === 0 ? NO : YES);
	}

	state(name: Words): void {
		const at = this.take(1);
		if (at >= 0) this.#parts.add(name, String(this.#bytes[at]), REQUEST_STATES[this.#bytes[at]]);
	}

	/** STAN 3, kind 1, amount 6, flags 1, reason 1, RRN 12 ASCII. */
	entry(name: Words): void {
		const at = this.take(ENTRY_BYTES);
		if (at < 0) return;
		const bytes = this.#bytes;
		const stan = toHex(bytes, at, at + 3);
		const amount = toHex(bytes, at + 4, at + 10);
		if (!isDecimal(stan) || !isDecimal(amount)) {
			this.fail(at);
			return;
		}
		const flags = bytes[at + 10];
		const set = ENTRY_FLAGS.filter((_, bit) => ((flags >> bit) & 1) !== 0).map((words) => this.#parts.words(words));
		const kind = bytes[at + 3];
		const reason = bytes[at + 11];
		const hex = toHex(bytes, at + 10, at + 11);
		const rrn = printable(bytes, at + 12, at + 24);
		const value = this.#parts.words({
			zh: `流水号 ${stan} 类别 ${kind} 金额 ${amountOf(amount)} 标志 ${hex} 原因 ${reason} 参考号 ${rrn}`,
			en: `STAN ${stan} kind ${kind} ${amountOf(amount)} flags ${hex} reason ${reason} RRN ${rrn}`,
		});
		this.#parts.add(name, value, set.join(this.#parts.words({ zh: "、", en: ", " })));
	}

	/** Nothing may be left. */
	end(): void {
		if (!this.#broken && this.rest > 0) this.fail(this.#at);
	}

	private readDigits(byteLength: number): string | undefined {
		const at = this.take(byteLength);
		if (at < 0) return undefined;
		const text = toHex(this.#bytes, at, at + byteLength);
		if (isDecimal(text)) return text;
		this.fail(at);
		return undefined;
	}

	/** @returns where the bytes stand; −1 when they are not there */
	private take(byteLength: number): number {
		if (this.#broken) return -1;
		const at = this.#at;
		if (at + byteLength > this.#bytes.length) {
			this.fail(at);
			return -1;
		}
		this.#at = at + byteLength;
		return at;
	}

	private fail(at: number): void {
		this.#broken = true;
		this.#parts.malformed(at);
	}
}

function isDecimal(text: string): boolean {
	return /^\d+$/.test(text);
}

/** ASCII; what cannot be printed is a "?". */
function printable(bytes: Uint8Array, start: number, end: number): string {
	return readAscii(bytes, start, end).replace(/[^\x20-\x7e]/g, "?");
}
