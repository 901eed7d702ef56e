/**
 * The lines inside a field, as render-parts.ts and render-sync.ts collect them.
 * @module
 */
import { formatAmount } from "../core/money";
import type { Language, Words } from "./field-names";

/** One line inside a field. */
export interface RenderedPart {
	readonly name: string;
	readonly value: string;
	readonly meaning?: string;
}

export interface RenderOptions {
	readonly language: Language;
	/** Shows card numbers, tracks, PIN blocks and keys: for test data only. */
	readonly unmask: boolean;
	/** Hides more fields whole: in a frame that is bad, a field may hold what belongs to another. */
	readonly hides?: (de: number) => boolean;
}

export class PartList {
	readonly parts: RenderedPart[] = [];
	readonly #language: Language;

	constructor(language: Language) {
		this.#language = language;
	}

	add(name: Words | string, value: string, meaning?: Words | string): void {
		const words = this.words(name);
		this.parts.push(
			meaning === undefined ? { name: words, value } : { name: words, value, meaning: this.words(meaning) },
		);
	}

	/** From this digit or byte of the field on it does not have its form. */
	malformed(at: number): void {
		this.add({ zh: "格式错误", en: "malformed" }, `+${at}`);
	}

	words(words: Words | string): string {
		return typeof words === "string" ? words : words[this.#language];
	}
}

/** "1234.56" of at most 15 digits of minor units. */
export function amountOf(digits: string): string {
	return formatAmount(Number(digits));
}
