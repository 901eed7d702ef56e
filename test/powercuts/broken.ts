/**
 * Journals that are broken on purpose, each in one way, to see that the search meant for it finds it. Each change is a
 * text of src/journal replaced by another one; a text that is no longer found there once is an error, so that the list
 * keeps up with the code.
 */
import { UsageError } from "../../host-sim/cli/args";
import { Journal } from "../../src/journal/journal";
import { breakJournal, type Change } from "../journal/broken-journal";
import type { MakeJournal } from "./history";
import type { Wishes } from "./options";

export interface BrokenJournal {
	readonly what: string;
	/** The mode that finds it. */
	readonly mode: string;
	/** With these it is found sooner. */
	readonly wishes?: Partial<Wishes>;
	readonly changes: readonly Change[];
}

const PINS = "		if (this.#pinned) return;\n";
/** Without a boot record, behind the last record that reads as valid. */
const WRITES_ON: Change = {
	file: "journal.ts",
	from: PINS,
	to: `${PINS}		this.#pinned = true;
		const { scanner } = this.#reader;
		scanner.start(this.#ring.head, this.#ring.sequence(this.#ring.head), HEADER_BYTES, this.#blockLength);
		while (scanner.next()) this.#ring.headEnd = scanner.cursor;
		this.#ring.advanceTail(this.#ring.visitSequence, this.#ring.visitOffset);
${PINS}`,
};

const COUNTS_HEADER: Change = {
	file: "recovery.ts",
	from: "this.#counts = this.#firstIsBoot ? records > 1 : news > 0;",
	to: "this.#counts = records >= 0 || news > 0;",
};

