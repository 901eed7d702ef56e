/**
 * What the host says of itself, for people who follow a scenario: most of it is told by the terminal's screen, or in the
 * end; what is left are faults, the desk, refused postings, settlements. Unknown texts come through as they are.
 * @module
 */
import type { HostEvent } from "../acquirer/host-events";
import type { Injection } from "../acquirer/mishaps";
import { injectedWords } from "./case-words";
import type { Injected, Words } from "./scenario";
import { sale, type Who } from "./timeline";

const DESK = /^(request|decided|closed) (403|404|407) batch (\d+) stan (\d+) -> (.*)$/;
const POSTING = /^posting batch (\d+) stan (\d+) (refused|second posting refused)(?:: (.*))?$/;
const SETTLEMENT = /^settlement batch (\d+) -> result (\d)$/;
const UPLOAD = /^upload batch (\d+) ended: (\d+) of (\d+) rows$/;
const FAULT = /^(.*) fault (.+)$/;

const ASKED: Readonly<Record<string, Words>> = {
	403: { zh: "请款", en: "manual posting" },
	404: { zh: "贷记调整", en: "credit adjustment" },
	407: { zh: "对方重送", en: "far-side resend" },
};
const DESK_ENDS: Readonly<Record<string, Words>> = {
	done: { zh: "已办", en: "done" },
	grant: { zh: "同意", en: "granted" },
	evidence: { zh: "要证据", en: "evidence wanted" },
	refuse: { zh: "拒绝", en: "refused" },
};
const RESULTS: Readonly<Record<string, Words>> = {
	1: { zh: "平", en: "balanced" },
	2: { zh: "不平", en: "unbalanced" },
	3: { zh: "错", en: "error" },
};

/** @returns who says what; undefined for what needs no line */
export function hostWords({ kind, text, amountMinor = 0 }: HostEvent): { who: Who; words: Words } | undefined {
	switch (kind) {
		case "fault":
			return faultWords(text);
		case "desk":
			return deskWords(text, amountMinor);
		case "posting":
			return postingWords(text, amountMinor);
		case "settlement":
			return settlementWords(text);
		case "crash":
			return { who: "host", words: { zh: "主机崩溃，10 秒后恢复", en: "crashes; back in 10 s from its ledgers" } };
		default:
			return undefined;
	}
}

/** What has befallen a sale in the books. */
export function injectionWords({ fault, key, amountMinor }: Injection): Words {
	const { zh, en } = injectedWords(fault);
	const what = sale(key.stan, amountMinor);
	return { zh: `[故障] ${what}：${zh}`, en: `[fault] ${what}: ${en}` };
}

function faultWords(text: string): { who: Who; words: Words } | undefined {
	const [, what, names] = FAULT.exec(text) ?? [];
	if (names === undefined) return undefined;
	const list = names.split(" ").map((name) => injectedWords(name as Injected));
	const zh = list.map((words) => words.zh).join("、");
	return {
		who: "host",
		words: { zh: `[故障] ${what}：${zh}`, en: `[fault] ${what}: ${list.map((w) => w.en).join(", ")}` },
	};
}

function deskWords(text: string, amountMinor: number): { who: Who; words: Words } | undefined {
	const [, step, type, , stan, end] = DESK.exec(text) ?? [];
	if (end === undefined) return { who: "host", words: { zh: text, en: text } };
	// A request that is carried out at once says so in its last line.
	if (step === "request" && end === "done") return undefined;
	const asked = ASKED[type];
	const ended = DESK_ENDS[end] ?? { zh: end, en: end };
	const what = sale(Number(stan), amountMinor);
	return {
		who: "host",
		words: { zh: `差错处理 ${asked.zh} ${what}：${ended.zh}`, en: `desk: ${asked.en} of ${what}: ${ended.en}` },
	};
}

function postingWords(text: string, amountMinor: number): { who: Who; words: Words } | undefined {
	const [, , stan, end, why = ""] = POSTING.exec(text) ?? [];
	if (end === undefined) return undefined;
	const what = sale(Number(stan), amountMinor);
	if (end === "refused") {
		return {
			who: "bank",
			words: { zh: `拒绝入账 ${what}`, en: `refuses to post ${what}${why === "" ? "" : `: ${why}`}` },
		};
	}
	return {
		who: "bank",
		words: { zh: `重复入账 ${what} 被账簿拒绝`, en: `posts ${what} again: refused by the ledger` },
	};
}

function settlementWords(text: string): { who: Who; words: Words } | undefined {
	const [, batch, digit] = SETTLEMENT.exec(text) ?? [];
	if (digit !== undefined) {
		const result = RESULTS[digit] ?? RESULTS[3];
		return {
			who: "host",
			words: { zh: `批次 ${batch} 对账：${result.zh}`, en: `batch ${batch}, totals compared: ${result.en}` },
		};
	}
	const [, of, received, sent] = UPLOAD.exec(text) ?? [];
	if (sent === undefined) return undefined;
	return {
		who: "host",
		words: { zh: `批次 ${of} 批上送完成：${received} 笔`, en: `batch ${of} uploaded: ${received} of ${sent} rows` },
	};
}
