/** Netstrings: decimal length, colon, so many bytes, comma. Source: D. J. Bernstein, "Netstrings", 1997. */

/** Decimal digits of a length; the worker reads no more. */
const LENGTH_DIGITS_MAX = 9;
const COLON = 0x3a;
const COMMA = 0x2c;

export function netstring(text: string): Buffer {
	const body = Buffer.from(text, "utf8");
	return Buffer.concat([Buffer.from(`${body.length}:`, "latin1"), body, Buffer.from(",", "latin1")]);
}

/** Cuts a stream into messages. */
export class NetstringReader {
	readonly #onMessage: (message: Buffer) => void;
	/** Pieces that wait: joined only when a message is whole. */
	#pieces: Buffer[] = [];
	#held = 0;
	/** Bytes that the message at the front takes with its frame; 0 while its length is not known. */
	#wanted = 0;

	constructor(onMessage: (message: Buffer) => void) {
		this.#onMessage = onMessage;
	}

	/** @throws {Error} for what is no netstring */
	push(piece: Buffer): void {
		this.#pieces.push(piece);
		this.#held += piece.length;
		while (this.#held > 0 && this.#held >= this.#wanted) if (!this.#next()) return;
	}

	/** @returns false when more has to come */
	#next(): boolean {
		const bytes = this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces);
		this.#pieces = [bytes];
		const colon = bytes.subarray(0, LENGTH_DIGITS_MAX + 1).indexOf(COLON);
		const digits = bytes.toString("latin1", 0, colon < 0 ? Math.min(bytes.length, LENGTH_DIGITS_MAX) : colon);
		if (!/^\d*$/.test(digits) || colon === 0) throw new Error("no netstring: no length");
		if (colon < 0) {
			if (bytes.length > LENGTH_DIGITS_MAX) throw new Error("no netstring: too long");
			return false;
		}
		this.#wanted = colon + 1 + Number(digits) + 1;
		if (bytes.length < this.#wanted) return false;
		if (bytes[this.#wanted - 1] !== COMMA) throw new Error("no netstring: no comma");
		const rest = bytes.subarray(this.#wanted);
		const message = bytes.subarray(colon + 1, this.#wanted - 1);
		this.#pieces = rest.length === 0 ? [] : [rest];
		this.#held = rest.length;
		this.#wanted = 0;
		this.#onMessage(message);
		return true;
	}
}
