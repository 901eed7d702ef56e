/**
 * The encoder: any field with any value, right or not, into memory of any size. A value is refused with a coded error
 * that does not repeat it, or taken; what was taken decodes to exactly the fields that were taken; bytes past the result
 * stay as they were, but for the place where a value was refused half-way, which the next one takes.
 */
import type { SeededRandom } from "../../host-sim/board/seeded-random";
import { CodedError, type ErrorCode } from "../../src/core/errors";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { DE_MAX, type Dialect, type FieldRule, isDigits } from "../../src/iso8583/dialect";
import { type BeginOptions, MessageEncoder } from "../../src/iso8583/encoder";
import { layoutOf } from "../../src/iso8583/layout";
import { randomValue } from "./messages";
import { type CaseInput, must, mustBeCoded, type Target } from "./target";

const REFUSALS: readonly ErrorCode[] = ["length", "charset", "order", "unknown", "range"];
const CALLS_MAX = 24;
const UNTOUCHED = 0xa5;
/** Of the longest field of any dialect, its length included. */
const FIELD_BYTES_MAX = 1_002;
const MAC = new Uint8Array(8).fill(0x4d);
const STRANGE = ["", "D", "1D", "-1", " ", "00000\u0000", "１２", "1e3", "NaN", "\ud83d\ude00", "=", "0x10", "é"];

export function encoderTarget(dialects: readonly Dialect[]): Target {
	return {
		name: "encoder",
		brief: "any field with any value into memory of any size",
		blockCases: 5_000,
		weight: 1,
		make: () => {
			const decoders = new Map(dialects.map((dialect) => [dialect, new MessageDecoder(dialect)]));
			return (random, input) => {
				const dialect = random.pick(dialects);
				const decoder = decoders.get(dialect);
				if (decoder !== undefined) run(random, input, dialect, decoder);
			};
		},
	};
}

function run(random: SeededRandom, input: CaseInput, dialect: Dialect, decoder: MessageDecoder): void {
	const room = random.chance(1, 3) ? random.below(200) : layoutOf(dialect).frameBytesMax + random.below(3);
	const out = new Uint8Array(room).fill(UNTOUCHED);
	const encoder = new MessageEncoder(dialect, out);
	if (!begin(random, input, encoder, dialect)) return;
	const taken = new Map<number, string>();
	let refused = false;
	for (let calls = random.below(CALLS_MAX); calls > 0; calls--) {
		const de = random.chance(1, 8) ? random.below(DE_MAX + 3) : nextField(random, dialect, taken);
		try {
			taken.set(de, put(random, input, encoder, dialect, de));
		} catch (error) {
			mustBeCoded(error, REFUSALS);
			refused = true;
		}
	}
	let byteLength: number;
	try {
		byteLength = random.chance(1, 2) ? encoder.finish() : encoder.finishWithMac(FIXED_MAC);
	} catch (error) {
		mustBeCoded(error, ["length", "missing", "order"]);
		return;
	}
	must(byteLength > 0 && byteLength <= room, "overwrite", `${byteLength} bytes of ${room}`);
	const untouched = byteLength + (refused ? FIELD_BYTES_MAX : 0);
	for (let i = untouched; i < room; i++) must(out[i] === UNTOUCHED, "overwrite", `byte ${i} past ${byteLength}`);
	// A message of no fields, and one with a MAC that was put in as a field behind fields above 64, decode as well.
	decoder.decode(out, byteLength);
	for (const [de, text] of taken)
		must(decoder.has(de) && decoder.text(de) === text, "different", `DE ${de} came out otherwise`);
	const mac = decoder.macDe;
	for (let de = 2; de <= DE_MAX; de++) {
		must(!decoder.has(de) || taken.has(de) || de === mac, "different", `DE ${de} was never put in`);
	}
}

const FIXED_MAC = {
	mac(_bytes: Uint8Array, _start: number, _end: number, out: Uint8Array, outOffset: number) {
		out.set(MAC, outOffset);
	},
};

