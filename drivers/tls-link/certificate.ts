/**
 * What a terminal needs of an X.509 certificate. Takes the one profile that the test CA makes and an acquirer's CA can
 * make: version 3, RSA of 2048 to 4096 bits with exponent 65537, signed by RSA PKCS #1 v1.5 with SHA-256. A critical
 * extension that is not understood here is refused, as the standard demands.
 * Source: RFC 5280 §4.1, §4.2; RFC 8017 §8.2; RFC 4055 §2.1.
 * @module
 */
import { equalBytes, readAscii, toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import {
	BIT_STRING,
	BOOLEAN,
	DerReader,
	GENERALIZED_TIME,
	INTEGER,
	OBJECT_ID,
	OCTET_STRING,
	SEQUENCE,
	UTC_TIME,
} from "./der";

export interface Certificate {
	/** What the signature is over, and the signature: views into the certificate. */
	readonly signed: Uint8Array;
	readonly signature: Uint8Array;
	/** Names as they are encoded. */
	readonly issuer: Uint8Array;
	readonly subject: Uint8Array;
	/** ms since 1970. */
	readonly notBefore: number;
	readonly notAfter: number;
	/** Of the RSA key, without the zero before it: as long as a signature that the key makes, and greater. */
	readonly modulus: Uint8Array;
	readonly isCa: boolean;
	/** undefined: the extension is absent, which allows all. */
	readonly maySignCertificates: boolean | undefined;
	readonly maySign: boolean | undefined;
	readonly isForServers: boolean;
	/** dNSName entries of the subject's alternative names, in lower case. */
	readonly dnsNames: readonly string[];
}

/** Object identifiers as their contents' hex. */
const SHA256_WITH_RSA = "2A864886F70D01010B";
const RSA_ENCRYPTION = "2A864886F70D010101";
const BASIC_CONSTRAINTS = "551D13";
const KEY_USAGE = "551D0F";
const EXTENDED_KEY_USAGE = "551D25";
const SUBJECT_ALTERNATIVE_NAME = "551D11";
const SERVER_AUTHENTICATION = "2B06010505070301";
const EXPONENT_65537 = Uint8Array.of(1, 0, 1);

const VERSION_3 = 2;
const [CONTEXT_0, CONTEXT_3] = [0xa0, 0xa3];
const DNS_NAME = 0x82;

interface Extensions {
	isCa: boolean;
	maySignCertificates: boolean | undefined;
	maySign: boolean | undefined;
	isForServers: boolean;
	dnsNames: string[];
}

/**
 * @param der - borrowed: the certificate's parts are views into it
 * @throws {CodedError} "format" | "length" | "unknown" with the place of what is not understood
 */
export function readCertificate(der: Uint8Array, place: string): Certificate {
	const outer = new DerReader(der, place);
	const certificate = outer.inside(SEQUENCE);
	outer.end();
	const signed = certificate.whole(SEQUENCE);
	const algorithm = certificate.whole(SEQUENCE);
	const signature = bits(certificate.contents(BIT_STRING), place);
	certificate.end();
	checkAlgorithm(algorithm, SHA256_WITH_RSA, place);

	const fields = new DerReader(signed, place).inside(SEQUENCE);
	const version = fields.inside(CONTEXT_0).contents(INTEGER);
	if (version.length !== 1 || version[0] !== VERSION_3) throw new CodedError("format", place, "no version 3");
	fields.contents(INTEGER); // The serial number.
	if (!equalBytes(fields.whole(SEQUENCE), algorithm)) throw new CodedError("mismatch", place, "algorithm");
	const issuer = fields.whole(SEQUENCE);
	const validity = fields.inside(SEQUENCE);
	const notBefore = readTime(validity, place);
	const notAfter = readTime(validity, place);
	validity.end();
	const subject = fields.whole(SEQUENCE);
	const modulus = readKey(fields.inside(SEQUENCE), place);
	const extensions = readExtensions(fields.inside(CONTEXT_3).inside(SEQUENCE), place);
	fields.end();
	return { signed, signature, issuer, subject, notBefore, notAfter, modulus, ...extensions };
}

/** SEQUENCE of the algorithm and its parameters, which RSA has as NULL. */
function checkAlgorithm(algorithm: Uint8Array, wanted: string, place: string): void {
	const reader = new DerReader(algorithm, place).inside(SEQUENCE);
	if (toHex(reader.contents(OBJECT_ID)) !== wanted) throw new CodedError("unknown", place, "algorithm");
	if (reader.contents(0x05).length > 0) throw new CodedError("length", place, "algorithm");
	reader.end();
}

/** Contents of a BIT STRING of whole bytes. */
function bits(contents: Uint8Array, place: string): Uint8Array {
	if (contents.length < 1 || contents[0] !== 0) throw new CodedError("format", place, "bits");
	return contents.subarray(1);
}

function readKey(info: DerReader, place: string): Uint8Array {
	checkAlgorithm(info.whole(SEQUENCE), RSA_ENCRYPTION, place);
	const key = new DerReader(bits(info.contents(BIT_STRING), place), place).inside(SEQUENCE);
	info.end();
	const modulus = key.contents(INTEGER);
	const exponent = key.contents(INTEGER);
	key.end();
	// Its highest bit is set, so as a positive number it is preceded by a zero.
	const byteLength = modulus.length - 1;
	const whole = modulus[0] === 0 && modulus[1] >= 0x80 && (modulus[byteLength] & 1) === 1;
	if (!whole || byteLength < 256 || byteLength > 512) throw new CodedError("range", place, "RSA modulus");
	if (!equalBytes(exponent, EXPONENT_65537)) throw new CodedError("range", place, "RSA exponent");
	return modulus.subarray(1);
}

function readExtensions(list: DerReader, place: string): Extensions {
	const found: Extensions = {
		...{ isCa: false, maySignCertificates: undefined, maySign: undefined },
		...{ isForServers: false, dnsNames: [] },
	};
	const seen: string[] = [];
	while (!list.done) {
		const extension = list.inside(SEQUENCE);
		const id = toHex(extension.contents(OBJECT_ID));
		const critical = extension.tag === BOOLEAN && extension.contents(BOOLEAN)[0] !== 0;
		const value = extension.inside(OCTET_STRING);
		extension.end();
		if (seen.includes(id)) throw new CodedError("duplicate", place, `extension ${id}`);
		seen.push(id);
		if (id === BASIC_CONSTRAINTS) readConstraints(value, found);
		else if (id === KEY_USAGE) readKeyUsage(value, found, place);
		else if (id === EXTENDED_KEY_USAGE) readPurposes(value, found);
		else if (id === SUBJECT_ALTERNATIVE_NAME) readNames(value, found);
		else if (critical) throw new CodedError("unknown", place, `critical extension ${id}`);
		else continue;
		value.end();
	}
	return found;
}

function readConstraints(value: DerReader, found: Extensions): void {
	const constraints = value.inside(SEQUENCE);
	if (constraints.tag === BOOLEAN) found.isCa = constraints.contents(BOOLEAN)[0] !== 0;
	if (constraints.tag === INTEGER) constraints.contents(INTEGER); // Nothing stands between this CA and a leaf.
	constraints.end();
}

function readKeyUsage(value: DerReader, found: Extensions, place: string): void {
	const usage = value.contents(BIT_STRING);
	if (usage.length < 2) throw new CodedError("length", place, "key usage");
	found.maySign = (usage[1] & 0x80) !== 0; // digitalSignature (0)
	found.maySignCertificates = (usage[1] & 0x04) !== 0; // keyCertSign (5)
}

function readPurposes(value: DerReader, found: Extensions): void {
	const purposes = value.inside(SEQUENCE);
	while (!purposes.done) {
		if (toHex(purposes.contents(OBJECT_ID)) === SERVER_AUTHENTICATION) found.isForServers = true;
	}
}

function readNames(value: DerReader, found: Extensions): void {
	const names = value.inside(SEQUENCE);
	while (!names.done) {
		const { tag } = names;
		const name = names.contents(tag);
		if (tag === DNS_NAME) found.dnsNames.push(readAscii(name, 0, name.length).toLowerCase());
	}
}

/** UTCTime or GeneralizedTime, to the second, in UTC: the only forms RFC 5280 §4.1.2.5 allows. */
function readTime(reader: DerReader, place: string): number {
	const { tag } = reader;
	if (tag !== UTC_TIME && tag !== GENERALIZED_TIME) throw new CodedError("format", place, "time");
	const contents = reader.contents(tag);
	const text = readAscii(contents, 0, contents.length);
	const yearDigits = tag === UTC_TIME ? 2 : 4;
	if (!/^\d+Z$/.test(text) || text.length !== yearDigits + 11) throw new CodedError("format", place, "time");
	const two = (at: number): number => Number(text.slice(yearDigits + at, yearDigits + at + 2));
	let year = Number(text.slice(0, yearDigits));
	if (tag === UTC_TIME) year += year < 50 ? 2000 : 1900;
	const [month, day, hour, minute, second] = [two(0), two(2), two(4), two(6), two(8)];
	if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59) {
		throw new CodedError("range", place, "time");
	}
	return Date.UTC(year, month - 1, day, hour, minute, second);
}
