/**
 * Watches the bytes of a TLS 1.2 connection from beside it, as far as they are not enciphered: which message comes
 * when, how long, and with what choices. It holds no key and changes nothing: it throws, and the connection ends.
 *
 * The SDK's TLS takes a handshake as it comes. Tried with Moddable SDK 8.2, modules/crypt/ssl: a key exchange
 * that is not signed passes (so the host needs no key of its own); after a "close notify" in the clear the handshake
 * counts as over and what is written leaves in the clear; data from before the end of the handshake is delivered
 * after it; a record may ask for 64 KiB of memory. None of this can happen behind the guard:
 * - the host's messages come in the one order a full handshake with both certificates has, each whole in one record;
 * - the suite is ECDHE_RSA with AES-128-GCM, the curve P-256, its signature RSA with SHA-256;
 * - before the host's Finished no alert passes, either way no data, and afterwards no second handshake;
 * - no record is longer than the length the client asks for (RFC 6066 §4).
 * That the certificate and the signatures are right is checked elsewhere: `host-trust.ts` and the SDK.
 * Source: RFC 5246 §6.2, §7.3, §7.4; RFC 8422 §5.4; RFC 5288 §3.
 * @module
 */
import { readU16, readU24 } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";

/** Asked for as the longest fragment of a record. */
export const FRAGMENT_BYTES_MAX = 4096;

const VERSION = 0x0303;
const ECDHE_RSA_AES128_GCM_SHA256 = 0xc02f;
/** Explicit nonce and tag. */
const SEALED_EXTRA = 8 + 16;
const ALERT_BYTES = 2;
const FINISHED_BYTES = 4 + 12;

const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;

/** What the host sends, in this order: its messages in the clear, then the change of cipher, then Finished. */
const ORDER = [2, 11, 12, 13, 14] as const;
const SERVER_HELLO = 2;
const SERVER_KEY_EXCHANGE = 12;
const NAMES: Readonly<Record<number, string>> = {
	2: "ServerHello",
	11: "Certificate",
	12: "ServerKeyExchange",
	13: "CertificateRequest",
	14: "ServerHelloDone",
};

const HEADER_BYTES = 5;
const MESSAGE_HEADER_BYTES = 4;
/** Of a message: its header and as much of its body as is looked at, which is a key exchange without its signature. */
const HEAD_BYTES = MESSAGE_HEADER_BYTES + 1 + 2 + 1 + 65 + 2;

export class HandshakeGuard {
	/** How many of ORDER have come; one more for the change of cipher, one more for Finished. */
	#step = 0;
	/** The client has sent its change of cipher: it has said all it has to say in the clear. */
	#clientChanged = false;
	readonly #header = new Uint8Array(HEADER_BYTES);
	#headerLength = 0;
	/** Bytes of the record, and of the message in it, that are still to come. */
	#recordLeft = 0;
	#messageLeft = 0;
	/** The record has messages in the clear. */
	#plain = false;
	readonly #head = new Uint8Array(HEAD_BYTES);
	#headLength = 0;

	/** How many bytes may pass at once so that no more than one record is under way: 1 or more. */
	get wanted(): number {
		return this.#headerLength < HEADER_BYTES ? HEADER_BYTES - this.#headerLength : this.#recordLeft;
	}

	/** True when the host's Finished has passed: what it says, the SDK checks. */
	get open(): boolean {
		return this.#step === ORDER.length + 2;
	}

