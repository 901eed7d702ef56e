/**
 * A scenario for people at a command line: its lines as they happen, and in the end what the clerk sees, the cases, the
 * ledgers against what people were told, and whether it all is as it should be. With no language chosen the terminal's screen
 * speaks both, and everything else is in English with the Chinese words beside the headings.
 * @module
 */
import pc from "picocolors";
import { LOCAL_OFFSET_MS } from "../../src/config";
import type { MoneySlip, Screen } from "../../src/ports";
import {
	CASE_STATE_TEXTS,
	CAUSE_TEXTS,
	EVENT_TEXTS,
	FACT_TEXTS,
	MOVER_TEXTS,
	ROW_TEXTS,
} from "../../src/ui/case-texts";
import { columnsOf, padRight } from "../../src/ui/columns";
import { type Language, screenLines } from "../../src/ui/texts";
import { injectedWords, STEP_WORDS } from "../scenario/case-words";
import type { Finding } from "../scenario/judge";
import type { ScenarioResult } from "../scenario/run-scenario";
import type { OutOfPlace, Scenario, Words } from "../scenario/scenario";
import { SCENARIOS } from "../scenario/scenarios";
import { sale, type TimelineLine, type Who, yuan } from "../scenario/timeline";
import type { CaseChange, CaseFile } from "../world/case-file";
import { DAY } from "./start-options";
import { drawScreen } from "./terminal-box";

/** undefined: both. */
export type Lang = Language | undefined;

const WHO_WORDS: Readonly<Record<Who, Words & { readonly colour: (text: string) => string }>> = {
	terminal: { zh: "终端", en: "terminal", colour: pc.cyan },
	host: { zh: "主机", en: "host", colour: pc.magenta },
	bank: { zh: "银行", en: "bank", colour: pc.blue },
	cashier: { zh: "收银员", en: "cashier", colour: pc.green },
	customer: { zh: "顾客", en: "customer", colour: pc.yellow },
	line: { zh: "线路", en: "line", colour: pc.yellow },
	power: { zh: "电源", en: "power", colour: pc.red },
};
const WHO_COLUMNS = 9;
const LABEL_COLUMNS = 34;
const NAME_COLUMNS = 22;
const HINTS: Readonly<Record<OutOfPlace["shownBy"], Words>> = {
	case: { zh: "有未结差错，见上", en: "an open case names it" },
	settlement: {
		zh: "批结算不平：请凭批上送明细联系收单机构",
		en: "the batch was told to be unbalanced: the clerk calls the acquirer, who has the uploaded list",
	},
	statement: {
		zh: "主机不提供入账信息：请将银行对账单与批结算总额核对",
		en: "this host tells nothing of it: the clerk compares the bank's statement with the settlement's total",
	},
};

/** In the language chosen; with none, English. */
const say = (words: Words, lang: Lang): string => words[lang ?? "en"];
/** In the language chosen; with none, both. */
const both = ({ zh, en }: Words, lang: Lang): string => (lang === "zh" ? zh : lang === "en" ? en : `${en} ${zh}`);
const heading = (en: string, zh: string, lang: Lang): string => pc.bold(both({ zh, en }, lang));

/** "13:25:00"; with days behind the first one "+1 13:25:00". */
function clockText(timeMs: number, day: number): string {
	const text = new Date(timeMs + LOCAL_OFFSET_MS).toISOString().slice(11, 19);
	const days = dayOf(timeMs) - day;
	return days === 0 ? text : `+${days} ${text}`;
}

const DAY_MS = 86_400_000;
const dayOf = (timeMs: number): number => Math.floor((timeMs + LOCAL_OFFSET_MS) / DAY_MS);

/** @param firstMs - the first moment of the scenario: days are counted from it */
export function timelineText(line: TimelineLine, lang: Lang, firstMs: number): string {
	const { timeMs, who, words, screen } = line;
	const name = WHO_WORDS[who];
	const text = screen !== undefined && lang === undefined ? `${words.zh} | ${withoutValues(screen)}` : say(words, lang);
	const time = pc.dim(clockText(timeMs, dayOf(firstMs)));
	return `${time} ${name.colour(padRight(say(name, lang), WHO_COLUMNS))} ${text}`;
}

/** The English words of a screen whose values stand beside it in Chinese already. */
function withoutValues({ name, result, hold, code, printed }: Screen): string {
	const words: Screen = {
		name,
		...(result === undefined ? {} : { result }),
		...(hold === undefined ? {} : { hold }),
		...(code === undefined ? {} : { code }),
		...(printed === undefined ? {} : { printed }),
	};
	return screenLines(words, "en").join(" ");
}

