/**
 * Sign-on and sign-off: which keys and which batch a terminal gets, and whose a message is.
 *
 * Neither message carries a MAC, so anybody who reaches the host can send one. Nothing that moves money follows from
 * it: keys that were given out replace those in use only when a message under them arrives (host-keys.ts), and a flood
 * draws neither keys nor batch numbers without end (I10).
 * @module
 */
import { fromHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import type { MessageDecoder } from "../../src/iso8583/decoder";
import type { Dialect } from "../../src/iso8583/dialect";
import type { Clock } from "../../src/ports";
import { DukptKeys } from "./dukpt-keys";
import type { SignOnFaultSet } from "./faults";
import { type HostKeyScheme, HostSyncMac, type KeyCheck, SessionKeys } from "./host-keys";
import type { Processor } from "./processor";
import { forkOf, type IntegerSource } from "./random";
import type { TerminalEntry } from "./test-keys";

/** DE 60.3: keys of double length; end. */
const CODE_SIGN_ON = "003";
const CODE_SIGN_OFF = "002";

/**
 * A terminal without a batch that asks again sooner, and has sent nothing verified since, is given the same number: its
 * answer was lost, or somebody floods.
 */
export const NEW_BATCH_MS_MIN = 60_000;

export interface SessionOptions {
	readonly terminals: readonly TerminalEntry[];
	readonly dialect: Dialect;
	readonly clock: Clock;
	readonly random: IntegerSource;
	readonly processor: Processor;
	/** Base derivation key of DUKPT, hex. */
	readonly bdk: string;
	/** Length of the MAK that a sign-on gives out. */
	readonly makBytes: 8 | 16;
	/** Hex; instead of drawn ones: for known answers. */
	readonly workingKeys: { readonly pik: string; readonly mak: string } | undefined;
}

/** Of a sign-on or sign-off. */
export interface SessionAnswer {
	/** DE 39. */
	readonly code: string;
	/** DE 60.2. */
	readonly batch: string;
	/** DE 62, empty where there is none. */
	readonly keys: Uint8Array;
}

const NO_KEYS = new Uint8Array(0);

export class HostSessions {
	readonly #options: SessionOptions;
	readonly #scheme: HostKeyScheme;
	/** Batches given to terminals that have not shown themselves since. */
	readonly #given = new Map<TerminalEntry, { batch: number; atMs: number }>();

	/** @throws {CodedError} "duplicate" terminal id, which is all that tells two apart; and for keys that do not fit the dialect */
	constructor(options: SessionOptions) {
		this.#options = options;
		const { dialect, clock, terminals, makBytes, workingKeys } = options;
		const ids = new Set(terminals.map(({ terminalId }) => terminalId));
		if (ids.size !== terminals.length) throw new CodedError("duplicate", "host terminal id");
		// Where DE 53 is binary it carries a key counter: the dialect of a DUKPT host.
		if (dialect.fields[53]?.format === "b") this.#scheme = new DukptKeys(terminals, options.bdk);
		else {
			this.#scheme = new SessionKeys({
				mac: dialect.mac,
				clock,
				makBytes,
				// A host that comes back draws other keys than before, even when its owner's chance begins anew.
				random: forkOf(options.random, `keys at ${clock.now()}`),
				workingKeys:
					workingKeys === undefined
						? undefined
						: { pik: fromHex(workingKeys.pik, "host PIK"), mak: fromHex(workingKeys.mak, "host MAK") },
			});
		}
	}

	/** The terminal of DE 41, if the host serves it. */
	terminalOf(message: MessageDecoder): TerminalEntry | undefined {
		return this.#options.terminals.find(({ terminalId }) => message.equals(41, terminalId));
	}

	/** Judges the MAC of a message that carries a session's. */
	check(terminal: TerminalEntry, message: MessageDecoder): KeyCheck {
		const result = this.#scheme.check(terminal, message);
		if (result.verdict === "right") this.#given.delete(terminal);
		return result;
	}

	/** The MAC of sync messages. */
	syncMac(terminal: TerminalEntry): HostSyncMac {
		return new HostSyncMac(terminal);
	}

	/** Faults: the keys of a terminal are lost, or changed without telling. */
	spoilKeys(terminal: TerminalEntry, how: "forget" | "change"): void {
		if (how === "forget") this.#scheme.forget(terminal);
		else this.#scheme.change(terminal);
	}

	/** 0800. @throws {CodedError} when the ledgers cannot be written */
	signOn(terminal: TerminalEntry, message: MessageDecoder, faults: SignOnFaultSet, at: number): SessionAnswer {
		const asked = askedFor(message, CODE_SIGN_ON);
		if (typeof asked === "string") return refused(message, asked);
		if (faults.signOnRefused) return refused(message, "96");
		const batch = asked === 0 ? this.#newBatch(terminal, at) : asked;
		if (batch === undefined) return refused(message, "96");
		const keys = this.#scheme.signOn(terminal);
		if (faults.wrongCheckValue && keys.length > 0) keys[this.#options.random.below(2) === 0 ? 16 : 36] ^= 1;
		return { code: "00", batch: `${faults.wrongBatch ? 0 : batch}`.padStart(6, "0"), keys };
	}

	/** 0820: answered 00 whether or not the terminal was signed on. */
	signOff(terminal: TerminalEntry, message: MessageDecoder): SessionAnswer {
		const asked = askedFor(message, CODE_SIGN_OFF);
		if (typeof asked === "string") return refused(message, asked);
		this.#scheme.forget(terminal);
		return { code: "00", batch: message.textAt(60, 2, 6), keys: NO_KEYS };
	}

	/** @returns undefined when there are no more */
	#newBatch(terminal: TerminalEntry, at: number): number | undefined {
		const nowMs = this.#options.clock.monotonic();
		const given = this.#given.get(terminal);
		if (given !== undefined && nowMs - given.atMs < NEW_BATCH_MS_MIN) return given.batch;
		const batch = this.#options.processor.newBatch(terminal, at);
		if (batch !== undefined) this.#given.set(terminal, { batch, atMs: nowMs });
		return batch;
	}
}

/** 60.2 of a message with that 60.3, or DE 39 for one that lacks something. */
function askedFor(message: MessageDecoder, networkCode: string): number | string {
	if (!message.has(11) || !message.has(60) || message.count(60) < 11) return "30";
	if (!message.equalsAt(60, 0, "00")) return "30";
	return message.equalsAt(60, 8, networkCode) ? message.numberAt(60, 2, 6) : "40";
}

function refused(message: MessageDecoder, code: string): SessionAnswer {
	const batch = message.has(60) && message.count(60) >= 8 ? message.textAt(60, 2, 6) : "000000";
	return { code, batch, keys: NO_KEYS };
}
