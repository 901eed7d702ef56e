/**
 * What the searches of test/powercuts do not look at: how much room brown-outs leave. Method: rows of cuts in the first
 * operations of a boot.
 */
import { strict as assert } from "node:assert";
import { drawCutByte, TEAR_SHAPES } from "../../host-sim/board/flash-cut";
import type { FlashMedium } from "../../host-sim/board/flash-medium";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { Power, PowerLost } from "../../host-sim/board/power";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { CodedError } from "../../src/core/errors";
import { Journal } from "../../src/journal/journal";
import { begin, checkThings, type Opened, provisioned, reboot } from "./checks";
import { Things } from "./things";

/** Mounts as a board does: where the last record reads differently from moment to moment, again. */
function bootPinned(medium: FlashMedium, random: SeededRandom): Opened {
	const opened = reboot(medium, undefined, random);
	for (let tries = 0; ; tries++) {
		try {
			opened.journal.pin();
			return opened;
		} catch (error) {
			if (!(error instanceof CodedError) || error.code !== "damaged" || tries > 40) throw error;
			opened.journal.mount();
		}
	}
}

describe("journal, brown-outs", () => {
	it("200 brown-outs in a row, at the first operations of a boot, lose nothing and use up nothing", () => {
		const opened = provisioned({ blocks: 10 });
		const lengths = new Map<number, number>();
		for (let id = 1; id < 30; id++) {
			begin(opened, id, 100);
			lengths.set(id, 100);
		}
		const { medium } = opened.flash;
		const { freeBlocks } = opened.journal;
		const random = new SeededRandom(3);
		for (let n = 0; n < 200; n++) {
			const power = new Power();
			const flash = new NorFlash({ medium, power, random: random.fork(n) });
			flash.cutAt(1 + random.below(4), drawCutByte(random), random.below(TEAR_SHAPES));
			const things = new Things();
			const journal = new Journal(flash, things);
			try {
				assert.equal(journal.mount().status, "ok");
				assert.deepEqual([...things.live.keys()], [...lengths.keys()], `brown-out ${n}`);
				journal.pin();
				journal.prepare(100);
				power.cut();
			} catch (error) {
				const differs = error instanceof CodedError && error.code === "damaged";
				if (!(error instanceof PowerLost) && !differs) throw error;
			}
		}
		const last = bootPinned(medium, random.fork("last"));
		checkThings(last, lengths);
		assert.ok(last.journal.freeBlocks >= freeBlocks - 2, `${last.journal.freeBlocks} of ${freeBlocks} blocks free`);
		assert.ok(last.journal.prepare(100));
	});
});
