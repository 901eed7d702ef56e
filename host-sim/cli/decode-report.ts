/**
 * One frame of `npm run decode`, for people and for programs: its fields, where it breaks, whether it has the shape of its
 * message, and its MAC.
 * @module
 */
import { toHex } from "../../src/core/bytes";
import type { CodedError } from "../../src/core/errors";
import type { MacVerifier } from "../../src/iso8583/decoder";
import { MessageDecoder } from "../../src/iso8583/decoder";
import type { Dialect } from "../../src/iso8583/dialect";
import type { Language, Words } from "../../src/iso8583/field-names";
import { layoutOf, readFrameLength, writeFrameLength } from "../../src/iso8583/layout";
import { checkShape } from "../../src/iso8583/messages";
import type { RenderOptions } from "../../src/iso8583/part-list";
import { messageName, type RenderedField, renderFields, renderLines } from "../../src/iso8583/render";
import { equalSecret } from "../../src/security/constant-time";
import { createMac, MAC_BYTES } from "../../src/security/mac";
import { UsageError } from "./args";
import { type Break, explain, placeOf } from "./decode-break";
import type { FramePlace } from "./decode-input";
import { SecretBytes } from "./decode-secrets";

export interface ReportOptions {
	readonly dialect: Dialect;
	readonly language: Language;
	readonly unmask: boolean;
	/** A test key, to check MACs with. */
	readonly macKey: Uint8Array | undefined;
}

/** As `--json` prints it. */
export interface FrameReport {
	/** Empty when not even the MTI is one. */
	readonly mti: string;
	readonly message: string;
	readonly tpdu: string;
	readonly header: string;
	/** Of a bad frame, those before the place where it breaks. */
	readonly fields: readonly RenderedField[];
	/** What is odd about how it was given. */
	readonly note?: string;
	/** What it lacks as the message that it is, or has too much. */
	readonly shape?: string;
	/** Only when there is a key to check it with. */
	readonly mac?: MacFinding;
	readonly error?: {
		readonly code: string;
		readonly de?: number;
		readonly offset: number;
		readonly expected: string;
		readonly found: string;
		readonly excerpt: readonly [string, string];
	};
}

export type MacFinding = "none" | "fits" | "differs";

export interface Report {
	readonly report: FrameReport;
	readonly lines: readonly string[];
	/** It decodes, and a MAC that was checked fits. */
	readonly good: boolean;
}

const MAC_WORDS: Readonly<Record<MacFinding, Words>> = {
	none: { zh: "报文无校验", en: "MAC: none" },
	fits: { zh: "校验正确", en: "MAC: fits the key" },
	differs: { zh: "校验不符", en: "MAC: does not fit the key" },
};

/** How a frame is looked at: as given, or with a length put before it or put right. */
interface Reading {
	readonly frame: Uint8Array;
	readonly message: MessageDecoder;
	readonly error: CodedError | undefined;
	readonly note?: Words;
}

/** @throws {UsageError} when the key is none for the frame's MAC */
export function reportFrame(bytes: Uint8Array, place: FramePlace, options: ReportOptions): Report {
	const { dialect, language, unmask } = options;
	const { frame, message, error, note } = readFrame(bytes.slice(place.start, place.end), place, dialect);
	const secrets = unmask ? undefined : new SecretBytes(message, frame);
	const isSuspect = (de: number) =>
		de > 1 && secrets?.any(message.offset(de), message.offset(de) + message.byteLength(de)) === true;
	const rendering: RenderOptions = {
		language,
		unmask,
		...(error === undefined ? {} : { hides: (de: number) => dialect.fields[de]?.masking === "show" && isSuspect(de) }),
	};
	const shape = error === undefined ? checkShape(message) : undefined;
	const broken = error === undefined ? undefined : explain(message, frame, error, secrets);
	const mac = options.macKey === undefined || error !== undefined ? undefined : checkMac(message, options.macKey);
	const known = message.mti !== "";
	const report: FrameReport = {
		mti: message.mti,
		message: known ? messageName(message, options) : "",
		tpdu: toHex(message.tpdu()),
		header: toHex(message.header()),
		fields: renderFields(message, rendering),
		...(note === undefined ? {} : { note: note[language] }),
		...(shape === undefined ? {} : { shape: shape.message }),
		...(mac === undefined ? {} : { mac }),
		...(broken === undefined
			? {}
			: { error: { ...broken, expected: broken.expected[language], found: broken.found[language] } }),
	};
	const lines = known ? renderLines(message, rendering) : [];
	if (note !== undefined) lines.push(`${language === "zh" ? "注意" : "note"}: ${note[language]}`);
	if (shape !== undefined) lines.push(`${language === "zh" ? "结构" : "shape"}: ${shape.message}`);
	if (mac !== undefined) lines.push(MAC_WORDS[mac][language]);
	if (broken !== undefined) lines.push(...breakLines(broken, language));
	return { report, lines, good: broken === undefined && mac !== "differs" };
}

