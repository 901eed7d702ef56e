/**
 * The till's notebook on disk (I6): one JSON line for each statement that screen or slip made about money, forced to
 * disk before anybody can act on it, so that it outlives the process and bears witness against it.
 *
 * The first line names the journal it belongs to. What follows the last newline was never finished: `kill -9` took
 * it, and it is cut off. Any other line that does not fit is damage and is not guessed at.
 * @module
 */
import * as fs from "node:fs";
import { CodedError } from "../../src/core/errors";
import type { MoneySlip, Screen, Slip, Told } from "../../src/ports";
import type { Witness } from "../world/check-money";

const FORMAT = "unsettled-till";
const VERSION = 1;
/** Two hundred thousand sales: no simulated shop has more. */
const BYTES_MAX = 64 * 1024 * 1024;

/** What one line says. */
export interface Note {
	readonly at: string;
	readonly source: "screen" | "slip";
	readonly stan: number;
	readonly name: string;
	readonly told: Told;
	readonly amountMinor?: number;
	/** Of a slip that is whole: all that is printed on it. */
	readonly slip?: MoneySlip;
}

interface Contents {
	readonly journalId: number;
	readonly notes: Note[];
	/** Bytes of whole lines. */
	readonly wholeBytes: number;
	readonly tornBytes: number;
}

/** The notebook of a flash file. */
export function notesPath(flashPath: string): string {
	return `${flashPath}.till.jsonl`;
}

/** For each sale the latest statement counts. */
class LatestNotes implements Witness {
	protected readonly latest: Map<number, Note>;

	constructor(notes: readonly Note[]) {
		this.latest = new Map(notes.map((note) => [note.stan, note]));
	}

	told(stan: number): Told | undefined {
		return this.latest.get(stan)?.told;
	}

	toldAmount(stan: number): number | undefined {
		return this.latest.get(stan)?.amountMinor;
	}

	stans(): number[] {
		return [...this.latest.keys()];
	}
}

/** What a notebook says, read without changing anything. */
export class TillNotes extends LatestNotes {
	readonly notes: readonly Note[];
	readonly tornBytes: number;

	/** @throws {CodedError} "missing" | "foreign" | "newer" | "damaged" | "length" */
	constructor(path: string) {
		const { notes, tornBytes } = read(path);
		super(notes);
		this.notes = notes;
		this.tornBytes = tornBytes;
	}
}

/** The notebook of the running terminal. */
export class NotesFile extends LatestNotes {
	readonly path: string;
	/** Bytes of an unfinished last line that were cut off. */
	readonly tornBytes: number;
	/** The notebook did not exist and begins here. */
	readonly created: boolean;
	#fd: number;

	private constructor(path: string, created: boolean, tornBytes: number, notes: readonly Note[]) {
		super(notes);
		this.path = path;
		this.created = created;
		this.tornBytes = tornBytes;
		this.#fd = fs.openSync(path, "a", 0o600);
	}

	/**
	 * Opens the notebook, or begins it.
	 * @param journalId - the journal whose trace numbers it speaks of
	 * @throws {CodedError} "foreign" for another journal's or another program's file, "newer", "damaged", "length",
	 * "flash" when the system refuses
	 */
	static open(path: string, journalId: number): NotesFile {
		try {
			if (!fs.existsSync(path)) {
				writeWhole(path, `${JSON.stringify({ format: FORMAT, version: VERSION, journal: idText(journalId) })}\n`);
				return new NotesFile(path, true, 0, []);
			}
			const { journalId: owner, notes, wholeBytes, tornBytes } = read(path);
			if (owner !== journalId) {
				throw new CodedError("foreign", `till notes ${path}`, `of journal ${idText(owner)}, not ${idText(journalId)}`);
			}
			if (tornBytes > 0) fs.truncateSync(path, wholeBytes);
			return new NotesFile(path, false, tornBytes, notes);
		} catch (error) {
			throw asCoded(error, path);
		}
	}

