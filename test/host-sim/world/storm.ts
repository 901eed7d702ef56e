/**
 * A trading day in bad weather: faults of the host, a link that comes and goes, power cuts at random flash operations
 * and at random moments, host crashes, customers that change their mind. The same seed gives the same storm.
 */
import { FAULT_NAMES, SESSION_FAULT_NAMES, SIGN_ON_FAULT_NAMES } from "../../../host-sim/acquirer/faults";
import { drawCutByte } from "../../../host-sim/board/flash-cut";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import type { MoneyReport } from "../../../host-sim/world/check-money";
import { countWholeCopies, FlashLoss } from "../../../host-sim/world/flash-loss";
import { type ConfigOptions, makeConfig } from "../../../src/config";
import { Rig, type RigOptions } from "./rig";

const CARDS = ["chip", "chip-pin", "magstripe-pin", "contactless", "contactless", "magstripe-19", "poor", "lost"];
const RARE_CARDS = ["chip-refuses", "wrong-pin", "expired", "unknown", "bad-check-digit", "restricted"];

export interface StormOptions {
	sales?: number;
	config?: ConfigOptions;
	rig?: RigOptions;
	/** False: power never goes. */
	cuts?: boolean;
	/** A mirror, and blocks of either copy that lose their content. */
	mirror?: boolean;
}

export interface StormReport {
	rig: Rig;
	money: MoneyReport;
	cuts: number;
	restarts: number;
	/** Flash blocks erased while a customer waited. */
	erasesInSale: number;
	approved: number;
	atRest: boolean;
	/** Copies of the journal that hold all of it without the other, when all is over. */
	copiesWhole: number;
	blocksDestroyed: number;
	blocksMended: number;
}

export function storm(seed: number, options: StormOptions = {}): StormReport {
	const random = new SeededRandom(seed).fork("storm");
	const withCuts = options.cuts !== false;
	let settling = false;
	let cuts = 0;
	const config = { doubtsMax: 12, doubtSumMinorMax: 5_000_000, ...options.config };
	const rig = new Rig({
		blocks: 12,
		...(options.mirror === true ? { mirror: true } : {}),
		...options.rig,
		seed,
		config,
		onFlash: (flash, self) => {
			options.rig?.onFlash?.(flash, self);
			// A recovery from a cut is cut again now and then; the provisioning of the first boot never.
			if (!withCuts || settling || flash.medium.boots === 1 || !random.chance(1, 4)) return;
			flash.cutAt(1 + random.below(6), drawCutByte(random), random.u32());
		},
	});
	for (const name of FAULT_NAMES) {
		if (random.chance(1, 2)) rig.faults.setRate(name, random.below(15) / 100);
	}
	// Draws of their own: the storms of earlier versions stay what they were.
	const wire = random.fork("wire");
	for (const name of [...SESSION_FAULT_NAMES, ...SIGN_ON_FAULT_NAMES]) {
		if (wire.chance(1, 3)) rig.faults.setRate(name, wire.below(10) / 100);
	}
	const loss = new FlashLoss(rig.shop.media, random.fork("blocks"));
	const sales = options.sales ?? 40;
	for (let n = 0; n < sales; n++) {
		if (random.chance(1, 12)) rig.setLink(!rig.linkUp);
		else if (!rig.linkUp && random.chance(1, 3)) rig.setLink(true);
		if (random.chance(1, 40)) rig.host?.kill();
		if (rig.host?.dead === true) {
			rig.host = undefined;
			rig.network.setTimer(1 + random.below(60_000), () => rig.startHost());
		}
		if (random.chance(1, 20)) rig.shop.till.paperSlips = 0;
		if (rig.shop.power.on && withCuts) cutSomewhere(rig, random);
		if (rig.mirror !== undefined) loseBlock(rig, random.fork("loss").fork(n), loss);
		const before = rig.shop.boots;
		const visit = rig.come(
			1 + random.below(20_000),
			random.chance(1, 8) ? random.pick(RARE_CARDS) : random.pick(CARDS),
			random.chance(1, 15) ? { fault: random.pick(["unreadable", "pulled", "gone"] as const) } : {},
			random.chance(1, 4),
		);
		if (random.chance(1, 10)) {
			const { power } = rig.shop;
			rig.network.setTimer(1 + random.below(4_000), () => {
				if (visit === rig.shop.visit) power.deliver(() => rig.shop.terminal.cancel());
			});
		}
		for (let s = 0; s < 600 && !(visit.ended && rig.shop.power.on); s++) rig.time.advance(1_000);
		if (rig.shop.boots > before) cuts += rig.shop.boots - before;
		rig.time.advance(random.chance(1, 6) ? random.below(900_000) : random.below(8_000));
		for (let s = 0; s < 120 && !rig.shop.power.on; s++) rig.time.advance(1_000);
	}
	settling = true;
	rig.shop.till.paperSlips = 1_000;
	rig.settle(60);
	const { shop } = rig;
	const wholeCopies = () => countWholeCopies(shop.media, makeConfig(config));
	const mend = () => {
		// Mending takes idle time, and looks at a block a minute.
		for (let n = 0; n < 60 && wholeCopies() < shop.media.length; n++) rig.time.advance(60_000);
	};
	mend();
	// A boot that has nothing to settle writes nothing, and mends nothing: the next customers make it.
	for (let n = 0; n < 3 && wholeCopies() < shop.media.length; n++) {
		rig.sell(100);
		rig.settle(60);
		mend();
	}
	return {
		rig,
		money: rig.money(),
		cuts,
		restarts: shop.restarts,
		erasesInSale: shop.erasesInSale,
		approved: rig.entries().filter((entry) => entry.code === "00").length,
		atRest: shop.power.on && shop.terminal.atRest,
		copiesWhole: wholeCopies(),
		blocksDestroyed: loss.blocksDestroyed,
		blocksMended: shop.blocksMended,
	};
}

/** Now and then a block of one copy is gone, at once or at a moment that lies ahead: power may be off just then. */
function loseBlock(rig: Rig, random: SeededRandom, loss: FlashLoss): void {
	if (!random.chance(1, 5)) return;
	if (random.chance(1, 3)) loss.strike();
	else rig.network.setTimer(1 + random.below(10_000), () => loss.strike());
}

/** Power goes at an operation or at a moment that lies ahead; half of the time not at all. */
function cutSomewhere(rig: Rig, random: SeededRandom): void {
	const { shop } = rig;
	if (random.chance(1, 4)) {
		const ahead = 1 + random.below(12);
		shop.flash.cutAt(shop.flash.operations + ahead, drawCutByte(random), random.u32());
	} else if (random.chance(1, 5)) {
		const { power } = shop;
		rig.network.setTimer(1 + random.below(8_000), () => power.cut());
	}
}
