/**
 * Keys and names of the test terminal, shared by the host and the simulated board. They are in public test vectors:
 * of no use for anything real. Origin: test/vectors/unionpay.json; the base derivation key and the initial key id are
 * those of ANSI X9.24-3's published vectors; STORE is made up.
 * @module
 */

/** Hex by name: what a terminal of master and session keys is provisioned with. */
export const TEST_KEYS: Readonly<Record<"TMK" | "HAK" | "STORE", string>> = {
	TMK: "0123456789ABCDEFFEDCBA9876543210",
	HAK: "2B7E151628AED2A6ABF7158809CF4F3C",
	/** Seals card data in the terminal's own flash; the host never uses it. */
	STORE: "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
};

/** Base derivation key of AES-DUKPT, hex: the host's alone. A terminal gets the initial key made from it and its id. */
export const TEST_BDK = "FEDCBA9876543210F1F1F1F1F1F1F1F1";

/** A terminal the host serves. */
export interface TerminalEntry {
	/** DE 41. */
	readonly terminalId: string;
	/** DE 42. */
	readonly merchantId: string;
	/** Terminal master key, hex; default: the test key. */
	readonly tmk?: string;
	/** Host authentication key, hex; default: the test key. */
	readonly hak?: string;
	/** Initial key id of DUKPT, 8 bytes in hex; no two terminals have the same. */
	readonly keyId?: string;
}

export const TEST_TERMINAL: TerminalEntry = {
	terminalId: "12345678",
	merchantId: "123456789012345",
	keyId: "1234567890123456",
};

/** What the test terminal gets of DUKPT: the initial key that {@link TEST_BDK} and its id give, and the check value. */
export const TEST_DUKPT = {
	id: "1234567890123456",
	key: "1273671EA26AC29AFA4D1084127652A1",
	check: "05EF4531",
} as const;
