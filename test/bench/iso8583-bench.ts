/** Rates of our codec beside those of npm's `iso_8583`: the same process, the same 16 fields, alternating rounds. */
import { type Codec, checkValues, FIELDS, OurCodec, PeerCodec, type Values } from "./iso8583-codecs";
import type { Garbage } from "./iso8583-garbage";
import { lastResult, measureRates, type Rate } from "./rounds";

export const ROUNDS = 9;

export interface Iso8583Rates {
	readonly encode: Rate;
	/** Everything checked and found, no value made. */
	readonly decodeOffsets: Rate;
	/** With all values as texts. */
	readonly decode: Rate;
	readonly roundTrip: Rate;
	readonly peerEncode: Rate;
	readonly peerDecode: Rate;
	readonly peerRoundTrip: Rate;
}

export interface Iso8583Result {
	readonly rates: Iso8583Rates;
	readonly garbage: Garbage;
	/** Of the two frames. */
	readonly frameBytes: number;
	readonly peerFrameBytes: number;
}

/**
 * @param seconds - for all of it
 * @throws {Error} when a codec does not give back what it was given
 */
export function measureIso8583Rates(seconds: number, onRound?: (round: number) => void): Iso8583Rates {
	const ours = new OurCodec();
	const peer = new PeerCodec();
	for (const codec of [ours, peer]) check(codec);
	const works = [
		{ name: "encode", run: () => ours.encode() },
		{ name: "peerEncode", run: () => peer.encode() },
		{ name: "decodeOffsets", run: () => ours.decodeOffsets() },
		{ name: "decode", run: () => read(ours.decode()) },
		{ name: "peerDecode", run: () => read(peer.decode()) },
		{ name: "roundTrip", run: () => read(ours.roundTrip()) },
		{ name: "peerRoundTrip", run: () => read(peer.roundTrip()) },
	] as const;
	const sliceMs = (seconds * 1_000) / (works.length * (ROUNDS + 1));
	const rates = measureRates(works, { rounds: ROUNDS, sliceMs, ...(onRound === undefined ? {} : { onRound }) });
	for (const codec of [ours, peer]) check(codec);
	if (lastResult() !== read(peer.roundTrip())) throw new Error("the last round trip came out otherwise");
	return rates;
}

/** The median of what each round by itself says, so that a slow minute falls on both sides. */
export function ratioRounds(rate: Rate, peer: Rate): number[] {
	return rate.rounds.map((perSecond, n) => perSecond / peer.rounds[n]);
}

function check(codec: Codec): void {
	checkValues(codec.name, codec.decode());
	checkValues(codec.name, codec.roundTrip());
}

/** Looks at a character of each value: an engine may otherwise put off making the text until somebody does. */
function read(values: Values): number {
	let sum = 0;
	for (let i = 0; i < FIELDS.length; i++) {
		const text = values[FIELDS[i]];
		sum += text.charCodeAt(text.length - 1);
	}
	return sum;
}
