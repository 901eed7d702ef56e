import { strict as assert } from "node:assert";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { equalBytes } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { Journal, MARK_BYTES_MAX } from "../../src/journal/journal";
import { begin, end, provisioned, reboot, thing } from "./checks";
import { BEGIN, Things } from "./things";

const code = (expected: string) => (error: unknown) => error instanceof CodedError && error.code === expected;

describe("journal, append and read", () => {
	for (const writeAlign of [1, 4, 16, 32]) {
		it(`every length from 0 to 448 reads back, also after a reboot, at a write unit of ${writeAlign}`, () => {
			const { flash, journal } = provisioned({ blocks: 200, writeAlign });
			const positions: number[] = [];
			for (let length = 0; length <= 448; length++) positions.push(journal.append(BEGIN, thing(length, length)));
			const out = new Uint8Array(448);
			const look = (from: Journal) => {
				for (let length = 0; length <= 448; length++) {
					const read = from.read(positions[length], out);
					assert.ok(equalBytes(out.subarray(0, read), thing(length, length)), `length ${length}`);
				}
			};
			look(journal);
			const again = reboot(flash.medium);
			look(again.journal);
			const seen: number[] = [];
			again.journal.forEach((type, position, _bytes, _start, byteLength) => {
				assert.equal(type, BEGIN);
				assert.equal(position, positions[byteLength]);
				seen.push(byteLength);
			});
			assert.deepEqual(
				seen,
				positions.map((_, length) => length),
			);
		});
	}

	it("a record of more than 448 bytes, or longer than what holds it, is refused and nothing is written", () => {
		const { flash, journal } = provisioned();
		journal.pin();
		const before = flash.operations;
		assert.throws(() => journal.append(BEGIN, new Uint8Array(449)), code("length"));
		assert.throws(() => journal.append(BEGIN, new Uint8Array(10), 11), code("length"));
		assert.equal(flash.operations, before);
	});

	it("a type outside 8 to 62 is our own bug", () => {
		const { journal } = provisioned();
		for (const type of [0, 1, 3, 7, 63, 64]) assert.throws(() => journal.append(type, new Uint8Array(1)), /I7/);
	});

	it("a position outside the log is a coded error", () => {
		const opened = provisioned();
		begin(opened, 1, 50);
		const out = new Uint8Array(448);
		for (const position of [-1, -4096, 40960, 1e9, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 5 * 4096 + 32, 4096]) {
			assert.throws(() => opened.journal.read(position, out), code("range"), String(position));
		}
	});

	it("an offset where no record begins is a coded error, at every offset of a block", () => {
		const opened = provisioned();
		const starts = new Set([begin(opened, 1, 50), begin(opened, 2, 448), begin(opened, 3, 0)]);
		const out = new Uint8Array(448);
		const base = Math.floor([...starts][0] / 4096) * 4096;
		let read = 0;
		for (let position = base; position < base + 4096; position++) {
			try {
				opened.journal.read(position, out);
				read++;
			} catch (error) {
				assert.ok(error instanceof CodedError, `position ${position}: ${error}`);
				assert.ok(!starts.has(position));
			}
		}
		assert.equal(read, starts.size + 3); // The boot record and its two confirms.
	});

	it("a buffer that is too short gets nothing", () => {
		const opened = provisioned();
		const position = begin(opened, 1, 50);
		const short = new Uint8Array(49);
		assert.throws(() => opened.journal.read(position, short), code("length"));
		assert.ok(short.every((byte) => byte === 0));
	});

	it("reading before a mount is a coded error, and a visitor that appends is our own bug", () => {
		const opened = provisioned();
		const position = begin(opened, 1, 50);
		const unmounted = new Journal(new NorFlash({ medium: opened.flash.medium }), new Things());
		assert.throws(() => unmounted.read(position, new Uint8Array(448)), code("range"));
		assert.throws(() => unmounted.pin(), /I7/);
		const append = () => {
			opened.journal.append(BEGIN, new Uint8Array(1));
		};
		assert.throws(() => opened.journal.forEach(append), /I7/);
		begin(opened, 2, 10); // And the journal goes on.
	});

	it("a mark's bytes come back with the mount, at the greatest length too", () => {
		const opened = provisioned();
		const { journal } = opened;
		const data = thing(9, MARK_BYTES_MAX);
		journal.beginCarry();
		journal.settle(data);
		assert.equal(reboot(opened.flash.medium).things.mark, Buffer.from(data).toString("hex").toUpperCase());
		journal.beginCarry();
		assert.throws(() => journal.settle(new Uint8Array(MARK_BYTES_MAX + 1)), code("length"));
		assert.throws(() => journal.settle(new Uint8Array(4), 5), code("length"));
	});

	it("a settlement without its beginning is our own bug", () => {
		const { journal } = provisioned();
		journal.pin();
		assert.throws(() => journal.settle(new Uint8Array(1)), /I7/);
	});

	it("256 blocks take less than 2,048 bytes of memory", () => {
		assert.ok(new Journal(new NorFlash({ blocks: 256 }), new Things()).ramBytes <= 2048);
	});

	it("a closed journal closes its partition", () => {
		const opened = provisioned();
		begin(opened, 1, 10);
		end(opened, 1);
		opened.journal.close();
		assert.throws(() => opened.flash.eraseBlock(0), /after close/);
	});
});
