/**
 * Reads an evidence pack's JSON strictly: canonical bytes only, so that one content has one file. Anything else is refused
 * with the byte and the path where it begins. Written from the format's description alone; it shares nothing with the
 * firmware that writes packs, so that both cannot share a mistake.
 * Source: src/settlement/EVIDENCE.md, "Pack"; RFC 8785, §3.2; RFC 8259.
 * @module
 */

export const PACK_BYTES_MAX = 64 << 20;
const DEPTH_MAX = 8;
const DIGITS_MAX = 15;
const MEMBERS_MAX = 64;
/** Quotation marks and escapes included; the longest text of a pack has 900 characters. */
const TEXT_BYTES_MAX = 6_144;
/** A day of 4,096 transactions with four frames each has half as many. Without it 64 MiB of "{}" are 4 GiB of memory. */
const VALUES_MAX = 1_000_000;

export type PackValue = number | string | readonly PackValue[] | { readonly [key: string]: PackValue };
export type PackObject = { readonly [key: string]: PackValue };

/** A file that is no canonical JSON: where it stops being one. */
export class PackSyntaxError extends Error {
	override readonly name = "PackSyntaxError";
	readonly offset: number;
	readonly path: string;
	/** Key of the words for it. */
	readonly problem: SyntaxProblem;

	constructor(problem: SyntaxProblem, offset: number, path: string) {
		super(`${problem} at byte ${offset}, ${path === "" ? "top" : path}`);
		this.problem = problem;
		this.offset = offset;
		this.path = path;
	}
}

export type SyntaxProblem =
	| "ends early"
	| "goes on behind its end"
	| "no JSON value"
	| "white space or another character"
	| "too deep"
	| "too many members"
	| "keys not ascending"
	| "a key given twice"
	| "no such key"
	| "number not as it should be written"
	| "text not as it should be written"
	| "no UTF-8"
	| "text too long"
	| "too many values";

/** Where a value's bytes stand in the file. */
export interface Span {
	readonly start: number;
	readonly end: number;
}

export interface ParsedPack {
	readonly value: PackValue;
	/** Of the top's members, and of those of "body", as "body.frames". */
	readonly spans: ReadonlyMap<string, Span>;
}

/** @throws {PackSyntaxError} */
export function parsePack(bytes: Uint8Array): ParsedPack {
	const reader = new Reader(bytes);
	const value = reader.value(0, "");
	if (reader.at !== bytes.length) throw new PackSyntaxError("goes on behind its end", reader.at, "");
	return { value, spans: reader.spans };
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
	'"': '"',
	"\\": "\\",
	b: "\b",
	f: "\f",
	n: "\n",
	r: "\r",
	t: "\t",
};

class Reader {
	at = 0;
	readonly spans = new Map<string, Span>();
	readonly #bytes: Uint8Array;
	readonly #utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
	#values = 0;

	constructor(bytes: Uint8Array) {
		this.#bytes = bytes;
	}

