/**
 * AES-DUKPT as the host checks it: each request names a counter in DE 53, and its keys follow from the base derivation
 * key. There is nothing to give out, and nothing to forget.
 *
 * A counter is good for one message. The same message again is a repeat, which the movement's key makes harmless;
 * another one under a used counter, or one far behind the highest, is refused. What was seen is kept in memory: a host
 * that comes back from a crash believes any counter once more, and the ledgers still know the movements.
 * Source: ANSI X9.24-3:2017, §6.3; PROTOCOL.md, "Security of messages".
 * @module
 */
import { fromHex, readU32, toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import type { MacVerifier, MessageDecoder } from "../../src/iso8583/decoder";
import { cmac8, isMacAt } from "./ciphers";
import {
	COUNTER_BYTES,
	derive,
	INITIAL_KEY_ID_BYTES,
	initialKey,
	transactionKey,
	USAGE_MAC_ANSWER,
	USAGE_MAC_REQUEST,
	USAGE_PIN,
} from "./dukpt";
import type { ExchangeKeys, HostKeyScheme, KeyCheck } from "./host-keys";
import { decryptFormat4 } from "./pin-blocks";
import type { TerminalEntry } from "./test-keys";

/** How far behind the highest counter a request may come: several are in flight, and one may lie in the network. */
export const COUNTER_WINDOW = 64;

const NO_KEYS = new Uint8Array(0);

/** The keys of one counter. */
class CounterKeys implements ExchangeKeys, MacVerifier {
	readonly #initial: Uint8Array;
	readonly #keyId: Uint8Array;
	readonly #counter: number;
	/** Made when first needed: request, PIN and answer share it. */
	#transaction: Uint8Array | undefined;

	constructor(initial: Uint8Array, keyId: Uint8Array, counter: number) {
		this.#initial = initial;
		this.#keyId = keyId;
		this.#counter = counter;
	}

	mac(bytes: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void {
		out.set(cmac8(this.#key(USAGE_MAC_ANSWER), bytes.subarray(start, end)), outOffset);
	}

	verify(bytes: Uint8Array, start: number, end: number, macOffset: number): boolean {
		return isMacAt(cmac8(this.#key(USAGE_MAC_REQUEST), bytes.subarray(start, end)), bytes, macOffset);
	}

	decryptPin(block: Uint8Array, pan: string): string {
		return decryptFormat4(block, pan, this.#key(USAGE_PIN));
	}

	#key(usage: number): Uint8Array {
		this.#transaction ??= transactionKey(this.#initial, this.#keyId, this.#counter);
		return derive(this.#transaction, this.#keyId, this.#counter, usage);
	}
}

/** What is known of one terminal. */
interface Held {
	readonly keyId: Uint8Array;
	readonly initial: Uint8Array;
	/** Counters seen within the window, with the MAC that tells their message. */
	readonly seen: Map<number, string>;
	highest: number;
}

export class DukptKeys implements HostKeyScheme {
	readonly #held = new Map<TerminalEntry, Held>();

	/** @param bdk - hex, 16 bytes. @throws {CodedError} "missing" key id of a terminal, "duplicate" | "length" */
	constructor(terminals: readonly TerminalEntry[], bdk: string) {
		const base = fromHex(bdk, "host BDK");
		if (base.length !== 16) throw new CodedError("length", "host BDK");
		const ids = new Set<string>();
		for (const terminal of terminals) {
			if (terminal.keyId === undefined) throw new CodedError("missing", "host key id of a terminal");
			const keyId = fromHex(terminal.keyId, "host key id");
			if (keyId.length !== INITIAL_KEY_ID_BYTES) throw new CodedError("length", "host key id");
			if (ids.has(toHex(keyId))) throw new CodedError("duplicate", "host key id");
			ids.add(toHex(keyId));
			this.#held.set(terminal, { keyId, initial: initialKey(base, keyId), seen: new Map(), highest: 0 });
		}
	}

	check(terminal: TerminalEntry, message: MessageDecoder): KeyCheck {
		const held = this.#held.get(terminal);
		const control = message.has(53) ? message.bytes(53) : NO_KEYS;
		// Without a counter of its own there is no key, for the answer neither.
		const nothing: KeyCheck = { verdict: "wrong", keys: undefined };
		if (held === undefined || control.length !== INITIAL_KEY_ID_BYTES + COUNTER_BYTES) return nothing;
		if (toHex(control, 0, INITIAL_KEY_ID_BYTES) !== toHex(held.keyId)) return nothing;
		const counter = readU32(control, INITIAL_KEY_ID_BYTES);
		if (counter === 0) return nothing;
		const keys = new CounterKeys(held.initial, held.keyId, counter);
		const right = message.verify(keys) && this.#take(held, counter, message.text(message.macDe));
		return { verdict: right ? "right" : "wrong", keys };
	}

	signOn(): Uint8Array {
		return NO_KEYS;
	}

	/** The keys follow from the base derivation key: there is nothing to lose. */
	forget(): void {}

	/** As {@link forget}: nobody can change what both sides derive. */
	change(): void {}

	/** @returns false for a counter that is used by another message or lies too far back */
	#take(held: Held, counter: number, mac: string): boolean {
		const known = held.seen.get(counter);
		if (known !== undefined) return known === mac;
		if (counter + COUNTER_WINDOW <= held.highest) return false;
		held.seen.set(counter, mac);
		if (counter > held.highest) {
			held.highest = counter;
			for (const old of [...held.seen.keys()]) if (old + COUNTER_WINDOW <= counter) held.seen.delete(old);
		}
		return true;
	}
}