function begin(random: SeededRandom, input: CaseInput, encoder: MessageEncoder, dialect: Dialect): boolean {
	const rule = random.pick(dialect.messages);
	const mti = random.chance(1, 16) ? random.pick(["", "0000", "02000", "02A0", "９２００"]) : rule.mti;
	const options: { -readonly [K in keyof BeginOptions]: BeginOptions[K] } = { secondary: random.chance(1, 2) };
	if (random.chance(1, 8)) options.tpdu = new Uint8Array(random.below(8));
	if (random.chance(1, 8)) options.header = new Uint8Array(random.below(8));
	input.text(`begin ${JSON.stringify(mti)} ${JSON.stringify(options)}`);
	try {
		encoder.begin(mti, options);
		return true;
	} catch (error) {
		mustBeCoded(error, ["unknown", "length"]);
		return false;
	}
}

/** As a rule behind those that are there. */
function nextField(random: SeededRandom, dialect: Dialect, taken: ReadonlyMap<number, string>): number {
	const last = Math.max(1, ...taken.keys());
	const known: number[] = [];
	for (let de = last + 1; de <= DE_MAX && known.length < 6; de++) if (dialect.fields[de] !== undefined) known.push(de);
	return known.length === 0 ? random.below(DE_MAX + 1) : random.pick(known);
}

/** @returns what the decoder has to read. @throws what the encoder throws */
function put(random: SeededRandom, input: CaseInput, encoder: MessageEncoder, dialect: Dialect, de: number): string {
	const rule = dialect.fields[de];
	// A method that is not for the field is our bug, an assertion: the search does not look for those.
	if (rule === undefined) {
		encoder.digits(de, "0");
		throw new CodedError("unknown", "a field that no dialect has was taken");
	}
	if (isDigits(rule)) {
		if (rule.format === "n" && rule.prefix === 0 && random.chance(1, 2))
			return putNumber(random, input, encoder, de, rule);
		const text = wrongly(random, randomValue(random, rule, "0200") as string);
		input.text(`digits ${de} ${JSON.stringify(text)}`);
		encoder.digits(de, text);
		return text;
	}
	const bytes = randomValue(random, rule, "0200") as Uint8Array;
	if (rule.format !== "b" && random.chance(1, 2)) {
		let text = "";
		for (const byte of bytes) text += String.fromCharCode(byte);
		text = wrongly(random, text);
		input.text(`ascii ${de} ${JSON.stringify(text)}`);
		encoder.ascii(de, text);
		return text;
	}
	if (random.chance(1, 6) && bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256);
	const to = random.chance(1, 6) ? random.below(bytes.length + 1) : bytes.length;
	const from = random.chance(1, 6) ? random.below(to + 1) : 0;
	input.bytes(`bytes ${de} ${from}-${to}`, bytes);
	encoder.bytes(de, bytes, from, to);
	return shown(rule, bytes.subarray(from, to));
}

function putNumber(
	random: SeededRandom,
	input: CaseInput,
	encoder: MessageEncoder,
	de: number,
	rule: FieldRule,
): string {
	const value = random.pick([
		random.below(1_000_000),
		random.below(100),
		10 ** rule.lengthMax - 1,
		10 ** rule.lengthMax,
		-1,
		0.5,
		Number.NaN,
		Number.POSITIVE_INFINITY,
		2 ** 53,
	]);
	input.text(`number ${de} ${value}`);
	encoder.number(de, value);
	return `${value}`.padStart(rule.lengthMax, "0");
}

function wrongly(random: SeededRandom, text: string): string {
	if (!random.chance(1, 4)) return text;
	const at = random.below(text.length + 1);
	return text.slice(0, at) + random.pick(STRANGE) + text.slice(at + random.below(2));
}

/** As MessageDecoder.text reads it. */
function shown(rule: FieldRule, bytes: Uint8Array): string {
	if (rule.format === "b") return Buffer.from(bytes).toString("hex").toUpperCase();
	let text = "";
	for (const byte of bytes) text += byte < 0x80 ? String.fromCharCode(byte) : "?";
	return text;
}
