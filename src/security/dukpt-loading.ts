/**
 * How AES-DUKPT comes into the terminal: the initial key, its id and its check value, as the key injection facility
 * gives them. What is stored are the registers; the initial key is nowhere when this returns.
 * Source: ANSI X9.24-3:2017, §6.1, Annex B.6.3 ("Load Initial Key").
 *
 * An initial key is loaded once in its life. The terminal refuses the one it has; it keeps no list of those before, so
 * the facility must not give out an id again.
 * @module
 */
import { CodedError } from "../core/errors";
import type { KeyStore } from "../ports";
import { DUKPT_KEY_BYTES, DUKPT_STATE_BYTES_MAX, DukptRegisters, isStateOf, KEY_ID_BYTES } from "./dukpt";
import { checkAesKey } from "./key-loading";

const PLACE = "security DUKPT";

/**
 * Replaces what is stored under DUKPT; a scheme at work goes on with the keys it has in memory until it forgets them.
 * @param initialKey - 16 bytes, borrowed, to be wiped by the caller
 * @param keyId - 8 bytes
 * @param checkValue - 3 to 5 bytes, see loadKey
 * @throws {CodedError} "length"; "auth" when the check value does not fit; "duplicate" when the terminal has this very
 * key: its counter would begin anew, and keys be used twice (I4); what the key store throws. Nothing has changed then
 */
export function loadDukpt(keys: KeyStore, initialKey: Uint8Array, keyId: Uint8Array, checkValue: Uint8Array): void {
	if (initialKey.length !== DUKPT_KEY_BYTES) throw new CodedError("length", PLACE);
	if (keyId.length !== KEY_ID_BYTES) throw new CodedError("length", PLACE, "key id");
	checkAesKey(initialKey, checkValue, PLACE);
	const state = new Uint8Array(DUKPT_STATE_BYTES_MAX);
	const registers = new DukptRegisters();
	try {
		// Also a state that is damaged otherwise: what its counter was, nobody knows.
		if (isStateOf(state, keys.read("DUKPT", state), keyId)) throw new CodedError("duplicate", PLACE, "key id");
		registers.load(initialKey, keyId);
		const byteLength = registers.writeState(registers.counter, state);
		keys.write("DUKPT", state.subarray(0, byteLength));
	} finally {
		registers.wipe();
		state.fill(0);
	}
}
