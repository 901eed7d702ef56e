/**
 * A link to the host over ECMA-419 TCP ("embedded:io/socket/tcp"), on the desktop's simulator as on the board.
 *
 * Invariant (I1): `write` says false only when not one byte can have left. A write that fails in any other way may
 * have sent something, so it counts as taken and the connection as gone: the firmware reverses it.
 *
 * What the SDK's class does, and what is made of it:
 * - it throws "would block" before anything is sent when there is no room: we count the room and do not come so far;
 * - after a failure it writes nothing and returns undefined, and on the desktop no error follows: we raise it;
 * - it calls `onError` for a refusal, a break and an orderly end alike, and reads of more than what waits throw;
 * - it knows addresses, not names.
 * Source: ECMA-419, 2nd edition, "TCP socket"; Moddable SDK 8.2, modules/io/socket/{lin,lwip}/tcp.c.
 * @module
 */
import type { Clock, Connection, ConnectionOptions, Link } from "../../src/ports";

/** What is used of a TCP instance. */
export interface TcpIo {
	/** Fills `buffer`; throws when fewer bytes wait. */
	read(buffer: Uint8Array): unknown;
	/** @returns bytes of room left; undefined when the connection has failed */
	write(buffer: Uint8Array): unknown;
	close(): void;
}

export interface TcpIoOptions {
	address: string;
	port: number;
	nodelay: boolean;
	onReadable(byteCount: number): void;
	onWritable(byteCount: number): void;
	onError(): void;
}

export type TcpIoClass = new (options: TcpIoOptions) => TcpIo;

export interface TcpLinkOptions {
	/** The class, and where to connect: an IPv4 address in digits. */
	socket: { io: TcpIoClass; address: string; port: number };
	clock: Clock;
	/** Default "tcp". */
	name?: string;
}

export class TcpLink implements Link {
	readonly name: string;
	readonly secure = false;
	readonly #options: TcpLinkOptions;
	/** The firmware has one at a time; a new one ends the old. */
	#connection: TcpConnection | undefined;
	#closed = false;

	constructor(options: TcpLinkOptions) {
		this.name = options.name ?? "tcp";
		this.#options = options;
	}

	connect(options: ConnectionOptions): Connection {
		this.#connection?.close();
		this.#connection = new TcpConnection(this.#options, options, this.#closed);
		return this.#connection;
	}

	/** Ends the connection without a word; later ones fail. May be called twice. */
	close(): void {
		this.#closed = true;
		this.#connection?.close();
		this.#connection = undefined;
	}
}

class TcpConnection implements Connection {
	readonly #options: ConnectionOptions;
	readonly #clock: Clock;
	#io: TcpIo | undefined;
	/** Bytes that wait to be read, and that a write may take. */
	#readable = 0;
	#room = 0;
	#closed = false;
	#failed = false;

	constructor(link: TcpLinkOptions, options: ConnectionOptions, dead: boolean) {
		const { io: Tcp, address, port } = link.socket;
		this.#options = options;
		this.#clock = link.clock;
		if (dead) {
			this.#fail();
			return;
		}
		try {
			this.#io = new Tcp({
				address,
				port,
				nodelay: true, // A request is one small write: waiting for more only delays it.
				onReadable: (byteCount) => {
					if (this.#over) return;
					this.#readable = byteCount;
					this.#deliver(() => options.onReadable(byteCount));
				},
				onWritable: (byteCount) => {
					if (this.#over) return;
					this.#room = byteCount;
					this.#deliver(() => options.onWritable(byteCount));
				},
				onError: () => {
					if (this.#over) return;
					this.#drop();
					this.#deliver(() => options.onError());
				},
			});
		} catch {
			// A bad address, no socket, no memory: told as any connection that does not come to stand.
			this.#fail();
		}
	}

	read(buffer: Uint8Array): number {
		const count = Math.min(buffer.length, this.#readable);
		if (this.#io === undefined || count === 0) return 0;
		try {
			this.#io.read(count === buffer.length ? buffer : buffer.subarray(0, count));
		} catch {
			this.#fail(); // It had fewer bytes than it said: the stream has a hole.
			return 0;
		}
		this.#readable -= count;
		return count;
	}

	write(buffer: Uint8Array): boolean {
		if (this.#io === undefined || buffer.length > this.#room) return false;
		let room: unknown;
		try {
			room = this.#io.write(buffer);
		} catch {
			room = undefined; // Not "would block", there was room: what has left nobody knows.
		}
		if (typeof room === "number") this.#room = room;
		else this.#fail();
		return true;
	}

	/** May be called twice. */
	close(): void {
		this.#closed = true;
		this.#drop();
	}

	get #over(): boolean {
		return this.#closed || this.#failed;
	}

	/** When the board dies inside the call, what still ran there fails, and that is all. */
	#deliver(action: () => void): void {
		try {
			action();
		} catch (error) {
			if (!this.#closed) throw error;
		}
	}

	/** The connection is gone; the firmware hears of it a turn later, never inside its own call. */
	#fail(): void {
		if (this.#over) return;
		this.#drop();
		this.#clock.setTimer(0, () => {
			if (!this.#closed) this.#options.onError();
		});
	}

	#drop(): void {
		this.#failed = true;
		this.#readable = 0;
		this.#room = 0;
		const io = this.#io;
		this.#io = undefined;
		io?.close();
	}
}
