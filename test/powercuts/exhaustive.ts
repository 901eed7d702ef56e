/**
 * Goal: no operation of the journal, and none of the recovery from its interruption, is a bad moment for power to go.
 * Method: a short day in a small ring, which goes round it: boots, opens blocks, erases ahead, reclaims by copying and
 * settles. It is cut before, within (three bytes, all shapes) and after every operation. Each result is compared, and
 * so is each result of cutting its first boot before, within and after each of its own first operations. Then the work
 * goes on from there, and is compared again.
 */
import { CUT_AFTER, CUT_BEFORE, type Cut, FlashCut, parseCut, TEAR_SHAPES } from "../../host-sim/board/flash-cut";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { cutShort, look, type Outcome, outcomeOf, storyBoard } from "./boots";
import { History, type MakeJournal, type Story } from "./history";
import type { Wishes } from "./options";
import { Session } from "./session";

/** Bytes live before the day begins, in things of this many bytes: a light day settles, a crowded one copies. */
export const DAYS = { light: { things: 3, bytes: 120 }, crowded: { things: 7, bytes: 200 } } as const;
export type DayName = keyof typeof DAYS;

const BLOCKS = 8;
const BLOCK_BYTES = 1024;
/** The first operations of a boot that are cut: pinning, making room, a record. */
const RECOVERY_OPERATIONS = 8;
/** Torn results that are tried of each operation of a boot that recovers. */
const RECOVERY_SHAPES = 3;
/** An operation that no day comes to. */
const UNCUT: Cut = { operation: CUT_AFTER, byte: CUT_BEFORE, shape: 0 };

/** The flash on the evening before: everything that can differ between two days has settled down. */
function evening(day: DayName, wishes: Wishes, make: MakeJournal): History {
	const { blocks = BLOCKS, align: writeAlign = 1, mirror } = wishes;
	const random = new SeededRandom(1).fork(day);
	const history = History.provisioned({ blocks, blockLength: BLOCK_BYTES, writeAlign, mirror }, random, make);
	const session = new Session(history, history.board(), random.fork("evening"));
	session.mount();
	session.pin();
	const { things, bytes } = DAYS[day];
	for (let n = 0; n < things; n++) {
		session.prepare();
		session.put(bytes);
	}
	// Once round the ring, so that no block is as provisioning left it.
	while (history.media[0].erases.some((count) => count < 2)) {
		session.prepare();
		session.end(session.put(150));
	}
	session.compare();
	return history;
}

/** What is cut. Ends with a block more than the ring has been opened. */
function goThroughDay(day: DayName, session: Session): void {
	const { live } = session.client;
	const { things, bytes } = DAYS[day];
	const oldest = () => [...live.keys()][0];
	session.mount();
	session.pin();
	for (let n = 0; n < 24; n++) {
		// What is full refuses, and goes on when something has ended.
		if (session.prepare()) session.put(bytes + 9 * (n % 5), n % 6 === 5 ? oldest() : undefined);
		else session.end(oldest());
		if (live.size > things) session.end(oldest());
		if (n % 8 === 4) session.idle();
		if (n === (day === "light" ? 12 : 20)) session.settle((id) => id % 2 === 0);
	}
	session.compare();
}

/** A boot that recovers and goes to work: what is cut the second time. */
function recover(session: Session): void {
	session.mount();
	session.pin();
	if (session.prepare()) session.put(90);
	session.idle();
}

/** The next boots read, one goes by what it reads, the work goes on, and everything is there. */
function follow(history: History): void {
	look(history);
	history.story?.(`boot ${history.counts.boots + 1}: the power stays`);
	const session = new Session(history, storyBoard(history), history.random.fork("after"));
	session.mount();
	session.pin();
	look(history);
	for (const id of [...session.client.live.keys()].slice(0, 2)) session.end(id);
	for (let n = 0; n < 3; n++) if (session.prepare()) session.put(130);
	session.compare();
	look(history);
}

class Lengths extends FlashCut {
	readonly lengths: number[] = [];
	override begin(byteLength: number): number {
		this.lengths.push(byteLength);
		return super.begin(byteLength);
	}
}

/** Lengths of the day's operations: bytes of each program, of the block for an erase. */
export function dayOperations(day: DayName, wishes: Wishes, make: MakeJournal): number[] {
	const history = evening(day, wishes, make);
	const cut = new Lengths();
	goThroughDay(day, new Session(history, history.board(undefined, cut), history.random.fork("day")));
	return cut.lengths;
}

/** Before, after, and at three bytes within in every shape. */
function* allCuts(operation: number, byteLength: number): Generator<Cut> {
	yield { operation, byte: CUT_BEFORE, shape: 0 };
	yield { operation, byte: CUT_AFTER, shape: 0 };
	const bytes = new Set([1, byteLength >> 1, byteLength - 1]);
	for (const byte of bytes) for (let shape = 0; shape < TEAR_SHAPES; shape++) yield { operation, byte, shape };
}

/** Before, after, and in some of the shapes: others each time. */
function someCuts(operation: number, turn: number): Cut[] {
	const cuts: Cut[] = [{ operation, byte: CUT_BEFORE, shape: 0 }];
	for (let n = 0; n < RECOVERY_SHAPES; n++) {
		// 7 and 18 have no divisor in common: in turn every shape comes about.
		const shape = ((turn * RECOVERY_SHAPES + n) * 7) % TEAR_SHAPES;
		cuts.push({ operation, byte: 1 + 37 * (turn % 5), shape });
	}
	cuts.push({ operation, byte: CUT_AFTER, shape: 0 });
	return cuts;
}

/** Every cut of one operation of the day, and of the first operations of the boot after each of them. */
export function cutOperation(
	day: DayName,
	operation: number,
	byteLength: number,
	wishes: Wishes,
	make: MakeJournal,
): Outcome {
	const start = evening(day, wishes, make);
	const { counts } = start;
	let turn = operation;
	for (const cut of allCuts(operation, byteLength)) {
		const history = start.clone(counts);
		const first = outcomeOf(history, () => {
			cutDay(day, history, cut);
			follow(history.clone(counts));
		});
		if (first.failure !== undefined) return first;
		for (let second = 1, struck = true; struck && second <= RECOVERY_OPERATIONS; second++) {
			turn++;
			for (const recoveryCut of someCuts(second, turn)) {
				const again = history.clone(counts);
				const outcome = outcomeOf(again, () => {
					struck = cutRecovery(again, recoveryCut);
					if (struck) follow(again);
				});
				if (outcome.failure !== undefined) {
					if (struck) outcome.failure.cut = `${history.lastCut}+${again.lastCut}`;
					return outcome;
				}
				if (!struck) break; // The boot has no such operation.
			}
		}
	}
	return { counts };
}

/** One of these again, with its story. @param cuts - names as {@link cutOperation} gives them */
export function replayDay(day: DayName, cuts: string, wishes: Wishes, make: MakeJournal, story: Story): Outcome {
	// Without a cut the day fails by itself.
	const [first = UNCUT, second] = cuts === "" ? [] : cuts.split("+").map(parseCut);
	const history = evening(day, wishes, make);
	history.story = story;
	return outcomeOf(history, () => {
		cutDay(day, history, first);
		if (second !== undefined) cutRecovery(history, second);
		follow(history);
	});
}

function cutDay(day: DayName, history: History, cut: Cut): void {
	cutShort(history, cut, (board) => goThroughDay(day, new Session(history, board, history.random.fork("day"))));
}

function cutRecovery(history: History, cut: Cut): boolean {
	look(history);
	return cutShort(history, cut, (board) => recover(new Session(history, board, history.random.fork("recovery"))));
}
