/**
 * The framer: streams of frames with garbage in and behind them, in any split, up to 64 KiB and byte by byte. It hands
 * out exactly the frames that a parser of the whole stream finds, stops where that one stops, stays stopped until it is
 * reset, and takes no memory for it.
 */
import type { SeededRandom } from "../../host-sim/board/seeded-random";
import { equalBytes } from "../../src/core/bytes";
import { Framer } from "../../src/iso8583/framer";
import { guardedBytes } from "./guarded";
import { Escape, must, mustBeCoded, type RunCase, type Target } from "./target";

const FLOOD_BYTES = 65_536;
/** Of buffers that a push may leave behind: none. What Node itself makes meanwhile is less. */
const MEMORY_BYTES_MAX = 1_024;

/** What of a dialect decides where a frame ends. */
export interface Framing {
	readonly frameLength: "u16" | "ascii4";
	readonly frameLengthCountsItself: boolean;
	readonly frameBytesMax: number;
}

type FramerLike = Pick<Framer, "push" | "reset">;

/** The real one, or something broken. */
export type MakeFramer = (framing: Framing) => FramerLike;

export function makeFramer(framing: Framing): Framer {
	return new Framer(framing);
}

/** The dialect's longest frame, and small ones, with which everything happens sooner. */
const FRAMINGS: readonly Framing[] = [
	{ frameLength: "u16", frameLengthCountsItself: false, frameBytesMax: 1_460 },
	{ frameLength: "u16", frameLengthCountsItself: false, frameBytesMax: 16 },
	{ frameLength: "u16", frameLengthCountsItself: false, frameBytesMax: 1 },
	{ frameLength: "ascii4", frameLengthCountsItself: true, frameBytesMax: 2_000 },
	{ frameLength: "ascii4", frameLengthCountsItself: false, frameBytesMax: 12 },
	{ frameLength: "u16", frameLengthCountsItself: true, frameBytesMax: 30 },
];

export function framerTarget(make: MakeFramer): Target {
	return {
		name: "framer",
		brief: "streams of frames and garbage in any split",
		blockCases: 2_000,
		weight: 1,
		make: () => {
			const framers = FRAMINGS.map((framing) => ({ framing, framer: make(framing) }));
			return (random, input) => {
				const { framing, framer } = random.pick(framers);
				runStream(framer, framing)(random, input);
			};
		},
	};
}

/** What a parser that has the whole stream finds. */
interface Expected {
	readonly frames: readonly Uint8Array[];
	/** Behind them a length that no frame may have. */
	readonly broken: boolean;
}

function lengthBytesOf({ frameLength }: Framing): number {
	return frameLength === "u16" ? 2 : 4;
}

/** @returns bytes that follow the length at `at`; NaN when it is none */
function readLength(framing: Framing, stream: Uint8Array, at: number): number {
	const lengthBytes = lengthBytesOf(framing);
	const field = stream.subarray(at, at + lengthBytes);
	const text = String.fromCharCode(...field);
	const said = lengthBytes === 2 ? 256 * field[0] + field[1] : /^\d{4}$/.test(text) ? Number(text) : Number.NaN;
	return framing.frameLengthCountsItself ? said - lengthBytes : said;
}

function writeLength(framing: Framing, stream: Uint8Array, at: number, length: number): void {
	const lengthBytes = lengthBytesOf(framing);
	const said = framing.frameLengthCountsItself ? length + lengthBytes : length;
	if (lengthBytes === 2) stream.set([said >> 8, said & 255], at);
	else stream.set(Buffer.from(`${said}`.padStart(4, "0"), "latin1"), at);
}

function parse(stream: Uint8Array, framing: Framing): Expected {
	const lengthBytes = lengthBytesOf(framing);
	const frames: Uint8Array[] = [];
	let at = 0;
	while (at + lengthBytes <= stream.length) {
		const length = readLength(framing, stream, at);
		if (!(length > 0 && length <= framing.frameBytesMax)) return { frames, broken: true };
		const end = at + lengthBytes + length;
		if (end > stream.length) break;
		frames.push(stream.subarray(at, end));
		at = end;
	}
	return { frames, broken: false };
}

function makeStream(random: SeededRandom, framing: Framing): Uint8Array {
	const lengthBytes = lengthBytesOf(framing);
	if (random.chance(1, 64)) {
		const flood = new Uint8Array(FLOOD_BYTES);
		// Of zeros, of one byte, of noise.
		const kind = random.below(3);
		if (kind === 1) flood.fill(random.below(256));
		else if (kind === 2) random.fill(flood);
		// Of frames that are right, one behind the other.
		if (random.chance(1, 2))
			for (let at = 0; at + lengthBytes <= flood.length; ) at += beginFrame(random, flood, at, framing);
		return flood;
	}
	const stream = new Uint8Array(random.below(4 * (framing.frameBytesMax + lengthBytes)) + 1);
	random.fill(stream);
	for (let at = 0; at + lengthBytes <= stream.length; ) {
		if (random.chance(1, 12)) break; // From here on noise.
		at += beginFrame(random, stream, at, framing);
	}
	return stream;
}

