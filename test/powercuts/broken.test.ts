/**
 * Goal: the searches find what they are there to find. Method: each journal of the list, broken in one way, is searched
 * by the mode that is meant for it; and a failure's name shows it again, with its story.
 */
import { strict as assert } from "node:assert";
import { BROKEN } from "./broken";
import { modeOf, parseReplay, runTask } from "./modes";
import type { SearchOptions } from "./options";
import { Pool } from "./pool";
import { search } from "./search";

const AMOUNT_MAX = 4_000;
/** Enough to see that it gets slower. */
const SALES = 10_000;
/** Rare ones, by a seed that finds them soon. */
const SEEDS: Readonly<Record<string, number>> = { "mends-untold": 9, "counts-unconfirmed": 3 };

describe("a search catches a journal that", () => {
	for (const [name, { what, mode, wishes }] of Object.entries(BROKEN)) {
		it(what, async () => {
			const options: SearchOptions = {
				mode,
				seed: SEEDS[name] ?? 1,
				amount: mode === "sales" ? SALES : AMOUNT_MAX,
				mirror: modeOf(mode).mirror === true,
				...wishes,
				broken: name,
			};
			const result = await search(options, { pool: new Pool(1), failuresMax: 1 });
			const [failure] = result.failures;
			assert.ok(failure !== undefined, `nobody noticed in ${result.counts.cuts} cuts`);
			if (process.env.SHOW) process.stdout.write(`      ${result.counts.cuts} cuts: ${failure.message.slice(0, 90)}\n`);
			const story: string[] = [];
			const again = runTask(parseReplay(failure.name, mode), options, (line) => story.push(line));
			assert.deepEqual([again.failure?.kind, again.failure?.message], [failure.kind, failure.message]);
			assert.ok(failure.name.endsWith(`:${again.failure?.cut}`) || again.failure?.cut === "", failure.name);
			assert.match(story.join("\n"), /boot \d+/);
			// Whole journals survive the very same cuts.
			const { failure: whole } = runTask(parseReplay(failure.name, mode), { ...options, broken: undefined });
			assert.equal(whole, undefined);
		});
	}

	it("fails in the middle of a short day, by the cut of an operation and of the next boot", async () => {
		const wishes = { mode: "exhaustive", seed: 1, amount: 0, mirror: false, align: 1, broken: "header-before-data" };
		const only = (_task: unknown, index: number) => index === 0;
		const { failures } = await search(wishes, { pool: new Pool(1), failuresMax: 1, only });
		assert.match(failures[0].name, /^light:1\.\d+(\/\d+)?\+\d+\.\d+/);
		const { failure } = runTask(parseReplay(failures[0].name, "exhaustive"), wishes, () => {});
		assert.deepEqual([failure?.kind, failure?.message], [failures[0].kind, failures[0].message]);
	});

	it("fails before it is cut at all", async () => {
		const wishes = { mode: "exhaustive", seed: 1, amount: 0, mirror: false, align: 1, broken: "writes-at-mount" };
		const { failures } = await search(wishes, { pool: new Pool(1), failuresMax: 10 });
		assert.deepEqual(
			failures.map(({ kind, name }) => `${kind} ${name}`),
			["other light", "other crowded"],
		);
		const { failure } = runTask(parseReplay("light", "exhaustive"), wishes, () => {});
		assert.equal(failure?.message, failures[0].message);
	});
});
