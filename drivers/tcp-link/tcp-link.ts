/**
 * A link to the host over ECMA-419 TCP ("embedded:io/socket/tcp"), on the desktop's simulator as on the board. Nothing
 * on it is secret or certain: it is for a host on the same desk, where the configuration says so. The SDK's class knows
 * addresses, not names.
 * @module
 */
import type { Clock, Connection, ConnectionOptions, Link } from "../../src/ports";
import { type SocketCallbacks, SocketConnection, type SocketIo } from "./socket-connection";

export interface TcpIoOptions extends SocketCallbacks {
	address: string;
	port: number;
	nodelay: boolean;
}

export type TcpIoClass = new (options: TcpIoOptions) => SocketIo;

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
	#connection: SocketConnection | undefined;
	#closed = false;

	constructor(options: TcpLinkOptions) {
		this.name = options.name ?? "tcp";
		this.#options = options;
	}

	connect(options: ConnectionOptions): Connection {
		this.#connection?.close();
		const { socket, clock } = this.#options;
		const { io: Tcp, address, port } = socket;
		this.#connection = new SocketConnection(
			// A request is one small write: waiting for more (Nagle) only delays it.
			(callbacks) => (this.#closed ? undefined : new Tcp({ address, port, nodelay: true, ...callbacks })),
			clock,
			options,
		);
		return this.#connection;
	}

	/** Ends the connection without a word; later ones fail. May be called twice. */
	close(): void {
		this.#closed = true;
		this.#connection?.close();
		this.#connection = undefined;
	}
}
