/** Goal: the terminal fits the board's heap, and a live transaction takes nothing of it (I10). */
import assert from "node:assert/strict";
import { bundleScript } from "./bundles";
import { BUDGET_SLOTS, measureConstructed, measureLive } from "./figures";
import { PackedTape, TapeLink } from "./measure-link";
import { runScene, SCENES, Stand } from "./measure-scenes";
import { recordScene } from "./record";

/** What a sale takes beyond a constructed terminal; `npm run test:xs -- --figures` has it to the slot. */
const SALE_SLOTS = 1_200;

describe("the terminal's slots on XS", function () {
	this.timeout(60_000);
	let script = "";

	before(() => {
		script = bundleScript("measure-entry.ts");
	});

	it("are few enough that a sale finds room beside them", async () => {
		for (const scene of [SCENES[0], SCENES[2]]) {
			const slots = await measureConstructed(script, scene);
			assert.ok(slots > 500, "something was measured");
			assert.ok(slots + SALE_SLOTS <= BUDGET_SLOTS, `${slots} slots of a terminal with ${scene.scheme} keys`);
		}
	});

	it("do not grow with live transactions", async () => {
		assert.deepEqual(await measureLive(script, SCENES[0], [20, 80]), [0, 0]);
	});

	it("are measured in scenes that the terminal plays without its host as it did with it", () => {
		for (const scene of SCENES.filter(({ earlier }) => earlier === undefined)) {
			const tape = new PackedTape(recordScene(scene).tape);
			const { scheme, card, blocks } = scene;
			let link: TapeLink | undefined;
			const stand = new Stand({
				...{ scheme, card, blocks },
				collect: () => {},
				makeLink: (clock, probe) => {
					link = new TapeLink(tape, clock, probe);
					return link;
				},
			});
			scene.prepare(stand);
			assert.ok(runScene(scene, stand));
			assert.equal(link?.ended, true, scene.name);
		}
	});
});
