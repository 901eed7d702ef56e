/** Shares and times of links, and wrong MACs, in numbers. */
import { strict as assert } from "node:assert";
import { type ConfigOptions, makeConfig } from "../../src/config";
import { LinkHealth } from "../../src/host/link-health";

function health(links = 1, config: ConfigOptions = {}): LinkHealth {
	return new LinkHealth(links, makeConfig(config));
}

function repeat(times: number, act: () => void): void {
	for (let n = 0; n < times; n++) act();
}

describe("host: link health", () => {
	it("a link that is well is not worse than usual, and stands", () => {
		const links = health();
		repeat(1_000, () => links.answered(0, 120));
		assert.deepEqual([links.worsePermille(0), links.usualPermille(0), links.downMs(0, 9_000)], [0, 0, 0]);
		assert.equal(links.usualMs(0), 120);
	});

	it("six of sixteen trials that go wrong are 375 per mille, and ten good ones later none is left", () => {
		const links = health();
		repeat(50, () => links.answered(0, 100));
		repeat(6, () => links.unanswered(0));
		const usual = links.usualPermille(0);
		assert.ok(usual < 100, `${usual}`);
		assert.equal(links.worsePermille(0), 375 - usual);
		repeat(16, () => links.answered(0, 100));
		assert.equal(links.worsePermille(0), 0);
	});

	it("a link of which a third fails for days has that for its usual share: it is worse only when more fail", () => {
		const links = health(1, { linkWorsePermille: 500 });
		for (let n = 0; n < 900; n++) {
			if (n % 3 === 0) links.unanswered(0);
			else links.answered(0, 100);
		}
		assert.ok(links.usualPermille(0) > 280 && links.usualPermille(0) < 380, `${links.usualPermille(0)}`);
		assert.ok(links.worsePermille(0) < 100, `${links.worsePermille(0)}`);
		repeat(16, () => links.unanswered(0));
		assert.ok(links.worsePermille(0) >= 500, `${links.worsePermille(0)}`);
	});

	it("while a link is worse than usual nothing is learned: a dead one never becomes the usual", () => {
		const links = health();
		repeat(10_000, () => links.unanswered(0));
		assert.ok(links.worsePermille(0) >= 375, `${links.worsePermille(0)}`);
	});

	it("an answer is slow beyond four times the usual and beyond the setting, and slow ones do not become the usual", () => {
		const links = health(1, { slowAnswerMs: 1_000 });
		repeat(100, () => links.answered(0, 200));
		links.answered(0, 999);
		assert.equal(links.worsePermille(0), 0, "below the setting");
		repeat(16, () => links.answered(0, 4_000));
		assert.ok(links.worsePermille(0) >= 375, `${links.worsePermille(0)}`);
		assert.ok(links.usualMs(0) < 400, `${links.usualMs(0)}`);
		const slow = health(1, { slowAnswerMs: 1_000 });
		repeat(100, () => slow.answered(0, 900));
		repeat(16, () => slow.answered(0, 3_000));
		assert.equal(slow.worsePermille(0), 0, "not four times as much as usual");
	});

	it("links do not share what they are told", () => {
		const links = health(3);
		repeat(16, () => links.unanswered(1));
		links.connectFailed(1, 500);
		links.answered(2, 70);
		assert.deepEqual(
			[0, 1, 2].map((link) => links.worsePermille(link) > 0),
			[false, true, false],
		);
		assert.deepEqual(
			[0, 1, 2].map((link) => links.downMs(link, 700)),
			[0, 200, 0],
		);
		assert.deepEqual(
			[0, 1, 2].map((link) => links.usualMs(link)),
			[0, 0, 70],
		);
	});

	it("a link is down since the first of the connects that failed in a row, until one succeeds", () => {
		const links = health();
		links.connectFailed(0, 1_000);
		links.connectFailed(0, 5_000);
		assert.equal(links.downMs(0, 9_000), 8_000);
		links.connected(0);
		assert.equal(links.downMs(0, 9_000), 0);
	});

	it("one that did not connect is due again after its time, counted from the last try", () => {
		const links = health(2, { linkRetryMs: 10_000 });
		assert.equal(links.dueAgain(1_000_000), -1);
		links.connectFailed(1, 1_000);
		links.connectFailed(1, 6_000);
		assert.equal(links.dueAgain(15_999), -1);
		assert.equal(links.dueAgain(16_000), 1);
		links.connected(1);
		assert.equal(links.dueAgain(16_000), -1);
	});

	it("wrong MACs count within the window, eight at most, until as many right ones have followed", () => {
		const links = health();
		for (const atMs of [1_000, 2_000, 3_000]) links.macWrong(atMs);
		assert.equal(links.macFailures(0), 3);
		assert.equal(links.macFailures(2_000), 2);
		repeat(7, () => links.macRight());
		assert.equal(links.macFailures(0), 3);
		links.macRight();
		assert.equal(links.macFailures(0), 0);
		for (let n = 0; n < 20; n++) links.macWrong(n);
		assert.equal(links.macFailures(0), 8);
	});
});
