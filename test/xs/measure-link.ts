/**
 * A conversation with the real host, once recorded (where it does not matter what that costs) and then played again to
 * a terminal that says the same at the same times: so a measurement has an answering host and not one slot of it.
 */
import { fromHex, toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import type { Connection, ConnectionOptions, Link } from "../../src/ports";
import type { MeasureClock, Probe } from "./measure-board";

const RECEIVE_BYTES_MAX = 8_192;
const REFUSED_MS = 10;

/** "o" it stands, "d" bytes have come, "g" it is gone. */
type EventKind = "o" | "d" | "g";

export interface TapeEvent {
	/** After the act that it belongs to. */
	readonly afterMs: number;
	readonly kind: EventKind;
	/** Hex, for "d". */
	readonly bytes: string;
}

/** What the terminal did, and what came then, before it did the next thing. */
export interface TapeAct {
	/** "connect", or the bytes of a write in hex. */
	readonly did: string;
	readonly events: TapeEvent[];
}

export type Tape = TapeAct[];

/** What waits to be read. */
class Inbox {
	count = 0;
	readonly #bytes = new Uint8Array(RECEIVE_BYTES_MAX);

	put(from: Uint8Array, start: number, end: number): void {
		if (this.count + end - start > RECEIVE_BYTES_MAX) throw new CodedError("overflow", "measure link");
		for (let i = start; i < end; i++) this.#bytes[this.count++] = from[i];
	}

	take(into: Uint8Array): number {
		const count = Math.min(into.length, this.count);
		for (let i = 0; i < count; i++) into[i] = this.#bytes[i];
		this.#bytes.copyWithin(0, count, this.count);
		this.count -= count;
		return count;
	}
}

/** Passes everything on, and writes it down. */
export class RecordingLink implements Link {
	readonly name = "link1";
	readonly secure = true;
	readonly tape: Tape = [];
	/** True: what the host sends is lost on the way. */
	deaf = false;
	readonly #link: Link;
	readonly #clock: MeasureClock;
	#actMs = 0;

	constructor(link: Link, clock: MeasureClock) {
		this.#link = link;
		this.#clock = clock;
	}

	connect(options: ConnectionOptions): Connection {
		this.#act("connect");
		const inbox = new Inbox();
		const piece = new Uint8Array(RECEIVE_BYTES_MAX);
		const inner = this.#link.connect({
			onWritable: (byteCount) => {
				this.#event("o", "");
				options.onWritable(byteCount);
			},
			onReadable: () => {
				const count = inner.read(piece);
				if (this.deaf || count === 0) return;
				this.#event("d", toHex(piece.subarray(0, count)));
				inbox.put(piece, 0, count);
				options.onReadable(inbox.count);
			},
			onError: () => {
				this.#event("g", "");
				options.onError();
			},
		});
		return {
			read: (buffer) => inbox.take(buffer),
			write: (buffer) => {
				this.#act(toHex(buffer));
				return inner.write(buffer);
			},
			close: () => inner.close(),
		};
	}

	#act(did: string): void {
		this.#actMs = this.#clock.nowMs;
		this.tape.push({ did, events: [] });
	}

	#event(kind: EventKind, bytes: string): void {
		this.tape.at(-1)?.events.push({ afterMs: this.#clock.nowMs - this.#actMs, kind, bytes });
	}
}

/** A tape in four arrays, made once for many plays. */
export class PackedTape {
	readonly acts: number;
	/** By act: where its bytes begin, −1 for a connect, and the first of its events. */
	readonly didAt: Int32Array;
	readonly didEnd: Int32Array;
	readonly firstEvent: Int32Array;
	readonly afterMs: Float64Array;
	readonly kinds: Uint8Array;
	/** By event. */
	readonly bytesAt: Int32Array;
	readonly bytesEnd: Int32Array;
	readonly bytes: Uint8Array;

