/**
 * A decoded message for people: several lines, one for each field and what stands inside it, with the meaning of codes.
 * Masked by the field table unless asked otherwise, so that a log, a piece of evidence or a tool's output holds nothing
 * that has to stay secret (I9). mask.ts has the form on one line. Not for the path of a sale: it makes texts.
 * @module
 */
import { readAscii, toHex } from "../core/bytes";
import {
	CONDITIONS,
	CURRENCIES,
	codeName,
	ENTRY_MODES,
	PIN_ENTRIES,
	PROCESSING_CODES,
	REVERSAL_REASONS,
} from "./code-names";
import type { MessageDecoder } from "./decoder";
import { DE_MAX } from "./dialect";
import type { Words } from "./field-names";
import { ANSWER, FIELD_NAMES, MESSAGE_NAMES, NO_MESSAGE, REASON_NAME, REQUEST } from "./field-names";
import { maskedField } from "./mask";
import { amountOf, type RenderedPart, type RenderOptions } from "./part-list";
import { partsOf } from "./render-parts";
import { RESPONSE_CODES } from "./response-codes";

export interface RenderedField {
	readonly de: number;
	readonly name: string;
	/** As {@link MessageDecoder.text} has it, masked: "<33>" is a hidden value of 33 digits, characters or bytes. */
	readonly value: string;
	readonly meaning?: string;
	/** What stands inside, where the field carries several things. */
	readonly parts?: readonly RenderedPart[];
}

/** Columns of the lines. */
const NAME_COLUMN = 6;
const VALUE_COLUMN = 36;
const MEANING_COLUMN = 62;

/** "sale request"; what no message of the dialect fits is said so. */
export function messageName(message: MessageDecoder, { language }: Pick<RenderOptions, "language">): string {
	const rule = message.rule;
	if (rule === undefined) return NO_MESSAGE[language];
	const name = Object.hasOwn(MESSAGE_NAMES, rule.name) ? MESSAGE_NAMES[rule.name][language] : rule.name;
	const way = (message.mti === rule.mti ? REQUEST : ANSWER)[language];
	return language === "zh" ? `${name}${way}` : `${name} ${way}`;
}

/** The fields that are there, in order. */
export function renderFields(message: MessageDecoder, options: RenderOptions): RenderedField[] {
	const fields: RenderedField[] = [];
	for (let de = 1; de <= DE_MAX; de++) if (message.has(de)) fields.push(renderField(message, de, options));
	return fields;
}

/** A line for the message, then one for each field and each part of it. */
export function renderLines(message: MessageDecoder, options: RenderOptions): string[] {
	const frame = [`${message.mti} ${messageName(message, options)}`];
	const [tpdu, header] = [message.tpdu(), message.header()];
	if (tpdu.length > 0) frame.push(`TPDU ${toHex(tpdu)}`);
	if (header.length > 0) frame.push(`header ${toHex(header)}`);
	const lines = [frame.join("  ")];
	for (const { de, name, value, meaning, parts } of renderFields(message, options)) {
		lines.push(line(`${de}`.padStart(3), name, value, meaning));
		for (const part of parts ?? []) lines.push(line("", `  ${part.name}`, part.value, part.meaning));
	}
	return lines;
}

function renderField(message: MessageDecoder, de: number, options: RenderOptions): RenderedField {
	const { language } = options;
	const isReason = de === 39 && message.mti === "0400";
	const name = isReason ? REASON_NAME : FIELD_NAMES[de];
	const title = name === undefined ? `DE ${de}` : name[language];
	if (options.hides?.(de) === true) return { de, name: title, value: `<${message.count(de)}>` };
	const field = { de, name: title, value: options.unmask ? message.text(de) : maskedField(message, de) };
	const meaning = meaningOf(message, de, options);
	const parts = partsOf(message, de, options);
	return {
		...field,
		...(meaning === undefined ? {} : { meaning }),
		...(parts.length === 0 ? {} : { parts }),
	};
}

/** What a field's code or number means; undefined where it speaks for itself, or nobody knows. */
function meaningOf(message: MessageDecoder, de: number, { language }: RenderOptions): string | undefined {
	const rule = message.dialect.fields[de];
	if (rule?.masking !== "show") return undefined;
	const value = message.text(de);
	const words = wordsOf(message, de, value);
	if (words !== undefined) return words[language];
	// The UnionPay MAC is hex characters, so its bytes are shown as what they spell.
	if (de === message.macDe && message.dialect.mac === "unionpay") return spelled(message.bytes(de));
	if (rule.format !== "n") return undefined;
	if (de === 4 && value.length === 12) return amountOf(value);
	if (de === 12 && value.length === 6) return `${value.slice(0, 2)}:${value.slice(2, 4)}:${value.slice(4)}`;
	if ((de === 13 || de === 15) && value.length === 4) return `${value.slice(0, 2)}-${value.slice(2)}`;
	return undefined;
}

function wordsOf(message: MessageDecoder, de: number, value: string): Words | undefined {
	switch (de) {
		case 3:
			return codeName(PROCESSING_CODES, value);
		case 22:
			return entryMode(value);
		case 25:
			return codeName(CONDITIONS, value);
		case 39:
			return codeName(message.mti === "0400" ? REVERSAL_REASONS : RESPONSE_CODES, value);
		case 49:
			return codeName(CURRENCIES, value);
		default:
			return undefined;
	}
}

function entryMode(value: string): Words | undefined {
	const mode = codeName(ENTRY_MODES, value.slice(0, 2));
	const pin = codeName(PIN_ENTRIES, value.slice(2));
	if (mode === undefined || pin === undefined) return mode;
	return { zh: `${mode.zh}，${pin.zh}`, en: `${mode.en}, ${pin.en}` };
}

function spelled(bytes: Uint8Array): string | undefined {
	const text = readAscii(bytes, 0, bytes.length);
	return /^[0-9A-F]+$/.test(text) ? `"${text}"` : undefined;
}

function line(de: string, name: string, value: string, meaning: string | undefined): string {
	let text = padTo(padTo(de, NAME_COLUMN) + name, VALUE_COLUMN) + value;
	if (meaning !== undefined && meaning !== "") text = `${padTo(text, MEANING_COLUMN)}${meaning}`;
	return text;
}

/** Fills with spaces up to a column of a terminal, where Chinese characters take two; at least one, after a text. */
function padTo(text: string, column: number): string {
	let width = 0;
	for (let i = 0; i < text.length; i++) width += text.charCodeAt(i) >= 0x1100 ? 2 : 1;
	return text + " ".repeat(Math.max(width === 0 ? column : 1, column - width));
}
