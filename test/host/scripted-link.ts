/**
 * A link whose far end follows the test: it takes each frame the terminal writes, and sends exact bytes, whole or in
 * pieces. Callbacks come from the clock, never from inside a call, as ports.ts has it.
 */
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import { MemoryKeys } from "../../host-sim/board/memory-keys";
import { fromHex } from "../../src/core/bytes";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import type { Clock, Connection, ConnectionOptions, Link } from "../../src/ports";
import { WorkingKeyScheme } from "../../src/security/key-scheme";
import vectors from "../vectors/unionpay.json";

const SIGN_ON = vectors.vectors.find(({ name }) => name === "sign-on-response")?.fields as Record<string, string>;

/** DE 62 of the golden sign-on answer: PIK and MAK of the vectors under the test TMK, with their check values. */
export const WORKING_KEYS = fromHex(SIGN_ON["62"]);

/** A scheme that has signed on with {@link WORKING_KEYS}. */
export function signedOnScheme(): WorkingKeyScheme {
	const scheme = new WorkingKeyScheme(new MemoryKeys(TEST_KEYS), UNIONPAY.mac);
	scheme.install(WORKING_KEYS);
	return scheme;
}

/** The far end's. */
const HOST_SCHEME = signedOnScheme();
HOST_SCHEME.use(HOST_SCHEME.open());

/** Latin-1: one character a byte. */
export function bytesToText(bytes: Uint8Array): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** Fields of an answer that differ from the usual; undefined leaves one out. */
export type Changes = Partial<Record<number, string | undefined>>;

const DIGITS = [2, 3, 4, 11, 12, 13, 14, 15, 22, 25, 32, 60];
const HEX = [55, 62];

export interface AnswerOptions {
	mti?: string;
	/** "bad": one bit is wrong; "none": no field 64. Default "good". */
	mac?: "good" | "bad" | "none";
}

/** A frame with `fields` by number, as text. */
export function buildFrame(mti: string, fields: Changes, mac: AnswerOptions["mac"] = "good"): Uint8Array {
	const out = new Uint8Array(2_048);
	const encoder = new MessageEncoder(UNIONPAY, out);
	encoder.begin(mti);
	for (const [key, text] of Object.entries(fields)) {
		if (text === undefined) continue;
		const de = Number(key);
		if (DIGITS.includes(de)) encoder.digits(de, text);
		else if (HEX.includes(de)) encoder.bytes(de, fromHex(text));
		else encoder.ascii(de, text);
	}
	const byteLength = mac === "none" ? encoder.finish() : encoder.finishWithMac(HOST_SCHEME);
	if (mac === "bad") out[byteLength - 1] ^= 1;
	return out.slice(0, byteLength);
}

/** The answer an honest host gives to `request`, with changes. */
export function buildAnswer(request: MessageDecoder, code: string, changes: Changes = {}, options: AnswerOptions = {}) {
	const echo = (de: number) => (request.has(de) ? request.text(de) : undefined);
	const fields: Changes = {
		3: echo(3),
		4: echo(4),
		11: request.text(11),
		12: "091235",
		13: "1122",
		37: "112200000001",
		39: code,
		41: request.text(41),
		42: request.text(42),
		49: echo(49),
		60: request.text(60),
		...changes,
	};
	const mti = options.mti ?? `${request.mti.slice(0, 2)}${Number(request.mti[2]) + 1}${request.mti[3]}`;
	return buildFrame(mti, fields, options.mac);
}

/** The answer to a sign-on, without a MAC as the dialect has it; 60.2 names `batch`. */
export function buildSignOnAnswer(request: MessageDecoder, batch = 1, changes: Changes = {}): Uint8Array {
	const hex = Buffer.from(WORKING_KEYS).toString("hex").toUpperCase();
	const private60 = `00${`${batch}`.padStart(6, "0")}003`;
	return buildAnswer(request, "00", { 60: private60, 62: hex, ...changes }, { mac: "none" });
}

export interface ScriptedLinkOptions {
	clock: Clock;
	name?: string;
	secure?: boolean;
	/** What a connect comes to; default "opens". */
	connects?: "opens" | "opensAtOnce" | "refused" | "hangs" | "refusedAtOnce";
	/** Takes no byte. */
	full?: boolean;
	/** Each frame as it is written. */
	onRequest?(request: MessageDecoder, link: ScriptedLink): void;
}

export class ScriptedLink implements Link {
	readonly name: string;
	readonly secure: boolean;
	readonly options: ScriptedLinkOptions;
	/** Every frame written. */
	readonly requests: MessageDecoder[] = [];
	connections = 0;
	closed = 0;
	#callbacks: ConnectionOptions | undefined;
	#waiting: number[] = [];

	constructor(options: ScriptedLinkOptions) {
		this.options = options;
		this.name = options.name ?? "scripted";
		this.secure = options.secure ?? true;
	}

	get connected(): boolean {
		return this.#callbacks !== undefined;
	}

	connect(callbacks: ConnectionOptions): Connection {
		this.connections += 1;
		this.#waiting = [];
		this.#callbacks = callbacks;
		const mine = () => this.#callbacks === callbacks;
		const { connects = "opens", clock } = this.options;
		if (connects === "refusedAtOnce") {
			this.#callbacks = undefined;
			callbacks.onError();
		} else if (connects === "opensAtOnce") callbacks.onWritable(4_096);
		else if (connects !== "hangs") {
			clock.setTimer(10, () => {
				if (!mine()) return;
				if (connects === "opens") callbacks.onWritable(4_096);
				else this.hangUp();
			});
		}
		return {
			read: (buffer) => {
				if (!mine()) return 0;
				const bytes = this.#waiting.splice(0, buffer.length);
				buffer.set(bytes);
				return bytes.length;
			},
			write: (buffer) => {
				if (!mine() || this.options.full === true) return false;
				const request = new MessageDecoder(UNIONPAY);
				request.decode(buffer.slice(), buffer.length);
				this.requests.push(request);
				clock.setTimer(10, () => this.options.onRequest?.(request, this));
				return true;
			},
			close: () => {
				if (!mine()) return;
				this.closed += 1;
				this.#callbacks = undefined;
			},
		};
	}

	/** The far end sends bytes; with `pieceBytes` in pieces, `gapMs` apart. */
	send(bytes: Uint8Array, pieceBytes = bytes.length, gapMs = 0): void {
		const callbacks = this.#callbacks;
		let delayMs = 10;
		for (let at = 0; at < bytes.length; at += pieceBytes) {
			const piece = bytes.subarray(at, at + pieceBytes);
			this.options.clock.setTimer(delayMs, () => {
				if (callbacks === undefined || this.#callbacks !== callbacks) return;
				for (const byte of piece) this.#waiting.push(byte);
				callbacks.onReadable(this.#waiting.length);
			});
			delayMs += gapMs;
		}
	}

	/** The far end is gone. */
	hangUp(): void {
		const callbacks = this.#callbacks;
		this.#callbacks = undefined;
		callbacks?.onError();
	}
}
