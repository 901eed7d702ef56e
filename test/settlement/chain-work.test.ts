/**
 * Goal: the evidence chain is linked a few transactions a turn, so that no customer finds the terminal deaf, and its heads
 * are those of a chain that is linked at once. Method: a chain in parts beside a new one; in a whole shop each link is
 * counted by the moment at which it is made.
 */
import assert from "node:assert/strict";
import { Chain } from "../../src/settlement/chain";
import { CHECKPOINT_BYTES, ChainHead } from "../../src/settlement/chain-links";
import { ChainWork } from "../../src/settlement/chain-work";
import { Rig } from "../host-sim/world/rig";
import { LogBench } from "../transactions/log-bench";

const ALL = 0xffff_ffff;

function headOf(chain: Chain): string {
	const bytes = new Uint8Array(CHECKPOINT_BYTES);
	const head = chain.headUpTo(ALL);
	head.write(bytes, 0);
	return `${head.id} ${Buffer.from(bytes).toString("hex")}`;
}

function newChain(bench: LogBench): Chain {
	const chain = new Chain(bench.log);
	chain.start();
	return chain;
}

describe("settlement: evidence chain in parts", () => {
	it("comes to the head of one that is linked at once", () => {
		const bench = new LogBench().provision();
		for (let n = 0; n < 11; n++) bench.deliver();
		const chain = newChain(bench);
		let turns = 0;
		for (; chain.isBehind(4); turns++) chain.advance(4);
		assert.equal(turns, 2);
		assert.equal(headOf(chain), headOf(newChain(bench)));
		assert.equal(chain.isBehind(0), false);
	});

	it("begins anew when something old has changed, in the middle of it too", () => {
		const bench = new LogBench().provision();
		const doubt = bench.doubt();
		for (let n = 0; n < 8; n++) bench.deliver();
		const chain = newChain(bench);
		chain.advance(6);
		bench.log.apply(doubt, "reversalAccepted");
		assert.ok(chain.isBehind(8));
		assert.equal(headOf(chain), headOf(newChain(bench)));
	});

	it("has work only when a head is wanted, and none once it has failed", () => {
		const bench = new LogBench().provision();
		for (let n = 0; n < 9; n++) bench.deliver();
		let wanted = false;
		const chain = newChain(bench);
		const work = new ChainWork(chain, { needsHead: () => wanted });
		assert.equal(work.dueMs(5), Number.POSITIVE_INFINITY);
		wanted = true;
		assert.equal(work.dueMs(5), 5);
		chain.advance = () => {
			throw new Error("flash");
		};
		assert.throws(() => work.step());
		assert.equal(work.dueMs(5), Number.POSITIVE_INFINITY);
	});

	it("links a few a turn in a shop, before the digest of a batch and before it is released", () => {
		const links = new Map<number, number>();
		const rig = new Rig({ blocks: 64, config: { syncEveryMs: 86_400_000, settleAtMinute: -1 } });
		const { link } = ChainHead.prototype;
		ChainHead.prototype.link = function (this: ChainHead, ...args): void {
			const nowMs = rig.time.nowMs;
			links.set(nowMs, (links.get(nowMs) ?? 0) + 1);
			link.apply(this, args);
		};
		try {
			for (let n = 0; n < 50; n++) rig.sell(1_000 + n);
			rig.time.advance(3_600_000);
			// Once a boot the whole list is read, which carries no head; then a digest is enough.
			for (let n = 0; n < 2; n++) {
				rig.shop.terminal.sync();
				rig.time.advance(60_000);
			}
			const linked = [...links.values()].reduce((sum, count) => sum + count, 0);
			assert.ok(linked >= 50, `${linked} links`);
			// A batch that closes is compared by its list: only the mark wants the heads.
			for (let n = 0; n < 20; n++) rig.sell(2_000 + n);
			assert.ok(rig.shop.terminal.settle());
			rig.time.advance(3_600_000);
			assert.equal(rig.shop.terminal.log.settledUpTo.batch, 1);
		} finally {
			ChainHead.prototype.link = link;
		}
		assert.ok(Math.max(...links.values()) <= 4, `${Math.max(...links.values())} links at once`);
	});
});
