/**
 * A scenario's result for programs: the figures that a trading day has as well, then the cases. One flat object; see
 * START_USAGE for what the seconds mean.
 * @module
 */
import type { Finding } from "../scenario/judge";
import type { ScenarioResult } from "../scenario/run-scenario";

/** @param realMs - of the clock on the wall: the only figure that two runs differ in */
export function scenarioJson(result: ScenarioResult, realMs: number): Record<string, unknown> {
	const { scenario, money, ledgers, visits, doubts, declined, findings, summary } = result;
	const customers = visits.length;
	const wrongStans = new Set(money.rows.filter(({ wrong }) => wrong !== undefined).map(({ stan }) => stan));
	const standing = new Set(money.rows.filter(({ cardNetMinor }) => cardNetMinor > 0).map(({ stan }) => stan));
	const reversed = doubts.filter((stan) => !wrongStans.has(stan) && !standing.has(stan)).length;
	const open = doubts.filter((stan) => wrongStans.has(stan)).length;
	const per = (amount: number, of: number) => (of === 0 ? 0 : Math.round((amount * 10) / of) / 10);
	return {
		seed: result.seed,
		scenario: scenario.name,
		sync: result.sync,
		holds: result.holds,
		sales: customers,
		faults: "none",
		tls: false,
		approved: money.paid,
		approvedMinor: money.paidMinor,
		declined: declined.length,
		reversed,
		notDebited: 0,
		notBegun: visits.filter(({ stan }) => stan === 0).length,
		inDoubt: doubts.length,
		oneSided: money.oneSided,
		conserved: money.conserved && ledgers.conserved,
		atRest: result.atRest,
		powerCuts: result.powerCuts,
		hostCrashes: result.hostCrashes,
		linkOutages: result.linkOutages,
		firmwareRestarts: result.firmwareRestarts,
		signOns: result.signOns,
		flashBytesPerSale: per(result.bytesProgrammed, customers),
		erasesPerThousandSales: per(result.blocksErased * 1_000, customers),
		erasesInSale: result.erasesInSale,
		copies: 1,
		copiesWhole: 1,
		blocksDestroyed: result.blocksDestroyed,
		blocksMended: 0,
		simulatedMs: result.simulatedMs,
		realMs,
		cardNetMinor: money.cardNetMinor,
		merchantNetMinor: money.merchantNetMinor,
		toldPaid: money.paid,
		toldNotCharged: money.notCharged,
		wrong: money.rows.flatMap(({ stan, wrong }) => (wrong === undefined ? [] : [{ stan, wrong }])),
		debitedMinor: ledgers.debitedMinor,
		creditedBackMinor: ledgers.creditedBackMinor,
		doubtsOpen: open,
		settled: result.settled.map(({ batch, result: of, debits, debitMinor }) => ({
			batch,
			result: of,
			debits,
			debitMinor,
		})),
		watched: summary.watched,
		openCases: summary.openCases,
		cases: findings.map(caseJson),
		secondsToResolveMax: findings.reduce((most, { secondsToResolve = 0 }) => Math.max(most, secondsToResolve), 0),
		wrongChecks: result.checks.flatMap(({ name, wrong }) => wrong.map((text) => `${name.en}: ${text}`)),
	};
}

function caseJson(finding: Finding): Record<string, unknown> {
	const { id, stan, row, cause, injected, fault, remedy, remedies, state, mover } = finding;
	return {
		cause,
		injected,
		remedy: remedy ?? "none",
		state,
		case: id,
		stan,
		row,
		fault: fault ?? "none",
		remedies,
		nextMove: mover,
		...(finding.secondsToResolve === undefined ? {} : { secondsToResolve: finding.secondsToResolve }),
		secondsToFind: finding.secondsToFind,
		deliberateSeconds: finding.deliberateSeconds,
		waits: finding.waits,
	};
}