/** The names of all scenarios. */
export function listLines(lang: Lang): string[] {
	const day: Words = {
		zh: "一个营业日：真实 TCP、故障、断电，日终批结算",
		en: "a trading day over real TCP, with faults and power cuts; the day's end by key",
	};
	const line = ({ name, what }: { name: string; what: Words }) => `  ${name.padEnd(NAME_COLUMNS)}${say(what, lang)}`;
	return [...SCENARIOS, { name: DAY, what: day }].map(line);
}

export function titleLine({ name, what }: Scenario, seed: number, sync: boolean, lang: Lang): string {
	const host = sync ? { zh: "", en: "" } : { zh: "，主机不支持同步报文", en: ", a host without sync messages" };
	const seedText = lang === "zh" ? `种子 ${seed}` : `seed ${seed}`;
	return `${pc.bold(name)}: ${say(what, lang)} (${seedText}${say(host, lang)})`;
}

/** Everything behind the last line of the timeline. */
export function closingLines(result: ScenarioResult, lang: Lang, firstMs: number): string[] {
	const day = dayOf(firstMs);
	return [
		"",
		heading("What the clerk sees", "收银员所见", lang),
		...screenBlock(result.settledScreen ?? result.lastScreen, lang),
		"",
		heading("Cases", "差错", lang),
		...(result.cases.length === 0 ? [`  ${both({ zh: "无", en: "none" }, lang)}`] : []),
		...result.cases.flatMap((file) => caseLines(file, result, lang, day)),
		"",
		heading("The ledgers, and what people were told", "双方账目与告知", lang),
		...ledgerLines(result, lang),
		"",
		...result.checks.flatMap(({ name, holds, wrong }) => [
			`  ${holds ? pc.green("✓") : pc.red("✗")} ${both(name, lang)}`,
			...wrong.map((text) => pc.red(`      ${text}`)),
		]),
		"",
		verdictLine(result, lang),
	];
}

function screenBlock(screen: Screen | undefined, lang: Lang): string[] {
	if (screen === undefined) return [];
	const boxes = (lang === undefined ? (["zh", "en"] as const) : [lang]).map((one) =>
		drawScreen(screen, one).split("\n"),
	);
	const height = Math.max(...boxes.map((box) => box.length));
	const rows: string[] = [];
	for (let n = 0; n < height; n++) {
		const row = boxes.map((box) => padRight(box[n] ?? "", columnsOf(box[0])));
		rows.push(`  ${row.join("  ")}`.trimEnd());
	}
	return rows;
}

function caseLines(file: CaseFile, { findings, slips }: ScenarioResult, lang: Lang, day: number): string[] {
	const finding = findings.find(({ id }) => id === file.id);
	const { record, rows, facts, changes, id, stan } = file;
	const label = (en: string, zh: string) => padRight(both({ zh, en }, lang), 14);
	const join = (words: readonly Words[]) => words.map((one) => both(one, lang)).join(lang === "zh" ? "、" : ", ");
	const amountMinor = record.amountMinor || record.hostMinor;
	const rowWords = rows.map((row) => both(ROW_TEXTS[row], lang)).join(" → ");
	const lines = [`  ${pc.bold(`${id}`)}  ${stan === 0 ? batchText(file, lang) : sale(stan, amountMinor)}  ${rowWords}`];
	if (finding === undefined) return lines;
	const { fault, remedies, state, mover, cause } = finding;
	const injected =
		fault === undefined ? "" : `  [${lang === "zh" ? "注入" : "injected"}: ${say(injectedWords(fault), lang)}]`;
	lines.push(`     ${label("cause", "原因")} ${both(CAUSE_TEXTS[cause], lang)}${injected}`);
	lines.push(`     ${label("facts", "事实")} ${join(facts.map((fact) => FACT_TEXTS[fact]))}`);
	lines.push(`     ${label("remedy", "处理")} ${join(remedies.map((step) => STEP_WORDS[step]))}`);
	const move = mover === "nobody" ? "" : `, ${lang === "zh" ? "待" : "next:"} ${both(MOVER_TEXTS[mover], lang)}`;
	const { reference } = record;
	const of = reference === "" ? "" : `, ${lang === "zh" ? "受理号" : "reference"} ${reference}`;
	lines.push(`     ${label("state", "状态")} ${both(CASE_STATE_TEXTS[state], lang)}${move}${of}`);
	for (const [n, text] of historyOf(changes, lang, day).entries()) {
		lines.push(`     ${n === 0 ? label("history", "经过") : " ".repeat(14)} ${text}`);
	}
	lines.push(`     ${label("time", "用时")} ${timeOf(finding, lang)}`);
	const copies = slips.flatMap((slip) => (slip.told !== undefined && slip.stan === stan ? [slipText(slip, lang)] : []));
	if (copies.length > 0) lines.push(`     ${label("slips", "签购单")} ${copies.join(", ")}`);
	return lines;
}

function batchText({ batch }: CaseFile, lang: Lang): string {
	return both({ zh: `批次 ${batch}`, en: `batch ${batch}` }, lang);
}