	/** A screen that speaks of money; others leave no note. @throws {CodedError} "full" | "flash" */
	screen(screen: Screen, timeMs: number): void {
		const { name, stan, told, amountMinor } = screen;
		if (told === undefined || stan === undefined) return;
		this.#append({
			at: new Date(timeMs).toISOString(),
			source: "screen",
			stan,
			name,
			told,
			...(amountMinor === undefined ? {} : { amountMinor }),
		});
	}

	/** A slip that is out, whole, and speaks of a sale's money; others leave no note. @throws {CodedError} "full" | "flash" */
	slip(slip: Slip, timeMs: number): void {
		if (slip.told === undefined) return;
		const { stan, name, told, amountMinor } = slip;
		this.#append({ at: new Date(timeMs).toISOString(), source: "slip", stan, name, told, amountMinor, slip });
	}

	/** Idempotent. */
	close(): void {
		if (this.#fd >= 0) fs.closeSync(this.#fd);
		this.#fd = -1;
	}

	#append(note: Note): void {
		try {
			fs.writeSync(this.#fd, `${JSON.stringify(note)}\n`);
			fs.fdatasyncSync(this.#fd);
		} catch (error) {
			throw asCoded(error, this.path);
		}
		this.latest.set(note.stan, note);
	}
}

function read(path: string): Contents {
	const place = `till notes ${path}`;
	let bytes: Buffer;
	try {
		const { size } = fs.statSync(path);
		if (size > BYTES_MAX) throw new CodedError("length", place, `${size} bytes, at most ${BYTES_MAX}`);
		bytes = fs.readFileSync(path);
	} catch (error) {
		throw asCoded(error, path);
	}
	const wholeBytes = bytes.lastIndexOf(0x0a) + 1;
	const lines = bytes.toString("utf8", 0, wholeBytes).split("\n").slice(0, -1);
	const header = parse(lines[0] ?? "") as { format?: unknown; version?: unknown; journal?: unknown } | undefined;
	if (header?.format !== FORMAT || typeof header.version !== "number") {
		throw new CodedError("foreign", place, "no till's notebook");
	}
	if (header.version > VERSION) throw new CodedError("newer", place, `version ${header.version}`);
	if (typeof header.journal !== "string" || !/^[0-9A-F]{8}$/.test(header.journal)) {
		throw new CodedError("damaged", place, "line 1");
	}
	const notes = lines.slice(1).map((line, index) => {
		const note = parse(line);
		if (!isNote(note)) throw new CodedError("damaged", place, `line ${index + 2}`);
		return note;
	});
	const journalId = Number.parseInt(header.journal, 16);
	return { journalId, notes, wholeBytes, tornBytes: bytes.length - wholeBytes };
}

function parse(line: string): unknown {
	try {
		return JSON.parse(line);
	} catch {
		return undefined; // The caller names the line.
	}
}

function isNote(value: unknown): value is Note {
	if (typeof value !== "object" || value === null) return false;
	const { source, stan, told } = value as Partial<Note>;
	const speaks = (source === "screen" || source === "slip") && (told === "paid" || told === "notCharged");
	return speaks && Number.isSafeInteger(stan);
}

function idText(journalId: number): string {
	return journalId.toString(16).toUpperCase().padStart(8, "0");
}

/** Renamed into place, so that a crash leaves either no notebook or one with a whole first line. */
function writeWhole(path: string, text: string): void {
	const draft = `${path}.new`;
	const fd = fs.openSync(draft, "w", 0o600);
	fs.writeSync(fd, text);
	fs.fsyncSync(fd);
	fs.closeSync(fd);
	fs.renameSync(draft, path);
}

/** Errors of the system become coded ones: one line, no stack. */
function asCoded(error: unknown, path: string): unknown {
	const code = (error as NodeJS.ErrnoException).code;
	if (error instanceof CodedError || typeof code !== "string") return error;
	const kind = code === "ENOSPC" ? "full" : code === "ENOENT" ? "missing" : "flash";
	return new CodedError(kind, `till notes ${path}`, code);
}