export const BROKEN: Readonly<Record<string, BrokenJournal>> = {
	"no-boot-record": {
		what: "goes by what the last record reads as, and writes nothing down about it",
		mode: "marginal",
		changes: [
			WRITES_ON,
			// The next record opens a block: what was torn is not written over.
			{
				file: "log-writer.ts",
				from: "		this.#copies.reset();\n		this.#ready = -1;\n		this.#headClosed = false;\n",
				to: "		this.#copies.reset();\n		this.#ready = -1;\n		this.#headClosed = true;\n",
			},
		],
	},
	"writes-on": {
		what: "goes on writing where the old tail seems to end",
		mode: "random",
		changes: [WRITES_ON],
	},
	"no-crc": {
		what: "does not check the CRC of a record",
		mode: "erase",
		changes: [
			{
				file: "block-scanner.ts",
				from: "return crc === recordCrc(window.bytes, at, this.#sequence, cursor) ? total : 0;",
				to: "return total;",
			},
			{ file: "log-reader.ts", from: "if (crc !== recordCrc(", to: "if (crc < 0 && crc !== recordCrc(" },
		],
	},
	"trusts-header-only": {
		what: "counts a block that has a header and no record",
		mode: "double",
		changes: [
			COUNTS_HEADER,
			{ file: "recovery.ts", from: "this.#counts = records > 1 || (", to: "this.#counts = records >= 0 || (" },
		],
	},
	"skips-ahead": {
		what: "goes on behind the torn record instead of opening a block",
		mode: "random",
		changes: [
			{
				file: "journal.ts",
				from: PINS,
				to: `${PINS}		this.#pinned = true;
		const whole = new Uint8Array(this.#blockLength);
		this.#copies.read(0, whole, this.#ring.head * this.#blockLength);
		let used = this.#blockLength;
		while (used > 0 && whole[used - 1] === 0xff) used--;
		this.#ring.headEnd = Math.max(this.#ring.headEnd, (used + this.#align - 1) & -this.#align);
${PINS}`,
			},
		],
	},
	"header-before-data": {
		what: "writes the header of a block alone, counts the block from then on, and writes its first record after it",
		mode: "random",
		changes: [
			{
				file: "log-writer.ts",
				from: "			if (this.program(0, total, block * this.#blockLength)) {\n",
				to: `			const start = block * this.#blockLength;
			if (this.program(0, HEADER_BYTES, start) && this.program(HEADER_BYTES, total - HEADER_BYTES, start + HEADER_BYTES)) {
`,
			},
			COUNTS_HEADER,
		],
	},
	"counts-unconfirmed": {
		what: "counts a boot block without a confirm",
		mode: "marginal",
		wishes: { blocks: 6 },
		changes: [
			{ file: "recovery.ts", from: "this.#firstIsBoot ? records > 1 :", to: "this.#firstIsBoot ? records > 0 :" },
		],
	},
	"trusts-blank": {
		what: "does not erase a free block that reads blank",
		mode: "erase",
		changes: [
			{
				file: "log-writer.ts",
				from: "		const blank = this.#copies.erase(block);\n",
				to: `		const bytes = new Uint8Array(this.#blockLength);
		this.#copies.read(0, bytes, block * this.#blockLength);
		const blank = bytes.every((byte) => byte === 0xff) || this.#copies.erase(block);
`,
			},
		],
	},
	"believes-mark": {
		what: "frees what a provisional mark frees before it is pinned",
		mode: "marginal",
		wishes: { blocks: 6 },
		changes: [
			{
				file: "recovery.ts",
				from: "ring.tailSequence = this.#tailSequence;",
				to: "ring.tailSequence = this.#visitSequence;",
			},
			{
				file: "recovery.ts",
				from: "ring.tailOffset = this.insideBlock(this.#tailOffset);",
				to: "ring.tailOffset = this.insideBlock(this.#visitOffset);",
			},
		],
	},
	"mark-before-copies": {
		what: "writes the mark of a reclaim before its copies",
		mode: "random",
		changes: [
			{
				file: "reclaimer.ts",
				from: "		reader.findEnd(block);\n		const { end } = reader;\n		for (let from",
				to: `		const oldOffset = ring.tailOffset;
		this.remark(ring.sequence(ring.next(block)), HEADER_BYTES, keepFree);
		ring.tailOffset = oldOffset;
		reader.findEnd(block);
		const { end } = reader;
		for (let from`,
			},
		],
	},
	"copies-are-facts": {
		what: "takes the copies of a reclaim that was cut for facts",
		mode: "double",
		changes: [
			{
				file: "recovery.ts",
				from: "type !== RecordType.confirm && !headIsCopy(scanner.head)",
				to: "type !== RecordType.confirm",
			},
		],
	},
	"never-restates": {
		what: "takes a new block for each boot, so that brown-outs use up the ring",
		mode: "brownouts",
		changes: [{ file: "journal.ts", from: "recovery.restates ? ring.previous(oldHead) : -1", to: "-1" }],
	},
	"holds-nothing": {
		what: "erases what a torn boot block replaced",
		mode: "marginal",
		wishes: { blocks: 6 },
		changes: [
			{ file: "recovery.ts", from: "if (!certain) this.holdFallbacks();", to: "if (!certain) this.lostBlocks += 0;" },
		],
	},
	"no-second-look": {
		what: "does not look whether the visit read what recovery had found",
		mode: "marginal",
		changes: [
			{
				file: "journal.ts",
				from: "if (this.#reader.seenPosition === this.lastPosition()) {",
				to: "if (this.#mounted === false) {",
			},
		],
	},
	"no-reserve": {
		what: "fills the last free blocks",
		mode: "random",
		changes: [
			{ file: "reclaimer.ts", from: "FREE_BLOCKS_MIN = 3;", to: "FREE_BLOCKS_MIN = 0;" },
			{ file: "reclaimer.ts", from: "FREE_BLOCKS_LAST = 1;", to: "FREE_BLOCKS_LAST = 0;" },
			{
				file: "journal.ts",
				from: "return Math.min((blocks + 3) >> 1, blocks - 3);",
				to: "return Math.min(1, blocks);",
			},
		],
	},
	"writes-at-mount": {
		what: "makes what a mount has read the truth at once, at each reboot",
		mode: "reboots",
		changes: [
			{
				file: "journal.ts",
				from: "				this.#mounted = true;\n				return result;\n",
				to: "				this.#mounted = true;\n				this.pin();\n				return result;\n",
			},
		],
	},
	ages: {
		what: "erases more the older it gets",
		mode: "sales",
		changes: [
			{
				file: "log-writer.ts",
				from: "			if (this.erase(block)) this.#ready = block;\n",
				to: `			for (let more = this.#ring.sequenceMax >> 9; more > 0; more--) this.erase(block);
			if (this.erase(block)) this.#ready = block;
`,
			},
		],
	},
	"one-copy-only": {
		what: "has a mirror and writes it only when idle",
		mode: "destroy",
		changes: [
			{
				file: "copies.ts",
				from: "			const good = this.programOne(copy, bytes, start, byteLength, position);\n",
				to: `			const good = copy === 1 || this.programOne(copy, bytes, start, byteLength, position);
			if (copy === 1) this.note(Math.floor(position / this.blockLength), 2);
`,
			},
		],
	},
	"mends-nothing": {
		what: "never mends a copy that lacks something",
		mode: "destroy",
		changes: [{ file: "mender.ts", from: "		const noted = this.nextNoted();\n", to: "		const noted = -1;\n" }],
	},
	"mends-untold": {
		what: "does not write down that it begins to mend a block",
		mode: "destroy",
		changes: [{ file: "mender.ts", from: "		this.writeMend(BEGINS, copy, block, FREE_BLOCKS_MIN);\n", to: "" }],
	},
};

/** @throws {UsageError} for a name that is none */
export function brokenJournal(name: string): BrokenJournal {
	const broken = BROKEN[name];
	if (broken === undefined) {
		throw new UsageError(`--broken is all, or one of ${Object.keys(BROKEN).join(", ")}, not "${name}"`);
	}
	return broken;
}

/** Makes journals as they are, or broken. */
export function journalMaker(broken: string | undefined): MakeJournal {
	if (broken !== undefined) return breakJournal(...brokenJournal(broken).changes);
	return (flash, client, mirror) => new Journal(flash, client, mirror);
}
