/**
 * `npm run decode` as a function: words, files of raw bytes or hex, several frames one behind the other, frames without
 * their length, and frames that are cut off or made wrong. It refuses with one line or reports; what it reports of a card
 * is masked, also where a frame breaks in the middle of it.
 */

import type { SeededRandom } from "../../host-sim/board/seeded-random";
import { UsageError } from "../../host-sim/cli/args";
import { framePlaces, readInput } from "../../host-sim/cli/decode-input";
import { reportFrame } from "../../host-sim/cli/decode-report";
import { toHex } from "../../src/core/bytes";
import { type Dialect, LENGTH_BYTES } from "../../src/iso8583/dialect";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { layoutOf, writeFrameLength } from "../../src/iso8583/layout";
import { encodeMessage } from "./messages";
import { Mutator } from "./mutations";
import { windowsOf } from "./secrets";
import { structuredMessage } from "./structured";
import { type CaseInput, must, type Target } from "./target";

const MAC_KEYS = [undefined, new Uint8Array(8).fill(7), new Uint8Array(16).fill(7), new Uint8Array(3)];
/** Fields that a card's number can be read from by whoever sees the frame. */
const SEARCHED = ["card number in DE 2", "card number in track 2", "track 2"];

export function decodeTarget(dialects: readonly Dialect[], corpus: readonly Uint8Array[]): Target {
	return {
		name: "decode",
		brief: "what npm run decode is given, and what it shows of it",
		blockCases: 1_000,
		weight: 0.5,
		make: () => {
			const mutators = new Map(dialects.map((dialect) => [dialect, new Mutator(dialect, corpus)]));
			return (random, input) => {
				const dialect = random.pick(dialects);
				const mutator = mutators.get(dialect);
				if (random.chance(1, 4)) words(random, input);
				else if (mutator !== undefined) report(random, input, dialect, mutator);
			};
		},
	};
}

/** Hex as people paste it, or nearly. None of it is the name of a file here. */
function words(random: SeededRandom, input: CaseInput): void {
	const bytes = new Uint8Array(random.below(random.chance(1, 16) ? 4_000 : 40));
	random.fill(bytes);
	let text = toHex(bytes);
	if (random.chance(1, 2)) text = text.toLowerCase();
	for (let changes = random.below(4); changes > 0; changes--) {
		const at = random.below(text.length + 1);
		const piece = random.pick([" ", "\n", "0x", "0X", "g", "\u0000", "０", "x", "0x0x", ""]);
		text = text.slice(0, at) + piece + text.slice(at + random.below(2));
	}
	input.text(`words ${JSON.stringify(text)}`);
	const parts = random.chance(1, 2) ? text.split(" ") : [text];
	// What the system calls a file: not looked at here.
	if (parts.some((part) => part === "-" || part.includes("\u0000"))) return;
	try {
		const read = readInput(parts);
		const spelled = text.replace(/0[xX]|\s/g, "");
		must(toHex(read) === spelled.toUpperCase(), "different", "other bytes than the digits say");
	} catch (error) {
		if (!(error instanceof UsageError)) throw error;
	}
}

function report(random: SeededRandom, input: CaseInput, dialect: Dialect, mutator: Mutator): void {
	const { frameBytesMax } = layoutOf(dialect);
	const out = new Uint8Array(frameBytesMax);
	const { message, secrets } = structuredMessage(random, dialect);
	const whole = out.slice(0, encodeMessage(new MessageEncoder(dialect, out), dialect, message));
	// What is wrong with it leaves the card's data as it is: so all of it is looked for. Otherwise it only has to stand it.
	const kind = random.below(4);
	// A TPDU that reads as a length would cut it anywhere; real ones begin with 60.
	const intact = kind < 2 || (kind === 2 && whole[LENGTH_BYTES] >= 0x60);
	let bytes: Uint8Array = whole;
	if (kind === 1) bytes = whole.slice(0, random.below(whole.length));
	else if (kind === 2) bytes = whole.slice(LENGTH_BYTES);
	else if (kind === 3) bytes = mutator.mutate(random, whole);
	if (kind === 1 && random.chance(1, 2) && bytes.length > LENGTH_BYTES) {
		writeFrameLength(dialect, bytes, bytes.length - LENGTH_BYTES);
	}
	if (random.chance(1, 6)) bytes = Uint8Array.from([...whole, ...bytes]);
	input.bytes("bytes", bytes);
	const places = framePlaces(bytes, dialect);
	let at = 0;
	for (const { start, end } of places) {
		must(start === at && end > start && end <= bytes.length, "different", "the frames are not the input");
		at = end;
	}
	must(at === bytes.length, "different", "something of the input is in no frame");
	const macKey = random.pick(MAC_KEYS);
	for (const place of places) {
		let text: string;
		try {
			const language = random.pick(["zh", "en"] as const);
			const { report: object, lines } = reportFrame(bytes, place, { dialect, language, unmask: false, macKey });
			text = `${lines.join("\n")}\n${JSON.stringify(object)}`;
		} catch (error) {
			if (!(error instanceof UsageError) || macKey === undefined) throw error;
			continue; // No key for this MAC.
		}
		if (!intact) continue;
		for (const [what, digits] of secrets) {
			// A frame that decodes hides everything; of one that does not, what can be told by its form.
			if (kind === 1 && !SEARCHED.includes(what)) continue;
			const packed = text.replace(/[ |]/g, "");
			const leaks = windowsOf(digits).some((window) => text.includes(window) || packed.includes(window));
			must(!leaks, "secret", `${what} in: ${text}`);
		}
	}
}
