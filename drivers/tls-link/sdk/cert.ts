/**
 * Stands on the board in the place of the SDK's module "ssl/cert": its handshake asks here for what the terminal shows
 * and whether the host is the host. Imports go by the board's names, because this file has one of the SDK's.
 * @module
 */

import type { HostTrust } from "drivers/tls-link/host-trust";
import PKCS8 from "pkcs8";
import { equalBytes } from "src/core/bytes";
import X509 from "x509";

export default class CertificateManager {
	readonly #trust: HostTrust;
	/** The host's certificate, from when it was found good. */
	#host: Uint8Array | undefined;

	constructor(options: { trust: HostTrust }) {
		this.#trust = options.trust;
	}

	/** @throws when the chain is not the host's: the reason reaches the log that way */
	verify(chain: Uint8Array[]): boolean {
		this.#trust.check(chain);
		return true;
	}

	register(certificate: ArrayBuffer): void {
		this.#host = new Uint8Array(certificate);
	}

	findPreferredCert(): Uint8Array[] {
		return [this.#trust.certificate];
	}

	/** The host's public key, or the terminal's private one. */
	getKey(certificate: ArrayBuffer | Uint8Array): unknown {
		const bytes = certificate instanceof Uint8Array ? certificate : new Uint8Array(certificate);
		if (this.#host !== undefined && equalBytes(bytes, this.#host)) return X509.decodeSPKI(bytes);
		if (equalBytes(bytes, this.#trust.certificate)) return PKCS8.parse(this.#trust.key);
		return undefined; // The handshake fails on it.
	}
}
