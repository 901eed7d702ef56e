/**
 * One end of a TLS connection in which both sides show a certificate, and the rules that both ends follow: TLS 1.2 or
 * 1.3, forward secrecy and authenticated encryption only, no resumption (each connection checks both certificates
 * anew), nobody but our own CA believed.
 *
 * The rules leave what the board can do: TLS 1.2 with ECDHE-RSA-AES128-GCM-SHA256.
 * @module
 */
import { constants } from "node:crypto";
import type { SecureContextOptions } from "node:tls";

/** PEM texts: the private key, its certificate followed by that of its CA, and the CA that the other end must have. */
export interface TlsIdentity {
	readonly key: string;
	readonly cert: string;
	readonly ca: string;
}

/** Both ends, under one CA. */
export interface TlsPair {
	readonly host: TlsIdentity;
	readonly terminal: TlsIdentity;
}

/** Days from now that a test certificate is good for, if nothing else is said. */
export const VALID_DAYS = 30;

const CIPHERS = [
	...["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"],
	...["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"],
].join(":");

/** Options of `node:tls` for either end. */
export function tlsRules(identity: TlsIdentity): SecureContextOptions {
	const { key, cert, ca } = identity;
	return {
		...{ key, cert, ca },
		minVersion: "TLSv1.2",
		ciphers: CIPHERS,
		secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
	};
}
