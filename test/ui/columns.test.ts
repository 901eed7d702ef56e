import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { center, columnsOf, padLeft, padRight, wrap } from "../../src/ui/columns";

const CHARACTERS = [..."ab1. ,¥*-", ..."金额签购单，。（）", "𠀀"];
const text = fc.array(fc.constantFrom(...CHARACTERS), { maxLength: 60 }).map((parts) => parts.join(""));

describe("ui columns", () => {
	it("a Chinese character takes two columns, a Latin one takes one", () => {
		for (const [sample, columns] of [
			["", 0],
			["abc", 3],
			["¥12.34", 6],
			["金额", 4],
			["金额 ¥1", 7],
			["，。？", 6],
			["￥", 2],
			["│┌", 2],
			["가あア", 6],
			["𠀀", 2],
		] as const) {
			assert.equal(columnsOf(sample), columns, sample);
		}
	});

	it("pads and centers by columns, and leaves what is too wide", () => {
		assert.equal(padRight("金额", 6), "金额  ");
		assert.equal(padLeft("金额", 6), "  金额");
		assert.equal(center("金额", 8), "  金额");
		assert.equal(padRight("金额", 3), "金额");
		assert.equal(center("金额", 3), "金额");
	});

	it("breaks at spaces and between Chinese characters, closing marks never come first", () => {
		assert.deepEqual(wrap("Declined: cardholder to call the bank", 20), ["Declined: cardholder", "to call the bank"]);
		assert.deepEqual(wrap("51 余额不足，请换卡", 10), ["51 余额不", "足，请换卡"]);
		assert.deepEqual(wrap("余额不足，请换卡", 8), ["余额不", "足，请换", "卡"]);
		assert.deepEqual(wrap("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
		assert.deepEqual(wrap("   ", 4), []);
	});

	it("no line is wider than asked for, and nothing but spaces is lost", () => {
		fc.assert(
			fc.property(text, fc.integer({ min: 2, max: 40 }), (sample, width) => {
				const lines = wrap(sample, width);
				for (const line of lines) assert.ok(columnsOf(line) <= width, `"${line}" in ${width}`);
				assert.equal(lines.join("").replaceAll(" ", ""), sample.replaceAll(" ", ""));
			}),
			{ numRuns: 1_000 },
		);
	});
});
