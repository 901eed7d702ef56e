/** Runs a block of cases of one target, in whatever thread. */
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { CaseInput, type EscapeKind, kindOf, type RunCase, type Target } from "./target";

export interface BlockTask {
	readonly target: string;
	readonly seed: number;
	/** First case, and the one behind the last. */
	readonly from: number;
	readonly to: number;
}

export interface FoundEscape {
	readonly target: string;
	readonly seed: number;
	readonly case: number;
	readonly kind: EscapeKind;
	readonly message: string;
	/** What was fed in, as hex. */
	readonly input: readonly string[];
	readonly stack: string;
}

export interface BlockResult {
	readonly cases: number;
	readonly seconds: number;
	readonly escapes: FoundEscape[];
}

/** Escapes in one block, after which the rest of it is left. */
const ESCAPES_MAX = 3;

/** First case of the block that `number` is in. */
export function blockStart(target: Target, number: number): number {
	return number - (number % target.blockCases);
}

/** @param onCase - before each case: for a watchdog */
export function runBlock(target: Target, task: BlockTask, onCase?: (number: number) => void): BlockResult {
	const began = performance.now();
	const cases = new SeededRandom(task.seed).fork(target.name);
	const input = new CaseInput();
	const escapes: FoundEscape[] = [];
	let run: RunCase | undefined;
	let number = task.from;
	for (; number < task.to && escapes.length < ESCAPES_MAX; number++) {
		onCase?.(number);
		input.clear();
		try {
			run ??= target.make();
			run(cases.fork(number), input);
		} catch (error) {
			escapes.push(describe(task, number, error, input));
			run = undefined; // What has failed is not asked again.
		}
	}
	return { cases: number - task.from, seconds: (performance.now() - began) / 1_000, escapes };
}

function describe(task: BlockTask, number: number, error: unknown, input: CaseInput): FoundEscape {
	const { message, stack } = error instanceof Error ? error : new Error(`thrown: ${String(error)}`);
	const { target, seed } = task;
	return { target, seed, case: number, kind: kindOf(error), message, input: [...input.lines], stack: stack ?? "" };
}
