/**
 * The messages of this folder as frames: sale, reversal, advices. Fields as the dialect's message table has them; the
 * queue stores facts, never a MAC: it is computed at each sending, under the keys of the exchange (its ticket).
 * @module
 */
import { type Config, LOCAL_OFFSET_MS } from "../config";
import { assert } from "../core/assert";
import type { MessageDecoder } from "../iso8583/decoder";
import { type Dialect, LENGTH_BYTES } from "../iso8583/dialect";
import { MessageEncoder } from "../iso8583/encoder";
import type { Expected } from "../iso8583/exchange";
import type { CardData, EntryMode } from "../ports";
import type { StoredCard } from "../security/card-seal";
import type { KeyScheme } from "../security/key-scheme";
import { type AdviceFacts, type Intent, KIND_OFFLINE_SALE, KIND_REFUND, KIND_RESEND, type Outcome } from "./records";

const SALE_CODE = "000000";
const REFUND_CODE = "200000";
const SALE_TYPE = "22";
/** DE 60.1 of an advice. */
const ADVICE_TYPES: Readonly<Record<number, string>> = {
	[KIND_OFFLINE_SALE]: "36",
	[KIND_REFUND]: "25",
	[KIND_RESEND]: "30",
};
/** DE 63 of a refund: no scheme of its own. */
const REFUND_SCHEME = "000";

/** First two digits of DE 22. Source: ISO 8583:1987, DE 22. */
const ENTRY_DIGITS: Readonly<Record<EntryMode, string>> = { chip: "05", magstripe: "02", contactless: "07" };

/** DE 22: how the card was read, and 1 with a PIN, 2 without. */
export function entryModeDigits(entryMode: EntryMode, withPin: boolean): string {
	return `${ENTRY_DIGITS[entryMode]}${withPin ? "1" : "2"}`;
}

/** DE 60.3 to 60.5: 000, reader capability (6 chip, 5 stripe), chip condition 0. */
export function field60Rest(entryMode: EntryMode): string {
	return entryMode === "magstripe" ? "00050" : "00060";
}

/** An encoder for every message of the dialect. */
export function longestEncoder(dialect: Dialect): MessageEncoder {
	return new MessageEncoder(dialect, new Uint8Array(LENGTH_BYTES + dialect.frameBytesMax));
}

export class MessageBuilder {
	readonly #encoder: MessageEncoder;
	readonly #config: Config;
	readonly #scheme: KeyScheme;

	/** @param encoder - shared with whoever builds and sends in one turn, as is done here; default: its own */
	constructor(dialect: Dialect, config: Config, scheme: KeyScheme, encoder = longestEncoder(dialect)) {
		this.#encoder = encoder;
		this.#config = config;
		this.#scheme = scheme;
	}

	/** The frame built last; borrowed until the next one, whoever builds it. */
	get frame(): Uint8Array {
		return this.#encoder.frame;
	}

