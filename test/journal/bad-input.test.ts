/**
 * Bad input never hangs, crashes, writes or loses anything: partition images that hold anything at all, partitions that
 * can not hold a journal, arguments out of range.
 */
import { strict as assert } from "node:assert";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { Journal, MARK_BYTES_MAX } from "../../src/journal/journal";
import type { FlashPartition } from "../../src/ports";
import { breakJournal, type Change } from "./broken-journal";
import { BEGIN, ImageClient } from "./image-client";
import { searchRandomImages } from "./random-images";

const code = (expected: string) => (error: unknown) => error instanceof CodedError && error.code === expected;

describe("journal, random images", () => {
	for (const mirror of [false, true]) {
		it(`400 of ${mirror ? "two copies" : "one copy"} are answered in bounded work and lose nothing`, () => {
			const result = searchRandomImages({ count: 400, seed: 2, mirror });
			assert.deepEqual(result.failures, []);
			assert.ok((result.answers.ok ?? 0) > 80 && (result.answers.foreign ?? 0) > 40, JSON.stringify(result.answers));
			assert.ok(result.appends > 3000, `${result.appends} appends`);
		});
	}

	const CASES: { what: string; change: Change; failure: RegExp }[] = [
		{
			what: "believes a record without its CRC",
			change: {
				file: "block-scanner.ts",
				from: "return crc === recordCrc(window.bytes, at, this.#sequence, cursor) ? total : 0;",
				to: "return crc !== 0 ? total : 0;",
			},
			failure: /CodedError: journal position \d+: damaged/,
		},
		{
			what: "takes a free block for an erased one",
			change: {
				file: "log-writer.ts",
				from: "	erase(block: number): boolean {\n",
				to: "	erase(block: number): boolean {\n		if (block >= 0) return true;\n",
			},
			failure: /the block is not erased there/,
		},
		{
			what: "erases while mounting",
			change: {
				file: "journal.ts",
				from: "		this.#carryOffset = 0;\n		this.#writer.reset();\n",
				to: "		this.#carryOffset = 0;\n		this.#writer.reset();\n		this.#writer.erase(0);\n",
			},
			failure: /the mount wrote/,
		},
	];
	for (const { what, change, failure } of CASES) {
		it(`catch a journal that ${what}`, () => {
			const makeJournal = breakJournal(change);
			const { failures } = searchRandomImages({ count: 150, seed: 2, makeJournal });
			assert.ok(
				failures.some((text) => failure.test(text)),
				failures.join("\n") || "nobody noticed",
			);
		});
	}
});

describe("journal, partitions that can not hold one", () => {
	const good = { size: 40960, blockLength: 4096, blocks: 10, writeAlign: 1, eraseValue: 0xff, encrypted: false };
	type Status = typeof good;
	const partition = (change: Partial<Status>): FlashPartition => {
		const fail = () => {
			throw new Error("a partition that is refused is not touched");
		};
		return { status: () => ({ ...good, ...change }), read: fail, write: fail, eraseBlock: fail, close: fail };
	};
	const BAD: [string, Partial<Status>][] = [
		["encrypted by the flash controller", { encrypted: true }],
		["of 4 blocks", { blocks: 4, size: 4 * 4096 }],
		["of 5 blocks", { blocks: 5, size: 5 * 4096 }],
		["of 0 blocks", { blocks: 0, size: 0 }],
		["of -6 blocks", { blocks: -6, size: -6 * 4096 }],
		["of 10.5 blocks", { blocks: 10.5, size: 10.5 * 4096 }],
		["a byte longer than its blocks", { size: 40961 }],
		["of half a block more than its blocks", { size: 40960 + 2048 }],
		["of infinite size", { blocks: Number.POSITIVE_INFINITY, size: Number.POSITIVE_INFINITY }],
		["with blocks of 3,000 bytes", { blockLength: 3000, size: 30_000 }],
		["with blocks of 2,048.5 bytes", { blockLength: 2048.5, size: 20_485 }],
		["with blocks of NaN bytes", { blockLength: Number.NaN, size: Number.NaN }],
		["with a write unit of 64", { writeAlign: 64 }],
		["with a write unit of -1", { writeAlign: -1 }],
		["with a write unit of 1.5", { writeAlign: 1.5 }],
		["that erases to 0", { eraseValue: 0 }],
	];
	for (const [what, change] of BAD) {
		it(`a partition ${what} is refused, as journal and as mirror`, () => {
			assert.throws(() => new Journal(partition(change), new ImageClient()), code("format"));
			assert.throws(() => new Journal(partition({}), new ImageClient(), partition(change)), code("format"));
		});
	}

	it("6 blocks are enough, and a partition that says nothing of write unit and erased value has 1 and 0xFF", () => {
		new Journal(partition({ blocks: 6, size: 6 * 4096 }), new ImageClient());
		const bare = { ...partition({}), status: () => ({ size: 40960, blockLength: 4096, blocks: 10 }) };
		new Journal(bare, new ImageClient(), bare);
	});

	it("a mirror of other blocks is refused", () => {
		const others: Partial<Status>[] = [
			{ blocks: 11, size: 11 * 4096 },
			{ blockLength: 2048, blocks: 20 },
		];
		for (const other of others) {
			assert.throws(() => new Journal(partition({}), new ImageClient(), partition(other)), code("format"));
		}
	});
});

