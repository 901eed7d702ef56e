/**
 * Partition images that a mount may meet and that nobody meant: noise, forged headers and records with right CRCs,
 * real journals damaged in many ways, blocks of two journals mixed. Each follows from its generator alone.
 */
import { NorFlash } from "../../host-sim/board/nor-flash";
import type { SeededRandom } from "../../host-sim/board/seeded-random";
import { writeU16, writeU32 } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import {
	type BlockHeader,
	BlockKind,
	decodeHeader,
	emptyHeader,
	encodeHeader,
	FORMAT,
	HEADER_BYTES,
	RecordType,
	recordBytes,
	recordCrc,
	recordHead,
} from "../../src/journal/format";
import { Journal } from "../../src/journal/journal";
import { BEGIN, END, ImageClient } from "./image-client";

export interface Geometry {
	blocks: number;
	blockLength: number;
	writeAlign: number;
}

export function drawGeometry(random: SeededRandom): Geometry {
	const blocks = random.chance(1, 12) ? 16 + random.below(49) : 6 + random.below(8);
	return {
		blocks,
		blockLength: blocks > 32 || random.chance(2, 3) ? 1024 : 4096,
		writeAlign: 1 << random.below(6),
	};
}

/**
 * @param made - what the image is made from: two copies of one journal share it
 * @param random - what is broken in it; forgeries follow from `made` alone
 */
export type ImageMaker = (made: SeededRandom, random: SeededRandom, geometry: Geometry) => Uint8Array;

const sizeOf = (geometry: Geometry): number => geometry.blocks * geometry.blockLength;

function noise(random: SeededRandom, geometry: Geometry): Uint8Array {
	const image = new Uint8Array(sizeOf(geometry));
	const background = random.below(4);
	if (background === 0) random.fill(image);
	else {
		image.fill(random.pick([0xff, 0xff, 0x00]));
		const places = random.below(40);
		for (let n = 0; n < places; n++) {
			const from = random.below(image.length);
			random.fill(image.subarray(from, from + 1 + random.below(background === 1 ? 8 : 600)));
		}
	}
	return image;
}

/** A sequence in or near the window that a journal's own ones would come from, or anything. */
function drawSequence(random: SeededRandom, first: number, blocks: number): number {
	const what = random.below(10);
	if (what === 0) return random.u32();
	if (what === 1) return (first + random.below(4 * blocks)) >>> 0;
	if (what === 2) return (first - random.below(blocks)) >>> 0;
	return (first + random.below(blocks)) >>> 0;
}

/** An offset in a block: where a record may end, or odd, or beyond the block. */
function drawOffset(random: SeededRandom, { blockLength, writeAlign }: Geometry): number {
	const what = random.below(8);
	if (what === 0) return random.below(0x10000);
	if (what === 1) return random.pick([0, 1, 31, 32, 33, blockLength - 1, blockLength, blockLength + 1, 0xffff]);
	if (what < 4) return HEADER_BYTES + random.below(blockLength - HEADER_BYTES);
	return HEADER_BYTES + (random.below(blockLength - HEADER_BYTES) & -writeAlign);
}

function drawKind(random: SeededRandom): number {
	return random.chance(1, 20)
		? random.below(256)
		: random.pick([BlockKind.log, BlockKind.log, BlockKind.boot, BlockKind.boot, BlockKind.provisioning]);
}

/** What the forged blocks of one image share. */
interface Forgery {
	geometry: Geometry;
	first: number;
	id: number;
	generation: number;
	orderly: boolean;
}

function forgery(random: SeededRandom, geometry: Geometry): Forgery {
	const near = random.below(3);
	return {
		geometry,
		first: near === 0 ? 1 : near === 1 ? -random.below(3 * geometry.blocks) >>> 0 : random.u32(),
		id: random.u32(),
		generation: random.pick([0, 1, 2, 0xfffe, 0xffff]),
		orderly: random.chance(2, 3),
	};
}

