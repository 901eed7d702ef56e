/**
 * A link to the host over plain TCP, with the faults of a real one: see socket-link.ts.
 * @module
 */
import * as net from "node:net";
import { type DialEvents, type Dialled, SocketLink, type SocketLinkOptions } from "./socket-link";

export type { DownMode, SocketLinkOptions as TcpLinkOptions } from "./socket-link";

export class TcpLink extends SocketLink {
	readonly secure = false;

	constructor(options: SocketLinkOptions) {
		super(options, "tcp");
	}

	dial(buffer: Uint8Array, events: DialEvents): Dialled {
		// The system fills the buffer itself, and only after resume(): it is the whole receive window above the kernel's.
		const onread = { buffer, callback: (count: number) => events.onBytes(count) };
		const socket = net.connect({ host: this.host, port: this.port, onread });
		socket.on("connect", () => {
			socket.resume();
			events.onOpen();
		});
		return { socket, more: () => socket.resume() };
	}
}
