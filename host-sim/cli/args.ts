/**
 * Command lines: strict options, one clear line for a mistake, exit code 2. Every command of the project uses this,
 * so that all of them refuse in the same way and before anything has been done (I11).
 * @module
 */
import { parseArgs } from "node:util";
import { CodedError } from "../../src/core/errors";

/** Exit code for a command line that cannot be carried out. */
export const EXIT_USAGE = 2;

/** One option. The key in the table is its name: `port` is `--port`. */
export type OptionSpec =
	| { readonly type: "flag" }
	/** An integer in decimal digits, or with `fraction` a decimal number. */
	| {
			readonly type: "number";
			readonly min: number;
			readonly max: number;
			readonly default?: number;
			readonly fraction?: boolean;
	  }
	| { readonly type: "text"; readonly default?: string; readonly oneOf?: readonly string[] }
	/** May be given many times. */
	| { readonly type: "list" };

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** Flags and lists are always there; numbers and texts without a default may be undefined. */
export type OptionValues<S extends OptionSpecs> = {
	[K in keyof S]: S[K] extends { type: "flag" }
		? boolean
		: S[K] extends { type: "list" }
			? string[]
			: S[K] extends { type: "number" }
				? S[K] extends { default: number }
					? number
					: number | undefined
				: S[K] extends { type: "text" }
					? S[K] extends { default: string }
						? string
						: string | undefined
					: never;
};

/** A mistake on the command line; its message is one line for the person who typed it. */
export class UsageError extends Error {
	constructor(message: string) {
		super(message);
		this.name = "UsageError";
	}
}

/**
 * Reads a command line without doing anything else.
 * @param argv - what follows the script's name
 * @returns the values, or undefined when `--help` is among them
 * @throws {UsageError} for an unknown option, a missing or bad value, or a word that is no option
 */
export function readOptions<const S extends OptionSpecs>(
	specs: S,
	argv: readonly string[],
): OptionValues<S> | undefined {
	const options: Record<string, { type: "boolean" | "string"; multiple?: boolean; short?: string }> = {
		help: { type: "boolean", short: "h" },
	};
	for (const [name, spec] of Object.entries(specs)) {
		options[name] = { type: spec.type === "flag" ? "boolean" : "string", multiple: spec.type !== "flag" };
	}
	let parsed: ReturnType<typeof parseArgs>;
	try {
		parsed = parseArgs({ args: [...argv], options, strict: true, allowPositionals: false });
	} catch (error) {
		throw new UsageError(plainly(firstSentence((error as Error).message)));
	}
	if (parsed.values.help === true) return undefined;
	const values: Record<string, unknown> = {};
	for (const [name, spec] of Object.entries(specs)) values[name] = readValue(name, spec, parsed.values[name]);
	return values as OptionValues<S>;
}

/** A value that begins with a dash: the library's words for it help nobody. */
function plainly(message: string): string {
	const option = /Option '(--\w[\w-]*)\b.*' argument is ambiguous/.exec(message)?.[1];
	return option === undefined
		? message
		: `${option} needs a value; one that begins with a dash is written ${option}=-1`;
}

/**
 * Reads the process's command line; for `--help` prints `usage` and exits 0, for a mistake prints one line and
 * exits 2.
 */
export function parseCli<const S extends OptionSpecs>(command: {
	readonly usage: string;
	readonly options: S;
	readonly argv?: readonly string[];
}): OptionValues<S> {
	let values: OptionValues<S> | undefined;
	try {
		values = readOptions(command.options, command.argv ?? process.argv.slice(2));
	} catch (error) {
		return failCli(error);
	}
	if (values === undefined) {
		process.stdout.write(`${command.usage.trimEnd()}\n`);
		process.exit(0);
	}
	return values;
}

/**
 * Ends the process with one line on stderr and exit code 2, for a mistake or a coded error; anything else is our own
 * bug and is thrown on, with its stack.
 */
export function failCli(error: unknown): never {
	if (!(error instanceof UsageError) && !(error instanceof CodedError)) throw error;
	process.stderr.write(`error: ${error.message.replace(/\s+/g, " ")}\n`);
	process.exit(EXIT_USAGE);
}

function readValue(name: string, spec: OptionSpec, value: unknown): unknown {
	if (spec.type === "flag") return value === true;
	const texts = (value ?? []) as string[];
	if (spec.type === "list") return texts;
	if (texts.length > 1) throw new UsageError(`--${name} is given ${texts.length} times`);
	if (texts.length === 0) return spec.default;
	const text = texts[0];
	if (spec.type === "text") {
		if (text === "") throw new UsageError(`--${name} needs a value`);
		if (spec.oneOf !== undefined && !spec.oneOf.includes(text)) {
			throw new UsageError(`--${name} is one of ${spec.oneOf.join(", ")}, not "${text}"`);
		}
		return text;
	}
	const pattern = spec.fraction === true ? /^-?\d{1,15}(\.\d{1,9})?$/ : /^-?\d{1,15}$/;
	const number = pattern.test(text) ? Number(text) : Number.NaN;
	if (!(number >= spec.min && number <= spec.max)) {
		const kind = spec.fraction === true ? "a number" : "an integer";
		throw new UsageError(`--${name} is ${kind} from ${spec.min} to ${spec.max}, not "${text}"`);
	}
	return number;
}

/** Node's own texts go on with advice over several sentences; the first says what is wrong. */
function firstSentence(text: string): string {
	const end = text.search(/[.\n](\s|$)/);
	return end < 0 ? text : text.slice(0, end);
}

/** Exit code of a command whose reader has gone: 128 + SIGPIPE, as shells have it. */
export const EXIT_CLOSED_OUTPUT = 141;

/** A reader that has gone, such as `| head`, ends the command without a stack trace; the work is not done, and it says so. */
export function endOnClosedOutput(): void {
	process.stdout.on("error", () => process.exit(EXIT_CLOSED_OUTPUT));
}
