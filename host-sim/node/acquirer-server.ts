/**
 * The host on a port of the loopback interface: sockets around an Acquirer, over plain TCP, or over TLS with both
 * certificates. A crash drops every socket and all memory at once; a restart begins from the store alone.
 * @module
 */
import type { Socket } from "node:net";
import { assert } from "../../src/core/assert";
import { Acquirer, type AcquirerOptions, type CrashReason, HOST_LIMITS } from "../acquirer/acquirer";
import type { BackOffice } from "../acquirer/back-office";
import type { HostConnection } from "../acquirer/connection";
import { type OfficeReport, readOffice } from "../acquirer/office-report";
import { readStatement, type Statement } from "../acquirer/statement";
import { TEST_CARDS } from "../test-cards";
import { HostPort, looksLikeTls } from "./host-port";
import { SocketPeer } from "./socket-peer";
import type { TlsIdentity } from "./tls-identity";

export interface AcquirerServerOptions extends AcquirerOptions {
	/** 0: any free port. */
	readonly port: number;
	/** Absent: plain TCP. With it each message must be of the terminal that the connection's certificate names. */
	readonly tls?: TlsIdentity;
	/** Limits of a connection that does not stand yet; see {@link HostPort}. */
	readonly handshakeMsMax?: number;
	readonly handshakesMax?: number;
	/** Time the host is down after the crash fault, real ms; absent: it stays down until {@link AcquirerServer.restart}. */
	readonly restartMs?: number;
	/** After a crash, whoever caused it; before the restart. */
	onCrash?(reason: CrashReason): void;
	onRestart?(): void;
	/** The host could not come back, or its socket broke. Default: thrown, which ends the process. */
	onError?(error: unknown): void;
}

export class AcquirerServer {
	readonly #options: AcquirerServerOptions;
	#acquirer: Acquirer | undefined;
	#open: HostPort | undefined;
	#tlsProtocol: string | undefined;
	#port: number;
	#restartTimer: ReturnType<typeof setTimeout> | undefined;
	/** Done when the port of the last crash is free again. */
	#dropped: Promise<void> = Promise.resolve();
	#closed = false;

	constructor(options: AcquirerServerOptions) {
		this.#options = options;
		this.#port = options.port;
	}

	/** Replays the store and opens the port. @returns the port. @throws {CodedError} "state" port in use, "damaged" */
	async listen(): Promise<number> {
		assert(this.#open === undefined && !this.#closed, "listen() once");
		await this.#start();
		return this.#port;
	}

	/** The port, also while the host is down. */
	get port(): number {
		return this.#port;
	}

	/** False between a crash and its restart, and after close(). */
	get running(): boolean {
		return this.#acquirer !== undefined && !this.#acquirer.dead;
	}

	/** Version of TLS that the last connection spoke: "TLSv1.3". */
	get tlsProtocol(): string | undefined {
		return this.#open?.protocol ?? this.#tlsProtocol;
	}

	/** The ledgers as the running host sees them; while it is down, as the store tells them. */
	statement(): Statement {
		return this.#acquirer?.statement() ?? readStatement(this.#options.store, this.#options.cards ?? TEST_CARDS);
	}

	/** The back office's books, likewise. */
	office(): OfficeReport {
		const now = this.#options.clock.now();
		return this.#acquirer?.backOffice.report(now) ?? readOffice(this.#options.store, now);
	}

	/** A person at the office does something. @returns undefined while the host is down, and when it goes down over it */
	byHand<T>(act: (office: BackOffice, now: number) => T): T | undefined {
		return this.#acquirer?.byHand(act);
	}

	/** Dies at once: no answer, no farewell, nothing kept but the store. The port stops answering. */
	crash(): void {
		this.#acquirer?.kill();
		this.#afterCrash("fault");
	}

	/** Comes back from the store on the same port. @throws {CodedError} as listen() */
	async restart(): Promise<void> {
		assert(!this.#closed, "restart() after close()");
		clearTimeout(this.#restartTimer);
		await this.#dropped;
		if (this.running || this.#closed) return;
		await this.#start();
		if (this.#closed) await this.#drop();
		else this.#options.onRestart?.();
	}

	/** Orderly end. May be called twice. */
	async close(): Promise<void> {
		this.#closed = true;
		clearTimeout(this.#restartTimer);
		await this.#drop();
	}

	async #start(): Promise<void> {
		const { limits, tls, handshakeMsMax, handshakesMax } = this.#options;
		this.#acquirer = new Acquirer({ ...this.#options, onCrash: (reason) => this.#afterCrash(reason) });
		const port = new HostPort({
			port: this.#port,
			connectionsMax: limits?.connectionsMax ?? HOST_LIMITS.connectionsMax,
			...(tls === undefined ? {} : { tls }),
			...(handshakeMsMax === undefined ? {} : { handshakeMsMax }),
			...(handshakesMax === undefined ? {} : { handshakesMax }),
			onPeer: (socket, terminalId) => this.#accept(socket, terminalId),
			onRefused: (reason) => this.#say(`connection refused: ${reason}`),
			onError: (error) => this.#fail(error),
		});
		try {
			this.#port = await port.listen();
		} catch (error) {
			this.#acquirer?.kill();
			this.#acquirer = undefined;
			throw error;
		}
		this.#open = port;
	}

	#afterCrash(reason: CrashReason): void {
		this.#dropped = this.#drop();
		this.#options.onCrash?.(reason);
		const { restartMs } = this.#options;
		if (reason !== "fault" || restartMs === undefined || this.#closed) return;
		clearTimeout(this.#restartTimer);
		this.#restartTimer = setTimeout(() => {
			this.restart().catch((error: unknown) => this.#fail(error));
		}, restartMs);
	}

	/** @returns when the port is free again */
	#drop(): Promise<void> {
		const port = this.#open;
		this.#open = undefined;
		this.#acquirer?.kill();
		this.#acquirer = undefined;
		if (port === undefined) return Promise.resolve();
		this.#tlsProtocol = port.protocol ?? this.#tlsProtocol;
		return port.drop();
	}

	#accept(socket: Socket, terminalId: string | undefined): void {
		let connection: HostConnection | undefined;
		const peer = new SocketPeer(socket, terminalId, () => connection?.close("takes its answers too slowly"));
		socket.on("close", () => connection?.end());
		connection = this.#acquirer?.connect(peer);
		if (connection === undefined) {
			socket.destroy();
			return;
		}
		const taker = connection;
		let first = this.#options.tls === undefined;
		socket.on("data", (data) => {
			if (first && looksLikeTls(data)) taker.close("speaks TLS, and this port is plain TCP");
			first = false;
			taker.receive(data);
		});
	}

	/** In the words of the host's own events. */
	#say(text: string): void {
		this.#options.onEvent?.({ kind: "connection", text, at: this.#options.clock.now() });
	}

	#fail(error: unknown): void {
		if (this.#options.onError === undefined) throw error;
		this.#options.onError(error);
	}
}
