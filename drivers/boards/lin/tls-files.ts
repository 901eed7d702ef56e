/**
 * The terminal's certificates, from the files that `npm run certs -- --out DIR` writes. Read when the program starts, so
 * that no key is ever part of a build. A desktop has files; on hardware these are entries of the encrypted partition.
 * @module
 */
import { File } from "file";
import { CodedError } from "../../../src/core/errors";

/** DER; the key in PKCS #8, not enciphered. */
export interface TlsFiles {
	ca: Uint8Array;
	certificate: Uint8Array;
	key: Uint8Array;
}

/** Far above what a key or a certificate of 4096 bits takes. */
const FILE_BYTES_MAX = 4096;

/** @throws {CodedError} "missing" | "length" with the file's name */
export function readTlsFiles(folder: string): TlsFiles {
	return {
		ca: readBytes(`${folder}/ca.der`),
		certificate: readBytes(`${folder}/terminal.der`),
		key: readBytes(`${folder}/terminal.pk8`),
	};
}

function readBytes(path: string): Uint8Array {
	if (!File.exists(path)) throw new CodedError("missing", `file ${path}`);
	const file = new File(path);
	try {
		if (file.length < 1 || file.length > FILE_BYTES_MAX) throw new CodedError("length", `file ${path}`);
		return new Uint8Array(file.read(ArrayBuffer));
	} finally {
		file.close();
	}
}
