/**
 * Stands on the board in the place of the SDK's module "ssl/ciphersuites": of its suites the only one that is both
 * forward secret and authenticated encryption, and for which both sides sign with RSA. The others are not even offered.
 * Source: RFC 5289 §3.2, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256; shape: Moddable SDK 8.2, ssl_ciphersuites.js.
 * @module
 */
import { AES, ECDHE_RSA, GCM, SHA256 } from "ssl/constants";

export default Object.freeze([
	Object.freeze({
		value: Object.freeze([0xc0, 0x2f]),
		isExportable: false,
		keyExchangeAlgorithm: ECDHE_RSA,
		cipherAlgorithm: AES,
		cipherKeySize: 16,
		cipherBlockSize: 16,
		hashAlgorithm: SHA256,
		hashSize: 32,
		encryptionMode: GCM,
		ivSize: 8,
		saltSize: 4,
	}),
]);