function forgeHeader(random: SeededRandom, block: number, common: Forgery): BlockHeader {
	const { geometry, first, orderly } = common;
	const { blocks, blockLength, writeAlign } = geometry;
	const odd = (n: number) => random.chance(1, n);
	const sequence = orderly && !odd(6) ? (first + block) >>> 0 : drawSequence(random, first, blocks);
	return {
		format: odd(40) ? random.below(256) : odd(3) ? 1 : FORMAT,
		kind: orderly && !odd(6) ? random.pick([BlockKind.log, BlockKind.boot]) : drawKind(random),
		id: odd(30) ? random.u32() : common.id,
		generation: odd(30) ? random.below(0x10000) : common.generation,
		blockShift: odd(40) ? random.below(256) : 31 - Math.clz32(blockLength),
		alignShift: odd(40) ? random.below(256) : 31 - Math.clz32(writeAlign),
		sequence,
		// Also itself, a block in a circle with it, one that is not there.
		previousSequence: orderly && !odd(6) ? (sequence - 1) >>> 0 : drawSequence(random, first, blocks),
		previousEnd: orderly && !odd(3) ? blockLength : drawOffset(random, geometry),
		tailSequence: orderly && !odd(4) ? first : drawSequence(random, first, blocks),
		tailOffset: orderly && !odd(4) ? HEADER_BYTES : drawOffset(random, geometry),
	};
}

/** Valid headers before whatever is there. */
function headers(random: SeededRandom, _random: SeededRandom, geometry: Geometry): Uint8Array {
	const image = noise(random, geometry);
	const common = forgery(random, geometry);
	for (let block = 0; block < geometry.blocks; block++) {
		if (random.chance(1, 5)) continue;
		encodeHeader(image, block * geometry.blockLength, forgeHeader(random, block, common));
	}
	return image;
}

/** Writes a valid record at `offset` of a block, if it fits. @returns the offset after it */
function forgeRecord(
	image: Uint8Array,
	random: SeededRandom,
	base: number,
	offset: number,
	header: BlockHeader,
	common: Forgery,
): number {
	const { geometry, first } = common;
	const payload = new Uint8Array(random.chance(1, 12) ? random.below(457) : random.below(60));
	random.fill(payload);
	const atHead = offset === HEADER_BYTES;
	let type = random.pick([BEGIN, BEGIN, BEGIN, END, RecordType.confirm, RecordType.mark, 4]);
	if (atHead && header.kind === BlockKind.boot && !random.chance(1, 6)) type = RecordType.boot;
	else if (random.chance(1, 12)) type = 1 + random.below(RecordType.clientMax);
	let length = payload.length;
	let content = 0;
	let inner = type;
	if (type === RecordType.boot && length >= 2) {
		inner = random.pick([BEGIN, BEGIN, END, RecordType.mark, 4, RecordType.confirm, RecordType.boot]);
		content = 2;
		writeU16(
			payload,
			0,
			random.chance(1, 8) ? random.below(0x10000) : recordHead(inner, length - 2, random.chance(1, 6)),
		);
	}
	if (inner === RecordType.confirm && !random.chance(1, 6)) length = content;
	if ((inner === RecordType.mark || inner === 4) && length >= content + 6) {
		writeU32(
			payload,
			content,
			random.chance(1, 2) ? header.tailSequence : drawSequence(random, first, geometry.blocks),
		);
		writeU16(payload, content + 4, random.chance(1, 2) ? header.tailOffset : drawOffset(random, geometry));
		if (length > content + 6) payload[content + 6] = random.below(random.chance(1, 6) ? 256 : 4);
	} else if (length >= content + 4) writeU32(payload, content, 1 + random.below(30));
	const total = recordBytes(length, geometry.writeAlign);
	if (offset + total > geometry.blockLength) return geometry.blockLength;
	const at = base + offset;
	image.fill(0xff, at, at + total);
	writeU16(image, at, recordHead(type, length, random.chance(1, 6)));
	image.set(payload.subarray(0, length), at + 2);
	writeU32(image, at + 2 + length, recordCrc(image, at, header.sequence, offset));
	return offset + total;
}

