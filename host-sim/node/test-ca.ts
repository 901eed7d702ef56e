/**
 * A test CA, and the certificates of a host and of terminals under it, in memory. For tests and demonstrations: the
 * CA's own key is never written anywhere and is gone with the process.
 *
 * RSA-2048 with SHA-256, because the board's TLS takes nothing else in a client certificate; key identifiers of subject
 * and issuer in each certificate, because its check of a chain wants them. A terminal's certificate carries its id
 * (DE 41) as common name, and the host lets it speak for that terminal alone.
 *
 * Profile: RFC 5280 §4.2.
 * @module
 */
import "reflect-metadata";
import { createPrivateKey, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { type TlsPair, VALID_DAYS } from "./tls-identity";

const DAY_MS = 86_400_000;

const ALGORITHM = {
	name: "RSASSA-PKCS1-v1_5",
	hash: "SHA-256",
	publicExponent: Uint8Array.of(1, 0, 1),
	modulusLength: 2048,
};
const ORGANISATION = "unsettled test";
const PURPOSES = { host: x509.ExtendedKeyUsage.serverAuth, terminal: x509.ExtendedKeyUsage.clientAuth };

export type KeyPair = webcrypto.CryptoKeyPair;

export interface ValidityOptions {
	/** Default: yesterday, as clocks differ. Wall time, ms since 1970. */
	fromMs?: number;
	/** Default: VALID_DAYS from now for a CA, and that of the CA for what it signs. */
	untilMs?: number;
	/** Default: new ones. Making them is what takes the time. */
	keys?: KeyPair;
}

export interface CaOptions extends ValidityOptions {
	/** Default "unsettled test CA". */
	name?: string;
}

export interface LeafOptions extends ValidityOptions {
	/** What the certificate may be used for; for tests of the wrong one. */
	purpose?: keyof typeof PURPOSES;
	/** Of a host: DNS names and IPv4 addresses. Default localhost and 127.0.0.1. */
	names?: readonly string[];
}

/** A certificate with its private key. */
export interface Issued {
	/** PEM: the certificate, then that of its CA, as a board must be sent both. */
	readonly cert: string;
	/** PEM of PKCS #8. */
	readonly key: string;
	readonly certDer: Uint8Array;
	/** PKCS #8. */
	readonly keyDer: Uint8Array;
}

/** A key pair for {@link ValidityOptions.keys}; takes some tenths of a second. */
export function makeKeys(): Promise<KeyPair> {
	return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

/** A new CA with a host and a terminal under it, which exist in memory only. @param terminalId - DE 41 */
export async function makeTlsPair(terminalId: string): Promise<TlsPair> {
	const ca = await TestCa.create();
	const [host, terminal] = await Promise.all([ca.issueHost(), ca.issueTerminal(terminalId)]);
	return {
		host: { key: host.key, cert: host.cert, ca: ca.pem },
		terminal: { key: terminal.key, cert: terminal.cert, ca: ca.pem },
	};
}

export class TestCa {
	readonly pem: string;
	readonly der: Uint8Array;
	readonly untilMs: number;
	readonly #certificate: x509.X509Certificate;
	readonly #keys: KeyPair;

	private constructor(certificate: x509.X509Certificate, keys: KeyPair) {
		this.#certificate = certificate;
		this.#keys = keys;
		this.pem = pemOf(certificate);
		this.der = new Uint8Array(certificate.rawData);
		this.untilMs = certificate.notAfter.getTime();
	}

	/** A new CA that signs itself. */
	static async create(options: CaOptions = {}): Promise<TestCa> {
		const nowMs = Date.now();
		const keys = options.keys ?? (await makeKeys());
		const { keyCertSign, cRLSign } = x509.KeyUsageFlags;
		const certificate = await x509.X509CertificateGenerator.createSelfSigned(
			{
				name: [{ O: [ORGANISATION] }, { CN: [options.name ?? "unsettled test CA"] }],
				notBefore: new Date(options.fromMs ?? nowMs - DAY_MS),
				notAfter: new Date(options.untilMs ?? nowMs + VALID_DAYS * DAY_MS),
				signingAlgorithm: ALGORITHM,
				keys,
				extensions: [
					new x509.BasicConstraintsExtension(true, 0, true),
					new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
					await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
					await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
				],
			},
			webcrypto,
		);
		return new TestCa(certificate, keys);
	}

	/** For the host's end: server authentication, and the names by which terminals call it. */
	issueHost(options: LeafOptions = {}): Promise<Issued> {
		const names = (options.names ?? ["localhost", "127.0.0.1"]).map((value) => {
			return { type: /^[\d.]+$/.test(value) ? ("ip" as const) : ("dns" as const), value };
		});
		return this.#issue("unsettled test host", options.purpose ?? "host", options, [
			new x509.SubjectAlternativeNameExtension(names),
		]);
	}

	/** For a terminal's end: client authentication. @param terminalId - DE 41 */
	issueTerminal(terminalId: string, options: LeafOptions = {}): Promise<Issued> {
		return this.#issue(terminalId, options.purpose ?? "terminal", options, []);
	}

	async #issue(
		commonName: string,
		purpose: keyof typeof PURPOSES,
		options: ValidityOptions,
		more: x509.Extension[],
	): Promise<Issued> {
		const keys = options.keys ?? (await makeKeys());
		const certificate = await x509.X509CertificateGenerator.create(
			{
				subject: [{ O: [ORGANISATION] }, { CN: [commonName] }],
				issuer: this.#certificate.subjectName,
				notBefore: new Date(options.fromMs ?? Date.now() - DAY_MS),
				notAfter: new Date(options.untilMs ?? this.untilMs),
				signingAlgorithm: ALGORITHM,
				publicKey: keys.publicKey,
				signingKey: this.#keys.privateKey,
				extensions: [
					new x509.BasicConstraintsExtension(false, undefined, true),
					new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
					new x509.ExtendedKeyUsageExtension([PURPOSES[purpose]]),
					...more,
					await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
					await x509.AuthorityKeyIdentifierExtension.create(this.#keys.publicKey, false, webcrypto),
				],
			},
			webcrypto,
		);
		const keyDer = new Uint8Array(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
		const key = createPrivateKey({ key: Buffer.from(keyDer), format: "der", type: "pkcs8" });
		return {
			cert: `${pemOf(certificate)}${this.pem}`,
			key: key.export({ format: "pem", type: "pkcs8" }) as string,
			certDer: new Uint8Array(certificate.rawData),
			keyDer,
		};
	}
}

function pemOf(certificate: x509.X509Certificate): string {
	return `${certificate.toString("pem").trimEnd()}\n`;
}
