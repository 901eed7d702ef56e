/**
 * Bytes a piece of work allocates in each call, counted by V8 itself: the heap in use after n calls less the heap in
 * use before, while no collection runs. The young generation is made so large that none has to (NODE_FLAGS), and V8's
 * own profiler of collections says afterwards that none did; a measurement with one is thrown away.
 *
 * What is left over is what reading the statistics costs, some kB once, divided by the calls: of several measurements
 * the least counts. No object of V8 is smaller than 12 bytes, so what allocates in every call shows as 12 or more.
 */
import { performance } from "node:perf_hooks";
import v8 from "node:v8";

const YOUNG_MIB = 128;
/** For a process that measures. */
export const NODE_FLAGS: readonly string[] = [
	"--expose-gc",
	`--min-semi-space-size=${YOUNG_MIB}`,
	`--max-semi-space-size=${YOUNG_MIB}`,
];

/** Before measuring, as what is not optimized yet allocates more: so many calls, or for so long. */
const WARM_CALLS = 50_000;
const WARM_MS = 1_000;
const CALLS_MAX = 500_000;
/** Of the young generation, for one measurement. */
const BYTES_MAX = (YOUNG_MIB * 1024 * 1024) / 2;
const ESTIMATE_CALLS = 500;
const MEASUREMENTS = 7;
/** Measurements in which a collection ran, before it is given up. */
const SPOILED_MAX = 20;

let kept: unknown;

/** What the last call has returned: held, so that no optimizer may leave the object out. */
export function lastResult(): unknown {
	return kept;
}

/**
 * Only in a process with {@link NODE_FLAGS}.
 * @returns bytes for each call, to one decimal
 * @throws {Error} when collections cannot be kept away
 */
export function bytesPerCall(run: () => unknown): number {
	const until = performance.now() + WARM_MS;
	for (let i = 0; i < WARM_CALLS && performance.now() < until; i++) kept = run();
	let calls = ESTIMATE_CALLS;
	let least = Number.POSITIVE_INFINITY;
	let spoiled = 0;
	for (let done = 0; done < MEASUREMENTS; ) {
		const bytes = measure(run, calls);
		if (bytes === undefined) {
			if (++spoiled > SPOILED_MAX) throw new Error("the heap is collected in every measurement");
			calls = Math.max(1, calls >> 1);
		} else if (done === 0 && calls === ESTIMATE_CALLS) {
			calls = Math.min(CALLS_MAX, Math.max(1, Math.floor((BYTES_MAX * calls) / Math.max(1, bytes))));
			done = 1;
		} else {
			least = Math.min(least, bytes / calls);
			done++;
		}
	}
	return Math.round(least * 10) / 10;
}

/** @returns bytes of all calls; undefined when a collection ran */
function measure(run: () => unknown, calls: number): number | undefined {
	collect();
	const profiler = new v8.GCProfiler();
	profiler.start();
	const before = v8.getHeapStatistics().used_heap_size;
	for (let i = 0; i < calls; i++) kept = run();
	const after = v8.getHeapStatistics().used_heap_size;
	return profiler.stop().statistics.length === 0 ? after - before : undefined;
}

function collect(): void {
	const { gc } = globalThis as { gc?: () => void };
	if (gc === undefined) throw new Error(`heap-meter needs node ${NODE_FLAGS.join(" ")}`);
	gc();
}
