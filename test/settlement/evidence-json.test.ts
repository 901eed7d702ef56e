/** Canonical JSON, written in pieces: one content has one text, whatever the pieces; digests are those of its bytes. */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { parsePack } from "../../host-sim/cli/verify-json";
import { AssertionError } from "../../src/core/assert";
import { JsonWriter } from "../../src/settlement/evidence-json";

type Value = number | string | Uint8Array | Value[] | { [key: string]: Value };

function write(json: JsonWriter, value: Value): void {
	if (typeof value === "number") json.integer(value);
	else if (typeof value === "string") json.string(value);
	else if (value instanceof Uint8Array) json.hex(value);
	else if (Array.isArray(value)) {
		json.beginArray();
		for (const one of value) write(json, one);
		json.endArray();
	} else {
		json.beginObject();
		for (const key of Object.keys(value).sort()) {
			json.key(key);
			write(json, value[key]);
		}
		json.endObject();
	}
}

function written(value: Value): { bytes: Buffer; pieces: number[] } {
	const chunks: Buffer[] = [];
	const pieces: number[] = [];
	const json = new JsonWriter((bytes, byteLength) => {
		chunks.push(Buffer.from(bytes.slice(0, byteLength)));
		pieces.push(byteLength);
	});
	write(json, value);
	json.end();
	return { bytes: Buffer.concat(chunks), pieces };
}

const wellFormed = (text: string) => Buffer.from(text, "utf8").toString("utf8") === text;
const text = fc.string({ unit: "binary", maxLength: 40 }).filter(wellFormed);
const integer = fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }).map((value) => value + 0);
const key = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,8}$/);
const value = fc.letrec((tie) => ({
	value: fc.oneof(
		{ maxDepth: 4, withCrossShrink: true },
		text,
		integer,
		fc.array(tie("value"), { maxLength: 4 }),
		fc.dictionary(key, tie("value"), { maxKeys: 4 }),
	),
})).value as fc.Arbitrary<Value>;

describe("settlement: canonical JSON", () => {
	it("is what JSON.stringify makes of the same content with sorted keys, and is read back", () => {
		const sorted = (one: Value): Value => {
			if (Array.isArray(one)) return one.map(sorted);
			if (typeof one !== "object") return one;
			const entries = Object.entries(one as Record<string, Value>).sort(([a], [b]) => (a < b ? -1 : 1));
			return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
		};
		const isDigitKey = (one: Value): boolean => JSON.stringify(one).includes("__proto__");
		fc.assert(
			fc.property(value, (one) => {
				fc.pre(!isDigitKey(one));
				const { bytes } = written(one);
				equal(bytes.toString("utf8"), JSON.stringify(sorted(one)));
				deepEqual(JSON.parse(JSON.stringify(parsePack(bytes).value)), JSON.parse(bytes.toString("utf8")));
			}),
			{ numRuns: 500 },
		);
	});

	it("leaves in pieces of at most 512 bytes, and each digest is of its bytes", () => {
		const chunks: Buffer[] = [];
		const json = new JsonWriter((bytes, byteLength) => {
			ok(byteLength > 0 && byteLength <= 512);
			chunks.push(Buffer.from(bytes.slice(0, byteLength)));
		});
		const section = new Uint8Array(32);
		const whole = new Uint8Array(32);
		json.beginObject();
		json.key("a");
		json.beginSection();
		json.string("补".repeat(700));
		json.endSection(section);
		json.key("b");
		json.hex(new Uint8Array(600).fill(0xa5));
		json.endWhole(whole);
		json.key("c");
		json.integer(-7);
		json.endObject();
		json.end();
		const bytes = Buffer.concat(chunks);
		const { spans } = parsePack(bytes);
		const hash = (part: Uint8Array): Buffer => createHash("sha256").update(part).digest();
		const a = spans.get("a") as { start: number; end: number };
		deepEqual(Buffer.from(section), hash(bytes.subarray(a.start, a.end)));
		deepEqual(Buffer.from(whole), hash(bytes.subarray(0, bytes.indexOf(',"c"'))));
	});

	it("writes a lone surrogate as a question mark", () => {
		equal(written("a\ud800b\udc00c\ud83d\ude00").bytes.toString("utf8"), '"a?b?c😀"');
	});

	it("asserts what would be another text than the canonical one", () => {
		const cases: ((json: JsonWriter) => void)[] = [
			(json) => {
				json.beginObject();
				json.key("b");
				json.integer(1);
				json.key("a");
			},
			(json) => {
				json.beginObject();
				json.key("a");
				json.integer(1);
				json.key("a");
			},
			(json) => {
				json.beginObject();
				json.key("a");
				json.integer(1);
				json.integer(2);
			},
			(json) => json.integer(0.5),
			(json) => json.integer(1e15),
			(json) => json.integer(Number.NaN),
			(json) => {
				json.beginObject();
				json.endArray();
			},
			(json) => {
				json.beginArray();
				json.end();
			},
			(json) => {
				for (let n = 0; n < 9; n++) json.beginArray();
			},
		];
		for (const act of cases) throws(() => act(new JsonWriter(() => {})), AssertionError);
	});
});
