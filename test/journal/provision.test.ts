import { strict as assert } from "node:assert";
import { FlashMedium } from "../../host-sim/board/flash-medium";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { CodedError } from "../../src/core/errors";
import { Journal, MARK_BYTES_MAX } from "../../src/journal/journal";
import { begin, checkProvisionCuts, makeJournal, provisioned, reboot } from "./checks";
import { Things } from "./things";

describe("journal, provisioning", () => {
	it("of blank flash, cut anywhere, is not begun, interrupted or done, and can be repeated", () => {
		const cuts = checkProvisionCuts(makeJournal, () => new FlashMedium({ blocks: 6 }), ["unprovisioned", "foreign"]);
		assert.ok(cuts > 100, `${cuts} cuts`);
	});

	it("of flash full of something else, cut anywhere, is the same", () => {
		const image = new Uint8Array(6 * 4096);
		new SeededRandom(5).fill(image);
		checkProvisionCuts(makeJournal, () => new FlashMedium({ blocks: 6, image: image.slice() }), ["foreign"]);
	});

	it("over an older journal, cut anywhere, is the older one or the new one, never both", () => {
		const older = provisioned({ blocks: 6, writeAlign: 16 });
		begin(older, 5, 40);
		const old = `ok ${older.journal.id}`;
		checkProvisionCuts(makeJournal, () => older.flash.medium.clone(), [old, "foreign"]);
	});

	it("gives a generation later than any that was there", () => {
		const { medium } = provisioned().flash;
		new Journal(new NorFlash({ medium }), new Things()).provision(1, new Uint8Array(0));
		const again = reboot(medium);
		assert.deepEqual([again.journal.id, again.journal.generation, again.things.mark], [1, 2, ""]);
	});

	it("passes over blocks that fail at the beginning of the partition", () => {
		for (const bad of [[0], [1], [0, 1], [0, 2, 5]]) {
			const flash = new NorFlash({ blocks: 10 });
			for (const block of bad) flash.failBlock(block);
			new Journal(flash, new Things()).provision(3, new Uint8Array(2));
			const again = reboot(flash.medium);
			begin(again, 1, 30);
			assert.deepEqual([...reboot(flash.medium).things.live.keys()], [1]);
		}
	});

	it("of flash that takes nothing, or with too long a mark, is a coded error", () => {
		const flash = new NorFlash({ blocks: 10 });
		const journal = new Journal(flash, new Things());
		assert.throws(() => journal.provision(1, new Uint8Array(MARK_BYTES_MAX + 1)), CodedError);
		assert.equal(flash.operations, 0);
		flash.medium.readOnly = true;
		assert.throws(
			() => journal.provision(1, new Uint8Array(1)),
			(error) => error instanceof CodedError && error.code === "flash",
		);
	});
});
