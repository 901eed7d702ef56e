/**
 * Slips as lines of text: sales slips (签购单) of both copies, what customers are told about money that was not charged or
 * comes back, a case for the merchant, a settlement (结算单). Card numbers appear masked only (I9); a value that there is
 * not leaves its line out. No line is wider than the paper, and a Chinese character takes two columns.
 * @module
 */
import { LOCAL_OFFSET_MS } from "../config";
import { assert } from "../core/assert";
import { responseText } from "../iso8583/response-codes";
import type { CaseSlip, MoneySlip, SettlementSlip, Slip, SlipLine, SlipRequest, SlipSum } from "../ports";
import {
	ANSWERED_TEXTS,
	ASKED_TEXTS,
	CASE_STATE_TEXTS,
	CAUSE_TEXTS,
	FACT_TEXTS,
	LOCAL_TEXTS,
	MOVER_TEXTS,
	OUTCOME_TEXTS,
	ROW_TEXTS,
	wordOf,
} from "./case-texts";
import { center, columnsOf, padLeft, wrap } from "./columns";
import { ENTRY_LETTERS, KIND_TEXTS, SLIP_TITLES, SLIP_WORDS, type SlipWord } from "./slip-texts";
import { amountText, cardText, type Language, stanText } from "./texts";

/** Columns of 58 mm paper with the usual font of 12 dots. */
export const SLIP_COLUMNS = 32;
/** Below this a label and its value have no room. */
export const SLIP_COLUMNS_MIN = 20;

/**
 * @param width - columns of the paper, at least {@link SLIP_COLUMNS_MIN}
 * @returns lines of at most `width` columns
 */
export function slipLines(slip: Slip, language: Language, width = SLIP_COLUMNS): string[] {
	assert(width >= SLIP_COLUMNS_MIN, "a slip has at least 20 columns");
	const paper = new Paper(language, width);
	paper.middle(SLIP_TITLES[slip.name][language]);
	paper.middle(paper.word(slip.copy === "merchant" ? "merchantCopy" : "customerCopy"));
	if (slip.reprint) paper.middle(paper.word("reprint"));
	paper.rule();
	paper.pair("merchantId", slip.merchantId);
	paper.pair("terminalId", slip.terminalId);
	if (slip.name === "case") caseLines(paper, slip);
	else if (slip.name === "settlement") settlementLines(paper, slip);
	else moneyLines(paper, slip);
	return paper.lines;
}

/** "2026/11/22 17:30:05" in UTC+8, where these terminals stand. */
export function timeText(timeMs: number): string {
	const local = new Date(timeMs + LOCAL_OFFSET_MS);
	const two = (value: number) => `${value}`.padStart(2, "0");
	const day = `${local.getUTCFullYear()}/${two(local.getUTCMonth() + 1)}/${two(local.getUTCDate())}`;
	return `${day} ${two(local.getUTCHours())}:${two(local.getUTCMinutes())}:${two(local.getUTCSeconds())}`;
}

/** A slip that is being written. */
class Paper {
	readonly lines: string[] = [];
	readonly language: Language;
	readonly #width: number;

	constructor(language: Language, width: number) {
		this.language = language;
		this.#width = width;
	}

	word(name: SlipWord): string {
		return SLIP_WORDS[name][this.language];
	}

