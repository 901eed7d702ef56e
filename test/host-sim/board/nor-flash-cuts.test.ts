/**
 * Goal: a power cut leaves what physics allows and nothing else, can be replayed by its name, and its marginal cells
 * lie until they are erased. Method: one program of known bytes, or one erase of a known block, cut in each way.
 */
import assert from "node:assert/strict";
import { CUT_AFTER, CUT_BEFORE, TEAR_SHAPES } from "../../../host-sim/board/flash-cut";
import { FlashMedium } from "../../../host-sim/board/flash-medium";
import { NorFlash } from "../../../host-sim/board/nor-flash";
import { Power, PowerLost } from "../../../host-sim/board/power";
import { SeededRandom } from "../../../host-sim/board/seeded-random";

const OLD = 0x5a;
/** Where it goes: a page of its own. */
const AT = 768;
const record = Uint8Array.from({ length: 200 }, (_, i) => (i * 37) & 0xff);

/** A flash whose block 1 is all OLD; nothing was done in this boot. */
function fixture(options: { seed?: number; marginalCells?: boolean; writeAlign?: number } = {}) {
	const { seed = 1, marginalCells = true, writeAlign = 1 } = options;
	const image = new Uint8Array(4 * 4096).fill(0xff);
	image.fill(OLD, 4096, 8192);
	const medium = new FlashMedium({ blocks: 4, image, writeAlign });
	const power = new Power();
	const boot = (): NorFlash => new NorFlash({ medium, random: new SeededRandom(seed), marginalCells });
	return { medium, power, boot, flash: new NorFlash({ medium, power, random: new SeededRandom(seed), marginalCells }) };
}

function cutProgram(byte: number, shape: number, options = {}) {
	const board = fixture(options);
	board.flash.cutAt(1, byte, shape);
	assert.throws(() => board.flash.write(record, AT), PowerLost);
	return board;
}

function cutErase(byte: number, shape: number, options = {}) {
	const board = fixture(options);
	board.flash.cutAt(1, byte, shape);
	assert.throws(() => board.flash.eraseBlock(1), PowerLost);
	return board;
}