	/**
	 * 0200, 60.1 = 22.
	 * @param ticket - its keys, under which the PIN block was made
	 * @param pinBlock - enciphered, when a PIN was entered
	 * @returns bytes of {@link frame}
	 * @throws {CodedError} for card data that does not fit its field, with the field
	 */
	sale(intent: Intent, card: CardData, ticket: number, pinBlock: Uint8Array | undefined): number {
		const encoder = this.#encoder;
		this.begin("0200", intent, card.pan, SALE_CODE, ticket);
		this.cardAndEntry(intent, card);
		if (pinBlock !== undefined) encoder.digits(26, "06");
		if (card.track2 !== undefined) encoder.digits(35, card.track2);
		this.parties();
		if (pinBlock !== undefined) encoder.bytes(52, pinBlock, 0, this.#scheme.pinBlockBytes);
		this.securityControl(pinBlock !== undefined);
		if (card.emv !== undefined) encoder.bytes(55, card.emv);
		encoder.digits(60, field60(SALE_TYPE, intent));
		return encoder.finishWithMac(this.#scheme);
	}

	/** 0400 of a sale, DE 11 being the original STAN. @returns bytes of {@link frame} */
	reversal(intent: Intent, card: StoredCard, outcome: Outcome | undefined, reason: string, ticket: number): number {
		const encoder = this.#encoder;
		this.begin("0400", intent, card.pan, SALE_CODE, ticket);
		this.cardAndEntry(intent, card);
		if (outcome !== undefined && outcome.authorization.length === 6) encoder.ascii(38, outcome.authorization);
		encoder.ascii(39, reason);
		this.parties();
		this.securityControl(false);
		encoder.digits(60, field60(SALE_TYPE, intent));
		return encoder.finishWithMac(this.#scheme);
	}

	/**
	 * 0220: an offline sale, a refund or the resend of an approved sale. Built from what flash holds only, so that a repeat
	 * is the identical message.
	 * @returns bytes of {@link frame}
	 * @throws {CodedError} for data that does not fit its field, with the field
	 */
	advice(intent: Intent, facts: AdviceFacts, card: StoredCard, emv: Uint8Array | undefined, ticket: number): number {
		const encoder = this.#encoder;
		const { kind } = intent;
		const refund = kind === KIND_REFUND;
		this.begin("0220", intent, card.pan, adviceCode(kind), ticket);
		if (refund) this.cardAndEntry(intent, card);
		else {
			// The message has the time of the sale in place of the card's expiry and sequence number.
			const time = terminalTime(intent.timeS * 1000);
			encoder.digits(12, time.slice(6));
			encoder.digits(13, time.slice(2, 6));
			encoder.digits(22, intent.entryMode);
			encoder.digits(25, intent.condition);
		}
		if (kind !== KIND_OFFLINE_SALE) {
			encoder.ascii(37, facts.rrn);
			if (facts.authorization.length === 6) encoder.ascii(38, facts.authorization);
		}
		this.parties();
		this.securityControl(false);
		if (emv !== undefined) encoder.bytes(55, emv);
		encoder.digits(60, field60(adviceType(kind), intent));
		if (kind !== KIND_OFFLINE_SALE) {
			const { originalBatch, originalStan, originalDate } = facts;
			encoder.digits(61, `${sixDigits(originalBatch)}${sixDigits(originalStan)}${originalDate}`);
		}
		if (refund) encoder.ascii(63, REFUND_SCHEME);
		return encoder.finishWithMac(this.#scheme);
	}

	saleAnswer(intent: Intent, ticket: number): Expected {
		return answer("0210", intent, SALE_CODE, SALE_TYPE, ticket);
	}

	reversalAnswer(intent: Intent, ticket: number): Expected {
		return answer("0410", intent, SALE_CODE, SALE_TYPE, ticket);
	}

	adviceAnswer(intent: Intent, ticket: number): Expected {
		return answer("0230", intent, adviceCode(intent.kind), adviceType(intent.kind), ticket);
	}

	/** DE 2 to 11, and from here on the keys of the exchange. */
	private begin(mti: string, intent: Intent, pan: string, processingCode: string, ticket: number): void {
		const there = this.#scheme.use(ticket);
		assert(there, "an exchange has its keys until it ends");
		const encoder = this.#encoder;
		encoder.begin(mti);
		encoder.digits(2, pan);
		encoder.digits(3, processingCode);
		encoder.number(4, intent.amountMinor);
		encoder.number(11, intent.stan);
	}

	/** What a request and its reversal have in common, DE 14 to 25. */
	private cardAndEntry(intent: Intent, card: StoredCard): void {
		const encoder = this.#encoder;
		encoder.digits(14, card.expiry);
		encoder.digits(22, intent.entryMode);
		if (card.sequence !== undefined) encoder.digits(23, card.sequence);
		encoder.digits(25, intent.condition);
	}

	private parties(): void {
		this.#encoder.ascii(41, this.#config.terminalId);
		this.#encoder.ascii(42, this.#config.merchantId);
		this.#encoder.ascii(49, this.#config.currency);
	}

	/** DE 53, where the scheme has something to say. */
	private securityControl(withPin: boolean): void {
		const control = this.#scheme.securityControl(withPin);
		if (typeof control === "string") this.#encoder.digits(53, control);
		else if (control !== undefined) this.#encoder.bytes(53, control);
	}
}

function adviceCode(kind: number): string {
	return kind === KIND_REFUND ? REFUND_CODE : SALE_CODE;
}

function adviceType(kind: number): string {
	const type = ADVICE_TYPES[kind];
	assert(type !== undefined, "an advice has a kind of its own");
	return type;
}

function answer(mti: string, intent: Intent, processingCode: string, messageType: string, ticket: number): Expected {
	const { amountMinor, stan, batch } = intent;
	return { mti, processingCode, amountMinor, stan, messageType, batch, ticket, mac: "session" };
}

function field60(messageType: string, intent: Intent): string {
	return `${messageType}${sixDigits(intent.batch)}${intent.field60Rest}`;
}

function sixDigits(value: number): string {
	return `${value}`.padStart(6, "0");
}

/** YYMMDDhhmmss, local. */
export function terminalTime(nowMs: number): string {
	const local = new Date(nowMs + LOCAL_OFFSET_MS);
	const two = (value: number) => `${value % 100}`.padStart(2, "0");
	return (
		two(local.getUTCFullYear()) +
		two(local.getUTCMonth() + 1) +
		two(local.getUTCDate()) +
		two(local.getUTCHours()) +
		two(local.getUTCMinutes()) +
		two(local.getUTCSeconds())
	);
}

/** What an answer says, as the outcome record keeps it. */
export function readOutcome(answer: MessageDecoder): Outcome {
	const time = answer.has(12) ? answer.text(12) : "000000";
	const date = answer.has(13) ? answer.text(13) : "0000";
	return {
		code: answer.has(39) ? answer.text(39) : "",
		rrn: answer.has(37) ? answer.text(37) : "",
		authorization: answer.has(38) ? answer.text(38) : "",
		hostTime: `${time}${date}`,
	};
}

/** A late or doubled answer to a sale, told apart from others. */
export function isSaleAnswer(message: MessageDecoder): boolean {
	return message.mti === "0210" && isAboutSale(message);
}

/** The same to the reversal of a sale. */
export function isReversalAnswer(message: MessageDecoder): boolean {
	return message.mti === "0410" && isAboutSale(message);
}

/** A reversal carries both as its original does. */
function isAboutSale(message: MessageDecoder): boolean {
	if (!message.equals(3, SALE_CODE) || !message.has(11)) return false;
	return message.has(60) && message.count(60) >= 8 && message.equalsAt(60, 0, SALE_TYPE);
}
