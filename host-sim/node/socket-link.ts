/**
 * What the links over sockets have in common: the faults of a real network, and the contract of ECMA-419 TCP (see
 * ports.ts). Callbacks never run inside `connect`, `read`, `write` or `close`; a write is taken whole or not at all;
 * one buffer of received bytes is held here, and the peer waits while the firmware does not read (I10).
 *
 * `beforeWrite` sees every write, as the firmware wrote it, before the first byte of it leaves: what checks I1 hangs
 * there.
 *
 * While the link is down, "silent" loses what is sent and what comes, and new connections neither stand nor fail;
 * a connection that lived through it stays silent for good, as the stream has a hole, while the host keeps its half
 * of it open. "cut" ends open connections and fails new ones.
 * @module
 */
import type { Socket } from "node:net";
import { assert } from "../../src/core/assert";
import type { Connection, ConnectionOptions, Link } from "../../src/ports";
import { Power } from "../board/power";
import { linkFault } from "./tls-words";

export type DownMode = "silent" | "cut";

export interface SocketLinkOptions {
	port: number;
	/** Default 127.0.0.1. */
	host?: string;
	/** For log and screen; default "tcp" or "tls". */
	name?: string;
	power?: Power;
	/** Received bytes held for the firmware, default 2048. */
	receiveBytesMax?: number;
	/** Sent bytes the system has not taken yet, default 8192. */
	sendBytesMax?: number;
	/** From the firmware's close() to the end of the socket, for a host that takes nothing any more; default 5000. */
	lingerMsMax?: number;
	beforeWrite?(bytes: Uint8Array): void;
	/** A connection has failed for another reason than the one before it; one line for the log. */
	onFailed?(reason: string): void;
}

/** What a socket tells its connection; never inside {@link SocketLink.dial}. */
export interface DialEvents {
	/** The connection stands: from now on bytes may be written. */
	onOpen(): void;
	/** `count` bytes are in the buffer, from its start. @returns whether they are read and the next may come at once */
	onBytes(count: number): boolean;
}

/** A socket on its way to the host. */
export interface Dialled {
	readonly socket: Socket;
	/** The bytes in the buffer are read: the next may come, after this call has returned. */
	more(): void;
}

const CONNECTIONS_MAX = 16;

export abstract class SocketLink implements Link {
	readonly name: string;
	abstract readonly secure: boolean;
	/** What a link that is down does; takes effect with the next change of {@link up}. */
	downMode: DownMode = "cut";
	beforeWrite: ((bytes: Uint8Array) => void) | undefined;
	/** Counts over the link's life. */
	connects = 0;
	bytesSent = 0;
	bytesReceived = 0;
	/** Why the last connection failed, one line for the log; undefined when none has since one stood. */
	lastError: string | undefined;
	readonly host: string;
	readonly port: number;
	readonly power: Power;
	readonly receiveBytesMax: number;
	readonly sendBytesMax: number;
	readonly lingerMsMax: number;
	readonly #connections = new Set<SocketConnection>();
	readonly #onFailed: ((reason: string) => void) | undefined;
	#up = true;

