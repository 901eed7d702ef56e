/**
 * The chain's section of a pack: the head just before the pack's first transaction, the links from it on, and the anchors
 * that they lead to. See EVIDENCE.md, "Chain".
 * @module
 */
import { type Chain, ChainWalk } from "./chain";
import { ChainHead } from "./chain-links";
import { readAnchors } from "./evidence-frame-reader";
import type { JsonWriter } from "./evidence-json";
import type { EvidenceRing } from "./evidence-ring";
import type { Anchor } from "./evidence-ring-format";

/** The first anchors say since when, the last ones what has become of it. */
const ANCHORS_HALF = 8;

export interface ChainSource {
	readonly chain: Chain;
	readonly ring?: EvidenceRing | undefined;
}

/** By the journal's ids. */
export interface ChainSpan {
	/** The pack's first transaction that the journal knows, 0: none, and then no links. */
	readonly first: number;
	/** And the last one. */
	readonly last: number;
	/** The newest there was when the pack was begun: an anchor behind it is of later. */
	readonly newest: number;
}

/**
 * @param unchanged - throws when the journal is not what it was
 */
export function* chainSection(
	json: JsonWriter,
	source: ChainSource,
	span: ChainSpan,
	unchanged: () => void,
): Generator<undefined, void, undefined> {
	const { chain } = source;
	const { anchors, stop } = yield* relevantAnchors(source, span);
	const walk = new ChainWalk(chain.log);
	const heads = new ChainHead();
	json.beginObject();
	json.key("anchors");
	json.beginArray();
	for (const anchor of anchors) writeAnchor(json, anchor, heads);
	json.endArray();
	chain.rewind(walk);
	for (let next = walk.peek(); next !== 0 && next < span.first; next = walk.peek()) {
		walk.next();
		yield;
	}
	json.key("from");
	json.beginObject();
	writeHeads(json, walk.head);
	json.endObject();
	json.key("links");
	json.beginArray();
	let lost = 0;
	for (let next = walk.peek(); next !== 0 && next <= stop; next = walk.peek()) {
		walk.next();
		if (walk.facts === undefined) lost++;
		json.beginObject();
		json.key("begun");
		json.hex(walk.leaves.begun);
		json.key("ended");
		json.hex(walk.leaves.ended);
		json.key("id");
		json.integer(next);
		json.endObject();
		unchanged();
		yield;
	}
	json.endArray();
	json.key("lost");
	json.integer(lost);
	json.key("mark");
	json.integer(chain.mark);
	json.endObject();
}

/**
 * The anchors that can prove something of the pack's transactions, and how far the links have to go: up to the first one
 * that proves how all of them began and how they ended.
 */
function* relevantAnchors(
	source: ChainSource,
	span: ChainSpan,
): Generator<undefined, { anchors: Anchor[]; stop: number }, undefined> {
	const { chain, ring } = source;
	const { first, last, newest } = span;
	if (first === 0 || ring === undefined || ring.broken) return { anchors: [], stop: last };
	const anchors = yield* readAnchors(ring, chain.mark, first, newest, ANCHORS_HALF);
	if (anchors.length === 0) return { anchors, stop: last };
	anchors.sort((a, b) => a.id - b.id || a.timeMs - b.timeMs);
	const walk = new ChainWalk(chain.log);
	chain.rewind(walk);
	const told = new ChainHead();
	let stop = last;
	for (let n = 0; n < anchors.length; n++) {
		const { id, heads } = anchors[n];
		for (let next = walk.peek(); next !== 0 && next <= id; next = walk.peek()) {
			walk.next();
			chain.passed(walk.head);
			yield;
		}
		stop = Math.max(stop, id);
		told.resume(id, heads, 0);
		if (id >= last && walk.head.equals(told)) return { anchors: anchors.slice(0, n + 1), stop };
	}
	return { anchors, stop };
}

function writeAnchor(json: JsonWriter, anchor: Anchor, heads: ChainHead): void {
	heads.resume(anchor.id, anchor.heads, 0);
	json.beginObject();
	json.key("at");
	json.integer(anchor.timeMs);
	json.key("begun");
	json.hex(heads.begun);
	json.key("code");
	json.integer(anchor.code);
	json.key("ended");
	json.hex(heads.ended);
	json.key("hostTime");
	json.string(anchor.hostTime);
	json.key("id");
	json.integer(anchor.id);
	json.endObject();
}

function writeHeads(json: JsonWriter, head: ChainHead): void {
	json.key("begun");
	json.hex(head.begun);
	json.key("ended");
	json.hex(head.ended);
	json.key("id");
	json.integer(head.id);
}
