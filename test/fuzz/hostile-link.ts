/**
 * Somebody on the line between a terminal and its host. He sees all, keeps all, and does what he wants with it: drops,
 * delays, doubles and changes it, plays it again, answers himself, floods, sends a byte a second, hangs up. He has no
 * keys. While he is calm he passes everything on.
 *
 * What arrives at the terminal is written down, with whether the host has sent it so.
 */
import type { Acquirer } from "../../host-sim/acquirer/acquirer";
import type { HostConnection } from "../../host-sim/acquirer/connection";
import type { Power } from "../../host-sim/board/power";
import type { SeededRandom } from "../../host-sim/board/seeded-random";
import { readU16, toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { type Dialect, LENGTH_BYTES } from "../../src/iso8583/dialect";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { layoutOf } from "../../src/iso8583/layout";
import type { Clock, Connection, ConnectionOptions, Link } from "../../src/ports";
import { encodeMessage, randomMessage, randomValue, readMessage, type Value } from "./messages";
import type { Mutator } from "./mutations";
import type { CaseInput } from "./target";

const LATENCY_MS = 50;
const FLOOD_BYTES = 65_536;
const KEPT_MAX = 64;
const BUFFER_BYTES = 8_192;

export interface Attack {
	readonly random: SeededRandom;
	readonly network: Clock;
	readonly dialect: Dialect;
	readonly mutator: Mutator;
	readonly input: CaseInput;
	host(): Acquirer | undefined;
	/** True: everything is passed on as it is. */
	calm: boolean;
}

/** What went over the line, all connections together. */
export class Wire {
	/** Of what the host has sent: all that a MAC covers and the MAC, from the MTI on, in hex. */
	readonly #sent = new Set<string>();
	/** DE 62 of its sign-on answers. */
	readonly keyBlocks: Uint8Array[] = [];
	/** Frames that were whole at the terminal, in order. */
	readonly arrived: Uint8Array[] = [];
	/** From the host, and from the terminal: to be played again. */
	readonly answers: Uint8Array[] = [];
	readonly requests: Uint8Array[] = [];
	connections = 0;
	open = 0;
	openMost = 0;

	noteSent(frame: Uint8Array, mtiOffset: number): void {
		this.#sent.add(toHex(frame, mtiOffset));
	}

	isSent(frame: Uint8Array, mtiOffset: number): boolean {
		return this.#sent.has(toHex(frame, mtiOffset));
	}

	keep(list: Uint8Array[], bytes: Uint8Array): void {
		if (list.length < KEPT_MAX) list.push(bytes);
	}
}

export class HostileLink implements Link {
	readonly name = "hostile";
	readonly secure = true;
	readonly attack: Attack;
	readonly wire: Wire;
	readonly power: Power;

	constructor(attack: Attack, wire: Wire, power: Power) {
		this.attack = attack;
		this.wire = wire;
		this.power = power;
	}

	connect(callbacks: ConnectionOptions): Connection {
		this.power.check();
		this.wire.connections++;
		return new HostileConnection(this, callbacks);
	}
}

class HostileConnection implements Connection {
	readonly #attack: Attack;
	readonly #wire: Wire;
	readonly #power: Power;
	readonly #callbacks: ConnectionOptions;
	readonly #decoder: MessageDecoder;
	readonly #encoder: MessageEncoder;
	readonly #out: Uint8Array;
	readonly #mtiOffset: number;
	/** Arrived, and not read yet. */
	#waiting: Uint8Array[] = [];
	/** Arrived, and no whole frame yet; undefined behind a length that no frame has. */
	#stream: Uint8Array | undefined = new Uint8Array(0);
	#peer: HostConnection | undefined;
	#open = false;
	#closed = false;

	constructor({ attack, wire, power }: HostileLink, callbacks: ConnectionOptions) {
		this.#attack = attack;
		this.#wire = wire;
		this.#power = power;
		this.#callbacks = callbacks;
		this.#decoder = new MessageDecoder(attack.dialect);
		const { frameBytesMax, mtiOffset } = layoutOf(attack.dialect);
		this.#mtiOffset = mtiOffset;
		this.#out = new Uint8Array(frameBytesMax);
		this.#encoder = new MessageEncoder(attack.dialect, this.#out);
		power.onCut(() => this.#drop());
		const kind = attack.calm ? 2 : attack.random.below(24);
		if (kind === 0) this.#later(() => this.#hangUp());
		else if (kind !== 1) this.#later(() => this.#establish()); // 1: it never stands.
	}

	read(buffer: Uint8Array): number {
		this.#power.check();
		const first = this.#waiting[0];
		if (first === undefined) return 0;
		const count = Math.min(first.length, buffer.length);
		buffer.set(first.subarray(0, count));
		if (count === first.length) this.#waiting.shift();
		else this.#waiting[0] = first.subarray(count);
		return count;
	}

	write(buffer: Uint8Array): boolean {
		this.#power.check();
		if (!this.#open || this.#closed) return false;
		const { random, mutator, calm } = this.#attack;
		if (!calm && random.chance(1, 24)) return false; // Reads nothing any more: not one byte of it was taken.
		const bytes = buffer.slice();
		this.#wire.keep(this.#wire.requests, bytes);
		switch (calm ? 99 : random.below(24)) {
			case 0:
			case 1:
				break; // Takes it, and it is gone.
			case 2:
				this.#forward(mutator.mutate(random, bytes));
				break;
			case 3:
				this.#forward(bytes);
				this.#forward(bytes);
				break;
			case 4:
				this.#forward(random.pick(this.#wire.requests));
				this.#forward(bytes);
				break;
			case 5:
				this.#forward(bytes);
				this.#later(() => this.#hangUp());
				break;
			case 6:
				this.#send(this.#forged(bytes), 1); // Before the host can answer.
				this.#forward(bytes);
				break;
			case 7:
				this.#send(this.#forged(bytes), 1);
				break;
			default:
				this.#forward(bytes);
		}
		return true;
	}

	close(): void {
		this.#drop();
	}

	#later(action: () => void, ms = LATENCY_MS): void {
		this.#attack.network.setTimer(ms, action);
	}

	#drop(): void {
		if (this.#closed) return;
		this.#closed = true;
		if (this.#open) this.#wire.open--;
		const peer = this.#peer;
		if (peer !== undefined) this.#later(() => peer.end());
	}

	#hangUp(): void {
		if (this.#closed) return;
		this.#drop();
		this.#power.deliver(() => this.#callbacks.onError());
	}

	#establish(): void {
		if (this.#closed) return;
		this.#peer = this.#attack.host()?.connect({
			send: (bytes) => this.#fromHost(bytes),
			close: () => this.#later(() => this.#hangUp()),
		});
		if (this.#peer === undefined) {
			this.#hangUp();
			return;
		}
		this.#open = true;
		this.#wire.open++;
		this.#wire.openMost = Math.max(this.#wire.openMost, this.#wire.open);
		this.#power.deliver(() => this.#callbacks.onWritable(BUFFER_BYTES));
		const { random, calm } = this.#attack;
		// A word that nobody asked for.
		if (!calm && random.chance(1, 8)) this.#send(this.#noise());
	}

	#forward(bytes: Uint8Array): void {
		this.#later(() => this.#peer?.receive(bytes));
	}

	#fromHost(answer: Uint8Array): void {
		const bytes = answer.slice();
		const { random, mutator, calm } = this.#attack;
		this.#wire.noteSent(bytes, this.#mtiOffset);
		this.#decoder.decode(bytes, bytes.length);
		if (this.#decoder.mti === "0810" && this.#decoder.has(62))
			this.#wire.keyBlocks.push(this.#decoder.bytes(62).slice());
		this.#wire.keep(this.#wire.answers, bytes);
		if (calm) {
			this.#send(bytes);
			return;
		}
		switch (random.below(24)) {
			case 0:
				return;
			case 1:
			case 2:
				this.#send(mutator.mutate(random, bytes));
				return;
			case 3:
			case 4:
			case 5:
				this.#send(this.#rewritten(bytes));
				return;
			case 6:
				this.#send(this.#rewritten(bytes));
				this.#send(bytes);
				return;
			case 7:
				this.#send(bytes);
				this.#send(bytes);
				return;
			case 8:
				this.#send(random.pick(this.#wire.answers));
				this.#send(bytes);
				return;
			case 9:
				this.#send(this.#noise());
				this.#send(bytes);
				return;
			case 10:
				this.#slowly(bytes, 1, 1_000);
				return;
			case 11:
				this.#slowly(bytes, 1 + random.below(7), 1 + random.below(100));
				return;
			case 12:
				this.#send(bytes, 60_000 + random.below(60_000));
				return;
			case 13:
				this.#send(bytes.subarray(0, random.below(bytes.length)));
				this.#later(() => this.#hangUp(), 2 * LATENCY_MS);
				return;
			case 14:
				this.#hangUp();
				return;
			default:
				this.#send(bytes);
		}
	}

	/** Nothing that answers anything: noise, floods, messages of others. */
	#noise(): Uint8Array {
		const { random, dialect } = this.#attack;
		switch (random.below(6)) {
			case 0:
				return new Uint8Array(FLOOD_BYTES);
			case 1: {
				const flood = new Uint8Array(FLOOD_BYTES);
				random.fill(flood);
				return flood;
			}
			case 2: {
				// Frames of one byte, one behind the other.
				const flood = new Uint8Array(random.chance(1, 2) ? FLOOD_BYTES : 30);
				for (let at = 1; at < flood.length; at += 3) flood[at] = 1;
				return flood;
			}
			case 3: {
				const noise = new Uint8Array(1 + random.below(64));
				random.fill(noise);
				return noise;
			}
			default:
				return this.#out.slice(0, encodeMessage(this.#encoder, dialect, randomMessage(random, dialect)));
		}
	}

	/** The same message with one to three fields that say something else, or are not there, or were not; the old MAC. */
	#rewritten(bytes: Uint8Array): Uint8Array {
		const { random, dialect } = this.#attack;
		const decoder = this.#decoder;
		try {
			decoder.decode(bytes, bytes.length);
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			return bytes;
		}
		const message = readMessage(decoder);
		const fields = new Map(message.fields);
		for (let changes = 1 + random.below(3); changes > 0; changes--) {
			const de = random.pick(ANSWER_FIELDS);
			const rule = dialect.fields[de];
			if (rule === undefined || (de === 64 && message.secondary)) continue;
			if (random.chance(1, 6)) fields.delete(de);
			else if (random.chance(1, 3))
				fields.set(de, nearly(random, fields.get(de) ?? randomValue(random, rule, message.mti)));
			else if (de === 39) fields.set(de, ascii(random.pick(CODES)));
			else fields.set(de, randomValue(random, rule, message.mti));
		}
		const sorted = new Map([...fields].sort(([a], [b]) => a - b));
		return this.#out.slice(0, encodeMessage(this.#encoder, dialect, { ...message, fields: sorted }));
	}

	/** An answer of his own to what the terminal asks, under no key. */
	#forged(request: Uint8Array): Uint8Array {
		const { random, dialect } = this.#attack;
		const decoder = this.#decoder;
		decoder.decode(request, request.length);
		const asked = readMessage(decoder);
		const rule = decoder.rule;
		const fields = new Map<number, Value>();
		for (const de of [3, 4, 11, 41, 42, 49, 60]) {
			const value = asked.fields.get(de);
			if (value !== undefined) fields.set(de, value);
		}
		fields.set(12, "093000");
		fields.set(13, "1122");
		fields.set(37, ascii("112200000001"));
		fields.set(38, ascii("000001"));
		fields.set(39, ascii(random.chance(1, 2) ? "00" : random.pick(CODES)));
		if (random.chance(1, 8)) fields.set(62, randomBytes(random, random.pick([0, 8, 40, 40, 41, 84])));
		if (random.chance(7, 8)) fields.set(64, random.chance(1, 2) ? hexCharacters(random) : randomBytes(random, 8));
		const sorted = new Map([...fields].sort(([a], [b]) => a - b));
		const mti = rule?.answer ?? asked.mti;
		return this.#out.slice(
			0,
			encodeMessage(this.#encoder, dialect, { ...asked, mti, secondary: false, fields: sorted }),
		);
	}

	#slowly(bytes: Uint8Array, pieceBytes: number, gapMs: number): void {
		for (let at = 0; at < bytes.length; at += pieceBytes) {
			this.#send(bytes.subarray(at, at + pieceBytes), LATENCY_MS + (at / pieceBytes) * gapMs);
		}
	}

	#send(bytes: Uint8Array, ms = LATENCY_MS): void {
		const copy = bytes.slice();
		this.#later(() => {
			if (this.#closed || !this.#open || copy.length === 0) return;
			this.#attack.input.bytes("arrives", copy.length > 2_000 ? copy.subarray(0, 2_000) : copy);
			this.#waiting.push(copy);
			this.#note(copy);
			this.#power.deliver(() => this.#callbacks.onReadable(copy.length));
		}, ms);
	}

	/** Writes down the frames that are whole now. */
	#note(bytes: Uint8Array): void {
		if (this.#stream === undefined) return;
		const stream = new Uint8Array(this.#stream.length + bytes.length);
		stream.set(this.#stream);
		stream.set(bytes, this.#stream.length);
		let at = 0;
		while (at + LENGTH_BYTES <= stream.length) {
			const length = readU16(stream, at);
			if (length === 0 || length > this.#attack.dialect.frameBytesMax) {
				this.#stream = undefined;
				return;
			}
			const end = at + LENGTH_BYTES + length;
			if (end > stream.length) break;
			if (length > 20) this.#wire.arrived.push(stream.slice(at, end));
			at = end;
		}
		this.#stream = stream.slice(at);
	}
}

const ANSWER_FIELDS = [2, 3, 4, 11, 12, 13, 25, 32, 37, 38, 39, 39, 39, 41, 42, 44, 49, 55, 60, 60, 62, 62, 63, 64];
const CODES = ["00", "00", "11", "10", "05", "51", "55", "96", "A0", "97", "99", "12", "25", "zz", "  "];

function ascii(text: string): Uint8Array {
	return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function randomBytes(random: SeededRandom, byteLength: number): Uint8Array {
	const bytes = new Uint8Array(byteLength);
	random.fill(bytes);
	return bytes;
}

function hexCharacters(random: SeededRandom): Uint8Array {
	return Uint8Array.from({ length: 8 }, () => "0123456789ABCDEF".charCodeAt(random.below(16)));
}

/** The same with one digit, or one bit, that is another. */
function nearly(random: SeededRandom, value: Value): Value {
	if (value.length === 0) return value;
	const at = random.below(value.length);
	if (typeof value === "string") return `${value.slice(0, at)}${random.below(10)}${value.slice(at + 1)}`;
	const bytes = value.slice();
	const bit = 1 << random.below(4);
	if ((bytes[at] & 0xf0) === 0x30 && (bytes[at] ^ bit) <= 0x39) bytes[at] ^= bit;
	return bytes;
}
