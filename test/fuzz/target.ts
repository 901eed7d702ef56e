/**
 * What the search is made of. A target is one thing that takes bytes from outside; a case is one input for it, drawn
 * from the seed, the target's name and the number of the case alone, so that one command shows it again.
 *
 * A case that ends has held. Whatever it throws is an escape: a property that did not hold (Escape), an assertion of
 * ours, or an exception that nobody has foreseen.
 * @module
 */
import type { SeededRandom } from "../../host-sim/board/seeded-random";
import { AssertionError } from "../../src/core/assert";
import { toHex } from "../../src/core/bytes";
import { CodedError, type ErrorCode } from "../../src/core/errors";

/** What can go wrong, as a word. */
export const ESCAPE_KINDS = [
	"exception",
	"assertion",
	"code",
	"overread",
	"overwrite",
	"different",
	"memory",
	"endless",
	"secret",
	"money",
	"restart",
] as const;
export type EscapeKind = (typeof ESCAPE_KINDS)[number];

/** A property that did not hold. */
export class Escape extends Error {
	override readonly name = "Escape";
	readonly kind: EscapeKind;

	constructor(kind: EscapeKind, message: string) {
		super(message);
		this.kind = kind;
	}
}

/** @throws {Escape} when it does not hold */
export function must(condition: boolean, kind: EscapeKind, message: string): asserts condition {
	if (!condition) throw new Escape(kind, message);
}

/** What a thrown value is, where it was not caught. */
export function kindOf(error: unknown): EscapeKind {
	if (error instanceof Escape) return error.kind;
	if (error instanceof AssertionError) return "assertion";
	return error instanceof CodedError ? "code" : "exception";
}

const INPUTS_MAX = 400;

/** The bytes of a case as it goes, for whoever has to look at it. */
export class CaseInput {
	readonly lines: string[] = [];

	clear(): void {
		this.lines.length = 0;
	}

	/** @param what - "frame", "push" */
	bytes(what: string, bytes: Uint8Array): void {
		if (this.lines.length < INPUTS_MAX) this.lines.push(`${what} ${toHex(bytes)}`);
	}

	text(line: string): void {
		if (this.lines.length < INPUTS_MAX) this.lines.push(line);
	}
}

/** One case. `random` is its own. */
export type RunCase = (random: SeededRandom, input: CaseInput) => void;

export interface Target {
	readonly name: string;
	/** For `--help`. */
	readonly brief: string;
	/**
	 * Cases that run on one instance, one after the other: a decoder that has seen other frames before. A replay runs
	 * those of the block before it as well. About half a second's work.
	 */
	readonly blockCases: number;
	/** Share of the time, against the others. */
	readonly weight: number;
	make(): RunCase;
}

/** Digits in a row that no place, offset or length needs: a frame has at most five. */
const DIGITS_MAX = 5;
const SECRET_LIKE = new RegExp(`\\d{${DIGITS_MAX + 1},}|[0-9A-Fa-f]{9,}|[^ -~]`);

/**
 * An error that bad input may cause: one of the codes that the interface names, with a text that says nothing of it.
 * @throws {Escape} "code" | "secret"; `error` itself when it is no coded error
 */
export function mustBeCoded(error: unknown, allowed: readonly ErrorCode[]): CodedError {
	if (!(error instanceof CodedError)) throw error;
	must(
		allowed.includes(error.code),
		"code",
		`code "${error.code}" is not one of ${allowed.join(", ")}: ${error.place}`,
	);
	must(!SECRET_LIKE.test(error.message), "secret", `an error's text holds more than a place: ${error.message}`);
	return error;
}
