/**
 * The commands of `npm run terminal` beside selling: one table. A new one is a new entry of COMMANDS, with its usage and a
 * line of help; what it prints, it prints with `print`, and what takes time it waits for with `wait`.
 *
 * A command never guesses: what it does not understand it says in one line, and does nothing.
 * @module
 */
import { LOCAL_OFFSET_MS } from "../../src/config";
import { toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { parseAmount } from "../../src/core/money";
import type { ScreenName, SlipCopy } from "../../src/ports";
import { PUBLIC_KEY_BYTES } from "../../src/security/device-key";
import type { EvidenceWanted } from "../../src/settlement/evidence";
import type { HostView } from "../../src/settlement/inquiry";
import { caseRecord, type QueryKey } from "../../src/settlement/query";
import type { Terminal } from "../../src/terminal";
import type { Language } from "../../src/ui/texts";
import { screenTitle, stanText } from "../../src/ui/texts";
import { makePack } from "../board/make-pack";
import { caseLine, caseText, differenceText, hitText, queueText, viewText } from "./terminal-views";

/** What a command works with. */
export interface CommandContext {
	readonly terminal: Terminal;
	readonly language: Language;
	print(text: string): void;
	/** The terminal's wall clock, ms since 1970. */
	now(): number;
	/** What `status` shows. */
	status(): string;
	/** Calls into the firmware; an error that comes out of it restarts the terminal. */
	attempt(action: () => void): void;
	/**
	 * Takes no further line until something has happened, or so much of the terminal's time has passed.
	 * @param then - called in either case; `late`: it has not happened
	 */
	wait(happened: () => boolean, ms: number, then: (late: boolean) => void): void;
	/** Writes a new file beside the flash file, whatever there is by that name. @returns its path. @throws {Error} of the file system */
	save(name: string, extension: string, bytes: Uint8Array): string;
	/** A screen of this name was shown since the command began. */
	shown(name: ScreenName): boolean;
}

export interface Command {
	readonly name: string;
	/** Behind the name; empty for none. */
	readonly usage: string;
	readonly help: string;
	/** @returns what is wrong with the arguments, or why it cannot be done; undefined when it is done */
	run(args: readonly string[], context: CommandContext): string | undefined;
}

/** Terminal's ms that a command waits for what it has begun. */
const SETTLE_MS = 120_000;
const SYNC_MS = 60_000;
const QUERY_MS = 150_000;
const PRINT_MS = 40_000;
const WAIT_S_MAX = 86_400;
const AT_WORK = "The terminal is at work: try again in a moment.";
/** Batches that the host is asked about for a number that nobody here knows. */
const BATCHES_MAX = 4;

/** Why nothing was printed or asked: words for what has no screen of its own. */
const REFUSALS: Readonly<Record<string, string>> = {
	notCharged: "It is not charged: the screen says what became of it; notice prints that for the customer.",
	noticeCharged: "It is charged: reprint prints its slip.",
	queryNone: "No such transaction with a slip here.",
	stillOpen: "It is not over yet.",
	caseUnknown: "No such case; cases lists them.",
	settlementUnknown: "No batch was settled since the last start.",
	printFull: "Too much waits for the printer already.",
};

export const COMMANDS: readonly Command[] = [
	{
		name: "help",
		usage: "",
		help: "this list",
		run: (_args, { print }) => {
			print(helpText());
			return undefined;
		},
	},
	{
		name: "status",
		usage: "",
		help: "batch, doubts, queue, open cases, flash (also s)",
		run: (_args, { print, status }) => {
			print(status());
			return undefined;
		},
	},
	{ name: "settle", usage: "", help: "settle the batch; sales go on in the next one", run: settle },
	{ name: "sync", usage: "", help: "compare with the host's books now", run: sync },
	{ name: "cases", usage: "[all]", help: "the open cases; all: the closed ones too", run: listCases },
	{ name: "case", usage: "N", help: "all of a case: cause, facts, request, history, next step", run: showCase },
	{
		name: "answer",
		usage: "N yes|no",
		help: "answer a case that asks, or close one that people have settled",
		run: answer,
	},
	{
		name: "query",
		usage: "TRACE [batch N] | amount 12.34 | card 1234 [local]",
		help: "what is known here, the newest first, and what the host says of it; local: only here",
		run: queryAll,
	},
	{
		name: "queue",
		usage: "",
		help: "reversals and advices that wait",
		run: (_args, { print, terminal, language }) => {
			print(queueText(terminal, language));
			return undefined;
		},
	},
	{ name: "reprint", usage: "[TRACE] [merchant|customer]", help: "a sales slip once more; the last one", run: reprint },
	{ name: "notice", usage: "TRACE", help: "paper for the customer: not charged, or being returned", run: notice },
	{ name: "print", usage: "case N | settlement", help: "a case, or the last settlement, on paper", run: print },
	{
		name: "evidence",
		usage: "case N | txn TRACE [batch N] | day | key",
		help: "a signed pack in a new file beside the flash file, for npm run verify; a day's before it is settled; or the key",
		run: evidence,
	},
	{ name: "wait", usage: "SECONDS", help: "let the terminal's time pass", run: wait },
];

/** @returns undefined when the line is no command */
export function findCommand(line: string): { command: Command; args: readonly string[] } | undefined {
	const [name, ...args] = line.trim().toLowerCase().split(/\s+/);
	const command = COMMANDS.find((candidate) => candidate.name === name);
	return command === undefined ? undefined : { command, args };
}

/** Runs a command, and says what is wrong in one line. */
export function runCommand(
	{ command, args }: { command: Command; args: readonly string[] },
	context: CommandContext,
): void {
	const wrong = command.usage === "" && args.length > 0 ? "takes nothing behind it" : command.run(args, context);
	if (wrong === undefined) return;
	const usage = `${command.name} ${command.usage}`.trim();
	context.print(wrong === USAGE ? `usage: ${usage}` : wrong.startsWith("takes") ? `${usage} ${wrong}` : wrong);
}

/** The arguments are not those of the usage line. */
const USAGE = "usage";

function helpText(): string {
	const names = COMMANDS.map(({ name, usage }) => `${name} ${usage}`.trim());
	const width = Math.max(...names.map((name) => name.length));
	const lines = COMMANDS.map(({ help }, n) => `  ${names[n].padEnd(width)}  ${help}`);
	const keys = ["an amount such as 12.34 begins a sale; then a card, and a PIN where it is asked for"];
	return [
		"Commands:",
		...lines,
		"Keys:",
		...keys.map((key) => `  ${key}`),
		"  m manager, l cards, c cancel, q quit",
	].join("\n");
}

function settle(_args: readonly string[], context: CommandContext): string | undefined {
	const { terminal, print: say, language } = context;
	const { batch } = terminal.log;
	const closing = terminal.log.closing?.batch;
	let begun = false;
	context.attempt(() => {
		begun = terminal.settle();
	});
	if (!begun && closing === undefined) return "There is no batch to settle yet: the host gives one at sign-on.";
	const settling = closing ?? batch;
	if (!begun) say(`Batch ${settling} closes already.`);
	context.wait(
		() => !terminal.settling || context.shown("settleWaits"),
		begun ? SETTLE_MS : 1,
		() => {
			const differences = terminal.differences(settling);
			if (!terminal.settling) say(`Batch ${settling} is settled; sales carry batch ${terminal.log.batch}.`);
			else say(`Batch ${settling} is not settled yet; it goes on by itself, and sales in batch ${terminal.log.batch}.`);
			if (differences.length > 0) say(`What ${terminal.settling ? "differs" : "differed"} from the host's books:`);
			for (const line of differences) say(differenceText(line, language));
		},
	);
	return undefined;
}

function sync(_args: readonly string[], context: CommandContext): string | undefined {
	const { terminal, print: say, language } = context;
	context.attempt(() => terminal.sync());
	context.wait(
		() => !terminal.comparing,
		SYNC_MS,
		(late) => {
			if (!terminal.hostKnowsSync) {
				say("This host does not know the sync messages: nothing can be compared but by settling.");
				return;
			}
			if (late) {
				say("The host has not answered yet; it is asked again by itself.");
				return;
			}
			const lines = terminal.differences(terminal.log.batch);
			const open = lines.filter(
				({ caseId, state }) => caseId === 0 || !["resolved", "loss", "withdrawn"].includes(state),
			);
			const { openCases } = terminal.summary();
			say(
				`Compared; ${open.length === 0 ? "nothing differs in this batch" : `${open.length} differ`}; open cases ${openCases}.`,
			);
			for (const line of open) say(differenceText(line, language));
		},
	);
	return undefined;
}

function listCases(args: readonly string[], { terminal, print: say, language }: CommandContext): string | undefined {
	const all = args[0] === "all";
	if (args.length > 1 || (args.length === 1 && !all)) return USAGE;
	const { cases } = terminal;
	let count = 0;
	for (let id = next(0); id !== 0; id = next(id)) {
		const record = caseRecord(cases, id);
		say(record === undefined ? `case ${id}: flash has lost it` : caseLine(record, language));
		count++;
	}
	if (count === 0) say(all ? "No cases." : "No open cases.");
	return undefined;

	function next(after: number): number {
		return all ? cases.next(after) : cases.nextOpen(after);
	}
}

function showCase(args: readonly string[], { terminal, print: say, language }: CommandContext): string | undefined {
	const id = readNumber(args[0]);
	if (args.length !== 1 || id === undefined) return USAGE;
	const record = caseRecord(terminal.cases, id);
	if (record === undefined) return REFUSALS.caseUnknown;
	say(caseText(record, language));
	return undefined;
}

function answer(args: readonly string[], context: CommandContext): string | undefined {
	const { terminal, print: say, language } = context;
	const id = readNumber(args[0]);
	const yes = args[1] === "yes" || args[1] === "y";
	const no = args[1] === "no" || args[1] === "n";
	if (args.length !== 2 || id === undefined || (!yes && !no)) return USAGE;
	if (caseRecord(terminal.cases, id) === undefined) return REFUSALS.caseUnknown;
	let taken = false;
	context.attempt(() => {
		taken = terminal.answerCase(id, yes);
	});
	if (!taken) return `Case ${id} asks nothing.`;
	const record = caseRecord(terminal.cases, id);
	if (record !== undefined) say(caseLine(record, language));
	return undefined;
}

function queryAll(args: readonly string[], context: CommandContext): string | undefined {
	const { terminal, print: say, language } = context;
	const local = args.at(-1) === "local";
	const words = local ? args.slice(0, -1) : args;
	const wanted = readKey(words);
	if (wanted === undefined) return USAGE;
	const { key, batch } = wanted;
	let hits: ReturnType<Terminal["query"]> = [];
	try {
		hits = terminal.query(key).filter((hit) => batch === 0 || hit.batch === batch);
	} catch (error) {
		if (!(error instanceof CodedError)) throw error;
		return `${error.message}.`;
	}
	for (const hit of hits) say(hitText(hit, language));
	if (hits.length === 0) say("This terminal knows of none.");
	if (local) return undefined;
	const stan = hits[0]?.stan ?? ("stan" in key ? key.stan : 0);
	const batches = hits.length > 0 ? [hits[0].batch] : batch > 0 ? [batch] : likelyBatches(terminal);
	if (stan > 0 && batches.length > 0) askHost(context, stan, batches);
	return undefined;
}

/** Asks about a number in one batch after the other, until the host knows it or does not answer. */
function askHost(context: CommandContext, stan: number, batches: readonly number[]): void {
	const { terminal, print: say, language } = context;
	let heard: HostView | undefined;
	let begun = false;
	context.attempt(() => {
		begun = terminal.askHost(batches[0], stan, (view) => {
			heard = view;
		});
	});
	if (!begun) {
		say(`The host cannot be asked about trace ${stanText(stan)} just now: try again.`);
		return;
	}
	context.wait(
		() => heard !== undefined,
		QUERY_MS,
		() => {
			if (heard === undefined) return;
			say(viewText(heard, language));
			if (heard.says === "unknown" && batches.length > 1) askHost(context, stan, batches.slice(1));
		},
	);
}

/** Of a batch that is settled nothing may be left here; trace numbers run on across batches. The newest first. */
function likelyBatches({ log }: Terminal): number[] {
	const batches = log.closing === undefined ? [log.batch] : [log.batch, log.closing.batch];
	for (let batch = log.settledUpTo.batch; batch > 0 && batches.length < BATCHES_MAX; batch--) batches.push(batch);
	return batches.filter((batch) => batch > 0);
}

function readKey(words: readonly string[]): { key: QueryKey; batch: number } | undefined {
	const [first, second] = words;
	if (first === "card" && words.length === 2) {
		return /^\d{4}$/.test(second) ? { key: { last4: second }, batch: 0 } : undefined;
	}
	if (first === "amount" && words.length === 2) {
		try {
			return { key: { amountMinor: parseAmount(second) }, batch: 0 };
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			return undefined;
		}
	}
	const stan = readNumber(first);
	const batch = words.length === 3 && second === "batch" ? readNumber(words[2]) : words.length === 1 ? 0 : undefined;
	if (stan === undefined || batch === undefined) return undefined;
	return { key: { stan }, batch };
}

/** For whoever is to believe the packs: to be told before there is a dispute. */
function evidenceKey({ terminal, print: say }: CommandContext): string | undefined {
	try {
		const key = new Uint8Array(PUBLIC_KEY_BYTES);
		terminal.evidenceKey(key);
		say(`Packs of this terminal are signed with ${toHex(key)}; npm run verify -- FILE --key HEX takes no other.`);
		return undefined;
	} catch (error) {
		if (!(error instanceof CodedError)) throw error;
		return error.code === "state" ? AT_WORK : `${error.message}.`;
	}
}

/** What is settled leaves the journal; a case keeps what it is about. */
const NO_TRANSACTION =
	"It holds no transaction: of a settled batch the terminal keeps none. Make the day's pack before you settle.";

/** YYYYMMDD of the terminal's local time. */
function localDay(nowMs: number): string {
	return new Date(nowMs + LOCAL_OFFSET_MS).toISOString().slice(0, 10).replaceAll("-", "");
}

/** The whole local day, a case, or a transaction of this batch or another. */
function evidence(args: readonly string[], context: CommandContext): string | undefined {
	const { terminal, print: say } = context;
	const [kind, first, word, second] = args;
	const number = readNumber(first);
	const batch = args.length === 2 ? terminal.log.batch : word === "batch" ? readNumber(second) : undefined;
	let wanted: EvidenceWanted;
	if (kind === "key" && args.length === 1) return evidenceKey(context);
	if (kind === "day" && args.length === 1) {
		const dayMs = 86_400_000;
		const localMs = context.now() + LOCAL_OFFSET_MS;
		const fromMs = localMs - (localMs % dayMs) - LOCAL_OFFSET_MS;
		wanted = { fromMs, toMs: fromMs + dayMs };
	} else if (kind === "case" && args.length === 2 && number !== undefined) wanted = { case: number };
	else if (kind === "txn" && (args.length === 2 || args.length === 4) && number !== undefined && batch !== undefined)
		wanted = { batch, stan: number };
	else return USAGE;
	try {
		const pack = makePack(terminal, wanted);
		const name = kind === "day" ? `day-${localDay(context.now())}` : `${kind}-${number}`;
		const path = context.save(`evidence-${name}`, "json", pack);
		say(`${pack.length} bytes in ${path}; npm run verify -- FILE checks it.`);
		const { body } = JSON.parse(new TextDecoder().decode(pack)) as { body: { transactions: unknown[] } };
		if (body.transactions.length === 0) say(NO_TRANSACTION);
		return undefined;
	} catch (error) {
		if (error instanceof CodedError) return error.code === "state" ? AT_WORK : `${error.message}.`;
		return `The pack cannot be written: ${(error as Error).message}`;
	}
}

function reprint(args: readonly string[], context: CommandContext): string | undefined {
	const copies = args.filter((word): word is SlipCopy => word === "merchant" || word === "customer");
	const rest = args.filter((word) => word !== "merchant" && word !== "customer");
	const stan = rest.length === 0 ? 0 : readNumber(rest[0]);
	if (rest.length > 1 || copies.length > 1 || stan === undefined || (rest.length === 1 && stan === 0)) return USAGE;
	return paper(context, (terminal) => terminal.reprint(stan, copies.length === 0 ? undefined : copies));
}

function notice(args: readonly string[], context: CommandContext): string | undefined {
	const stan = readNumber(args[0]);
	if (args.length !== 1 || stan === undefined || stan === 0) return USAGE;
	return paper(context, (terminal) => terminal.notice(stan));
}

function print(args: readonly string[], context: CommandContext): string | undefined {
	const [what, number] = args;
	if (what === "settlement" && args.length === 1) return paper(context, (terminal) => terminal.printSettlement());
	const id = readNumber(number);
	if (what !== "case" || args.length !== 2 || id === undefined) return USAGE;
	return paper(context, (terminal) => terminal.printCase(id));
}

/** Paper takes its time; what is not printed at all is said at once. */
function paper(
	{ terminal, language, attempt, wait: hold }: CommandContext,
	begin: (terminal: Terminal) => ReturnType<Terminal["reprint"]>,
): string | undefined {
	let refusal: ReturnType<Terminal["reprint"]>;
	attempt(() => {
		refusal = begin(terminal);
	});
	if (refusal === undefined) {
		hold(
			() => !terminal.printing,
			PRINT_MS,
			() => {},
		);
		return undefined;
	}
	return REFUSALS[refusal] ?? screenTitle(refusal as ScreenName, language);
}

function wait(args: readonly string[], context: CommandContext): string | undefined {
	const seconds = readNumber(args[0]);
	if (args.length !== 1 || seconds === undefined || seconds > WAIT_S_MAX) return USAGE;
	context.wait(
		() => false,
		seconds * 1_000,
		() => {},
	);
	return undefined;
}

/** @returns undefined for what is no whole number of at most nine digits */
function readNumber(text: string | undefined): number | undefined {
	return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
