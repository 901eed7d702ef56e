/**
 * A terminal at the other end of a socket, plain or TLS, as the acquirer sees it. What waits to be taken by the
 * terminal is bounded (I10), and so is the time that hanging up may take.
 * @module
 */
import type { Socket } from "node:net";
import type { Peer } from "../acquirer/connection";

/** A peer that does not take its answers is dropped. */
export const UNSENT_BYTES_MAX = 256 * 1024;
/** From the host's hanging up to the end of the socket, real ms. */
const CLOSE_MS_MAX = 5000;

export class SocketPeer implements Peer {
	/** DE 41 of the terminal, from its certificate; undefined on plain TCP, where nobody knows. */
	readonly terminalId?: string;
	readonly #socket: Socket;
	readonly #onStuck: () => void;

	/** @param onStuck - the peer takes nothing: its socket is gone already, or about to be */
	constructor(socket: Socket, terminalId: string | undefined, onStuck: () => void) {
		this.#socket = socket;
		this.#onStuck = onStuck;
		if (terminalId !== undefined) this.terminalId = terminalId;
	}

	send(bytes: Uint8Array): void {
		const socket = this.#socket;
		if (socket.destroyed || !socket.writable) return;
		socket.write(bytes);
		if (socket.writableLength <= UNSENT_BYTES_MAX) return;
		socket.destroy();
		this.#onStuck();
	}

	close(): void {
		const socket = this.#socket;
		socket.destroySoon();
		// What it still had to take goes with it, if it never takes it.
		socket.pause();
		socket.setTimeout(CLOSE_MS_MAX, () => socket.destroy());
	}
}
