/**
 * Messages of the first dialect as they are meant, with a card's data in every place where it can stand: what a rendering
 * for people takes apart, and what of it nobody may see. Everything is drawn, so that nothing stands there by chance.
 */
import type { SeededRandom } from "../../host-sim/board/seeded-random";
import { fromHex } from "../../src/core/bytes";
import { luhnValid } from "../../src/core/luhn";
import type { Dialect } from "../../src/iso8583/dialect";
import { type Message, randomMessage } from "./messages";

export interface StructuredMessage {
	readonly message: Message;
	/** Digits or hex that no masked text may hold, by what they are. */
	readonly secrets: ReadonlyMap<string, string>;
}

/** Beside the card number and the track: the tags of chip data that a terminal sends. */
const TAGS = [
	...([
		"9F26",
		"9F27",
		"9F10",
		"9F37",
		"9F36",
		"95",
		"9A",
		"9C",
		"9F02",
		"5F2A",
		"82",
		"9F1A",
		"9F33",
		"5F34",
	] as const),
];
const TAG_BYTES = [8, 1, 8, 4, 2, 5, 3, 1, 6, 2, 2, 2, 3, 1];
const UPLOAD_ENTRIES_MAX = 6;
/** Of a sync message's DE 62. */
const SYNC_BYTES = [8, 9, 14, 24, 30, 64, 73];

export function structuredMessage(random: SeededRandom, dialect: Dialect): StructuredMessage {
	const { tpdu, header } = randomMessage(random, dialect);
	const rule = random.pick(dialect.messages);
	const mti = random.chance(1, 2) ? rule.mti : rule.answer;
	const secrets = new Map<string, string>();
	const fields = new Map<number, string | Uint8Array>();
	const pan = drawPan(random);
	if (rule.mac === "session") {
		if (random.chance(3, 4)) {
			fields.set(2, pan);
			secrets.set("card number in DE 2", pan);
		}
		if (random.chance(1, 2)) {
			const track = `${pan}D${drawDigits(random, 36 - pan.length)}`;
			fields.set(35, track);
			secrets.set("track 2", track.slice(pan.length + 1));
			secrets.set("card number in track 2", pan);
		}
		if (random.chance(1, 2)) fields.set(55, chipData(random, pan, secrets));
		if (random.chance(1, 2) && dialect.fields[52] !== undefined) {
			const block = drawBytes(random, dialect.fields[52].lengthMax);
			fields.set(52, block);
			secrets.set("PIN block", hexOf(block));
		}
		fields.set(4, drawDigits(random, 12));
	}
	fields.set(3, rule.processingCode ?? "000000");
	fields.set(11, drawDigits(random, 6));
	if (mti === rule.answer || rule.mti === "0400") fields.set(39, text(random.pick(["00", "51", "98", "A0", "zz"])));
	fields.set(41, text("12345678"));
	fields.set(42, text("123456789012345"));
	fields.set(
		60,
		`${rule.transactionType ?? "22"}${drawDigits(random, 6)}${rule.networkCode ?? syncCode(random, rule.mac)}`,
	);
	if (rule.name === "batch upload") fields.set(48, upload(random, secrets));
	else if (rule.name === "settlement") fields.set(48, drawDigits(random, random.chance(3, 4) ? 62 : random.below(70)));
	else if (rule.name.startsWith("batch upload"))
		fields.set(48, drawDigits(random, random.chance(3, 4) ? 4 : random.below(9)));
	if (rule.name === "sign-on" && mti === rule.answer) {
		const keys = drawBytes(random, random.chance(3, 4) ? 40 : random.below(60));
		fields.set(62, keys);
		if (keys.length === 40) {
			secrets.set("wrapped PIK", hexOf(keys.subarray(0, 16)));
			secrets.set("wrapped MAK", hexOf(keys.subarray(20, 36)));
		}
	}
	if (rule.mac === "sync")
		fields.set(62, drawBytes(random, random.chance(3, 4) ? random.pick(SYNC_BYTES) : random.below(400)));
	if (random.chance(1, 4)) fields.set(61, drawDigits(random, random.below(30)));
	if (random.chance(1, 4)) fields.set(63, people(random, pan, secrets));
	const sorted = new Map([...fields].sort(([a], [b]) => a - b));
	return { message: { mti, tpdu, header, secondary: false, fields: sorted }, secrets };
}

