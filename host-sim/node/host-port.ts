/**
 * A port of the loopback interface on which terminals call, over plain TCP, or over TLS with both certificates. Who
 * comes with the wrong protocol, or over TLS without a certificate that is good, gets no connection, and a line says
 * why. Handshakes are bounded in time and number (I10): the time holds for a peer that sends a byte a second as well.
 *
 * With TLS a peer is looked at before the library is: a TLS connection begins with a handshake record, whose first byte
 * is 0x16 (RFC 8446 §5.1); letters are HTTP or a person; a frame of ISO 8583 begins with the high byte of its length.
 * @module
 */
import * as net from "node:net";
import * as tls from "node:tls";
import { CodedError } from "../../src/core/errors";
import { type TlsIdentity, tlsRules } from "./tls-identity";
import { handshakeFault } from "./tls-words";

export interface HostPortOptions {
	/** 0: any free one. */
	readonly port: number;
	/** Absent: plain TCP. */
	readonly tls?: TlsIdentity;
	readonly connectionsMax: number;
	/** For what comes before a connection stands: its first byte, then the handshake. Real ms, default 10,000 each. */
	readonly handshakeMsMax?: number;
	/** At one time; default 32. */
	readonly handshakesMax?: number;
	/** A terminal whose connection stands. `terminalId` is of its certificate; plain TCP knows none. */
	onPeer(socket: net.Socket, terminalId: string | undefined): void;
	/** A terminal that got no connection. One line. */
	onRefused(reason: string): void;
	/** The port is gone; it was open before. */
	onError(error: Error): void;
}

const ADDRESS = "127.0.0.1";
const HANDSHAKE_MS_MAX = 10_000;
const HANDSHAKES_MAX = 32;
const HANDSHAKE_RECORD = 0x16;
const FRAME_LENGTH_HIGH_MAX = 0x05;

export class HostPort {
	readonly #options: HostPortOptions;
	readonly #handshakeMsMax: number;
	readonly #handshakesMax: number;
	readonly #server: net.Server;
	/** Takes over a connection that begins like TLS; it listens nowhere itself. */
	readonly #handshaker: tls.Server | undefined;
	readonly #sockets = new Set<net.Socket>();
	readonly #secured = new Set<tls.TLSSocket>();
	#protocol: string | undefined;
	#dropped = false;

	constructor(options: HostPortOptions) {
		this.#options = options;
		this.#handshakeMsMax = options.handshakeMsMax ?? HANDSHAKE_MS_MAX;
		this.#handshakesMax = options.handshakesMax ?? HANDSHAKES_MAX;
		this.#server = net.createServer({ noDelay: true }, (socket) => this.#accept(socket));
		// A little more than the host takes: those above its limit are told so by a closed connection.
		this.#server.maxConnections = options.connectionsMax + 16;
		if (options.tls !== undefined) {
			// A little more, so that those above the limit of handshakes are told so and leave room for those below.
			this.#server.maxConnections += this.#handshakesMax;
			this.#handshaker = this.#makeHandshaker(options.tls);
		}
	}

	/** @returns the port. @throws {CodedError} "state" port in use or not permitted */
	listen(): Promise<number> {
		const server = this.#server;
		const { port, onError } = this.#options;
		return new Promise((resolve, reject) => {
			server.once("error", (error: NodeJS.ErrnoException) => reject(portError(error, port)));
			server.listen({ host: ADDRESS, port, exclusive: true }, () => {
				server.removeAllListeners("error");
				server.on("error", onError);
				resolve((server.address() as net.AddressInfo).port);
			});
		});
	}

