/**
 * Goal: a mount says which rows of the recovery table (src/journal/DESIGN.md) it went through, so that a search can say
 * where it has been. Method: flash as each row has it, made by hand or by a cut.
 */
import { strict as assert } from "node:assert";
import { FlashMedium } from "../../host-sim/board/flash-medium";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { Power, PowerLost } from "../../host-sim/board/power";
import { writeU32 } from "../../src/core/bytes";
import { crc32c } from "../../src/core/crc32c";
import { HEADER_BYTES } from "../../src/journal/format";
import { Journal } from "../../src/journal/journal";
import { begin, type Opened, provisioned, reboot } from "./checks";
import { Things } from "./things";

function casesOf(medium: FlashMedium, mirror?: FlashMedium): string {
	const flash = new NorFlash({ medium });
	const copy = mirror === undefined ? undefined : new NorFlash({ medium: mirror });
	return new Journal(flash, new Things(), copy).mount().cases;
}

/** A boot that has pinned and written one record more. */
function booted(): Opened {
	const opened = reboot(provisioned().flash.medium);
	begin(opened, 1, 20);
	return opened;
}

/** Block number of the head: the only one of kind boot. */
function bootBlock({ image, blockLength, blocks }: FlashMedium): number {
	for (let block = 0; block < blocks; block++) if (image[block * blockLength + 3] === 2) return block;
	throw new Error("no boot block");
}

/** Changes a byte of a header, and makes its CRC right. */
function changeHeader({ image, blockLength }: FlashMedium, block: number, at: number, value: number): void {
	const base = block * blockLength;
	image[base + at] = value;
	writeU32(image, base + 28, crc32c(image, base, base + 28));
}

/** A copy of `medium` in which power goes at the `operation`-th operation of a boot that pins. */
function cutPin(medium: FlashMedium, operation: number): FlashMedium {
	const power = new Power();
	const flash = new NorFlash({ medium: medium.clone(), power, marginalCells: false });
	const journal = new Journal(flash, new Things());
	journal.mount();
	flash.cutAt(operation, -1 >>> 0, 0);
	try {
		journal.pin();
	} catch (error) {
		if (!(error instanceof PowerLost)) throw error;
	}
	return flash.medium;
}

describe("journal, rows of the recovery table", () => {
	it("A, B, D: nothing of a journal, somebody else's, provisioning that was cut", () => {
		const blank = new FlashMedium({ blocks: 10 });
		assert.equal(casesOf(blank), "A");
		const foreign = blank.clone();
		foreign.image[9] = 0;
		assert.equal(casesOf(foreign), "B");
		const power = new Power();
		const flash = new NorFlash({ medium: blank, power });
		flash.cutAt(5, 0);
		assert.throws(() => new Journal(flash, new Things()).provision(1, Uint8Array.of(1)), PowerLost);
		assert.equal(casesOf(blank), "D");
	});

	it("I and G: a log block, and a boot's", () => {
		const fresh = provisioned();
		assert.equal(casesOf(fresh.flash.medium), "I");
		fresh.journal.pin();
		assert.equal(casesOf(fresh.flash.medium), "G");
		assert.equal(fresh.journal.cases, "I"); // What it has mounted, not what it has written since.
	});

	it("C: a block of a later format", () => {
		const { medium } = booted().flash;
		changeHeader(medium, bootBlock(medium), 2, 3);
		assert.equal(casesOf(medium), "C");
	});

	it("F: a boot that was cut before anything followed its boot record", () => {
		const { medium } = provisioned().flash;
		const seen = new Set<string>();
		for (let operation = 1; operation <= 4; operation++) seen.add(casesOf(cutPin(medium, operation)));
		assert.deepEqual([...seen].sort(), ["FI", "G", "I"]);
	});

	it("E: a log block without a valid record is passed over", () => {
		const opened = provisioned({ blocks: 10, blockLength: 1_024 });
		for (let id = 1; id < 5; id++) begin(opened, id, 400);
		const { medium } = opened.flash;
		assert.equal(casesOf(medium), "I");
		const { image, blockLength } = medium;
		// The newest block: its first record is spoilt, and it has no other.
		let newest = 0;
		let sequence = 0;
		for (let block = 0; block < medium.blocks; block++) {
			const base = block * blockLength;
			const found = image[base] === 0x5a ? (image[base + 14] << 8) | image[base + 15] : 0;
			if (found > sequence) [newest, sequence] = [block, found];
		}
		image.fill(0, newest * blockLength + HEADER_BYTES, (newest + 1) * blockLength);
		assert.equal(casesOf(medium)[0], "E");
	});

	it("H: a boot record that was damaged later, with facts after it", () => {
		const { medium } = booted().flash;
		medium.image[bootBlock(medium) * medium.blockLength + HEADER_BYTES + 3] ^= 1;
		assert.match(casesOf(medium), /^H/);
	});

	it("J: a block of the chain is lost", () => {
		const opened = provisioned({ blocks: 10, blockLength: 1_024 });
		for (let id = 1; id < 8; id++) begin(opened, id, 300);
		const { medium } = opened.flash;
		const { image, blockLength } = medium;
		const used: number[] = [];
		for (let block = 0; block < medium.blocks; block++) if (image[block * blockLength] === 0x5a) used.push(block);
		let lost = 0;
		for (const block of used) {
			const damaged = medium.clone();
			damaged.image.fill(0xff, block * blockLength, (block + 1) * blockLength);
			if (casesOf(damaged).endsWith("J")) lost++;
		}
		assert.ok(lost > 0);
	});

	it("K: two journals of one generation", () => {
		const first = booted().flash.medium;
		const second = first.clone();
		for (let block = 0; block < second.blocks; block++) {
			if (second.image[block * second.blockLength] === 0x5a) changeHeader(second, block, 7, 0x99);
		}
		assert.equal(casesOf(first, second), "K");
	});

	it("L: one copy holds nothing of it", () => {
		const { medium } = booted().flash;
		assert.equal(casesOf(medium, new FlashMedium({ blocks: 10 })), "GL");
	});

	it("M: a mending that was cut is done once more when the boot pins", () => {
		const media = [new FlashMedium({ blocks: 10 }), new FlashMedium({ blocks: 10 })] as const;
		const open = (power = new Power()) => {
			const [first, second] = media.map((medium) => new NorFlash({ medium, power }));
			return { first, journal: new Journal(first, new Things(), second) };
		};
		open().journal.provision(1, Uint8Array.of(1));
		const { journal } = open();
		journal.mount();
		journal.pin();
		for (let id = 0; id < 3; id++) journal.append(8, new Uint8Array(100));
		// The first block of the log is lost on one copy; the boot after that begins to mend it.
		media[1].image.fill(0xff, media[1].blockLength, 2 * media[1].blockLength);
		let found = false;
		for (let operation = 1; operation < 60 && !found; operation++) {
			const power = new Power();
			const dying = open(power);
			dying.journal.mount();
			try {
				dying.journal.pin();
				dying.first.cutAt(dying.first.operations + operation, 0);
				for (let n = 0; n < 20; n++) dying.journal.idle();
			} catch (error) {
				if (!(error instanceof PowerLost)) throw error;
			}
			const next = open().journal;
			next.mount();
			assert.ok(!next.cases.includes("M"), "only pin does it");
			next.pin();
			found = next.cases.endsWith("M");
		}
		assert.ok(found, "some cut falls within a mending");
	});
});
