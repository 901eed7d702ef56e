/**
 * Sign-on and sign-off as frames. Neither carries a MAC: there is no key yet, or no longer one.
 * @module
 */
import type { Config } from "../config";
import type { Dialect } from "../iso8583/dialect";
import { MessageEncoder } from "../iso8583/encoder";
import type { Expected } from "../iso8583/exchange";

/** 60.1 of both. */
const TYPE = "00";
/** 60.3: keys of double length; end. */
const SIGN_ON = "003";
const SIGN_OFF = "002";
/** Of the two messages: length, TPDU, header, MTI, bitmap 8, DE 11, 41, 42, 60 and 63 take less. */
const FRAME_BYTES = 96;

export class SignOnMessages {
	readonly #encoder: MessageEncoder;
	readonly #config: Config;

	/** @param encoder - see MessageBuilder */
	constructor(dialect: Dialect, config: Config, encoder = new MessageEncoder(dialect, new Uint8Array(FRAME_BYTES))) {
		this.#encoder = encoder;
		this.#config = config;
	}

	/** The frame built last; borrowed until the next one, whoever builds it. */
	get frame(): Uint8Array {
		return this.#encoder.frame;
	}

	/** 0800. @param batch - 0 asks for one. @returns bytes of {@link frame} */
	signOn(stan: number, batch: number): number {
		this.begin("0800", stan, batch, SIGN_ON);
		this.#encoder.ascii(63, `${this.#config.operatorId} `);
		return this.#encoder.finish();
	}

	signOnAnswer(stan: number): Expected {
		return { mti: "0810", stan, messageType: TYPE, networkCode: SIGN_ON, ticket: 0, mac: "none" };
	}

	/** 0820. @returns bytes of {@link frame} */
	signOff(stan: number, batch: number): number {
		this.begin("0820", stan, batch, SIGN_OFF);
		return this.#encoder.finish();
	}

	signOffAnswer(stan: number): Expected {
		return { mti: "0830", stan, messageType: TYPE, networkCode: SIGN_OFF, ticket: 0, mac: "none" };
	}

	private begin(mti: string, stan: number, batch: number, networkCode: string): void {
		const encoder = this.#encoder;
		encoder.begin(mti);
		encoder.number(11, stan);
		encoder.ascii(41, this.#config.terminalId);
		encoder.ascii(42, this.#config.merchantId);
		encoder.digits(60, `${TYPE}${`${batch}`.padStart(6, "0")}${networkCode}`);
	}
}
