/** Goal: a card that was left in the reader is announced until it is taken, logged, and never charged for the next customer. */
import assert from "node:assert/strict";
import type { ScreenName } from "../../src/ports";
import { Rig } from "../host-sim/world/rig";

function makeRig() {
	const screens: [atMs: number, name: ScreenName][] = [];
	const rig = new Rig({ onScreen: ({ name }, { time }) => screens.push([time.nowMs, name]) });
	rig.sell(1_000);
	rig.time.advance(5_000);
	return { rig, screens };
}

const saysOfReader = (rig: Rig) =>
	rig.log
		.lines()
		.filter(({ tag }) => tag === "reader")
		.map(({ level, text }) => `${level} ${text}`);

describe("a card left in the reader", () => {
	it("is announced behind the result, again every ten seconds, until it is taken; then the terminal is ready", () => {
		const { rig, screens } = makeRig();
		rig.sell(68_800, "chip", { leftMs: 35_000 });
		screens.length = 0;
		rig.time.advance(60_000);
		const names = screens.map(([, name]) => name);
		const announced = names.filter((name) => name === "takeCard").length;
		assert.ok(announced >= 4 && announced <= 5, names.join());
		assert.equal(names.at(-1), "ready");
		assert.deepEqual(names.slice(0, announced).join(), Array(announced).fill("takeCard").join());
		assert.match(saysOfReader(rig).join("\n"), /^W a card was left in the reader\nI the card was taken after 3\d s$/);
	});

	it("is not taken for the next customer's: no sale begins before it is gone", () => {
		const { rig } = makeRig();
		rig.sell(68_800, "chip", { leftMs: 20_000 });
		const refused = rig.come(2_000);
		assert.equal(refused.refusal, "refusedCardLeft");
		assert.equal(rig.shop.till.screen?.name, "refusedCardLeft");
		rig.time.advance(25_000);
		assert.equal(rig.sell(2_000).refusal, undefined);
		assert.equal(rig.money().paid, 3);
	});

	it("is nobody's business when its owner takes it at once, or when the reader cannot tell", () => {
		const { rig, screens } = makeRig();
		rig.sell(68_800, "chip");
		rig.sell(68_900, "contactless", { leftMs: 20_000 });
		rig.time.advance(60_000);
		assert.ok(screens.every(([, name]) => name !== "takeCard"));
		assert.deepEqual(saysOfReader(rig), []);
	});
});
