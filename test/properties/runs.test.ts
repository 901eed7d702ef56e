/**
 * Goal: the search over other seeds draws by its seed, tells what does not hold, and looks at every test with properties.
 * Method: planted.ts, in a process of its own, as the command runs it.
 */
import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { propertyFiles, runSeed } from "./runs";

const PLANTED = ["test/properties/planted.ts"];

describe("properties under other seeds", function () {
	this.timeout(60_000);

	it("npm test itself always draws by the same seed", () => {
		assert.equal(fc.readConfigureGlobal().seed, Number(process.env.PROPERTY_SEED ?? 1));
	});

	it("what does not hold is told with its seed and its smallest example, the same each time", async () => {
		const run = await runSeed(31, PLANTED);
		assert.equal(run.passed, 1);
		assert.deepEqual(
			run.failures.map(({ seed, title }) => [seed, title]),
			[[31, "planted does not"]],
		);
		assert.match(run.failures[0].message, /\{ seed: 31, path: [\s\S]*Counterexample: \[1000\]/);
		assert.deepEqual((await runSeed(31, PLANTED)).failures, run.failures);
		assert.match((await runSeed(32, PLANTED)).failures[0].message, /\{ seed: 32, /);
	});

	it("a test file that cannot be read is no success", async () => {
		await assert.rejects(runSeed(1, ["test/properties/nothing.ts"]), /no report under seed 1/);
	});

	it("looks at the tests with properties, all or some", () => {
		const all = propertyFiles([]);
		assert.ok(all.length >= 40, `${all.length}`);
		assert.deepEqual(propertyFiles(["storms"]), [
			"test/host-sim/acquirer/far-side-storms.test.ts",
			"test/host-sim/acquirer/office-storms.test.ts",
		]);
		assert.ok(!all.includes(PLANTED[0]));
	});
});