/** @returns bytes of the frame whose length it has written */
function beginFrame(random: SeededRandom, stream: Uint8Array, at: number, framing: Framing): number {
	const { frameBytesMax } = framing;
	const length = random.chance(1, 8) ? frameBytesMax : 1 + random.below(Math.min(frameBytesMax, 64));
	writeLength(framing, stream, at, length);
	return lengthBytesOf(framing) + length;
}

function runStream(framer: FramerLike, framing: Framing): RunCase {
	return (random, input) => {
		const stream = makeStream(random, framing);
		input.bytes(`${JSON.stringify(framing)} stream`, stream);
		const { frames, broken } = parse(stream, framing);
		const byteByByte = random.chance(1, 6);
		const guarded = random.chance(1, 8);
		let taken = 0;
		const onFrame = (frame: Uint8Array, byteLength: number) => {
			must(taken < frames.length, "different", `frame ${taken + 1} of ${frames.length}`);
			must(equalBytes(frame.subarray(0, byteLength), frames[taken]), "different", `frame ${taken + 1} is another`);
			taken++;
		};
		framer.reset();
		// Asking takes longer than a short stream does.
		const weighed = stream.length > FLOOD_BYTES / 4 || random.chance(1, 8);
		const before = weighed ? process.memoryUsage().arrayBuffers : 0;
		let stopped = false;
		for (let at = 0; at < stream.length && !stopped; ) {
			const count = byteByByte ? 1 : Math.min(stream.length - at, 1 + random.below(random.pick([4, 600, FLOOD_BYTES])));
			const bytes = stream.subarray(at, at + count);
			try {
				framer.push(guarded ? guardedBytes(stream.subarray(at), count) : bytes, count, onFrame);
			} catch (error) {
				mustBeCoded(error, ["length"]);
				stopped = true;
			}
			at += count;
		}
		const memory = weighed ? process.memoryUsage().arrayBuffers - before : 0;
		must(memory <= MEMORY_BYTES_MAX, "memory", `${memory} bytes of buffers for ${stream.length} bytes`);
		must(taken === frames.length, "different", `${taken} frames of ${frames.length}`);
		must(stopped === broken, "different", broken ? "a length no frame has was taken" : "stopped for nothing");
		if (stopped) staysStopped(framer, framing);
		else throwingCallback(random, framer, framing);
	};
}

/** Frames of these lengths, one behind the other. */
function framesOfLengths(framing: Framing, lengths: readonly number[]): Uint8Array {
	const lengthBytes = lengthBytesOf(framing);
	const stream = new Uint8Array(lengths.reduce((sum, length) => sum + lengthBytes + length, 0));
	let at = 0;
	for (const length of lengths) {
		writeLength(framing, stream, at, length);
		at += lengthBytes + length;
	}
	return stream;
}

/** Behind a wrong length nothing can be found again: until it is reset, everything is refused. */
function staysStopped(framer: FramerLike, framing: Framing): void {
	const frame = framesOfLengths(framing, [1]);
	const never = () => must(false, "different", "a frame behind a wrong length");
	try {
		framer.push(frame, frame.length, never);
		must(false, "different", "goes on behind a wrong length");
	} catch (error) {
		mustBeCoded(error, ["state"]);
	}
	works(framer, framing);
}

/** A callback that fails, or closes and begins anew, leaves a framer that works once it is reset. */
function throwingCallback(random: SeededRandom, framer: FramerLike, framing: Framing): void {
	const { frameBytesMax } = framing;
	const two = framesOfLengths(framing, [frameBytesMax, frameBytesMax]);
	framer.reset();
	const resets = random.chance(1, 2);
	let calls = 0;
	const thrown = new Escape("exception", "thrown by the callback");
	try {
		framer.push(two, two.length, () => {
			calls++;
			if (resets) framer.reset();
			else throw thrown;
		});
		must(resets, "different", "what the callback throws is swallowed");
	} catch (error) {
		if (error !== thrown) throw error;
	}
	must(calls === 1, "different", `${calls} frames after the callback has ended the connection`);
	works(framer, framing);
}

function works(framer: FramerLike, framing: Framing): void {
	let frames = 0;
	framer.reset();
	const two = framesOfLengths(framing, [1, 1]);
	framer.push(two, two.length, () => {
		frames++;
	});
	must(frames === 2, "different", `${frames} frames of 2 after a reset`);
}
