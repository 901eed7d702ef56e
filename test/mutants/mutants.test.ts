/**
 * The list of mutants, and the machinery that judges them: over a small search of its own, and a slice of the real one.
 */
import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { MUTANTS } from "./mutants";
import { type Change, type Mutant, mutate, ROOT, RottenMutant } from "./mutate";
import { type HuntOptions, hunt, type Verdict } from "./run";

const LUHN = "src/core/luhn.ts";

function mutant(name: string, ...changes: readonly Change[]): Mutant {
	return { name, breaks: ["I11"], what: name, changes, expected: "campaign", tests: ["test/core/luhn.test.ts"] };
}

const NO_CHECK = mutant("no-check", { file: LUHN, from: "return sum % 10 === 0;", to: "return sum > 0;" });
const ENDLESS = mutant("endless", { file: LUHN, from: "i < digits.length; i++", to: "i < digits.length; i += 0" });
/** Seed 3 has nothing of this length. */
const TOO_SHORT = mutant("too-short", { file: LUHN, from: "{12,19}", to: "{11,19}" });
const HARMLESS = mutant("harmless", { file: LUHN, from: "return sum % 10 === 0;", to: "return 0 === sum % 10;" });
const NO_PROGRAM = mutant("no-program", { file: LUHN, from: "return sum % 10 === 0;", to: "return sum % ;" });
const ROTTEN = mutant("rotten", { file: LUHN, from: "return sum % 11 === 0;", to: "return true;" });

const PLANTED: Pick<HuntOptions, "search" | "seeds" | "jobs"> = {
	search: join(__dirname, "planted-search.ts"),
	seeds: 5,
	jobs: 2,
};

function told(verdicts: readonly Verdict[]): string[] {
	return verdicts.map(({ name, caught, seeds }) => `${name} ${caught} ${seeds}`);
}

describe("mutants", function () {
	this.timeout(60_000);

	it("are a list that is true of the code: each text stands once in its file, each test file is there", () => {
		for (const entry of MUTANTS) {
			mutate(entry);
			assert.ok(entry.tests.length > 0, entry.name);
			assert.equal(new Set(entry.tests).size, entry.tests.length, `${entry.name} names a test twice`);
			for (const file of entry.tests) assert.ok(existsSync(resolve(ROOT, file)), `${entry.name}: ${file}`);
			assert.match(entry.name, /^[a-z0-9]+(-[a-z0-9]+)*$/);
		}
		assert.equal(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length, "names are names");
		assert.ok(MUTANTS.length >= 100);
	});

	it("break every invariant but determinism, which the hashes of two engines judge", () => {
		const broken = new Set(MUTANTS.flatMap(({ breaks }) => breaks));
		for (let n = 1; n <= 11; n++) assert.ok(broken.has(`I${n}` as (typeof MUTANTS)[number]["breaks"][number]), `I${n}`);
	});

	it("are refused when a text is gone, is there twice, is not the firmware's, or changes nothing", () => {
		const rotten: readonly Change[][] = [
			[{ file: LUHN, from: "return sum % 11 === 0;", to: "" }],
			[{ file: LUHN, from: "digits", to: "" }],
			[{ file: "src/core/none.ts", from: "a", to: "b" }],
			[{ file: "test/core/luhn.test.ts", from: `"x"`, to: "" }],
			[{ file: LUHN, from: "return sum % 10 === 0;", to: "return sum % 10 === 0;" }],
			[],
		];
		for (const changes of rotten) assert.throws(() => mutate({ name: "rotten", changes }), RottenMutant);
	});

	it("are caught by the first seed that fails, else by a test; one that nobody notices is named", async () => {
		const hunted = await hunt({ ...PLANTED, mutants: [NO_CHECK, TOO_SHORT, HARMLESS] });
		assert.deepEqual(told(hunted.verdicts), ["no-check campaign 3", "too-short tests 5", "harmless no 5"]);
		assert.equal(hunted.verdicts[0].how, "I11 a wrong check digit is taken");
		assert.equal(hunted.verdicts[1].how, "core check digit refuses what is no card number");
		assert.deepEqual(hunted.control, { ...hunted.control, seeds: 5, sales: 5, failures: [] });
		assert.equal(hunted.good, false, "one survives");
	});

	it("that hang are caught, and nothing waits for them", async () => {
		const hunted = await hunt({ ...PLANTED, mutants: [ENDLESS, NO_CHECK], hangMs: 1_000 });
		assert.deepEqual(told(hunted.verdicts), ["endless campaign 3", "no-check campaign 3"]);
		assert.match(hunted.verdicts[0].how, /^hangs/);
		assert.ok(hunted.good);
	});

	it("that are not true of the code, or no program, fail the run", async () => {
		const hunted = await hunt({ ...PLANTED, mutants: [ROTTEN, NO_PROGRAM, NO_CHECK] });
		assert.deepEqual(told(hunted.verdicts), ["rotten rotten 0", "no-program rotten 0", "no-check campaign 3"]);
		assert.match(hunted.verdicts[0].how, /luhn\.ts has 0 times instead of once/);
		assert.equal(hunted.good, false);
	});

	it("of the firmware are caught by worlds, and the firmware as it is is not", async () => {
		const names = ["boot-abandons-waiting", "sent-taken-for-unsent", "reversal-carries-new-stan"];
		const mutants = MUTANTS.filter(({ name }) => names.includes(name));
		const { verdicts, control, good } = await hunt({ mutants, seeds: 12, jobs: 2 });
		assert.deepEqual(control.failures, []);
		for (const verdict of verdicts) assert.equal(verdict.caught, "campaign", `${verdict.name}: ${verdict.how}`);
		assert.equal(verdicts.length, names.length);
		assert.ok(good);
	});
});
