/**
 * What an evidence pack proves, what it does not, and where it was altered. Only the documented format and node:crypto:
 * nothing of the firmware, so that both cannot share a mistake. Source: src/settlement/EVIDENCE.md; RFC 8032, §5.1.
 * @module
 */
import { createHash, createHmac, createPublicKey, timingSafeEqual, verify } from "node:crypto";
import type { PackObject, PackValue, ParsedPack, Span } from "./verify-json";
import { misshapen, PACK_SHAPE } from "./verify-shape";

export const PACK_FORMAT = "unsettled evidence 1";
const SIGNATURE_MARK = ',"signature":';
/** SubjectPublicKeyInfo of an Ed25519 key, before its 32 bytes. Source: RFC 8410, §4. */
const SPKI_HEAD = "302a300506032b6570032100";

/** Key of the words in verify-words.ts. */
export type FindingCode =
	| "signed"
	| "badSignature"
	| "keyGiven"
	| "keyOther"
	| "keyUnknown"
	| "section"
	| "misshapen"
	| "lines"
	| "noFrames"
	| "noRing"
	| "framesLost"
	| "line"
	| "fullUnknown"
	| "saltOther"
	| "saltAbsent"
	| "full"
	| "fullNone"
	| "links"
	| "facts"
	| "order"
	| "notLinked"
	| "released"
	| "recordsLost"
	| "anchorMisfit"
	| "anchorBegun"
	| "anchored"
	| "anchoredBegun"
	| "notAnchored"
	| "headGiven"
	| "headUnknown"
	| "headOther";

export interface Finding {
	readonly verdict: "proven" | "unproven" | "altered";
	readonly code: FindingCode;
	/** Where, as "body.frames[2].text". */
	readonly path?: string;
	readonly facts?: Readonly<Record<string, string | number>>;
}

export interface VerifyOptions {
	/** The device's public key, as somebody else than the pack says. */
	readonly key?: Uint8Array | undefined;
	/** The pack's salt, 16 bytes. */
	readonly salt?: Uint8Array | undefined;
	/** Full frames, of which it is asked whether they are those of the pack. */
	readonly full?: readonly Uint8Array[];
	/** Heads that the acquirer says it was told. */
	readonly heads?: readonly string[];
}

/** How far a transaction is anchored; times of the host as YYYYMMDDhhmmss, empty: not, or by an unknown time. */
export interface AnchoredTransaction {
	readonly id: number;
	readonly begun: string;
	readonly ended: string;
}

export interface Verdict {
	readonly findings: readonly Finding[];
	readonly signature: "good" | "bad";
	readonly transactions: readonly AnchoredTransaction[];
	/** What the pack says it is. */
	readonly pack: PackObject;
}

/** @param bytes - the file that `parsed` was read from */
export function checkPack(bytes: Uint8Array, parsed: ParsedPack, options: VerifyOptions): Verdict {
	const findings: Finding[] = [];
	const pack = parsed.value as PackObject;
	const wrong = misshapen(parsed.value, PACK_SHAPE);
	if (wrong !== undefined) {
		findings.push({ verdict: "altered", code: "misshapen", path: wrong.path, facts: { problem: wrong.problem } });
		return { findings, signature: "bad", transactions: [], pack };
	}
	const good = checkSignature(bytes, pack, parsed.spans);
	if (good) findings.push({ verdict: "proven", code: "signed", facts: { key: String(pack.key) } });
	else findings.push({ verdict: "altered", code: "badSignature", path: "signature" });
	checkDigests(bytes, pack, parsed.spans, findings);
	checkKey(pack, options, findings);
	const body = pack.body as PackObject;
	checkFrames(body, options, findings);
	const transactions = checkChain(body, options, findings);
	return { findings, signature: good ? "good" : "bad", transactions, pack };
}

function checkSignature(bytes: Uint8Array, pack: PackObject, spans: ReadonlyMap<string, Span>): boolean {
	const value = spans.get("signature") as Span;
	const signed = bytes.subarray(0, value.start - SIGNATURE_MARK.length);
	const message = Buffer.concat([Buffer.from(`${PACK_FORMAT}\n`, "latin1"), sha256(signed)]);
	const spki = Buffer.from(SPKI_HEAD + String(pack.key), "hex");
	try {
		const key = createPublicKey({ key: spki, format: "der", type: "spki" });
		return verify(null, message, key, Buffer.from(String(pack.signature), "hex"));
	} catch {
		return false; // 32 bytes that are no point of the curve are no key.
	}
}

