/**
 * The key store of the test terminal as its technician leaves it: master key, host authentication key, and the initial
 * key of AES-DUKPT in its registers. Test keys only.
 * @module
 */
import { fromHex } from "../../src/core/bytes";
import { loadDukpt } from "../../src/security/dukpt-loading";
import { TEST_DUKPT, TEST_KEYS } from "../acquirer/test-keys";
import { MemoryKeys } from "./memory-keys";

export function testTerminalKeys(): MemoryKeys {
	const keys = new MemoryKeys(TEST_KEYS);
	loadDukpt(keys, fromHex(TEST_DUKPT.key), fromHex(TEST_DUKPT.id), fromHex(TEST_DUKPT.check));
	return keys;
}