/** Whole blocks that the CRCs vouch for, whatever they say. */
function records(random: SeededRandom, _random: SeededRandom, geometry: Geometry): Uint8Array {
	const { blocks, blockLength, writeAlign } = geometry;
	const image = random.chance(1, 2) ? new Uint8Array(sizeOf(geometry)).fill(0xff) : noise(random, geometry);
	const common = forgery(random, geometry);
	for (let block = 0; block < blocks; block++) {
		if (random.chance(1, 6)) continue;
		const base = block * blockLength;
		const header = forgeHeader(random, block, common);
		if (header.previousEnd === blockLength && random.chance(1, 2)) header.previousEnd = 200 & -writeAlign;
		encodeHeader(image, base, header);
		const count = random.below(12);
		let offset = HEADER_BYTES;
		for (let n = 0; n < count && offset < blockLength; n++) {
			if (random.chance(1, 20)) offset += writeAlign;
			offset = forgeRecord(image, random, base, offset, header, common);
		}
	}
	return image;
}

/** What a journal leaves on flash after some boots of work; also of another length than asked for. */
export function realImage(random: SeededRandom, geometry: Geometry, id = random.fork("id").u32()): Uint8Array {
	let flash = new NorFlash(geometry);
	const { medium } = flash;
	new Journal(flash, new ImageClient()).provision(id, new Uint8Array(random.below(9)));
	const payload = new Uint8Array(448);
	const boots = 1 + random.below(5);
	let next = 1;
	for (let boot = 0; boot < boots; boot++) {
		flash = new NorFlash({ medium });
		const client = new ImageClient();
		const journal = new Journal(flash, client);
		journal.mount();
		try {
			journal.pin();
			const steps = random.below(random.chance(1, 4) ? 300 : 40);
			for (let n = 0; n < steps; n++) {
				const what = random.below(12);
				if (what === 0) journal.idle();
				else if (what === 1 && random.chance(1, 3)) {
					journal.beginCarry();
					client.carry(journal);
					journal.settle(payload, random.below(12));
				} else if (client.live.size > 2 && random.chance(1, 2))
					client.end(journal, random.pick([...client.live.keys()]));
				else if (journal.prepare(500)) {
					random.fill(payload);
					client.begin(journal, next++, payload, 4 + random.below(random.chance(1, 10) ? 440 : 150));
				}
			}
		} catch (error) {
			if (!(error instanceof CodedError) || error.code !== "full") throw error;
		}
	}
	return medium.image;
}

/** 1 to 200 bits flipped, spread over the image or in one place. */
function flipped(made: SeededRandom, random: SeededRandom, geometry: Geometry): Uint8Array {
	const image = realImage(made, geometry);
	const bits = 1 + random.below(random.chance(1, 2) ? 8 : 200);
	const start = random.chance(1, 2) ? 0 : random.below(image.length);
	const width = start === 0 ? image.length : Math.min(image.length - start, 1 + random.below(2000));
	for (let n = 0; n < bits; n++) image[start + random.below(width)] ^= 1 << random.below(8);
	return image;
}

/** Bits flipped in headers and first records only, where they hurt most. */
function flippedHeads(made: SeededRandom, random: SeededRandom, geometry: Geometry): Uint8Array {
	const image = realImage(made, geometry);
	const bits = 1 + random.below(20);
	for (let n = 0; n < bits; n++) {
		image[random.below(geometry.blocks) * geometry.blockLength + random.below(64)] ^= 1 << random.below(8);
	}
	return image;
}

/** Blocks swapped, doubled, zeroed, erased, half erased, shifted by some bytes. */
function shuffled(made: SeededRandom, random: SeededRandom, geometry: Geometry): Uint8Array {
	const { blocks, blockLength } = geometry;
	const image = realImage(made, geometry);
	const count = 1 + random.below(random.chance(1, 2) ? 2 : blocks);
	for (let n = 0; n < count; n++) {
		const a = random.below(blocks) * blockLength;
		const b = random.below(blocks) * blockLength;
		const block = image.slice(a, a + blockLength);
		const what = random.below(7);
		if (what === 0) {
			image.copyWithin(a, b, b + blockLength);
			image.set(block, b);
		} else if (what === 1) image.set(block, b);
		else if (what === 2) image.fill(0, a, a + blockLength);
		else if (what === 3) image.fill(0xff, a, a + blockLength);
		else if (what === 4) image.fill(0xff, a, a + random.below(blockLength));
		else if (what === 5) image.fill(random.pick([0, 0xff]), a + random.below(blockLength), a + blockLength);
		else {
			const shift = 1 + random.below(random.chance(1, 2) ? 64 : blockLength - 1);
			image.set(block.subarray(shift), a);
			image.set(block.subarray(0, shift), a + blockLength - shift);
		}
	}
	return image;
}

