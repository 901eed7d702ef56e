/** Which blocks are worn out is remembered in the marks (rule 9 of src/journal/DESIGN.md), and a slip is forgiven. */
import { strict as assert } from "node:assert";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { toHex } from "../../src/core/bytes";
import { MARK_OWN_BYTES_MAX, PAYLOAD_BYTES_MAX } from "../../src/journal/format";
import { MARK_BYTES_MAX } from "../../src/journal/journal";
import { breakJournal } from "./broken-journal";
import { begin, checkThings, end, makeJournal, type Opened, provisioned, reboot } from "./checks";
import { Things } from "./things";

function turn(opened: Opened, times: number, first = 1_000): void {
	for (let id = first; id < first + times; id++) {
		assert.ok(opened.journal.prepare(500), `id ${id}`);
		begin(opened, id, 200);
		end(opened, id);
		opened.journal.idle();
	}
}

describe("journal, blocks that are worn out", () => {
	it("are named by a mark in idle time, known at every later boot and after settlements, and never used", () => {
		const opened = provisioned({ blocks: 12 });
		for (const [block, silent] of [
			[3, true],
			[7, false],
		] as const)
			opened.flash.failBlock(block, { silent });
		begin(opened, 1, 80);
		turn(opened, 500);
		assert.equal(opened.journal.retiredBlocks, 2);
		let last = opened;
		for (let boot = 0; boot < 4; boot++) {
			last = reboot(opened.flash.medium);
			assert.equal(last.journal.retiredBlocks, 2, `boot ${boot}`);
			const before = [3, 7].map((block) => opened.flash.medium.erases[block]);
			turn(last, 150, 2_000 + boot * 200);
			last.journal.beginCarry();
			begin(last, 1, 80);
			last.journal.settle(Uint8Array.of(boot));
			turn(last, 60, 9_000);
			// Knowing them, no operation is wasted on them.
			assert.deepEqual(
				[3, 7].map((block) => opened.flash.medium.erases[block]),
				before,
			);
		}
		checkThings(last, new Map([[1, 80]]));
	});

	it("are found again when power went before a mark could name them", () => {
		const opened = provisioned({ blocks: 12 });
		opened.flash.failBlock(2);
		opened.journal.prepare(500); // The erase fails: retired, and no mark says so yet.
		const again = reboot(opened.flash.medium);
		assert.equal(again.journal.retiredBlocks, 0);
		turn(again, 400);
		assert.equal(again.journal.retiredBlocks, 1);
		assert.equal(reboot(opened.flash.medium).journal.retiredBlocks, 1);
	});

	it("are not those in which one program failed and later ones do not", () => {
		const opened = provisioned({ blocks: 12 });
		opened.journal.pin();
		opened.journal.idle();
		const { medium } = opened.flash;
		medium.faults.set(3, { erase: false, program: true, silent: true });
		turn(opened, 25); // Into block 3, and past it.
		medium.faults.delete(3);
		turn(opened, 300);
		assert.equal(opened.journal.retiredBlocks, 0);
		assert.ok(medium.erases[3] > 2, "it is used again");
	});

	it("do not push out a client's mark that leaves no room for their names", () => {
		// Format 1 allowed marks of up to 442 bytes: such a journal is made by one that knows no retired blocks.
		const old = breakJournal({
			file: "format.ts",
			from: "export const MARK_OWN_BYTES_MAX = MARK_TAIL_BYTES + 1 + 2 * RETIRED_MAX;",
			to: "export const MARK_OWN_BYTES_MAX = MARK_TAIL_BYTES;",
		});
		const client = new Uint8Array(PAYLOAD_BYTES_MAX - 7).fill(0x5a);
		assert.ok(client.length > MARK_BYTES_MAX && client.length > PAYLOAD_BYTES_MAX - MARK_OWN_BYTES_MAX);
		const flash = new NorFlash({ blocks: 12 });
		old(flash, new Things()).provision(5, client);
		flash.failBlock(6, { silent: true });
		const opened = reboot(flash.medium, makeJournal);
		begin(opened, 1, 80);
		turn(opened, 400);
		const again = reboot(flash.medium);
		assert.equal(again.things.mark, toHex(client));
		checkThings(again, new Map([[1, 80]]));
	});
});
