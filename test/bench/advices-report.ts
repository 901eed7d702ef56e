/** The figures of the advices as text, and as one JSON object. Pure: what was measured goes in, what is printed comes out. */
import type { AdvicesFigures } from "./advices-bench";
import { type BudgetLine, isHeld } from "./budgets";
import { figure, fixed, table } from "./table";

/** For 1,000 over a round trip of 100 ms; as many times more for more of either. */
const DRAIN_S_MAX = 20;
const WINDOW = 16;

export function advicesBudgetLines(figures: AdvicesFigures): BudgetLine[] {
	const { count, roundTripMs } = figures.setup;
	return [
		{
			what: "virtual seconds to drain",
			bound: (DRAIN_S_MAX * count * roundTripMs) / 100_000,
			measured: figures.drainS,
		},
		{ what: "advices in flight at a time", bound: WINDOW, measured: figures.inFlightMax },
		{ what: "out of order for one original", bound: 0, measured: figures.outOfOrderOfOne },
		{ what: "accepted by the host", bound: count, measured: figures.accepted, atLeast: true },
	];
}

export function advicesJson(figures: AdvicesFigures): Record<string, number | boolean> {
	return {
		count: figures.setup.count,
		roundTripMs: figures.setup.roundTripMs,
		drainSeconds: figures.drainS,
		perSecond: Math.round((10 * figures.setup.count) / figures.drainS) / 10,
		inFlightMax: figures.inFlightMax,
		sent: figures.sent,
		outOfOrder: figures.outOfOrder,
		orderKept: figures.outOfOrderOfOne === 0,
		flashBytesPerAdvice: Math.round(10 * (figures.flashBytesToTake + figures.flashBytesToSend)) / 10,
		accepted: figures.accepted,
		conserved: figures.conserved,
	};
}

export function reportAdvices(figures: AdvicesFigures): string {
	const { setup, drainS, sendS, sent, outOfOrder, outOfOrderOfOne, accepted, conserved } = figures;
	const { flashBytesToTake, flashBytesToSend } = figures;
	const limit = (setup.count / WINDOW) * (setup.roundTripMs / 1_000);
	const rows = [
		[`${fixed(setup.count, 0)} advices over a round trip of ${setup.roundTripMs} ms`, "virtual time"],
		["from the line being there to the last answer, s", fixed(drainS, 2)],
		["  from the first advice on", fixed(sendS, 2)],
		["  what a window of 16 takes at least", fixed(limit, 2)],
		["advices a second", fixed(setup.count / drainS, 1)],
		["in flight, most", `${figures.inFlightMax}`],
		["messages sent", fixed(sent, 0)],
		["sent before an older one / for the same original", `${outOfOrder} / ${outOfOrderOfOne}`],
		["accepted by the host", `${fixed(accepted, 0)}, ${conserved ? "money is conserved" : "MONEY IS NOT CONSERVED"}`],
		["flash bytes an advice, to take it / to send it", `${fixed(flashBytesToTake, 1)} / ${fixed(flashBytesToSend, 1)}`],
	];
	const budget = advicesBudgetLines(figures).map((line) => [
		line.what,
		`${line.atLeast === true ? "≥" : "≤"} ${figure(line.bound)}`,
		figure(line.measured),
		isHeld(line) ? "held" : "EXCEEDED",
	]);
	return `${table(rows)}One that was tried while there was no line has its next turn behind the others: it has left before one that is older.\n
${table([["budget", "bound", "measured", ""], ...budget])}`;
}
