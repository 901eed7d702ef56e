/**
 * What a technician has loaded into each terminal of a world. Test keys only.
 * @module
 */
import { fromHex } from "../../src/core/bytes";
import { loadDukpt } from "../../src/security/dukpt-loading";
import { cmac8 } from "../acquirer/ciphers";
import { initialKey } from "../acquirer/dukpt";
import { TEST_BDK, TEST_KEYS, type TerminalEntry } from "../acquirer/test-keys";
import { MemoryKeys } from "../board/memory-keys";

const CHECK_BYTES = 4;
/** Digits that no test card has in a row, also when a line garbles one of them: what is searched for is the cards'. */
const MERCHANT_ID = "308290080600017";

/** The terminals that a world's host serves. @param count - 1 to 4 */
export function terminalEntries(count: number): TerminalEntry[] {
	return Array.from({ length: count }, (_, n) => ({
		terminalId: `1234567${8 - n}`,
		merchantId: MERCHANT_ID,
		// Not the digits of test cards, which are looked for in all that a terminal lets out of its hands.
		keyId: `987650000000000${1 + n}`,
	}));
}

/** @param dukpt - whether the terminal works by DUKPT: then it holds the initial key of `entry` */
export function stationKeys(entry: TerminalEntry, dukpt: boolean): MemoryKeys {
	const keys = new MemoryKeys(TEST_KEYS);
	if (dukpt && entry.keyId !== undefined) {
		const keyId = fromHex(entry.keyId);
		const key = initialKey(fromHex(TEST_BDK), keyId);
		// A check value is the beginning of the CMAC of a block of zeros. Source: ANSI X9.24-1:2017, Annex A.
		loadDukpt(keys, key, keyId, cmac8(key, new Uint8Array(16)).slice(0, CHECK_BYTES));
	}
	return keys;
}