describe("NOR flash: power cuts", () => {
	it("before an operation: nothing happened", () => {
		assert.ok(
			cutProgram(CUT_BEFORE, 0)
				.medium.image.subarray(0, 4096)
				.every((cell) => cell === 0xff),
		);
		const { medium } = cutErase(CUT_BEFORE, 0);
		assert.ok(medium.image.subarray(4096, 8192).every((cell) => cell === OLD));
		assert.deepEqual([...medium.erases], [0, 0, 0, 0]);
	});

	it("after an operation: all of it happened, firmly, and the call never returned", () => {
		for (let shape = 0; shape < TEAR_SHAPES; shape++) {
			const programmed = cutProgram(CUT_AFTER, shape);
			assert.deepEqual(programmed.medium.image.subarray(AT, AT + 200), record);
			const erased = cutErase(CUT_AFTER, shape);
			assert.ok(erased.medium.image.subarray(4096, 8192).every((cell) => cell === 0xff));
			for (const { medium } of [programmed, erased]) assert.equal(medium.marginal.size, 0);
		}
	});

	it("within a program, plainly: the bytes before are done, that byte is half done, the rest is untouched", () => {
		const halves = new Set<number>();
		for (let byte = 1; byte < 200; byte++) {
			const { image, marginal } = cutProgram(byte, 0).medium;
			assert.deepEqual(image.subarray(AT, AT + byte), record.subarray(0, byte));
			assert.equal(image[AT + byte] & record[byte], record[byte]);
			if (image[AT + byte] !== 0xff && image[AT + byte] !== record[byte]) halves.add(byte);
			assert.ok(image.subarray(AT + byte + 1, 4096).every((cell) => cell === 0xff));
			assert.equal(marginal.size, 0);
		}
		assert.ok(halves.size > 100, `${halves.size}`);
	});

	it("within an erase, plainly: the bytes before are erased, that byte is half erased, the rest is old", () => {
		const halves = new Set<number>();
		for (let byte = 1; byte < 4096; byte += 9) {
			const { image, marginal } = cutErase(byte, 0).medium;
			const cells = image.subarray(4096, 8192);
			assert.ok(cells.subarray(0, byte).every((cell) => cell === 0xff));
			assert.equal(cells[byte] & OLD, OLD);
			if (cells[byte] !== 0xff && cells[byte] !== OLD) halves.add(byte);
			assert.ok(cells.subarray(byte + 1).every((cell) => cell === OLD));
			assert.equal(marginal.size, 0);
		}
		assert.ok(halves.size > 200, `${halves.size}`);
	});

	it("within a program: any subset of the bits that would change, from none to all, and nothing outside", () => {
		const shares = new Set<string>();
		for (let n = 0; n < 400; n++) {
			const { image } = cutProgram(1 + ((n * 7) % 199), n, { marginalCells: false }).medium;
			let cleared = 0;
			let wanted = 0;
			for (let i = 0; i < 4096; i++) {
				const target = i >= AT && i < AT + 200 ? record[i - AT] : 0xff;
				assert.equal(target & ~image[i], 0, "a bit fell that was to stay");
				for (let bit = 0; bit < 8; bit++) {
					wanted += (~target >> bit) & 1;
					cleared += (~image[i] >> bit) & 1;
				}
			}
			shares.add(cleared === 0 ? "none" : cleared === wanted ? "all" : `${Math.floor((10 * cleared) / wanted)}`);
		}
		assert.deepEqual([...shares].sort(), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "all", "none"]);
	});

	it("within a program that crosses pages, the other pages are whole or untouched", () => {
		for (let n = 0; n < 100; n++) {
			const { flash, medium } = fixture({ marginalCells: false });
			flash.cutAt(2, 1 + n, n);
			assert.throws(() => flash.write(new Uint8Array(700), 100), PowerLost);
			assert.ok(medium.image.subarray(100, 256).every((cell) => cell === 0));
			assert.ok(medium.image.subarray(512, 4096).every((cell) => cell === 0xff));
		}
	});

	it("within an erase: old, 0x00, 0xFF and mixtures of them, in this block only", () => {
		let [olds, zeros, ones, mixed] = [0, 0, 0, 0];
		for (let n = 0; n < 200; n++) {
			const { image } = cutErase(1 + n * 20, n, { marginalCells: false }).medium;
			const cells = [...new Set(image.subarray(4096, 8192))];
			assert.ok(image.subarray(8192).every((cell) => cell === 0xff));
			if (cells.length > 1) mixed++;
			else if (cells[0] === OLD) olds++;
			else if (cells[0] === 0) zeros++;
			else if (cells[0] === 0xff) ones++;
			else assert.fail("one odd value all over");
		}
		for (const count of [olds, zeros, ones]) assert.ok(count >= 10, `${[olds, zeros, ones, mixed]}`);
		assert.ok(mixed >= 50);
	});

	it("the 18 shapes are 18 different results, and the same cut gives the same bytes", () => {
		for (const cut of [cutProgram, cutErase]) {
			const seen = new Set<string>();
			for (let shape = 0; shape < TEAR_SHAPES; shape++) {
				const { medium } = cut(77, shape);
				const again = cut(77, shape).medium;
				assert.deepEqual(again.image, medium.image);
				assert.deepEqual(again.marginal, medium.marginal);
				seen.add(`${medium.image.join()} ${[...medium.marginal.values()].map(({ mask }) => mask.join())}`);
			}
			assert.equal(seen.size, TEAR_SHAPES);
		}
		const { image } = cutProgram(77, 4).medium;
		assert.notDeepEqual(cutProgram(77, 4, { seed: 2 }).medium.image, image, "another seed");
		assert.notDeepEqual(cutProgram(78, 4).medium.image, image, "another byte");
	});

	it("a third of the shapes leave no marginal cell, a third some, a third all that were moving", () => {
		for (let shape = 0; shape < TEAR_SHAPES; shape++) {
			const { medium } = cutProgram(77, shape);
			let [cells, moving] = [0, 0];
			for (let i = 0; i < 200; i++) {
				for (let bit = 0; bit < 8; bit++) {
					moving += (~record[i] >> bit) & 1;
					cells += ((medium.marginal.get(0)?.mask[AT + i] ?? 0) >> bit) & 1;
				}
			}
			if (shape < 6) assert.equal(cells, 0);
			else if (shape < 12) assert.ok(cells > 0 && cells < moving, `${shape}: ${cells} of ${moving}`);
			else assert.equal(cells, moving);
		}
	});

	it("everything after the cut throws PowerLost, on every device of the board", () => {
		const { flash, power, medium } = cutProgram(77, 4);
		const neighbour = new NorFlash({ blocks: 4, power });
		assert.equal(power.on, false);
		for (const device of [flash, neighbour]) {
			assert.throws(() => device.read(new Uint8Array(1), 0), PowerLost);
			assert.throws(() => device.read(1, 0), PowerLost);
			assert.throws(() => device.write(new Uint8Array(1), 0), PowerLost);
			assert.throws(() => device.eraseBlock(0), PowerLost);
			assert.throws(() => device.status(), PowerLost);
			device.close();
		}
		const image = medium.image.slice();
		new NorFlash({ medium }).read(10, 0);
		assert.deepEqual(medium.image, image);
	});

	it("a unit whose program or erase was cut may not be programmed before a whole erase", () => {
		const board = cutProgram(77, 1, { writeAlign: 4 });
		assert.throws(() => board.boot().write(new Uint8Array(4), AT), /second time/);
		const erased = cutErase(77, 2, { writeAlign: 4, marginalCells: false });
		const flash = erased.boot();
		assert.throws(() => flash.write(new Uint8Array(4), 4096), /second time/);
		flash.eraseBlock(1);
		flash.write(new Uint8Array(4), 4096);
	});

	it("that holds as well for a block that was and still reads erased", () => {
		const { flash, boot } = fixture({ writeAlign: 4, marginalCells: false });
		flash.cutAt(1, 77, 2);
		assert.throws(() => flash.eraseBlock(2), PowerLost);
		assert.throws(() => boot().write(new Uint8Array(4), 8192), /second time/);
	});
});