	/**
	 * Bytes from the host, in pieces of any size.
	 * @throws {CodedError} "order" | "length" | "format" | "auth" when the handshake is not what it must be
	 */
	fromHost(bytes: Uint8Array): void {
		let i = 0;
		while (i < bytes.length) {
			if (this.#headerLength < HEADER_BYTES) {
				this.#header[this.#headerLength++] = bytes[i++];
				if (this.#headerLength === HEADER_BYTES) this.#beginRecord();
				continue;
			}
			const count = Math.min(this.#recordLeft, bytes.length - i);
			if (this.#plain) this.#messages(bytes, i, i + count);
			else if (this.#type === ALERT && !this.open) this.#alert(bytes, i, i + count);
			i += count;
			this.#recordLeft -= count;
			if (this.#recordLeft === 0) this.#endRecord();
		}
	}

	/**
	 * A record on its way to the host, whole.
	 * @throws {CodedError} "order" for data before the handshake is over
	 */
	toHost(record: Uint8Array): void {
		const type = record[0];
		if (type === CHANGE_CIPHER_SPEC) this.#clientChanged = true;
		else if (type === APPLICATION_DATA && !this.open) {
			throw new CodedError("order", "tls", "data before the handshake is over");
		}
	}

	get #type(): number {
		return this.#header[0];
	}

	#beginRecord(): void {
		const type = this.#type;
		const length = readU16(this.#header, 3);
		if (readU16(this.#header, 1) !== VERSION) throw new CodedError("format", "tls record", "no TLS 1.2");
		if (!this.#expects(type)) throw new CodedError("order", "tls record", `type ${type} at step ${this.#step}`);
		if (length < this.#least(type) || length > this.#greatest(type)) {
			throw new CodedError("length", "tls record", `type ${type}, ${length} bytes`);
		}
		this.#recordLeft = length;
		this.#headLength = 0;
		this.#messageLeft = 0;
		this.#plain = type === HANDSHAKE && this.#step < ORDER.length;
	}

	get #sealed(): boolean {
		return this.#step > ORDER.length;
	}

	#least(type: number): number {
		if (type === CHANGE_CIPHER_SPEC) return 1;
		if (type === ALERT) return this.#sealed ? ALERT_BYTES + SEALED_EXTRA : ALERT_BYTES;
		if (type === HANDSHAKE && this.#sealed) return FINISHED_BYTES + SEALED_EXTRA;
		return this.#sealed ? SEALED_EXTRA : MESSAGE_HEADER_BYTES;
	}

	#greatest(type: number): number {
		if (type === APPLICATION_DATA) return FRAGMENT_BYTES_MAX + SEALED_EXTRA;
		return type === HANDSHAKE && !this.#sealed ? FRAGMENT_BYTES_MAX : this.#least(type);
	}

	#expects(type: number): boolean {
		if (this.open) return type === APPLICATION_DATA || type === ALERT;
		if (type === ALERT) return true; // Read for its number, and then the end.
		if (this.#step === ORDER.length) return type === CHANGE_CIPHER_SPEC && this.#clientChanged;
		return type === HANDSHAKE;
	}

	#endRecord(): void {
		this.#headerLength = 0;
		if (this.#plain && this.#headLength > 0) {
			throw new CodedError("length", "tls handshake", "a message over more than one record");
		}
		if (this.#type === CHANGE_CIPHER_SPEC || (this.#type === HANDSHAKE && !this.#plain)) this.#step++;
	}

	/** Part of a record of handshake messages in the clear. */
	#messages(bytes: Uint8Array, start: number, end: number): void {
		let i = start;
		while (i < end) {
			if (this.#headLength < MESSAGE_HEADER_BYTES) {
				this.#head[this.#headLength++] = bytes[i++];
				if (this.#headLength < MESSAGE_HEADER_BYTES) continue;
				if (this.#head[0] !== ORDER[this.#step]) {
					throw new CodedError("order", "tls handshake", `message ${this.#head[0]} at step ${this.#step}`);
				}
				this.#messageLeft = readU24(this.#head, 1);
			} else {
				const count = Math.min(this.#messageLeft, end - i);
				const kept = Math.min(count, HEAD_BYTES - this.#headLength);
				for (let k = 0; k < kept; k++) this.#head[this.#headLength++] = bytes[i + k];
				i += count;
				this.#messageLeft -= count;
			}
			if (this.#messageLeft === 0) this.#endMessage();
		}
	}

	#endMessage(): void {
		const type = this.#head[0];
		if (type === SERVER_HELLO) this.#checkHello();
		else if (type === SERVER_KEY_EXCHANGE) this.#checkKeyExchange();
		this.#headLength = 0;
		this.#step++;
	}

	/** Version 2, random 32, session id 1 + n, suite 2, compression 1. */
	#checkHello(): void {
		const place = `tls ${NAMES[SERVER_HELLO]}`;
		const at = MESSAGE_HEADER_BYTES;
		const sessionLength = this.#headByte(at + 34, place);
		if (sessionLength > 32) throw new CodedError("length", place);
		const suiteAt = at + 35 + sessionLength;
		this.#headByte(suiteAt + 2, place);
		if (readU16(this.#head, at) !== VERSION) throw new CodedError("format", place, "no TLS 1.2");
		if (readU16(this.#head, suiteAt) !== ECDHE_RSA_AES128_GCM_SHA256 || this.#head[suiteAt + 2] !== 0) {
			throw new CodedError("format", place, "another suite than was offered");
		}
	}

	/** Curve type 1, curve 2, point 1 + 65, hash 1, signature 1, and the signature. */
	#checkKeyExchange(): void {
		const place = `tls ${NAMES[SERVER_KEY_EXCHANGE]}`;
		const at = MESSAGE_HEADER_BYTES;
		this.#headByte(at + 70, place);
		const head = this.#head;
		if (head[at] !== 3 || readU16(head, at + 1) !== 23 || head[at + 3] !== 65 || head[at + 4] !== 4) {
			throw new CodedError("format", place, "no point of P-256");
		}
		if (head[at + 69] !== 4 || head[at + 70] !== 1)
			throw new CodedError("auth", place, "not signed by RSA with SHA-256");
	}

	#headByte(offset: number, place: string): number {
		if (offset >= this.#headLength) throw new CodedError("length", place, "cut short");
		return this.#head[offset];
	}

	/** Level and number; in the clear no alert is believed for more than its number in the log. */
	#alert(bytes: Uint8Array, start: number, end: number): void {
		if (this.#sealed) throw new CodedError("auth", "tls", "the host ends the handshake");
		for (let i = start; i < end; i++) {
			if (this.#headLength++ === 1)
				throw new CodedError("auth", "tls", `the host ends the handshake: alert ${bytes[i]}`);
		}
	}
}
