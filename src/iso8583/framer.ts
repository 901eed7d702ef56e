/**
 * Cuts a byte stream into frames, whatever way the network split it. Memory is one longest frame (I10). A length that
 * cannot be is an error after which the stream has no meaning: the connection has to be closed.
 * @module
 */
import { readU16 } from "../core/bytes";
import { CodedError } from "../core/errors";
import type { Dialect } from "./dialect";
import { frameLengthBytes, readFrameLength } from "./layout";

/** `frame` is borrowed until the callback returns; `byteLength` includes the frame's own length. */
export type FrameCallback = (frame: Uint8Array, byteLength: number) => void;

/** What of a dialect decides where a frame ends. */
type FramerColumns = "frameLength" | "frameLengthCountsItself" | "frameBytesMax";

export class Framer {
	readonly #dialect: Pick<Dialect, FramerColumns>;
	readonly #lengthBytes: number;
	readonly #buffer: Uint8Array;
	#filled = 0;
	/** Bytes of the frame under way, its length included; 0 until the length is known. */
	#wanted = 0;
	#broken = false;
	/** Counts resets, so that a callback may close the connection and reuse the framer. */
	#generation = 0;

	constructor(dialect: Pick<Dialect, FramerColumns>) {
		this.#dialect = dialect;
		this.#lengthBytes = frameLengthBytes(dialect);
		this.#buffer = new Uint8Array(this.#lengthBytes + dialect.frameBytesMax);
	}

	/** Forgets what was received: for a new connection. Inside a callback it also drops the rest of the push. */
	reset(): void {
		this.#filled = 0;
		this.#wanted = 0;
		this.#broken = false;
		this.#generation++;
	}

	/**
	 * Takes the first `count` bytes of `bytes` and calls back for each frame that became whole, in order.
	 * @throws {CodedError} "length" for a length of 0 or above the maximum; "state" when it failed before and was not
	 * reset; and what the callback throws, after which the stream is as broken as after a bad length
	 */
	push(bytes: Uint8Array, count: number, onFrame: FrameCallback): void {
		if (this.#broken) throw new CodedError("state", "iso8583 framer", "reset first");
		if (count > bytes.length) throw new CodedError("length", "iso8583 framer", `${count} of ${bytes.length}`);
		const buffer = this.#buffer;
		const generation = this.#generation;
		let at = 0;
		while (at < count) {
			if (this.#wanted === 0) {
				buffer[this.#filled++] = bytes[at++];
				if (this.#filled === this.#lengthBytes) this.#wanted = this.#lengthBytes + this.checkedLength();
				continue;
			}
			const end = Math.min(count, at + this.#wanted - this.#filled);
			let filled = this.#filled;
			while (at < end) buffer[filled++] = bytes[at++];
			this.#filled = filled;
			if (filled < this.#wanted) return;
			this.#filled = 0;
			this.#wanted = 0;
			// If the callback throws, the rest of this push is lost and with it the place in the stream.
			this.#broken = true;
			onFrame(buffer, filled);
			if (this.#generation !== generation) return;
			this.#broken = false;
		}
	}

	private checkedLength(): number {
		const length = readFrameLength(this.#dialect, this.#buffer);
		if (length > 0 && length <= this.#dialect.frameBytesMax) return length;
		this.#broken = true;
		throw new CodedError("length", "iso8583 frame +0", this.why(length));
	}

	/** What usually stands behind an impossible length. */
	private why(length: number): string {
		const start = readU16(this.#buffer, 0);
		if (start === 0x4854) return "the peer speaks HTTP"; // "HT"
		if (start === 0x1603 || start === 0x1503) return "the peer speaks TLS"; // Handshake or alert, RFC 8446 §5.1.
		return length < 0 ? "no length" : `${length} of at most ${this.#dialect.frameBytesMax} bytes`;
	}
}
