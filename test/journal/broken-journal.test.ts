/**
 * Goal: the checks find what they are there to find. Method: a rule of src/journal/DESIGN.md is broken alone, in a copy
 * of the source, and the check must fail on it. The searches for power cuts have a list of their own
 * (test/powercuts/broken.ts).
 */
import { strict as assert } from "node:assert";
import { FlashMedium } from "../../host-sim/board/flash-medium";
import { BROKEN } from "../powercuts/broken";
import { breakJournal, type Change } from "./broken-journal";
import {
	checkFlippedBits,
	checkProvisionCuts,
	checkRecordInPayload,
	checkWholeBootsHoldNothing,
	type MakeJournal,
} from "./checks";

const CASES: { what: string; changes: readonly Change[]; check: (make: MakeJournal) => void }[] = [
	{ what: "does not check the CRC of a record", changes: BROKEN["no-crc"].changes, check: checkFlippedBits },
	{
		what: "does not seed the CRC with sequence and offset",
		changes: [
			{
				file: "format.ts",
				from: "	let crc = crcWord(CRC_START, sequence);\n	crc = crcWord(crc, offset);\n",
				to: "	let crc = crcWord(CRC_START, sequence * 0);\n	crc = crcWord(crc, offset * 0);\n",
			},
		],
		check: checkRecordInPayload,
	},
	{
		what: "trusts a block that has only a header",
		changes: [
			{
				file: "recovery.ts",
				from: "this.#counts = records > 1 || (",
				to: "this.#counts = records >= 0 || (",
			},
		],
		check: (make) => {
			const blank = () => new FlashMedium({ blocks: 6 });
			for (let salt = 0; salt < 6; salt++) checkProvisionCuts(make, blank, ["unprovisioned", "foreign"], salt);
		},
	},
	{
		what: "confirms once, so that later boots can not tell a whole boot block from a torn one",
		changes: [{ file: "journal.ts", from: "const CONFIRMS = 2;", to: "const CONFIRMS = 1;" }],
		check: checkWholeBootsHoldNothing,
	},
];

describe("the checks catch a journal that", () => {
	for (const { what, changes, check } of CASES) {
		it(what, () => {
			const makeJournal = breakJournal(...changes);
			let message = "";
			try {
				check(makeJournal);
			} catch (error) {
				message = (error as Error).message;
			}
			if (process.env.SHOW) process.stdout.write(`      ${message.slice(0, 110)}\n`);
			assert.notEqual(message, "", "nobody noticed");
		});
	}

	it("a change whose text the source does not have, or has twice, is an error", () => {
		for (const from of ["no such text", "const "]) {
			assert.throws(() => breakJournal({ file: "journal.ts", from, to: "" }), /journal.ts has once/);
		}
		assert.throws(() => breakJournal({ file: "no-such-file.ts", from: "a", to: "b" }), /has no-such-file.ts/);
	});
});
