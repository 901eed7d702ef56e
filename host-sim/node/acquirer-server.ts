/**
 * The host on a TCP port of the loopback interface: sockets around an Acquirer. A crash drops every socket and all
 * memory at once; a restart begins from the store alone.
 * @module
 */
import * as net from "node:net";
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import { Acquirer, type AcquirerOptions, type CrashReason, HOST_LIMITS } from "../acquirer/acquirer";
import type { HostConnection } from "../acquirer/connection";
import { readStatement, type Statement } from "../acquirer/statement";
import { TEST_CARDS } from "../test-cards";

export interface AcquirerServerOptions extends AcquirerOptions {
	/** 0: any free port. */
	readonly port: number;
	/** Time the host is down after the crash fault, real ms; absent: it stays down until {@link AcquirerServer.restart}. */
	readonly restartMs?: number;
	/** After a crash, whoever caused it; before the restart. */
	onCrash?(reason: CrashReason): void;
	onRestart?(): void;
	/** The host could not come back, or its socket broke. Default: thrown, which ends the process. */
	onError?(error: unknown): void;
}

const ADDRESS = "127.0.0.1";
/** A peer that does not take its answers is dropped. */
const UNSENT_BYTES_MAX = 256 * 1024;
/** From the host's hanging up to the end of the socket, real ms. */
const CLOSE_MS_MAX = 5000;

export class AcquirerServer {
	readonly #options: AcquirerServerOptions;
	readonly #sockets = new Set<net.Socket>();
	#acquirer: Acquirer | undefined;
	#server: net.Server | undefined;
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
		assert(this.#server === undefined && !this.#closed, "listen() once");
		this.#acquirer = this.#newAcquirer();
		this.#server = await this.#open();
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

	/** The ledgers as the running host sees them; while it is down, as the store tells them. */
	statement(): Statement {
		return this.#acquirer?.statement() ?? readStatement(this.#options.store, this.#options.cards ?? TEST_CARDS);
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
		this.#acquirer = this.#newAcquirer();
		this.#server = await this.#open();
		if (this.#closed) await this.#drop();
		else this.#options.onRestart?.();
	}

	/** Orderly end. May be called twice. */
	async close(): Promise<void> {
		this.#closed = true;
		clearTimeout(this.#restartTimer);
		await this.#drop();
	}

	#newAcquirer(): Acquirer {
		return new Acquirer({ ...this.#options, onCrash: (reason) => this.#afterCrash(reason) });
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
		const server = this.#server;
		this.#server = undefined;
		this.#acquirer?.kill();
		this.#acquirer = undefined;
		for (const socket of this.#sockets) socket.destroy();
		this.#sockets.clear();
		return server === undefined ? Promise.resolve() : new Promise((resolve) => server.close(() => resolve()));
	}

	#open(): Promise<net.Server> {
		const server = net.createServer({ noDelay: true }, (socket) => this.#accept(socket));
		// A little more than the host takes: those above its limit are told so by a closed connection.
		server.maxConnections = (this.#options.limits?.connectionsMax ?? HOST_LIMITS.connectionsMax) + 16;
		return new Promise((resolve, reject) => {
			server.once("error", (error: NodeJS.ErrnoException) => {
				this.#acquirer?.kill();
				this.#acquirer = undefined;
				reject(portError(error, this.#port));
			});
			server.listen({ host: ADDRESS, port: this.#port, exclusive: true }, () => {
				server.removeAllListeners("error");
				server.on("error", (error) => this.#fail(error));
				this.#port = (server.address() as net.AddressInfo).port;
				resolve(server);
			});
		});
	}

	#accept(socket: net.Socket): void {
		let connection: HostConnection | undefined;
		this.#sockets.add(socket);
		socket.on("error", () => socket.destroy()); // Reset by the peer: "close" follows and says it all.
		socket.on("close", () => {
			this.#sockets.delete(socket);
			connection?.end();
		});
		connection = this.#acquirer?.connect({
			send: (bytes) => {
				if (socket.destroyed || !socket.writable) return;
				socket.write(bytes);
				if (socket.writableLength > UNSENT_BYTES_MAX) socket.destroy();
			},
			close: () => {
				socket.destroySoon();
				// What it still had to take goes with it, if it never takes it.
				socket.pause();
				socket.setTimeout(CLOSE_MS_MAX, () => socket.destroy());
			},
		});
		if (connection === undefined) {
			socket.destroy();
			return;
		}
		const taker = connection;
		socket.on("data", (data) => taker.receive(data));
	}

	#fail(error: unknown): void {
		if (this.#options.onError === undefined) throw error;
		this.#options.onError(error);
	}
}

function portError(error: NodeJS.ErrnoException, port: number): Error {
	if (error.code === "EADDRINUSE") return new CodedError("state", `port ${port}`, "in use by another program");
	if (error.code === "EACCES") return new CodedError("state", `port ${port}`, "not permitted");
	return new CodedError("state", `port ${port}`, `cannot be opened (${error.code ?? "unknown"})`);
}

/** @throws {CodedError} "state" when somebody listens there already */
export async function checkPortFree(port: number): Promise<void> {
	if (port === 0) return;
	const probe = net.createServer();
	try {
		await new Promise<void>((resolve, reject) => {
			probe.once("error", reject);
			probe.listen(port, ADDRESS, resolve);
		});
	} catch (error) {
		const inUse = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
		throw new CodedError("state", `port ${port}`, inUse ? "in use" : "not available");
	}
	await new Promise((resolve) => probe.close(resolve));
}