	constructor(tape: Tape) {
		const events = tape.flatMap((act) => act.events);
		this.acts = tape.length;
		this.didAt = new Int32Array(tape.length);
		this.didEnd = new Int32Array(tape.length);
		this.firstEvent = new Int32Array(tape.length + 1);
		this.afterMs = Float64Array.from(events, ({ afterMs }) => afterMs);
		this.kinds = Uint8Array.from(events, ({ kind }) => kind.charCodeAt(0));
		this.bytesAt = new Int32Array(events.length);
		this.bytesEnd = new Int32Array(events.length);
		const texts: string[] = [];
		let at = 0;
		let event = 0;
		for (const [n, act] of tape.entries()) {
			const connect = act.did === "connect";
			this.didAt[n] = connect ? -1 : at;
			if (!connect) {
				texts.push(act.did);
				at += act.did.length / 2;
			}
			this.didEnd[n] = at;
			this.firstEvent[n] = event;
			for (const { bytes } of act.events) {
				this.bytesAt[event] = at;
				texts.push(bytes);
				at += bytes.length / 2;
				this.bytesEnd[event] = at;
				event++;
			}
		}
		this.firstEvent[tape.length] = event;
		this.bytes = new Uint8Array(at);
		let end = 0;
		for (const text of texts) {
			this.bytes.set(fromHex(text), end);
			end += text.length / 2;
		}
	}
}

const OPEN = 0x6f;
const DATA = 0x64;

/** Plays a tape; one connection at a time, which is the link itself. */
export class TapeLink implements Link, Connection {
	readonly name = "link1";
	readonly secure = true;
	readonly #tape: PackedTape;
	readonly #clock: MeasureClock;
	readonly #probe: Probe;
	readonly #inbox = new Inbox();
	/** Nothing is played any more: no connect succeeds, no write is taken. */
	down = false;
	#next = 0;
	#options: ConnectionOptions | undefined;
	readonly #happen = (event: number) => this.#event(event);
	readonly #refuse = () => {
		const options = this.#options;
		this.#options = undefined;
		options?.onError();
	};

	constructor(tape: PackedTape, clock: MeasureClock, probe: Probe) {
		this.#tape = tape;
		this.#clock = clock;
		this.#probe = probe;
	}

	/** Whether everything on the tape was said. */
	get ended(): boolean {
		return this.#next === this.#tape.acts;
	}

	connect(options: ConnectionOptions): Connection {
		this.#probe.call();
		this.#inbox.count = 0;
		this.#options = options;
		if (this.down) this.#clock.add(REFUSED_MS, this.#refuse, 0);
		else this.#act(-1, options);
		return this;
	}

	read(buffer: Uint8Array): number {
		this.#probe.call();
		return this.#inbox.take(buffer);
	}

	write(buffer: Uint8Array): boolean {
		this.#probe.call();
		if (this.down) return false;
		this.#act(buffer.length, buffer);
		return true;
	}

	close(): void {
		this.#probe.call();
		this.#options = undefined;
	}

	/** @param length - of a write, −1 for a connect. @throws {CodedError} "mismatch" when the tape says otherwise */
	#act(length: number, did: ConnectionOptions | Uint8Array): void {
		const { acts, didAt, didEnd, bytes, firstEvent, afterMs } = this.#tape;
		const n = this.#next++;
		let right = n < acts && (didAt[n] < 0 ? length < 0 : length === didEnd[n] - didAt[n]);
		if (right && did instanceof Uint8Array) {
			for (let i = 0; i < length; i++) if (did[i] !== bytes[didAt[n] + i]) right = false;
		}
		if (!right) throw new CodedError("mismatch", `tape act ${n}`, "the terminal does something else");
		for (let event = firstEvent[n]; event < firstEvent[n + 1]; event++) {
			this.#clock.add(afterMs[event], this.#happen, event);
		}
	}

	#event(event: number): void {
		const { kinds, bytes, bytesAt, bytesEnd } = this.#tape;
		const options = this.#options;
		if (options === undefined) return;
		if (kinds[event] === OPEN) options.onWritable(RECEIVE_BYTES_MAX);
		else if (kinds[event] === DATA) {
			this.#inbox.put(bytes, bytesAt[event], bytesEnd[event]);
			options.onReadable(this.#inbox.count);
		} else {
			this.#options = undefined;
			options.onError();
		}
	}
}