function checkDigests(
	bytes: Uint8Array,
	pack: PackObject,
	spans: ReadonlyMap<string, Span>,
	findings: Finding[],
): void {
	const digests = pack.digests as PackObject;
	const body = pack.body as PackObject;
	for (const name of new Set([...Object.keys(body), ...Object.keys(digests)])) {
		const span = spans.get(`body.${name}`);
		const fits = span !== undefined && sha256(bytes.subarray(span.start, span.end)).toString("hex") === digests[name];
		if (!fits) findings.push({ verdict: "altered", code: "section", path: `body.${name}` });
	}
}

function checkKey(pack: PackObject, options: VerifyOptions, findings: Finding[]): void {
	if (options.key === undefined) findings.push({ verdict: "unproven", code: "keyUnknown" });
	else if (Buffer.from(options.key).toString("hex") === pack.key)
		findings.push({ verdict: "proven", code: "keyGiven" });
	else findings.push({ verdict: "altered", code: "keyOther", path: "key" });
}

function checkFrames(body: PackObject, options: VerifyOptions, findings: Finding[]): void {
	const frames = body.frames as readonly PackObject[];
	if (body.ring === 0) findings.push({ verdict: "unproven", code: "noRing" });
	else if (frames.length === 0) findings.push({ verdict: "unproven", code: "noFrames" });
	let fitting = 0;
	let lost = 0;
	for (const [n, frame] of frames.entries()) {
		lost += (frame.lost as number | undefined) ?? 0;
		if (sha256(Buffer.from(String(frame.text), "utf8")).toString("hex") === frame.sha256) fitting++;
		else findings.push({ verdict: "altered", code: "line", path: `body.frames[${n}].text` });
	}
	if (fitting > 0) findings.push({ verdict: "proven", code: "lines", facts: { count: fitting } });
	if (lost > 0) findings.push({ verdict: "unproven", code: "framesLost", facts: { count: lost } });
	checkFull(body, frames, options, findings);
}

/** Whether the full frames that somebody brings are the pack's. */
function checkFull(body: PackObject, frames: readonly PackObject[], options: VerifyOptions, findings: Finding[]): void {
	const sealing = body.salt as PackObject | undefined;
	if (options.salt === undefined) {
		if (frames.length > 0) findings.push({ verdict: "unproven", code: "fullUnknown" });
		return;
	}
	if (sealing === undefined) {
		findings.push({ verdict: "altered", code: "saltAbsent", path: "body.salt" });
		return;
	}
	const check = hmac(options.salt, Buffer.from("check", "latin1")).subarray(0, 8);
	if (!timingSafeEqual(check, Buffer.from(String(sealing.check), "hex"))) {
		findings.push({ verdict: "altered", code: "saltOther", path: "body.salt.check" });
		return;
	}
	const full = options.full ?? [];
	if (full.length === 0 && frames.length > 0) findings.push({ verdict: "unproven", code: "fullUnknown" });
	for (const [n, copy] of full.entries()) {
		const at = frames.findIndex((frame) => isFrame(frame, copy, options.salt as Uint8Array));
		if (at >= 0)
			findings.push({ verdict: "proven", code: "full", path: `body.frames[${at}]`, facts: { number: n + 1 } });
		else findings.push({ verdict: "altered", code: "fullNone", facts: { number: n + 1 } });
	}
}

function isFrame(frame: PackObject, copy: Uint8Array, packSalt: Uint8Array): boolean {
	if (frame.salt === undefined || frame.bytes !== copy.length) return false;
	const id = Buffer.from(String(frame.id), "hex");
	const mask = hmac(packSalt, Buffer.concat([Buffer.from("frame", "latin1"), id]));
	const salt = Buffer.from(String(frame.salt), "hex").map((byte, n) => byte ^ mask[n]);
	return hmac(salt, copy).toString("hex") === frame.hmac;
}

interface Heads {
	readonly begun: string;
	readonly ended: string;
}

interface Anchor extends Heads {
	readonly id: number;
	readonly hostTime: string;
	/** What is told to the host. */
	readonly head: string;
	readonly fits: "both" | "begun" | "not";
}

function checkChain(body: PackObject, options: VerifyOptions, findings: Finding[]): AnchoredTransaction[] {
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
	const linked = checkFacts(body, leaves, findings);
	if (linked.length > 0) findings.push({ verdict: "proven", code: "links", facts: { links: links.length } });
	if ((chain.lost as number) > 0) {
		findings.push({ verdict: "unproven", code: "recordsLost", facts: { count: chain.lost as number } });
	}
	const anchors = readAnchors(chain, headAt, findings);
	checkHeads(anchors, options, findings);
	return judgeAnchors(linked, anchors, options, findings);
}

