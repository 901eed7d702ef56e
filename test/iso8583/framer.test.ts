import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { fromHex, toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { Framer } from "../../src/iso8583/framer";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import file from "../vectors/unionpay.json";
import { coded, guarded, type Vector } from "./vector-helpers";

const VECTORS = file.vectors as unknown as Vector[];
const FIRST = VECTORS[0].frame;
const SECOND = VECTORS[1].frame;
const BOTH = fromHex(FIRST + SECOND);

/** Pushes the pieces. @returns frames as hex */
function frames(framer: Framer, pieces: Uint8Array[]): string[] {
	const seen: string[] = [];
	for (const piece of pieces) {
		framer.push(piece, piece.length, (frame, byteLength) => seen.push(toHex(frame, 0, byteLength)));
	}
	return seen;
}

describe("iso8583 framer", () => {
	it("finds two frames whatever two splits cut their stream into three", () => {
		const framer = new Framer(UNIONPAY);
		for (let i = 0; i <= BOTH.length; i++) {
			for (let j = i; j <= BOTH.length; j++) {
				const seen = frames(framer, [BOTH.subarray(0, i), BOTH.subarray(i, j), BOTH.subarray(j)]);
				if (seen.length !== 2 || seen[0] !== FIRST || seen[1] !== SECOND)
					deepEqual(seen, [FIRST, SECOND], `${i}, ${j}`);
			}
		}
	});

	it("finds all frames when they come a byte at a time, and none before its last byte", () => {
		const framer = new Framer(UNIONPAY);
		const seen: number[] = [];
		for (let i = 0; i < BOTH.length; i++) framer.push(BOTH.subarray(i, i + 1), 1, () => seen.push(i));
		deepEqual(seen, [FIRST.length / 2 - 1, BOTH.length - 1]);
	});

	it("finds 22 vectors in one push, and in any split (property)", () => {
		const all = fromHex(VECTORS.map((v) => v.frame).join(""));
		const wanted = VECTORS.map((v) => v.frame);
		fc.assert(
			fc.property(fc.array(fc.nat(all.length), { maxLength: 40 }), (cuts) => {
				const edges = [0, ...cuts.sort((a, b) => a - b), all.length];
				const pieces = edges.slice(1).map((edge, i) => all.subarray(edges[i], edge));
				deepEqual(frames(new Framer(UNIONPAY), pieces), wanted);
			}),
			{ numRuns: 200, seed: 4 },
		);
	});

	it("reads only the count it is given", () => {
		const framer = new Framer(UNIONPAY);
		const buffer = new Uint8Array([...fromHex(FIRST), 0xff, 0xff]);
		const seen: number[] = [];
		framer.push(guarded(buffer, FIRST.length / 2), FIRST.length / 2, (_, byteLength) => seen.push(byteLength));
		deepEqual(seen, [FIRST.length / 2]);
		throws(() => framer.push(buffer, buffer.length + 1, () => {}), coded("length"));
	});

	it("takes the shortest and the longest frame, and refuses length 0 and one above the maximum", () => {
		const longest = new Uint8Array(1462).fill(0x41);
		longest[0] = 1460 >> 8;
		longest[1] = 1460 & 255;
		const framer = new Framer(UNIONPAY);
		deepEqual(frames(framer, [fromHex("000141"), longest]), ["000141", toHex(longest)]);
		throws(() => frames(new Framer(UNIONPAY), [fromHex("0000")]), coded("length", "iso8583 frame +0"));
		throws(() => frames(new Framer(UNIONPAY), [fromHex("05B5")]), coded("length", "iso8583 frame +0"));
		throws(() => frames(new Framer(UNIONPAY), [fromHex("FFFF")]), coded("length", "iso8583 frame +0"));
	});

	it("names a peer that speaks HTTP or TLS", () => {
		const http = new Uint8Array([..."HTTP/1.1 400 Bad Request\r\n\r\n"].map((c) => c.charCodeAt(0)));
		throws(() => frames(new Framer(UNIONPAY), [http]), /iso8583 frame \+0: length, the peer speaks HTTP/);
		throws(() => frames(new Framer(UNIONPAY), [http.subarray(0, 1), http.subarray(1)]), /speaks HTTP/);
		throws(() => frames(new Framer(UNIONPAY), [fromHex("1503030002")]), /speaks TLS/);
	});

	it("hands out the frames before a bad length, then nothing until it is reset", () => {
		const framer = new Framer(UNIONPAY);
		const seen: string[] = [];
		const note = (frame: Uint8Array, byteLength: number) => seen.push(toHex(frame, 0, byteLength));
		const stream = fromHex(`${FIRST}0000${SECOND}`);
		throws(() => framer.push(stream, stream.length, note), coded("length"));
		throws(() => framer.push(fromHex(SECOND), SECOND.length / 2, note), coded("state"));
		deepEqual(seen, [FIRST]);
		framer.reset();
		framer.push(fromHex(SECOND), SECOND.length / 2, note);
		deepEqual(seen, [FIRST, SECOND]);
	});

	it("forgets half a frame on reset", () => {
		const framer = new Framer(UNIONPAY);
		frames(framer, [BOTH.subarray(0, 1)]);
		framer.reset();
		deepEqual(frames(framer, [fromHex(FIRST)]), [FIRST]);
		frames(framer, [BOTH.subarray(0, 30)]);
		framer.reset();
		deepEqual(frames(framer, [fromHex(FIRST)]), [FIRST]);
	});

	it("drops the rest of a push when the callback resets it, and is ready for the next connection", () => {
		const framer = new Framer(UNIONPAY);
		let count = 0;
		framer.push(BOTH, BOTH.length, () => {
			count++;
			framer.reset();
		});
		equal(count, 1);
		deepEqual(frames(framer, [fromHex(SECOND)]), [SECOND]);
	});

	it("lets the callback's error out and stays closed, since the rest of that push is lost", () => {
		const framer = new Framer(UNIONPAY);
		throws(() =>
			framer.push(BOTH, BOTH.length, () => {
				throw new CodedError("format", "test");
			}),
		);
		throws(() => framer.push(BOTH, BOTH.length, () => {}), coded("state"));
	});

	it("answers floods of 64 KiB with frames inside its own memory or one coded error", () => {
		const flood = new Uint8Array(65_536);
		for (const fill of [0x00, 0x01, 0x05, 0x41, 0xff]) {
			const framer = new Framer(UNIONPAY);
			flood.fill(fill);
			let bytes = 0;
			try {
				for (let i = 0; i < 4; i++) {
					framer.push(flood, flood.length, (frame, byteLength) => {
						equal(frame.length, 1462);
						bytes += byteLength;
					});
				}
				equal(fill === 0x01 || fill === 0x05, true);
				equal(bytes > 4 * 65_536 - 1462, true);
			} catch (error) {
				if (!(error instanceof CodedError)) throw error;
				equal(error.code, "length");
				equal(bytes, 0);
			}
		}
	});

	it("answers any stream with frames that begin with their length, or one coded error (property)", () => {
		fc.assert(
			fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 }), (pieces) => {
				const framer = new Framer(UNIONPAY);
				try {
					for (const piece of pieces) {
						framer.push(piece, piece.length, (frame, byteLength) => {
							equal((frame[0] << 8) | frame[1], byteLength - 2);
						});
					}
				} catch (error) {
					if (!coded("length", "iso8583 frame +0")(error)) throw error;
				}
			}),
			{ numRuns: 500, seed: 5 },
		);
	});
});