describe("NOR flash: marginal cells", () => {
	const text = (flash: NorFlash) => new Uint8Array(flash.read(200, AT)).join();

	it("read differently from read to read and from boot to boot", () => {
		const { boot } = cutProgram(77, 16);
		const readings = new Set<string>();
		const firsts = new Set<string>();
		for (let i = 0; i < 20; i++) {
			const flash = boot();
			firsts.add(text(flash));
			for (let n = 0; n < 10; n++) readings.add(text(flash));
		}
		assert.ok(firsts.size > 2, `${firsts.size}`);
		assert.ok(readings.size > 10, `${readings.size}`);
	});

	it("a torn program can read whole in one boot and empty in another: the case that loses money", () => {
		const { boot } = cutProgram(77, 14);
		const readings = new Set(Array.from({ length: 40 }, () => text(boot())));
		assert.ok(readings.has(record.join()), "read whole");
		assert.ok(readings.has(new Uint8Array(200).fill(0xff).join()), "read empty");
	});

	it("a torn erase can read as the old block in one boot and as an erased one in another", () => {
		const { boot } = cutErase(77, 13);
		const readings = new Set(
			Array.from({ length: 40 }, () => [...new Set(new Uint8Array(boot().read(4096, 4096)))].sort().join()),
		);
		assert.ok(readings.has(`${OLD}`), "read old");
		assert.ok(readings.has("255"), "read erased");
	});

	it("touch no byte outside the interrupted operation", () => {
		const { boot } = cutProgram(77, 16);
		for (let i = 0; i < 50; i++) {
			const cells = new Uint8Array(boot().read(4 * 4096, 0));
			assert.ok(cells.subarray(0, AT).every((cell) => cell === 0xff));
			assert.ok(cells.subarray(AT + 200, 4096).every((cell) => cell === 0xff));
			assert.ok(cells.subarray(4096, 8192).every((cell) => cell === OLD));
		}
	});

	it("of several operations in one block are all of them marginal, wherever they lie", () => {
		const { medium } = fixture();
		for (const page of [2048, 256, 3840]) {
			const flash = new NorFlash({ medium });
			flash.cutAt(1, 40, 14);
			assert.throws(() => flash.write(new Uint8Array(60), page), PowerLost);
		}
		for (const page of [2048, 256, 3840]) {
			const values = new Set(
				Array.from({ length: 40 }, () => new Uint8Array(new NorFlash({ medium }).read(60, page)).join()),
			);
			assert.ok(values.size > 2, `page ${page}`);
		}
	});

	it("of a torn erase are those that were 0, or all where the block was programmed first", () => {
		for (const [shape, moving] of [
			[12, ~OLD & 0xff],
			[13, ~OLD & 0xff],
			[14, ~OLD & 0xff],
			[15, 0xff],
			[16, 0xff],
			[17, 0xff],
		]) {
			const mask = cutErase(77, shape).medium.marginal.get(1)?.mask;
			assert.ok(
				mask?.every((bits) => bits === moving),
				`${shape}`,
			);
		}
	});

	it("are not settled by programming over them, only by erasing their block", () => {
		const { boot, medium } = cutProgram(77, 13);
		boot().write(record, AT);
		assert.ok(new Set(Array.from({ length: 40 }, () => text(boot()))).size > 1);
		boot().eraseBlock(0);
		assert.equal(medium.marginal.size, 0);
		boot().write(record, AT);
		assert.deepEqual(new Set(Array.from({ length: 40 }, () => text(boot()))), new Set([record.join()]));
	});

	it("can be switched off", () => {
		for (let shape = 0; shape < TEAR_SHAPES; shape++) {
			assert.equal(cutProgram(77, shape, { marginalCells: false }).medium.marginal.size, 0);
		}
	});

	it("survive into a clone", () => {
		const medium = cutProgram(77, 14).medium.clone();
		const readings = Array.from({ length: 40 }, (_, i) => text(new NorFlash({ medium, random: new SeededRandom(i) })));
		assert.ok(new Set(readings).size > 1);
	});
});
