/**
 * Whom a terminal takes for its host, and what it shows of itself. One CA is believed, the acquirer's own; under it one
 * leaf, directly; and of the leaf's holder the name must be the configured one. In the place of the SDK's check, which
 * takes any leaf for good when our CA's public certificate follows it in the chain (tried, SDK 8.2, ssl_cert.js).
 * Source: RFC 5280 §6.1; RFC 6125 §6.4 (no wildcards); RFC 8017 §8.2.2.
 * @module
 */
import { equalBytes } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import type { Clock } from "../../src/ports";
import { type Certificate, readCertificate } from "./certificate";

/** The two primitives, which the SDK has in C and JavaScript. */
export interface TrustPrimitives {
	sha256(bytes: Uint8Array): Uint8Array;
	/** RSA with the public key in `certificate`: signature^e mod n, as many bytes as the modulus. */
	rsaPublic(certificate: Uint8Array, signature: Uint8Array): Uint8Array;
}

export interface HostTrustOptions {
	/** DER. */
	ca: Uint8Array;
	/** The terminal's certificate: DER. */
	certificate: Uint8Array;
	/** Its key: PKCS #8, DER, not enciphered. */
	key: Uint8Array;
	/** A DNS name, to be found in the host's certificate. */
	hostName: string;
	clock: Clock;
	primitives: TrustPrimitives;
}

/** DigestInfo of SHA-256 before the digest. Source: RFC 8017 §9.2, note 1. */
const SHA256_PREFIX = Uint8Array.of(
	...[0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01],
	...[0x05, 0x00, 0x04, 0x20],
);

export class HostTrust {
	readonly hostName: string;
	readonly #options: HostTrustOptions;
	readonly #ca: Certificate;

	/** @throws {CodedError} when the CA's certificate cannot be one */
	constructor(options: HostTrustOptions) {
		this.#options = options;
		this.hostName = options.hostName;
		if (options.hostName === "") throw new CodedError("missing", "host name");
		this.#ca = readCertificate(options.ca, "CA");
		if (!this.#ca.isCa || this.#ca.maySignCertificates === false) throw new CodedError("auth", "CA", "no CA");
	}

	/** The terminal's own. */
	get certificate(): Uint8Array {
		return this.#options.certificate;
	}

	/** PKCS #8. Only for the signature in the handshake. */
	get key(): Uint8Array {
		return this.#options.key;
	}

	/**
	 * @param chain - as the host sent it: its own certificate, and perhaps the CA's
	 * @throws {CodedError} "auth" | "mismatch" | … when this is not the host
	 */
	check(chain: readonly Uint8Array[]): void {
		const { ca, clock, primitives } = this.#options;
		const place = "host certificate";
		const [der, second] = chain;
		if (der === undefined) throw new CodedError("missing", place);
		if (chain.length > 2 || (second !== undefined && !equalBytes(second, ca))) {
			throw new CodedError("auth", place, "a chain to another CA");
		}
		const now = clock.now();
		checkTime(this.#ca, now, "CA");
		const leaf = readCertificate(der, place);
		checkTime(leaf, now, place);
		if (!equalBytes(leaf.issuer, this.#ca.subject)) throw new CodedError("auth", place, "issued by another CA");
		if (leaf.isCa || leaf.maySign === false || !leaf.isForServers)
			throw new CodedError("auth", place, "not for a server");
		if (!leaf.dnsNames.includes(this.hostName.toLowerCase())) throw new CodedError("auth", place, "another name");
		const { modulus } = this.#ca;
		if (!isBelow(leaf.signature, modulus)) throw new CodedError("range", place, "signature");
		const opened = primitives.rsaPublic(ca, leaf.signature);
		if (!isSignatureOf(opened, primitives.sha256(leaf.signed), modulus.length)) {
			throw new CodedError("auth", place, "signature");
		}
	}
}

function checkTime(certificate: Certificate, now: number, place: string): void {
	if (now < certificate.notBefore) throw new CodedError("auth", place, "not valid yet");
	if (now > certificate.notAfter) throw new CodedError("auth", place, "expired");
}

/** RFC 8017 §5.2.2: a signature is as long as the modulus, and less. */
function isBelow(signature: Uint8Array, modulus: Uint8Array): boolean {
	if (signature.length !== modulus.length) return false;
	for (let i = 0; i < modulus.length; i++) if (signature[i] !== modulus[i]) return signature[i] < modulus[i];
	return false;
}

/** Compares with the one encoding that is right, byte for byte: nothing is parsed that a forger wrote. */
function isSignatureOf(opened: Uint8Array, digest: Uint8Array, keyBytes: number): boolean {
	const infoAt = keyBytes - SHA256_PREFIX.length - digest.length;
	if (opened.length !== keyBytes || opened[0] !== 0 || opened[1] !== 1 || opened[infoAt - 1] !== 0) return false;
	for (let i = 2; i < infoAt - 1; i++) if (opened[i] !== 0xff) return false;
	return (
		equalBytes(opened.subarray(infoAt, infoAt + SHA256_PREFIX.length), SHA256_PREFIX) &&
		equalBytes(opened.subarray(infoAt + SHA256_PREFIX.length), digest)
	);
}
