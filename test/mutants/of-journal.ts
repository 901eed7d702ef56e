/**
 * Bugs of the journal. Those that `npm run powercuts -- --broken` knows come from its list; here the whole terminal
 * stands on them. Left to that command are the two that it takes thousands of cuts on six blocks to find
 * (counts-unconfirmed, holds-nothing), and those that only cost time or wear (ages, writes-at-mount).
 */
import { BROKEN } from "../powercuts/broken";
import type { Mutant } from "./mutate";

const RANDOM_TEST = "test/powercuts/search.test.ts";
const MIRROR_TESTS = ["test/journal/mirror.test.ts", "test/terminal/mirror-storm.test.ts"];

/** A broken journal of the powercuts command. */
function broken(name: keyof typeof BROKEN, expected: Mutant["expected"], tests: readonly string[]): Mutant {
	const { what, changes } = BROKEN[name];
	return {
		name: `journal-${name}`,
		breaks: ["I7"],
		what: `the journal ${what}`,
		expected,
		tests,
		changes: changes.map(({ file, from, to }) => ({ file: `src/journal/${file}`, from, to })),
	};
}

export const JOURNAL_MUTANTS: readonly Mutant[] = [
	broken("no-boot-record", "campaign", [RANDOM_TEST, "test/transactions/restart.test.ts"]),
	broken("writes-on", "campaign", [RANDOM_TEST]),
	broken("no-crc", "campaign", [RANDOM_TEST, "test/journal/damage.test.ts"]),
	broken("trusts-header-only", "campaign", [RANDOM_TEST, "test/journal/brown-out.test.ts"]),
	broken("skips-ahead", "campaign", [RANDOM_TEST]),
	broken("header-before-data", "campaign", [RANDOM_TEST]),
	broken("trusts-blank", "campaign", [RANDOM_TEST]),
	broken("believes-mark", "tests", [RANDOM_TEST]),
	broken("mark-before-copies", "campaign", [RANDOM_TEST, "test/journal/ring.test.ts"]),
	broken("copies-are-facts", "tests", [RANDOM_TEST, "test/journal/ring.test.ts"]),
	broken("never-restates", "campaign", ["test/journal/brown-out.test.ts", "test/journal/mount.test.ts"]),
	broken("no-second-look", "tests", [RANDOM_TEST]),
	broken("no-reserve", "campaign", ["test/journal/ring.test.ts", RANDOM_TEST]),
	broken("one-copy-only", "campaign", MIRROR_TESTS),
	broken("mends-nothing", "tests", MIRROR_TESTS),
	{
		name: "journal-boot-record-unconfirmed",
		breaks: ["I7"],
		what: "a boot writes its record and no confirm behind it: the next boot does not count it",
		expected: "campaign",
		tests: ["test/journal/mount.test.ts", "test/journal/brown-out.test.ts", RANDOM_TEST],
		changes: [{ file: "src/journal/journal.ts", from: "const CONFIRMS = 2;", to: "const CONFIRMS = 0;" }],
	},
	{
		name: "journal-write-not-read-back",
		breaks: ["I7"],
		what: "a record counts as written because the write did not fail: a worn block keeps it to itself",
		expected: "campaign",
		tests: ["test/journal/damage.test.ts", "test/journal/retired.test.ts"],
		changes: [
			{
				file: "src/journal/copies.ts",
				from: "if (check[skip + i] !== bytes[start + done + i]) good = false;",
				to: "if (check[skip + i] === undefined) good = false;",
			},
		],
	},
	{
		name: "journal-erase-in-sale",
		breaks: ["I8"],
		what: "no block is erased ahead: the erase comes when the customer waits",
		expected: "tests",
		tests: ["test/journal/ring.test.ts", "test/transactions/storm.test.ts"],
		changes: [
			{
				file: "src/journal/journal.ts",
				from: "			this.#writer.eraseAhead();\n			// A block that could not",
				to: "			// A block that could not",
			},
			{
				file: "src/journal/journal.ts",
				from: "return this.#writer.ready >= 0;",
				to: "return true;",
			},
			{
				file: "src/journal/journal.ts",
				from: "			this.pin();\n		}\n		this.#writer.eraseAhead();\n",
				to: "			this.pin();\n		}\n",
			},
			{
				file: "src/journal/journal.ts",
				from: "		this.#writer.eraseAhead(); // Mending may have taken the block that stood ready.\n",
				to: "",
			},
		],
	},
];