	constructor(options: SocketLinkOptions, name: string) {
		this.name = options.name ?? name;
		this.host = options.host ?? "127.0.0.1";
		this.port = options.port;
		this.power = options.power ?? new Power();
		this.receiveBytesMax = options.receiveBytesMax ?? 2048;
		this.sendBytesMax = options.sendBytesMax ?? 8192;
		this.lingerMsMax = options.lingerMsMax ?? 5000;
		this.beforeWrite = options.beforeWrite;
		this.#onFailed = options.onFailed;
		this.power.onCut(() => {
			for (const connection of this.#connections) connection.abort();
		});
	}

	why(): string | undefined {
		return this.lastError;
	}

	/** Begins a connection whose received bytes go into `buffer`, one fill at a time. */
	abstract dial(buffer: Uint8Array, events: DialEvents): Dialled;

	/** Takes down why a connection failed. Reconnecting again and again gives one line. */
	failed(reason: string): void {
		if (reason === this.lastError) return;
		this.lastError = reason;
		this.#onFailed?.(reason);
	}

	get up(): boolean {
		return this.#up;
	}

	set up(up: boolean) {
		if (up === this.#up) return;
		this.#up = up;
		if (up) return;
		for (const connection of this.#connections) {
			if (this.downMode === "silent") connection.silence();
			else connection.fail("the link is down");
		}
	}

	connect(options: ConnectionOptions): Connection {
		this.power.check();
		assert(this.#connections.size < CONNECTIONS_MAX, "at most 16 connections on a link (I10)");
		this.connects += 1;
		const connection = new SocketConnection(this, options, (gone) => this.#connections.delete(gone));
		this.#connections.add(connection);
		if (this.#up) connection.open();
		else if (this.downMode === "cut") connection.fail("the link is down");
		return connection;
	}
}

class SocketConnection implements Connection {
	readonly #link: SocketLink;
	readonly #options: ConnectionOptions;
	readonly #onGone: (connection: SocketConnection) => void;
	/** Received bytes; the next are taken off the socket when all of these are read. */
	readonly #received: Uint8Array;
	#readAt = 0;
	#readEnd = 0;
	#dialled: Dialled | undefined;
	#standing = false;
	#silent = false;
	/** Closed, failed, or the board is dead. */
	#over = false;
	/** Closed by the firmware, which then hears nothing more. */
	#closed = false;
	/** The host has ended the stream, and the firmware has not read all of it yet. */
	#ended = false;
	/** A write was refused; the firmware waits for room. */
	#full = false;

	constructor(link: SocketLink, options: ConnectionOptions, onGone: (connection: SocketConnection) => void) {
		this.#link = link;
		this.#options = options;
		this.#onGone = onGone;
		this.#received = new Uint8Array(link.receiveBytesMax);
	}

	open(): void {
		this.#dialled = this.#link.dial(this.#received, {
			onOpen: () => this.#onOpen(),
			onBytes: (count) => this.#onBytes(count),
		});
		const { socket } = this.#dialled;
		socket.setNoDelay(true);
		socket.on("end", () => this.#onEnd());
		socket.on("error", (error: NodeJS.ErrnoException) => this.fail(linkFault(error.code)));
		socket.on("close", () => this.#onEnd());
	}

	read(buffer: Uint8Array): number {
		this.#link.power.check();
		const count = this.#over ? 0 : Math.min(buffer.length, this.#readEnd - this.#readAt);
		if (count === 0) return 0;
		buffer.set(this.#received.subarray(this.#readAt, this.#readAt + count));
		this.#readAt += count;
		if (this.#readAt < this.#readEnd) return count;
		if (this.#ended) this.#onEnd();
		else this.#dialled?.more();
		return count;
	}

	write(buffer: Uint8Array): boolean {
		this.#link.power.check();
		if (this.#over || !this.#standing) return false;
		if (this.#room() < buffer.length) {
			this.#full = true;
			return false;
		}
		this.#link.beforeWrite?.(buffer);
		// The hook may have cut the power, to see the frame never leave.
		this.#link.power.check();
		this.#link.bytesSent += buffer.length;
		// The caller keeps its buffer, so the socket gets a copy.
		if (!this.#silent) this.#dialled?.socket.write(Uint8Array.from(buffer), () => this.#onSent());
		return true;
	}

	close(): void {
		this.#link.power.check();
		this.#closed = true;
		if (this.#over) return;
		this.#finish();
		const socket = this.#dialled?.socket;
		if (socket === undefined) return;
		if (!this.#standing) {
			socket.destroy(); // Nothing is to be sent, and to connect may take minutes.
			return;
		}
		// What was written goes out before the end of the stream, if the host takes it.
		socket.destroySoon();
		socket.setTimeout(this.#link.lingerMsMax, () => socket.destroy());
	}

	/** The network is gone without a word: bytes in flight are lost, and nobody is told. */
	silence(): void {
		this.#silent = true;
		this.#readAt = this.#readEnd = 0;
		this.#dialled?.more();
	}

	/** The connection is gone and the firmware hears of it, a turn later. @param reason - one line for the log */
	fail(reason: string): void {
		if (this.#over || this.#silent) return;
		this.#link.failed(reason);
		this.abort();
		setImmediate(() => {
			if (!this.#closed) this.#link.power.deliver(() => this.#options.onError());
		});
	}

	/** The board is dead. */
	abort(): void {
		this.#finish();
		this.#dialled?.socket.destroy();
	}

	#finish(): void {
		this.#over = true;
		this.#onGone(this);
	}

	#room(): number {
		return this.#link.sendBytesMax - (this.#dialled?.socket.writableLength ?? 0);
	}

	#onOpen(): void {
		if (this.#over) return;
		this.#standing = true;
		this.#link.lastError = undefined;
		this.#onWritable();
	}

	#onSent(): void {
		if (!this.#full) return;
		this.#full = false;
		this.#onWritable();
	}

	#onWritable(): void {
		if (this.#over || this.#silent) return;
		this.#link.power.deliver(() => this.#options.onWritable(this.#room()));
	}

	#onBytes(count: number): boolean {
		if (this.#over || this.#silent) return true;
		this.#link.bytesReceived += count;
		this.#readAt = 0;
		this.#readEnd = count;
		this.#link.power.deliver(() => this.#options.onReadable(count));
		return this.#readAt === this.#readEnd;
	}

	/** Also a second time, for the end of the stream and that of the socket. What has come is read first. */
	#onEnd(): void {
		this.#ended = this.#readAt < this.#readEnd;
		if (!this.#ended) this.fail(this.#standing ? "the host hung up" : "the host hung up before the connection stood");
	}
}
