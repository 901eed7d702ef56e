/**
 * Keys and card of the desktop simulator, the same as the host's of `npm run host`. The keys are in public test
 * vectors and STORE counts up: of no use for anything real. The card number is made up.
 * @module
 */
import type { CardData, KeyName } from "../../../src/ports";

/** Hex by name. */
export const TEST_KEYS: Readonly<Record<Exclude<KeyName, "DUKPT" | "DEVICE">, string>> = {
	TMK: "0123456789ABCDEFFEDCBA9876543210",
	HAK: "2B7E151628AED2A6ABF7158809CF4F3C",
	STORE: "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
};

/** Contactless, no PIN. */
export const TEST_CARD: Readonly<Omit<CardData, "emv">> = {
	entryMode: "contactless",
	pan: "6212345678904020",
	expiry: "3012",
	sequence: "001",
	track2: "6212345678904020D3012220119630000",
	pinWanted: false,
};

/** Its EMV data, BER-TLV, hex. */
export const TEST_CARD_EMV =
	"9F260811223344556677889F2701809F100807010103A0A000019F3704DEADBEEF9F360200429505808000080" +
	"09A032611229C01005F2A02015682027C009F1A0201569F3303E0E1C8";