	/** Drops every connection without a farewell. @returns when the port is free again */
	drop(): Promise<void> {
		this.#dropped = true;
		for (const socket of this.#sockets) socket.destroy();
		return new Promise((resolve) => this.#server.close(() => resolve()));
	}

	/** "TLSv1.3": of the last connection that stood. */
	get protocol(): string | undefined {
		return this.#protocol;
	}

	/** Connections that do not stand yet. */
	get handshakes(): number {
		return this.#handshaker === undefined ? 0 : this.#sockets.size - this.#secured.size;
	}

	#makeHandshaker(identity: TlsIdentity): tls.Server {
		const handshaker = tls.createServer({
			...tlsRules(identity),
			requestCert: true,
			rejectUnauthorized: true,
			handshakeTimeout: this.#handshakeMsMax,
		});
		handshaker.on("secureConnection", (socket) => this.#onSecure(socket));
		handshaker.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
			// Null where nothing is wrong with the certificate, whatever the type says.
			const verdict = (socket.authorizationError ?? undefined) as unknown as string | undefined;
			this.#refuse(socket, handshakeFault(error.code, verdict));
		});
		return handshaker;
	}

	#accept(socket: net.Socket): void {
		this.#sockets.add(socket);
		socket.on("error", () => socket.destroy()); // Reset by the peer: "close" follows and says it all.
		socket.on("close", () => this.#sockets.delete(socket));
		const handshaker = this.#handshaker;
		if (handshaker === undefined) {
			this.#options.onPeer(socket, undefined);
			return;
		}
		if (this.handshakes > this.#handshakesMax) {
			this.#refuse(socket, "too many TLS handshakes at once");
			return;
		}
		socket.setTimeout(this.#handshakeMsMax, () => this.#refuse(socket, "the TLS handshake took too long"));
		socket.once("readable", () => {
			const head = socket.read() as Uint8Array | null;
			if (head === null || head.length === 0) return; // It hung up before it said anything.
			socket.setTimeout(0);
			if (head[0] !== HANDSHAKE_RECORD) {
				this.#refuse(socket, `${whatSpeaks(head[0])}, and this port speaks TLS`);
				return;
			}
			socket.unshift(head);
			handshaker.emit("connection", socket);
		});
	}

	#onSecure(socket: tls.TLSSocket): void {
		const terminalId = terminalIdOf(socket);
		if (terminalId === undefined) {
			this.#refuse(socket, "the terminal's certificate names no terminal");
			return;
		}
		this.#secured.add(socket);
		socket.on("error", () => socket.destroy());
		socket.on("close", () => this.#secured.delete(socket));
		this.#protocol = socket.getProtocol() ?? undefined;
		this.#options.onPeer(socket, terminalId);
	}

	#refuse(socket: net.Socket, reason: string): void {
		socket.destroy();
		if (!this.#dropped) this.#options.onRefused(reason);
	}
}

/** A plain peer whose first bytes are a TLS record of any version; no frame is so long. */
export function looksLikeTls(bytes: Uint8Array): boolean {
	return bytes.length >= 2 && bytes[0] === HANDSHAKE_RECORD && bytes[1] === 0x03;
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

function portError(error: NodeJS.ErrnoException, port: number): Error {
	if (error.code === "EADDRINUSE") return new CodedError("state", `port ${port}`, "in use by another program");
	if (error.code === "EACCES") return new CodedError("state", `port ${port}`, "not permitted");
	return new CodedError("state", `port ${port}`, `cannot be opened (${error.code ?? "unknown"})`);
}

function whatSpeaks(first: number): string {
	if (first <= FRAME_LENGTH_HIGH_MAX) return "the peer speaks plain ISO 8583";
	return first >= 0x20 && first <= 0x7e ? "the peer speaks HTTP or text" : "the peer speaks no TLS";
}

/** The common name of the certificate, which has been verified by now. DE 41 is 8 characters. */
function terminalIdOf(socket: tls.TLSSocket): string | undefined {
	const name: unknown = socket.getPeerCertificate().subject?.CN; // Several names are an array.
	return typeof name === "string" && /^[\x20-\x7e]{8}$/.test(name) ? name : undefined;
}
