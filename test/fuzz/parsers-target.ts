/**
 * Files that people bring: key files, and what a board's key storage holds after damage. Read whole, or refused with a
 * coded error that repeats nothing of them.
 */

import { type KeyValueIo, StoredKeys } from "../../drivers/stored-keys/stored-keys";
import type { SeededRandom } from "../../host-sim/board/seeded-random";
import { parseKeys } from "../../host-sim/cli/key-file";
import { equalBytes, toHex } from "../../src/core/bytes";
import { KEY_BYTES_MAX, type KeyName } from "../../src/ports";
import { type CaseInput, must, mustBeCoded, type Target } from "./target";

export function parsersTarget(): Target {
	return {
		name: "files",
		brief: "key files, and a board's key storage after damage",
		blockCases: 2_000,
		weight: 0.5,
		make: () => (random, input) => (random.chance(1, 2) ? keyFile(random, input) : keyStorage(random, input)),
	};
}

const KEY_FILE_REFUSALS = ["missing", "format", "length", "charset", "unknown", "range", "auth"] as const;
const PLACE = "key file test";

function hex(random: SeededRandom, byteLength: number): string {
	const bytes = new Uint8Array(byteLength);
	random.fill(bytes);
	return toHex(bytes);
}

/** One as it should be, or nearly. */
function makeKeyFile(random: SeededRandom): Record<string, unknown> {
	const file: Record<string, unknown> = {};
	const oddly = (usual: unknown): unknown => {
		if (!random.chance(1, 16)) return usual;
		return random.pick([null, 7, "", "0", [], {}, true, hex(random, 33), "zz", ["00"], undefined, -0, "０１"]);
	};
	for (const name of ["TMK", "HAK", "DUKPT"] as const) {
		if (random.chance(1, 4)) continue;
		const bytes = random.pick([16, 16, 24, 8]);
		const entry: Record<string, unknown> = { check: oddly(hex(random, 4)) };
		if (random.chance(1, 2)) entry.key = oddly(hex(random, bytes));
		else entry.components = oddly(Array.from({ length: 1 + random.below(4) }, () => oddly(hex(random, bytes))));
		if (name === "DUKPT" || random.chance(1, 16)) entry.id = oddly(hex(random, 8));
		if (random.chance(1, 16)) entry[random.pick(["__proto__x", "toString", "kcv"])] = hex(random, 3);
		file[random.chance(1, 16) ? random.pick(["PIK", "__proto__", "constructor"]) : name] = oddly(entry);
	}
	return file;
}

function keyFile(random: SeededRandom, input: CaseInput): void {
	let text = JSON.stringify(random.chance(1, 16) ? random.pick([null, [], 3, "TMK"]) : makeKeyFile(random));
	for (let changes = random.below(3); changes > 0; changes--) {
		const at = random.below(text.length + 1);
		const piece = random.pick([
			"",
			'"',
			"{",
			"}",
			"[",
			",",
			":",
			"\\u0000",
			"\u0000",
			"9".repeat(400),
			"[".repeat(3_000),
			"\ufeff",
		]);
		text = text.slice(0, at) + piece + text.slice(at + random.below(3));
	}
	input.text(text.slice(0, 2_000));
	try {
		const keys = parseKeys(text, PLACE);
		must(keys.length > 0, "different", "a file of no keys was taken");
		for (const { name, key, check, id } of keys) {
			must(key.length > 0 && check.length >= 0, "different", `${name} is empty`);
			must((id !== undefined) === (name === "DUKPT"), "different", `${name} and its id`);
		}
	} catch (error) {
		mustBeCoded(error, KEY_FILE_REFUSALS);
	}
}

/** Key-value storage in memory, as a board has it. */
class Storage implements KeyValueIo {
	readonly entries = new Map<string, Uint8Array>();

	read(key: string): ArrayBuffer | undefined {
		const entry = this.entries.get(key);
		return entry === undefined ? undefined : Uint8Array.from(entry).buffer;
	}

	write(key: string, value: Uint8Array): void {
		this.entries.set(key, value.slice());
	}

	delete(key: string): void {
		this.entries.delete(key);
	}

	close(): void {}
}

/** A key that was written is read back as it was, as the one before it when the newer slot is damaged, or not at all. */
function keyStorage(random: SeededRandom, input: CaseInput): void {
	const io = new Storage();
	const open = () => new StoredKeys({ storage: { io: { open: () => io }, path: "keys" } });
	const names: readonly KeyName[] = ["TMK", "DUKPT"];
	const written = new Map<KeyName, Uint8Array[]>(names.map((name) => [name, []]));
	for (let writes = random.below(5); writes > 0; writes--) {
		const name = random.pick(names);
		const key = new Uint8Array(random.pick([1, 16, 24, KEY_BYTES_MAX]));
		random.fill(key);
		open().write(name, key);
		written.get(name)?.push(key);
	}
	let damaged = false;
	const slots = [...io.entries.keys()];
	for (let damages = random.below(3); damages > 0; damages--) {
		const kind = random.below(3);
		const slot = random.pick([...slots, "TMK.a", "TMK.b", "DUKPT.a"]);
		const bytes = io.entries.get(slot) ?? new Uint8Array(random.below(40));
		damaged = true;
		if (kind === 0 && bytes.length > 0) bytes[random.below(bytes.length)] ^= 0x80 >> random.below(8);
		const after = kind === 1 ? bytes.slice(0, random.below(bytes.length + 1)) : bytes;
		// The slot of another key, or of another write.
		io.entries.set(kind === 2 && slots.length > 0 ? random.pick(slots) : slot, after);
		input.bytes(`slot ${slot}`, after);
	}
	for (const name of names) {
		const out = new Uint8Array(KEY_BYTES_MAX);
		const length = open().read(name, out);
		const history = written.get(name) ?? [];
		const last = history[history.length - 1];
		if (length > 0) {
			must(last !== undefined && equalBytes(out.subarray(0, length), last), "different", `${name} is another key`);
		} else must(damaged || last === undefined, "different", `${name} is lost`);
	}
}
