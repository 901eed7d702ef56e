/**
 * Canonical JSON, written piece by piece: RFC 8785 cut down to objects with ascending ASCII keys, arrays, strings and
 * integers. The whole is never in memory; what leaves is hashed on its way, all of it and each section.
 *
 * Invariant: the same calls give the same bytes on every engine (I12); a call that would make another text than the
 * canonical one is a bug, and asserted.
 * Source: RFC 8785, §3.2; RFC 8259.
 * @module
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { assert } from "../core/assert";

const BUFFER_BYTES = 512;
const DEPTH_MAX = 8;
const INTEGER_MAX = 999_999_999_999_999;
const HEX = "0123456789abcdef";
const SHORT_ESCAPES: Readonly<Record<number, string>> = { 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r" };

/** Takes a piece of at most 512 bytes; borrowed until it returns. */
export type JsonSink = (bytes: Uint8Array, byteLength: number) => void;

type Hash = ReturnType<typeof sha256.create>;

export class JsonWriter {
	readonly #sink: JsonSink;
	readonly #buffer = new Uint8Array(BUFFER_BYTES);
	#filled = 0;
	#whole: Hash | undefined = sha256.create();
	#section: Hash | undefined;
	/** Of each open object the key written last; of an array undefined. */
	readonly #keys: (string | undefined)[] = [];
	/** A comma stands before whatever comes next. */
	#comma = false;

	constructor(sink: JsonSink) {
		this.#sink = sink;
	}

	beginObject(): void {
		this.begin("{", "");
	}

	endObject(): void {
		this.endLevel("}", false);
	}

	beginArray(): void {
		this.begin("[", undefined);
	}

	endArray(): void {
		this.endLevel("]", true);
	}

	/** @param name - lower-case letters, digits, capitals; greater than the one before */
	key(name: string): void {
		const depth = this.#keys.length - 1;
		const last = this.#keys[depth];
		assert(last !== undefined && last < name, `JSON key ${name} is in order`);
		this.#keys[depth] = name;
		if (this.#comma) this.ascii(",");
		this.ascii(`"${name}":`);
		this.#comma = false;
	}

	/** A lone surrogate becomes "?". */
	string(text: string): void {
		this.value();
		this.put(0x22);
		for (let i = 0; i < text.length; i++) {
			const code = text.charCodeAt(i);
			if (code === 0x22 || code === 0x5c) {
				this.put(0x5c);
				this.put(code);
			} else if (code < 0x20) this.ascii(SHORT_ESCAPES[code] ?? `\\u00${HEX[code >> 4]}${HEX[code & 15]}`);
			else if (code < 0x80) this.put(code);
			else i += this.wide(code, i + 1 < text.length ? text.charCodeAt(i + 1) : 0);
		}
		this.put(0x22);
	}

	/** `bytes[start, end)` as a string of hex digits. */
	hex(bytes: Uint8Array, start = 0, end = bytes.length): void {
		this.value();
		this.put(0x22);
		for (let i = start; i < end; i++) {
			this.put(HEX.charCodeAt(bytes[i] >> 4));
			this.put(HEX.charCodeAt(bytes[i] & 15));
		}
		this.put(0x22);
	}

	integer(value: number): void {
		assert(Number.isInteger(value) && value <= INTEGER_MAX && value >= -INTEGER_MAX, "JSON integer");
		this.value();
		this.ascii(String(value));
	}

	/** What is written from here to {@link endSection} has a digest of its own. */
	beginSection(): void {
		assert(this.#section === undefined, "sections do not nest");
		this.flush();
		this.#section = sha256.create();
	}

	endSection(digest: Uint8Array): void {
		assert(this.#section !== undefined, "a section is open");
		this.flush();
		this.#section.digestInto(digest);
		this.#section = undefined;
	}

	/** The digest of all that was written so far; what follows is not hashed any more. */
	endWhole(digest: Uint8Array): void {
		assert(this.#whole !== undefined, "the digest is taken once");
		this.flush();
		this.#whole.digestInto(digest);
		this.#whole = undefined;
	}

	/** What waits goes to the sink. */
	end(): void {
		assert(this.#keys.length === 0, "JSON is closed");
		this.flush();
	}

	private begin(bracket: string, key: string | undefined): void {
		assert(this.#keys.length < DEPTH_MAX, "JSON depth");
		this.value();
		this.ascii(bracket);
		this.#keys.push(key);
		this.#comma = false;
	}

	private endLevel(bracket: string, array: boolean): void {
		assert(this.#keys.length > 0 && (this.#keys.pop() === undefined) === array, "JSON brackets match");
		this.ascii(bracket);
		this.#comma = true;
	}

	private value(): void {
		if (this.#comma) {
			assert(this.#keys[this.#keys.length - 1] === undefined, "a value in an object has a key");
			this.put(0x2c);
		}
		this.#comma = true;
	}

	/** @returns how many units more than one the character takes */
	private wide(code: number, next: number): number {
		if (code < 0x800) {
			this.put(0xc0 | (code >> 6));
			this.put(0x80 | (code & 0x3f));
			return 0;
		}
		if (code < 0xd800 || code > 0xdfff) {
			this.put(0xe0 | (code >> 12));
			this.put(0x80 | ((code >> 6) & 0x3f));
			this.put(0x80 | (code & 0x3f));
			return 0;
		}
		if (code > 0xdbff || next < 0xdc00 || next > 0xdfff) {
			this.put(0x3f);
			return 0;
		}
		const point = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00);
		this.put(0xf0 | (point >> 18));
		this.put(0x80 | ((point >> 12) & 0x3f));
		this.put(0x80 | ((point >> 6) & 0x3f));
		this.put(0x80 | (point & 0x3f));
		return 1;
	}

	private ascii(text: string): void {
		for (let i = 0; i < text.length; i++) this.put(text.charCodeAt(i));
	}

	private put(byte: number): void {
		if (this.#filled === BUFFER_BYTES) this.flush();
		this.#buffer[this.#filled++] = byte;
	}

	private flush(): void {
		if (this.#filled === 0) return;
		const piece = this.#buffer.subarray(0, this.#filled);
		this.#whole?.update(piece);
		this.#section?.update(piece);
		this.#sink(piece, this.#filled);
		this.#filled = 0;
	}
}
