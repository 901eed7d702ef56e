/**
 * Goal: with two copies the loss of any block of either one, or of one copy as a whole, loses nothing (S13).
 * Method: lives as in life.ts, in which blocks are destroyed while working and between boots, with power cuts in
 * between. The same block of the other copy is not touched before the journal had the chance to mend; that it did is
 * seen by reading each copy alone. A whole copy is destroyed only when everything stands on both.
 */
import { SHAPE_KINDS } from "../../host-sim/board/flash-cut";
import { DAMAGE_KINDS, destroyBlock } from "../../host-sim/board/flash-damage";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { CodedError } from "../../src/core/errors";
import { aimAnywhere } from "./aims";
import { cutShort, look, type Outcome, outcomeOf } from "./boots";
import { Client } from "./client";
import { Failure } from "./failure";
import { History, type MakeJournal, type Story } from "./history";
import type { Wishes } from "./options";
import { Session } from "./session";
import { drawGeometry, drawLoad, heal, type Load, step } from "./work";

/** Either copy may have lost everything that was on it. */
const ANSWERS: readonly string[] = ["ok", "rebuilt"];
const CROWDED_ONE_IN = 5;
const STEPS_MAX = 60;
/** A block is erased and programmed page by page, between two records on both copies. */
const MEND_OPERATIONS = 12;
/** Readings of a copy, each with its own mood of marginal cells. */
const READINGS = 3;
const IDLE_MAX = 5_000;
/** With fewer free blocks than this nothing is mended (the journal's rule 11): there may be no room for long. */
const FREE_TO_MEND = 5;

class Wreck {
	readonly history: History;
	readonly #load: Load;
	readonly #random: SeededRandom;
	readonly #aimer = aimAnywhere();
	/** Block → copy: destroyed, and perhaps not mended yet. */
	readonly #wounds = new Map<number, number>();

	constructor(seed: number, wishes: Wishes, make: MakeJournal, story?: Story) {
		const random = new SeededRandom(seed);
		const geometry = drawGeometry(random, { ...wishes, mirror: true });
		// A ring that is full and has lost a copy has little room to carry things in.
		this.#load = { ...drawLoad(random, geometry.blocks, CROWDED_ONE_IN), keptEighths: 1 };
		this.history = History.provisioned(geometry, random.fork("history"), make, story);
		this.history.damaged = true;
		this.#random = random.fork("boots");
	}

	run(destroyed: number): void {
		const { counts } = this.history;
		for (let n = 0; counts.destroyed < destroyed; n++) this.#boot(this.#random.fork(n));
		heal(this.history, this.#random.fork("healed"), ANSWERS);
	}

	#boot(random: SeededRandom): void {
		const { history } = this;
		let expected = ANSWERS;
		if (this.#wounds.size === 0 && random.chance(1, 8)) {
			this.#destroyCopy(random);
			expected = ["rebuilt"];
		} else if (random.chance(1, 2)) this.#destroyBlock(random);
		look(history, expected);
		const { cut } = this.#aimer(history, random, () => []);
		// Half of the boots run until they are switched off.
		const operation = random.chance(1, 2) ? cut.operation : 0xffff_ffff;
		cutShort(history, { ...cut, operation }, (board) => {
			const session = new Session(history, board, random.fork("bytes"));
			session.mount(expected);
			session.pin();
			for (let n = random.below(STEPS_MAX); n > 0; n--) {
				if (random.chance(1, 20)) this.#destroyBlock(random);
				else if (random.chance(1, 400) && this.#wounds.size === 0) this.#destroyCopy(random);
				try {
					step(session, this.#load, random);
				} catch (error) {
					// A record that may stand there or not, and no room to repeat it: the terminal restarts, as without power.
					if (!(error instanceof CodedError) || error.code !== "flash") throw error;
					history.story?.(`  RESTARTS: ${error.message}`);
					return;
				}
			}
			session.compare();
			if (!random.chance(2, 3)) return;
			// Half of the time power goes while the journal mends, if it has to.
			if (random.chance(1, 2)) {
				const { operations } = board.cut;
				// All cells marginal: what was half mended may read as whole, until it matters.
				const shape = 2 * SHAPE_KINDS + random.below(SHAPE_KINDS);
				board.cut.cutAt(operations + 1 + random.below(MEND_OPERATIONS), random.u32(), shape);
			}
			this.#mend(session);
		});
	}

	#destroyBlock(random: SeededRandom): void {
		const { history } = this;
		const { media, counts } = history;
		const copy = random.below(2);
		const block = random.below(history.geometry.blocks);
		const kind = random.pick(DAMAGE_KINDS);
		const wounded = this.#wounds.get(block);
		if (wounded !== undefined && wounded !== copy) return;
		history.story?.(`  DESTROYED: block ${block} of copy ${copy}, ${kind}`);
		destroyBlock(media[copy], block, kind, random);
		this.#wounds.set(block, copy);
		counts.destroyed++;
	}

	#destroyCopy(random: SeededRandom): void {
		const { history } = this;
		const { media, counts } = history;
		const copy = random.below(2);
		const kind = random.pick(["noise", "zeros", "ones"] as const);
		history.story?.(`  DESTROYED: copy ${copy}, ${kind}`);
		for (let block = 0; block < history.geometry.blocks; block++) {
			destroyBlock(media[copy], block, kind, random);
			this.#wounds.set(block, copy);
		}
		counts.destroyed++;
	}

	/** The journal has nothing else to do until it has nothing to mend; then each copy alone holds everything. */
	#mend(session: Session): void {
		const { journal } = session;
		// Once more than the log is long: then every block has been looked at.
		let quiet = 0;
		for (let n = 0; quiet <= journal.logBlocks + 1; n++) {
			quiet = journal.idle() ? 0 : quiet + 1;
			if (n === IDLE_MAX) throw new Failure("other", `idle has something to mend after ${IDLE_MAX} calls`);
		}
		this.history.counts.mended += journal.mendedBlocks;
		this.history.story?.(`  idle until quiet, ${journal.mendedBlocks} blocks mended, ${journal.freeBlocks} free`);
		session.compare();
		if (journal.freeBlocks < FREE_TO_MEND) return;
		for (const copy of [0, 1]) for (let n = 0; n < READINGS; n++) this.#checkAlone(copy);
		this.#wounds.clear();
	}

	#checkAlone(copy: number): void {
		const { history } = this;
		const client = new Client();
		const [partition] = history.boardOf(copy).partitions;
		const journal = history.make(partition, client);
		const { status, lostBlocks, damagedRecords } = journal.mount();
		const sound = status === "ok" && lostBlocks === 0 && damagedRecords === 0;
		if (!sound)
			throw new Failure("lost", `copy ${copy} alone: ${status}, ${lostBlocks} blocks lost, ${damagedRecords} damaged`);
		history.model.compare(journal, client, true);
	}
}

/** @param destroyed - blocks, or whole copies, that are destroyed */
export function runDestroy(seed: number, destroyed: number, wishes: Wishes, make: MakeJournal, story?: Story): Outcome {
	const wreck = new Wreck(seed, wishes, make, story);
	const { history } = wreck;
	const outcome = outcomeOf(history, () => wreck.run(destroyed));
	history.counts.erases = history.erases;
	return outcome;
}