describe("journal, arguments out of range", () => {
	const start = () => {
		const flash = new NorFlash({ blocks: 8 });
		new Journal(flash, new ImageClient()).provision(3, Uint8Array.of(1));
		const client = new ImageClient();
		const journal = new Journal(flash, client);
		journal.mount();
		const payload = new Uint8Array(448);
		for (const id of [1, 2, 3]) client.begin(journal, id, payload, 50);
		return { flash, client, journal };
	};
	/** Everything is as before, also after a reboot, and new things are taken. */
	const goesOn = ({ flash, client, journal }: ReturnType<typeof start>, mark = "01") => {
		const before = [...client.contents(journal)];
		client.begin(journal, 4, new Uint8Array(448), 448);
		const again = new ImageClient();
		const next = new Journal(new NorFlash({ medium: flash.medium }), again);
		assert.deepEqual(next.mount().damagedRecords, 0);
		next.pin();
		const after = again.contents(next);
		assert.equal(after.get(4), `00000004${toHex(new Uint8Array(444))}`);
		after.delete(4);
		assert.deepEqual([...after], before);
		assert.equal(again.mark, mark);
	};
	const refused = (what: string, call: (journal: Journal) => unknown, expected: string) =>
		it(`${what} is a coded error, writes nothing, and the journal goes on`, () => {
			const opened = start();
			const before = opened.flash.operations;
			assert.throws(() => call(opened.journal), code(expected));
			assert.equal(opened.flash.operations, before);
			goesOn(opened);
		});
	const ten = new Uint8Array(10);

	for (const length of [449, 456, 511, 512, 65536, 2 ** 32 + 10]) {
		refused(`an append of ${length} bytes`, (journal) => journal.append(BEGIN, new Uint8Array(512), length), "length");
	}
	for (const length of [11, -1, -6, 0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
		refused(`an append of ${length} bytes of 10`, (journal) => journal.append(BEGIN, ten, length), "length");
		const settle = (journal: Journal) => journal.settle(ten, length);
		it(`a settlement with ${length} bytes of 10 is a coded error, writes nothing, and can be repeated`, () => {
			const opened = start();
			opened.journal.beginCarry();
			opened.client.carry(opened.journal);
			const before = opened.flash.operations;
			assert.throws(() => settle(opened.journal), code("length"));
			assert.equal(opened.flash.operations, before);
			opened.journal.settle(ten, 2);
			goesOn(opened, "0000");
		});
	}
	refused("provision data too long", (journal) => journal.provision(1, new Uint8Array(MARK_BYTES_MAX + 1)), "length");
	for (const position of [8 * 4096, 8 * 4096 + 32, 2 ** 32, 2 ** 53, -32, 64.5, Number.NEGATIVE_INFINITY]) {
		refused(`a read at ${position}`, (journal) => journal.read(position, new Uint8Array(448)), "range");
	}

	it("room that can not be had, or is no number of bytes, is answered with no", () => {
		const opened = start();
		for (const bytes of [8 * 4096, 1e9, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY, Number.NaN]) {
			assert.equal(opened.journal.prepare(bytes), false, `${bytes}`);
		}
		assert.equal(opened.journal.prepare(448), true);
		goesOn(opened);
	});
});
