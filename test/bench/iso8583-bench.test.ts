/**
 * Goal: the figures of `npm run bench -- iso8583` are of work that was done, and its bytes are those that V8 allocates.
 * Method: both codecs in small, wrong values, planted objects; the report from made-up figures.
 */
import * as assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fromHex, toHex } from "../../src/core/bytes";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { encodeVector, type Vector } from "../iso8583/vector-helpers";
import file from "../vectors/unionpay.json";
import { NODE_FLAGS } from "./heap-meter";
import { measureIso8583Rates, ROUNDS, ratioRounds } from "./iso8583-bench";
import { checkValues, FIELDS, OurCodec, PeerCodec, SALE } from "./iso8583-codecs";
import { checkPlanted, type Garbage } from "./iso8583-garbage";
import { budgetLines, iso8583Json, reportIso8583 } from "./iso8583-report";
import { measureRates, type Rate } from "./rounds";

function rate(median: number): Rate {
	return { median, least: median / 2, greatest: 2 * median, rounds: [median] };
}

const GARBAGE: Garbage = {
	encode: 0,
	decode: 0,
	decodeNumbers: 0,
	decodeValues: 1_500,
	values: 1_300,
	planted: 32,
	peerEncode: 68_000,
	peerDecode: 13_000,
};

function result(roundTrip: number, garbage: Partial<Garbage> = {}) {
	const rates = {
		encode: rate(1_000_000),
		decodeOffsets: rate(2_000_000),
		decode: rate(500_000),
		roundTrip: rate(roundTrip),
		peerEncode: rate(32_000),
		peerDecode: rate(85_000),
		peerRoundTrip: rate(16_000),
	};
	return { rates, garbage: { ...GARBAGE, ...garbage }, frameBytes: 129, peerFrameBytes: 188 };
}

/** Runs `expression` of heap-meter's `bytesPerCall` in a process that is set up for it. */
function bytesOf(work: string): number {
	const script = `const { bytesPerCall } = require(${JSON.stringify(join(__dirname, "heap-meter.ts"))});
		let n = 0; const bytes = new Uint8Array(64);
		process.stdout.write(String(bytesPerCall(() => ${work})));`;
	const args = [...NODE_FLAGS, "-r", "ts-node/register", "-e", script];
	const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
	assert.equal(stderr, "");
	return Number(stdout);
}

describe("bench of the codec", () => {
	it("measures 16 fields, the golden sale with a PIN, and ours makes that very frame", () => {
		assert.equal(FIELDS.length, 16);
		const vector = (file.vectors as unknown as Vector[]).find(({ name }) => name === "sale-magstripe-pin");
		assert.ok(vector !== undefined);
		assert.deepEqual(
			Object.fromEntries(FIELDS.map((de) => [de, de === 22 ? `${SALE[de]}0` : SALE[de]])),
			vector.fields,
		);
		const out = new Uint8Array(200);
		assert.equal(toHex(out, 0, encodeVector(new MessageEncoder(UNIONPAY, out), vector)), vector.frame);
		assert.equal(new OurCodec().frameBytes, fromHex(vector.frame).length);
	});

	for (const codec of [new OurCodec(), new PeerCodec()]) {
		it(`${codec.name} gives back all values, decoded alone and in a round trip`, () => {
			assert.equal(codec.encode(), codec.frameBytes);
			for (const values of [codec.decode(), codec.roundTrip()]) {
				checkValues(codec.name, values);
				for (const de of FIELDS) {
					assert.throws(() => checkValues(codec.name, { ...values, [de]: "0" }), /came back otherwise/);
				}
			}
		});
	}

	it("runs everything in each round, and takes the median of the rounds", () => {
		const calls: string[] = [];
		const works = ["a", "b"].map((name) => ({
			name,
			run: () => {
				if (calls[calls.length - 1] !== name) calls.push(name);
			},
		}));
		const rounds: number[] = [];
		const rates = measureRates(works, { rounds: 3, sliceMs: 1, onRound: (round) => rounds.push(round) });
		assert.equal(calls.join(""), "abababab");
		assert.deepEqual(rounds, [0, 1, 2, 3]);
		for (const { median, least, greatest, rounds: each } of Object.values(rates)) {
			assert.deepEqual(
				[least, median, greatest],
				[...each].sort((x, y) => x - y),
			);
		}
	});

	it("measures both codecs in the same rounds", () => {
		const rates = measureIso8583Rates(0.05);
		for (const each of Object.values(rates)) assert.equal(each.rounds.length, ROUNDS);
		assert.ok(ratioRounds(rates.encode, rates.peerEncode).every((ratio) => ratio > 1));
	});

	it("sees one object in each call, one in every fourth, and none where there is none", function () {
		this.timeout(60_000);
		assert.equal(bytesOf("{ bytes[n++ & 63]++; }"), 0);
		const object = bytesOf("({ a: 1 })");
		assert.ok(object >= 12 && object <= 64, `${object} bytes`);
		const fourth = bytesOf("(n++ & 3) === 0 ? ({ a: 1 }) : undefined");
		assert.ok(Math.abs(fourth - object / 4) < 1, `${fourth} bytes`);
	});

	it("refuses a measurement that does not show what was planted", () => {
		checkPlanted({ decode: 0, planted: 32 });
		assert.throws(() => checkPlanted({ decode: 0, planted: 0 }), /worth nothing/);
		assert.throws(() => checkPlanted({ decode: 32, planted: 32 }), /worth nothing/);
		assert.throws(() => checkPlanted({ decode: 0, planted: 5_000 }), /worth nothing/);
	});

	it("says EXCEEDED for too few round trips and for a byte in a decode, and held otherwise", () => {
		const verdicts = (text: string) => text.match(/held|EXCEEDED/g);
		assert.deepEqual(verdicts(reportIso8583(result(320_000))), ["held", "held", "held"]);
		assert.deepEqual(verdicts(reportIso8583(result(319_000))), ["EXCEEDED", "held", "held"]);
		assert.deepEqual(verdicts(reportIso8583(result(320_000, { decode: 0.1 }))), ["held", "EXCEEDED", "held"]);
		assert.equal(budgetLines(result(320_000))[0].measured, 20);
	});

	it("has the three figures of the issue in its JSON, and more", () => {
		const json = iso8583Json(result(320_000));
		assert.deepEqual(
			[json.roundTripsPerSecond, json.peerRoundTripsPerSecond, json.ratio, json.bytesPerDecode, json.bytesPerEncode],
			[320_000, 16_000, 20, 0, 0],
		);
	});
});
