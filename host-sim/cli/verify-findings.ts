/**
 * What checking an evidence pack takes and gives: the words of this command's parts to each other.
 * @module
 */
import type { PackObject } from "./verify-json";

/** Key of the words in verify-words.ts. */
export type FindingCode =
	| "signed"
	| "badSignature"
	| "weakKey"
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
	| "frameOrder"
	| "frameTwice"
	| "fullUnknown"
	| "saltOther"
	| "saltAbsent"
	| "full"
	| "fullNone"
	| "links"
	| "facts"
	| "lostFacts"
	| "stateName"
	| "kind"
	| "order"
	| "notLinked"
	| "released"
	| "caseOther"
	| "scope"
	| "chainStart"
	| "lostCount"
	| "recordsLost"
	| "anchorMisfit"
	| "anchorBegun"
	| "anchored"
	| "anchoredBegun"
	| "notAnchored"
	| "headGiven"
	| "headUnknown"
	| "headTime"
	| "headTimeOther"
	| "headOther";

export interface Finding {
	readonly verdict: "proven" | "unproven" | "altered";
	readonly code: FindingCode;
	/** Where, as "body.frames[2].text". */
	readonly path?: string;
	readonly facts?: Readonly<Record<string, string | number>>;
}

/** A chain head that the acquirer says it was told. */
export interface ToldHead {
	/** 64 hex digits, lower case. */
	readonly head: string;
	/** When, YYYYMMDDhhmmss by the acquirer's clock; without it the time is the pack's word alone. */
	readonly time?: string;
}

export interface VerifyOptions {
	/** The device's public key, as somebody else than the pack says. */
	readonly key?: Uint8Array | undefined;
	/** The pack's salt, 16 bytes. */
	readonly salt?: Uint8Array | undefined;
	/** Full frames, of which it is asked whether they are those of the pack. */
	readonly full?: readonly Uint8Array[];
	readonly heads?: readonly ToldHead[];
}

/**
 * How far a transaction is anchored; times as YYYYMMDDhhmmss, empty: not, or by an unknown time. They are the acquirer's
 * where it has told them, else the pack's word.
 */
export interface AnchoredTransaction {
	readonly id: number;
	readonly begun: string;
	readonly ended: string;
}

export interface Verdict {
	readonly findings: readonly Finding[];
	readonly signature: "good" | "bad";
	/** Whose key has signed it: the one that was given, another one, or nobody said. */
	readonly signer: "given" | "other" | "unknown";
	/** Empty for what proves nothing: altered, or signed with another key than the one that was given. */
	readonly transactions: readonly AnchoredTransaction[];
	/** What the pack says it is. */
	readonly pack: PackObject;
}
