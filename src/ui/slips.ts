/**
 * Slips as lines of text: the sales slip (签购单), and the slip that tells a customer that nothing is charged.
 * Card numbers appear masked only (I9); a value that the sale does not have leaves its line out.
 * @module
 */
import { LOCAL_OFFSET_MS } from "../config";
import { assert } from "../core/assert";
import type { Slip } from "../ports";
import { center, columnsOf, padLeft, wrap } from "./columns";
import { amountText, cardText, type Language, stanText } from "./texts";

/** Columns of 58 mm paper with the usual font of 12 dots. */
export const SLIP_COLUMNS = 32;
/** Below this a label and its value have no room. */
export const SLIP_COLUMNS_MIN = 20;

type Word =
	| "sale"
	| "notCharged"
	| "merchantCopy"
	| "customerCopy"
	| "reprint"
	| "merchantId"
	| "terminalId"
	| "card"
	| "batch"
	| "stan"
	| "rrn"
	| "authorization"
	| "time"
	| "amount"
	| "isPaid"
	| "isNotCharged"
	| "quote"
	| "signature";

const WORDS: Readonly<Record<Word, Readonly<Record<Language, string>>>> = {
	sale: { zh: "签购单", en: "SALES SLIP" },
	notCharged: { zh: "未扣款通知单", en: "NOT CHARGED" },
	merchantCopy: { zh: "商户存根", en: "MERCHANT COPY" },
	customerCopy: { zh: "持卡人存根", en: "CARDHOLDER COPY" },
	reprint: { zh: "*** 重打印 ***", en: "*** REPRINT ***" },
	merchantId: { zh: "商户号", en: "Merchant" },
	terminalId: { zh: "终端号", en: "Terminal" },
	card: { zh: "卡号", en: "Card" },
	batch: { zh: "批次号", en: "Batch" },
	stan: { zh: "凭证号", en: "Trace" },
	rrn: { zh: "检索参考号", en: "Reference" },
	authorization: { zh: "授权码", en: "Authorization" },
	time: { zh: "日期时间", en: "Time" },
	amount: { zh: "金额", en: "Amount" },
	isPaid: { zh: "交易成功，已扣款。", en: "Approved: your card is charged." },
	isNotCharged: {
		zh: "本笔交易未成功，未扣款。如账户已扣款，款项将自动退回。",
		en: "This sale did not go through: you are not charged. If your account was debited, the money is being returned.",
	},
	quote: { zh: "查询时请提供凭证号", en: "If you ask about it, quote trace" },
	signature: { zh: "持卡人签名", en: "Cardholder signature" },
};

/**
 * @param width - columns of the paper, at least {@link SLIP_COLUMNS_MIN}
 * @returns lines of at most `width` columns
 */
export function slipLines(slip: Slip, language: Language, width = SLIP_COLUMNS): string[] {
	assert(width >= SLIP_COLUMNS_MIN, "a slip has at least 20 columns");
	const word = (name: Word) => WORDS[name][language];
	const rule = "-".repeat(width);
	const lines = [
		center(word(slip.name), width),
		center(word(slip.copy === "merchant" ? "merchantCopy" : "customerCopy"), width),
	];
	if (slip.reprint) lines.push(center(word("reprint"), width));
	lines.push(rule);
	const pair = (label: Word, value: string) => {
		if (value === "") return;
		const name = word(label);
		const room = width - columnsOf(name) - 1;
		if (columnsOf(value) <= room) lines.push(`${name} ${padLeft(value, room)}`);
		else lines.push(name, ...wrap(value, width).map((line) => padLeft(line, width)));
	};
	pair("merchantId", slip.merchantId);
	pair("terminalId", slip.terminalId);
	pair("card", cardText(slip.card));
	pair("batch", stanText(slip.batch));
	pair("stan", stanText(slip.stan));
	pair("authorization", slip.authorization);
	pair("rrn", slip.rrn);
	pair("time", timeText(slip.time));
	lines.push(rule);
	pair("amount", amountText(slip.amountMinor));
	lines.push(rule);
	if (slip.told === "paid") lines.push(...wrap(word("isPaid"), width));
	else {
		lines.push(...wrap(word("isNotCharged"), width));
		lines.push(...wrap(`${word("quote")} ${stanText(slip.stan)}`, width));
	}
	if (slip.name === "sale" && slip.copy === "merchant") lines.push(word("signature"), "", rule);
	return lines;
}

/** "2026/11/22 17:30:05" in UTC+8, where these terminals stand. */
export function timeText(timeMs: number): string {
	const local = new Date(timeMs + LOCAL_OFFSET_MS);
	const two = (value: number) => `${value}`.padStart(2, "0");
	const day = `${local.getUTCFullYear()}/${two(local.getUTCMonth() + 1)}/${two(local.getUTCDate())}`;
	return `${day} ${two(local.getUTCHours())}:${two(local.getUTCMinutes())}:${two(local.getUTCSeconds())}`;
}
