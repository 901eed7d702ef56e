/**
 * A link to an acquirer in the same process: for tests and worlds on virtual time. Shape of ECMA-419 TCP (see
 * ports.ts): callbacks never run inside `connect`, `read`, `write` or `close`. Latency both ways; may be down.
 *
 * `beforeWrite` sees every write before the first byte of it leaves: what checks I1 hangs there.
 * @module
 */
import type { Clock, Connection, ConnectionOptions, Link } from "../../src/ports";
import type { Acquirer } from "../acquirer/acquirer";
import type { HostConnection } from "../acquirer/connection";
import type { Power } from "./power";

export interface MemoryLinkOptions {
	power: Power;
	/** The board's clock: a dead board hears nothing. */
	clock: Clock;
	/** The network's clock: what was sent arrives even if the board dies. */
	network: Clock;
	/** The host as it is now; undefined while it is down. */
	host(): Acquirer | undefined;
	/** One way; default 50 ms. */
	latencyMs?: number;
	name?: string;
	secure?: boolean;
	beforeWrite?(bytes: Uint8Array): void;
	/** What the host sends, as it arrives; what is lost on the way is not seen. */
	onArrival?(bytes: Uint8Array): void;
}

const RECEIVE_BYTES_MAX = 8192;

export class MemoryLink implements Link {
	readonly name: string;
	readonly secure: boolean;
	up = true;
	beforeWrite: ((bytes: Uint8Array) => void) | undefined;
	readonly options: MemoryLinkOptions;

	constructor(options: MemoryLinkOptions) {
		this.options = options;
		this.name = options.name ?? "memory";
		this.secure = options.secure ?? true;
		this.beforeWrite = options.beforeWrite;
	}

	connect(options: ConnectionOptions): Connection {
		this.options.power.check();
		return new MemoryConnection(this, options);
	}
}

class MemoryConnection implements Connection {
	readonly #link: MemoryLink;
	readonly #callbacks: ConnectionOptions;
	readonly #received = new Uint8Array(RECEIVE_BYTES_MAX);
	readonly #forget: () => void;
	#count = 0;
	#open = false;
	#closed = false;
	#peer: HostConnection | undefined;

	constructor(link: MemoryLink, callbacks: ConnectionOptions) {
		this.#link = link;
		this.#callbacks = callbacks;
		const { network, power } = link.options;
		this.#forget = power.onCut(() => this.#drop());
		network.setTimer(this.#latencyMs, () => this.#establish());
	}

	read(buffer: Uint8Array): number {
		this.#link.options.power.check();
		const count = Math.min(buffer.length, this.#count);
		buffer.set(this.#received.subarray(0, count));
		this.#received.copyWithin(0, count, this.#count);
		this.#count -= count;
		return count;
	}

	write(buffer: Uint8Array): boolean {
		this.#link.options.power.check();
		if (!this.#open || this.#closed) return false;
		this.#link.beforeWrite?.(buffer);
		const bytes = buffer.slice();
		this.#link.options.network.setTimer(this.#latencyMs, () => {
			if (this.#link.up) this.#peer?.receive(bytes);
		});
		return true;
	}

	close(): void {
		this.#forget();
		this.#drop();
	}

	get #latencyMs(): number {
		return this.#link.options.latencyMs ?? 50;
	}

	/** The board's end is gone, by its will or by power. */
	#drop(): void {
		if (this.#closed) return;
		this.#closed = true;
		const peer = this.#peer;
		if (peer !== undefined) this.#link.options.network.setTimer(this.#latencyMs, () => peer.end());
	}

	#establish(): void {
		if (this.#closed) return;
		const host = this.#link.up ? this.#link.options.host() : undefined;
		this.#peer = host?.connect({
			send: (bytes) => this.#arrive(bytes.slice()),
			close: () => this.#ended(),
		});
		if (this.#peer === undefined) {
			this.#ended();
			return;
		}
		this.#open = true;
		this.#deliver(() => this.#callbacks.onWritable(RECEIVE_BYTES_MAX));
	}

	#arrive(bytes: Uint8Array): void {
		this.#link.options.network.setTimer(this.#latencyMs, () => {
			if (this.#closed || !this.#link.up) return;
			this.#link.options.onArrival?.(bytes);
			const room = Math.min(bytes.length, RECEIVE_BYTES_MAX - this.#count);
			this.#received.set(bytes.subarray(0, room), this.#count);
			this.#count += room;
			this.#deliver(() => this.#callbacks.onReadable(this.#count));
		});
	}

	#ended(): void {
		this.#link.options.network.setTimer(this.#latencyMs, () => {
			if (this.#closed) return;
			this.#closed = true;
			this.#open = false;
			this.#forget();
			this.#deliver(() => this.#callbacks.onError());
		});
	}

	#deliver(callback: () => void): void {
		this.#link.options.power.deliver(callback);
	}
}
