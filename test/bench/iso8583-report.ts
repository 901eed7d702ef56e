/** The figures of the codec as text, and as one JSON object. Pure: what was measured goes in, what is printed comes out. */
import { type BudgetLine, isHeld } from "./budgets";
import { type Iso8583Result, ROUNDS, ratioRounds } from "./iso8583-bench";
import type { Garbage } from "./iso8583-garbage";
import type { Rate } from "./rounds";
import { figure, fixed, table } from "./table";

/** Times as many round trips as the peer. */
const RATIO_MIN = 20;
const DECODE_BYTES_MAX = 0;

export function budgetLines({ rates, garbage }: Iso8583Result): BudgetLine[] {
	const ratio = rates.roundTrip.median / rates.peerRoundTrip.median;
	return [
		{ what: "round trips, times the peer's", bound: RATIO_MIN, measured: ratio, atLeast: true },
		{ what: "bytes allocated in a decode", bound: DECODE_BYTES_MAX, measured: garbage.decode },
		{ what: "the same, numbers and comparisons as well", bound: DECODE_BYTES_MAX, measured: garbage.decodeNumbers },
	];
}

export function iso8583Json({ rates, garbage }: Iso8583Result): Record<string, number> {
	const perSecond = (rate: Rate) => Math.round(rate.median);
	return {
		roundTripsPerSecond: perSecond(rates.roundTrip),
		peerRoundTripsPerSecond: perSecond(rates.peerRoundTrip),
		ratio: Math.round((rates.roundTrip.median / rates.peerRoundTrip.median) * 100) / 100,
		encodesPerSecond: perSecond(rates.encode),
		peerEncodesPerSecond: perSecond(rates.peerEncode),
		decodesPerSecond: perSecond(rates.decode),
		peerDecodesPerSecond: perSecond(rates.peerDecode),
		decodesOffsetsOnlyPerSecond: perSecond(rates.decodeOffsets),
		bytesPerEncode: garbage.encode,
		bytesPerDecode: garbage.decode,
		bytesPerDecodeWithNumbers: garbage.decodeNumbers,
		bytesPerDecodeWithValues: garbage.decodeValues,
		bytesOfValues: garbage.values,
		peerBytesPerEncode: garbage.peerEncode,
		peerBytesPerDecode: garbage.peerDecode,
	};
}

export function reportIso8583(result: Iso8583Result): string {
	return [rateTable(result), garbageTable(result.garbage), budgetTable(result)].join("\n");
}

function rateTable({ rates, frameBytes, peerFrameBytes }: Iso8583Result): string {
	const row = (what: string, ours: Rate, peer: Rate | undefined) => [
		what,
		rateText(ours),
		peer === undefined ? "–" : rateText(peer),
		peer === undefined ? "" : ratioText(ours, peer),
	];
	return `${table([
		["16 fields, messages a second", `ours, ${frameBytes} bytes`, `iso_8583, ${peerFrameBytes} bytes`, "ratio"],
		row("encode", rates.encode, rates.peerEncode),
		row("decode, all 16 values as texts", rates.decode, rates.peerDecode),
		row("decode, offsets only", rates.decodeOffsets, undefined),
		row("round trip, all 16 values as texts", rates.roundTrip, rates.peerRoundTrip),
	])}Medians of ${ROUNDS} rounds after a warm-up, in brackets the least and the greatest. In each round everything is run once,
one after the other. Both are given the same 16 values and both hand back all of them as texts in an object by field
number; that they are the right ones was checked before and after. Neither computes the MAC. The peer knows no BCD.
`;
}

function rateText({ median, least, greatest }: Rate): string {
	return `${fixed(median, 0)} (${fixed(least, 0)}–${fixed(greatest, 0)})`;
}

function ratioText(ours: Rate, peer: Rate): string {
	const rounds = ratioRounds(ours, peer);
	return `${fixed(ours.median / peer.median, 1)} (${fixed(Math.min(...rounds), 1)}–${fixed(Math.max(...rounds), 1)})`;
}

function garbageTable(garbage: Garbage): string {
	const beyond = Math.max(0, garbage.decodeValues - garbage.values);
	return `${table([
		["bytes allocated a message", "ours", "iso_8583"],
		["encode", figure(garbage.encode), figure(garbage.peerEncode)],
		["decode", figure(garbage.decode), "–"],
		["decode, then numbers and comparisons", figure(garbage.decodeNumbers), "–"],
		["decode, then all 16 values as texts", figure(garbage.decodeValues), figure(garbage.peerDecode)],
		["  those 16 texts and their object", figure(garbage.values), ""],
		["  beyond them", figure(beyond), figure(Math.max(0, garbage.peerDecode - garbage.values))],
	])}V8's heap in use after up to 500,000 calls, less before, in a young generation so large that none is collected in between,
which V8's profiler of collections confirms; the least of seven. An object planted in each decode shows as
${figure(garbage.planted - garbage.decode)} bytes; a measurement that did not show it would be refused.
`;
}

function budgetTable(result: Iso8583Result): string {
	const rows = budgetLines(result).map((line) => [
		line.what,
		`${line.atLeast === true ? "≥" : "≤"} ${figure(line.bound)}`,
		figure(line.measured),
		isHeld(line) ? "held" : "EXCEEDED",
	]);
	return table([["budget", "bound", "measured", ""], ...rows]);
}
