/**
 * A link to the host over TLS with both sides' certificates: the SDK's `embedded:io/socket/tcp/tls`, which is TLS 1.2 in
 * JavaScript, made strict by what stands around it (DESIGN.md, "TLS"): `guarded-socket.ts` beneath, `host-trust.ts` in
 * the place of the SDK's own check of certificates.
 *
 * Invariant (I1): as `tcp-link`, by the same {@link SocketConnection}: `write` says false only when not one byte can
 * have left. Before the handshake is over there is no room, so nothing is taken.
 * No session is kept for later: each connection proves both sides anew.
 * Source: Moddable SDK 8.2, examples/io/tcp/tlssocket, modules/crypt/ssl/session_419; RFC 5246.
 * @module
 */
import { CodedError } from "../../src/core/errors";
import type { Clock, Connection, ConnectionOptions, Link, LogSink } from "../../src/ports";
import { type OpenSocket, type SocketCallbacks, SocketConnection, type SocketIo } from "../tcp-link/socket-connection";
import type { TcpIoClass, TcpIoOptions } from "../tcp-link/tcp-link";
import { GuardedSocket, type GuardedSocketOptions, type GuardedSocketOwner } from "./guarded-socket";
import { FRAGMENT_BYTES_MAX } from "./handshake-guard";
import type { HostTrust } from "./host-trust";

export interface TlsIoOptions extends TcpIoOptions {
	TCP: GuardedSocketOptions["TCP"];
	/** The host's name, for its certificate and the server name indication. */
	host: string;
	secure: {
		/** Nothing of a session outlives it. */
		cache: false;
		trust: HostTrust;
		/** Longest fragment of a record that the host may send: RFC 6066 §4. */
		tls_max_fragment_length: number;
	};
}

export type TlsIoClass = new (options: TlsIoOptions) => SocketIo;

export interface TlsLinkOptions {
	/** The two classes, and where to connect: an IPv4 address in digits. */
	socket: { io: TlsIoClass; tcp: TcpIoClass; address: string; port: number };
	/** Whom to believe, and what to show. */
	trust: HostTrust;
	clock: Clock;
	log: LogSink;
	/** Default "tls". */
	name?: string;
}

export class TlsLink implements Link {
	readonly name: string;
	readonly secure = true;
	readonly #options: TlsLinkOptions;
	/** The firmware has one at a time; a new one ends the old. */
	#connection: SocketConnection | undefined;
	#closed = false;

	constructor(options: TlsLinkOptions) {
		this.name = options.name ?? "tls";
		this.#options = options;
	}

	connect(options: ConnectionOptions): Connection {
		this.#connection?.close();
		const open: OpenSocket = (callbacks) => (this.#closed ? undefined : new TlsSocket(this.#options, callbacks));
		this.#connection = new SocketConnection(open, this.#options.clock, options);
		return this.#connection;
	}

	/** Ends the connection without a word; later ones fail. May be called twice. */
	close(): void {
		this.#closed = true;
		this.#connection?.close();
		this.#connection = undefined;
	}
}

/** What a record adds to its data: header, explicit nonce, tag. Source: RFC 5288 §3. */
const RECORD_EXTRA = 5 + 8 + 16;

/**
 * One TLS socket with what it runs over. Between firmware and TLS class lies a timer, both ways: an answer that goes on
 * to the journal and a request that is enciphered both need the stack (512 slots on the board), and must not stand on
 * each other. What waits for its turn when the connection ends was taken and is lost, as in any socket.
 */
class TlsSocket implements SocketIo, GuardedSocketOwner {
	readonly #link: TlsLinkOptions;
	readonly #callbacks: SocketCallbacks;
	readonly #io: SocketIo;
	#beneath: GuardedSocket | undefined;
	/** What is to be told: bytes that wait, room that there is (−1: nothing new), the end. */
	#readable = 0;
	#writable = -1;
	#failed = false;
	/** What the firmware wrote and the TLS class has not got yet, and the room that is left beside it. */
	readonly #outbox: Uint8Array[] = [];
	#room = 0;
	#timer = 0;
	#closed = false;

	constructor(link: TlsLinkOptions, callbacks: SocketCallbacks) {
		this.#link = link;
		this.#callbacks = callbacks;
		const { io: Tls, tcp, address, port } = link.socket;
		try {
			this.#io = new Tls({
				...{ address, port, nodelay: true },
				host: link.trust.hostName,
				TCP: { io: GuardedSocket, inner: tcp, owner: this },
				secure: { cache: false, trust: link.trust, tls_max_fragment_length: FRAGMENT_BYTES_MAX },
				onReadable: (byteCount) => {
					this.#readable = byteCount;
					this.#later();
				},
				onWritable: (byteCount) => {
					this.#writable = byteCount;
					this.#room = byteCount;
					this.#later();
				},
				onError: () => {
					this.#failed = true;
					this.#later();
				},
			});
		} catch (error) {
			this.broken(error);
			throw error;
		}
	}

	read(buffer: Uint8Array): unknown {
		const result = this.#io.read(buffer);
		if (this.#beneath?.stalled === true) this.#later(); // The next record waited for this one to be read.
		return result;
	}

	write(buffer: Uint8Array): number {
		this.#outbox.push(buffer.slice());
		this.#room = Math.max(0, this.#room - buffer.length - RECORD_EXTRA);
		this.#later();
		return this.#room;
	}

	close(): void {
		this.#closed = true;
		this.#link.clock.clearTimer(this.#timer);
		this.#wipe();
		this.#io.close();
	}

	opened(socket: GuardedSocket): void {
		this.#beneath = socket;
	}

	/** Why, for the log; of an error that is not ours only the kind, its text is the engine's. */
	broken(error: unknown): void {
		const { clock, log } = this.#link;
		const text = error instanceof CodedError ? error.message : error instanceof Error ? error.name : "unknown";
		log.write("W", clock.monotonic(), "tls", `connection given up: ${text}`);
	}

	#later(): void {
		if (this.#timer === 0 && !this.#closed) this.#timer = this.#link.clock.setTimer(0, this.#tell);
	}

	/** In the order in which it happened: room comes first, with the connection; the end is last. */
	readonly #tell = (): void => {
		this.#timer = 0;
		this.#send();
		const writable = this.#writable;
		this.#writable = -1;
		if (writable >= 0) this.#callbacks.onWritable(writable);
		const readable = this.#readable;
		this.#readable = 0;
		if (readable > 0 && !this.#closed) this.#callbacks.onReadable(readable);
		if (this.#closed) return;
		if (this.#beneath?.stalled === true) this.#beneath.resume();
		if (this.#failed && this.#readable === 0) this.#callbacks.onError();
	};

	#send(): void {
		try {
			for (const bytes of this.#outbox) {
				if (this.#failed) break;
				const room = this.#io.write(bytes);
				if (typeof room === "number" && room >= 0) continue; // NaN is what it makes of a socket that failed.
				throw new CodedError("state", "tls", "the socket failed");
			}
		} catch (error) {
			this.broken(error);
			this.#failed = true;
		}
		this.#wipe();
	}

	/** What was written may be a card's data. */
	#wipe(): void {
		for (const bytes of this.#outbox) bytes.fill(0);
		this.#outbox.length = 0;
	}
}
