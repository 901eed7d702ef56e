/** Kinds of boots, and what becomes of an error in one. */
import type { Cut } from "../../host-sim/board/flash-cut";
import { PowerLost } from "../../host-sim/board/power";
import type { Board } from "./board";
import { Failure, type FailureKind } from "./failure";
import type { Counts, History } from "./history";
import { Session } from "./session";

export interface Outcome {
	counts: Counts;
	failure?: { kind: FailureKind; message: string; cut: string };
	/** Lines for the report. */
	notes?: string[];
}

/** A board whose operations are told, when a story is wanted. */
export function storyBoard(history: History): Board {
	const { story, geometry } = history;
	if (story === undefined) return history.board();
	return history.board((_what, operation, copy, _block, text) => {
		story(`    ${operation}: ${geometry.mirror ? `copy ${copy}, ` : ""}${text()}`);
	});
}

/** A boot that only reads, and goes away: with its own readings of the marginal cells. */
export function look(history: History, expected?: readonly string[]): void {
	history.story?.(`boot ${history.counts.boots + 1} only reads`);
	new Session(history, history.board(), history.random).mount(expected);
}

/** A boot that does `work` until power goes. @returns false when the work ended before that; then it goes after it */
export function cutShort(history: History, cut: Cut, work: (board: Board) => void): boolean {
	const { story } = history;
	story?.(`boot ${history.counts.boots + 1}`);
	const board = storyBoard(history);
	board.cut.cutAt(cut.operation, cut.byte, cut.shape);
	try {
		work(board);
	} catch (error) {
		if (!(error instanceof PowerLost)) throw error;
		history.counts.cuts++;
		history.lastCut = board.cut.name;
		const { open } = history.model;
		story?.(`  POWER LOST at ${history.lastCut}${open === "" ? "" : `, before ${open} has returned`}`);
		return true;
	}
	board.power.cut();
	story?.("  power goes, between operations");
	return false;
}

/** Runs all of a history. Whatever it throws but our own bugs in the harness is a failure of the journal. */
export function outcomeOf(history: History, work: () => void): Outcome {
	const { counts } = history;
	// Each power cut is an error: where nobody will read their stacks, making them costs a tenth of the time.
	const { stackTraceLimit } = Error;
	if (history.story === undefined) Error.stackTraceLimit = 0;
	try {
		work();
		return { counts };
	} catch (error) {
		const { message } = error as Error;
		const cut = history.lastCut;
		if (error instanceof Failure) return { counts, failure: { kind: error.kind, message, cut } };
		history.story?.((error as Error).stack ?? message);
		const kind = history.phase === "work" ? "other" : "unmountable";
		return { counts, failure: { kind, message: `${history.phase}: ${(error as Error).name}: ${message}`, cut } };
	} finally {
		Error.stackTraceLimit = stackTraceLimit;
	}
}
