/**
 * Keys and names of the test terminal, shared by the host and the simulated board. They are in public test vectors:
 * of no use for anything real. Origin: test/vectors/unionpay.json; STORE is made up.
 * @module
 */
import type { KeyName } from "../../src/ports";

/** Hex by name. */
export const TEST_KEYS: Readonly<Record<KeyName, string>> = {
	TMK: "0123456789ABCDEFFEDCBA9876543210",
	PIK: "8C7F0E4D3A2B19586170F1E2D3C4B5A6",
	MAK: "CB3DAB9DA8C7D3B6",
	HAK: "2B7E151628AED2A6ABF7158809CF4F3C",
	/** Seals card data in the terminal's own flash; the host never uses it. */
	STORE: "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
};

/** A terminal the host serves: DE 41 and DE 42. */
export interface TerminalEntry {
	readonly terminalId: string;
	readonly merchantId: string;
}

export const TEST_TERMINAL: TerminalEntry = { terminalId: "12345678", merchantId: "123456789012345" };
