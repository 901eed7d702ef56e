/**
 * The messages of this folder as frames: sale and reversal. Fields as the dialect's message table has them; the queue
 * stores facts, never a MAC: it is computed at each sending.
 * @module
 */
import type { Config } from "../config";
import type { MessageDecoder } from "../iso8583/decoder";
import { type Dialect, LENGTH_BYTES } from "../iso8583/dialect";
import { MessageEncoder } from "../iso8583/encoder";
import type { Expected } from "../iso8583/exchange";
import type { CardData, EntryMode } from "../ports";
import type { StoredCard } from "../security/card-seal";
import type { KeyScheme } from "../security/key-scheme";
import type { Intent, Outcome } from "./records";

const SALE_CODE = "000000";
const SALE_TYPE = "22";

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

export class MessageBuilder {
	/** The frame built last; borrowed until the next one. */
	readonly frame: Uint8Array;
	readonly #encoder: MessageEncoder;
	readonly #config: Config;
	readonly #scheme: KeyScheme;

	constructor(dialect: Dialect, config: Config, scheme: KeyScheme) {
		this.frame = new Uint8Array(LENGTH_BYTES + dialect.frameBytesMax);
		this.#encoder = new MessageEncoder(dialect, this.frame);
		this.#config = config;
		this.#scheme = scheme;
	}

	/**
	 * 0200, 60.1 = 22.
	 * @param pinBlock - 8 enciphered bytes, when a PIN was entered
	 * @returns bytes of {@link frame}
	 * @throws {CodedError} for card data that does not fit its field, with the field
	 */
	sale(intent: Intent, card: CardData, pinBlock: Uint8Array | undefined): number {
		const encoder = this.#encoder;
		this.#begin("0200", intent, card);
		if (pinBlock !== undefined) encoder.digits(26, "06");
		if (card.track2 !== undefined) encoder.digits(35, card.track2);
		this.#parties();
		if (pinBlock !== undefined) {
			encoder.bytes(52, pinBlock, 0, 8);
			encoder.digits(53, "2600000000000000"); // PIN block format, double-length key.
		}
		if (card.emv !== undefined) encoder.bytes(55, card.emv);
		encoder.digits(60, this.#field60(intent));
		return encoder.finishWithMac(this.#scheme);
	}

	/** 0400 of a sale, DE 11 being the original STAN. @returns bytes of {@link frame} */
	reversal(intent: Intent, card: StoredCard, outcome: Outcome | undefined, reason: string): number {
		const encoder = this.#encoder;
		this.#begin("0400", intent, card);
		if (outcome !== undefined && outcome.authorization.length === 6) encoder.ascii(38, outcome.authorization);
		encoder.ascii(39, reason);
		this.#parties();
		encoder.digits(60, this.#field60(intent));
		return encoder.finishWithMac(this.#scheme);
	}

	saleAnswer(intent: Intent): Expected {
		return this.#answer("0210", intent);
	}

	reversalAnswer(intent: Intent): Expected {
		return this.#answer("0410", intent);
	}

	#answer(mti: string, intent: Intent): Expected {
		const { amountMinor, stan, batch } = intent;
		return { mti, processingCode: SALE_CODE, amountMinor, stan, messageType: SALE_TYPE, batch };
	}

	/** What a request and its reversal have in common, DE 2 to 25. */
	#begin(mti: string, intent: Intent, card: StoredCard): void {
		const encoder = this.#encoder;
		encoder.begin(mti);
		encoder.digits(2, card.pan);
		encoder.digits(3, SALE_CODE);
		encoder.number(4, intent.amountMinor);
		encoder.number(11, intent.stan);
		encoder.digits(14, card.expiry);
		encoder.digits(22, intent.entryMode);
		if (card.sequence !== undefined) encoder.digits(23, card.sequence);
		encoder.digits(25, intent.condition);
	}

	#parties(): void {
		this.#encoder.ascii(41, this.#config.terminalId);
		this.#encoder.ascii(42, this.#config.merchantId);
		this.#encoder.ascii(49, this.#config.currency);
	}

	#field60(intent: Intent): string {
		return `${SALE_TYPE}${`${intent.batch}`.padStart(6, "0")}${intent.field60Rest}`;
	}
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
	const sale = message.mti === "0210" && message.equals(3, SALE_CODE) && message.has(11);
	return sale && message.has(60) && message.count(60) >= 8 && message.equalsAt(60, 0, SALE_TYPE);
}
