/**
 * Sales declined one after another with one code: a sign that it is not the cards. What is unusual depends on who speaks:
 * an issuer or a host that is away says so rarely, and all such codes are one; codes about a card come in runs by
 * chance, and one customer may try three times.
 *
 * An approval ends a run, any other code begins a new one. Codes: response-codes.ts; ISO 8583:1987, Table A9.
 * @module
 */
import type { Config } from "../config";
import { responseText } from "../iso8583/response-codes";
import { HOST_AWAY, ISSUER_AWAY } from "../transactions/passing-codes";

/** About the card or its holder: funds, limits, PIN, lost, expired. */
const OF_CARDS: readonly string[] = [
	"04",
	"14",
	"15",
	"38",
	"41",
	"43",
	"51",
	"54",
	"55",
	"57",
	"59",
	"61",
	"62",
	"65",
	"75",
];
/** All codes of a host or issuer that is away count as this one. */
const AWAY = "away";

export class DeclineRun {
	readonly #config: Config;
	#code = "";
	#count = 0;

	constructor(config: Config) {
		this.#config = config;
	}

	/** The host has answered a sale. @param code - DE 39 */
	answered(code: string): void {
		if (responseText(code).class === "approved") {
			this.#count = 0;
			return;
		}
		const kind = isAway(code) ? AWAY : code;
		this.#count = kind === this.#code ? this.#count + 1 : 1;
		this.#code = kind;
	}

	/** The run so far, per cent of what is too much for its code. */
	get percent(): number {
		return Math.floor((this.#count * 100) / this.limit);
	}

	private get limit(): number {
		const { declineRunMax, declineRunSystemMax, declineRunCardMax } = this.#config;
		if (this.#code === AWAY) return declineRunSystemMax;
		return OF_CARDS.includes(this.#code) ? declineRunCardMax : declineRunMax;
	}
}

function isAway(code: string): boolean {
	return ISSUER_AWAY.includes(code) || HOST_AWAY.includes(code);
}
