/**
 * A lock file `PATH.lock` that names its process. It appears whole (a hard link to a finished file), and one left by
 * a process that was killed is taken over: the process is gone, or its number belongs to one that began later.
 * @module
 */
import * as fs from "node:fs";
import { CodedError } from "../../src/core/errors";

/** Two processes may find the same stale lock; each pass one of them gets further. */
const ATTEMPTS_MAX = 10;

export class FileLock {
	readonly #path: string;
	readonly #owner: string;

	private constructor(path: string, owner: string) {
		this.#path = path;
		this.#owner = owner;
	}

	/**
	 * @param target - the file to be locked
	 * @param place - for errors
	 * @throws {CodedError} "state" while another process, or this one, holds it; "flash" when the system refuses
	 */
	static acquire(target: string, place: string): FileLock {
		const path = `${target}.lock`;
		const draft = `${path}.${process.pid}`;
		const owner = `${process.pid} ${startOf(process.pid) ?? "-"}\n`;
		try {
			fs.writeFileSync(draft, owner);
			for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
				if (link(draft, path)) return new FileLock(path, owner);
				const holder = readText(path);
				if (holder === undefined) continue; // Given back in between.
				if (isAlive(holder)) throw new CodedError("state", place, `locked by ${describe(holder)}`);
				takeAway(path, holder);
			}
			throw new CodedError("state", place, "its lock keeps changing hands");
		} catch (error) {
			if (error instanceof CodedError) throw error;
			const { code = "unknown" } = error as NodeJS.ErrnoException;
			if (code === "ENOENT") throw new CodedError("missing", place, "no such directory");
			throw new CodedError("flash", place, `cannot be locked, ${code}`);
		} finally {
			fs.rmSync(draft, { force: true });
		}
	}

	/** Idempotent; leaves a lock alone that is no longer ours. */
	release(): void {
		if (readText(this.#path) === this.#owner) fs.rmSync(this.#path, { force: true });
	}
}

/** @returns false when `to` exists */
function link(from: string, to: string): boolean {
	try {
		fs.linkSync(from, to);
		return true;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
		throw error;
	}
}

function readText(path: string): string | undefined {
	try {
		return fs.readFileSync(path, "latin1");
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
		throw error;
	}
}

/** Removes the stale lock `holder`, and puts back what another process may have put there meanwhile. */
function takeAway(path: string, holder: string): void {
	const aside = `${path}.${process.pid}.stale`;
	try {
		fs.renameSync(path, aside);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
		throw error;
	}
	if (readText(aside) !== holder) link(aside, path);
	fs.rmSync(aside, { force: true });
}

function describe(holder: string): string {
	const pid = /^[1-9][0-9]{0,9} /.exec(holder)?.[0];
	return pid === undefined ? "a lock file of another kind" : `process ${pid.trim()}`;
}

function isAlive(holder: string): boolean {
	const match = /^([1-9][0-9]{0,9}) ([0-9]+|-)\n$/.exec(holder);
	if (match === null) return true; // Not written by us, so not ours to remove.
	const pid = Number(match[1]);
	try {
		process.kill(pid, 0);
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === "EPERM";
	}
	const start = startOf(pid);
	return start === undefined || match[2] === "-" || start === match[2];
}

/**
 * When a process began, in clock ticks since boot; "0" for one that is dead and not yet buried; undefined where the
 * system has no /proc. Source: proc(5), /proc/PID/stat, fields 3 and 22.
 */
function startOf(pid: number): string | undefined {
	let stat: string | undefined;
	try {
		stat = readText(`/proc/${pid}/stat`);
	} catch {
		return undefined; // Gone between two looks; the next attempt sees it.
	}
	if (stat === undefined) return undefined;
	const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
	return fields[0] === "Z" || fields[0] === "X" ? "0" : fields[19];
}
