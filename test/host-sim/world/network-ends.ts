/**
 * Both ends of the world's network for its tests: a terminal's end that watches the rules of ECMA-419, and a host that
 * writes down what reaches it.
 */
import assert from "node:assert/strict";
import type { Acquirer } from "../../../host-sim/acquirer/acquirer";
import type { HostConnection, Peer } from "../../../host-sim/acquirer/connection";
import { Power } from "../../../host-sim/board/power";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { VirtualTime } from "../../../host-sim/board/virtual-clock";
import { WorldLink, type WorldLinkOptions } from "../../../host-sim/world/network";
import { Strikes, type StrikesOptions } from "../../../host-sim/world/strikes";
import type { Connection } from "../../../src/ports";

export const LATENCY_MS = 50;

/** A frame of `length` bytes that no other number has. */
export function frame(number: number, length = 40): Uint8Array {
	return Uint8Array.from({ length }, (_, i) => (i === 0 ? number : (number * 31 + i) & 0xff));
}

export function join(pieces: readonly Uint8Array[]): Uint8Array {
	return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

/** What reached the host over one connection. */
export class HostEnd {
	readonly peer: Peer;
	readonly pieces: Uint8Array[] = [];
	/** ms since the beginning, of each piece. */
	readonly times: number[] = [];
	closed = false;
	/** The peer's end has come, at this time; −1: not. */
	endedMs = -1;
	readonly #net: Net;

	constructor(net: Net, peer: Peer) {
		this.#net = net;
		this.peer = peer;
	}

	get bytes(): Uint8Array {
		return join(this.pieces);
	}

	receive(bytes: Uint8Array, byteCount = bytes.length): void {
		if (this.closed) return;
		assert.equal(this.endedMs, -1, "nothing comes behind the end");
		assert.ok(byteCount > 0 && byteCount <= bytes.length);
		this.pieces.push(bytes.slice(0, byteCount));
		this.times.push(this.#net.ms);
		this.#net.onHost?.(this, bytes);
	}

	end(): void {
		if (this.closed) return;
		this.endedMs = this.#net.ms;
		this.closed = true;
	}

	close(): void {
		if (this.closed) return;
		this.closed = true;
		this.peer.close();
	}
}

/** A terminal's end of one connection. */
export class TerminalEnd {
	readonly connection: Connection;
	readonly #net: Net;
	readonly #heard: Uint8Array[] = [];
	/** Leave bytes unread. */
	lazy = false;
	stands = false;
	/** onWritable after the first one: room again. */
	rooms: number[] = [];
	errors = 0;
	errorMs = -1;
	heardMs: number[] = [];
	#inside = false;
	#closed = false;

	constructor(net: Net, link: WorldLink) {
		this.#net = net;
		this.connection = this.#call(() =>
			link.connect({
				onReadable: (count) => {
					this.#check();
					assert.ok(count > 0);
					this.heardMs.push(net.ms);
					if (!this.lazy) this.read();
				},
				onWritable: (count) => {
					this.#check();
					assert.ok(count > 0);
					if (this.stands) this.rooms.push(count);
					this.stands = true;
				},
				onError: () => {
					this.#check();
					this.errors++;
					this.errorMs = net.ms;
				},
			}),
		);
	}

	/** All that was read so far. */
	get heard(): Uint8Array {
		return join(this.#heard);
	}

	write(bytes: Uint8Array): boolean {
		return this.#call(() => this.connection.write(bytes));
	}

	/** Reads on until nothing waits. */
	read(buffer = new Uint8Array(512)): void {
		for (;;) {
			const count = this.#call(() => this.connection.read(buffer));
			if (count === 0) return;
			this.#heard.push(buffer.slice(0, count));
		}
	}

	close(): void {
		this.#call(() => this.connection.close());
		this.#closed = true;
	}

	#call<T>(port: () => T): T {
		const before = this.#inside;
		this.#inside = true;
		try {
			return port();
		} finally {
			this.#inside = before;
		}
	}

	/** In every callback. */
	#check(): void {
		assert.equal(this.#inside, false, "no callback inside a call");
		assert.equal(this.#closed, false, "no callback after close()");
		assert.equal(this.errors, 0, "no callback after onError");
		assert.equal(this.#net.power.on, true, "no callback on a dead board");
	}
}

export interface NetOptions extends Partial<Omit<StrikesOptions, "random">> {
	seed?: number;
	link?: Partial<WorldLinkOptions>;
}

/** A board with links to one host. */
export class Net {
	readonly time = new VirtualTime();
	readonly network = this.time.clock();
	readonly power = new Power();
	readonly strikes: Strikes;
	readonly link: WorldLink;
	readonly hosts: HostEnd[] = [];
	readonly trace: string[] = [];
	hostUp = true;
	/** What the host does with what reaches it. */
	onHost: ((end: HostEnd, bytes: Uint8Array) => void) | undefined;
	readonly #more: Partial<WorldLinkOptions>;

	constructor(options: NetOptions = {}) {
		const { seed = 1, link = {}, rates = {}, ...strikes } = options;
		this.strikes = new Strikes({ rates, ...strikes, random: new SeededRandom(seed) });
		this.#more = link;
		this.link = this.makeLink();
	}

	get ms(): number {
		return this.network.monotonic();
	}

	makeLink(): WorldLink {
		return new WorldLink({
			name: "test",
			power: this.power,
			network: this.network,
			host: () => (this.hostUp ? (this as unknown as Acquirer) : undefined),
			latencyMs: LATENCY_MS,
			strikes: this.strikes,
			onTrace: (what, bytes) => this.trace.push(`${this.ms} ${what} ${bytes === undefined ? "" : [...bytes]}`),
			...this.#more,
		});
	}

	/** As the acquirer has it. */
	connect(peer: Peer): HostConnection {
		const end = new HostEnd(this, peer);
		this.hosts.push(end);
		return end as unknown as HostConnection;
	}

	begin(link = this.link): TerminalEnd {
		return new TerminalEnd(this, link);
	}

	/** A connection that stands. */
	open(link = this.link): TerminalEnd {
		const end = this.begin(link);
		this.time.advance(LATENCY_MS);
		assert.equal(end.stands, true);
		return end;
	}

	/** Until nothing waits any more. */
	drain(): void {
		while (this.time.step());
	}

	/** Whether some line of the trace matches. */
	traced(pattern: RegExp): boolean {
		return this.trace.some((line) => pattern.test(line));
	}
}

/** The first seed whose strikes draw what the test is about. */
export function findSeed<T>(run: (seed: number) => T | undefined): T {
	for (let seed = 0; seed < 200; seed++) {
		const found = run(seed);
		if (found !== undefined) return found;
	}
	throw new Error("no seed of 200 draws that");
}

/** The n-th occasion of this kind is struck, and no other. */
export function struck(kind: string, seed = 1, n = 1): NetOptions {
	return { seed, rates: { [kind]: 1_000 }, only: [`${kind}#${n}`] };
}
