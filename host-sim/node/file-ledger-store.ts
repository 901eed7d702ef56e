/**
 * The host's ledgers in a directory: one append-only file of JSON lines for each, forced to disk before `append`
 * returns, so that `kill -9` and a power cut take nothing that was acknowledged.
 *
 * A line is `{"n":<1, 2, …>,"crc":"<CRC-32C of the entry's text>","entry":{…}}`. What follows the last newline was
 * never acknowledged: it is cut off and reported. Any other line that does not fit is damage and is not guessed at.
 *
 * A marker file says that the directory is ours; a lock file that one process at a time writes to it.
 * @module
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { crc32c } from "../../src/core/crc32c";
import { CodedError } from "../../src/core/errors";
import { LEDGER_NAMES, type LedgerFact, type LedgerName, type LedgerStore } from "../acquirer/ledger-store";
import { FileLock } from "./file-lock";

const MARKER_FILE = "unsettled-host.json";
const MARKER_FORMAT = "unsettled-host-ledgers";
const MARKER_VERSION = 1;
/** Its lock file is `host.lock`. */
const LOCK_TARGET = "host";
/** A ledger longer than this is not read: it is no ledger of a simulated day, nor of a year of them. */
const LEDGER_BYTES_MAX = 1024 * 1024 * 1024;

export interface FileLedgerStoreOptions {
	/** Reads what is there and changes nothing: no lock, no cutting off, no new directory. */
	readonly readOnly?: boolean;
	/** A torn last line was cut off (or, read-only, skipped). */
	onTornLine?(ledger: LedgerName, byteCount: number): void;
}

interface LedgerFile {
	fd: number;
	sizeBytes: number;
	lines: number;
}

export class FileLedgerStore implements LedgerStore {
	readonly #lock: FileLock | undefined;
	readonly #readOnly: boolean;
	readonly #files = new Map<LedgerName, LedgerFile>();
	#closed = false;

