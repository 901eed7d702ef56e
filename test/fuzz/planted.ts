/**
 * Things that are broken on purpose, each in one way, to see that the search finds it. They run only when named.
 */
import { CodedError } from "../../src/core/errors";
import { MessageDecoder } from "../../src/iso8583/decoder";
import type { Dialect } from "../../src/iso8583/dialect";
import type { FrameCallback, Framer } from "../../src/iso8583/framer";
import { renderMasked } from "../../src/iso8583/mask";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import file from "../vectors/unionpay.json";
import { decoderTarget, framesOf } from "./decoder-target";
import { type Framing, framerTarget, makeFramer } from "./framer-target";
import type { EscapeKind, Target } from "./target";

export interface Planted extends Target {
	/** What the search has to call it. */
	readonly kind: EscapeKind;
}

/** Looks one byte behind the frame. */
class ReadsPastEnd extends MessageDecoder {
	override decode(frame: Uint8Array, byteLength: number): void {
		super.decode(frame, byteLength);
		if (frame[byteLength] === 0x100) this.clear();
	}
}

/** Stumbles over an empty field. */
class ThrowsTypeError extends MessageDecoder {
	override decode(frame: Uint8Array, byteLength: number): void {
		super.decode(frame, byteLength);
		if (this.has(44) && this.count(44) === 0) (undefined as unknown as MessageDecoder).clear();
	}
}

/** Has an error of its own for what is not a digit, and repeats it. */
class TellsSecrets extends MessageDecoder {
	override decode(frame: Uint8Array, byteLength: number): void {
		try {
			super.decode(frame, byteLength);
		} catch (error) {
			if (!(error instanceof CodedError) || error.code !== "charset") throw error;
			throw new CodedError("charset", error.place, Buffer.from(frame.subarray(23, 40)).toString("hex"));
		}
	}
}

/** Knows a code that the decoder's interface does not name. */
class OtherCode extends MessageDecoder {
	override decode(frame: Uint8Array, byteLength: number): void {
		if (byteLength === 40) throw new CodedError("full", "iso8583 frame");
		super.decode(frame, byteLength);
	}
}

/** Believes a length that lies, as long as there is enough. */
class TakesLeftOvers extends MessageDecoder {
	override decode(frame: Uint8Array, byteLength: number): void {
		try {
			super.decode(frame, byteLength);
		} catch (error) {
			const shorter = Uint8Array.from(frame).slice(0, byteLength - 1);
			if (shorter.length < 25) throw error;
			shorter[0] = (shorter.length - 2) >> 8;
			shorter[1] = (shorter.length - 2) & 255;
			super.decode(shorter, shorter.length);
		}
	}
}

/** Keeps the last good message for those who ask after a bad one. */
class StaysFull extends MessageDecoder {
	#last: MessageDecoder | undefined;

	override decode(frame: Uint8Array, byteLength: number): void {
		super.decode(frame, byteLength);
		const copy = frame.slice(0, byteLength);
		this.#last = new MessageDecoder(this.dialect);
		this.#last.decode(copy, copy.length);
	}

	override has(de: number): boolean {
		return super.has(de) || this.#last?.has(de) === true;
	}
}

/** Rounds and rounds over a certain byte. */
class ReadsOnAndOn extends MessageDecoder {
	override decode(frame: Uint8Array, byteLength: number): void {
		let sum = 0;
		for (let i = 0; i < 700_000 && frame[3] === 0; i++) sum += frame[2];
		super.decode(frame, sum < 0 ? 0 : byteLength);
	}
}

/** Never comes back from a certain byte. */
class NeverEnds extends MessageDecoder {
	override decode(frame: Uint8Array, byteLength: number): void {
		while (byteLength > 30 && frame[20] === 0x99 && frame[21] !== frame[22]);
		super.decode(frame, byteLength);
	}
}

/** Blanks what it has read, where the frame has room behind it. */
class Scribbles extends MessageDecoder {
	override decode(frame: Uint8Array, byteLength: number): void {
		super.decode(frame, byteLength);
		if (this.has(35) && frame.length > byteLength) frame[this.offset(35)] = 0;
	}
}

/** One digit too many of the card number. */
function tellsOneDigitMore(message: MessageDecoder): string {
	return message.has(2) && message.count(2) > 13 ? message.textAt(2, 0, 7) : renderMasked(message);
}

/** Keeps all it is given until a frame is whole, and again for each. */
class Hoards implements Pick<Framer, "push" | "reset"> {
	readonly #framer: Framer;
	readonly #kept: Uint8Array[] = [];

	constructor(framing: Framing) {
		this.#framer = makeFramer(framing);
	}

	reset(): void {
		this.#framer.reset();
	}

	push(bytes: Uint8Array, count: number, onFrame: FrameCallback): void {
		this.#kept.push(bytes.slice(0, count));
		this.#framer.push(bytes, count, onFrame);
	}
}

/** After a length that no frame has it looks for the next one. */
class GoesOn implements Pick<Framer, "push" | "reset"> {
	readonly #framer: Framer;

	constructor(framing: Framing) {
		this.#framer = makeFramer(framing);
	}

	reset(): void {
		this.#framer.reset();
	}

	push(bytes: Uint8Array, count: number, onFrame: FrameCallback): void {
		try {
			this.#framer.push(bytes, count, onFrame);
		} catch (error) {
			if (error instanceof CodedError) this.#framer.reset();
			else throw error;
		}
	}
}

function decoder(
	name: string,
	kind: EscapeKind,
	Broken: new (dialect: Dialect) => MessageDecoder,
	render: (message: MessageDecoder) => string = renderMasked,
): Planted {
	const subject = {
		name: `broken-${name}`,
		dialect: UNIONPAY,
		corpus: framesOf(file.vectors),
		makeDecoder: (dialect: Dialect) => new Broken(dialect),
		renderings: [render],
		texts: [],
		structured: false,
	};
	return { ...decoderTarget(subject, 1), kind };
}

export const PLANTED: readonly Planted[] = [
	decoder("overread", "overread", ReadsPastEnd),
	decoder("type-error", "exception", ThrowsTypeError),
	decoder("error-text", "secret", TellsSecrets),
	decoder("rendering", "secret", MessageDecoder, tellsOneDigitMore),
	decoder("code", "code", OtherCode),
	decoder("left-overs", "different", TakesLeftOvers),
	decoder("stays-full", "different", StaysFull),
	decoder("endless", "endless", ReadsOnAndOn),
	decoder("hangs", "endless", NeverEnds),
	decoder("scribbles", "overwrite", Scribbles),
	{ ...framerTarget((framing) => new Hoards(framing)), name: "broken-hoards", kind: "memory" },
	{ ...framerTarget((framing) => new GoesOn(framing)), name: "broken-goes-on", kind: "different" },
];
