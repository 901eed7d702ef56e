/**
 * The cards of the simulation: what the reader hands over and what the issuer knows of them, in one table, so that
 * both sides agree without looking into each other. Numbers are made up; no real card number is ever used.
 * @module
 */
import type { CardVerdict, EntryMode } from "../src/ports";

export interface TestCard {
	/** Stable name for command lines, scripts and tests. */
	readonly name: string;
	/** 12–19 digits; the check digit is right unless `atIssuer` says the card is for the reader only. */
	readonly pan: string;
	/** YYMM. */
	readonly expiry: string;
	/** Card sequence number, 3 digits; chip and contactless only. */
	readonly sequence?: string;
	readonly entryMode: EntryMode;
	/** With `D` as separator. */
	readonly track2?: string;
	/** EMV data as hex, BER-TLV, at most 255 bytes. */
	readonly emv?: string;
	/** The card or the limit asks for a PIN. */
	readonly pinWanted: boolean;
	/** What the cardholder types. */
	readonly pin?: string;
	/** What the issuer expects; absent: the same as {@link pin}. */
	readonly issuerPin?: string;
	/** What the card holds when the issuer's ledger is opened. */
	readonly balanceMinor: number;
	/** False: the issuer has never heard of this card. */
	readonly atIssuer: boolean;
	/** The issuer answers every sale of this card with this code. */
	readonly issuerCode?: string;
	/** The card's verdict at the second GENERATE AC; absent: TC. */
	readonly verdict?: CardVerdict;
	/** What it is for, in a few words. */
	readonly note: string;
}

/** Cryptogram, its information, issuer application data, unpredictable number, counter, TVR, date, type, terminal. */
const EMV_DATA =
	"9F260811223344556677889F2701809F100807010103A0A000019F3704DEADBEEF9F360200429505808000080" +
	"09A032611229C01005F2A02015682027C009F1A0201569F3303E0E1C8";

/** Enough for a long trading day. */
const RICH_MINOR = 1_000_000_000;

export const TEST_CARDS: readonly TestCard[] = [
	{
		name: "chip",
		pan: "6212345678901232",
		expiry: "3012",
		sequence: "001",
		entryMode: "chip",
		track2: "6212345678901232D3012220119630000",
		emv: EMV_DATA,
		pinWanted: false,
		balanceMinor: RICH_MINOR,
		atIssuer: true,
		note: "chip, no PIN",
	},
	{
		name: "chip-pin",
		pan: "6212345678902008",
		expiry: "3012",
		sequence: "001",
		entryMode: "chip",
		track2: "6212345678902008D3012220119630000",
		emv: EMV_DATA,
		pinWanted: true,
		pin: "1234",
		balanceMinor: RICH_MINOR,
		atIssuer: true,
		note: "chip, PIN 1234",
	},
	{
		name: "magstripe-pin",
		pan: "6212345678903014",
		expiry: "3012",
		entryMode: "magstripe",
		track2: "6212345678903014D30122201196301",
		pinWanted: true,
		pin: "123456",
		balanceMinor: RICH_MINOR,
		atIssuer: true,
		note: "magnetic stripe, PIN 123456",
	},
	{
		name: "contactless",
		pan: "6212345678904020",
		expiry: "3012",
		sequence: "001",
		entryMode: "contactless",
		track2: "6212345678904020D3012220119630000",
		emv: EMV_DATA,
		pinWanted: false,
		balanceMinor: RICH_MINOR,
		atIssuer: true,
		note: "contactless, no PIN",
	},
	{
		name: "magstripe-19",
		pan: "6221234567890123450",
		expiry: "3012",
		entryMode: "magstripe",
		track2: "6221234567890123450D30122201196301",
		pinWanted: true,
		pin: "1234",
		balanceMinor: RICH_MINOR,
		atIssuer: true,
		note: "magnetic stripe, 19 digits, PIN 1234",
	},
	{
		name: "expired",
		pan: "6212345678905035",
		expiry: "2001",
		entryMode: "magstripe",
		track2: "6212345678905035D20012201196301",
		pinWanted: false,
		balanceMinor: RICH_MINOR,
		atIssuer: true,
		note: "expired since January 2020",
	},
	{
		name: "poor",
		pan: "6212345678906041",
		expiry: "3012",
		sequence: "001",
		entryMode: "chip",
		track2: "6212345678906041D3012220119630000",
		emv: EMV_DATA,
		pinWanted: false,
		balanceMinor: 100,
		atIssuer: true,
		note: "1.00 on the account",
	},
	{
		name: "lost",
		pan: "6212345678907056",
		expiry: "3012",
		sequence: "001",
		entryMode: "chip",
		track2: "6212345678907056D3012220119630000",
		emv: EMV_DATA,
		pinWanted: false,
		balanceMinor: RICH_MINOR,
		atIssuer: true,
		issuerCode: "41",
		note: "reported lost",
	},
	{
		name: "restricted",
		pan: "6212345678910084",
		expiry: "3012",
		entryMode: "magstripe",
		track2: "6212345678910084D30122201196301",
		pinWanted: false,
		balanceMinor: RICH_MINOR,
		atIssuer: true,
		issuerCode: "62",
		note: "restricted by the issuer",
	},
	{
		name: "chip-refuses",
		pan: "6212345678908062",
		expiry: "3012",
		sequence: "001",
		entryMode: "chip",
		track2: "6212345678908062D3012220119630000",
		emv: EMV_DATA,
		pinWanted: false,
		balanceMinor: RICH_MINOR,
		atIssuer: true,
		verdict: "AAC",
		note: "chip that refuses at the second GENERATE AC",
	},
	{
		name: "wrong-pin",
		pan: "6212345678909078",
		expiry: "3012",
		entryMode: "magstripe",
		track2: "6212345678909078D30122201196301",
		pinWanted: true,
		pin: "1111",
		issuerPin: "4321",
		balanceMinor: RICH_MINOR,
		atIssuer: true,
		note: "cardholder types 1111, issuer expects 4321",
	},
	{
		name: "unknown",
		pan: "6221234567890103",
		expiry: "3012",
		entryMode: "magstripe",
		track2: "6221234567890103D30122201196301",
		pinWanted: false,
		balanceMinor: 0,
		atIssuer: false,
		note: "right check digit, but the issuer does not know it",
	},
	{
		name: "bad-check-digit",
		pan: "6212345678901239",
		expiry: "3012",
		entryMode: "magstripe",
		track2: "6212345678901239D30122201196301",
		pinWanted: false,
		balanceMinor: 0,
		atIssuer: false,
		note: "check digit wrong: the terminal must refuse it",
	},
];

/** @returns the card of that name, or undefined */
export function findTestCard(name: string): TestCard | undefined {
	return TEST_CARDS.find((card) => card.name === name);
}
