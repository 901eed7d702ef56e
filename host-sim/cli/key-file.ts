/**
 * A file of keys for a test terminal, as its technician brings it: JSON, each key with its check value, whole or in
 * components that are XORed.
 *
 *     { "TMK": { "key": "0123…", "check": "08D7B4FB" },
 *       "HAK": { "components": ["…", "…"], "check": "…" },
 *       "DUKPT": { "id": "1234…", "key": "…", "check": "…" } }
 * @module
 */
import * as fs from "node:fs";
import { fromHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { loadDukpt } from "../../src/security/dukpt-loading";
import { combineComponents, loadKey } from "../../src/security/key-loading";
import { TEST_DUKPT, TEST_KEYS } from "../acquirer/test-keys";
import { MemoryKeys } from "../board/memory-keys";

/** What a technician loads; the others the terminal makes itself or a sign-on brings. */
export const LOADABLE = ["TMK", "HAK", "DUKPT"] as const;

export interface KeyToLoad {
	readonly name: (typeof LOADABLE)[number];
	/** To be wiped by whoever loads it. */
	readonly key: Uint8Array;
	readonly check: Uint8Array;
	/** Of the initial key of DUKPT, 8 bytes; the others have none. */
	readonly id?: Uint8Array;
}

/** The keys that every test terminal has, and the host of `npm run host` knows, with their check values. */
export function testKeys(): KeyToLoad[] {
	const { id, key, check } = TEST_DUKPT;
	return [
		{ name: "TMK", key: fromHex(TEST_KEYS.TMK), check: fromHex("08D7B4FB") }, // Triple DES of eight zero bytes.
		{ name: "HAK", key: fromHex(TEST_KEYS.HAK), check: fromHex("7AD386C3") }, // AES-CMAC of sixteen.
		{ name: "DUKPT", key: fromHex(key), check: fromHex(check), id: fromHex(id) },
	];
}

const FILE_BYTES_MAX = 16_384;
const COMPONENTS_MAX = 3;

/**
 * @throws {CodedError} "missing" | "format" | "length" | "charset" | "unknown", "auth" where a check value does not fit,
 * with file and key, never with digits of it
 */
export function readKeyFile(path: string): KeyToLoad[] {
	const place = `key file ${path}`;
	let text: string;
	try {
		if (fs.statSync(path).size > FILE_BYTES_MAX) throw new CodedError("length", place);
		text = fs.readFileSync(path, "utf8");
	} catch (error) {
		if (error instanceof CodedError) throw error;
		throw new CodedError("missing", place, `cannot be read (${(error as NodeJS.ErrnoException).code})`);
	}
	return parseKeys(text, place);
}

/** See {@link readKeyFile}. */
export function parseKeys(text: string, place: string): KeyToLoad[] {
	let file: unknown;
	try {
		file = JSON.parse(text);
	} catch {
		throw new CodedError("format", place, "not JSON"); // The parser's own text may quote a key.
	}
	if (!isRecord(file)) throw new CodedError("format", place, "not an object of keys");
	const keys: KeyToLoad[] = [];
	for (const [name, entry] of Object.entries(file)) {
		const known = LOADABLE.find((candidate) => candidate === name);
		if (known === undefined) throw new CodedError("unknown", place, `a key is one of ${LOADABLE.join(", ")}`);
		const where = `${place} ${known}`;
		if (!isRecord(entry)) throw new CodedError("format", where, "not an object");
		const { key, components, check, id, ...rest } = entry;
		if (Object.keys(rest).length > 0) throw new CodedError("unknown", where, "only key or components, check, and id");
		if ((known === "DUKPT") !== (typeof id === "string")) throw new CodedError("format", where, "DUKPT has an id");
		if (typeof check !== "string") throw new CodedError("missing", `${where} check`);
		const parts = key === undefined ? components : [key];
		const listed = Array.isArray(parts) && parts.length > 0 && parts.length <= COMPONENTS_MAX;
		if (!listed || (key !== undefined && components !== undefined)) {
			throw new CodedError("format", where, `one key, or up to ${COMPONENTS_MAX} components`);
		}
		const bytes = parts.map((part) => {
			if (typeof part !== "string") throw new CodedError("format", where, "not hex digits");
			return fromHex(part, where);
		});
		const whole = new Uint8Array(bytes[0].length);
		combineComponents(bytes, whole);
		for (const part of bytes) part.fill(0);
		const named = typeof id === "string" ? { id: fromHex(id, `${where} id`) } : {};
		const loadable = { name: known, key: whole, check: fromHex(check, `${where} check`), ...named };
		tryLoading(loadable, where);
		// What the terminal may still refuse, an initial key it has had, comes first: nothing else is loaded then.
		if (known === "DUKPT") keys.unshift(loadable);
		else keys.push(loadable);
	}
	if (keys.length === 0) throw new CodedError("missing", place, "no key in it");
	return keys;
}

/** Into a store of nobody's: a key that is wrong is found before any of its file is loaded. */
function tryLoading({ name, key, check, id }: KeyToLoad, where: string): void {
	const store = new MemoryKeys();
	try {
		if (name === "DUKPT") loadDukpt(store, key, id ?? new Uint8Array(0), check);
		else loadKey(store, name, key, check);
	} catch (error) {
		if (!(error instanceof CodedError)) throw error;
		throw new CodedError(error.code, where, error.message);
	}
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