/** The beginning of an image, then nothing, zeros or noise; or an image from a longer or shorter partition. */
function truncated(made: SeededRandom, random: SeededRandom, geometry: Geometry): Uint8Array {
	const { blocks } = geometry;
	const real = realImage(made, random.chance(1, 2) ? geometry : { ...geometry, blocks: 6 + random.below(2 * blocks) });
	const image = new Uint8Array(sizeOf(geometry));
	const rest = random.below(3);
	if (rest === 0) random.fill(image);
	else image.fill(rest === 1 ? 0 : 0xff);
	const length = random.chance(1, 3) ? real.length : random.below(real.length);
	image.set(real.subarray(0, Math.min(length, image.length)));
	return image;
}

/** Blocks of two journals, of one id or of two. */
function mixed(made: SeededRandom, random: SeededRandom, geometry: Geometry): Uint8Array {
	const { blocks, blockLength } = geometry;
	const id = made.fork("id").u32();
	const image = realImage(made, geometry, id);
	const other = realImage(random, geometry, random.chance(2, 3) ? id : random.u32());
	for (let block = 0; block < blocks; block++) {
		const at = block * blockLength;
		if (random.chance(1, 3)) image.set(other.subarray(at, at + blockLength), at);
	}
	return image;
}

/** A real journal in which fields of headers were changed and the CRC made right again. */
function edited(made: SeededRandom, random: SeededRandom, geometry: Geometry): Uint8Array {
	const { blocks, blockLength } = geometry;
	const image = realImage(made, geometry);
	const header = emptyHeader();
	const found: BlockHeader[] = [];
	for (let block = 0; block < blocks; block++) {
		if (decodeHeader(image, block * blockLength, header) === "valid") found.push({ ...header });
	}
	if (found.length === 0) return image;
	const count = 1 + random.below(4);
	for (let n = 0; n < count; n++) {
		const at = random.below(blocks) * blockLength;
		if (decodeHeader(image, at, header) !== "valid") continue;
		const { sequence } = random.pick(found);
		const near = random.chance(1, 3) ? random.u32() : (sequence + random.below(5) - 2) >>> 0;
		const what = random.below(7);
		if (what === 0) header.previousSequence = near;
		else if (what === 1) header.previousEnd = drawOffset(random, geometry);
		else if (what === 2) header.tailSequence = near;
		else if (what === 3) header.tailOffset = drawOffset(random, geometry);
		else if (what === 4) header.sequence = near;
		else if (what === 5) header.kind = drawKind(random);
		else header.generation = random.below(4);
		encodeHeader(image, at, header);
	}
	return image;
}

/** A real journal with forged records behind, or over, its own. */
function appended(made: SeededRandom, random: SeededRandom, geometry: Geometry): Uint8Array {
	const { blocks, blockLength, writeAlign } = geometry;
	const image = realImage(made, geometry);
	const header = emptyHeader();
	const count = 1 + random.below(6);
	for (let n = 0; n < count; n++) {
		const base = random.below(blocks) * blockLength;
		if (decodeHeader(image, base, header) !== "valid") continue;
		const common = { ...forgery(random, geometry), first: header.tailSequence };
		let offset = HEADER_BYTES;
		if (random.chance(1, 2)) {
			let used = blockLength;
			while (used > HEADER_BYTES && image[base + used - 1] === 0xff) used--;
			offset = (used + writeAlign - 1) & -writeAlign;
		} else offset += random.below(blockLength - HEADER_BYTES) & -writeAlign;
		for (let more = 1 + random.below(3); more > 0 && offset < blockLength; more--) {
			offset = forgeRecord(image, random, base, offset, header, common);
		}
	}
	return image;
}

export const IMAGE_MAKERS: Record<string, ImageMaker> = {
	noise: (made, _random, geometry) => noise(made, geometry),
	headers,
	records,
	flipped,
	flippedHeads,
	shuffled,
	truncated,
	mixed,
	edited,
	appended,
};

/** Kinds with right CRCs where no journal wrote them, or with two histories of one id. No flash comes to that. */
export const FORGERIES: readonly string[] = ["headers", "records", "edited", "appended", "mixed"];
