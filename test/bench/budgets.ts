/**
 * What the journal may cost at most, on one copy with write unit 1, beside what was measured. Nothing is asserted here:
 * who runs the bench sees the figure and the ratio, and judges.
 */
import type { CutFigures } from "./cut-bench";
import type { JournalFigures } from "./journal-bench";

const WRITE_AMPLIFICATION_MAX = 1.12;
const ERASES_PER_THOUSAND_SALES_MAX = 42;
const WEAR_SPREAD_MAX = 2;
/** Of the live bytes as programmed; and for each block; and one block. */
const MOUNT_READ_SHARE_MAX = 1.1;
const MOUNT_READ_BLOCK_BYTES = 32;
/** 2 kB. */
const RAM_BYTES_MAX = 2_048;
const RAM_PER_LIVE_BYTES_MAX = 16;

export interface BudgetLine {
	readonly what: string;
	readonly bound: number;
	readonly measured: number;
	/** What is measured must reach the bound, not stay below it. */
	readonly atLeast?: boolean;
}

/** Bytes that a mount may read. */
export function mountReadBytesMax(liveBytes: number, blocks: number, blockLength: number): number {
	return MOUNT_READ_SHARE_MAX * liveBytes + MOUNT_READ_BLOCK_BYTES * blocks + blockLength;
}

/** Bytes of RAM for each live sale: how much more the journal takes with the most live in a batch than with none. */
export function ramBytesPerLive(figures: JournalFigures): number {
	const { liveInBatch } = figures.setup;
	const none = mountAt(figures, 0);
	const most = mountAt(figures, Math.max(...liveInBatch));
	return (most.ramBytes - none.ramBytes) / most.live;
}

export function mountAt(figures: JournalFigures, live: number): JournalFigures["mounts"][number] {
	const mount = figures.mounts.find((candidate) => candidate.live === live);
	if (mount === undefined) throw new Error(`no mount was measured at ${live} live`);
	return mount;
}

export function budgetLines(figures: JournalFigures, cuts: readonly CutFigures[], blockLength: number): BudgetLine[] {
	const { blocks } = figures.setup;
	const done = cuts.reduce((sum, one) => sum + one.cuts, 0);
	const failures = cuts.reduce((sum, one) => sum + one.failures, 0);
	return [
		{
			what: "bytes programmed, times the payload",
			bound: WRITE_AMPLIFICATION_MAX,
			measured: figures.writeAmplification,
		},
		{ what: "erases in 1,000 sales", bound: ERASES_PER_THOUSAND_SALES_MAX, measured: figures.erasesPerThousandSales },
		{ what: "wear: erases between any two blocks", bound: WEAR_SPREAD_MAX, measured: figures.wearSpread },
		{ what: "erases in a sale's path", bound: 0, measured: figures.erasesInSalePath },
		...figures.mounts.map((mount) => ({
			what: `bytes read at mount, ${mount.live.toLocaleString("en-US")} live`,
			bound: mountReadBytesMax(mount.liveBytes, blocks, blockLength),
			measured: mount.readBytes,
		})),
		{ what: "bytes of RAM, 0 live", bound: RAM_BYTES_MAX, measured: mountAt(figures, 0).ramBytes },
		{ what: "bytes of RAM for each live sale", bound: RAM_PER_LIVE_BYTES_MAX, measured: ramBytesPerLive(figures) },
		{ what: `failures in ${done.toLocaleString("en-US")} power cuts`, bound: 0, measured: failures },
	];
}

export function isHeld(line: BudgetLine): boolean {
	return line.atLeast === true ? line.measured >= line.bound : line.measured <= line.bound;
}
