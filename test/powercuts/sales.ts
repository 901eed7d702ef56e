/**
 * Goal: a small partition sells for years: nothing is lost whatever power does, and nothing gets slower.
 * Method: sales of two records (120 and 32 bytes) on 16 blocks, settled every 50; a few are reversed, and a few are
 * carried over a settlement. Power goes every hundred sales or so. Flash time, erases and bytes are told for every
 * tenth of the way; a last tenth that takes more than the first is a failure.
 */
import { CUT_BEFORE, type Cut, TEAR_SHAPES } from "../../host-sim/board/flash-cut";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import type { Board } from "./board";
import { cutShort, look, type Outcome, outcomeOf } from "./boots";
import { Failure } from "./failure";
import { History, type MakeJournal, type Story } from "./history";
import type { Wishes } from "./options";
import { Session } from "./session";

const BLOCKS = 16;
const BLOCK_BYTES = 4096;
const INTENT_BYTES = 120;
const OUTCOME_BYTES = 32;
const SETTLE_EVERY = 50;
const ROWS = 10;
/** Operations of some 200 sales: power goes somewhere in them. */
const OPERATIONS_MAX = 700;
/** Of the first tenth's cost, in per cent: the cuts fall otherwise in each tenth. */
const SLOWER_MAX = 110;

interface Cost {
	us: number;
	erases: number;
	bytes: number;
}

class Shop {
	readonly history: History;
	readonly #random: SeededRandom;
	readonly #sales: number;
	#sold = 0;
	#settledAt = 0;
	/** Up to each tenth of the way. */
	readonly costs: Cost[] = [];
	#before: Cost = { us: 0, erases: 0, bytes: 0 }; // Of the boots that have ended.

	constructor(seed: number, sales: number, wishes: Wishes, make: MakeJournal, story?: Story) {
		this.#random = new SeededRandom(seed);
		this.#sales = sales;
		const { blocks = BLOCKS, align: writeAlign = 1, mirror } = wishes;
		const geometry = { blocks, blockLength: BLOCK_BYTES, writeAlign, mirror };
		this.history = History.provisioned(geometry, this.#random.fork("history"), make, story);
	}

	sellAll(): void {
		for (let n = 0; this.#sold < this.#sales; n++) {
			const random = this.#random.fork(n);
			look(this.history);
			cutShort(this.history, this.#cut(random), (board) => {
				const session = new Session(this.history, board, random);
				session.mount();
				session.pin();
				try {
					while (this.#sold < this.#sales) this.#sell(session, random);
				} finally {
					this.#before = this.#cost(board);
				}
			});
		}
		look(this.history);
	}

	#cut(random: SeededRandom): Cut {
		const byte = random.chance(1, 5) ? CUT_BEFORE : random.u32();
		return { operation: 1 + random.below(OPERATIONS_MAX), byte, shape: random.below(TEAR_SHAPES) };
	}

	#sell(session: Session, random: SeededRandom): void {
		if (this.#sold - this.#settledAt >= SETTLE_EVERY) {
			session.settle(() => random.chance(1, 50));
			this.#settledAt = this.#sold;
		}
		if (!session.prepare()) throw new Failure("other", "a sale is refused although everything is settled in time");
		const intent = session.put(INTENT_BYTES);
		const outcome = session.put(OUTCOME_BYTES);
		if (random.chance(1, 30)) for (const id of [intent, outcome]) session.end(id);
		session.idle();
		this.#sold++;
		if ((this.#sold * ROWS) % this.#sales < ROWS) this.costs.push(this.#cost(session.board));
	}

	#cost(board: Board): Cost {
		const { us, erases, bytes } = this.#before;
		const cost = { us, erases, bytes };
		for (const flash of board.flashes) {
			cost.us += flash.typicalUs;
			cost.erases += flash.blocksErased;
			cost.bytes += flash.bytesProgrammed;
		}
		return cost;
	}
}

export function runSales(seed: number, sales: number, wishes: Wishes, make: MakeJournal, story?: Story): Outcome {
	const shop = new Shop(seed, sales, wishes, make, story);
	const notes: string[] = [];
	const outcome = outcomeOf(shop.history, () => {
		shop.sellAll();
		const costs = shop.costs.map((cost, n) => difference(cost, shop.costs[n - 1]));
		const each = sales / ROWS;
		for (const [n, cost] of costs.entries()) {
			const seconds = (cost.us / 1e6).toFixed(1);
			const sold = Math.round((n + 1) * each);
			notes.push(`sales to ${sold}: flash time ${seconds} s, ${cost.erases} erases, ${cost.bytes} bytes`);
		}
		const [first, last] = [costs[0], costs[costs.length - 1]];
		if (sales >= ROWS * 1000 && last.us * 100 > first.us * SLOWER_MAX) {
			throw new Failure(
				"other",
				`the last tenth of the sales takes ${last.us} µs of flash time, the first ${first.us}`,
			);
		}
	});
	shop.history.counts.erases = shop.history.erases;
	return { ...outcome, notes };
}

function difference(cost: Cost, before: Cost | undefined): Cost {
	if (before === undefined) return cost;
	return { us: cost.us - before.us, erases: cost.erases - before.erases, bytes: cost.bytes - before.bytes };
}
