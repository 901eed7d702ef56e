/**
 * What breaks around one terminal, apart from its network's frames and its host's answers: power, flash, clock, links.
 * Each trouble is asked for when a customer comes, or at a boot, and lies a little ahead.
 * @module
 */
import type { Clock } from "../../src/ports";
import { drawCutByte } from "../board/flash-cut";
import type { NorFlash } from "../board/nor-flash";
import type { SeededRandom } from "../board/seeded-random";
import { FlashLoss } from "./flash-loss";
import type { Station } from "./station";
import type { Story } from "./story";
import type { Strikes, WorldKind } from "./strikes";

const DAY_S = 86_400;
const OPERATIONS_AHEAD = 12;
/** More than two would take the journal's reserve; a chip that loses more is another trouble. */
const WORN_BLOCKS_MAX = 2;

export interface WeatherOptions {
	readonly station: Station;
	readonly network: Clock;
	readonly random: SeededRandom;
	readonly strikes: Strikes;
	readonly story: Story;
}

export class Weather {
	readonly #o: WeatherOptions;
	readonly #loss: FlashLoss;
	#wornBlocks = 0;
	#clockAhead = false;
	/** Boots that are still to be cut at once. */
	#brownOuts = 0;

	constructor(options: WeatherOptions) {
		this.#o = options;
		this.#loss = new FlashLoss(options.station.media, options.random.fork("loss"));
	}

	/** A boot begins: the supply may fail again in its first operations. Never the first one, which is provisioned. */
	onFlash(flash: NorFlash): void {
		const { strikes } = this.#o;
		if (flash.medium.boots === 1) return;
		if (this.#brownOuts === 0 && this.#strikes("brownOutLoop")) {
			this.#brownOuts = 2 + strikes.random("brownOutLoop").below(20);
		}
		const looping = this.#brownOuts > 0;
		if (looping) this.#brownOuts--;
		else if (!this.#strikes("brownOut")) return;
		const random = strikes.random("brownOut");
		if (looping) this.#o.station.bootQuickly(1);
		if (random.chance(1, 2)) flash.cutAt(1 + random.below(6), drawCutByte(random), random.u32());
		else this.#cutIn(random.below(40));
	}

	/** A customer comes. */
	beforeCustomer(): void {
		const { strikes, station } = this.#o;
		if (this.#strikes("powerCut")) this.#cutIn(1 + strikes.random("powerCut").below(8_000));
		if (this.#strikes("flashCut")) {
			const random = strikes.random("flashCut");
			const { flash } = station.shop;
			flash.cutAt(flash.operations + 1 + random.below(OPERATIONS_AHEAD), drawCutByte(random), random.u32());
		}
		if (this.#strikes("clockJump")) this.#jumpClock();
		for (let n = 0; n < station.linkStates.length; n++) this.#spoilLink(n);
		this.#spoilFlash();
	}

	/** Phase two: every link carries again. */
	heal(): void {
		this.#brownOuts = 0;
		const { station } = this.#o;
		for (let n = 0; n < station.linkStates.length; n++) station.setLink(n, "up");
	}

	#strikes(kind: WorldKind): boolean {
		return this.#o.strikes.strikes(kind);
	}

	#cutIn(ms: number): void {
		const { station, network } = this.#o;
		const { power } = station.shop;
		network.setTimer(ms, () => power.cut());
	}

	#jumpClock(): void {
		const { station, strikes, story } = this.#o;
		const random = strikes.random("clockJump");
		const greatestS = random.pick([1, 600, DAY_S, 400 * DAY_S, 20 * 365 * DAY_S]);
		const ms = random.below(greatestS) * 1_000 + 1 + random.below(1_000);
		// Back and forth, so that many jumps lead nowhere.
		const signedMs = this.#clockAhead ? -ms : ms;
		if (random.chance(1, 2)) this.#clockAhead = !this.#clockAhead;
		story.line(station.number, "clock", `jumps by ${signedMs} ms`);
		station.jumpClock(signedMs);
	}

	#spoilLink(n: number): void {
		const { station, strikes, network, story } = this.#o;
		for (const [kind, state] of [
			["linkRefuses", "refuses"],
			["linkSilent", "silent"],
		] as const) {
			if (!this.#strikes(kind)) continue;
			const random = strikes.random(kind);
			network.setTimer(random.below(20_000), () => {
				story.line(station.number, "link", `link${n + 1} ${state}`);
				station.setLink(n, state);
			});
			const ms = 20_000 + (random.chance(1, 3) ? random.below(900_000) : random.below(60_000));
			network.setTimer(ms, () => {
				story.line(station.number, "link", `link${n + 1} is up`);
				station.setLink(n, "up");
			});
		}
	}

	#spoilFlash(): void {
		const { station, strikes, story } = this.#o;
		const { media } = station;
		if (media.length === 2) {
			if (this.#strikes("flashLoss")) {
				const lost = this.#loss.strike();
				if (lost !== undefined) {
					story.line(station.number, "flash", `copy ${lost.copy} loses block ${lost.block}: ${lost.kind}`);
				}
			}
			if (this.#strikes("flashBitFlip")) {
				const flipped = this.#loss.flipBit(strikes.random("flashBitFlip"));
				if (flipped !== undefined) story.line(station.number, "flash", `a bit flips in block ${flipped}`);
			}
			if (this.#strikes("flashChipNew")) {
				station.shop.pullPlug();
				const copy = this.#loss.renewCopy(strikes.random("flashChipNew"));
				if (copy !== undefined) story.line(station.number, "flash", `copy ${copy} is a blank chip`);
			}
			return;
		}
		if (this.#wornBlocks < WORN_BLOCKS_MAX && this.#strikes("flashBlockWorn")) {
			const random = strikes.random("flashBlockWorn");
			const block = random.below(media[0].blocks);
			this.#wornBlocks++;
			story.line(station.number, "flash", `block ${block} is worn out`);
			station.shop.flash.failBlock(block, { silent: random.chance(1, 2), partly: random.chance(1, 2) });
		}
	}
}
