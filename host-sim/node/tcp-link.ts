/**
 * A link to the host over TCP, with the faults of a real one. Shape of ECMA-419 TCP (see ports.ts): callbacks never
 * run inside `connect`, `read`, `write` or `close`; a write is taken whole or not at all; at most one buffer of
 * received bytes is held, and the peer waits while the firmware does not read (I10).
 *
 * `beforeWrite` sees every write before the first byte of it leaves: what checks I1 hangs there.
 *
 * While the link is down, "silent" loses what is sent and what comes, and new connections neither stand nor fail;
 * a connection that lived through it stays silent for good, as the stream has a hole, while the host keeps its half
 * of it open. "cut" ends open connections and fails new ones.
 * @module
 */
import * as net from "node:net";
import { assert } from "../../src/core/assert";
import type { Connection, ConnectionOptions, Link } from "../../src/ports";
import { Power } from "../board/power";

export type DownMode = "silent" | "cut";

export interface TcpLinkOptions {
	port: number;
	/** Default 127.0.0.1. */
	host?: string;
	/** Default "tcp". */
	name?: string;
	power?: Power;
	/** Received bytes held for the firmware, default 2048. */
	receiveBytesMax?: number;
	/** Sent bytes the system has not taken yet, default 8192. */
	sendBytesMax?: number;
	beforeWrite?(bytes: Uint8Array): void;
}

const CONNECTIONS_MAX = 16;

export class TcpLink implements Link {
	readonly name: string;
	readonly secure = false;
	/** What a link that is down does; takes effect with the next change of {@link up}. */
	downMode: DownMode = "cut";
	beforeWrite: ((bytes: Uint8Array) => void) | undefined;
	/** Counts over the link's life. */
	connects = 0;
	bytesSent = 0;
	bytesReceived = 0;
	readonly host: string;
	readonly port: number;
	readonly power: Power;
	readonly receiveBytesMax: number;
	readonly sendBytesMax: number;
	readonly #connections = new Set<TcpConnection>();
	#up = true;

	constructor(options: TcpLinkOptions) {
		this.name = options.name ?? "tcp";
		this.host = options.host ?? "127.0.0.1";
		this.port = options.port;
		this.power = options.power ?? new Power();
		this.receiveBytesMax = options.receiveBytesMax ?? 2048;
		this.sendBytesMax = options.sendBytesMax ?? 8192;
		this.beforeWrite = options.beforeWrite;
		this.power.onCut(() => {
			for (const connection of this.#connections) connection.abort();
		});
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
			else connection.fail();
		}
	}

	connect(options: ConnectionOptions): Connection {
		this.power.check();
		assert(this.#connections.size < CONNECTIONS_MAX, "at most 16 connections on a link (I10)");
		this.connects += 1;
		const connection = new TcpConnection(this, options, (gone) => this.#connections.delete(gone));
		this.#connections.add(connection);
		if (this.#up) connection.open();
		else if (this.downMode === "cut") connection.fail();
		return connection;
	}
}

class TcpConnection implements Connection {
	readonly #link: TcpLink;
	readonly #options: ConnectionOptions;
	readonly #onGone: (connection: TcpConnection) => void;
	/** Received bytes; the next are taken off the system when all of these are read. */
	readonly #received: Uint8Array;
	#readAt = 0;
	#readEnd = 0;
	#socket: net.Socket | undefined;
	#standing = false;
	#silent = false;
	/** Closed, failed, or the board is dead. */
	#over = false;
	/** Closed by the firmware, which then hears nothing more. */
	#closed = false;
	/** A write was refused; the firmware waits for room. */
	#full = false;

	constructor(link: TcpLink, options: ConnectionOptions, onGone: (connection: TcpConnection) => void) {
		this.#link = link;
		this.#options = options;
		this.#onGone = onGone;
		this.#received = new Uint8Array(link.receiveBytesMax);
	}

	open(): void {
		const { host, port } = this.#link;
		// One buffer, filled by the system only after resume(): that is the whole receive window above the kernel's.
		const onread = { buffer: this.#received, callback: (count: number) => this.#onBytes(count) };
		const socket = net.connect({ host, port, onread });
		this.#socket = socket;
		socket.setNoDelay(true);
		socket.on("connect", () => {
			this.#standing = true;
			socket.resume();
			this.#onWritable();
		});
		socket.on("end", () => this.fail());
		socket.on("error", () => this.fail());
		socket.on("close", () => this.fail());
	}

	read(buffer: Uint8Array): number {
		this.#link.power.check();
		const count = this.#over ? 0 : Math.min(buffer.length, this.#readEnd - this.#readAt);
		if (count === 0) return 0;
		buffer.set(this.#received.subarray(this.#readAt, this.#readAt + count));
		this.#readAt += count;
		if (this.#readAt === this.#readEnd) this.#socket?.resume();
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
		if (!this.#silent) this.#socket?.write(Uint8Array.from(buffer), () => this.#onSent());
		return true;
	}

	close(): void {
		this.#link.power.check();
		this.#closed = true;
		if (this.#over) return;
		this.#finish();
		// What was written goes out before the end of the stream.
		this.#socket?.destroySoon();
	}

	/** The network is gone without a word: bytes in flight are lost, and nobody is told. */
	silence(): void {
		this.#silent = true;
		this.#readAt = this.#readEnd = 0;
		this.#socket?.resume();
	}

	/** The connection is gone and the firmware hears of it, a turn later. */
	fail(): void {
		if (this.#over || this.#silent) return;
		this.abort();
		setImmediate(() => {
			if (!this.#closed) this.#link.power.deliver(() => this.#options.onError());
		});
	}

	/** The board is dead. */
	abort(): void {
		this.#finish();
		this.#socket?.destroy();
	}

	#finish(): void {
		this.#over = true;
		this.#onGone(this);
	}

	#room(): number {
		return this.#link.sendBytesMax - (this.#socket?.writableLength ?? 0);
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

	/** @returns whether the system may bring more */
	#onBytes(count: number): boolean {
		if (this.#over || this.#silent) return true;
		this.#link.bytesReceived += count;
		this.#readAt = 0;
		this.#readEnd = count;
		this.#link.power.deliver(() => this.#options.onReadable(count));
		return this.#readAt === this.#readEnd;
	}
}
