/**
 * What is used of the Moddable SDK's TLS (modules/crypt, modules/files/file, examples/io/tcp/tlssocket), for which neither
 * the SDK nor its published typings have declarations, or looser ones.
 */
declare module "x509" {
	const X509: {
		/** @throws when it cannot be read */
		decodeSPKI(certificate: Uint8Array): { modulus: bigint; exponent: bigint };
	};
	export default X509;
}

declare module "pkcs8" {
	const PKCS8: { parse(key: Uint8Array): unknown };
	export default PKCS8;
}

declare module "pkcs1" {
	const PKCS1: {
		I2OSP(value: bigint, byteLength: number): ArrayBuffer;
		OS2IP(bytes: Uint8Array | ArrayBuffer): bigint;
	};
	export default PKCS1;
}

declare module "rsa" {
	export default class RSA {
		constructor(exponent: bigint, modulus: bigint);
		process(value: bigint): bigint;
		readonly modulusSize: number;
	}
}

declare module "ssl/constants" {
	export const AES: number;
	export const ECDHE_RSA: number;
	export const GCM: number;
	export const SHA256: number;
}
