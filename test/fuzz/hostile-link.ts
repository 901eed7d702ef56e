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
import { MessageDecoder } from "../../src/iso8583/decoder";
import { type Dialect, LENGTH_BYTES } from "../../src/iso8583/dialect";
import { layoutOf } from "../../src/iso8583/layout";
import type { Clock, Connection, ConnectionOptions, Link } from "../../src/ports";
import { Forger } from "./forger";
import type { Mutator } from "./mutations";
import type { CaseInput } from "./target";

const LATENCY_MS = 50;
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
	readonly #forger: Forger;
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
		this.#forger = new Forger(attack.dialect, attack.random);
		this.#mtiOffset = layoutOf(attack.dialect).mtiOffset;
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
				this.#send(this.#forger.forged(bytes), 1); // Before the host can answer.
				this.#forward(bytes);
				break;
			case 7:
				this.#send(this.#forger.forged(bytes), 1);
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
		if (!calm && random.chance(1, 8)) this.#send(this.#forger.noise());
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
				this.#send(this.#forger.rewritten(bytes));
				return;
			case 6:
				this.#send(this.#forger.rewritten(bytes));
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
				this.#send(this.#forger.noise());
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
