/**
 * The evidence ring on flash. Goal: whatever moment power goes, what was reported as written is read again, whole and in
 * order, until it makes room; nothing that was never written is read.
 * Method: a run of appends is cut at every flash operation, at several bytes, in several shapes, and booted again, twice.
 */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { FlashCut } from "../../host-sim/board/flash-cut";
import { FlashMedium } from "../../host-sim/board/flash-medium";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { CodedError } from "../../src/core/errors";
import type { FlashPartition } from "../../src/ports";
import { EvidenceRing } from "../../src/settlement/evidence-ring";
import {
	ANCHOR_BYTES,
	ENTRY_HEAD_BYTES,
	encodeRingHeader,
	FRAME_CLEAR_BYTES,
	PAYLOAD_BYTES_MAX,
	RING_HEADER_BYTES,
	RingType,
} from "../../src/settlement/evidence-ring-format";

const BLOCKS = 4;

/** Payload number `n`: recognisable, of changing length. */
function payload(n: number): Uint8Array {
	const bytes = new Uint8Array(FRAME_CLEAR_BYTES + ((n * 97) % 500));
	for (let i = 0; i < bytes.length; i++) bytes[i] = (n * 31 + i * 7) & 0xff;
	bytes[0] = n >> 8;
	bytes[1] = n;
	return bytes;
}

function append(ring: EvidenceRing, n: number): boolean {
	const bytes = payload(n);
	ring.entry.set(bytes, ENTRY_HEAD_BYTES);
	return ring.append(RingType.frame, bytes.length);
}

/** Numbers of the payloads that are read; each must be the one that has that number, byte for byte. */
function readAll(ring: EvidenceRing): number[] {
	const numbers: number[] = [];
	const place = ring.begin();
	for (let found = ring.read(place); found !== 0; found = ring.read(place)) {
		equal(found >>> 16, RingType.frame);
		const bytes = ring.entry.slice(ENTRY_HEAD_BYTES, ENTRY_HEAD_BYTES + (found & 0xffff));
		const n = (bytes[0] << 8) | bytes[1];
		deepEqual(bytes, payload(n), `entry ${n}`);
		numbers.push(n);
	}
	return numbers;
}

interface Life {
	readonly medium: FlashMedium;
	readonly writeAlign: number;
	/** Numbers that were reported as written. */
	readonly durable: number[];
	next: number;
}

function boot(life: Life, cut: FlashCut, seed: number): EvidenceRing {
	const flash = new NorFlash({ medium: life.medium, cut, random: new SeededRandom(seed) });
	const ring = new EvidenceRing(flash);
	ring.mount();
	return ring;
}

/** Appends until the power goes, or `count` are written. */
function live(life: Life, ring: EvidenceRing, count: number): void {
	for (let n = 0; n < count && !ring.broken; n++) {
		ring.idle(true);
		const number = life.next++;
		if (append(ring, number)) life.durable.push(number);
	}
}

function newLife(writeAlign = 1): Life {
	return {
		medium: new FlashMedium({ blocks: BLOCKS, blockLength: 4_096, writeAlign }),
		writeAlign,
		durable: [],
		next: 1,
	};
}

/** What is read is a run of what was durable, without a gap, up to the newest; one that was under way may be there. */
function check(life: Life, numbers: readonly number[], where: string): void {
	const known = numbers.filter((n) => life.durable.includes(n));
	const tail = life.durable.slice(life.durable.length - known.length);
	deepEqual(known, tail, where);
	for (let n = 1; n < numbers.length; n++) ok(numbers[n] > numbers[n - 1], where);
	// Of four blocks one is erased ahead and one may have been: the others keep at least four entries each.
	ok(known.length >= Math.min(life.durable.length, 8), `${where}: ${known.length} of ${life.durable.length}`);
}

