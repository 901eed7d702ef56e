/**
 * A link of one terminal, for one boot, through the network of the world: what the weather makes of it, and what
 * strikes its connections. The network itself outlives the boot: what was sent arrives.
 *
 * Bounds (I10): bytes under way and unread by connection, frames that wait to be carried alone by link; how many
 * connections there are is the terminal's and the host's to bound.
 * @module
 */
import type { Clock, Connection, ConnectionOptions, Link } from "../../src/ports";
import type { Acquirer } from "../acquirer/acquirer";
import type { Power } from "../board/power";
import { type LinkSide, WorldConnection } from "./network-connection";
import type { Strikes } from "./strikes";

/**
 * up: carries. refuses: connects fail, and open connections break. silent: connects never come to an end, and what is
 * written and what arrives is lost, without an error; what had left before is not lost.
 */
export type LinkState = "up" | "refuses" | "silent";

export interface WorldLinkOptions {
	readonly name: string;
	/** Default true. */
	readonly secure?: boolean;
	/** Of this boot. */
	readonly power: Power;
	/** Outlives `power`; gives no number twice. */
	readonly network: Clock;
	/** The host as it is now; undefined while it is down. */
	host(): Acquirer | undefined;
	/** One way. */
	readonly latencyMs: number;
	readonly strikes: Strikes;
	/** All that the terminal writes, before a byte of it leaves; what it throws goes to the terminal. */
	beforeWrite?(bytes: Uint8Array, connection: number): void;
	/** What the terminal gets, as it arrives; what is lost on the way is not seen. Borrowed. */
	onArrival?(bytes: Uint8Array, connection: number): void;
	/** For the story; with `bytes` when something is carried. Borrowed. */
	onTrace?(what: string, bytes?: Uint8Array): void;
}

/** Frames that wait to be carried alone. */
const ALONE_MAX = 16;

export class WorldLink implements Link, LinkSide {
	readonly name: string;
	readonly secure: boolean;
	readonly options: WorldLinkOptions;
	readonly #connections = new Set<WorldConnection>();
	#state: LinkState = "up";
	#alone = 0;

	constructor(options: WorldLinkOptions) {
		this.options = options;
		this.name = options.name;
		this.secure = options.secure ?? true;
		options.power.onCut(() => {
			for (const connection of [...this.#connections]) connection.powerLost();
		});
	}

	get state(): LinkState {
		return this.#state;
	}

	/** May be set at any time, also inside a call of the terminal's. */
	set state(state: LinkState) {
		if (this.#state === state) return;
		this.#state = state;
		if (state === "refuses") for (const connection of [...this.#connections]) connection.linkLost();
	}

	connect(options: ConnectionOptions): Connection {
		this.options.power.check();
		const connection = new WorldConnection(this, options);
		this.#connections.add(connection);
		return connection;
	}

	/** For its connections only. */
	forget(connection: WorldConnection): void {
		this.#connections.delete(connection);
	}

	/** For its connections only. */
	get roomAlone(): boolean {
		return this.#alone < ALONE_MAX;
	}

	/** For its connections only. */
	carryAlone(bytes: Uint8Array, ms: number): void {
		if (!this.roomAlone) return;
		this.#alone++;
		this.options.network.setTimer(ms, () => {
			this.#alone--;
			this.deliverAlone(bytes);
		});
	}

	/** For its connections only. */
	deliverAlone(bytes: Uint8Array): void {
		this.options.onTrace?.("carries a frame to the host on a connection of its own");
		const connection = this.options.host()?.connect({ send() {}, close() {} });
		connection?.receive(bytes);
		connection?.end();
	}
}
