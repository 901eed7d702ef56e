/** Frames on their way to the ring: masked and tagged at once, in bounded memory, and never in anybody's way. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import * as fc from "fast-check";
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import { MemoryKeys } from "../../host-sim/board/memory-keys";
import { CodedError } from "../../src/core/errors";
import { EvidenceFrameReader } from "../../src/settlement/evidence-frame-reader";
import {
	ENTRY_HEAD_BYTES,
	FRAME_CLEAR_BYTES,
	FrameFlag,
	LINE_BYTES_MAX,
	RingType,
	utf8Bytes,
	writeUtf8,
} from "../../src/settlement/evidence-ring-format";
import file from "../vectors/unionpay.json";
import { EvidenceBench, START_MS, secretFrame, secretHunter, vectorFrame } from "./evidence-bench";

/** Half of a pair, without the other. */
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const EVERYTHING = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };

interface Read {
	line: string;
	stan: number;
	received: boolean;
	lost: number;
}

function readAll(
	bench: EvidenceBench,
	choice: ConstructorParameters<typeof EvidenceFrameReader>[1] = EVERYTHING,
): Read[] {
	const reader = new EvidenceFrameReader(bench.ring, choice);
	const frames: Read[] = [];
	for (let found = reader.next(); found !== "end"; found = reader.next()) {
		if (found !== "frame") continue;
		const { flags, stan, lost } = reader.facts;
		frames.push({ line: reader.line, stan, received: (flags & FrameFlag.received) !== 0, lost });
	}
	return frames;
}

