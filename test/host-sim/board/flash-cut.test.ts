/**
 * Goal: a cut has one name, the name says a moment of the whole board, and whoever types it sees the same bytes.
 * Method: random cuts of a board with two partitions, each replayed by the name that its error printed.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
	CUT_AFTER,
	CUT_BEFORE,
	drawCutByte,
	FlashCut,
	formatCut,
	parseCut,
	TEAR_SHAPES,
} from "../../../host-sim/board/flash-cut";
import { FlashMedium } from "../../../host-sim/board/flash-medium";
import { NorFlash } from "../../../host-sim/board/nor-flash";
import { Power, PowerLost } from "../../../host-sim/board/power";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { AssertionError } from "../../../src/core/assert";
import { CodedError } from "../../../src/core/errors";

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const operations = fc.integer({ min: 1, max: 0xffff_ffff });
const shapes = fc.integer({ min: 0, max: TEAR_SHAPES - 1 });

/** A journal and its mirror, one supply, one counter; 14 operations, of which 11 and 12 are erases. */
function board(seed = 7) {
	const media = [new FlashMedium({ blocks: 4 }), new FlashMedium({ blocks: 4 })];
	const power = new Power();
	const cut = new FlashCut();
	const random = new SeededRandom(seed);
	const [journal, mirror] = media.map((medium) => new NorFlash({ medium, power, cut, random }));
	const work = (): void => {
		for (let n = 0; n < 3; n++) {
			for (const flash of [journal, mirror]) flash.write(new Uint8Array(100).fill(n), n * 100);
		}
		journal.write(new Uint8Array(40), 480);
		for (const flash of [journal, mirror]) flash.eraseBlock(0);
		for (const flash of [journal, mirror]) flash.write(new Uint8Array(60).fill(5), 4096);
	};
	/** Everything that is to be the same when a cut is replayed. */
	const silicon = (): unknown => media.map(({ image, marginal, erases }) => [image, [...marginal], erases]);
	return { media, power, cut, journal, mirror, work, silicon };
}

function messageOf(work: () => void): string {
	try {
		work();
	} catch (error) {
		if (error instanceof PowerLost) return error.message;
		throw error;
	}
	return "";
}

describe("flash cuts: names", () => {
	it("are operation, byte and shape, the shape only when it is not the plain one", () => {
		assert.equal(formatCut({ operation: 12, byte: 37, shape: 0 }), "12.37");
		assert.equal(formatCut({ operation: 12, byte: 37, shape: 5 }), "12.37/5");
		assert.deepEqual(parseCut("12.37"), { operation: 12, byte: 37, shape: 0 });
		assert.deepEqual(parseCut("cut=12.37/17"), { operation: 12, byte: 37, shape: 17 });
	});

	it("of any cut read back as that cut, with and without their prefix", () => {
		fc.assert(
			fc.property(operations, u32, shapes, (operation, byte, shape) => {
				const cut = { operation, byte, shape };
				assert.deepEqual(parseCut(formatCut(cut)), cut);
				assert.deepEqual(parseCut(`cut=${formatCut(cut)}`), cut);
			}),
		);
	});

	it("that are none are refused with a code that says why", () => {
		const refused = (text: string, code: string) =>
			assert.throws(
				() => parseCut(text),
				(error) => error instanceof CodedError && error.code === code && error.place === "cut",
				text,
			);
		for (const text of ["", "12", "12.", ".37", "12.37/", "12.37/5/6", "a.b", "1e3.4", "-1.2", "12.37 ", "12,37"]) {
			refused(text, "format");
		}
		for (const text of ["12.37/123", "99999999999.1", "1.99999999999"]) refused(text, "format");
		for (const text of ["0.5", "4294967296.0", "1.4294967296", "1.2/18", "1.2/99"]) refused(text, "range");
	});

	it("of any text are either read or refused with a code", () => {
		const near = fc.stringMatching(/^(cut=)?[0-9]{0,11}[./][0-9]{0,11}[./]?[0-9]{0,3}$/);
		fc.assert(
			fc.property(fc.oneof(fc.string(), near), (text) => {
				try {
					const cut = parseCut(text);
					assert.deepEqual(parseCut(formatCut(cut)), cut);
				} catch (error) {
					assert.ok(error instanceof CodedError, `${error}`);
				}
			}),
		);
	});

	it("in the error are exact, whatever number was drawn", () => {
		const cases: [operation: number, byte: number, shape: number, name: string][] = [
			[1, CUT_BEFORE, 0, "before a program, cut=1.0"],
			[1, 37, 0, "in a program, cut=1.37"],
			[1, 37, 5, "in a program, cut=1.37/5"],
			[1, 37 + 101, 5 + TEAR_SHAPES, "in a program, cut=1.37/5"],
			[1, 100, 0, "after a program, cut=1.100"],
			[1, 201, 0, "after a program, cut=1.100"],
			[1, CUT_AFTER, 3, "after a program, cut=1.100/3"],
			[8, 24, 0, "in a program, cut=8.24"],
			[11, 0, 0, "before an erase, cut=11.0"],
			[11, 4095, 2, "in an erase, cut=11.4095/2"],
			[11, 4096, 0, "after an erase, cut=11.4096"],
			[11, 4097, 0, "before an erase, cut=11.0"],
			[12, CUT_AFTER, 0, "after an erase, cut=12.4096"],
		];
		for (const [operation, byte, shape, name] of cases) {
			const { cut, work, power } = board();
			cut.cutAt(operation, byte, shape);
			assert.equal(messageOf(work), `power lost ${name}`);
			assert.equal(cut.name, name.split("=")[1]);
			assert.equal(cut.operations, operation);
			assert.equal(power.on, false);
		}
	});

	it("as printed bring back the same bytes and the same marginal cells, whatever number was drawn first", () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 14 }), u32, u32, u32, (operation, byte, shape, seed) => {
				const first = board(seed);
				first.journal.cutAt(operation, byte, shape);
				const message = messageOf(first.work);
				const cut = parseCut(message.slice(message.indexOf("cut=")));
				const again = board(seed);
				again.mirror.cutAt(cut.operation, cut.byte, cut.shape);
				assert.equal(messageOf(again.work), message);
				assert.deepEqual(again.silicon(), first.silicon());
			}),
		);
	});

	it("do not depend on what else was read or damaged before", () => {
		const first = board();
		first.cut.cutAt(11, 1000, 16);
		messageOf(first.work);
		const again = board();
		again.cut.cutAt(11, 1000, 16);
		again.journal.flipBits(1, 8192, 12288);
		again.mirror.destroyBlock(3, "noise");
		again.journal.read(new Uint8Array(500), 0);
		messageOf(again.work);
		assert.deepEqual(again.media[0].image.subarray(0, 4096), first.media[0].image.subarray(0, 4096));
		assert.deepEqual([...again.media[0].marginal], [...first.media[0].marginal]);
	});
});

