/**
 * How an answer leaves the host: as it should, or as a fault has it.
 * @module
 */
import { AMOUNT_MINOR_MAX } from "../../src/core/money";
import { type Dialect, LENGTH_BYTES, MAC_BYTES } from "../../src/iso8583/dialect";
import { type MacWriter, MessageEncoder } from "../../src/iso8583/encoder";
import {
	AS_ASKED,
	type BatchAnswer,
	type OtherFields,
	type SignOnAnswer,
	type SyncAnswer,
	writeAnswer,
	writeBatchAnswer,
	writeSignOnAnswer,
	writeSyncAnswer,
} from "./answers";
import type { HostConnection, SendPace } from "./connection";
import { type FaultSet, NO_FAULTS, type SettlementFaultSet, type SyncFaultSet } from "./faults";
import type { Outcome } from "./outcome";
import type { IntegerSource } from "./random";
import type { EchoFields } from "./requests";

export interface Answer {
	readonly echo: EchoFields;
	readonly outcome: Outcome;
	/** Undefined: the answer goes without a MAC. */
	readonly mac: MacWriter | undefined;
	/** An approval carries issuer data for the chip. */
	readonly contactChip: boolean;
	/** Set when the request was carried out: an amount that a fault can falsify. */
	readonly amountMinor?: number;
}

const PIECE_BYTES_MAX = 7;
const GARBLED_BYTES_MAX = 8;
/** Of DE 62 of a sync message: its beginning. */
const NONCE_BYTES = 8;
/** Of DE 48 of a settlement: domestic, then foreign; the result is the last digit. */
const SIDE_DIGITS = 31;
const SLOW: SendPace = { pieceBytes: 1, gapMs: 1000 };
/** Another terminal, which the host does not serve. */
const STRANGER_ID = "87654321";

export interface AnswerSenderOptions {
	readonly dialect: Dialect;
	readonly random: IntegerSource;
	/** Calls back after the terminal has given up. */
	late(callback: () => void): void;
}

export class AnswerSender {
	readonly #options: AnswerSenderOptions;
	readonly #out: Uint8Array;
	readonly #encoder: MessageEncoder;

	constructor(options: AnswerSenderOptions) {
		const { dialect } = options;
		this.#options = options;
		this.#out = new Uint8Array(LENGTH_BYTES + dialect.frameBytesMax);
		this.#encoder = new MessageEncoder(dialect, this.#out);
	}