describe("settlement: evidence ring", () => {
	for (const writeAlign of [1, 16, 32]) {
		it(`gives back what was written, over many turns and boots, at alignment ${writeAlign}`, () => {
			const life = newLife(writeAlign);
			for (let n = 0; n < 12; n++) {
				const ring = boot(life, new FlashCut(), n);
				live(life, ring, 13);
				check(life, readAll(ring), `run ${n}`);
				check(life, readAll(boot(life, new FlashCut(), n)), `boot ${n}`);
			}
			equal(life.durable.length, 12 * 13);
		});
	}

	for (const writeAlign of [1, 16]) {
		it(`loses nothing that was written, whatever moment power goes, at alignment ${writeAlign}`, () => {
			const plain = newLife(writeAlign);
			const counter = new FlashCut();
			live(plain, boot(plain, counter, 1), 40);
			ok(counter.operations > 60);
			let cuts = 0;
			for (let operation = 1; operation <= counter.operations; operation++) {
				for (const [byte, shape] of [
					[0, 0],
					[1, 4],
					[7, 2],
					[40, 11],
					[200, 17],
					[4_000, 8],
					[0xffff_ffff, 0],
				]) {
					const where = `cut ${operation}.${byte}/${shape}`;
					const life = newLife(writeAlign);
					const cut = new FlashCut();
					cut.cutAt(operation, byte, shape);
					live(life, boot(life, cut, 1), 40);
					const again = boot(life, new FlashCut(), operation);
					const numbers = readAll(again);
					check(life, numbers, where);
					const before = life.durable.length;
					live(life, again, 6);
					equal(life.durable.length, before + 6, where);
					check(life, readAll(boot(life, new FlashCut(), operation + 1)), `${where}, one boot later`);
					cuts++;
				}
			}
			ok(cuts > 400, `${cuts}`);
		}).timeout(60_000);
	}

	it("wears nothing by boots without an entry, and evenly by entries", () => {
		const life = newLife();
		for (let n = 0; n < 50; n++) {
			const cut = new FlashCut();
			const ring = boot(life, cut, n);
			for (let k = 0; k < 3; k++) ring.idle(false);
			equal(cut.operations, 0);
		}
		const ring = boot(life, new FlashCut(), 1);
		live(life, ring, 400);
		const erases = Array.from(life.medium.erases);
		ok(Math.max(...erases) - Math.min(...erases) <= 1, `${erases}`);
	});

	it("goes on behind an entry whose cells have changed", () => {
		const life = newLife();
		const ring = boot(life, new FlashCut(), 1);
		live(life, ring, 5);
		const numbers = readAll(ring);
		for (let at = RING_HEADER_BYTES; at < 1_000; at += 1) {
			const damaged: Life = { ...life, medium: life.medium.clone() };
			damaged.medium.image[at] ^= 0x10;
			const left = readAll(boot(damaged, new FlashCut(), 1));
			equal(left.length, numbers.length - 1, `byte ${at}`);
		}
	});

	it("reads nothing of an earlier turn, nor of anything that looks like an entry and stands elsewhere", () => {
		const life = newLife();
		const ring = boot(life, new FlashCut(), 1);
		live(life, ring, 3);
		// The whole block once more, in the next one: its header is as good as the first, its turn is not above it.
		const { image } = life.medium;
		image.copyWithin(4_096, 0, 4_096);
		deepEqual(readAll(boot(life, new FlashCut(), 2)), life.durable);
	});

	it("reads an entry only under its own block's turn, and only where it was written", () => {
		const life = newLife();
		live(life, boot(life, new FlashCut(), 1), 2);
		const { image } = life.medium;
		const before = image.slice();
		encodeRingHeader(image, 5);
		deepEqual(readAll(boot(life, new FlashCut(), 2)), []);
		image.set(before);
		deepEqual(readAll(boot(life, new FlashCut(), 2)), [1, 2]);
		image.copyWithin(3_000, RING_HEADER_BYTES, RING_HEADER_BYTES + 600);
		deepEqual(readAll(boot(life, new FlashCut(), 2)), [1, 2]);
	});

	it("passes over a block that fails, and ends quietly when all do", () => {
		const medium = new FlashMedium({ blocks: BLOCKS, blockLength: 4_096, writeAlign: 1 });
		const flash = new NorFlash({ medium });
		let failing = new Set([1]);
		const wrapped: FlashPartition = {
			status: () => flash.status(),
			read: ((target: Uint8Array, at: number) => flash.read(target, at)) as FlashPartition["read"],
			write: (bytes, at) => {
				if (failing.has(Math.floor(at / 4_096))) throw new CodedError("flash", "test");
				flash.write(bytes, at);
			},
			eraseBlock: (block) => flash.eraseBlock(block),
			close: () => flash.close(),
		};
		const ring = new EvidenceRing(wrapped);
		ring.mount();
		let written = 0;
		for (let n = 1; n <= 60; n++) {
			ring.idle(true);
			if (append(ring, n)) written++;
		}
		equal(written, 59, "one entry was refused with the block");
		ok(readAll(ring).length > 8);
		failing = new Set([0, 1, 2, 3]);
		for (let n = 61; n <= 80; n++) {
			ring.idle(true);
			append(ring, n);
		}
		equal(append(ring, 81), false);
	});

	it("is over, and says so, when flash cannot be read", () => {
		const flash = new NorFlash({ medium: new FlashMedium({ blocks: BLOCKS, blockLength: 4_096, writeAlign: 1 }) });
		const ring = new EvidenceRing({
			status: () => flash.status(),
			read: () => {
				throw new CodedError("flash", "test");
			},
			write: () => {},
			eraseBlock: () => {},
			close: () => {},
		});
		ring.mount();
		equal(ring.broken, true);
		equal(ring.idle(true), false);
		equal(append(ring, 1), false);
		equal(ring.read(ring.begin()), 0);
	});

	it("refuses a partition that can hold no ring", () => {
		const of = (status: Partial<ReturnType<FlashPartition["status"]>>) => (): void => {
			const whole = { size: 16_384, blockLength: 4_096, blocks: 4, ...status };
			new EvidenceRing({ status: () => whole } as FlashPartition);
		};
		const code = (wanted: string) => (error: unknown) => error instanceof CodedError && error.code === wanted;
		of({})();
		throws(of({ encrypted: true }), code("format"));
		throws(of({ eraseValue: 0 }), code("format"));
		throws(of({ blocks: 1 }), code("range"));
		throws(of({ blockLength: 1_024, blocks: 16 }), code("range"));
		throws(of({ writeAlign: 24 }), code("range"));
		throws(of({ size: 8_192 }), code("range"));
	});

	it("takes the shortest and the longest entries", () => {
		const life = newLife();
		const ring = boot(life, new FlashCut(), 1);
		ring.idle(true);
		ring.entry.fill(0x41, ENTRY_HEAD_BYTES, ENTRY_HEAD_BYTES + PAYLOAD_BYTES_MAX);
		for (const [type, count] of [
			[RingType.anchor, ANCHOR_BYTES],
			[RingType.frame, FRAME_CLEAR_BYTES],
			[RingType.frame, PAYLOAD_BYTES_MAX],
		]) {
			ok(ring.append(type, count));
			const place = ring.begin();
			let last = 0;
			for (let found = ring.read(place); found !== 0; found = ring.read(place)) last = found;
			equal(last, (type << 16) | count);
			ring.entry.fill(0x41, ENTRY_HEAD_BYTES, ENTRY_HEAD_BYTES + PAYLOAD_BYTES_MAX);
		}
	});
});
