/** How long tries wait for one another: the waits, their jitter and their ends. */
import { strict as assert } from "node:assert";
import { backOffMs } from "../../src/core/back-off";

/** The dice that give no jitter. */
const MIDDLE = 32_768;

describe("back-off", () => {
	it("doubles from the first wait to the greatest, and stays there", () => {
		const waits = [0, 1, 2, 3, 4, 5, 6, 7, 255, 1_000_000].map((n) => backOffMs(n, 5_000, 300_000, 20, MIDDLE));
		assert.deepEqual(waits, [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000, 300_000]);
	});

	it("jitters by as much as it is told, either way", () => {
		assert.equal(backOffMs(0, 5_000, 300_000, 20, 0), 4_000);
		assert.equal(backOffMs(0, 5_000, 300_000, 20, 65_535), 5_999);
		assert.equal(backOffMs(9, 5_000, 300_000, 20, 0), 240_000);
		assert.equal(backOffMs(3, 5_000, 300_000, 0, 0), 40_000);
		assert.equal(backOffMs(0, 5_000, 300_000, 20, 49_152), 5_500);
	});

	it("waits whole milliseconds, never less than none", () => {
		for (let dice = 0; dice < 65_536; dice += 7) {
			const wait = backOffMs(2, 333, 1_000, 100, dice);
			assert.ok(Number.isInteger(wait) && wait >= 0 && wait < 2_000, `${wait}`);
		}
	});

	it("takes a greatest wait below the first for both", () => {
		assert.equal(backOffMs(0, 5_000, 1_000, 0, MIDDLE), 1_000);
		assert.equal(backOffMs(4, 5_000, 1_000, 0, MIDDLE), 1_000);
	});
});
