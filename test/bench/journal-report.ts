/** The figures of the journal as text, and as one JSON object. Pure: what was measured goes in, what is printed comes out. */
import { BLOCK_BYTES } from "../../host-sim/board/flash-medium";
import { TransactionIndex } from "../../src/transactions/transaction-index";
import { type BudgetLine, budgetLines, isHeld, mountAt, ramBytesPerLive } from "./budgets";
import type { CutFigures } from "./cut-bench";
import { type JournalFigures, PHASES } from "./journal-bench";
import { COLUMNS, PEERS } from "./peers";
import type { Quantiles } from "./quantiles";
import { figure, fixed, table } from "./table";

/** Of one setup: what its sales have cost, and what it lost in power cuts. */
export interface JournalResult {
	/** "write unit 1". */
	readonly name: string;
	/** Its key in the JSON object. */
	readonly key: string;
	readonly figures: JournalFigures;
	readonly random: CutFigures;
	readonly erase: CutFigures;
}

/** @param results - the first is the one that the budgets are for */
export function reportJournal(results: readonly JournalResult[]): string {
	return [
		peerTable(results),
		budgetTable(results[0]),
		detailTable(results),
		ramOfTheIndex(),
		...results.flatMap(({ random, erase }) => [...random.replays, ...erase.replays]),
		`${CUT_KINDS_NOTE}\n`,
	].join("\n");
}

const CUT_KINDS_NOTE = `The cuts are the first 600 of npm run powercuts in each of its modes random and erase, with its own workload and in
rings of the sizes it draws. A failure is something lost, changed, resurrected, no mount, or no room to end a sale.`;

/** Exactly these seven for each setup; mounts with the most live that a batch has, in this workload 499. */
export function journalJson(figures: JournalFigures): Record<string, number> {
	const mount = mountAt(figures, Math.max(...figures.setup.liveInBatch));
	return {
		writeAmplification: figures.writeAmplification,
		erasesPerThousandSales: figures.erasesPerThousandSales,
		wearSpread: figures.wearSpread,
		erasesInSalePath: figures.erasesInSalePath,
		mountReadBytes: mount.readBytes,
		liveBytes: mount.liveBytes,
		ramBytesPerLive: ramBytesPerLive(figures),
	};
}

/** One line. */
export function resultsJson(results: readonly JournalResult[]): string {
	return JSON.stringify(Object.fromEntries(results.map(({ key, figures }) => [key, journalJson(figures)])));
}

function peerTable(results: readonly JournalResult[]): string {
	const ours = results.map(({ name, figures, random, erase }) => {
		const mount = mountAt(figures, Math.max(...figures.setup.liveInBatch));
		return [
			`ours, ${name}`,
			fixed(figures.bytesPerSale, 1),
			fixed(figures.writeAmplification, 3),
			fixed(figures.erasesPerThousandSales, 1),
			`${figures.wearInRun}`,
			readable(figures.readPerSale),
			`${fixed(mount.readBytes / 1_000, 1)} + 0 kB`,
			`${lostOf(random)} / ${lostOf(erase)}`,
		];
	});
	return `${table([COLUMNS, ["measured elsewhere:"], ...PEERS, ["measured in this run:"], ...ours])}
WA: bytes programmed, times the 152 of payload. Wear: erases of one block in these sales. Our mount hands every live
record out, so that no scan follows. Our reads are nearly all for looking whether what was written or erased is so.
With a mirror bytes and erases are those of both copies, and idle() compares the copies all the time.
`;
}

function lostOf(cuts: CutFigures): string {
	const kinds = Object.entries(cuts.byKind).filter(([, count]) => count > 0);
	return kinds.length === 0 ? "0" : kinds.map(([kind, count]) => `${count} ${kind}`).join(", ");
}

function budgetTable(result: JournalResult): string {
	const lines = budgetLines(result.figures, [result.random, result.erase], BLOCK_BYTES);
	const rows = lines.map((line) => [
		line.what,
		`≤ ${figure(line.bound)}`,
		figure(line.measured),
		isHeld(line) ? "held" : "EXCEEDED",
		ratio(line),
	]);
	return table([[`budget (${result.name}, one copy)`, "bound", "measured", "", "measured/bound"], ...rows]);
}

function ratio({ bound, measured }: BudgetLine): string {
	return bound === 0 ? "–" : fixed(measured / bound, 2);
}

