/**
 * A key store in a file, for the terminal in a process of its own: it stands for the encrypted partition of a board, and
 * is not encrypted. Test keys only. A write replaces the file by rename, so kill -9 at any moment leaves the old content
 * or the new one.
 * @module
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { fromHex, toHex } from "../../src/core/bytes";
import { crc32c } from "../../src/core/crc32c";
import { CodedError } from "../../src/core/errors";
import { KEY_BYTES_MAX, type KeyName, type KeyStore } from "../../src/ports";

const FORMAT = "unsettled keys 1";
const FILE_BYTES_MAX = 16_384;
const NAMES: readonly KeyName[] = ["TMK", "HAK", "STORE", "DUKPT", "DEVICE"];

/** The key store that belongs to a flash file. */
export function keysPath(flashPath: string): string {
	return `${flashPath}.keys`;
}

export class FileKeys implements KeyStore {
	readonly #path: string;
	readonly #keys = new Map<string, Uint8Array>();

	/**
	 * Opens the file; where there is none the store is empty, and the first write makes it.
	 * @throws {CodedError} "damaged" | "format" | "state" with the path, never with a key
	 */
	constructor(file: string) {
		this.#path = file;
		if (!fs.existsSync(file)) return;
		const place = `key store ${file}`;
		let text: string;
		try {
			if (fs.statSync(file).size > FILE_BYTES_MAX) throw new CodedError("format", place, "not a key store");
			text = fs.readFileSync(file, "latin1");
		} catch (error) {
			if (error instanceof CodedError) throw error;
			throw new CodedError("state", place, `cannot be read (${(error as NodeJS.ErrnoException).code})`);
		}
		const [format, crc, ...lines] = text.split("\n");
		if (format !== FORMAT) throw new CodedError("format", place, "not a key store");
		if (crc !== checkOf(lines.join("\n"))) throw new CodedError("damaged", place, "its check does not fit");
		for (const line of lines) {
			if (line === "") continue;
			const [name, hex = ""] = line.split(" ");
			const key = fromHex(hex, `${place} ${name}`);
			if (!NAMES.includes(name as KeyName) || !fits(key)) throw new CodedError("format", `${place} ${name}`);
			this.#keys.set(name, key);
		}
	}

	read(name: KeyName, out: Uint8Array): number {
		const key = this.#keys.get(name);
		if (key === undefined) return 0;
		if (out.length < key.length) throw new CodedError("length", `key ${name}`, `room for ${out.length} bytes`);
		out.set(key);
		return key.length;
	}

	/** @throws {CodedError} "length"; "state" when the file cannot be written: the old content stays */
	write(name: KeyName, key: Uint8Array): void {
		if (!fits(key)) throw new CodedError("length", `key ${name}`, `${key.length} bytes`);
		const before = this.#keys.get(name);
		this.#keys.set(name, key.slice());
		try {
			this.#save();
		} catch (error) {
			if (before === undefined) this.#keys.delete(name);
			else this.#keys.set(name, before);
			const code = (error as NodeJS.ErrnoException).code;
			throw new CodedError("state", `key store ${this.#path}`, `cannot be written (${code})`);
		}
		before?.fill(0);
	}

	#save(): void {
		const lines = [...this.#keys].map(([name, key]) => `${name} ${toHex(key)}`).join("\n");
		const fresh = `${this.#path}.new`;
		const file = fs.openSync(fresh, "w", 0o600);
		try {
			fs.writeSync(file, `${FORMAT}\n${checkOf(lines)}\n${lines}`);
			fs.fsyncSync(file);
		} finally {
			fs.closeSync(file);
		}
		fs.renameSync(fresh, this.#path);
		const directory = fs.openSync(path.dirname(path.resolve(this.#path)), "r");
		try {
			fs.fsyncSync(directory); // The rename itself.
		} finally {
			fs.closeSync(directory);
		}
	}
}

function fits(key: Uint8Array): boolean {
	return key.length > 0 && key.length <= KEY_BYTES_MAX;
}

function checkOf(text: string): string {
	const bytes = new Uint8Array(Buffer.from(text, "latin1"));
	return crc32c(bytes, 0, bytes.length).toString(16).padStart(8, "0");
}
