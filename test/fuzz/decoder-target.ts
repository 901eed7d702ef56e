/**
 * The decoder, in every dialect: golden frames made wrong, messages made from the table and made wrong, and bytes that
 * are nothing. Each is a coded error, after which nothing can be read, or a message that encodes back to the same bytes
 * and that can be shown without its secrets.
 */
import type { SeededRandom } from "../../host-sim/board/seeded-random";
import { equalBytes, fromHex, toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import type { MessageDecoder } from "../../src/iso8583/decoder";
import { DE_MAX, type Dialect, mtiWord } from "../../src/iso8583/dialect";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { type Layout, layoutOf, writeFrameLength, writeMti } from "../../src/iso8583/layout";
import { guardedBytes } from "./guarded";
import { encodeMessage, type Message, otherSecrets, randomMessage, readMessage } from "./messages";
import { Mutator } from "./mutations";
import { windowsOf } from "./secrets";
import { structuredMessage } from "./structured";
import { type CaseInput, must, mustBeCoded, type RunCase, type Target } from "./target";

/** What a frame may be refused with. */
const REFUSALS = ["length", "charset", "format", "unknown"] as const;
const RANDOM_BYTES_MAX = 1_600;
/** Of what stands behind a frame in its memory. */
const BEHIND_BYTES = 24;

/** What is looked at, and can be replaced by something broken. */
export interface DecoderUnderTest {
	readonly name: string;
	readonly dialect: Dialect;
	/** Golden frames. */
	readonly corpus: readonly Uint8Array[];
	readonly makeDecoder: (dialect: Dialect) => MessageDecoder;
	/** Texts for logs: of what the table hides nothing shows, not even what it is made of. */
	readonly renderings: readonly ((message: MessageDecoder) => string)[];
	/** Texts for people, in parts: no card number, track, PIN block or key shows. */
	readonly texts: readonly ((message: MessageDecoder) => string)[];
	/** Its messages are those of structured.ts. */
	readonly structured: boolean;
}

export function decoderTarget(subject: DecoderUnderTest, weight: number): Target {
	return {
		name: subject.name,
		brief: `frames for the decoder, dialect ${subject.dialect.name}`,
		blockCases: 5_000,
		weight,
		make: () => {
			const search = new DecoderSearch(subject);
			return (random, input) => search.run(random, input);
		},
	};
}

class DecoderSearch {
	readonly #subject: DecoderUnderTest;
	readonly #dialect: Dialect;
	readonly #layout: Layout;
	readonly #decoder: MessageDecoder;
	readonly #second: MessageDecoder;
	readonly #out: Uint8Array;
	readonly #encoder: MessageEncoder;
	readonly #mutator: Mutator;

	constructor(subject: DecoderUnderTest) {
		this.#subject = subject;
		this.#dialect = subject.dialect;
		this.#decoder = subject.makeDecoder(subject.dialect);
		this.#second = subject.makeDecoder(subject.dialect);
		this.#layout = layoutOf(subject.dialect);
		this.#out = new Uint8Array(this.#layout.frameBytesMax);
		this.#encoder = new MessageEncoder(subject.dialect, this.#out);
		this.#mutator = new Mutator(subject.dialect, subject.corpus);
	}

	readonly run: RunCase = (random, input) => {
		switch (random.below(8)) {
			case 0:
				return this.#subject.structured && random.chance(1, 2)
					? this.#meant(random, input)
					: this.#valid(random, input);
			case 1:
			case 2: {
				const meant = this.#subject.structured && random.chance(1, 2);
				const message = meant ? structuredMessage(random, this.#dialect).message : randomMessage(random, this.#dialect);
				return this.#survives(random, input, this.#mutator.mutate(random, this.#encoded(message)));
			}
			case 3:
				return this.#survives(random, input, randomBehindMti(random, this.#dialect));
			case 4: {
				const bytes = new Uint8Array(random.below(random.chance(1, 8) ? RANDOM_BYTES_MAX : 64));
				random.fill(bytes);
				return this.#survives(random, input, bytes);
			}
			default:
				return this.#survives(random, input, this.#mutator.mutate(random, random.pick(this.#subject.corpus)));
		}
	};

	/** A message from the table is not refused, and its values are those that were put in. */
	#valid(random: SeededRandom, input: CaseInput): void {
		const message = randomMessage(random, this.#dialect);
		const frame = this.#encoded(message);
		input.bytes("frame", frame);
		const decoder = this.#decoder;
		decoder.decode(frame, frame.length);
		const read = readMessage(decoder);
		must(read.mti === message.mti && read.fields.size === message.fields.size, "different", "not the fields put in");
		for (const [de, value] of message.fields) {
			const got = read.fields.get(de);
			const same = typeof value === "string" || typeof got !== "object" ? got === value : equalBytes(got, value);
			must(same, "different", `DE ${de} is not what was put in`);
			if (typeof value === "string") must(decoder.equals(de, value), "different", `DE ${de} does not equal itself`);
		}
		this.#shown(random, decoder);
	}

	/** A message as it is meant: no text for people holds what of the card is in it. */
	#meant(random: SeededRandom, input: CaseInput): void {
		const { message, secrets } = structuredMessage(random, this.#dialect);
		const frame = this.#encoded(message);
		input.bytes("frame", frame);
		const decoder = this.#decoder;
		decoder.decode(frame, frame.length);
		must(decoder.rule !== undefined, "different", "a message of the dialect is none");
		for (const render of [...this.#subject.texts, ...this.#subject.renderings]) {
			const text = render(decoder);
			for (const [what, digits] of secrets) {
				must(!windowsOf(digits).some((window) => text.includes(window)), "secret", `${what} in: ${text}`);
			}
		}
		this.#shown(random, decoder);
	}

	#encoded(message: Message): Uint8Array {
		return this.#out.slice(0, encodeMessage(this.#encoder, this.#dialect, message));
	}

	/** A coded error and an empty decoder, or a message that is these bytes. */
	#survives(random: SeededRandom, input: CaseInput, frame: Uint8Array): void {
		input.bytes("frame", frame);
		if (random.chance(1, 8)) this.#examined(frame);
		const seen = random.chance(1, 4) ? this.#guarded(frame) : this.#twice(random, frame);
		if (seen === "") {
			this.#empty();
			return;
		}
		const decoder = this.#decoder;
		decoder.decode(frame, frame.length);
		const message = readMessage(decoder);
		const again = this.#encoded(message);
		must(equalBytes(again, frame), "different", `decodes, but encodes to ${toHex(again)}`);
		this.#values(decoder);
		this.#shown(random, decoder);
		if (random.chance(1, 4)) for (const render of this.#subject.texts) render(decoder);
	}

	/** For tools: the same error, and what stands before it can be shown, without reading past the end. */
	#examined(frame: Uint8Array): void {
		const roomy = new Uint8Array(frame.length + BEHIND_BYTES);
		roomy.set(frame);
		const found = this.#second.examine(guardedBytes(roomy, frame.length), frame.length);
		let thrown = "";
		try {
			this.#decoder.decode(frame, frame.length);
		} catch (error) {
			thrown = mustBeCoded(error, REFUSALS).message;
		}
		must((found?.message ?? "") === thrown, "different", `examine() says ${found?.message}, decode() ${thrown}`);
		for (const render of [...this.#subject.texts, ...this.#subject.renderings]) render(this.#second);
		for (let de = 1; de <= DE_MAX; de++) if (this.#second.has(de)) this.#second.text(de);
	}

	/** @returns what it decodes to, as hex; empty when it is refused */
	#decoded(decoder: MessageDecoder, bytes: Uint8Array, byteLength: number): string {
		try {
			decoder.decode(bytes, byteLength);
		} catch (error) {
			mustBeCoded(error, REFUSALS);
			return "";
		}
		return "decoded";
	}

	/** In a view that tells when it is read past the frame's end. */
	#guarded(frame: Uint8Array): string {
		const roomy = new Uint8Array(frame.length + BEHIND_BYTES);
		roomy.set(frame);
		const seen = this.#decoded(this.#decoder, guardedBytes(roomy, frame.length), frame.length);
		if (seen !== "") {
			for (const render of this.#subject.renderings) render(this.#decoder);
			readMessage(this.#decoder);
		} else this.#empty();
		return seen;
	}

	/** What stands behind a frame makes no difference, and the frame stays as it is. */
	#twice(random: SeededRandom, frame: Uint8Array): string {
		const one = new Uint8Array(frame.length + BEHIND_BYTES);
		random.fill(one);
		one.set(frame);
		const other = new Uint8Array(frame.length + BEHIND_BYTES);
		random.fill(other);
		other.set(frame);
		const seen = this.#decoded(this.#decoder, one, frame.length);
		const seenOther = this.#decoded(this.#second, other, frame.length);
		must(seen === seenOther, "overread", "what stands behind the frame decides");
		if (seen !== "") {
			for (const render of this.#subject.renderings) {
				must(render(this.#decoder) === render(this.#second), "overread", "what stands behind the frame is shown");
			}
		}
		must(equalBytes(one.subarray(0, frame.length), frame), "overwrite", "the frame was changed");
		return seen;
	}

	/** Nothing of a refused frame, nor of the one before, can be read. */
	#empty(): void {
		const decoder = this.#decoder;
		must(decoder.mti === "" && decoder.macDe === 0, "different", "not empty after a refused frame");
		for (let de = 0; de <= DE_MAX; de++) must(!decoder.has(de), "different", `DE ${de} of a refused frame is there`);
		for (const render of this.#subject.renderings) render(decoder);
	}

	/** Whatever else can be asked of a message. */
	#values(decoder: MessageDecoder): void {
		for (let de = 1; de <= DE_MAX; de++) {
			const rule = this.#dialect.fields[de];
			if (rule === undefined || !decoder.has(de)) continue;
			const count = decoder.count(de);
			must(
				decoder.text(de).length === (rule.format === "b" ? 2 * count : count),
				"different",
				`DE ${de} has another length`,
			);
			if (rule.format === "n" && count <= 15) {
				must(decoder.number(de) === Number(decoder.text(de)), "different", `DE ${de} is another number`);
			}
			try {
				decoder.textAt(de, count, 1);
				must(false, "overread", `DE ${de} has more than it has`);
			} catch (error) {
				mustBeCoded(error, ["length"]);
			}
		}
		decoder.verify({
			verify: (bytes, start, end, macOffset) => {
				must(
					start === this.#layout.mtiOffset && end === macOffset && macOffset + 8 <= bytes.length,
					"different",
					"the MAC's range",
				);
				return false;
			},
		});
	}

	/** Other secrets in the same message, and nothing that is shown changes. */
	#shown(random: SeededRandom, decoder: MessageDecoder): void {
		const texts = this.#subject.renderings.map((render) => render(decoder));
		const frame = this.#encoded(otherSecrets(random, this.#dialect, readMessage(decoder)));
		this.#second.decode(frame, frame.length);
		for (const [n, render] of this.#subject.renderings.entries()) {
			const other = render(this.#second);
			must(other === texts[n], "secret", `a masked text shows what the table hides: ${texts[n]} / ${other}`);
		}
	}
}

/** Random bytes behind a right length and an MTI of the dialect. */
function randomBehindMti(random: SeededRandom, dialect: Dialect): Uint8Array {
	const { lengthBytes, mtiOffset, bitmapOffset, bitmapBytes, fieldsOffset } = layoutOf(dialect);
	const bytes = new Uint8Array(fieldsOffset + random.below(200));
	random.fill(bytes);
	const rule = random.pick(dialect.messages);
	writeFrameLength(dialect, bytes, bytes.length - lengthBytes);
	writeMti(dialect, bytes, mtiOffset, mtiWord(random.chance(1, 2) ? rule.mti : rule.answer));
	// Most bits name fields that no dialect has: without them it gets further.
	if (bitmapBytes === 8 && random.chance(3, 4)) {
		for (let de = 1; de <= 64; de++) {
			if (dialect.fields[de] === undefined) bytes[bitmapOffset + ((de - 1) >> 3)] &= ~(0x80 >> ((de - 1) & 7));
		}
	}
	return bytes;
}

/** Frames of golden vectors. @throws {CodedError} for a frame that is no hex */
export function framesOf(vectors: readonly { readonly frame: string }[]): Uint8Array[] {
	if (vectors.length === 0) throw new CodedError("missing", "vectors");
	return vectors.map(({ frame }) => fromHex(frame));
}
