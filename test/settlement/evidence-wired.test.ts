/**
 * Goal: whoever asks a terminal for evidence gets a pack that `verify` proves, of which no byte can be altered unseen, and
 * nothing secret is in it or in the partition it is made from (I9). Method: whole terminals against the whole host on virtual
 * time; the packs are checked by the code of `npm run verify`, which shares none with the firmware.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makePack } from "../../host-sim/board/make-pack";
import { checkPack, type Verdict } from "../../host-sim/cli/verify-checks";
import { type PackObject, PackSyntaxError, parsePack } from "../../host-sim/cli/verify-json";
import { FIRMWARE_VERSION } from "../../src/config";
import { Rig } from "../host-sim/world/rig";

const HOUR_MS = 3_600_000;

function verdictOf(pack: Uint8Array): Verdict {
	return checkPack(pack, parsePack(pack), {});
}

/** False for what is no pack any more, or not what was signed. */
function passes(pack: Uint8Array): boolean {
	try {
		const parsed = parsePack(pack);
		if ((parsed.value as PackObject).format !== "unsettled evidence 1") return false;
		const { signature, findings } = checkPack(pack, parsed, {});
		return signature === "good" && !findings.some(({ verdict }) => verdict === "altered");
	} catch (error) {
		if (!(error instanceof PackSyntaxError)) throw error;
		return false;
	}
}

const bodyOf = (pack: Uint8Array): PackObject => (parsePack(pack).value as { body: PackObject }).body;

/** A morning with a record that the host has lost. */
function morning(): Rig {
	const rig = new Rig({ evidence: true });
	rig.sell(2_000, "chip-pin");
	rig.faults.arm("recordLost", 1);
	rig.sell(68_800, "magstripe-pin");
	rig.sell(1_500);
	rig.time.advance(HOUR_MS);
	return rig;
}

describe("evidence of a terminal at work", () => {
	it("of a sale, a case and a day is proven, with frames, and anchored at the host", () => {
		const rig = morning();
		const { terminal } = rig.shop;
		assert.equal(terminal.cases.count, 1);
		const { batch, stan } = terminal.cases.get(1);
		const nowMs = rig.time.nowMs;
		for (const wanted of [{ batch, stan }, { case: 1 }, { fromMs: nowMs - 12 * HOUR_MS, toMs: nowMs }]) {
			const pack = makePack(terminal, wanted);
			const { signature, findings } = verdictOf(pack);
			assert.equal(signature, "good");
			assert.deepEqual(
				findings.filter(({ verdict }) => verdict === "altered"),
				[],
			);
			const body = bodyOf(pack);
			assert.ok((body.frames as PackObject[]).length >= 4, JSON.stringify(wanted));
			assert.ok(((body.chain as PackObject).anchors as PackObject[]).length >= 1, JSON.stringify(wanted));
			assert.equal((body.device as PackObject).firmware, FIRMWARE_VERSION);
		}
		const told = bodyOf(makePack(terminal, { case: 1 })).case as PackObject;
		assert.deepEqual([told.row, told.cause, told.state], ["notFound", "systemFault", "resolved"]);
	});

	it("goes on over settlements: the mark carries the heads, and a boot goes on from them", () => {
		const rig = morning();
		assert.equal(rig.shop.terminal.settle(), true);
		rig.time.advance(HOUR_MS);
		const heads = rig.shop.terminal.log.markHeads;
		assert.equal(heads?.length, 64);
		const { stan } = rig.sell(3_000);
		rig.shop.pullPlug();
		rig.time.advance(HOUR_MS);
		assert.deepEqual(rig.shop.terminal.log.markHeads, heads);
		const body = bodyOf(makePack(rig.shop.terminal, { batch: 2, stan }));
		const from = (body.chain as PackObject).from as PackObject;
		assert.equal(`${from.begun}${from.ended}`, Buffer.from(heads).toString("hex"));
	});

	it("is refused with every byte flipped, cut off anywhere, or more than it was", function () {
		this.timeout(120_000);
		const rig = new Rig({ evidence: true });
		const { stan } = rig.sell(2_000);
		rig.time.advance(60_000);
		const pack = makePack(rig.shop.terminal, { batch: 1, stan });
		assert.ok(passes(pack));
		for (let at = 0; at < pack.length; at++) {
			const altered = pack.slice();
			altered[at] ^= 1 << (at % 8);
			assert.ok(!passes(altered), `byte ${at} of ${pack.length}`);
		}
		for (let byteLength = 0; byteLength < pack.length; byteLength += 7) {
			assert.ok(!passes(pack.subarray(0, byteLength)), `${byteLength} bytes`);
		}
		assert.ok(!passes(Uint8Array.of(...pack, 0x20)));
		if (process.env.SHOW !== undefined) process.stdout.write(`${pack.length} bytes flipped, each refused\n`);
	});

	it("is not made while somebody is served, and of what is not known", () => {
		const rig = new Rig({ evidence: true });
		rig.sell(2_000);
		rig.time.advance(60_000);
		const { terminal } = rig.shop;
		for (const wanted of [{ case: 7 }, { batch: 1, stan: 999 }]) {
			assert.throws(() => makePack(terminal, wanted), { code: "missing" });
		}
		const visit = rig.come(3_000);
		rig.runUntil(() => visit.screens.includes("waitForHost"));
		assert.throws(() => makePack(terminal, { batch: 1, stan: 2 }), { code: "state" });
	});

	it("holds no card number, track, PIN block or key, in packs and in flash", () => {
		const rig = new Rig({ evidence: true });
		for (const card of ["chip", "chip-pin", "magstripe-pin", "contactless"]) rig.sell(2_000, card);
		rig.time.advance(HOUR_MS);
		const day = makePack(rig.shop.terminal, { fromMs: 0, toMs: 4e12 });
		const image = rig.evidence?.image ?? new Uint8Array(0);
		assert.ok(Buffer.from(image).includes("0200"), "frames are there");
		for (const where of [Buffer.from(day), Buffer.from(image)]) {
			for (const { pan } of rig.cards) {
				assert.ok(!where.includes(pan), "a card number as text");
				assert.ok(!where.includes(Buffer.from(pan, "hex")), "a card number as BCD");
			}
		}
	});

	it("costs no sale anything when its partition is dead, or is none", () => {
		for (const evidence of [undefined, true] as const) {
			const rig = new Rig(evidence === undefined ? {} : { evidence });
			if (rig.evidence !== undefined) rig.evidence.readOnly = true;
			const { stan } = rig.sell(999);
			for (let n = 0; n < 30; n++) assert.equal(rig.sell(1_000 + n).screens.at(-1), "approved");
			rig.time.advance(HOUR_MS);
			assert.equal(rig.shop.restarts, 0);
			const pack = makePack(rig.shop.terminal, { batch: 1, stan });
			assert.ok(passes(pack));
			assert.deepEqual(bodyOf(pack).frames, []);
		}
	});

	it("names the firmware as package.json does", () => {
		const text = readFileSync(join(__dirname, "..", "..", "package.json"), "utf8");
		assert.equal((JSON.parse(text) as { version: string }).version, FIRMWARE_VERSION);
	});
});
