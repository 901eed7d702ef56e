/**
 * Goal: the searches find what they are there to find. Method: each rule of src/journal/DESIGN.md is broken alone, in
 * a copy of the source, and the search must fail on it.
 */
import { strict as assert } from "node:assert";
import { FlashMedium } from "../../host-sim/board/flash-medium";
import { breakJournal, type Change } from "./broken-journal";
import {
	checkFlippedBits,
	checkProvisionCuts,
	checkRecordInPayload,
	checkWholeBootsHoldNothing,
	type MakeJournal,
} from "./checks";
import { type SearchOptions, searchPowerCuts } from "./power-cut-search";

const search =
	(options: Omit<SearchOptions, "seed">, seedFirst = 1, seeds = 40) =>
	(makeJournal: MakeJournal) => {
		for (let seed = seedFirst; seed < seedFirst + seeds; seed++) searchPowerCuts({ ...options, seed, makeJournal });
	};

const SMALL = search({ blocks: 10, cuts: 100 });
const HEAVY = search({ blocks: 10, cuts: 100, liveMax: 400, heavy: true });
const BROWN = search({ blocks: 10, cuts: 200, brownOuts: true });
/** Few blocks and rows of brown-outs: the next block to erase is one that was given up a moment ago. */
const TIGHT = (seed: number) => search({ blocks: 6, cuts: 400, liveMax: 8, brownOuts: true }, seed);
const TIGHTEST = (seed: number) => search({ blocks: 6, cuts: 300, liveMax: 4, brownOuts: true }, seed);

const CASES: { what: string; changes: Change[]; check: (make: MakeJournal) => void }[] = [
	{
		what: "goes on writing where the old tail seemed to end",
		changes: [
			{
				file: "journal.ts",
				from: "		if (this.#pinned) return;\n",
				to: "		this.#pinned = true;\n		if (this.#pinned) return;\n",
			},
		],
		check: SMALL,
	},
	{
		what: "skips ahead in the torn block instead of opening a new one",
		changes: [
			{
				file: "journal.ts",
				from: "		if (this.#pinned) return;\n",
				to: `		if (this.#pinned) return;
		this.#pinned = true;
		const start = this.#ring.head * this.#blockLength;
		const whole = new Uint8Array(this.#flash.read(this.#blockLength, start));
		let used = this.#blockLength;
		while (used > 0 && whole[used - 1] === 0xff) used--;
		this.#ring.headEnd = Math.max(this.#ring.headEnd, (used + this.#align - 1) & -this.#align);
		if (this.#pinned) return;
`,
			},
		],
		check: SMALL,
	},
	{
		what: "counts a boot block without a confirm",
		changes: [
			{ file: "recovery.ts", from: "this.#firstIsBoot ? records > 1 :", to: "this.#firstIsBoot ? records > 0 :" },
		],
		check: TIGHTEST(35),
	},
	{
		what: "does not check the CRC of a record",
		changes: [
			{ file: "block-scanner.ts", from: "if (readU32(this.#window, crcAt) ===", to: "if (0 * crcAt === 0 || 0 ===" },
		],
		check: checkFlippedBits,
	},
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
		check: (make) => checkProvisionCuts(make, () => new FlashMedium({ blocks: 6 }), ["unprovisioned", "foreign"], 2),
	},
	{
		what: "does not erase a free block that reads blank",
		changes: [
			{
				file: "log-writer.ts",
				from: "	erase(block: number): boolean {\n",
				to: `	erase(block: number): boolean {
		const bytes = new Uint8Array(this.#flash.read(this.#blockLength, block * this.#blockLength));
		if (bytes.every((byte) => byte === 0xff)) return true;
`,
			},
		],
		check: SMALL,
	},
	{
		what: "believes the tail of a provisional mark before it is pinned",
		changes: [
			{
				file: "recovery.ts",
				from: "ring.tailSequence = this.#tailSequence;",
				to: "ring.tailSequence = this.#visitSequence;",
			},
			{ file: "recovery.ts", from: "ring.tailOffset = this.#tailOffset;", to: "ring.tailOffset = this.#visitOffset;" },
		],
		check: TIGHT(4),
	},
	{
		what: "writes the mark of a reclaim before its copies",
		changes: [
			{
				file: "reclaimer.ts",
				from: "		reader.findEnd(block);\n		const { end } = reader;\n",
				to: `		const first = reader.load(this.markPosition);
		buffer.copyWithin(PAYLOAD_AT, LOADED_AT + 2, LOADED_AT + 2 + first);
		const from0 = ring.tailOffset;
		this.mark(ring.sequence(ring.next(block)), HEADER_BYTES, first - MARK_OWN_BYTES);
		reader.findEnd(block);
		const { end } = reader;
		if (from0 > 0) ring.tailOffset = from0;
`,
			},
		],
		check: SMALL,
	},
	{
		what: "takes the copies of a cut reclaim for facts",
		changes: [
			{
				file: "recovery.ts",
				from: "type !== RecordType.confirm && !headIsCopy(scanner.head)",
				to: "type !== RecordType.confirm",
			},
		],
		check: search({ blocks: 10, cuts: 100, liveMax: 400, heavy: true }, 12),
	},
	{
		what: "never restates, so that brown-outs use up the ring",
		changes: [{ file: "journal.ts", from: "recovery.restates ? ring.previous(oldHead) : -1", to: "-1" }],
		check: BROWN,
	},
	{
		what: "erases what a torn boot block replaced",
		changes: [
			{ file: "recovery.ts", from: "if (!certain) this.#holdFallbacks();", to: "if (!certain) this.lostBlocks += 0;" },
		],
		check: TIGHTEST(2),
	},
	{
		what: "confirms once, so that later boots can not tell a whole boot block from a torn one",
		changes: [{ file: "journal.ts", from: "const CONFIRMS = 2;", to: "const CONFIRMS = 1;" }],
		check: checkWholeBootsHoldNothing,
	},
	{
		what: "does not look whether the visit read what recovery had found",
		changes: [
			{
				file: "journal.ts",
				from: "if (this.#reader.seenPosition === this.#lastPosition()) {",
				to: "if (this.#mounted === false) {",
			},
		],
		check: SMALL,
	},
	{
		what: "fills the last free blocks",
		changes: [
			{ file: "reclaimer.ts", from: "FREE_BLOCKS_MIN = 3;", to: "FREE_BLOCKS_MIN = 0;" },
			{ file: "reclaimer.ts", from: "FREE_BLOCKS_LAST = 1;", to: "FREE_BLOCKS_LAST = 0;" },
			{
				file: "journal.ts",
				from: "return Math.min((blocks + 3) >> 1, blocks - 3);",
				to: "return Math.min(1, blocks);",
			},
		],
		check: HEAVY,
	},
];

describe("the searches catch a journal that", () => {
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
});