function breakLines(broken: Break, language: Language): string[] {
	const { code, expected, found, excerpt } = broken;
	const [title, wanted, is] = language === "zh" ? ["报文错误", "应为", "实为"] : ["BAD", "expected", "found"];
	return [
		`${title} ${placeOf(broken, language)}: ${code}`,
		`    ${wanted}: ${expected[language]}`,
		`    ${is}: ${found[language]}`,
		...excerpt.map((line) => `    ${line}`),
	];
}

/** Chooses how to read what is not as long as it says. */
function readFrame(frame: Uint8Array, { oddity }: FramePlace, dialect: Dialect): Reading {
	const asGiven = examined(frame, dialect);
	if (oddity === "none") return asGiven;
	const { lengthBytes, frameBytesMax } = layoutOf(dialect);
	const bare = frame.length + lengthBytes <= frameBytesMax ? withLength(frame, dialect) : undefined;
	if (oddity === "noLength") return bare !== undefined && bare.message.mti !== "" ? bare : asGiven;
	const cut = cutShort(frame, dialect);
	if (cut.message.mti === "" && bare !== undefined && bare.message.mti !== "") return bare;
	return cut;
}

function examined(frame: Uint8Array, dialect: Dialect, note?: Words): Reading {
	const message = new MessageDecoder(dialect);
	const error = message.examine(frame, frame.length);
	return { frame, message, error, ...(note === undefined ? {} : { note }) };
}

function withLength(frame: Uint8Array, dialect: Dialect): Reading {
	const { lengthBytes } = layoutOf(dialect);
	const whole = new Uint8Array(lengthBytes + frame.length);
	whole.set(frame, lengthBytes);
	writeFrameLength(dialect, whole, frame.length);
	return examined(whole, dialect, {
		zh: `缺少 ${lengthBytes} 字节报文长度，已补上；位置按补上后计算`,
		en: `given without its length of ${lengthBytes} bytes; offsets count as if it were there`,
	});
}

/** With the length of what is there, so that the place where it ends shows. */
function cutShort(frame: Uint8Array, dialect: Dialect): Reading {
	const { lengthBytes } = layoutOf(dialect);
	const announced = readFrameLength(dialect, frame);
	const mended = frame.slice();
	const is = frame.length - lengthBytes;
	writeFrameLength(dialect, mended, is);
	const reading = examined(mended, dialect, {
		zh: `报文不完整：长度为 ${announced} 字节，实有 ${is} 字节`,
		en: `cut off: its length says ${announced} bytes, ${is} are there`,
	});
	// Whole, but with a length that lies: that is where it is wrong.
	return reading.error === undefined ? { ...reading, frame, error: examined(frame, dialect).error } : reading;
}

/** @throws {UsageError} */
function checkMac(message: MessageDecoder, key: Uint8Array): MacFinding {
	if (message.macDe === 0) return "none";
	const name = message.rule?.mac === "sync" ? "cmac" : message.dialect.mac;
	const algorithm = createMac(name);
	if (!algorithm.takes(key, key.length)) throw new UsageError(`--mac-key is no key for the MAC "${name}"`);
	const verifier: MacVerifier = {
		verify(bytes, start, end, macOffset) {
			const expected = new Uint8Array(MAC_BYTES);
			algorithm.compute(key, bytes, start, end, expected, 0);
			return equalSecret(expected, 0, bytes, macOffset, MAC_BYTES);
		},
	};
	return message.verify(verifier) ? "fits" : "differs";
}
