/**
 * Reads what a terminal has made durable from the flash bytes alone: a second log, with nothing in common with the
 * terminal's but the silicon, mounted read-only over a copy of it. What I1 and I2 are judged by.
 */
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import type { FlashMedium } from "../../host-sim/board/flash-medium";
import { MemoryKeys } from "../../host-sim/board/memory-keys";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import type { KeyStore, Told } from "../../src/ports";
import { CardSeal } from "../../src/security/card-seal";
import { State } from "../../src/transactions/states";
import { TransactionLog } from "../../src/transactions/transaction-log";

export function decodeFrame(bytes: Uint8Array): MessageDecoder {
	const decoder = new MessageDecoder(UNIONPAY);
	decoder.decode(bytes.slice(), bytes.length);
	return decoder;
}

/** @returns a log over a copy of the silicon as it is now */
export function readFlash(medium: FlashMedium, keys: KeyStore = new MemoryKeys(TEST_KEYS)): TransactionLog {
	const flash = new NorFlash({ medium: medium.clone() });
	const log = new TransactionLog(flash, 1_024, new CardSeal(keys));
	const { status } = log.mount();
	if (status !== "ok") throw new Error(`the witness cannot mount: ${status}`);
	if (flash.operations !== 0) throw new Error("the witness has written");
	return log;
}

/** Comparing, uploading and settling: of numbers that are no transaction's. */
const ASKING: readonly string[] = ["0300", "0320", "0500"];

/** I1. @returns why this request may not leave yet; undefined when its intent, or reversal, stands on flash */
export function whyNotSend(frame: Uint8Array, medium: FlashMedium, keys: KeyStore): string | undefined {
	const message = decodeFrame(frame);
	const { mti } = message;
	if (mti === "0800") return undefined; // A sign-on moves no money.
	const stan = message.number(11);
	const log = readFlash(medium, keys);
	const slot = log.index.findStan(stan);
	if (ASKING.includes(mti)) return slot < 0 ? undefined : `${mti} stan ${stan}: the number of a transaction`;
	if (mti !== "0200" && mti !== "0400") return `${mti} is no message of this terminal`;
	if (slot < 0) return `${mti} stan ${stan}: no record on flash`;
	const id = log.index.ids[slot];
	const state = log.index.states[slot];
	const intent = log.intent(id);
	if (intent.amountMinor !== message.number(4)) return `${mti} stan ${stan}: another amount on flash`;
	if (intent.batch !== message.numberAt(60, 2, 6)) return `${mti} stan ${stan}: another batch on flash`;
	if (!message.equals(2, log.card(id).pan)) return `${mti} stan ${stan}: another card on flash`;
	if (mti === "0200") return state === State.waiting ? undefined : `0200 stan ${stan}: state ${state} on flash`;
	if (state !== State.reversing && state !== State.unconfirmed) return `0400 stan ${stan}: state ${state} on flash`;
	return message.equals(39, log.reason(id)) ? undefined : `0400 stan ${stan}: another reason on flash`;
}

const PAID: readonly number[] = [State.approved, State.delivered];
const NOT_CHARGED: readonly number[] = [
	State.declined,
	State.abandoned,
	State.reversing,
	State.unconfirmed,
	State.reversed,
];

/** I2. @returns why people may not be told this yet; undefined when it stands on flash */
export function whyNotTell(stan: number, told: Told, medium: FlashMedium): string | undefined {
	const log = readFlash(medium);
	const slot = log.index.findStan(stan);
	if (slot < 0) return `told ${told} of stan ${stan}: no record on flash`;
	const state = log.index.states[slot];
	const allowed = told === "paid" ? PAID : NOT_CHARGED;
	return allowed.includes(state) ? undefined : `told ${told} of stan ${stan}: state ${state} on flash`;
}
