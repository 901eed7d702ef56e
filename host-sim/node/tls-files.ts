/**
 * Certificates in a directory: what `npm run certs` writes, and what host and terminal are started with. PEM for
 * programs, DER and PKCS #8 for boards. Private keys are readable by their owner alone.
 *
 * All or nothing: the files are written beside their places and then moved there, and what is read must fit together,
 * so that a mixture of two sets is noticed before a terminal is.
 * @module
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { CodedError } from "../../src/core/errors";
import type { Issued } from "./test-ca";
import type { TlsIdentity } from "./tls-identity";

export type TlsRole = "host" | "terminal";

/** What one end needs, read and looked at. */
export interface TlsFiles {
	readonly identity: TlsIdentity;
	/** Common name of the certificate: for a terminal, DE 41. */
	readonly name: string;
	/** End of its validity, or of its CA's if that is earlier; wall time, ms since 1970. */
	readonly untilMs: number;
}

const NAMES = [
	...(["ca.pem", "ca.der", "host.pem", "host.der", "host.key"] as const),
	...(["terminal.pem", "terminal.der", "terminal.key", "terminal.pk8"] as const),
];
const PUBLIC_MODE = 0o644;
const SECRET_MODE = 0o600;
/** Larger than any certificate or key of ours; what is larger is something else. */
const FILE_BYTES_MAX = 64 * 1024;
/** OIDs of extended key usage, RFC 5280 §4.2.1.12. */
const PURPOSES: Readonly<Record<TlsRole, string>> = { host: "1.3.6.1.5.5.7.3.1", terminal: "1.3.6.1.5.5.7.3.2" };

/** @throws {CodedError} "state" when a file that {@link writeTlsFiles} would write is there already */
export function refuseOldFiles(directory: string): void {
	const old = NAMES.find((name) => fs.existsSync(path.join(directory, name)));
	if (old !== undefined) throw new CodedError("state", path.join(directory, old), "is there already");
}

/**
 * Writes one CA, one host and one terminal into `directory`, which is made where there is none.
 * @returns the names of the files
 * @throws {CodedError} "state" when one is there already and `force` is not set, or the directory cannot be written
 */
export function writeTlsFiles(
	directory: string,
	made: { ca: { pem: string; der: Uint8Array }; host: Issued; terminal: Issued },
	force: boolean,
): string[] {
	const { ca, host, terminal } = made;
	const contents: Readonly<Record<(typeof NAMES)[number], string | Uint8Array>> = {
		"ca.pem": ca.pem,
		"ca.der": ca.der,
		"host.pem": host.cert,
		"host.der": host.certDer,
		"host.key": host.key,
		"terminal.pem": terminal.cert,
		"terminal.der": terminal.certDer,
		"terminal.key": terminal.key,
		"terminal.pk8": terminal.keyDer,
	};
	const place = (name: string) => path.join(directory, name);
	const fresh = (name: string) => `${place(name)}.new`;
	try {
		fs.mkdirSync(directory, { recursive: true });
		if (!force) refuseOldFiles(directory);
		try {
			for (const name of NAMES) {
				const mode = /\.(key|pk8)$/.test(name) ? SECRET_MODE : PUBLIC_MODE;
				fs.rmSync(fresh(name), { force: true }); // Of a run that was cut short.
				fs.writeFileSync(fresh(name), contents[name], { mode, flag: "wx" });
			}
			for (const name of NAMES) fs.renameSync(fresh(name), place(name));
		} finally {
			for (const name of NAMES) fs.rmSync(fresh(name), { force: true });
		}
	} catch (error) {
		if (error instanceof CodedError) throw error;
		const { code } = error as NodeJS.ErrnoException;
		throw new CodedError("state", directory, `cannot be written (${code ?? "unknown"})`);
	}
	return [...NAMES];
}

/**
 * Reads what one end needs.
 * @param nowMs - real wall time, as TLS will check it
 * @throws {CodedError} "missing" no such file, "format" not what it should be, "mismatch" parts of different sets or
 * of the wrong purpose, "state" expired or not valid yet
 */
export function readTlsFiles(directory: string, role: TlsRole, nowMs: number): TlsFiles {
	const caPath = path.join(directory, "ca.pem");
	const certPath = path.join(directory, `${role}.pem`);
	const keyPath = path.join(directory, `${role}.key`);
	const identity = { key: readText(keyPath), cert: readText(certPath), ca: readText(caPath) };
	const ca = readCertificate(identity.ca, caPath);
	const certificate = readCertificate(identity.cert, certPath);
	checkKey(identity.key, keyPath, certificate);
	if (!ca.ca || !certificate.verify(ca.publicKey)) throw new CodedError("mismatch", certPath, `is not of ${caPath}`);
	// What the types call key usage is the extended one.
	if (!(certificate.keyUsage ?? []).includes(PURPOSES[role])) {
		throw new CodedError("mismatch", certPath, `is not for a ${role}`);
	}
	checkTime(ca, caPath, nowMs);
	checkTime(certificate, certPath, nowMs);
	const untilMs = Math.min(Date.parse(certificate.validTo), Date.parse(ca.validTo));
	return { identity, name: commonName(certificate), untilMs };
}

function readText(file: string): string {
	try {
		if (fs.statSync(file).size > FILE_BYTES_MAX) throw new CodedError("format", file, "is too large for PEM");
		return fs.readFileSync(file, "utf8");
	} catch (error) {
		if (error instanceof CodedError) throw error;
		const { code } = error as NodeJS.ErrnoException;
		if (code !== "ENOENT" && code !== "ENOTDIR") {
			throw new CodedError("missing", file, `cannot be read (${code ?? "unknown"})`);
		}
		const directory = path.dirname(file);
		throw new CodedError("missing", file, `does not exist; npm run certs -- --out ${directory} makes it`);
	}
}

function readCertificate(pem: string, file: string): X509Certificate {
	try {
		return new X509Certificate(pem);
	} catch {
		throw new CodedError("format", file, "is no certificate in PEM");
	}
}

function checkKey(pem: string, file: string, certificate: X509Certificate): void {
	let fits: boolean;
	try {
		fits = certificate.checkPrivateKey(createPrivateKey(pem));
	} catch {
		throw new CodedError("format", file, "is no private key in PEM without a password");
	}
	if (!fits) throw new CodedError("mismatch", file, "is the key of another certificate");
}

function checkTime(certificate: X509Certificate, file: string, nowMs: number): void {
	const { validFrom, validTo } = certificate;
	const day = (text: string) => new Date(text).toISOString().slice(0, 16);
	if (nowMs > Date.parse(validTo)) throw new CodedError("state", file, `has expired on ${day(validTo)}Z`);
	if (nowMs < Date.parse(validFrom)) throw new CodedError("state", file, `is not valid before ${day(validFrom)}Z`);
}

/** The subject is a line for each of its parts. */
function commonName(certificate: X509Certificate): string {
	return /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? "";
}
