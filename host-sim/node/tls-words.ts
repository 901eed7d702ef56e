/**
 * Why a connection was not made, in words for a technician. The engine's own texts change with its version and speak
 * to programmers; here its codes are looked up, and one that is not known gives a plain sentence, never its text.
 *
 * Sources: X509_V_ERR_* of openssl-verification-options(1), which Node gives as error codes; alerts of RFC 5246 §7.2
 * and RFC 8446 §6, which it gives as ERR_SSL_*.
 * @module
 */

/** What is wrong with the certificate of the other end. */
const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
	CERT_HAS_EXPIRED: "has expired",
	CERT_NOT_YET_VALID: "is not valid yet",
	DEPTH_ZERO_SELF_SIGNED_CERT: "is signed by itself",
	SELF_SIGNED_CERT_IN_CHAIN: "is of another CA",
	UNABLE_TO_GET_ISSUER_CERT: "is of another CA",
	UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "is of another CA",
	UNABLE_TO_VERIFY_LEAF_SIGNATURE: "is of another CA",
	CERT_UNTRUSTED: "is of another CA",
	CERT_REJECTED: "is of another CA",
	CERT_SIGNATURE_FAILURE: "has a signature that is not its CA's",
	INVALID_PURPOSE: "is for another purpose",
	INVALID_CA: "is signed by what is no CA",
	PATH_LENGTH_EXCEEDED: "is signed by what is no CA",
	CERT_CHAIN_TOO_LONG: "has too long a chain",
	CERT_REVOKED: "is revoked",
	ERR_TLS_CERT_ALTNAME_INVALID: "is for another name",
	ERR_TLS_CERT_ALTNAME_FORMAT: "is for another name",
};

/** Alerts with which the host says what it does not like about us. */
const ALERTS: Readonly<Record<string, string>> = {
	ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "the host asks for a certificate",
	ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: "the host says that our certificate has expired",
	ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: "the host says that our certificate is revoked",
	ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: "the host says that our certificate is for another purpose",
	ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "the host does not take our certificate",
	ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: "the host does not take our certificate",
	ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "the host says that our certificate is of another CA",
	ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: "the host does not take our certificate",
	ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: "the host asks for a certificate, or speaks no TLS of our kind",
	ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "the host speaks another version of TLS",
};

/** The other end sent what no TLS record begins with. */
const NOT_TLS = new Set(["ERR_SSL_WRONG_VERSION_NUMBER", "ERR_SSL_HTTP_REQUEST", "ERR_SSL_PACKET_LENGTH_TOO_LONG"]);
const OTHER_VERSION = new Set(["ERR_SSL_UNSUPPORTED_PROTOCOL", "ERR_SSL_UNKNOWN_PROTOCOL", "ERR_SSL_VERSION_TOO_LOW"]);

const NETWORK: Readonly<Record<string, string>> = {
	ECONNREFUSED: "nobody listens there",
	ECONNRESET: "the host cut the connection",
	EPIPE: "the host cut the connection",
	ETIMEDOUT: "no answer from there",
	EHOSTUNREACH: "no way there",
	ENETUNREACH: "no way there",
	ENOTFOUND: "no such host name",
	EAI_AGAIN: "no name service",
};

/** As the terminal sees it. @returns one line */
export function linkFault(code: string | undefined): string {
	const certificate = CERTIFICATE_FAULTS[code ?? ""];
	if (certificate !== undefined) return `the host's certificate ${certificate}`;
	const known = ALERTS[code ?? ""] ?? NETWORK[code ?? ""];
	if (known !== undefined) return known;
	if (NOT_TLS.has(code ?? "")) return "the host speaks no TLS";
	if (OTHER_VERSION.has(code ?? "")) return "the host speaks another version of TLS";
	return isTls(code) ? "the TLS handshake failed" : "the connection failed";
}

/**
 * As the host sees it: why a terminal gets no connection.
 * @param code - of the error that ended the handshake
 * @param verdict - on the terminal's certificate, where there was one
 * @returns one line
 */
export function handshakeFault(code: string | undefined, verdict: string | undefined): string {
	const certificate = CERTIFICATE_FAULTS[verdict ?? ""];
	if (certificate !== undefined) return `the terminal's certificate ${certificate}`;
	if (verdict !== undefined) return "the terminal's certificate is not good";
	switch (code) {
		case "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE":
			return "the terminal has no certificate";
		case "ERR_TLS_HANDSHAKE_TIMEOUT":
			return "the TLS handshake took too long";
		case "ECONNRESET":
		case "EPIPE":
			return "the terminal broke the TLS handshake off";
		case "ERR_SSL_NO_SHARED_CIPHER":
			return "the terminal knows none of our ciphers";
		case "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA":
		case "ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE":
		case "ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED":
		case "ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN":
			return "the terminal does not take our certificate";
		default:
	}
	if (OTHER_VERSION.has(code ?? "")) return "the terminal speaks another version of TLS";
	return "the TLS handshake failed";
}

function isTls(code: string | undefined): boolean {
	return code !== undefined && /^ERR_(SSL|TLS)_/.test(code);
}
