/**
 * The chain of an evidence pack: links, the facts that were linked, anchors, and the acquirer's word for them.
 * Source: src/settlement/EVIDENCE.md, "Chain".
 * @module
 */
import { bcd, hashed, padded, sha256, u } from "./verify-bytes";
import type { AnchoredTransaction, Finding, ToldHead, VerifyOptions } from "./verify-findings";
import type { PackObject } from "./verify-json";

interface Heads {
	readonly begun: string;
	readonly ended: string;
}

interface Anchor extends Heads {
	readonly id: number;
	/** As the pack says. */
	readonly hostTime: string;
	/** What is told to the host. */
	readonly head: string;
	readonly fits: "both" | "begun" | "not";
	/** The acquirer's word for it; undefined: none. */
	readonly told: ToldHead | undefined;
}

/** @returns how far each transaction is anchored */
export function checkChain(body: PackObject, options: VerifyOptions, findings: Finding[]): AnchoredTransaction[] {
	const chain = body.chain as PackObject;
	const links = chain.links as readonly PackObject[];
	const leaves = new Map<number, Heads>();
	const headAt = new Map<number, Heads>();
	const from = chain.from as PackObject;
	let head: Heads = { begun: String(from.begun), ended: String(from.ended) };
	let last = from.id as number;
	headAt.set(last, head);
	for (const [n, link] of links.entries()) {
		const id = link.id as number;
		if (id <= last) findings.push({ verdict: "altered", code: "order", path: `body.chain.links[${n}]` });
		last = id;
		const leaf = { begun: String(link.begun), ended: String(link.ended) };
		leaves.set(id, leaf);
		head = { begun: follow(head.begun, leaf.begun), ended: follow(head.ended, leaf.ended) };
		headAt.set(id, head);
	}
	checkStart(body, findings);
	const linked = checkFacts(body, leaves, findings);
	if (linked.length > 0) findings.push({ verdict: "proven", code: "links", facts: { links: links.length } });
	checkLost(chain, links, findings);
	const anchors = readAnchors(chain, headAt, options, findings);
	checkHeads(anchors, options, findings);
	return judgeAnchors(linked, anchors, findings);
}

/** Before the first settlement the chain begins with the journal itself, and so with a head that anybody can compute. */
function checkStart(body: PackObject, findings: Finding[]): void {
	const chain = body.chain as PackObject;
	const device = body.device as PackObject;
	const from = chain.from as PackObject;
	if (chain.mark !== 0 || from.id !== 0) return;
	const start = hashed([0], u(device.journal, 4), u(device.generation, 2));
	if (from.begun === start && from.ended === start) return;
	findings.push({ verdict: "altered", code: "chainStart", path: "body.chain.from" });
}

function checkLost(chain: PackObject, links: readonly PackObject[], findings: Finding[]): void {
	const count = links.filter(({ id, begun }) => begun === hashed([5], u(id, 4))).length;
	if (count !== chain.lost) findings.push({ verdict: "altered", code: "lostCount", path: "body.chain.lost" });
	if (count > 0) findings.push({ verdict: "unproven", code: "recordsLost", facts: { count } });
}

/** @returns ids of the transactions whose facts are those that were linked */
function checkFacts(body: PackObject, leaves: ReadonlyMap<number, Heads>, findings: Finding[]): number[] {
	const linked: number[] = [];
	const transactions = body.transactions as readonly PackObject[];
	let last = 0;
	for (const [n, facts] of transactions.entries()) {
		const path = `body.transactions[${n}]`;
		const id = facts.id as number;
		if (id <= last) findings.push({ verdict: "altered", code: "order", path });
		last = id;
		const leaf = leaves.get(id);
		if (leaf === undefined) {
			findings.push({ verdict: "altered", code: "notLinked", path, facts: { id } });
			continue;
		}
		const expected = leavesOf(facts);
		if (expected === undefined) {
			findings.push({ verdict: "altered", code: "misshapen", path, facts: { problem: "missing" } });
		} else if (expected.begun !== leaf.begun || expected.ended !== leaf.ended) {
			const inner = expected.begun === leaf.begun ? `${path}.ended` : path;
			findings.push({ verdict: "altered", code: "facts", path: inner, facts: { id } });
		} else linked.push(id);
	}
	return linked;
}

function readAnchors(
	chain: PackObject,
	headAt: ReadonlyMap<number, Heads>,
	options: VerifyOptions,
	findings: Finding[],
): Anchor[] {
	return (chain.anchors as readonly PackObject[]).map((anchor, n) => {
		const { begun, ended, id, hostTime } = anchor as { begun: string; ended: string; id: number; hostTime: string };
		const ours = headAt.get(id);
		const fits = ours?.begun !== begun ? "not" : ours.ended === ended ? "both" : "begun";
		const path = `body.chain.anchors[${n}]`;
		if (fits === "not") findings.push({ verdict: "unproven", code: "anchorMisfit", path });
		if (fits === "begun") findings.push({ verdict: "unproven", code: "anchorBegun", path });
		const head = sha256(Buffer.concat([Buffer.of(4), Buffer.from(begun, "hex"), Buffer.from(ended, "hex")])).toString(
			"hex",
		);
		return { begun, ended, id, hostTime, fits, head, told: options.heads?.find((one) => one.head === head) };
	});
}

