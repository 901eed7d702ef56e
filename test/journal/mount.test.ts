import { strict as assert } from "node:assert";
import { FlashMedium } from "../../host-sim/board/flash-medium";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { writeU32 } from "../../src/core/bytes";
import { crc32c } from "../../src/core/crc32c";
import { CodedError } from "../../src/core/errors";
import { Journal } from "../../src/journal/journal";
import type { FlashPartition } from "../../src/ports";
import { begin, checkThings, checkWholeBootsHoldNothing, makeJournal, provisioned, reboot } from "./checks";
import { Things } from "./things";

function mountOf(medium: FlashMedium) {
	const flash = new NorFlash({ medium });
	const result = new Journal(flash, new Things()).mount();
	assert.equal(flash.operations, 0);
	return result;
}

describe("journal, mount", () => {
	it("a partition that can not hold a journal is refused by its constructor", () => {
		const good = { size: 40960, blockLength: 4096, blocks: 10, writeAlign: 1, eraseValue: 0xff };
		const make = (change: Partial<typeof good>) =>
			new Journal({ status: () => ({ ...good, ...change }) } as unknown as FlashPartition, new Things());
		make({});
		const bad: Partial<typeof good>[] = [
			{ size: 40959 },
			{ size: 40961 },
			{ blocks: 3, size: 3 * 4096 },
			{ blocks: 5, size: 5 * 4096 },
			{ blocks: 65536, size: 65536 * 4096 },
			{ blocks: Number.NaN },
			{ blockLength: 4000, size: 40000 },
			{ blockLength: 512, size: 5120 },
			{ blockLength: 65536, size: 655360 },
			{ blockLength: 0, size: 0 },
			{ writeAlign: 3 },
			{ writeAlign: 0 },
			{ writeAlign: 64 },
			{ eraseValue: 0 },
		];
		for (const change of bad) {
			const isFormat = (error: unknown) => error instanceof CodedError && error.code === "format";
			assert.throws(() => make(change), isFormat, JSON.stringify(change));
		}
	});

	it("blank flash is unprovisioned, and anything else without a header foreign", () => {
		assert.equal(mountOf(new FlashMedium({ blocks: 10 })).status, "unprovisioned");
		const medium = new FlashMedium({ blocks: 10 });
		medium.image[4096 * 3] = 0;
		assert.equal(mountOf(medium).status, "foreign");
	});

	it("2,000 images of random bytes, and of random changes to a journal, give an answer or a coded error", () => {
		const random = new SeededRandom(1);
		const opened = provisioned({ blocks: 8, blockLength: 1024 });
		for (let id = 1; id < 12; id++) begin(opened, id, 100);
		const out = new Uint8Array(448);
		for (let n = 0; n < 2000; n++) {
			const medium = opened.flash.medium.clone();
			const { image } = medium;
			if (n % 4 === 0) random.fill(image);
			else if (n % 4 === 1) random.fill(image.subarray(random.below(8192)));
			else for (let i = random.below(60); i >= 0; i--) image[random.below(8192)] = random.u32();
			const things = new Things();
			const journal = new Journal(new NorFlash({ medium }), things);
			try {
				const { status } = journal.mount();
				if (status !== "ok") continue;
				for (const position of things.live.values()) journal.read(position, out);
				journal.pin();
				journal.prepare(100);
			} catch (error) {
				assert.ok(error instanceof CodedError, `image ${n}: ${(error as Error).stack}`);
			}
		}
	});

	it("a header of a later format is answered with newer, whatever else is there", () => {
		const { medium } = provisioned().flash;
		const at = 7 * 4096;
		medium.image.copyWithin(at, 4096, 4096 + 32);
		medium.image[at + 2] = 3;
		writeU32(medium.image, at + 28, crc32c(medium.image, at, at + 28));
		assert.equal(mountOf(medium).status, "newer");
	});

	it("blocks of two journals of one generation are foreign: they are never merged", () => {
		const { medium } = provisioned().flash;
		const at = 7 * 4096;
		medium.image.copyWithin(at, 4096, 4096 + 32);
		medium.image[at + 4] ^= 1;
		writeU32(medium.image, at + 28, crc32c(medium.image, at, at + 28));
		assert.equal(mountOf(medium).status, "foreign");
	});

	it("a journal of another block length or write unit is foreign", () => {
		const { medium } = provisioned({ blocks: 16 }).flash;
		assert.equal(mountOf(new FlashMedium({ blocks: 8, blockLength: 8192, image: medium.image })).status, "foreign");
		assert.equal(mountOf(new FlashMedium({ blocks: 16, writeAlign: 16, image: medium.image })).status, "foreign");
	});

	it("1,000 reboots without an append write and erase nothing", () => {
		const opened = provisioned();
		begin(opened, 1, 30);
		const { medium } = opened.flash;
		const before = medium.image.slice();
		const erases = [...medium.erases];
		for (let boot = 0; boot < 1000; boot++) {
			const again = reboot(medium);
			checkThings(again, new Map([[1, 30]]));
			again.journal.idle();
			assert.equal(again.flash.operations, 0);
		}
		assert.deepEqual(medium.image, before);
		assert.deepEqual([...medium.erases], erases);
	});

	it("reboots that pin and do no more hold back and use up nothing", () => {
		checkWholeBootsHoldNothing(makeJournal);
	});
});
