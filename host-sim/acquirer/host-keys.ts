/**
 * Which keys a terminal and the host have in common, as the rest of the host sees it; and the scheme of master and
 * session keys. The other scheme is dukpt-keys.ts.
 *
 * Working keys live in memory only: a host that comes back from a crash has none, and every terminal signs on again.
 * Two sets are known at most (I10): the one given out last, and the last one the terminal has shown to have. So a
 * sign-on answer that was lost, or a sign-on that somebody else sent, strands nothing that is under way: the older set
 * goes when the first message under the newer one arrives.
 * Source: PROTOCOL.md, "Security of messages"; the card network's terminal specification as publicly described, sign-on.
 * @module
 */
import { assert } from "../../src/core/assert";
import { fromHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import type { MacVerifier, MessageDecoder } from "../../src/iso8583/decoder";
import type { MacName } from "../../src/iso8583/dialect";
import type { MacWriter } from "../../src/iso8583/encoder";
import type { Clock } from "../../src/ports";
import { cmac8, DesKey, isMacAt, MAC_KEY_BYTES, SessionMac } from "./ciphers";
import { drawDesKey } from "./key-draw";
import { decryptFormat0 } from "./pin-blocks";
import type { IntegerSource } from "./random";
import type { PinOpener } from "./requests";
import type { TerminalEntry } from "./test-keys";
import { TEST_KEYS } from "./test-keys";

/** The keys of one exchange: its answer is under the keys its request was under. */
export interface ExchangeKeys extends MacWriter, PinOpener {}

/**
 * right: the MAC is the terminal's. wrong: missing, or nobody's. none: the host has no keys for this terminal.
 * `keys` are those of the answer; undefined: it goes without a MAC.
 */
export interface KeyCheck {
	readonly verdict: "right" | "wrong" | "none";
	readonly keys: ExchangeKeys | undefined;
}

export interface HostKeyScheme {
	/** Judges the session MAC of the message in the decoder. */
	check(terminal: TerminalEntry, message: MessageDecoder): KeyCheck;
	/** A sign-on. @returns DE 62 of the answer, empty where the scheme has nothing to give out */
	signOn(terminal: TerminalEntry): Uint8Array;
	/** The host has no keys for this terminal from now on: a sign-off, or a fault. */
	forget(terminal: TerminalEntry): void;
	/** A fault: the host takes other keys without telling. */
	change(terminal: TerminalEntry): void;
}

/** What a sign-on gives out. */
export interface WorkingKeys {
	/** 16 bytes. */
	readonly pik: Uint8Array;
	/** 8 or 16 bytes. */
	readonly mak: Uint8Array;
}

export interface SessionKeysOptions {
	readonly mac: MacName;
	readonly random: IntegerSource;
	readonly clock: Clock;
	/** 8 or 16; sent as 16 bytes, the last 8 of a short one zero. */
	readonly makBytes: 8 | 16;
	/** Instead of drawn ones: for known answers. */
	readonly workingKeys: WorkingKeys | undefined;
}

/** A terminal that asks again sooner, without having used what it got, gets the same set: a flood draws no keys. */
export const NEW_KEYS_MS_MIN = 1_000;

/** PIK under TMK 16, check value 4, MAK under TMK 16, check value 4. */
const KEY_BLOCK_BYTES = 40;

/** One set with its round keys, which live as long as it does. */
class SessionSet implements ExchangeKeys, MacVerifier {
	readonly #keys: WorkingKeys;
	readonly #pik: DesKey;
	readonly #mak: DesKey;
	readonly #mac: SessionMac;
	#block: Uint8Array | undefined;

	constructor(keys: WorkingKeys, mac: MacName) {
		this.#keys = keys;
		this.#pik = new DesKey(keys.pik);
		this.#mak = new DesKey(keys.mak);
		this.#mac = new SessionMac(mac, keys.mak, this.#mak);
	}

	mac(bytes: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void {
		out.set(this.#mac.over(bytes, start, end), outOffset);
	}

	verify(bytes: Uint8Array, start: number, end: number, macOffset: number): boolean {
		return isMacAt(this.#mac.over(bytes, start, end), bytes, macOffset);
	}

	decryptPin(block: Uint8Array, pan: string): string {
		return decryptFormat0(block, pan, this.#pik);
	}

	/** DE 62 of the sign-on answer that gives it out. @returns a copy */
	keyBlock(tmk: DesKey): Uint8Array {
		this.#block ??= wrap(tmk, this.#keys, this.#pik, this.#mak);
		return this.#block.slice();
	}
}

/** What is known of one terminal. At least one of the sets is there. */
interface Held {
	/** Given out last, and not used yet. */
	given?: SessionSet | undefined;
	/** The terminal has used it. */
	used?: SessionSet;
	/** Of `given`, monotonic ms. */
	givenAtMs: number;
}

export class SessionKeys implements HostKeyScheme {
	readonly #options: SessionKeysOptions;
	readonly #held = new Map<TerminalEntry, Held>();
	/** Terminal master keys. */
	readonly #tmks = new Map<TerminalEntry, DesKey>();

	/** @throws {CodedError} "length" when the algorithm takes no MAK of that length */
	constructor(options: SessionKeysOptions) {
		const { mac, makBytes, workingKeys } = options;
		const right = MAC_KEY_BYTES[mac].includes(workingKeys?.mak.length ?? makBytes);
		if (!right || (workingKeys !== undefined && workingKeys.pik.length !== 16)) {
			throw new CodedError("length", "host working keys");
		}
		this.#options = options;
	}

	check(terminal: TerminalEntry, message: MessageDecoder): KeyCheck {
		const held = this.#held.get(terminal);
		if (held === undefined) return { verdict: "none", keys: undefined };
		const { given, used } = held;
		if (given !== undefined && message.verify(given)) {
			held.used = given;
			held.given = undefined;
			return { verdict: "right", keys: given };
		}
		if (used !== undefined && message.verify(used)) return { verdict: "right", keys: used };
		return { verdict: "wrong", keys: given ?? used };
	}

	signOn(terminal: TerminalEntry): Uint8Array {
		const nowMs = this.#options.clock.monotonic();
		const held = this.#held.get(terminal) ?? { givenAtMs: 0 };
		this.#held.set(terminal, held);
		if (held.given === undefined || nowMs - held.givenAtMs >= NEW_KEYS_MS_MIN) {
			held.given = this.#draw();
			held.givenAtMs = nowMs;
		}
		return held.given.keyBlock(this.#tmk(terminal));
	}

	forget(terminal: TerminalEntry): void {
		this.#held.delete(terminal);
	}

	change(terminal: TerminalEntry): void {
		if (this.#held.has(terminal)) this.#held.set(terminal, { given: this.#draw(), givenAtMs: 0 });
	}

	#tmk(terminal: TerminalEntry): DesKey {
		let tmk = this.#tmks.get(terminal);
		if (tmk === undefined) {
			tmk = new DesKey(fromHex(terminal.tmk ?? TEST_KEYS.TMK, "host TMK"));
			this.#tmks.set(terminal, tmk);
		}
		return tmk;
	}

	#draw(): SessionSet {
		const { mac, makBytes, random, workingKeys } = this.#options;
		const keys = workingKeys ?? { pik: drawDesKey(random, 16), mak: drawDesKey(random, makBytes) };
		return new SessionSet(keys, mac);
	}
}

/** DE 62 of a sign-on answer. @param tmk - 8 or 16 bytes */
export function keyBlock(tmk: Uint8Array, keys: WorkingKeys): Uint8Array {
	return wrap(new DesKey(tmk), keys, new DesKey(keys.pik), new DesKey(keys.mak));
}

function wrap(tmk: DesKey, keys: WorkingKeys, pikKey: DesKey, makKey: DesKey): Uint8Array {
	assert(keys.pik.length === 16 && (keys.mak.length === 8 || keys.mak.length === 16), "working keys");
	const block = new Uint8Array(KEY_BLOCK_BYTES);
	const pik = block.subarray(0, 16);
	const mak = block.subarray(20, 36);
	pik.set(keys.pik);
	mak.set(keys.mak);
	tmk.encrypt(pik);
	tmk.encrypt(mak);
	block.set(pikKey.checkValue(), 16);
	block.set(makKey.checkValue(), 36);
	return block;
}

/** MACs of sync messages: AES-CMAC under the terminal's host authentication key. */
export class HostSyncMac implements MacWriter, MacVerifier {
	readonly #hak: Uint8Array;

	constructor(terminal: TerminalEntry) {
		this.#hak = fromHex(terminal.hak ?? TEST_KEYS.HAK, "host HAK");
	}

	mac(bytes: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void {
		out.set(cmac8(this.#hak, bytes.subarray(start, end)), outOffset);
	}

	verify(bytes: Uint8Array, start: number, end: number, macOffset: number): boolean {
		return isMacAt(cmac8(this.#hak, bytes.subarray(start, end)), bytes, macOffset);
	}
}