	value(depth: number, path: string): PackValue {
		if (depth > DEPTH_MAX) this.#fail("too deep", path);
		if (++this.#values > VALUES_MAX) this.#fail("too many values", path);
		const first = this.#peek(path);
		if (first === 0x7b) return this.#object(depth, path);
		if (first === 0x5b) return this.#array(depth, path);
		if (first === 0x22) return this.#string(path);
		if (first === 0x2d || (first >= 0x30 && first <= 0x39)) return this.#integer(path);
		return this.#fail("no JSON value", path);
	}

	#object(depth: number, path: string): PackObject {
		const object: Record<string, PackValue> = Object.create(null);
		this.at++;
		if (this.#peek(path) === 0x7d) {
			this.at++;
			return object;
		}
		let last: string | undefined;
		for (let count = 0; ; count++) {
			if (count === MEMBERS_MAX) this.#fail("too many members", path);
			const keyAt = this.at;
			if (this.#peek(path) !== 0x22) this.#fail("white space or another character", path);
			const key = this.#string(path);
			if (!/^[A-Za-z][A-Za-z0-9]{0,31}$/.test(key)) throw new PackSyntaxError("no such key", keyAt, path);
			if (key === last) throw new PackSyntaxError("a key given twice", keyAt, path);
			if (last !== undefined && key < last) throw new PackSyntaxError("keys not ascending", keyAt, path);
			last = key;
			this.#expect(0x3a, path);
			const inner = path === "" ? key : `${path}.${key}`;
			const start = this.at;
			object[key] = this.value(depth + 1, inner);
			if (depth <= 1) this.spans.set(inner, { start, end: this.at });
			if (this.#peek(path) === 0x7d) {
				this.at++;
				return object;
			}
			this.#expect(0x2c, path);
		}
	}

	#array(depth: number, path: string): PackValue[] {
		const array: PackValue[] = [];
		this.at++;
		if (this.#peek(path) === 0x5d) {
			this.at++;
			return array;
		}
		for (;;) {
			array.push(this.value(depth + 1, `${path}[${array.length}]`));
			if (this.#peek(path) === 0x5d) {
				this.at++;
				return array;
			}
			this.#expect(0x2c, path);
		}
	}

	#integer(path: string): number {
		const start = this.at;
		const bytes = this.#bytes;
		while (this.at < bytes.length && this.at - start <= DIGITS_MAX + 1) {
			const byte = bytes[this.at];
			if (byte !== 0x2d && byte !== 0x2b && byte !== 0x2e && (byte | 0x20) !== 0x65 && (byte < 0x30 || byte > 0x39))
				break;
			this.at++;
		}
		const text = Buffer.from(bytes.subarray(start, this.at)).toString("latin1");
		if (!/^(0|-?[1-9][0-9]{0,14})$/.test(text)) {
			throw new PackSyntaxError("number not as it should be written", start, path);
		}
		return Number(text);
	}

	#string(path: string): string {
		const start = this.at++;
		let text = "";
		let from = this.at;
		for (;;) {
			const byte = this.#peek(path);
			if (byte === 0x22) break;
			if (this.at - start >= TEXT_BYTES_MAX) throw new PackSyntaxError("text too long", start, path);
			if (byte < 0x20) this.#fail("text not as it should be written", path);
			if (byte !== 0x5c) {
				this.at++;
				continue;
			}
			text += this.#decoded(from, start, path);
			text += this.#escape(path);
			from = this.at;
		}
		text += this.#decoded(from, start, path);
		this.at++;
		return text;
	}

	/** Only what cannot stand for itself is escaped, and in one way. */
	#escape(path: string): string {
		const start = this.at++;
		const letter = String.fromCharCode(this.#peek(path));
		this.at++;
		const short = SHORT_ESCAPES[letter];
		if (short !== undefined) return short;
		const digits = Buffer.from(this.#bytes.subarray(this.at, this.at + 4)).toString("latin1");
		const known = letter === "u" && /^00[01][0-9a-f]$/.test(digits);
		const code = known ? Number.parseInt(digits, 16) : 0;
		if (!known || [8, 9, 10, 12, 13].includes(code)) {
			throw new PackSyntaxError("text not as it should be written", start, path);
		}
		this.at += 4;
		return String.fromCharCode(code);
	}

	#decoded(from: number, start: number, path: string): string {
		try {
			return this.#utf8.decode(this.#bytes.subarray(from, this.at));
		} catch {
			throw new PackSyntaxError("no UTF-8", start, path);
		}
	}

	#expect(byte: number, path: string): void {
		if (this.#peek(path) !== byte) this.#fail("white space or another character", path);
		this.at++;
	}

	#peek(path: string): number {
		if (this.at >= this.#bytes.length) this.#fail("ends early", path);
		return this.#bytes[this.at];
	}

	#fail(problem: SyntaxProblem, path: string): never {
		throw new PackSyntaxError(problem, this.at, path);
	}
}
