/**
 * Goal: the firmware does on the board's engine what it does here. A small slice of `npm run test:xs`.
 * Method: the same script on both engines, and a planted difference that has to be found.
 */
import assert from "node:assert/strict";
import { compareSeed, findDifference } from "./compare";
import { bundleWorld, NodeEngine, XsEngine } from "./engines";
import { differenceLines } from "./report";

const SEEDS = [1, 2, 3];

describe("worlds on XS and on Node", function () {
	this.timeout(120_000);
	let script = "";
	let xs: XsEngine;

	before(() => {
		script = bundleWorld();
		xs = new XsEngine(script);
	});

	after(async () => {
		await xs.close();
	});

	it("are the same to the last byte of their reports and traces", async () => {
		const node = new NodeEngine(script);
		for (const seed of SEEDS) {
			const result = await compareSeed({ seed, customers: 8 }, node, xs);
			assert.ok(result.equal, `seed ${seed} differs: npm run test:xs -- --seeds ${seed}`);
			assert.match(result.hash, /^[0-9a-f]{16}$/);
			assert.ok(result.sales > 0 && result.steps > 1_000_000, "a world in which something happens");
		}
	});

	it("that differ are taken apart at the first step at which they do", async () => {
		const answer = /answered \$\{outcome\.code\}/;
		assert.match(script, answer, "the text that is planted");
		const other = new NodeEngine(script.replace(answer, (text) => text.replace("answered", "answered by")));
		const options = { seed: 1, customers: 4 };
		assert.equal((await compareSeed(options, other, xs)).equal, false);
		const difference = await findDifference(options, [other, xs]);
		assert.ok(difference.step > 0, difference.what);
		const [onNode, onXs] = difference.sides.map(({ lines }) => lines);
		const parted = onNode.findIndex(({ text }, n) => text !== onXs[n]?.text);
		assert.match(onNode[parted].text, /answered by/);
		assert.equal(onNode[parted].step, difference.step);
		assert.equal(onNode[parted].text.replace("answered by", "answered"), onXs[parted].text);
		const text = differenceLines(difference).join("\n");
		assert.match(text, /DIFFERENT seed 1: the traces part at step \d+/);
		assert.match(text, /on Node:.*answered by.*on XS:.*answered/s);
	});

	it("that an engine cannot run at all are told as such", async () => {
		const broken = new NodeEngine(script.replace(/runWorldJson\(json, tell\) \{/, "$& console.log(json);"));
		const difference = await findDifference({ seed: 1, customers: 1 }, [broken, xs]);
		assert.match(difference.what, /Node: ReferenceError: console is not defined/);
	});
});
