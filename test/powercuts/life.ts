/**
 * Goal: nothing that was acknowledged, or that a pinned boot has handed out, is lost, changed or back, and every boot
 * mounts (I7); what is under way can end (I8).
 * Method: one life of a flash, from provisioning through some hundred boots, all drawn from one seed. Each boot is cut
 * where the mode aims; before it others only look, with their own readings of the marginal cells. At the end the power
 * stays: then everything can end, and there is room again.
 */
import { CUT_BEFORE } from "../../host-sim/board/flash-cut";
import { PowerLost } from "../../host-sim/board/power";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import type { Aimer } from "./aims";
import { cutShort, look, type Outcome, outcomeOf } from "./boots";
import { History, type MakeJournal, type Story } from "./history";
import type { Wishes } from "./options";
import { Session } from "./session";
import { drawGeometry, drawLoad, heal, type Load, step } from "./work";

const STEPS_MAX = 200;

/** What one mode's lives have in common. */
export interface LifeKind {
	readonly aimer: () => Aimer;
	/** One ring in so many is full of what is live. */
	readonly crowdedOneIn: number;
}

class Life {
	readonly history: History;
	readonly #load: Load;
	readonly #aimer: Aimer;
	readonly #random: SeededRandom;

	constructor(seed: number, wishes: Wishes, kind: LifeKind, make: MakeJournal, story?: Story) {
		const random = new SeededRandom(seed);
		const geometry = drawGeometry(random, wishes);
		this.#load = drawLoad(random, geometry.blocks, kind.crowdedOneIn);
		this.history = History.provisioned(geometry, random.fork("history"), make, story);
		this.#aimer = kind.aimer();
		this.#random = random.fork("boots");
	}

	run(cuts: number): void {
		const { history } = this;
		for (let n = 0; history.counts.cuts < cuts; n++) this.#boot(this.#random.fork(n));
		heal(history, this.#random.fork("healed"));
	}

	#boot(random: SeededRandom): void {
		const { history } = this;
		const aim = this.#aimer(history, random, (operations) => this.#rehearse(random, operations));
		for (let i = 0; i < aim.looks; i++) look(history);
		cutShort(history, aim.cut, (board) => {
			this.#work(new Session(history, board, random.fork("bytes")), aim.mayLeave, random.fork("steps"));
		});
	}

	#work(session: Session, mayLeave: boolean, random: SeededRandom): void {
		session.mount();
		if (mayLeave && random.chance(1, 4)) return;
		session.pin();
		for (let n = 0; n < STEPS_MAX; n++) step(session, this.#load, random);
		session.compare();
	}

	/** The boot to come, on a copy of everything, cut only after so many operations. @returns numbers of its erases */
	#rehearse(random: SeededRandom, operations: number): number[] {
		const copy = this.history.clone();
		const erases: number[] = [];
		const board = copy.board((what, operation) => {
			if (what === "erase") erases.push(operation);
		});
		board.cut.cutAt(operations, CUT_BEFORE);
		try {
			this.#work(new Session(copy, board, random.fork("bytes")), false, random.fork("steps"));
		} catch (error) {
			// Whatever else fails here, fails in the boot itself as well, and is reported there.
			if (!(error instanceof PowerLost)) return erases;
		}
		return erases;
	}
}

/** One life: from provisioning through `cuts` cuts, and healed. */
export function runLife(
	seed: number,
	cuts: number,
	wishes: Wishes,
	kind: LifeKind,
	make: MakeJournal,
	story?: Story,
): Outcome {
	const life = new Life(seed, wishes, kind, make, story);
	const { history } = life;
	const outcome = outcomeOf(history, () => life.run(cuts));
	history.counts.erases = history.erases;
	return outcome;
}