function slipText({ copy, told, amountMinor }: MoneySlip, lang: Lang): string {
	const merchant = { zh: "商户存根", en: "merchant's copy" };
	const whose = copy === "merchant" ? merchant : { zh: "持卡人存根", en: "customer's copy" };
	const says = told === "paid" ? { zh: "已扣款", en: "charged" } : { zh: "未扣款", en: "not charged" };
	return `${say(whose, lang)} ${yuan(amountMinor)} ${say(says, lang)}`;
}

/** A line for each time at which something happened. */
function historyOf(changes: readonly CaseChange[], lang: Lang, day: number): string[] {
	const lines: { time: string; words: string[] }[] = [];
	for (const { timeMs, event, step } of changes) {
		const time = clockText(timeMs, day);
		const words = step === undefined ? EVENT_TEXTS[event] : STEP_WORDS[step];
		const last = lines[lines.length - 1];
		if (last?.time === time) last.words.push(say(words, lang));
		else lines.push({ time, words: [say(words, lang)] });
	}
	return lines.map(({ time, words }) => `${time} ${words.join(" → ")}`);
}

function timeOf({ secondsToResolve, secondsToFind, deliberateSeconds, waits }: Finding, lang: Lang): string {
	const zh = lang === "zh";
	const parts = [
		secondsToResolve === undefined
			? zh
				? `可发现后 ${secondsToFind} 秒发现，未结`
				: `found ${secondsToFind} s after it could be, open`
			: zh
				? `可发现后 ${secondsToResolve} 秒解决（其中等待下次核对 ${secondsToFind} 秒）`
				: `resolved ${secondsToResolve} s after it could be found, ${secondsToFind} s of them until the next comparison`,
		...(deliberateSeconds > 0
			? [zh ? `此前按规定等待 ${deliberateSeconds} 秒` : `${deliberateSeconds} s of deliberate waiting before`]
			: []),
	];
	const others: readonly (readonly [keyof typeof waits, Words])[] = [
		["desk", { zh: "差错处理", en: "the desk" }],
		["bank", { zh: "银行或商户", en: "the bank, or the merchant" }],
		["operator", { zh: "收银员", en: "the operator" }],
		["network", { zh: "滞留报文", en: "frames in the network" }],
	];
	for (const [name, words] of others) {
		if (waits[name] > 0)
			parts.push(zh ? `等待${words.zh} ${waits[name]} 秒` : `${waits[name]} s waited for ${words.en}`);
	}
	return parts.join(zh ? "；" : "; ");
}

function ledgerLines({ money, scenario, sync, findings }: ScenarioResult, lang: Lang): string[] {
	const row = (en: string, zh: string, value: string) =>
		`  ${padRight(both({ zh, en }, lang), LABEL_COLUMNS)} ${value}`;
	const lines = [
		row("cards debited, net", "持卡人净扣款", yuan(money.cardNetMinor)),
		row("merchant credited, net", "商户净入账", yuan(money.merchantNetMinor)),
		row("told paid", "告知已付", `${money.paid}`),
		row("told not charged", "告知未扣款", `${money.notCharged}`),
		row("one-sided entries", "单边账", `${money.oneSided}`),
	];
	if (money.losses > 0) lines.push(row("losses", "损失", `${money.losses}, ${yuan(money.lossMinor)}`));
	const { outOfPlace = [] } = sync ? scenario.expected : scenario.expectedWithoutSync;
	const wrong = money.rows.filter((one) => one.wrong !== undefined);
	for (const [n, one] of wrong.entries()) {
		const hint = findings.some(({ stan, state }) => stan === one.stan && state !== "resolved")
			? HINTS.case
			: HINTS[outOfPlace[Math.min(n, outOfPlace.length - 1)]?.shownBy ?? "case"];
		lines.push(pc.yellow(`    #${`${one.stan}`.padStart(6, "0")} ${one.wrong}: ${say(hint, lang)}`));
	}
	return lines;
}

function verdictLine({ holds, money, sync }: ScenarioResult, lang: Lang): string {
	if (!holds) {
		return pc.red(
			`  ${both({ zh: "不成立：结果与预期不符。", en: "DOES NOT HOLD: it is not as the scenario expects it." }, lang)}`,
		);
	}
	if (money.oneSided === 0) {
		const words = {
			zh: "成立：差异均已发现、说明、解决，账实相符。",
			en: "HOLDS: all was found, explained and resolved, and every sale's money is where people were told it is.",
		};
		return pc.green(`  ${both(words, lang)}`);
	}
	const words = sync
		? {
				zh: "成立：未到位的款项均有未结差错。",
				en: "HOLDS: what is out of place has an open case and somebody's next step.",
			}
		: { zh: "成立：未到位的款项均有下一步。", en: "HOLDS: what this host cannot tell has a person's next step." };
	return pc.yellow(`  ${both(words, lang)}`);
}
