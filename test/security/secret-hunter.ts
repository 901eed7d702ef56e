/**
 * Looks for secrets in whatever a terminal leaves behind: flash, log, slips, screens, the host's words (I9). Everything
 * becomes hex text, so that digits packed in BCD are found at either nibble, and texts and bytes by one search.
 */

/** Digits of a card number in a row that give it away: more than first six and last four show. */
const WINDOW_DIGITS = 10;
const SHOWN_FIRST = 6;
const SHOWN_LAST = 4;

export interface Hit {
	/** Which secret, never the secret itself. */
	readonly secret: string;
	readonly where: string;
}

export class SecretHunter {
	/** Hex text to look for → name of the secret. */
	readonly #patterns = new Map<string, string>();
	readonly hits: Hit[] = [];
	bytesScanned = 0;

	/** Secrets looked for. */
	get patterns(): number {
		return this.#patterns.size;
	}

	/** Every row of digits of the number that holds at least four of those that are never shown. */
	addCardNumber(name: string, pan: string): void {
		for (let at = 0; at + WINDOW_DIGITS <= pan.length; at++) {
			const hidden = Math.min(at + WINDOW_DIGITS, pan.length - SHOWN_LAST) - Math.max(at, SHOWN_FIRST);
			if (hidden >= 4) this.addDigits(`card number of ${name}`, pan.slice(at, at + WINDOW_DIGITS));
		}
	}

	/** Digits as text and as BCD. */
	addDigits(name: string, digits: string): void {
		this.#add(digits, name);
		this.#add(asciiHex(digits), name);
	}

	/** Track 2: what stands behind the card number, in both writings of its separator. */
	addTrack2(name: string, track2: string): void {
		const tail = track2.slice(track2.indexOf("D"));
		this.#add(tail.toLowerCase(), `track 2 of ${name}`);
		this.#add(asciiHex(tail), `track 2 of ${name}`);
		this.#add(asciiHex(tail.replace("D", "=")), `track 2 of ${name}`);
	}

	/** Key material or a PIN block: raw, and as hex text; a key's halves count as well. */
	addBytes(name: string, bytes: Uint8Array): void {
		const step = bytes.length >= 16 ? bytes.length / 2 : bytes.length;
		for (let at = 0; at < bytes.length; at += step) {
			const part = bytes.subarray(at, at + step);
			if (part.every((byte) => byte === part[0])) continue; // The empty half of a single-length key.
			const hex = Buffer.from(part).toString("hex");
			this.#add(hex, name);
			this.#add(asciiHex(hex), name);
			this.#add(asciiHex(hex.toUpperCase()), name);
		}
	}

	scanBytes(where: string, bytes: Uint8Array): void {
		this.bytesScanned += bytes.length;
		this.#scan(where, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex"));
	}

	scanText(where: string, text: string): void {
		this.scanBytes(where, Buffer.from(text, "utf8"));
	}

	#add(pattern: string, name: string): void {
		if (pattern.length < 8) throw new Error(`${name} is too short to be looked for`);
		this.#patterns.set(pattern, name);
	}

	#scan(where: string, hex: string): void {
		for (const [pattern, secret] of this.#patterns) if (hex.includes(pattern)) this.hits.push({ secret, where });
	}
}

function asciiHex(text: string): string {
	return Buffer.from(text, "latin1").toString("hex");
}
