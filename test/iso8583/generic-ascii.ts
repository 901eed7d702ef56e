/**
 * A second dialect, which proves that a dialect is a table: ISO 8583:1987 in characters, as hosts that speak over plain
 * TCP have it. Digits, lengths, MTI and bitmap are ASCII, bytes are hex, there is no TPDU and no header, the frame's
 * length is four digits and counts itself.
 */
import type { Dialect, FieldRule, Format, Masking, MessageRule } from "../../src/iso8583/dialect";
import { fieldRule } from "../../src/iso8583/dialect";

function row(format: Format, lengthMax: number, prefix: 0 | 2 | 3 = 0, masking: Masking = "show"): FieldRule {
	const coding = format === "b" ? "hex" : "ascii";
	return fieldRule({ format, coding, lengthMax, prefix, prefixCoding: "ascii", masking });
}

const FIELDS: (FieldRule | undefined)[] = new Array(129).fill(undefined);
FIELDS[1] = row("b", 8);
FIELDS[2] = row("n", 19, 2, "pan");
FIELDS[3] = row("n", 6);
FIELDS[4] = row("n", 12);
FIELDS[7] = row("n", 10); // MMDDhhmmss.
FIELDS[11] = row("n", 6);
FIELDS[12] = row("n", 6);
FIELDS[13] = row("n", 4);
FIELDS[14] = row("n", 4, 0, "hide");
FIELDS[22] = row("n", 3);
FIELDS[23] = row("n", 3);
FIELDS[25] = row("n", 2);
FIELDS[35] = row("z", 37, 2, "hide");
FIELDS[37] = row("an", 12);
FIELDS[38] = row("an", 6);
FIELDS[39] = row("an", 2);
FIELDS[41] = row("ans", 8);
FIELDS[42] = row("ans", 15);
FIELDS[48] = row("ans", 999, 3, "hide");
FIELDS[49] = row("n", 3);
FIELDS[52] = row("b", 8, 0, "hide");
FIELDS[55] = row("b", 255, 3, "hide");
FIELDS[64] = row("b", 8);
FIELDS[70] = row("n", 3);
FIELDS[102] = row("ans", 28, 2, "last4");
FIELDS[128] = row("b", 8);

function message(name: string, mti: string, answer: string, processingCode?: string): MessageRule {
	const mac = mti === "0800" ? "none" : "session";
	return { name, mti, answer, processingCode, transactionType: undefined, networkCode: undefined, mac };
}

export const GENERIC_ASCII: Dialect = {
	name: "generic-ascii",
	frameLength: "ascii4",
	frameLengthCountsItself: true,
	tpdu: "",
	header: "",
	mtiCoding: "ascii",
	bitmapCoding: "hex",
	messages: [
		message("authorization", "0100", "0110"),
		message("sale", "0200", "0210", "000000"),
		message("void", "0200", "0210", "200000"),
		message("reversal", "0400", "0410"),
		message("network management", "0800", "0810"),
	],
	fields: FIELDS,
	mac: "x9.19",
	frameBytesMax: 2000,
};
