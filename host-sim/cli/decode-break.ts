/**
 * Where exactly a bad frame breaks: field, offset, what was expected, what is there, and the bytes around the place.
 * Nothing of it is secret unless asked for.
 * @module
 */
import type { CodedError } from "../../src/core/errors";
import type { MessageDecoder } from "../../src/iso8583/decoder";
import { bytesOf, DE_MAX, type FieldRule, lengthMaxIn, prefixBytes } from "../../src/iso8583/dialect";
import { FIELD_NAMES, type Words } from "../../src/iso8583/field-names";
import { layoutOf } from "../../src/iso8583/layout";
import type { SecretBytes } from "./decode-secrets";

export interface Break {
	/** CodedError's: "length", "charset", "format", "unknown". */
	readonly code: string;
	readonly de?: number;
	/** In the frame, its length included. */
	readonly offset: number;
	readonly expected: Words;
	readonly found: Words;
	/** Hex of the bytes around it, and a line with a mark below the place. */
	readonly excerpt: readonly [string, string];
}

const BYTES_BEFORE = 12;
const BYTES_BEHIND = 8;
const HIDDEN: Words = { zh: "隐藏（--unmask 显示）", en: "hidden, --unmask shows it" };

/** @param error - what examine() has returned for this frame */
export function explain(
	message: MessageDecoder,
	frame: Uint8Array,
	error: CodedError,
	secrets: SecretBytes | undefined,
): Break {
	const [, de, offset] = /^iso8583 (?:DE (\d+)|\w+)(?: \+(\d+))?$/.exec(error.place) ?? [];
	const at = offset === undefined ? frame.length : Number(offset);
	const place = new Place(message, frame, at, secrets);
	const found = de === undefined ? place.ofFrame(error) : place.ofField(Number(de), error);
	if (secrets !== undefined) place.hideUnknown(de === undefined ? undefined : message.dialect.fields[Number(de)]);
	const excerpt = excerptOf(frame, at, secrets);
	return { code: error.code, ...(de === undefined ? {} : { de: Number(de) }), offset: at, ...found, excerpt };
}

class Place {
	readonly #message: MessageDecoder;
	readonly #frame: Uint8Array;
	readonly #at: number;
	readonly #secrets: SecretBytes | undefined;

	constructor(message: MessageDecoder, frame: Uint8Array, at: number, secrets: SecretBytes | undefined) {
		this.#message = message;
		this.#frame = frame;
		this.#at = at;
		this.#secrets = secrets;
	}

