/**
 * One scenario for each row of the remedies table at the least that this firmware can come to, and beside it what a host
 * without sync messages leaves of it. A far side that fails (407) is not among them: this firmware sells no repayment and no
 * top-up yet.
 * @module
 */
import type { Scenario } from "./scenario";
import { AFTER, BEFORE, MINUTE_MS, NOTHING, POSTED_AFTER_MS, statement, unbalanced } from "./scenario-parts";

export const REMEDY_SCENARIOS: readonly Scenario[] = [
	{
		name: "not-found",
		row: "notFound",
		what: {
			zh: "收单主机丢失记录：终端重发",
			en: "the host loses its record of a sale: sent again",
		},
		acts: [
			BEFORE,
			{ at: "10:02", do: "sale", as: "lost", amountMinor: 68_800, fault: "recordLost" },
			AFTER,
			{ at: "12:00", do: "settle" },
		],
		end: "12:30",
		expected: {
			cases: [{ of: "lost", rows: ["notFound"], cause: "systemFault", remedies: ["resend"], state: "resolved" }],
			settled: ["balanced"],
		},
		expectedWithoutSync: unbalanced("lost"),
	},
	{
		name: "pending",
		row: "pending",
		what: {
			zh: "重发已记账，入账未到期：等待后再查；日终未入账的逐笔盯到入账",
			en: "sent again, recorded, its posting not due: waits and asks again; what is unposted at the day's end is watched",
		},
		acts: [
			BEFORE,
			{ at: "10:02", do: "sale", as: "lost", amountMinor: 68_800, fault: "recordLost" },
			{ at: "10:25", do: "sale", as: "late", amountMinor: 4_100 },
			{ at: "10:26", do: "settle" },
		],
		end: "13:00",
		office: { postingDelayMs: 25 * MINUTE_MS },
		expected: {
			cases: [
				{
					of: "lost",
					rows: ["notFound", "pending"],
					cause: "systemFault",
					remedies: ["resend", "wait"],
					state: "resolved",
				},
			],
			settled: ["balanced"],
		},
		expectedWithoutSync: unbalanced("lost"),
	},
	{
		name: "overdue",
		row: "overdue",
		what: { zh: "银行漏入账：终端请款，主机同意", en: "the bank forgets a posting: claimed, and granted" },
		acts: [
			BEFORE,
			{ at: "10:02", do: "sale", as: "unposted", amountMinor: 1_288_000, card: "chip-pin", fault: "postingLost" },
			AFTER,
			{ at: "12:00", do: "settle" },
		],
		end: "12:30",
		office: { postingDelayMs: POSTED_AFTER_MS },
		expected: {
			cases: [{ of: "unposted", rows: ["overdue"], cause: "bankDelay", remedies: ["claim"], state: "resolved" }],
			settled: ["balanced"],
		},
		expectedWithoutSync: statement("unposted"),
	},
	{
		name: "merchant-account",
		row: "merchantAccount",
		what: {
			zh: "商户账户异常，银行拒绝入账：告知商户，恢复后补入账",
			en: "the bank takes nothing for the merchant's account: told what to mend, posted once it is",
		},
		acts: [
			BEFORE,
			{ at: "10:02", do: "sale", as: "refused", amountMinor: 68_800, fault: "postingRefused" },
			{ at: "12:10", do: "mendAccount" },
			{ at: "15:00", do: "settle" },
		],
		end: "15:30",
		office: { postingDelayMs: POSTED_AFTER_MS },
		expected: {
			cases: [
				{ of: "refused", rows: ["merchantAccount"], cause: "merchantAccount", remedies: ["tell"], state: "resolved" },
			],
			settled: ["balanced"],
		},
		// The bank posts it by itself once the account is mended.
		expectedWithoutSync: NOTHING,
	},
	{
		name: "reversed-at-host",
		row: "reversedAtHost",
		what: { zh: "主机擅自冲正：终端重发，恢复交易", en: "the host reverses a sale nobody had asked about: sent again" },
		acts: [
			BEFORE,
			{ at: "10:02", do: "sale", as: "reversed", amountMinor: 68_800, fault: "reversedWrongly" },
			AFTER,
			{ at: "12:00", do: "settle" },
		],
		end: "12:30",
		expected: {
			cases: [
				{ of: "reversed", rows: ["reversedAtHost"], cause: "hostMismatch", remedies: ["resend"], state: "resolved" },
			],
			settled: ["balanced"],
		},
		expectedWithoutSync: unbalanced("reversed"),
	},
	{
		name: "amount-more",
		row: "otherAmount",
		altered: "more",
		what: { zh: "主机多扣：申请退回差额", en: "the host has debited more: the difference is asked back" },
		acts: [
			BEFORE,
			{ at: "10:02", do: "sale", as: "altered", amountMinor: 68_800, fault: "amountAltered" },
			AFTER,
			{ at: "12:00", do: "settle" },
		],
		end: "12:30",
		expected: {
			cases: [{ of: "altered", rows: ["otherAmount"], cause: "hostMismatch", remedies: ["credit"], state: "resolved" }],
			settled: ["balanced"],
		},
		expectedWithoutSync: unbalanced("altered"),
	},
	{
		name: "amount-less",
		row: "otherAmount",
		altered: "less",
		what: { zh: "主机少入账：请款差额", en: "the merchant was credited less: the rest is claimed" },
		acts: [
			BEFORE,
			{ at: "10:02", do: "sale", as: "altered", amountMinor: 68_800, fault: "amountAltered" },
			AFTER,
			{ at: "12:00", do: "settle" },
		],
		end: "12:30",
		expected: {
			cases: [{ of: "altered", rows: ["otherAmount"], cause: "hostMismatch", remedies: ["claim"], state: "resolved" }],
			settled: ["balanced"],
		},
		expectedWithoutSync: unbalanced("altered"),
	},
	{
		name: "debited",
		row: "debited",
		what: {
			zh: "请求滞留网络，冲正之后才扣款：再次冲正",
			en: "a request lies in the network and debits the card after its reversal: reversed again",
		},
		acts: [
			BEFORE,
			{ at: "10:02", do: "sale", as: "late", amountMinor: 68_800, fault: "requestLate" },
			// Its answer finds nobody: the connection that it belongs to is gone by then.
			{ at: "10:03:05", do: "link", up: false },
			{ at: "10:06", do: "link", up: true },
			{ at: "12:00", do: "settle" },
		],
		end: "12:30",
		// A host without a memory, and a network that holds a frame for longer than the terminal has been told.
		config: { lateOriginalMs: 1_000 },
		forgetful: true,
		expected: {
			cases: [{ of: "late", rows: ["debited"], cause: "network", remedies: ["reverse"], state: "resolved" }],
			settled: ["balanced"],
		},
		expectedWithoutSync: unbalanced("late"),
	},
	{
		name: "debited-declined",
		row: "debited",
		what: {
			zh: "卡已扣款、主机已记账，终端却收到拒绝 51：终端自行冲正",
			en: "debited and booked, and the terminal is told 51, declined: it reverses that by itself",
		},
		acts: [
			BEFORE,
			{ at: "10:02", do: "sale", as: "declined", amountMinor: 68_800, fault: "declinedBooked" },
			{ at: "12:00", do: "settle" },
		],
		end: "12:30",
		expected: {
			cases: [{ of: "declined", rows: ["debited"], cause: "systemFault", remedies: ["reverse"], state: "resolved" }],
			settled: ["balanced"],
		},
		expectedWithoutSync: unbalanced("declined"),
	},
	{
		name: "debited-after-close",
		row: "debited",
		what: {
			zh: "冲正被主机忘记，批次已结：主机对已结批次答 25，申请退款",
			en: "a reversal is forgotten, and the batch closed: a host that answers 25 there, so a refund is asked for",
		},
		acts: [
			BEFORE,
			{ at: "10:01", do: "fault", fault: "recordLost" },
			{ at: "10:01", do: "fault", fault: "reversalForgotten" },
			{
				at: "10:02",
				do: "sale",
				as: "forgotten",
				amountMinor: 68_800,
				fault: "answerLost",
				injected: "reversalForgotten",
			},
			{ at: "10:04", do: "settle" },
		],
		end: "12:30",
		office: { closedBatchReversal25: true },
		expected: {
			cases: [
				{
					of: "forgotten",
					rows: ["debited"],
					cause: "systemFault",
					remedies: ["reverse", "credit"],
					state: "resolved",
				},
			],
			settled: ["balanced"],
		},
		expectedWithoutSync: statement("forgotten"),
	},
	{
		name: "unknown-here",
		row: "unknownHere",
		what: {
			zh: "闪存损坏，终端丢失存疑交易：主机有扣款而终端无记录，收银员答复后退款",
			en: "flash dies with a doubt on it: debited at the host and unknown here, given back on the operator's word",
		},
		acts: [
			BEFORE,
			{ at: "10:01", do: "powerCut" },
			{ at: "10:02", do: "fault", fault: "answerLost" },
			// The line goes before the reversal can.
			{ at: "10:02", do: "sale", as: "lost", amountMinor: 68_800, injected: "flashLost", lineGoneAfterS: 20 },
			{ at: "10:04", do: "loseFlash", of: "lost" },
			{ at: "10:05", do: "link", up: true },
			{ at: "10:40", do: "answer", yes: true },
			{ at: "12:00", do: "settle" },
		],
		end: "12:30",
		expected: {
			cases: [
				{
					of: "lost",
					rows: ["unknownHere"],
					cause: "terminalDevice",
					remedies: ["askOperator", "credit"],
					state: "resolved",
				},
			],
			settled: ["balanced"],
		},
		expectedWithoutSync: unbalanced("lost"),
	},
	{
		name: "doubled",
		row: "doubled",
		what: {
			zh: "同一顾客被刷两次：收银员确认，退回一笔",
			en: "one customer charged twice by mistake: one is given back",
		},
		acts: [
			BEFORE,
			{ at: "10:02", do: "sale", as: "first", amountMinor: 68_800 },
			{ at: "10:03", do: "sale", as: "second", amountMinor: 68_800, injected: "soldTwice" },
			{ at: "10:20", do: "answer", yes: true },
			{ at: "12:00", do: "settle" },
		],
		end: "12:30",
		expected: {
			cases: [
				{
					of: "second",
					rows: ["doubled"],
					cause: "operatorError",
					remedies: ["askOperator", "credit"],
					state: "resolved",
				},
			],
			settled: ["balanced"],
		},
		expectedWithoutSync: NOTHING,
	},
	{
		name: "doubled-stands",
		row: "doubled",
		what: { zh: "同卡同额两笔都有效：收银员答复否", en: "two equal sales that both stand: the operator says so" },
		acts: [
			BEFORE,
			{ at: "10:02", do: "sale", as: "first", amountMinor: 68_800 },
			{ at: "10:03", do: "sale", as: "second", amountMinor: 68_800, injected: "soldTwice" },
			{ at: "10:20", do: "answer", yes: false },
			{ at: "12:00", do: "settle" },
		],
		end: "12:30",
		expected: {
			cases: [
				{ of: "second", rows: ["doubled"], cause: "operatorError", remedies: ["askOperator"], state: "resolved" },
			],
			settled: ["balanced"],
		},
		expectedWithoutSync: NOTHING,
	},
	{
		name: "offline-declined",
		row: "offlineDeclined",
		what: {
			zh: "脱机交易送主机被拒：挂失卡记为损失，余额不足的每日再试",
			en: "offline sales are declined: a lost card is a loss, a poor one is tried once a day",
		},
		acts: [
			BEFORE,
			{ at: "10:02", do: "offlineSale", as: "lost", amountMinor: 5_200, card: "lost", injected: "issuerDeclines" },
			{ at: "10:03", do: "offlineSale", as: "poor", amountMinor: 4_300, card: "poor", injected: "issuerDeclines" },
		],
		end: "+2 12:00",
		expected: {
			cases: [
				{ of: "lost", rows: ["offlineDeclined"], cause: "issuer", remedies: ["loss"], state: "loss" },
				{
					of: "poor",
					rows: ["offlineDeclined"],
					cause: "issuer",
					remedies: ["wait", "resend", "wait", "resend", "wait"],
					state: "waiting",
				},
			],
			settled: [],
		},
		expectedWithoutSync: { cases: [], settled: [] },
	},
	{
		name: "refund-differs",
		row: "refundDiffers",
		what: { zh: "退货超过原金额被拒：转人工", en: "more is refunded than was paid, and refused: with support" },
		acts: [
			BEFORE,
			{ at: "10:02", do: "sale", as: "sale", amountMinor: 68_800 },
			{ at: "10:10", do: "refund", as: "part", of: "sale", amountMinor: 10_000 },
			{ at: "10:20", do: "refund", as: "all", of: "sale", amountMinor: 68_800, injected: "refundTooMuch" },
			{ at: "12:00", do: "settle" },
		],
		end: "12:30",
		expected: {
			cases: [{ of: "all", rows: ["refundDiffers"], cause: "notKnown", remedies: ["support"], state: "support" }],
			settled: ["balanced"],
		},
		expectedWithoutSync: NOTHING,
	},
];
