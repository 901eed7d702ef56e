/**
 * The first dialect: ISO 8583:1987 as card terminals in China speak it, gathered from deployed open
 * implementations and public descriptions. Checked byte for byte against test/vectors/unionpay.json.
 * @module
 */
import type { Coding, Dialect, FieldRule, Format, Masking, MessageMac, MessageRule } from "./dialect";
import { DE_MAX, fieldRule } from "./dialect";

/** Digits are packed, text is ASCII, bytes are bytes. */
const CODINGS: Readonly<Record<Format, Coding>> = { n: "bcd", z: "bcd", an: "ascii", ans: "ascii", b: "binary" };

function fixed(format: Format, lengthMax: number, masking: Masking = "show"): FieldRule {
	return fieldRule({ format, coding: CODINGS[format], lengthMax, masking });
}

function ll(format: Format, lengthMax: number, masking: Masking = "show"): FieldRule {
	return fieldRule({ format, coding: CODINGS[format], lengthMax, prefix: 2, masking });
}

function lll(format: Format, lengthMax: number, masking: Masking = "show"): FieldRule {
	return fieldRule({ format, coding: CODINGS[format], lengthMax, prefix: 3, masking });
}

const FIELDS: (FieldRule | undefined)[] = new Array(DE_MAX + 1).fill(undefined);
FIELDS[1] = fixed("b", 8); // Secondary bitmap.
FIELDS[2] = ll("n", 19, "pan");
FIELDS[3] = fixed("n", 6); // Processing code.
FIELDS[4] = fixed("n", 12); // Amount in minor units.
FIELDS[11] = fixed("n", 6); // STAN.
FIELDS[12] = fixed("n", 6); // hhmmss.
FIELDS[13] = fixed("n", 4); // MMDD.
FIELDS[14] = fixed("n", 4, "hide"); // Expiry, YYMM.
FIELDS[15] = fixed("n", 4); // Settlement date, MMDD.
FIELDS[22] = fixed("n", 3); // Entry mode; 052 travels as 05 20.
FIELDS[23] = { ...fixed("n", 3), justify: "right" }; // Card sequence; 001 travels as 00 01.
FIELDS[25] = fixed("n", 2);
FIELDS[26] = fixed("n", 2);
FIELDS[32] = ll("n", 11); // Acquirer.
FIELDS[35] = ll("z", 37, "hide"); // Track 2.
FIELDS[36] = lll("z", 104, "hide"); // Track 3.
FIELDS[37] = fixed("an", 12); // RRN.
FIELDS[38] = fixed("an", 6); // Authorization code.
FIELDS[39] = fixed("an", 2); // Response code, or a reversal's reason.
FIELDS[41] = fixed("ans", 8); // Terminal.
FIELDS[42] = fixed("ans", 15); // Merchant.
FIELDS[44] = { ...ll("ans", 25), wide: true };
FIELDS[48] = lll("n", 322, "hide"); // Totals, but also the card numbers of a batch upload.
FIELDS[49] = fixed("an", 3);
FIELDS[52] = fixed("b", 8, "hide"); // PIN block.
FIELDS[53] = fixed("n", 16);
FIELDS[54] = lll("an", 40, "hide"); // Balance.
FIELDS[55] = lll("b", 255, "hide"); // EMV data; tags 57 and 5A repeat the card number.
FIELDS[60] = lll("n", 17); // Type 2, batch 6, code 3, reader 1, IC condition 1.
FIELDS[61] = lll("n", 29); // Original: batch 6, STAN 6, date 4.
FIELDS[62] = { ...lll("b", 512, "hide"), longer: { mti: "0310", lengthMax: 999 } }; // Working keys, sync data.
FIELDS[63] = { ...lll("ans", 163), wide: true }; // Operator, or card scheme and the issuer's text.
FIELDS[64] = fixed("b", 8); // MAC.
FIELDS[103] = ll("ans", 28, "last4"); // Card to be paid, or phone number.
FIELDS[128] = fixed("b", 8); // MAC when there is a secondary bitmap.

function message(
	name: string,
	mti: string,
	answer: string,
	processingCode: string | undefined,
	transactionType: string | undefined,
	networkCode?: string,
	mac: MessageMac = "session",
): MessageRule {
	return { name, mti, answer, processingCode, transactionType, networkCode, mac };
}

const MESSAGES: readonly MessageRule[] = [
	message("sign-on", "0800", "0810", undefined, "00", "003", "none"),
	message("sign-off", "0820", "0830", undefined, "00", "002", "none"),
	message("sale", "0200", "0210", "000000", "22"),
	message("void", "0200", "0210", "200000", "23"),
	message("refund", "0220", "0230", "200000", "25"),
	message("balance", "0200", "0210", "310000", "01"),
	message("last-transaction query", "0200", "0210", "310000", "02"),
	message("reversal", "0400", "0410", undefined, undefined),
	message("offline sale", "0220", "0230", "000000", "36"),
	message("resend", "0220", "0230", "000000", "30"),
	message("settlement", "0500", "0510", undefined, "00", "201", "none"),
	message("batch upload", "0320", "0330", undefined, "00", "201", "none"),
	message("batch upload end, balanced", "0320", "0330", undefined, "00", "207", "none"),
	message("batch upload end, unbalanced", "0320", "0330", undefined, "00", "202", "none"),
	message("repayment", "0200", "0210", "500000", "51"),
	message("top-up", "0200", "0210", "500000", "52"),
	message("sync", "0300", "0310", undefined, "00", undefined, "sync"),
];

export const UNIONPAY: Dialect = {
	name: "unionpay",
	frameLength: "u16",
	frameLengthCountsItself: false,
	tpdu: "6000030000",
	header: "603100311108",
	mtiCoding: "bcd",
	bitmapCoding: "binary",
	messages: MESSAGES,
	fields: FIELDS,
	mac: "unionpay",
	frameBytesMax: 1460,
};