	/** Length, MTI, bitmap, bytes left over. */
	ofFrame(error: CodedError): Pick<Break, "expected" | "found"> {
		const { dialect } = this.#message;
		const { lengthBytes, fieldsOffset } = layoutOf(dialect);
		const rest = this.#frame.length - this.#at;
		if (error.place.includes("MTI")) {
			const known = [...new Set(dialect.messages.flatMap(({ mti, answer }) => [mti, answer]))].sort().join(" ");
			return { expected: same(`MTI ${known}`), found: this.#bytes(this.#at, dialect.mtiCoding === "bcd" ? 2 : 4) };
		}
		if (this.#frame.length < fieldsOffset) {
			return {
				expected: bytes(fieldsOffset, "至少", "at least"),
				found: bytes(this.#frame.length, "共", "in all"),
			};
		}
		if (this.#at === 0) {
			return {
				expected: {
					zh: `长度 ${this.#frame.length - lengthBytes}`,
					en: `a length of ${this.#frame.length - lengthBytes}`,
				},
				found: this.#bytes(0, lengthBytes),
			};
		}
		if (error.code === "charset") return { expected: same("0-9 A-F"), found: this.#bytes(this.#at, 1) };
		return {
			expected: { zh: "报文结束", en: "the end of the frame" },
			found: bytes(rest, "多余", "more"),
		};
	}

	ofField(de: number, error: CodedError): Pick<Break, "expected" | "found"> {
		const rule = this.#message.dialect.fields[de];
		if (rule === undefined) {
			return {
				expected: { zh: `位图中没有 ${de} 域`, en: `no bit for DE ${de}: the dialect has no such field` },
				found: { zh: `第 ${de} 位为 1`, en: `bit ${de} is set` },
			};
		}
		if (error.code === "length") return this.#length(rule);
		if (error.code === "charset") return { expected: this.#alphabet(rule), found: this.#one(rule) };
		if (de === 1) {
			return { expected: { zh: "至少一个 64 以上的域", en: "a field above 64" }, found: { zh: "全零", en: "none" } };
		}
		if (error.message.endsWith("MAC is DE 128")) {
			return {
				expected: { zh: "有第二位图时校验在 128 域", en: "the MAC in DE 128 behind a secondary bitmap" },
				found: { zh: "64 域", en: "DE 64" },
			};
		}
		return { expected: { zh: "补位为 0", en: "padding of 0" }, found: this.#one(rule) };
	}

	/**
	 * Behind the place nobody knows what is what: all of it is hidden. Of a field that is shown, the byte at the place is
	 * shown as well, and its length prefix.
	 */
	hideUnknown(rule: FieldRule | undefined): void {
		const { fieldsOffset } = layoutOf(this.#message.dialect);
		const shown = rule === undefined || this.#isPrefix(rule) ? 2 : rule.masking === "show" ? 1 : 0;
		this.#secrets?.hide(Math.max(fieldsOffset, this.#at + shown), this.#frame.length);
		if (rule !== undefined && rule.masking !== "show" && !this.#isPrefix(rule)) {
			this.#secrets?.hide(this.#end() + prefixBytes(rule), this.#frame.length);
		}
	}

	#length(rule: FieldRule): Pick<Break, "expected" | "found"> {
		const unit = unitOf(rule);
		const left = this.#frame.length - this.#at;
		const width = prefixBytes(rule);
		if (rule.prefix > 0 && this.#at === this.#end()) {
			if (left < width) return { expected: bytes(width, "长度", "of length"), found: bytes(left, "剩余", "left") };
			const max = lengthMaxIn(rule, this.#message.mti);
			return {
				expected: { zh: `长度不超过 ${max} ${unit.zh}`, en: `a length of at most ${max} ${unit.en}` },
				found: this.#bytes(this.#at, width),
			};
		}
		const count = rule.prefix > 0 ? this.#announced(rule) : rule.lengthMax;
		return { expected: bytes(bytesOf(rule, count), "内容", "of content"), found: bytes(left, "剩余", "left") };
	}

	/** The number in the prefix just before the place; its digits have been checked. */
	#announced(rule: FieldRule): number {
		let count = 0;
		for (let at = this.#at - prefixBytes(rule); at < this.#at; at++) {
			const byte = this.#frame[at];
			count = rule.prefixCoding === "bcd" ? count * 100 + (byte >> 4) * 10 + (byte & 15) : count * 10 + (byte & 15);
		}
		return count;
	}

	#alphabet(rule: FieldRule): Words {
		if (this.#isPrefix(rule)) return { zh: "长度的数字", en: "digits of a length" };
		switch (rule.format) {
			case "n":
				return { zh: "数字", en: "digits" };
			case "z":
				return { zh: "数字或 D", en: "digits or D" };
			case "an":
				return { zh: "字母、数字、空格", en: "letters, digits, spaces" };
			case "ans":
				return { zh: "可打印字符", en: "printable characters" };
			default:
				return same("0-9 A-F");
		}
	}

	/** The byte at the place: of a hidden field its neighbours' digits are in it, so it is hidden too. */
	#one(rule: FieldRule): Words {
		const open = this.#secrets === undefined || rule.masking === "show" || this.#isPrefix(rule);
		return open ? this.#bytes(this.#at, 1) : HIDDEN;
	}

	#isPrefix(rule: FieldRule): boolean {
		return rule.prefix > 0 && this.#at < this.#end() + prefixBytes(rule);
	}

	/** Where the last good field ends: there the bad one begins. */
	#end(): number {
		const { fieldsOffset, bitmapBytes } = layoutOf(this.#message.dialect);
		let end = fieldsOffset + (this.#message.has(1) ? bitmapBytes : 0);
		for (let de = 2; de <= DE_MAX; de++) {
			if (this.#message.has(de)) end = Math.max(end, this.#message.offset(de) + this.#message.byteLength(de));
		}
		return end;
	}

	#bytes(start: number, count: number): Words {
		if (this.#secrets?.any(start, start + count) === true) return HIDDEN;
		return same([...this.#frame.subarray(start, start + count)].map(hex).join(" ") || "-");
	}
}

/** "DE 35 track 2 +61". */
export function placeOf({ de, offset }: Break, language: "zh" | "en"): string {
	if (de === undefined) return `+${offset}`;
	const name = FIELD_NAMES[de]?.[language];
	return `DE ${de}${name === undefined ? "" : ` ${name}`} +${offset}`;
}

function excerptOf(frame: Uint8Array, at: number, secrets: SecretBytes | undefined): [string, string] {
	const first = Math.max(0, Math.min(at, frame.length) - BYTES_BEFORE);
	const last = Math.min(frame.length, at + BYTES_BEHIND);
	const head = `+${first}`.padEnd(6);
	let line = head + (first > 0 ? "… " : "");
	let mark = line.length;
	for (let i = first; i < last; i++) {
		if (i === at) mark = line.length;
		line += `${secrets?.has(i) === true ? "**" : hex(frame[i])} `;
	}
	if (at >= last) mark = line.length;
	if (last < frame.length) line += "…";
	return [line.trimEnd(), `${" ".repeat(mark)}^^`];
}

function hex(byte: number): string {
	return byte.toString(16).toUpperCase().padStart(2, "0");
}

function same(text: string): Words {
	return { zh: text, en: text };
}

function bytes(count: number, zh: string, en: string): Words {
	return { zh: `${zh} ${count} 字节`, en: `${count} ${count === 1 ? "byte" : "bytes"} ${en}` };
}

function unitOf(rule: FieldRule): Words {
	if (rule.format === "b") return { zh: "字节", en: "bytes" };
	return rule.format === "n" || rule.format === "z"
		? { zh: "位数字", en: "digits" }
		: { zh: "个字符", en: "characters" };
}
