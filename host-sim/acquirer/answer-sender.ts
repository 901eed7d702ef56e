/**
 * How an answer leaves the host: as it should, or as a fault has it.
 * @module
 */
import { AMOUNT_MINOR_MAX } from "../../src/core/money";
import { type Dialect, LENGTH_BYTES, MAC_BYTES } from "../../src/iso8583/dialect";
import { type MacWriter, MessageEncoder } from "../../src/iso8583/encoder";
import {
	AS_ASKED,
	type OtherFields,
	type SignOnAnswer,
	type SyncAnswer,
	writeAnswer,
	writeSignOnAnswer,
	writeSyncAnswer,
} from "./answers";
import type { HostConnection, SendPace } from "./connection";
import { type FaultSet, NO_FAULTS } from "./faults";
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

	sendSync(connection: HostConnection, echo: EchoFields, answer: SyncAnswer): void {
		connection.send(this.#out, writeSyncAnswer(this.#encoder, echo, answer));
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

/** Of another request: the next number. */
function otherStan(stan: string | undefined): number {
	// Far away: one of the next numbers could be that of a request to come, and the answer to it a lie under a right MAC.
	return ((Number(stan ?? "0") + 500_000) % 999_999) + 1;
}
