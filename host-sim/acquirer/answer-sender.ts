/**
 * How an answer leaves the host: as it should, or as a fault has it.
 * @module
 */
import { AMOUNT_MINOR_MAX } from "../../src/core/money";
import { type Dialect, LENGTH_BYTES, MAC_BYTES } from "../../src/iso8583/dialect";
import { type MacWriter, MessageEncoder } from "../../src/iso8583/encoder";
import { type SignOnAnswer, type SyncAnswer, writeAnswer, writeSignOnAnswer, writeSyncAnswer } from "./answers";
import type { HostConnection, SendPace } from "./connection";
import type { FaultSet } from "./faults";
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
		const { random } = this.#options;
		const { echo, outcome, mac, contactChip } = answer;
		if (faults?.replayedAnswer === true && connection.lastAnswer !== undefined) {
			connection.send(connection.lastAnswer, connection.lastAnswer.length);
			if (random.below(2) === 0) return; // In place of the right one.
		}
		if (faults?.strangerAnswer === true) {
			const other = random.below(2) === 0 ? { stan: otherStan(echo.stan) } : { terminalId: STRANGER_ID };
			const strangerBytes = writeAnswer(this.#encoder, echo, outcome, { mac, contactChip, ...other });
			connection.send(this.#out, strangerBytes);
		}
		const { amountMinor } = answer;
		const wrong = faults?.wrongAmount === true && amountMinor !== undefined;
		const byteLength = writeAnswer(this.#encoder, echo, outcome, {
			mac,
			contactChip,
			...(wrong ? { amountMinor: this.#otherAmount(amountMinor) } : {}),
		});
		if (faults?.badMac === true && mac !== undefined) this.#out[byteLength - MAC_BYTES] ^= 1; // The MAC is the last field.
		if (faults?.answerLost === true) return;
		if (faults?.connectionCut === true) {
			connection.close(`fault connectionCut after ${echo.mti} stan ${echo.stan ?? "?"}`);
			return;
		}
		const bytes = this.#out.slice(0, byteLength);
		connection.lastAnswer = bytes;
		let pace: SendPace | undefined;
		if (faults?.answerSplit === true) pace = { pieceBytes: 1 + random.below(PIECE_BYTES_MAX) };
		if (faults?.slowAnswer === true) pace = SLOW;
		const copies = faults?.answerDoubled === true ? 2 : 1;
		const go = (): void => {
			for (let i = 0; i < copies; i++) connection.send(bytes, byteLength, pace);
		};
		if (faults?.answerLate === true) this.#options.late(go);
		else go();
	}

	sendSignOn(connection: HostConnection, echo: EchoFields, answer: SignOnAnswer): void {
		connection.send(this.#out, writeSignOnAnswer(this.#encoder, echo, answer));
	}

	sendSync(connection: HostConnection, echo: EchoFields, answer: SyncAnswer): void {
		connection.send(this.#out, writeSyncAnswer(this.#encoder, echo, answer));
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
