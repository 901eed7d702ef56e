/**
 * Command lines: strict options, one clear line for a mistake, exit code 2. Every command of the project uses this,
 * so that all of them refuse in the same way and before anything has been done (I11).
 * @module
 */
import { writeSync } from "node:fs";
import { parseArgs } from "node:util";

/** Exit code for a command line that cannot be carried out. */
export const EXIT_USAGE = 2;
/** Exit code of a command whose output cannot be written, as on a full disk: EX_IOERR of BSD's sysexits.h. */
export const EXIT_OUTPUT = 74;
/** Exit code of a command whose reader has gone: 128 + SIGPIPE, as shells have it. */
export const EXIT_CLOSED_OUTPUT = 141;

/** A word that stands for standard input. */
export const STANDARD_INPUT = "-";
const STDOUT = 1;
const EXITS_OF_ALL = `
Where nothing else is said, each command also has these exit codes: ${EXIT_OUTPUT} its output cannot be written (a full disk),
${EXIT_CLOSED_OUTPUT} the reader of its output has gone, 130 ended by Ctrl-C, 143 by SIGTERM.
`;

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

/** The words of a command line that are no options, and the options. `--` ends the options. */
export function splitWords(specs: OptionSpecs, argv: readonly string[]): { words: string[]; options: string[] } {
	const words: string[] = [];
	const options: string[] = [];
	for (let i = 0; i < argv.length; i++) {
		const word = argv[i];
		if (word === "--") {
			words.push(...argv.slice(i + 1));
			break;
		}
		if (word === STANDARD_INPUT || !word.startsWith("-")) words.push(word);
		else {
			options.push(word);
			const spec = word.startsWith("--") ? specs[word.slice(2)] : undefined;
			if (spec !== undefined && spec.type !== "flag" && i + 1 < argv.length) options.push(argv[++i]);
		}
	}
	return { words, options };
}

/**
 * Reads the process's command line; for `--help` prints `usage` and exits 0, for a mistake prints one line and
 * exits 2. From now on an output that cannot be written ends the process as `endOnClosedOutput` has it.
 */
export function parseCli<const S extends OptionSpecs>(command: {
	readonly usage: string;
	readonly options: S;
	readonly argv?: readonly string[];
}): OptionValues<S> {
	endOnClosedOutput();
	let values: OptionValues<S> | undefined;
	try {
		values = readOptions(command.options, command.argv ?? process.argv.slice(2));
	} catch (error) {
		return failCli(error);
	}
	if (values === undefined) {
		printAndExit(`${command.usage.trimEnd()}\n${EXITS_OF_ALL}`);
	}
	return values;
}

/**
 * Ends the process with one line on stderr and exit code 2, for a mistake or a coded error; anything else is our own
 * bug and is thrown on, with its stack.
 */
export function failCli(error: unknown): never {
	if (!isForThePerson(error)) throw error;
	process.stderr.write(`error: ${error.message.replace(/\s+/g, " ")}\n`);
	process.exit(EXIT_USAGE);
}

/** By its name, as `verify` works without any module of the firmware, where coded errors are defined. */
function isForThePerson(error: unknown): error is Error {
	return error instanceof UsageError || (error instanceof Error && error.name === "CodedError");
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

/** Exit 0 waits for nothing: the text has to be out by then, or it is known that it cannot be. */
function printAndExit(text: string): never {
	try {
		for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(STDOUT, rest));
	} catch (error) {
		endWithoutOutput(error as NodeJS.ErrnoException);
	}
	process.exit(0);
}

/** Exit codes of a command that a signal ends: 128 and the signal's number, as shells have it. */
export const SIGNAL_EXITS = { SIGINT: 130, SIGTERM: 143 } as const;

/** A signal ends the command by `process.exit`: whoever has started processes can end them then (event `exit`). */
export function exitOnSignals(): void {
	for (const name of Object.keys(SIGNAL_EXITS) as (keyof typeof SIGNAL_EXITS)[]) {
		process.on(name, () => process.exit(SIGNAL_EXITS[name]));
	}
}

/** npm hands a Ctrl-C on that the shell has already given to everybody: that is one, not two. */
const SAME_SIGNAL_MS = 1_000;

/**
 * The first signal asks for an orderly end, the next one ends the command at once.
 * @param first - with the exit code that an ended command has
 * @param again - before the process ends
 */
export function onEndSignals(first: (exitCode: number) => void, again: () => void = () => {}): void {
	let at: number | undefined;
	for (const name of Object.keys(SIGNAL_EXITS) as (keyof typeof SIGNAL_EXITS)[]) {
		process.on(name, () => {
			if (at === undefined) {
				at = performance.now();
				first(SIGNAL_EXITS[name]);
			} else if (performance.now() - at >= SAME_SIGNAL_MS) {
				again();
				process.exit(SIGNAL_EXITS[name]);
			}
		});
	}
}

let watchesOutput = false;

/**
 * Output that nobody takes ends the command without a stack trace: the work counts as not done, and the exit code says
 * so. A reader that has gone, such as `| head`, needs no words. What goes to stderr is no result, so that nothing is lost
 * with it. Called more than once, it does nothing.
 */
export function endOnClosedOutput(): void {
	if (watchesOutput) return;
	watchesOutput = true;
	process.stdout.on("error", endWithoutOutput);
	process.stderr.on("error", () => {});
}

function endWithoutOutput({ code }: NodeJS.ErrnoException): never {
	if (code === "EPIPE") process.exit(EXIT_CLOSED_OUTPUT);
	process.stderr.write(`error: the output cannot be written: ${code}\n`);
	process.exit(EXIT_OUTPUT);
}
