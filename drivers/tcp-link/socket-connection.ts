/**
 * One connection of the firmware over a socket class in the pattern of ECMA-419; what `tcp-link` and `tls-link` share.
 *
 * Invariant (I1): `write` says false only when not one byte can have left. A write that fails in any other way may
 * have sent something, so it counts as taken and the connection as gone: the firmware reverses it.
 *
 * What the SDK's classes do, and what is made of it:
 * - they throw "would block" before anything is sent when there is no room: we count the room and do not come so far;
 * - after a failure they write nothing and return undefined, and on the desktop no error follows: we raise it;
 * - they call `onError` for a refusal, a break and an orderly end alike, and reads of more than what waits throw.
 * Source: ECMA-419, 2nd edition, "TCP socket"; Moddable SDK 8.2, modules/io/socket/{lin,lwip}/tcp.c.
 * @module
 */
import type { Clock, Connection, ConnectionOptions } from "../../src/ports";

/** What is used of a socket. */
export interface SocketIo {
	/** Fills `buffer`; throws when fewer bytes wait. */
	read(buffer: Uint8Array): unknown;
	/** @returns bytes of room left; undefined when the connection has failed */
	write(buffer: Uint8Array): unknown;
	close(): void;
}

export interface SocketCallbacks {
	onReadable(byteCount: number): void;
	onWritable(byteCount: number): void;
	onError(): void;
}

/** Makes the socket that begins to connect; undefined when the link is closed. */
export type OpenSocket = (callbacks: SocketCallbacks) => SocketIo | undefined;

export class SocketConnection implements Connection {
	readonly #options: ConnectionOptions;
	readonly #clock: Clock;
	#io: SocketIo | undefined;
	/** Bytes that wait to be read, and that a write may take. */
	#readable = 0;
	#room = 0;
	#closed = false;
	#failed = false;

	constructor(open: OpenSocket, clock: Clock, options: ConnectionOptions) {
		this.#options = options;
		this.#clock = clock;
		try {
			this.#io = open({
				onReadable: (byteCount) => {
					if (this.#over) return;
					this.#readable = byteCount;
					try {
						options.onReadable(byteCount);
					} catch (error) {
						this.#pass(error);
					}
				},
				onWritable: (byteCount) => {
					if (this.#over) return;
					this.#room = byteCount;
					try {
						options.onWritable(byteCount);
					} catch (error) {
						this.#pass(error);
					}
				},
				onError: () => {
					if (this.#over) return;
					this.#drop();
					try {
						options.onError();
					} catch (error) {
						this.#pass(error);
					}
				},
			});
		} catch {
			// A bad address, no socket, no memory: told as any connection that does not come to stand.
		}
		if (this.#io === undefined) this.#fail();
		else if (this.#over) this.#drop(); // It called back before it was made.
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

	/**
	 * When the board dies inside a callback, what still ran there fails, and that is all. (Not a function around the call:
	 * an answer goes on to the journal from here, and each call costs a dozen of the board's 512 slots of stack.)
	 */
	#pass(error: unknown): void {
		if (!this.#closed) throw error;
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
