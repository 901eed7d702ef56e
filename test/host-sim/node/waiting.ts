/** Waiting for what comes over real sockets. */
import assert from "node:assert/strict";

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Looks every 2 ms, for as long as a busy machine may need. */
export async function until(condition: () => boolean, what: string): Promise<void> {
	const endMs = performance.now() + 10_000;
	while (!condition()) {
		if (performance.now() > endMs) assert.fail(`never: ${what}`);
		await pause(2);
	}
}
