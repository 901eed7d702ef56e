/**
 * Goal: sequence numbers may wrap, and no two blocks that count ever share one. Method: copies of the source that begin
 * to count shortly before a wrap; a torn block steered by hand to read as nothing at one boot and as sound later.
 */
import { strict as assert } from "node:assert";
import { FlashMedium } from "../../host-sim/board/flash-medium";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { Power, PowerLost } from "../../host-sim/board/power";
import { decodeHeader, emptyHeader, isLater } from "../../src/journal/format";
import { Journal } from "../../src/journal/journal";
import { breakJournal, type Change } from "./broken-journal";
import { CutLife, type MakeJournal } from "./cut-life";
import { ImageClient } from "./image-client";

const startAt = (sequence: number): Change => ({
	file: "provisioner.ts",
	from: "const FIRST_SEQUENCE = 1;",
	to: `const FIRST_SEQUENCE = ${sequence};`,
});

const PLAIN: Change = {
	file: "format.ts",
	from: "return ((a - b) | 0) > 0;",
	to: "return a > b;",
};

/** 120 cuts from `first` on. @returns the sequences in the headers at the end */
function liveThrough(first: number, seed: number, ...changes: Change[]): number[] {
	const makeJournal = breakJournal(startAt(first), ...changes);
	const medium = new FlashMedium({ blocks: 8, blockLength: 1024, writeAlign: seed % 2 === 0 ? 16 : 1 });
	makeJournal(new NorFlash({ medium }), new ImageClient()).provision(7, new Uint8Array(0));
	const life = new CutLife({ medium, seed, makeJournal });
	life.bootsCut(120);
	life.boot(60);
	assert.ok(Math.min(...medium.erases) > 2, "round the ring");
	const header = emptyHeader();
	const sequences: number[] = [];
	for (let block = 0; block < medium.blocks; block++) {
		const read = decodeHeader(medium.image, block * medium.blockLength, header);
		if (read === "valid" && header.kind !== 3) sequences.push(header.sequence);
	}
	return sequences;
}

describe("journal, sequence numbers", () => {
	for (const [what, wrap] of [
		["2^32", 0],
		["2^31, where signed numbers change sign,", 0x8000_0000],
	] as const) {
		it(`that pass ${what} lose nothing, wherever power goes`, () => {
			for (const before of [1, 3, 9, 40, 200]) {
				const sequences = liveThrough((wrap - before) >>> 0, before);
				assert.ok(sequences.length > 2);
				for (const sequence of sequences) assert.ok(isLater(sequence, (wrap - 1) >>> 0), `not passed: ${sequence}`);
			}
		});
	}

	it("compared as plain numbers lose the log at the wrap", () => {
		for (const before of [5, 40])
			assert.throws(() => liveThrough((0 - before) >>> 0, before, PLAIN), `${before} before it`);
		liveThrough(1000, 1, PLAIN); // It is the wrap alone that they do not stand.
	});

	it("stay usable when a block that was torn, could not be erased and was passed over reads as sound later", () => {
		checkTornBlockReadsLater((flash, client) => new Journal(flash, client));
	});

	it("without a gap after a boot would be used twice there, and the log lost", () => {
		const makeJournal = breakJournal({
			file: "journal.ts",
			from: "const BOOT_SEQUENCE_GAP = 2 * WRITE_TRIES_MAX;",
			to: "const BOOT_SEQUENCE_GAP = 0 * WRITE_TRIES_MAX;",
		});
		assert.throws(() => checkTornBlockReadsLater(makeJournal), /lost|resurrected/);
	});
});

/**
 * Block X is opened with a record and power goes before the call returns: its cells are marginal. At the next boot one
 * bit of its header reads wrong, so X is nothing; its erase fails, so the boot's own block is the one after it. At a
 * boot after that the bit reads right again: X is a sound block of the log, with the sequence that came after the old
 * head's. The boot block's must be another, and later. A boot block's number goes by its block: the log has gone round
 * the ring until the number after the head's is the very one that fits the block after X.
 */