/** @returns ids of the transactions whose facts are those that were linked */
function checkFacts(body: PackObject, leaves: ReadonlyMap<number, Heads>, findings: Finding[]): number[] {
	const linked: number[] = [];
	const transactions = body.transactions as readonly PackObject[];
	for (const [n, facts] of transactions.entries()) {
		const path = `body.transactions[${n}]`;
		const id = facts.id as number;
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
	const found = body.case as PackObject | undefined;
	const about = found === undefined ? 0 : ((found.transaction as PackObject).id as number);
	if (found !== undefined && !transactions.some(({ id }) => id === about)) {
		findings.push({ verdict: "unproven", code: "released" });
	}
	return linked;
}

function readAnchors(chain: PackObject, headAt: ReadonlyMap<number, Heads>, findings: Finding[]): Anchor[] {
	return (chain.anchors as readonly PackObject[]).map((anchor, n) => {
		const { begun, ended, id, hostTime } = anchor as { begun: string; ended: string; id: number; hostTime: string };
		const ours = headAt.get(id);
		const fits = ours?.begun !== begun ? "not" : ours.ended === ended ? "both" : "begun";
		const path = `body.chain.anchors[${n}]`;
		if (fits === "not") findings.push({ verdict: "unproven", code: "anchorMisfit", path });
		if (fits === "begun") findings.push({ verdict: "unproven", code: "anchorBegun", path });
		const head = sha256(Buffer.concat([Buffer.of(4), Buffer.from(begun, "hex"), Buffer.from(ended, "hex")]));
		return { begun, ended, id, hostTime, fits, head: head.toString("hex") };
	});
}

function checkHeads(anchors: readonly Anchor[], options: VerifyOptions, findings: Finding[]): void {
	for (const head of options.heads ?? []) {
		const anchor = anchors.find((one) => one.head === head && one.fits !== "not");
		if (anchor === undefined) findings.push({ verdict: "altered", code: "headOther", facts: { head } });
		else findings.push({ verdict: "proven", code: "headGiven", facts: { head, id: anchor.id } });
	}
}

/** For each transaction the first anchor that proves its beginning, and the first that proves its end. */
function judgeAnchors(
	linked: readonly number[],
	anchors: readonly Anchor[],
	options: VerifyOptions,
	findings: Finding[],
): AnchoredTransaction[] {
	const confirmed = (anchor: Anchor): boolean => options.heads?.includes(anchor.head) === true;
	// Those that the acquirer confirms come first, then the earliest; a time that nobody told comes last.
	const rank = (anchor: Anchor): string =>
		`${confirmed(anchor) ? 0 : 1}${anchor.hostTime.startsWith("0000") ? "9" : ""}${anchor.hostTime}`;
	const told = anchors.slice().sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
	const transactions: AnchoredTransaction[] = [];
	const used = new Set<Anchor>();
	for (const id of linked) {
		const begun = told.find((anchor) => anchor.id >= id && anchor.fits !== "not");
		const ended = told.find((anchor) => anchor.id >= id && anchor.fits === "both");
		for (const anchor of [begun, ended]) if (anchor !== undefined) used.add(anchor);
		const facts = { id, begun: begun?.hostTime ?? "", ended: ended?.hostTime ?? "" };
		transactions.push(facts);
		const verdict = [begun, ended].every((anchor) => anchor === undefined || confirmed(anchor)) ? "proven" : "unproven";
		if (ended !== undefined) findings.push({ verdict, code: "anchored", facts });
		else if (begun !== undefined) findings.push({ verdict, code: "anchoredBegun", facts });
		else findings.push({ verdict: "unproven", code: "notAnchored", facts });
	}
	for (const anchor of used) {
		if (confirmed(anchor)) continue;
		const { head, hostTime } = anchor;
		findings.push({ verdict: "unproven", code: "headUnknown", facts: { head, hostTime } });
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

function u(value: PackValue | undefined, byteLength: number): Buffer {
	const bytes = Buffer.alloc(byteLength);
	bytes.writeUIntBE(value as number, 0, byteLength);
	return bytes;
}

/** Two digits a byte; behind an odd count stands a zero. */
function bcd(value: PackValue | undefined): Buffer {
	const text = String(value);
	return Buffer.from(text.length % 2 === 0 ? text : `${text}0`, "hex");
}

function padded(value: PackValue | undefined, byteLength: number): Buffer {
	return Buffer.from(String(value ?? "").padEnd(byteLength, " "), "latin1");
}

function hashed(...parts: readonly (Uint8Array | readonly number[])[]): string {
	return sha256(Buffer.concat(parts.map((part) => Buffer.from(part)))).toString("hex");
}

function sha256(bytes: Uint8Array): Buffer {
	return createHash("sha256").update(bytes).digest();
}

function hmac(key: Uint8Array, bytes: Uint8Array): Buffer {
	return createHmac("sha256", key).update(bytes).digest();
}