	middle(text: string): void {
		for (const line of wrap(text, this.#width)) this.lines.push(center(line, this.#width));
	}

	rule(): void {
		this.lines.push("-".repeat(this.#width));
	}

	/** A sentence. */
	say(text: string): void {
		this.lines.push(...wrap(text, this.#width));
	}

	/** The same, below something it belongs to. */
	below(text: string): void {
		this.lines.push(...wrap(text, this.#width - 2).map((line) => `  ${line}`));
	}

	/** A label and words: on one line, or below it. */
	text(label: SlipWord, words: string): void {
		if (columnsOf(this.word(label)) + 1 + columnsOf(words) <= this.#width) {
			this.pair(label, words);
			return;
		}
		this.say(this.word(label));
		this.below(words);
	}

	/** A label on the left, its value on the right; without a value nothing. */
	pair(label: SlipWord, value: string): void {
		if (value !== "") this.row(this.word(label), value);
	}

	row(name: string, value: string): void {
		const room = this.#width - columnsOf(name) - 1;
		if (columnsOf(value) <= room) this.lines.push(`${name} ${padLeft(value, room)}`);
		else this.lines.push(...wrap(name, this.#width), ...wrap(value, this.#width).map((l) => padLeft(l, this.#width)));
	}

	time(label: SlipWord, timeMs: number): void {
		if (timeMs > 0) this.pair(label, timeText(timeMs));
	}

	amount(label: SlipWord, amountMinor: number): void {
		this.pair(label, amountText(amountMinor));
	}

	/** Count and sum. */
	sum(label: SlipWord, { count, sumMinor }: SlipSum): void {
		this.pair(label, `${count}  ${amountText(sumMinor)}`);
	}
}

function moneyLines(paper: Paper, slip: MoneySlip): void {
	const { language } = paper;
	const { name, card, entryMode, kind, operatorId, returnMinor = 0, caseId = 0, code = "" } = slip;
	paper.pair("operator", operatorId ?? "");
	if (card !== "")
		paper.pair("card", cardText(card) + (entryMode === undefined ? "" : ` /${ENTRY_LETTERS[entryMode]}`));
	paper.pair("kind", kind === undefined ? "" : KIND_TEXTS[kind][language]);
	paper.pair("batch", stanText(slip.batch));
	paper.pair("stan", stanText(slip.stan));
	paper.pair("authorization", slip.authorization);
	paper.pair("rrn", slip.rrn);
	paper.time("time", slip.time);
	paper.rule();
	paper.amount("amount", slip.amountMinor);
	if (returnMinor > 0) paper.amount("difference", returnMinor);
	paper.rule();
	if (code !== "") paper.say(`${code} ${responseText(code)[language]}`);
	paper.say(paper.word(moneyWord(slip)));
	if (name === "sale") {
		if (slip.copy === "customer") return;
		if (slip.withPin === true) paper.say(paper.word("withPin"));
		paper.say(paper.word("acknowledge"));
		paper.lines.push(paper.word("signature"), "");
		paper.rule();
		return;
	}
	if (caseId > 0) paper.pair("caseId", `${caseId}`);
	paper.pair("hostReference", slip.reference ?? "");
	paper.time("until", slip.expectedAt ?? 0);
	paper.say(`${paper.word("ask")} ${stanText(slip.stan)}`);
}

/** What it tells of the money. What stays charged until it is given back is never called "not charged". */
function moneyWord({ name, told, kind, returnMinor = 0 }: MoneySlip): SlipWord {
	const paid = told === "paid";
	switch (name) {
		case "sale":
			if (kind === "refund") return "isRefund";
			return kind === "offlineSale" ? "isOffline" : "isPaid";
		case "notCharged":
			return "isNotCharged";
		case "returning":
			if (returnMinor > 0) return "isGivingDifference";
			return paid ? "isGivingBack" : "isReturning";
		default:
			if (returnMinor > 0) return "isDifferenceBack";
			return "isReturned";
	}
}

function caseLines(paper: Paper, slip: CaseSlip): void {
	const { language } = paper;
	const { hostMinor, amountMinor, facts, request } = slip;
	paper.pair("caseId", `${slip.caseId}`);
	paper.time("opened", slip.openedAt);
	paper.rule();
	paper.pair("batch", stanText(slip.batch));
	paper.pair("stan", stanText(slip.stan));
	paper.pair("card", slip.card === "" ? "" : cardText(slip.card));
	paper.pair("rrn", slip.rrn);
	paper.pair("ours", amountMinor === 0 ? paper.word("noneHere") : amountText(amountMinor));
	paper.pair("theirs", hostMinor === undefined ? paper.word("noneHere") : amountText(hostMinor));
	paper.rule();
	paper.text("whatDiffers", wordOf(ROW_TEXTS, slip.row, language));
	paper.text("cause", wordOf(CAUSE_TEXTS, slip.cause, language));
	if (facts.length === 0) paper.pair("facts", paper.word("noFacts"));
	for (const fact of facts) paper.text("facts", wordOf(FACT_TEXTS, fact, language));
	paper.pair("state", wordOf(CASE_STATE_TEXTS, slip.state, language));
	if (slip.outcome !== "open") paper.pair("outcome", wordOf(OUTCOME_TEXTS, slip.outcome, language));
	paper.rule();
	if (request === undefined) paper.say(paper.word("nothingAsked"));
	else requestLines(paper, request);
	paper.rule();
	paper.text("next", wordOf(MOVER_TEXTS, slip.mover, language));
	paper.time("nextAt", slip.nextAt);
	paper.time("printedAt", slip.time);
}

function requestLines(paper: Paper, request: SlipRequest): void {
	const { language } = paper;
	paper.text("asked", wordOf(ASKED_TEXTS, request.what, language));
	if (request.amountMinor > 0) paper.amount("askedAmount", request.amountMinor);
	paper.time("askedAt", request.askedAt);
	paper.text("answer", wordOf(ANSWERED_TEXTS, request.answer, language));
	paper.time("answeredAt", request.answeredAt);
	paper.pair("reason", request.reason === 0 ? "" : `${request.reason}`);
	paper.pair("hostReference", request.reference);
	paper.time("until", request.expectedAt);
}

function settlementLines(paper: Paper, slip: SettlementSlip): void {
	const { hostDebits, hostCredits, result } = slip;
	paper.pair("batch", stanText(slip.batch));
	paper.time("time", slip.time);
	paper.rule();
	paper.sum("sales", slip.sales);
	paper.sum("offlineSales", slip.offlineSales);
	paper.sum("refunds", slip.refunds);
	if (hostDebits !== undefined) paper.sum("hostDebits", hostDebits);
	if (hostCredits !== undefined) paper.sum("hostCredits", hostCredits);
	paper.rule();
	paper.pair("result", paper.word(result ?? "notSaid"));
	if (slip.watched > 0) paper.pair("watched", `${slip.watched}`);
	paper.pair("openCases", `${slip.openCases}`);
	list(paper, "differs", slip.differences, slip.differencesCount, ROW_TEXTS);
	list(paper, "carried", slip.carried, slip.carriedCount, LOCAL_TEXTS);
}

/** Each transaction of a list with two lines: which and how much, and what of it. */
function list(
	paper: Paper,
	title: SlipWord,
	lines: readonly SlipLine[],
	count: number,
	words: Readonly<Record<string, Readonly<Record<Language, string>>>>,
): void {
	if (count === 0) return;
	const { language } = paper;
	paper.rule();
	paper.pair(title, `${count}`);
	for (const { stan, amountMinor, what, caseId, state } of lines) {
		paper.row(stanText(stan), amountText(amountMinor));
		const about = wordOf(words, what, language);
		if (caseId > 0) {
			paper.below(about);
			paper.below(`${paper.word("caseId")} ${caseId} ${wordOf(CASE_STATE_TEXTS, state, language)}`);
		} else paper.below(title === "differs" ? `${about} (${paper.word("checking")})` : about);
	}
	if (count > lines.length) paper.pair("more", `${count - lines.length}`);
}
