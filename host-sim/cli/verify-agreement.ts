/**
 * Whether the parts of an evidence pack agree with each other: what the chain does not link is read by people all the
 * same, and must not say something else than what it links. Source: src/settlement/EVIDENCE.md, "What has to agree".
 * @module
 */
import type { Finding } from "./verify-findings";
import type { PackObject } from "./verify-json";

/** The numbers 1 to 11. A number that is not here is one of a later firmware, and its name is believed. */
const STATE_NAMES = [
	...["waiting", "approved", "delivered", "declined", "abandoned", "reversing", "unconfirmed", "reversed"],
	...["forwarding", "forwarded", "forwardRefused"],
];
const SALE = 1;
const ADVICE_KINDS: readonly unknown[] = [2, 3, 4];
const SESSION_DIGITS = 16;

export function checkAgreement(body: PackObject, findings: Finding[]): void {
	const transactions = body.transactions as readonly PackObject[];
	for (const [n, facts] of transactions.entries()) checkTransaction(facts, `body.transactions[${n}]`, findings);
	checkCase(body, transactions, findings);
	checkScope(body, transactions, findings);
	checkFrameOrder(body.frames as readonly PackObject[], findings);
}

function checkTransaction(facts: PackObject, path: string, findings: Finding[]): void {
	const { id, lost, kind, advice } = facts as { id: number; lost?: number; kind?: number; advice?: PackObject };
	if (lost !== undefined) {
		// Its leaf stands for the number alone: anything more was never linked.
		if (Object.keys(facts).length > 2) findings.push({ verdict: "altered", code: "lostFacts", path, facts: { id } });
		return;
	}
	const ended = facts.ended as PackObject | undefined;
	const name = ended === undefined ? undefined : STATE_NAMES[(ended.state as number) - 1];
	if (name !== undefined && name !== ended?.stateName) {
		findings.push({ verdict: "altered", code: "stateName", path: `${path}.ended.stateName`, facts: { id } });
	}
	const fits = advice === undefined ? !ADVICE_KINDS.includes(kind) : kind !== SALE;
	if (!fits) findings.push({ verdict: "altered", code: "kind", path: `${path}.kind`, facts: { id } });
}

/** The case's own copy of its transaction. Its RRN may be the host's word, and is not compared. */
function checkCase(body: PackObject, transactions: readonly PackObject[], findings: Finding[]): void {
	const found = body.case as PackObject | undefined;
	if (found === undefined) return;
	const about = found.transaction as PackObject;
	const facts = transactions.find(({ id }) => id === about.id);
	if (facts === undefined) {
		findings.push({ verdict: "unproven", code: "released" });
		return;
	}
	if (facts.lost !== undefined) return;
	for (const name of ["amountMinor", "batch", "stan"]) {
		if (about[name] === facts[name]) continue;
		const path = `body.case.transaction.${name}`;
		findings.push({ verdict: "altered", code: "caseOther", path, facts: { id: about.id as number } });
	}
	const shown = about.card as PackObject;
	const card = facts.card as PackObject | undefined;
	for (const name of ["first", "last"]) {
		if (card === undefined || shown[name] === "" || shown[name] === card[name]) continue;
		const path = `body.case.transaction.card.${name}`;
		findings.push({ verdict: "altered", code: "caseOther", path, facts: { id: about.id as number } });
	}
}

/** What the pack says it is about has to be what is in it. */
function checkScope(body: PackObject, transactions: readonly PackObject[], findings: Finding[]): void {
	const scope = body.scope as PackObject;
	const altered = (path: string): void => {
		findings.push({ verdict: "altered", code: "scope", path });
	};
	const isDay = scope.kind === "day";
	const isCase = scope.kind === "case";
	const found = body.case as PackObject | undefined;
	if (isCase ? found === undefined || scope.case !== found.id : scope.case !== undefined) altered("body.scope.case");
	if (!isCase && found !== undefined) altered("body.case");
	if (isDay === (scope.transactions !== undefined)) altered("body.scope.transactions");
	if ([scope.from, scope.to].some((time) => isDay !== (time !== undefined))) altered("body.scope.from");
	const ids = new Set((scope.transactions ?? []) as readonly number[]);
	const from = (scope.from ?? 0) as number;
	const to = (scope.to ?? 0) as number;
	const isOfDay = (ms: number): boolean => ms >= from && ms < to;
	for (const [n, { id, time }] of transactions.entries()) {
		const inside = isDay ? time !== undefined && isOfDay((time as number) * 1_000) : ids.has(id as number);
		if (!inside) altered(`body.transactions[${n}]`);
	}
	if (!isDay) return;
	for (const [n, { at }] of (body.frames as readonly PackObject[]).entries()) {
		if (!isOfDay(at as number)) altered(`body.frames[${n}]`);
	}
}

/**
 * A frame's id is a session, one for each boot, and a number in it. A session's numbers rise, and it does not come again
 * behind another one. A frame that stands twice, the same in everything, is one that flash took only at the second time.
 */
function checkFrameOrder(frames: readonly PackObject[], findings: Finding[]): void {
	const sessions = new Set<string>();
	let twice = 0;
	for (let n = 1; n < frames.length; n++) {
		const before = String(frames[n - 1].id);
		const id = String(frames[n].id);
		const session = id.slice(0, SESSION_DIGITS);
		const same = before.startsWith(session);
		if (!same) sessions.add(before.slice(0, SESSION_DIGITS));
		const isTwice = id === before && JSON.stringify(frames[n]) === JSON.stringify(frames[n - 1]);
		if (isTwice) twice++;
		else if (same ? id <= before : sessions.has(session)) {
			findings.push({ verdict: "altered", code: "frameOrder", path: `body.frames[${n}]` });
		}
	}
	if (twice > 0) findings.push({ verdict: "unproven", code: "frameTwice", facts: { count: twice } });
}
