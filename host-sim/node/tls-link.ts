/**
 * A link to the host over TLS with both certificates, and the faults of a real network: see socket-link.ts. The
 * connection stands when the handshake is done and the host's certificate is that of the host we called, by our CA.
 *
 * With TLS 1.3 the host judges our certificate after that: one it does not take ends a connection that stood already,
 * before anything that was written into it was looked at.
 *
 * Received bytes: a TLS socket has no buffer of the caller's to fill (its `onread` goes on calling after a callback has
 * said stop), so the socket's own queue is read in pieces. It holds one system read more than asked for, at most
 * 64 KiB, and the peer waits then.
 *
 * A link that falls silent while a connection is made lets the handshake end, unheard by the firmware.
 * @module
 */
import * as tls from "node:tls";
import { type DialEvents, type Dialled, SocketLink, type SocketLinkOptions } from "./socket-link";
import { type TlsIdentity, tlsRules } from "./tls-identity";

export interface TlsLinkOptions extends SocketLinkOptions {
	tls: TlsIdentity;
}

export class TlsLink extends SocketLink {
	readonly secure = true;
	/** "TLSv1.3": of the last connection that stood. */
	protocol: string | undefined;
	/** Made once: it holds the certificates as the library wants them. */
	readonly #context: tls.SecureContext;

	constructor(options: TlsLinkOptions) {
		super(options, "tls");
		this.#context = tls.createSecureContext(tlsRules(options.tls));
	}

	dial(buffer: Uint8Array, events: DialEvents): Dialled {
		const socket = tls.connect({
			host: this.host,
			port: this.port,
			secureContext: this.#context,
			// Not left to the environment, which has a variable that would switch it off.
			rejectUnauthorized: true,
		});
		/** Bytes in the buffer are not read yet. */
		let held = false;
		const pull = () => {
			while (!held && !socket.destroyed && socket.readableLength > 0) {
				const bytes = socket.read(Math.min(buffer.length, socket.readableLength)) as Uint8Array | null;
				if (bytes === null) break;
				buffer.set(bytes);
				held = !events.onBytes(bytes.length);
			}
			// Notices the end of the stream, and asks the system for more.
			if (!held && !socket.destroyed) socket.read(0);
		};
		socket.on("readable", pull);
		socket.on("secureConnect", () => {
			this.protocol = socket.getProtocol() ?? undefined;
			events.onOpen();
		});
		return {
			socket,
			more: () => {
				if (!held) return;
				held = false;
				setImmediate(pull);
			},
		};
	}
}
