import assert from "node:assert/strict";
import type { FlashMedium } from "../../../host-sim/board/flash-medium";
import { WitnessFlash } from "../../../host-sim/world/witness-flash";
import { LogBench } from "../../transactions/log-bench";

/** A copy of the journal with one sale that waits to be reversed, always in the same place. */
function copyWith(amountMinor: number): { bench: LogBench; medium: FlashMedium } {
	const bench = new LogBench().provision();
	bench.log.journal.pin();
	bench.doubt(amountMinor);
	return { bench, medium: bench.medium };
}

describe("a witness that looks for one record on several copies", () => {
	const ours = copyWith(2_000);
	const { index } = ours.bench.log;
	const facts = { stan: index.stans[0], batch: 1, amountMinor: 2_000 };
	/** A chip that shows what stood in the block before: whole records, of something else. Found by seed 16702. */
	const stale = copyWith(3_000).medium;

	it("believes the copy that has it, though another one shows something else in its place", () => {
		for (const media of [
			[stale, ours.medium],
			[ours.medium, stale],
		]) {
			const witness = new WitnessFlash(media);
			assert.equal(witness.whyNoIntent(index, 0, facts), undefined);
			assert.equal(witness.whyNoState(index, 0), undefined);
		}
	});

	it("says why not when no copy has it", () => {
		const witness = new WitnessFlash([stale, stale]);
		assert.equal(witness.whyNoIntent(index, 0, facts), "another amount on flash");
		const empty = new LogBench().medium;
		assert.equal(new WitnessFlash([empty, empty]).whyNoIntent(index, 0, facts), "no intent on flash");
		assert.equal(new WitnessFlash([empty, empty]).whyNoState(index, 0), "reversing is not on flash");
	});
});
