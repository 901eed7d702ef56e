/** Everything that is searched. */
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { MessageDecoder } from "../../src/iso8583/decoder";
import type { Dialect } from "../../src/iso8583/dialect";
import { MessageEncoder } from "../../src/iso8583/encoder";
import type { Language } from "../../src/iso8583/field-names";
import { layoutOf } from "../../src/iso8583/layout";
import { renderMasked } from "../../src/iso8583/mask";
import { checkShape } from "../../src/iso8583/messages";
import { renderLines } from "../../src/iso8583/render";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { UNIONPAY_DUKPT } from "../../src/iso8583/unionpay-dukpt";
import { GENERIC_ASCII } from "../iso8583/generic-ascii";
import file from "../vectors/unionpay.json";
import { decodeTarget } from "./decode-target";
import { decoderTarget, framesOf } from "./decoder-target";
import { encoderTarget } from "./encoder-target";
import { framerTarget, makeFramer } from "./framer-target";
import { hostTarget } from "./host-target";
import { keysTarget } from "./keys-target";
import { encodeMessage, randomMessage } from "./messages";
import { parsersTarget } from "./parsers-target";
import { PLANTED } from "./planted";
import type { Target } from "./target";
import { terminalTarget } from "./terminal-target";

const FRAMES = framesOf(file.vectors);
const makeDecoder = (dialect: Dialect) => new MessageDecoder(dialect);
const lines = (language: Language) => (message: MessageDecoder) =>
	renderLines(message, { language, unmask: false }).join("\n");
const shape = (message: MessageDecoder) => checkShape(message)?.message ?? "";
const COMMON = { makeDecoder, renderings: [renderMasked], texts: [lines("zh"), lines("en"), shape] };
const FIRST = { ...COMMON, corpus: FRAMES, structured: true };

export const TARGETS: readonly Target[] = [
	decoderTarget({ ...FIRST, name: "decoder", dialect: UNIONPAY }, 3),
	decoderTarget({ ...FIRST, name: "decoder-dukpt", dialect: UNIONPAY_DUKPT }, 1),
	decoderTarget(
		{ ...COMMON, name: "decoder-ascii", dialect: GENERIC_ASCII, corpus: asciiFrames(), structured: false },
		1,
	),
	framerTarget(makeFramer),
	encoderTarget([UNIONPAY, UNIONPAY_DUKPT, GENERIC_ASCII]),
	keysTarget(),
	parsersTarget(),
	decodeTarget([UNIONPAY, UNIONPAY_DUKPT], FRAMES),
	hostTarget(),
	terminalTarget(),
];

/** There are no golden frames of it: some that are drawn, always the same. */
function asciiFrames(): Uint8Array[] {
	const random = new SeededRandom(8583);
	const out = new Uint8Array(layoutOf(GENERIC_ASCII).frameBytesMax);
	const encoder = new MessageEncoder(GENERIC_ASCII, out);
	return Array.from({ length: 24 }, () =>
		out.slice(0, encodeMessage(encoder, GENERIC_ASCII, randomMessage(random, GENERIC_ASCII))),
	);
}

/** One that is searched, or one that is broken on purpose. */
export function findTarget(name: string): Target | undefined {
	return [...TARGETS, ...PLANTED].find((target) => target.name === name);
}
