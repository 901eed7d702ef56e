/**
 * The TCP socket that the SDK's TLS runs over. It shows every byte to the {@link HandshakeGuard}, hands over one record at
 * a time, and lets no error out: the SDK's TLS throws through the socket's callbacks when a certificate or a seal is
 * wrong, and on the board an error that nobody catches is the end of the program. One record at a time because the TLS
 * class would take the next from a timer of its own, where nobody could catch, and drops data that comes together with
 * the end of the handshake.
 * @module
 */
import type { SocketIo } from "../tcp-link/socket-connection";
import type { TcpIoClass, TcpIoOptions } from "../tcp-link/tcp-link";
import { HandshakeGuard } from "./handshake-guard";

/** Who is told of what happens beneath the TLS class. */
export interface GuardedSocketOwner {
	opened(socket: GuardedSocket): void;
	/** The connection ends here, and this is why. */
	broken(error: unknown): void;
}

/** What the TLS class hands to the class of its sockets: its own options, with its own callbacks in them. */
export interface GuardedSocketOptions extends TcpIoOptions {
	TCP: {
		io: typeof GuardedSocket;
		/** The socket beneath. */
		inner: TcpIoClass;
		owner: GuardedSocketOwner;
	};
}

export class GuardedSocket implements SocketIo {
	/** The SDK's TLS class keeps its counts here: what it may read now, what it may write. */
	readable = 0;
	writable = 0;
	readonly #guard = new HandshakeGuard();
	readonly #options: GuardedSocketOptions;
	readonly #io: SocketIo;
	/** Bytes that wait in the socket beneath. */
	#waiting = 0;
	#over = false;

	constructor(options: GuardedSocketOptions) {
		this.#options = options;
		const { address, port, nodelay, TCP } = options;
		this.#io = new TCP.inner({
			...{ address, port, nodelay },
			onReadable: (byteCount) => {
				this.#waiting = byteCount;
				this.resume();
			},
			onWritable: (byteCount) => {
				if (this.#over) return;
				try {
					options.onWritable(byteCount);
				} catch (error) {
					this.#fail(error);
				}
			},
			onError: () => {
				if (!this.#over) options.onError();
			},
		});
		TCP.owner.opened(this);
	}

	/** True when bytes wait that the TLS class has not taken: what it had was not read yet. */
	get stalled(): boolean {
		return this.#waiting > 0;
	}

	/** Hands over what waits, until it is not taken. */
	resume(): void {
		try {
			while (this.#waiting > 0 && !this.#over) {
				const before = this.#waiting;
				this.#options.onReadable(Math.min(before, this.#guard.wanted));
				if (this.#waiting === before) break;
			}
		} catch (error) {
			this.#fail(error);
		}
		this.readable = 0; // Nothing is left for the timer of the TLS class.
	}

	/** Fills `buffer`. */
	read(buffer: Uint8Array): void {
		this.#io.read(buffer);
		this.#waiting -= buffer.length;
		this.#guard.fromHost(buffer);
	}

	/** A record, whole. @returns bytes of room left; undefined when the connection has failed */
	write(record: Uint8Array): unknown {
		this.#guard.toHost(record);
		return this.#io.write(record);
	}

	/** May be called twice. */
	close(): void {
		this.#over = true;
		this.#waiting = 0;
		this.#io.close();
	}

	#fail(error: unknown): void {
		if (this.#over) return;
		const { TCP, onError } = this.#options;
		TCP.owner.broken(error);
		this.close();
		onError();
	}
}
