/**
 * Text on a grid: Chinese characters take two columns, Latin ones take one. No locale, no tables of the platform.
 * Source: Unicode Standard Annex #11, "East Asian Width": classes W and F are two columns wide, all others one.
 * @module
 */

/** First and last code unit of each wide range, ascending. */
const WIDE: readonly (readonly [number, number])[] = [
	[0x1100, 0x115f],
	[0x2e80, 0x303e],
	[0x3041, 0xa4cf],
	[0xac00, 0xd7a3],
	[0xf900, 0xfaff],
	[0xfe30, 0xfe6f],
	[0xff01, 0xff60],
	[0xffe0, 0xffe6],
];

/** Never begin a line with these. */
const CLOSING = "，。、；：！？）」》,.;:!?)";

/** Columns of one UTF-16 code unit; of a surrogate pair the first half has both. */
function columnsOfUnit(unit: number): number {
	if (unit < WIDE[0][0]) return 1;
	if (unit >= 0xd800 && unit <= 0xdbff) return 2;
	if (unit >= 0xdc00 && unit <= 0xdfff) return 0;
	for (const [first, last] of WIDE) if (unit >= first && unit <= last) return 2;
	return 1;
}

/** Columns that `text` takes. */
export function columnsOf(text: string): number {
	let columns = 0;
	for (let i = 0; i < text.length; i++) columns += columnsOfUnit(text.charCodeAt(i));
	return columns;
}

/** `text`, and spaces up to `width` columns; a longer text stays as it is. */
export function padRight(text: string, width: number): string {
	return text + " ".repeat(Math.max(0, width - columnsOf(text)));
}

export function padLeft(text: string, width: number): string {
	return " ".repeat(Math.max(0, width - columnsOf(text))) + text;
}

/** In the middle of `width` columns, without spaces at the end. */
export function center(text: string, width: number): string {
	return " ".repeat(Math.max(0, Math.floor((width - columnsOf(text)) / 2))) + text;
}

/**
 * Breaks `text` into lines of at most `width` columns: at spaces, and between wide characters. A word that is wider
 * than a line is cut. Never loses a character but the spaces it breaks at.
 * @param width - at least 2
 */
export function wrap(text: string, width: number): string[] {
	const lines: string[] = [];
	let line = "";
	for (const piece of piecesOf(text)) {
		if (columnsOf(line) + columnsOf(piece) <= width) {
			line += piece;
			continue;
		}
		if (line.trim() !== "") lines.push(line.trim());
		line = piece === " " ? "" : piece;
		while (columnsOf(line) > width) {
			const cut = unitsWithin(line, width);
			lines.push(line.slice(0, cut));
			line = line.slice(cut);
		}
	}
	if (line.trim() !== "") lines.push(line.trim());
	return lines;
}

/** Spaces, words, single wide characters; each with the closing marks that follow it. */
function piecesOf(text: string): string[] {
	const pieces: string[] = [];
	let wide = false;
	for (const character of text) {
		const last = pieces.length - 1;
		const isWide = columnsOf(character) === 2;
		const joins = last >= 0 && pieces[last] !== " " && character !== " ";
		if (joins && (CLOSING.includes(character) || (!isWide && !wide))) pieces[last] += character;
		else pieces.push(character);
		wide = isWide;
	}
	return pieces;
}

/** How many code units of `text` fit into `width` columns; at least one character. */
function unitsWithin(text: string, width: number): number {
	let columns = 0;
	let units = 0;
	for (const character of text) {
		columns += columnsOf(character);
		if (columns > width && units > 0) break;
		units += character.length;
	}
	return units;
}
