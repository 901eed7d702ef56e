/**
 * Goal: what destroys flash in the simulation is hard on it and stays within what a mirror promises, and the judge of
 * the copies can say no. Method: a shop that has sold for a while, its silicon looked at from outside.
 */
import assert from "node:assert/strict";
import { FlashMedium } from "../../../host-sim/board/flash-medium";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { countWholeCopies, FlashLoss } from "../../../host-sim/world/flash-loss";
import { makeConfig } from "../../../src/config";
import { Rig } from "./rig";

const config = makeConfig();

function soldShop(): Rig {
	const rig = new Rig({ mirror: true, blocks: 8 });
	for (let n = 0; n < 30; n++) {
		rig.sell(100 + n);
		rig.time.advance(4_000);
	}
	return rig;
}

describe("loss of flash blocks", () => {
	it("never destroys the same block of both copies before it is made good", () => {
		const media = [new FlashMedium({ blocks: 8 }), new FlashMedium({ blocks: 8 })];
		for (const medium of media) medium.image.fill(0x5a);
		const loss = new FlashLoss(media, new SeededRandom(3));
		const hit = new Map<number, number>();
		let spared = 0;
		for (let n = 0; n < 200; n++) {
			const lost = loss.strike();
			if (lost === undefined) spared++;
			else {
				assert.equal(hit.get(lost.block) ?? lost.copy, lost.copy, `strike ${n}`);
				hit.set(lost.block, lost.copy);
			}
		}
		assert.deepEqual([hit.size, new Set(hit.values()).size], [8, 2], "every block was hit, and either copy");
		assert.ok(spared > 20 && loss.blocksDestroyed === 200 - spared);
		// Made good: from here on either copy may be hit again.
		media[0].image.fill(0x5a);
		media[1].image.fill(0x5a);
		const again = new Map<number, number>();
		for (let n = 0; n < 200; n++) {
			const lost = loss.strike();
			if (lost !== undefined) again.set(lost.block, lost.copy);
		}
		assert.ok([...again].some(([block, copy]) => hit.get(block) !== copy));
	});

	it("hits what is written, nearly always, in every way there is, and the same with the same seed", () => {
		const strikes = (seed: number) => {
			const media = [new FlashMedium({ blocks: 256 }), new FlashMedium({ blocks: 256 })];
			for (const medium of media) medium.image.fill(1, 0, 20 * 4096);
			const loss = new FlashLoss(media, new SeededRandom(seed));
			return Array.from({ length: 40 }, () => loss.strike());
		};
		const lost = strikes(1).filter((strike) => strike !== undefined);
		assert.ok(lost.filter(({ block }) => block < 20).length > 20);
		assert.equal(new Set(lost.map(({ kind }) => kind)).size, 5);
		assert.deepEqual(strikes(1), strikes(1));
		assert.notDeepEqual(strikes(1), strikes(2));
	});

	it("two copies that hold the same are whole, and so is one that is alone", () => {
		const { shop, medium } = soldShop();
		assert.equal(countWholeCopies(shop.media, config), 2);
		assert.equal(countWholeCopies([medium], config), 1);
	});

	it("a copy that lacks a block, a record, or everything is not whole, and looking at it changes nothing", () => {
		for (const copy of [0, 1]) {
			for (const [start, end] of [
				[2 * 4096, 3 * 4096],
				[2 * 4096 + 900, 2 * 4096 + 901],
				[0, 8 * 4096],
			]) {
				const { shop } = soldShop();
				const { image } = shop.media[copy];
				for (let at = start; at < end; at++) image[at] ^= 0xff;
				const before = shop.media.map((medium) => [medium.boots, medium.image.slice()]);
				assert.equal(countWholeCopies(shop.media, config), 1, `copy ${copy}, ${start} to ${end}`);
				assert.deepEqual(
					shop.media.map((medium) => [medium.boots, medium.image]),
					before,
				);
			}
		}
	});

	it("copies of two different journals are not whole together", () => {
		const other = new Rig({ blocks: 8, seed: 2 });
		assert.equal(countWholeCopies([soldShop().medium, other.medium], config), 0);
	});
});