describe("settlement: frames for evidence", () => {
	it("show what the log shows, of every message there is", () => {
		const bench = new EvidenceBench({ blocks: 8 });
		for (const { name } of file.vectors) {
			bench.capture(name);
			bench.settle();
		}
		const frames = readAll(bench);
		equal(frames.length, file.vectors.length);
		ok(frames.every(({ line }) => /^0[2-8]\d\d .*11=/.test(line)));
		match(frames[3].line, /2=622123\*{9}3450 .* 35=<34> .* 52=<8>/);
	});

	it("show nothing that is secret, in the ring or in memory that waits (I9)", () => {
		const bench = new EvidenceBench({ blocks: 8 });
		for (let n = 1; n <= 9; n++) {
			const frame = secretFrame(n % 3 === 0 ? "0320" : "0200", n);
			const byteLength = n === 8 ? frame.length - 40 : frame.length; // One is cut short, and cannot be decoded.
			bench.frames.capture(n % 2 === 0 ? "received" : "sent", frame, byteLength);
			bench.settle();
		}
		const frames = readAll(bench);
		equal(frames.length, 9);
		equal(frames.filter(({ line }) => line === "").length, 1);
		const hunter = secretHunter(bench);
		ok(hunter.patterns > 20);
		hunter.scanBytes("ring", bench.medium.image);
		for (const { line } of frames) hunter.scanText("line", line);
		deepEqual(hunter.hits, []);
		// The search would find each of them.
		hunter.scanBytes("frame", secretFrame("0200", 1));
		for (const name of ["card number of card", "track 2 of card", "PIN block", "chip data"]) {
			ok(
				hunter.hits.some(({ secret }) => secret === name),
				name,
			);
		}
	});

	it("of what cannot be decoded nothing is shown, but its length and tag", () => {
		const bench = new EvidenceBench();
		const frame = vectorFrame("sale-magstripe-pin").subarray(0, 60);
		bench.frames.capture("received", frame, frame.length);
		bench.settle();
		deepEqual(readAll(bench), [{ line: "", stan: 0, received: true, lost: 0 }]);
	});

	it("belong to a transaction by their key, by what they are about, and as answers to those", () => {
		const bench = new EvidenceBench();
		for (const name of ["sale-chip-no-pin", "sale-magstripe-pin", "void", "sync-claim-request"]) bench.capture(name);
		bench.capture("sync-claim-response", "received");
		bench.settle();
		const stans = (batch: number, stan: number) => readAll(bench, { keys: [[batch, stan]] }).map((frame) => frame.stan);
		deepEqual(stans(1, 2), [2, 4]);
		deepEqual(stans(1, 3), [3, 13, 13]);
		deepEqual(stans(2, 2), []);
		deepEqual(
			readAll(bench, { fromMs: START_MS + 1, toMs: START_MS + 3 }).map(({ stan }) => stan),
			[3, 4],
		);
	});

	it("wait in bounded memory; what does not fit is counted, and said at the next one", () => {
		const bench = new EvidenceBench({ blocks: 8 });
		for (let n = 0; n < 60; n++) bench.capture("sale-chip-no-pin");
		const { lostTotal } = bench.frames;
		ok(lostTotal > 20 && lostTotal < 45, `${lostTotal}`);
		equal(bench.flash.operations, 0);
		bench.settle();
		equal(bench.frames.waiting, false);
		bench.capture("void");
		bench.capture("void");
		bench.settle();
		const lost = readAll(bench).map((frame) => frame.lost);
		deepEqual(lost, [...new Array(60 - lostTotal).fill(0), lostTotal, 0]);
	});

	it("touch no flash before there is time, and erase only in idle()", () => {
		const bench = new EvidenceBench();
		bench.capture("sale-chip-no-pin");
		bench.frames.flush();
		equal(bench.flash.operations, 0);
		equal(bench.frames.idle(), true);
		equal(bench.flash.blocksErased, 1);
		const { blocksErased } = bench.flash;
		bench.capture("sale-response-approved", "received");
		bench.frames.flush();
		equal(bench.flash.blocksErased, blocksErased);
		equal(readAll(bench).length, 2);
	});

	it("never disturb a sale: a key store that fails costs the frames and nothing else", () => {
		class NoKeys extends MemoryKeys {
			override write(): void {
				throw new CodedError("flash", "key DEVICE");
			}
		}
		const keys = new MemoryKeys(TEST_KEYS);
		Object.setPrototypeOf(keys, NoKeys.prototype);
		const bench = new EvidenceBench({ keys });
		for (let n = 0; n < 3; n++) bench.capture("sale-chip-no-pin");
		bench.settle();
		equal(bench.frames.lostTotal, 3);
		deepEqual(readAll(bench), []);
	});

	it("come back after boots in their order, with what was written between", () => {
		const bench = new EvidenceBench({ blocks: 8 });
		for (let n = 0; n < 5; n++) {
			bench.capture("sale-chip-no-pin");
			bench.capture("void");
			bench.settle();
			bench.boot();
		}
		deepEqual(
			readAll(bench).map(({ stan }) => stan),
			[2, 4, 2, 4, 2, 4, 2, 4, 2, 4],
		);
	});

	it("of a ring that holds anything at all are read without harm, also where the check fits", () => {
		const noise = fc.record({ at: fc.nat(16_000), bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }) });
		fc.assert(
			fc.property(fc.array(noise, { maxLength: 8 }), fc.uint8Array({ maxLength: 60 }), (pieces, line) => {
				const bench = new EvidenceBench();
				bench.capture("sale-chip-no-pin");
				bench.settle();
				const { entry } = bench.ring;
				entry.fill(0xee, ENTRY_HEAD_BYTES, ENTRY_HEAD_BYTES + FRAME_CLEAR_BYTES);
				entry.set(line, ENTRY_HEAD_BYTES + FRAME_CLEAR_BYTES);
				ok(bench.ring.append(RingType.frame, FRAME_CLEAR_BYTES + line.length));
				for (const { at, bytes } of pieces) bench.medium.image.set(bytes.subarray(0, 16_384 - at), at);
				bench.boot();
				ok(readAll(bench).length <= 2);
				bench.capture("void");
				bench.settle();
				ok(readAll(bench, { keys: [[1, 4]] }).length === 1);
			}),
			{ numRuns: 60 },
		);
	});

	it("cut a line only between two characters", () => {
		const bytes = new Uint8Array(LINE_BYTES_MAX);
		for (const text of ["a补😀", "补".repeat(400), "😀".repeat(300), "é".repeat(500), "\ud800x", "x\udc00"]) {
			for (let room = 0; room <= 12; room++) {
				const count = writeUtf8(bytes, 0, room, text);
				ok(count <= room);
				const back = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, count));
				ok(text.replace(LONE, "?").startsWith(back));
			}
			equal(utf8Bytes(text), Buffer.byteLength(text.replace(LONE, "?"), "utf8"));
		}
	});
});