function detailTable(results: readonly JournalResult[]): string {
	const row = (what: string, of: (figures: JournalFigures, result: JournalResult) => string) => [
		what,
		...results.map((result) => of(result.figures, result)),
	];
	const [{ figures }] = results;
	const rows = [
		["ours in detail", ...results.map(({ name }) => name)],
		["flash time in a sale's path, p50 / p99 / worst"],
		row("  typical, ms", (of) => quantileText(of.saleTypicalMs)),
		row("  maximum, ms", (of) => quantileText(of.saleMaximumMs)),
		["flash time a sale, mean, typical / maximum, ms"],
		...PHASES.map((phase) => row(`  ${PHASE_NAMES[phase]}`, (of) => meanTime(of, phase))),
		row("  share that idle() takes off the sale", (of) => `${fixed(idleShare(of) * 100, 0)} %`),
		row(
			"longest idle(), typical / maximum, ms",
			(of) => `${fixed(of.idleTypicalMs, 0)} / ${fixed(of.idleMaximumMs, 0)}`,
		),
		row("erases in a sale's path", (of) => `${of.erasesInSalePath} in ${of.salesWithErase} sales`),
		row(
			"erases before the card / in idle()",
			(of) => `${of.phases.prepare.blocksErased} / ${of.phases.idle.blocksErased}`,
		),
		row("bytes read a sale, in its path / in idle()", (of) => {
			const { sales } = of.setup;
			return `${figure(of.phases.sale.bytesRead / sales)} / ${figure(of.phases.idle.bytesRead / sales)}`;
		}),
		row(
			"wear, these sales / since provisioning / spread",
			(of) => `${of.wearInRun} / ${of.wearWorst} / ${of.wearSpread}`,
		),
	];
	for (const { live } of figures.mounts) {
		rows.push(
			[`mount at ${live.toLocaleString("en-US")} live`],
			row("  bytes read", (of) => figure(mountAt(of, live).readBytes)),
			row("  live bytes as programmed, of one copy", (of) => figure(mountAt(of, live).liveBytes)),
			row("  calls of read", (of) => figure(mountAt(of, live).reads)),
			row("  ms on the wire (SPI, 40 MHz, one line)", (of) => fixed(mountAt(of, live).wireMs, 1)),
			row("  ms on this computer", (of) => fixed(mountAt(of, live).ms, 1)),
			row("  RAM of the journal, bytes", (of) => figure(mountAt(of, live).ramBytes)),
		);
	}
	rows.push(
		row("RAM of the journal for each live sale, bytes", (of) => figure(ramBytesPerLive(of))),
		["power cuts"],
		row("  at random, cuts / failures", (_, { random }) => `${random.cuts} / ${random.failures}`),
		row("  at erases, cuts / failures", (_, { erase }) => `${erase.cuts} / ${erase.failures}`),
	);
	return table(rows);
}

const PHASE_NAMES = {
	sale: "in its path",
	prepare: "before the card: prepare()",
	idle: "after it: idle()",
	settle: "settlement",
} as const;

/** The journal remembers no live record; who keeps what is live in memory is the terminal's index. */
function ramOfTheIndex(): string {
	const index = new TransactionIndex(INDEX_CAPACITY);
	const slots = index.ids.length;
	return `The journal itself keeps nothing for a live sale. The terminal's TransactionIndex beside it takes ${index.ramBytes / slots} bytes a slot,
used or not: ${figure(index.ramBytes)} bytes for ${figure(INDEX_CAPACITY)} transactions.
`;
}

const INDEX_CAPACITY = 1_000;

function meanTime(figures: JournalFigures, phase: (typeof PHASES)[number]): string {
	const { typicalUs, maximumUs } = figures.phases[phase];
	const perSale = 1_000 * figures.setup.sales;
	return `${fixed(typicalUs / perSale, 2)} / ${fixed(maximumUs / perSale, 1)}`;
}

/** Of the typical flash time: what the sale would have waited for if it had not been done after the one before. */
function idleShare({ phases, total }: JournalFigures): number {
	return phases.idle.typicalUs / total.typicalUs;
}

function quantileText({ p50, p99, worst }: Quantiles): string {
	return [p50, p99, worst].map((ms) => fixed(ms, 1)).join(" / ");
}

function readable(bytes: number): string {
	return bytes < 1_000 ? `${fixed(bytes, 0)} B` : `${fixed(bytes / 1_000, 1)} kB`;
}