	/**
	 * Opens or creates the directory.
	 * @throws {CodedError} "foreign" when it belongs to something else, "newer" when a later version wrote it,
	 * "state" when another process has it, "damaged" for a line that does not fit, "missing" when it cannot be used
	 */
	constructor(directory: string, options: FileLedgerStoreOptions = {}) {
		this.#readOnly = options.readOnly === true;
		try {
			if (this.#readOnly) checkMarker(directory);
			else this.#lock = claimDirectory(directory);
		} catch (error) {
			throw asCoded(error, "data directory");
		}
		try {
			for (const ledger of LEDGER_NAMES) this.#open(directory, ledger, options);
			if (!this.#readOnly) syncDirectory(directory);
		} catch (error) {
			this.close();
			throw asCoded(error, "data directory");
		}
	}

	append(ledger: LedgerName, entry: LedgerFact): void {
		const file = this.#files.get(ledger);
		if (this.#readOnly || this.#closed || file === undefined) throw new CodedError("state", `${ledger} ledger`);
		const text = JSON.stringify(entry);
		const bytes = Buffer.from(`{"n":${file.lines + 1},"crc":"${checksum(text)}","entry":${text}}\n`, "utf8");
		try {
			let written = 0;
			while (written < bytes.length) {
				written += fs.writeSync(file.fd, bytes, written, bytes.length - written, file.sizeBytes + written);
			}
			fs.fdatasyncSync(file.fd);
		} catch (error) {
			// A half-written line in the middle would be damage: the store takes nothing more until it is opened anew.
			this.close();
			throw asCoded(error, `${ledger} ledger`);
		}
		file.sizeBytes += bytes.length;
		file.lines++;
	}

	load(ledger: LedgerName): LedgerFact[] {
		if (this.#closed) throw new CodedError("state", `${ledger} ledger`, "closed");
		const file = this.#files.get(ledger);
		if (file === undefined) return []; // Read-only, and nothing was ever written.
		const bytes = Buffer.alloc(file.sizeBytes);
		let read = 0;
		while (read < bytes.length) {
			const count = fs.readSync(file.fd, bytes, read, bytes.length - read, read);
			if (count === 0) throw new CodedError("damaged", `${ledger} ledger`, "shorter than it was");
			read += count;
		}
		return parseLines(ledger, bytes);
	}

	/** Gives the directory free. May be called twice. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		for (const file of this.#files.values()) fs.closeSync(file.fd);
		this.#files.clear();
		this.#lock?.release();
	}

	#open(directory: string, ledger: LedgerName, options: FileLedgerStoreOptions): void {
		const name = path.join(directory, `${ledger}.jsonl`);
		if (this.#readOnly && !fs.existsSync(name)) return;
		const fd = this.#readOnly
			? fs.openSync(name, fs.constants.O_RDONLY)
			: fs.openSync(name, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
		const file: LedgerFile = { fd, sizeBytes: 0, lines: 0 };
		this.#files.set(ledger, file);
		const stat = fs.fstatSync(fd);
		if (!stat.isFile()) throw new CodedError("foreign", `${ledger} ledger`, "not a file");
		if (stat.size > LEDGER_BYTES_MAX) throw new CodedError("length", `${ledger} ledger`, "too long");
		const bytes = fs.readFileSync(fd);
		const wholeBytes = bytes.lastIndexOf(0x0a) + 1;
		file.sizeBytes = wholeBytes;
		file.lines = parseLines(ledger, bytes.subarray(0, wholeBytes)).length;
		if (wholeBytes === bytes.length) return;
		if (!this.#readOnly) {
			fs.ftruncateSync(fd, wholeBytes);
			fs.fsyncSync(fd);
		}
		options.onTornLine?.(ledger, bytes.length - wholeBytes);
	}
}

function checksum(text: string): string {
	return crc32c(Buffer.from(text, "utf8")).toString(16).toUpperCase().padStart(8, "0");
}

function parseLines(ledger: LedgerName, bytes: Buffer): LedgerFact[] {
	const entries: LedgerFact[] = [];
	let start = 0;
	while (start < bytes.length) {
		const end = bytes.indexOf(0x0a, start);
		const entry = parseLine(bytes.toString("utf8", start, end), entries.length + 1);
		if (entry === undefined) throw new CodedError("damaged", `${ledger} ledger`, `line ${entries.length + 1}`);
		entries.push(entry);
		start = end + 1;
	}
	return entries;
}

/** @returns the entry, or undefined when the line is not what was written */
function parseLine(line: string, number: number): LedgerFact | undefined {
	const match = /^\{"n":(\d+),"crc":"([0-9A-F]{8})","entry":(\{.*\})\}$/.exec(line);
	if (match === null || match[1] !== String(number) || match[2] !== checksum(match[3])) return undefined;
	return JSON.parse(match[3]) as LedgerFact; // The CRC has shown that it is the text JSON.stringify made.
}

/** Takes the directory for this process: ours, or empty, or not there yet. */
function claimDirectory(directory: string): FileLock {
	fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
	if (!isFresh(directory)) checkMarker(directory);
	const lock = FileLock.acquire(path.join(directory, LOCK_TARGET), "data directory");
	try {
		// Asked again: another process may have been first.
		if (isFresh(directory)) {
			const marker = path.join(directory, MARKER_FILE);
			// Renamed into place, so that a crash leaves either no marker or a whole one.
			writeDurably(`${marker}.new`, `${JSON.stringify({ format: MARKER_FORMAT, version: MARKER_VERSION })}\n`);
			fs.renameSync(`${marker}.new`, marker);
		}
		return lock;
	} catch (error) {
		lock.release();
		throw error;
	}
}

/** True when nothing is in it but what a crash may leave while it was claimed. */
function isFresh(directory: string): boolean {
	const ours = (name: string): boolean => name.startsWith(`${LOCK_TARGET}.lock`) || name === `${MARKER_FILE}.new`;
	return fs.readdirSync(directory).every(ours);
}

function writeDurably(name: string, text: string): void {
	const fd = fs.openSync(name, "w", 0o600);
	fs.writeSync(fd, text);
	fs.fsyncSync(fd);
	fs.closeSync(fd);
}

/** Makes the names of new files durable. */
function syncDirectory(directory: string): void {
	const fd = fs.openSync(directory, fs.constants.O_RDONLY);
	fs.fsyncSync(fd);
	fs.closeSync(fd);
}

function checkMarker(directory: string): void {
	const stat = fs.statSync(directory);
	if (!stat.isDirectory()) throw new CodedError("foreign", "data directory", "not a directory");
	const name = path.join(directory, MARKER_FILE);
	if (!fs.existsSync(name)) {
		throw new CodedError("foreign", "data directory", `no ${MARKER_FILE} in it: it belongs to something else`);
	}
	let marker: { format?: unknown; version?: unknown };
	try {
		marker = JSON.parse(fs.readFileSync(name, "utf8"));
	} catch {
		throw new CodedError("damaged", "data directory", MARKER_FILE);
	}
	if (marker?.format !== MARKER_FORMAT) throw new CodedError("foreign", "data directory", MARKER_FILE);
	if (typeof marker.version !== "number") throw new CodedError("damaged", "data directory", MARKER_FILE);
	if (marker.version > MARKER_VERSION) throw new CodedError("newer", "data directory", `version ${marker.version}`);
}

/** Errors of the system become coded ones: one line, no stack. */
function asCoded(error: unknown, place: string): unknown {
	const code = (error as NodeJS.ErrnoException).code;
	if (error instanceof CodedError || typeof code !== "string") return error;
	return new CodedError(code === "ENOSPC" ? "full" : "missing", place, `cannot be used (${code})`);
}
