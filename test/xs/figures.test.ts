/** Goal: the terminal fits the board's heap, and a live transaction takes nothing of it (I10). */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundlePointed, bundleScript } from "./bundles";
import { BUDGET_SLOTS, type MeasureScripts, measureConstructed, measureLive, measureScene } from "./figures";
import { PackedTape, TapeLink } from "./measure-link";
import { runScene, SCENES, Stand, SYNC_SCENES } from "./measure-scenes";
import { recordScene } from "./record";

/** A constructed terminal, so that all scenes of `npm run test:xs -- --figures` keep to the budget. */
const CONSTRUCTED_SLOTS = 2_880;
/** Enough looks at a sale to promise that it keeps to the budget. */
const SALE_REPLAYS = 40;

/** A few looks of those that `npm run test:xs -- --figures` takes. */
const REPLAYS = 6;
/** Of a comparison, beyond a terminal at rest. */
const SYNC_SLOTS = 300;
/** Byte codes for each transaction: the list, and the digest with the evidence chain that it carries. */
const LIST_STEPS = 30_000;
const DIGEST_STEPS = 300_000;

describe("the terminal's slots on XS", function () {
	this.timeout(120_000);
	let script = "";
	let scripts: MeasureScripts;
	let folder = "";

	before(async () => {
		script = bundleScript("measure-entry.ts");
		scripts = { plain: script, pointed: await bundlePointed("measure-entry.ts") };
		folder = mkdtempSync(join(tmpdir(), "xs-slots-"));
	});

	after(() => {
		rmSync(folder, { recursive: true, force: true });
	});

	it("are few enough when it is constructed", async () => {
		for (const scene of [SCENES[0], SCENES[2]]) {
			const slots = await measureConstructed(script, scene);
			assert.ok(slots > 500, "something was measured");
			assert.ok(slots <= CONSTRUCTED_SLOTS, `${slots} slots of a terminal with ${scene.scheme} keys`);
		}
	});

	it("keep to the budget from the first to the last moment of a sale", async () => {
		for (const scene of SCENES.filter(({ name }) => name === "sale, chip-pin, session")) {
			const { name, peak, bound, before, points } = await measureScene(scripts, scene, 2, folder, SALE_REPLAYS);
			assert.ok(points > 5_000, `${name}: ${points} points`);
			assert.ok(peak > before + 100 && bound >= peak, `${name}: something was measured`);
			assert.ok(bound <= BUDGET_SLOTS, `${name}: ${bound} slots`);
		}
	});

	it("do not grow with live transactions", async () => {
		assert.deepEqual(await measureLive(script, SCENES[0], [20, 80]), [0, 0]);
	});

	it("find room for a comparison of 500, which costs little for each of them", async () => {
		for (const scene of SYNC_SCENES.filter(({ name }) => !name.endsWith("differ"))) {
			const { name, before, peak, steps, compared, points } = await measureScene(scripts, scene, 2, folder, REPLAYS);
			assert.equal(compared, 500);
			assert.ok(points > 10_000, `${name}: ${points} points`);
			assert.ok(peak > before && peak <= before + SYNC_SLOTS, `${name}: ${peak} slots, ${before} before it`);
			assert.ok(peak <= BUDGET_SLOTS, `${name}: ${peak} slots`);
			const most = name.endsWith("list") ? LIST_STEPS : DIGEST_STEPS;
			assert.ok(steps > 0 && steps / compared <= most, `${name}: ${steps} byte codes`);
		}
	});

	it("are measured in scenes that the terminal plays without its host as it did with it", () => {
		for (const scene of SCENES.filter(({ earlier }) => earlier === undefined)) {
			const tape = new PackedTape(recordScene(scene).tape);
			const { scheme, card, blocks, config } = scene;
			let link: TapeLink | undefined;
			const stand = new Stand({
				...{ scheme, card, blocks, config },
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
