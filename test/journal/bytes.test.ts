/**
 * The bytes of a small journal, put together by hand from the tables of src/journal/DESIGN.md with a CRC of the
 * test's own.
 */
import { strict as assert } from "node:assert";
import { toHex } from "../../src/core/bytes";
import { begin, provisioned } from "./checks";

/** CRC-32C bit by bit. Source: RFC 3720, §12.1. */
function crc(bytes: number[]): number[] {
	let value = 0xffffffff;
	for (const byte of bytes) {
		value ^= byte;
		for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
	}
	return u32((value ^ 0xffffffff) >>> 0);
}
const u16 = (value: number) => [(value >> 8) & 255, value & 255];
const u32 = (value: number) => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255];

const ID = 0x12345678;

function header(fields: { kind: number; align: number; sequence: number; previous: [number, number] }): number[] {
	const { kind, align, sequence, previous } = fields;
	const head = [0x5a, 0x4a, 2, kind, ...u32(ID), ...u16(1), 12, align, ...u32(sequence)];
	const bytes = [...head, ...u32(previous[0]), ...u16(previous[1]), ...u32(1), ...u16(32)];
	assert.equal(bytes.length, 28);
	return [...bytes, ...crc(bytes)];
}

function record(type: number, payload: number[], sequence: number, offset: number, unit = 1): number[] {
	const body = [...u16((type << 9) | payload.length), ...payload];
	const bytes = [...body, ...crc([...u32(sequence), ...u32(offset), ...body])];
	while (bytes.length % unit !== 0) bytes.push(0xff);
	return bytes;
}

const padded = (bytes: number[]) => toHex(Uint8Array.from([...bytes, ...Array(160).fill(0xff)]).subarray(0, 160));

describe("journal, bytes", () => {
	for (const [unit, align] of [
		[1, 0],
		[16, 4],
	]) {
		it(`are those of the tables, at a write unit of ${unit}`, () => {
			const opened = provisioned({ blocks: 8, writeAlign: unit });
			begin(opened, 9, 5);
			const { image } = opened.flash.medium;
			const block = (n: number) => toHex(image, n * 4096, n * 4096 + 160);

			const begun = header({ kind: 3, align, sequence: 0, previous: [0, 0] });
			assert.equal(block(0), padded(begun));

			const mark = [...u32(1), ...u16(32), 0, 7];
			const first = [...header({ kind: 1, align, sequence: 1, previous: [0, 0] }), ...record(4, mark, 1, 32, unit)];
			assert.equal(block(1), padded([...first, ...record(2, [], 1, first.length, unit)]));

			// The boot: 8 sequences on and one more; the log before it ends where its copy of the mark came from.
			const boot = header({ kind: 2, align, sequence: 10, previous: [1, 32] });
			boot.push(...record(1, [...u16((4 << 9) | 8), ...mark], 10, 32, unit));
			boot.push(...record(2, [], 10, boot.length, unit));
			boot.push(...record(2, [], 10, boot.length, unit));
			boot.push(...record(8, [0, 0, 0, 9, 27], 10, boot.length, unit));
			assert.equal(block(2), padded(boot));
			assert.equal(block(3), padded([]));
		});
	}
});