function checkHeads(anchors: readonly Anchor[], options: VerifyOptions, findings: Finding[]): void {
	for (const { head } of options.heads ?? []) {
		const anchor = anchors.find((one) => one.head === head && one.fits !== "not");
		if (anchor === undefined) findings.push({ verdict: "altered", code: "headOther", facts: { head } });
		else findings.push({ verdict: "proven", code: "headGiven", facts: { head, id: anchor.id } });
	}
}

/** By the acquirer's clock where it has told the time, as nothing else binds a time to a head. */
function timeOf({ told, hostTime }: Anchor): string {
	return told?.time ?? hostTime;
}

/** For each transaction the first anchor that proves its beginning, and the first that proves its end. */
function judgeAnchors(
	linked: readonly number[],
	anchors: readonly Anchor[],
	findings: Finding[],
): AnchoredTransaction[] {
	const isProven = (anchor: Anchor): boolean => anchor.told?.time !== undefined;
	// Those whose time the acquirer confirms come first, then the earliest; a time that nobody told comes last.
	const rank = (anchor: Anchor): string => {
		const time = timeOf(anchor);
		return `${isProven(anchor) ? 0 : 1}${time.startsWith("0000") ? "9" : ""}${time}`;
	};
	const ranked = anchors.slice().sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
	const transactions: AnchoredTransaction[] = [];
	const used = new Set<Anchor>();
	for (const id of linked) {
		const begun = ranked.find((anchor) => anchor.id >= id && anchor.fits !== "not");
		const ended = ranked.find((anchor) => anchor.id >= id && anchor.fits === "both");
		for (const anchor of [begun, ended]) if (anchor !== undefined) used.add(anchor);
		const facts = {
			id,
			begun: begun === undefined ? "" : timeOf(begun),
			ended: ended === undefined ? "" : timeOf(ended),
		};
		transactions.push(facts);
		const verdict = [begun, ended].every((anchor) => anchor === undefined || isProven(anchor)) ? "proven" : "unproven";
		if (ended !== undefined) findings.push({ verdict, code: "anchored", facts });
		else if (begun !== undefined) findings.push({ verdict, code: "anchoredBegun", facts });
		else findings.push({ verdict: "unproven", code: "notAnchored", facts });
	}
	for (const { head, hostTime, told } of used) {
		const facts = { head, hostTime };
		if (told === undefined) findings.push({ verdict: "unproven", code: "headUnknown", facts });
		else if (told.time === undefined) findings.push({ verdict: "unproven", code: "headTime", facts });
		else if (told.time !== hostTime)
			findings.push({ verdict: "unproven", code: "headTimeOther", facts: { ...facts, told: told.time } });
	}
	return transactions;
}

/** Both leaves of a transaction, from what the pack says of it. Undefined when that is not all of it. */
function leavesOf(facts: PackObject): Heads | undefined {
	const id = u(facts.id, 4);
	if (facts.lost === 1) {
		const lost = hashed([5], id);
		return { begun: lost, ended: lost };
	}
	const card = facts.card as PackObject | undefined;
	const ended = facts.ended as PackObject | undefined;
	const needed = [facts.stan, facts.kind, facts.batch, facts.amountMinor, facts.time, facts.cardDigits];
	const texts = [facts.entryMode, facts.condition, facts.field60];
	if (card === undefined || ended === undefined) return undefined;
	if ([...needed, ...texts].some((value) => value === undefined)) return undefined;
	const begun = [
		...[[1], id, u(facts.stan, 3), u(facts.kind, 1), u(facts.batch, 3)],
		bcd(String(facts.amountMinor).padStart(12, "0")),
		...[u(facts.time, 4), bcd(facts.entryMode), bcd(facts.condition), bcd(facts.field60)],
		...[bcd(card.first), bcd(card.last), u(facts.cardDigits, 1)],
	];
	const advice = facts.advice as PackObject | undefined;
	if (advice !== undefined) {
		begun.push(u(advice.originalBatch, 3), u(advice.originalStan, 3), bcd(advice.originalDate));
		begun.push(padded(advice.rrn, 12), padded(advice.authorization, 6));
	}
	const end = [
		...[[2], id, u(ended.state, 1), u(ended.flags, 1), padded(ended.reason, 2), padded(ended.code, 2)],
		...[padded(ended.rrn, 12), padded(ended.authorization, 6), bcd(ended.hostTime ?? "0000000000")],
	];
	return { begun: hashed(...begun), ended: hashed(...end) };
}

function follow(head: string, leaf: string): string {
	return hashed([3], Buffer.from(head, "hex"), Buffer.from(leaf, "hex"));
}