	/** @param faults - undefined for what moves no money */
	send(connection: HostConnection, answer: Answer, faults: FaultSet | undefined): void {
		const out = this.#out;
		if (faults === undefined || faults === NO_FAULTS) {
			const byteLength = this.#write(answer, AS_ASKED);
			connection.keep(out, byteLength);
			connection.send(out, byteLength);
			return;
		}
		const { random } = this.#options;
		const { echo, mac, amountMinor } = answer;
		if (faults.replayedAnswer && connection.replay() && random.below(2) === 0) return; // In place of the right one.
		if (faults.strangerAnswer) {
			const other = random.below(2) === 0 ? { stan: otherStan(echo.stan) } : { terminalId: STRANGER_ID };
			connection.send(out, this.#write(answer, other));
		}
		const wrong = faults.wrongAmount && amountMinor !== undefined;
		const byteLength = this.#write(answer, wrong ? { amountMinor: this.#otherAmount(amountMinor) } : AS_ASKED);
		if (faults.badMac && mac !== undefined) out[byteLength - MAC_BYTES] ^= 1; // The MAC is the last field.
		if (faults.answerLost) return;
		if (faults.connectionCut) {
			connection.close(`fault connectionCut after ${echo.mti} stan ${echo.stan ?? "?"}`);
			return;
		}
		if (faults.hostHalfOpen) {
			connection.leaveHalfOpen();
			return;
		}
		connection.keep(out, byteLength);
		if (faults.answerGarbled) this.#garble(byteLength);
		let pace: SendPace | undefined;
		if (faults.answerSplit) pace = { pieceBytes: 1 + random.below(PIECE_BYTES_MAX) };
		if (faults.slowAnswer) pace = SLOW;
		const copies = faults.answerDoubled ? 2 : 1;
		const bytes = out.slice(0, byteLength);
		const go = (): void => {
			for (let i = 0; i < copies; i++) connection.send(bytes, byteLength, pace);
		};
		const leave = faults.answerReordered ? (): void => connection.hold(go) : go;
		if (faults.answerLate) this.#options.late(leave);
		else leave();
	}

	sendSignOn(connection: HostConnection, echo: EchoFields, answer: SignOnAnswer): void {
		connection.send(this.#out, writeSignOnAnswer(this.#encoder, echo, answer));
	}

	/** Of a sync message. @param faults - undefined for what was not carried out */
	sendSync(connection: HostConnection, echo: EchoFields, answer: SyncAnswer, faults?: SyncFaultSet): void {
		if (faults?.syncStranger === true) {
			const { stray, data } = this.#straySync(echo, answer.data);
			connection.send(this.#out, writeSyncAnswer(this.#encoder, stray, { ...answer, data }));
			if (this.#options.random.below(2) === 0) return; // In place of the right one.
		}
		const byteLength = writeSyncAnswer(this.#encoder, echo, answer);
		if (faults?.syncBadMac === true && answer.mac !== undefined) this.#out[byteLength - MAC_BYTES] ^= 1; // The MAC is the last field.
		if (faults?.syncReordered !== true) connection.send(this.#out, byteLength);
		else {
			const bytes = this.#out.slice(0, byteLength);
			connection.hold(() => connection.send(bytes, byteLength));
		}
	}

	/** Of a settlement or an upload. @param asked - DE 48 of the request, digits; empty where there is none */
	sendBatch(
		connection: HostConnection,
		echo: EchoFields,
		answer: BatchAnswer,
		asked: string,
		faults: SettlementFaultSet,
	): void {
		const { random } = this.#options;
		if (faults.settlementOtherBatch || faults.settlementStranger) {
			const stray = faults.settlementOtherBatch ? ofOtherBatch(echo) : this.#stray(echo);
			// The worst it can say.
			const totals = answer.totals === "" ? "" : balanced(asked);
			connection.send(this.#out, writeBatchAnswer(this.#encoder, stray, { ...answer, totals }));
			if (random.below(2) === 0) return; // In place of the right one.
		}
		connection.send(this.#out, writeBatchAnswer(this.#encoder, echo, answer));
	}

	/** For another terminal, or another trace number. */
	#stray(echo: EchoFields): EchoFields {
		if (this.#options.random.below(2) === 0) return { ...echo, terminalId: STRANGER_ID };
		return { ...echo, stan: `${otherStan(echo.stan)}`.padStart(6, "0") };
	}

	/** The same, or with the nonce of another request. */
	#straySync(echo: EchoFields, data: Uint8Array): { stray: EchoFields; data: Uint8Array } {
		const { random } = this.#options;
		if (data.length === 0 || random.below(2) === 0) return { stray: this.#stray(echo), data };
		const other = data.slice();
		other[random.below(NONCE_BYTES)] ^= 1 + random.below(255);
		return { stray: echo, data: other };
	}

	/** @returns bytes in `out` */
	#write({ echo, outcome, mac, contactChip }: Answer, other: OtherFields): number {
		return writeAnswer(this.#encoder, echo, outcome, mac, contactChip, other);
	}

	/** Some bytes of the answer in `out` are others than they were; the length before it may be one of them. */
	#garble(byteLength: number): void {
		const { random } = this.#options;
		const first = random.below(byteLength);
		this.#out[first] ^= 1 + random.below(255);
		for (let more = random.below(GARBLED_BYTES_MAX); more > 0; more--) {
			const at = random.below(byteLength);
			if (at !== first) this.#out[at] ^= 1 + random.below(255);
		}
	}

	#otherAmount(amountMinor: number): number {
		const other = amountMinor + 1 + this.#options.random.below(100);
		return other <= AMOUNT_MINOR_MAX ? other : amountMinor - 1;
	}
}

/** DE 48 with both results as if all were well. */
function balanced(totals: string): string {
	return `${totals.slice(0, SIDE_DIGITS - 1)}1${totals.slice(SIDE_DIGITS, -1)}1`;
}

/** The same answer for the next batch. */
function ofOtherBatch(echo: EchoFields): EchoFields {
	const private60 = echo.private60 ?? "";
	const batch = (Number(private60.slice(2, 8)) % 999_999) + 1;
	return { ...echo, private60: private60.slice(0, 2) + `${batch}`.padStart(6, "0") + private60.slice(8) };
}

/** Of another request. */
function otherStan(stan: string | undefined): number {
	// Far away: one of the next numbers could be that of a request to come, and the answer to it a lie under a right MAC.
	return ((Number(stan ?? "0") + 500_000) % 999_999) + 1;
}
