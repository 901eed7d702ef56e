/**
 * The people around one terminal's cases: the operator, who is asked what only a person can know, and whoever mends the
 * merchant's account. They act through the terminal's keys and the bank's door alone.
 * @module
 */
import type { Clock } from "../../src/ports";
import type { CaseRecord } from "../../src/settlement/case-records";
import { CaseState } from "../../src/settlement/case-states";
import { Row } from "../../src/settlement/finding";
import type { Acquirer } from "../acquirer/acquirer";
import { PowerLost } from "../board/power";
import type { Station } from "./station";
import type { Story } from "./story";
import type { Strikes } from "./strikes";
import type { OfficePlan } from "./swarm";

export interface OfficePeopleOptions {
	readonly station: Station;
	readonly network: Clock;
	readonly strikes: Strikes;
	readonly story: Story;
	readonly plan: OfficePlan;
	host(): Acquirer | undefined;
	/** The sale was entered twice by mistake: what an honest operator says yes to. */
	isMistake(stan: number): boolean;
	/** The shop has sold it: by what the customer was told, or as it was handed in. */
	isSold(stan: number): boolean;
}

const ANSWER_MS = 20_000;
const SLOW_MS_MAX = 4 * 3_600_000;
/** A question that could not be answered, as the terminal was off or busy. */
const AGAIN_MS = 60_000;
const MEND_AGAIN_MS = 900_000;

export class OfficePeople {
	/** Trace numbers of what the operator has promised to give back; power may have gone inside the call. */
	readonly givenBack = new Set<number>();
	/** Of what they have said to stand, though it was a mistake, or never sold. */
	readonly denied = new Set<number>();
	readonly #o: OfficePeopleOptions;
	#timer = 0;

	constructor(options: OfficePeopleOptions) {
		this.#o = options;
	}

	/** A case has changed, or a boot is over: is there a question? */
	look(): void {
		const { station, strikes, plan } = this.#o;
		if (!plan.operatorAnswers || this.#timer !== 0 || station.shop.terminal.nextQuestion() === 0) return;
		const slow = strikes.strikes("operatorSlow");
		this.#later(slow ? strikes.random("operatorSlow").below(SLOW_MS_MAX) : ANSWER_MS);
	}

	/** The bank has refused a posting of this terminal's merchant: some time later it will not any more. */
	postingRefused(): void {
		const { accountMendedMs } = this.#o.plan;
		if (accountMendedMs !== "never") this.#o.network.setTimer(accountMendedMs, () => this.#mend());
	}

	/** Phase two: who mends accounts looks again and again, as what was refused may be refused only now. */
	heal(): void {
		const { plan, network } = this.#o;
		if (plan.accountMendedMs === "never") return;
		const mend = () => {
			this.#mend();
			network.setTimer(MEND_AGAIN_MS, mend);
		};
		mend();
	}

	#later(ms: number): void {
		this.#timer = this.#o.network.setTimer(ms, () => {
			this.#timer = 0;
			this.#answer();
		});
	}

	#answer(): void {
		const { station, strikes, story, isMistake, isSold } = this.#o;
		const { shop } = station;
		if (!shop.power.on) return; // The next boot asks again.
		const { terminal } = shop;
		const id = terminal.nextQuestion();
		if (id === 0) return;
		if (shop.visit !== undefined) {
			this.#later(AGAIN_MS);
			return;
		}
		const record: CaseRecord = terminal.cases.get(id);
		const { stan, row } = record;
		const shouldBe = row === Row.doubled ? isMistake(stan) : !isSold(stan);
		const yes = shouldBe && !strikes.strikes("operatorSaysNo");
		story.line(station.number, "people", `operator says ${yes ? "yes" : "no"} to case ${id} stan=${stan}`);
		if (yes) this.givenBack.add(stan);
		else if (shouldBe) this.denied.add(stan);
		try {
			terminal.answerCase(id, yes);
		} catch (error) {
			if (!(error instanceof PowerLost)) throw error;
			return;
		}
		if (shop.power.on) this.look();
	}

	#mend(): void {
		const { station, network, story, host } = this.#o;
		const { terminalId, merchantId } = station.config;
		const acquirer = host();
		if (acquirer === undefined) {
			this.#o.network.setTimer(AGAIN_MS, () => this.#mend());
			return;
		}
		if (!waitsForAccount(station)) return;
		story.line(station.number, "people", "the merchant's account is mended");
		acquirer.backOffice.mendAccount({ terminalId, merchantId }, network.now());
		acquirer.officeChanged();
	}
}

/** The merchant has been told: nobody mends what nobody has heard of. */
function waitsForAccount({ shop }: Station): boolean {
	if (!shop.power.on) return false;
	const { cases } = shop.terminal;
	for (let id = cases.nextOpen(0); id !== 0; id = cases.nextOpen(id)) {
		if (cases.state(id) === CaseState.waiting) return true;
	}
	return false;
}