function checkTornBlockReadsLater(make: MakeJournal): void {
	const blocks = 9;
	const medium = new FlashMedium({ blocks, blockLength: 1024 });
	make(new NorFlash({ medium }), new ImageClient()).provision(7, new Uint8Array(0));
	const expected = new Map<number, string>();
	const start = (power = new Power()) => {
		const flash = new NorFlash({ medium, power, marginalCells: false });
		const client = new ImageClient();
		const journal = make(flash, client);
		assert.equal(journal.mount().status, "ok");
		journal.pin();
		const found = client.contents(journal);
		const lost = [...expected.keys()].filter((id) => found.get(id) !== expected.get(id));
		const resurrected = [...found.keys()].filter((id) => !expected.has(id));
		assert.deepEqual([lost, resurrected], [[], []], `lost ${lost}, resurrected ${resurrected}`);
		const begin = (id: number, byteLength: number) => {
			client.begin(journal, id, new Uint8Array(byteLength).fill(id), byteLength);
			expected.set(id, client.contents(journal).get(id)!);
		};
		const end = (id: number) => {
			client.end(journal, id);
			expected.delete(id);
		};
		return { flash, journal, begin, end };
	};

	// The head has no room for another record when power goes right after X was written.
	const blockOf = (sequence: number) => {
		const header = emptyHeader();
		for (let block = 0; block < medium.blocks; block++) {
			const valid = decodeHeader(medium.image, block * 1024, header) === "valid" && header.kind !== 3;
			if (valid && header.sequence === sequence) return block;
		}
		return -1;
	};
	const newest = () => {
		const header = emptyHeader();
		let sequence = 0;
		for (let block = 0; block < medium.blocks; block++) {
			if (decodeHeader(medium.image, block * 1024, header) === "valid") sequence = Math.max(sequence, header.sequence);
		}
		return sequence;
	};
	const isFull = (block: number) => {
		const bytes = medium.image.subarray(block * 1024, (block + 1) * 1024);
		let used = bytes.length;
		while (used > 0 && bytes[used - 1] === 0xff) used--;
		return used + 454 > bytes.length;
	};
	const power = new Power();
	const first = start(power);
	first.begin(1, 100);
	first.begin(2, 100);
	for (let id = 1_000; ; id++) {
		assert.ok(first.journal.prepare(448), "there is room");
		const head = blockOf(newest());
		if (isFull(head) && ((newest() - head) & 15) === 1 && head < blocks - 3) break;
		first.begin(id, 448);
		first.end(id);
	}
	const sequence = newest();
	// The record and its header are more than one page: the last of the page programs is cut after its end.
	first.flash.cutAt(first.flash.operations + 2, 0xffff_ffff);
	assert.throws(() => first.begin(3, 448), PowerLost);
	const x = blockOf(sequence + 1);
	assert.ok(x > 0, "X is whole");

	// One cell of its header reads as 0 and as 1.
	const bit = medium.image[x * 1024 + 7] & -medium.image[x * 1024 + 7];
	assert.ok(bit !== 0);
	medium.image[x * 1024 + 7] ^= bit;
	assert.equal(blockOf(sequence + 1), -1, "X is nothing");
	const second = new NorFlash({ medium });
	second.failBlock(x);
	const boot = start();
	boot.begin(4, 50);
	const written = newest();
	assert.ok(blockOf(written) === x + 1 && isLater(written, sequence), "the boot's block is the one after X");

	medium.image[x * 1024 + 7] ^= bit;
	assert.ok(decodeHeader(medium.image, x * 1024, emptyHeader()) === "valid", "X is sound");
	for (let id = 5; id < 40; id++) {
		start().begin(id, 40);
		start().end(id);
	}
	start();
	assert.deepEqual([...expected.keys()], [1, 2, 4]);
}