describe("flash cuts: one counter for a board", () => {
	it("counts the operations of both partitions, and either can be asked", () => {
		const { journal, mirror, cut } = board();
		journal.write(new Uint8Array(300), 0);
		mirror.eraseBlock(2);
		assert.deepEqual([journal.operations, mirror.operations, cut.operations], [3, 3, 3]);
		assert.deepEqual([journal.pagesProgrammed, mirror.pagesProgrammed, mirror.blocksErased], [2, 0, 1]);
	});

	it("cuts the partition whose turn it is, leaves the other as it was, and both are dead", () => {
		const { journal, mirror, media, work } = board();
		journal.cutAt(2, 50, 0);
		assert.match(messageOf(work), /cut=2\.50$/);
		assert.ok(media[0].image.subarray(0, 100).every((cell) => cell === 0));
		assert.ok(media[1].image.subarray(0, 50).every((cell) => cell === 0));
		assert.ok(media[1].image.subarray(51, 100).every((cell) => cell === 0xff));
		for (const flash of [journal, mirror]) assert.throws(() => flash.read(1, 0), PowerLost);
	});

	it("strikes once, and a later one replaces one that still waits", () => {
		const { cut, work, journal } = board();
		journal.cutAt(3, 0);
		journal.cutAt(5, 7, 1);
		assert.equal(cut.name, "5.7/1");
		assert.match(messageOf(work), /cut=5\.7\/1$/);
	});

	it("has no name before a cut is asked for", () => {
		assert.equal(new FlashCut().name, "");
	});

	it("refuses a cut in the past and numbers that are no counts", () => {
		const { cut, journal } = board();
		journal.write(new Uint8Array(1), 0);
		for (const operation of [0, 1, 2.5, Number.NaN]) assert.throws(() => cut.cutAt(operation, 0), AssertionError);
		for (const byte of [-1, 0.5, 0x1_0000_0000]) assert.throws(() => cut.cutAt(2, byte), AssertionError);
		for (const shape of [-1, 0.5]) assert.throws(() => cut.cutAt(2, 0, shape), AssertionError);
		cut.cutAt(2, 0);
	});

	it("gives two partitions with the same generator different damage and different marginal reads", () => {
		const power = new Power();
		const boots = (cut: FlashCut, media: FlashMedium[]) =>
			media.map((medium) => new NorFlash({ medium, power, cut, random: new SeededRandom(3) }));
		const media = [new FlashMedium({ blocks: 8 }), new FlashMedium({ blocks: 8 })];
		const [a, b] = boots(new FlashCut(), media);
		assert.notDeepEqual(a.flipBits(20), b.flipBits(20));
		a.destroyBlock(1, "noise");
		b.destroyBlock(1, "noise");
		assert.notDeepEqual(media[0].image.subarray(4096, 8192), media[1].image.subarray(4096, 8192));
		for (const medium of media) medium.marginalMask(2, 0, 100).fill(0xff, 0, 100);
		let different = 0;
		for (let n = 0; n < 20; n++) {
			const [c, d] = boots(new FlashCut(), media);
			const reads = [c, d].map((flash) => new Uint8Array(flash.read(100, 8192)).join());
			if (reads[0] !== reads[1]) different++;
		}
		assert.ok(different >= 8, `${different}`);
	});
});

describe("flash cuts: drawing", () => {
	it("is before, within and after, each often enough, also for operations of a few bytes", () => {
		const random = new SeededRandom(1);
		for (const byteLength of [8, 100, 4096]) {
			const seen = [0, 0, 0];
			for (let n = 0; n < 1000; n++) {
				const cut = new FlashCut();
				cut.cutAt(1, drawCutByte(random));
				const byte = cut.begin(byteLength);
				assert.ok(byte >= 0 && byte <= byteLength);
				seen[byte === 0 ? 0 : byte === byteLength ? 2 : 1]++;
			}
			for (const count of seen) assert.ok(count > 200, `${seen}`);
		}
	});
});
