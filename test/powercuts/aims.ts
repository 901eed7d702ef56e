/**
 * Where power goes: each mode's choice for the next boot. Everything is drawn from the life's own generator.
 */
import { CUT_AFTER, CUT_BEFORE, type Cut, SHAPE_KINDS, TEAR_SHAPES } from "../../host-sim/board/flash-cut";
import type { SeededRandom } from "../../host-sim/board/seeded-random";
import type { History } from "./history";

export interface Aim {
	cut: Cut;
	/** Boots before this one that only read, and go away. */
	looks: number;
	/** The boot may end without having pinned. */
	mayLeave: boolean;
}

/**
 * Says where power goes in the next boot.
 * @param rehearse - goes through that boot on a copy, up to an operation; returns the numbers of its erases
 */
export type Aimer = (
	history: History,
	random: SeededRandom,
	rehearse: (operations: number) => readonly number[],
) => Aim;

const ROW_MAX = 200;

/** Before, after, or at any byte of an operation, in any shape. */
function anyCut(operation: number, random: SeededRandom): Cut {
	const where = random.below(5);
	const byte = where === 0 ? CUT_BEFORE : where === 1 ? CUT_AFTER : random.u32();
	return { operation, byte, shape: random.below(TEAR_SHAPES) };
}

/** In the first operations of a boot, or later. */
function anyOperation(history: History, random: SeededRandom): number {
	const range = random.chance(1, 3) ? 5 : random.chance(1, 2) ? 30 : 120;
	return 1 + random.below(range * history.media.length);
}

/** Operations of a boot that does nothing but pin and make room. */
function bootOperation(history: History, random: SeededRandom): number {
	return 1 + random.below(6 * history.media.length);
}

export function aimAnywhere(): Aimer {
	return (history, random) => ({ cut: anyCut(anyOperation(history, random), random), looks: 1, mayLeave: true });
}

/** At an erase, or at the operation before or after it. */
export function aimAtErases(): Aimer {
	return (history, random, rehearse) => {
		const erases = rehearse((random.chance(1, 4) ? 120 : 40) * history.media.length);
		const near = random.pick([-1, 0, 0, 0, 1]);
		// The boot's own first erase is the same each time: mostly one of those that follow is meant.
		const first = erases.length > 1 && random.chance(3, 4) ? 1 : 0;
		const erase = erases.length === 0 ? 1 : erases[first + random.below(erases.length - first)];
		return { cut: anyCut(Math.max(1, erase + near), random), looks: 1, mayLeave: false };
	};
}

/** Rows: after one cut anywhere, the next ones in the first operations of the boots that follow. */
export function aimAtRecovery(): Aimer {
	let left = 0;
	return (history, random) => {
		if (left > 0) {
			left--;
			return { cut: anyCut(bootOperation(history, random), random), looks: 1, mayLeave: random.chance(1, 8) };
		}
		left = random.chance(1, 40) ? ROW_MAX : 1 + random.below(random.chance(1, 4) ? 20 : 4);
		return { cut: anyCut(anyOperation(history, random), random), looks: 1, mayLeave: false };
	};
}

/**
 * Every cut tears and leaves marginal cells, most in the boots' own operations; then many boots read, in many moods,
 * before one goes by what it reads.
 */
export function aimMarginal(): Aimer {
	return (history, random) => {
		const operation = random.chance(3, 4) ? bootOperation(history, random) : anyOperation(history, random);
		const share = random.chance(3, 4) ? 2 : 1;
		const shape = share * SHAPE_KINDS + random.below(SHAPE_KINDS);
		// Never at the very first byte: then nothing would be torn.
		const cut = { operation, byte: 1 + random.below(CUT_AFTER - 1), shape };
		return { cut, looks: 1 + random.below(4), mayLeave: true };
	};
}

/** Rows of 200 cuts in the first operations after a boot, each after one boot that worked for longer. */
export function aimAtBrownOuts(): Aimer {
	let left = 0;
	return (history, random) => {
		left = left === 0 ? ROW_MAX : left - 1;
		const operation = left === ROW_MAX ? 1 + random.below(1000) : bootOperation(history, random);
		return { cut: anyCut(operation, random), looks: 1, mayLeave: false };
	};
}