function syncCode(random: SeededRandom, mac: string): string {
	return mac === "sync" ? random.pick(["401", "402", "403", "404", "405", "406", "407", "999"]) : "000";
}

/** BER-TLV; now and then cut off, or a tag too long. */
function chipData(random: SeededRandom, pan: string, secrets: Map<string, string>): Uint8Array {
	const parts: string[] = [];
	for (const [n, tag] of TAGS.entries())
		if (random.chance(1, 2)) parts.push(tlv(tag, hexOf(drawBytes(random, TAG_BYTES[n]))));
	const padded = pan.length % 2 === 0 ? pan : `${pan}F`;
	const track = `${pan}D${drawDigits(random, 37 - pan.length - 1)}`;
	parts.splice(random.below(parts.length + 1), 0, tlv("5A", padded));
	parts.splice(random.below(parts.length + 1), 0, tlv("57", track.length % 2 === 0 ? track : `${track}F`));
	secrets.set("card number in DE 55", pan);
	secrets.set("track in DE 55", track.slice(pan.length + 1));
	const bytes = fromHex(parts.join(""));
	if (random.chance(7, 8)) return bytes.subarray(0, Math.min(bytes.length, 255));
	return bytes.slice(0, random.below(bytes.length));
}

function tlv(tag: string, hex: string): string {
	return tag + (hex.length / 2).toString(16).padStart(2, "0") + hex;
}

/** Count 2, then [class 2, STAN 6, card number 20 behind zeros, amount 12]; the count may lie. */
function upload(random: SeededRandom, secrets: Map<string, string>): string {
	const entries = random.below(UPLOAD_ENTRIES_MAX + 1);
	const said = random.chance(7, 8) ? entries : random.below(100);
	let digits = `${said}`.padStart(2, "0");
	for (let n = 0; n < entries; n++) {
		const pan = drawPan(random);
		secrets.set(`card number of entry ${n + 1}`, pan);
		digits += `00${drawDigits(random, 6)}${pan.padStart(20, "0")}${drawDigits(random, 12)}`;
	}
	return random.chance(7, 8) ? digits : digits.slice(0, random.below(digits.length + 1));
}

/** Words that hosts send, also with a card number in them. */
function people(random: SeededRandom, pan: string, secrets: Map<string, string>): Uint8Array {
	if (random.chance(1, 2)) return Uint8Array.from([67, 85, 80, 0xd6, 0xd0, 0xb9, 0xfa]);
	secrets.set("card number in DE 63", pan);
	return text(`CUP card ${pan} refused`);
}

function drawDigits(random: SeededRandom, count: number): string {
	let digits = "";
	// The first is no zero: card numbers behind zeros begin there.
	for (let i = 0; i < count; i++) digits += i === 0 ? 1 + random.below(9) : random.below(10);
	return digits;
}

/** 13 to 19 digits, the last one the check digit. */
function drawPan(random: SeededRandom): string {
	const body = drawDigits(random, 12 + random.below(7));
	for (let check = 0; check < 9; check++) if (luhnValid(`${body}${check}`)) return `${body}${check}`;
	return `${body}9`;
}

function drawBytes(random: SeededRandom, byteLength: number): Uint8Array {
	const bytes = new Uint8Array(byteLength);
	random.fill(bytes);
	return bytes;
}

function hexOf(bytes: Uint8Array): string {
	return Buffer.from(bytes).toString("hex").toUpperCase();
}

function text(characters: string): Uint8Array {
	return Uint8Array.from(characters, (character) => character.charCodeAt(0));
}
