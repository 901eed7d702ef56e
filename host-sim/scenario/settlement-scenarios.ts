/**
 * The day's end that does not balance, what does not get through, and a line that was gone.
 * @module
 */
import type { Scenario } from "./scenario";
import { AFTER, BATCH_CASE, BEFORE, unbalanced } from "./scenario-parts";

export const SETTLEMENT_SCENARIOS: readonly Scenario[] = [
	{
		name: "unbalanced",
		row: "unbalanced",
		what: {
			zh: "日终不平：差异找到单笔，补送后结平",
			en: "the day's end is 不平: taken apart to the single sale, sent again, released",
		},
		acts: [
			BEFORE,
			{ at: "10:02", do: "sale", as: "lost", amountMinor: 68_800, fault: "recordLost" },
			AFTER,
			{ at: "10:06", do: "settle" },
		],
		end: "11:00",
		expected: {
			cases: [{ of: "lost", rows: ["notFound"], cause: "systemFault", remedies: ["resend"], state: "resolved" }],
			settled: ["unbalanced"],
		},
		expectedWithoutSync: unbalanced("lost"),
	},
	{
		name: "totals-wrong",
		totals: "unbalanced",
		what: {
			zh: "主机总计出错：逐笔核对一致，照常放行",
			en: "the host's totals are wrong: compared sale by sale, nothing differs, released",
		},
		acts: [BEFORE, AFTER, { at: "10:05", do: "fault", fault: "totalsWrong" }, { at: "10:06", do: "settle" }],
		end: "11:00",
		expected: { cases: [], settled: ["unbalanced"] },
		expectedWithoutSync: { cases: [BATCH_CASE], settled: ["unbalanced"] },
	},
	{
		name: "totals-error",
		totals: "error",
		what: {
			zh: "主机对账应答为错：逐笔核对一致，照常放行",
			en: "the host says error of a batch that is in order: compared, nothing differs, released",
		},
		acts: [BEFORE, AFTER, { at: "10:05", do: "fault", fault: "totalsWrong" }, { at: "10:06", do: "settle" }],
		end: "11:00",
		expected: { cases: [], settled: ["error"] },
		expectedWithoutSync: { cases: [BATCH_CASE], settled: ["error"] },
	},
	{
		name: "reversal-refused",
		row: "reversalStuck",
		what: {
			zh: "主机拒绝冲正：转人工，终端每日再冲，成功后自行结案",
			en: "the host refuses a reversal: with support, tried again once a day, closed by itself when it gets through",
		},
		acts: [
			BEFORE,
			{ at: "10:01", do: "fault", fault: "reversalRefused" },
			{
				at: "10:02",
				do: "sale",
				as: "doubt",
				amountMinor: 68_800,
				fault: "answerLost",
				injected: "reversalRefused",
			},
			{ at: "+1 12:00", do: "settle" },
		],
		end: "+1 12:30",
		expected: {
			cases: [{ of: "doubt", rows: ["reversalStuck"], cause: "systemFault", remedies: ["support"], state: "resolved" }],
			settled: ["balanced"],
		},
		// All of it is the terminal's own knowledge.
		expectedWithoutSync: {
			cases: [{ of: "doubt", rows: ["reversalStuck"], cause: "systemFault", remedies: ["support"], state: "resolved" }],
			settled: ["balanced"],
		},
	},
	{
		name: "advice-stuck",
		row: "adviceStuck",
		what: {
			zh: "脱机交易多次未送达：转人工，终端继续上送，送达后自行结案",
			en: "an offline sale does not get through: with support, sent on and on, closed by itself when it does",
		},
		acts: [
			BEFORE,
			// More often than the alarm says.
			{ at: "10:01", do: "fault", fault: "requestLost", times: 18 },
			{ at: "10:02", do: "offlineSale", as: "stuck", amountMinor: 5_200, card: "chip", injected: "requestLost" },
			{ at: "15:00", do: "settle" },
		],
		end: "15:30",
		expected: {
			cases: [{ of: "stuck", rows: ["adviceStuck"], cause: "network", remedies: ["support"], state: "resolved" }],
			settled: ["balanced"],
		},
		expectedWithoutSync: {
			cases: [{ of: "stuck", rows: ["adviceStuck"], cause: "network", remedies: ["support"], state: "resolved" }],
			settled: ["balanced"],
		},
	},
	{
		name: "line-returns",
		what: {
			zh: "线路中断半小时：恢复后立即冲正并补送",
			en: "the line is gone for half an hour: when it returns the doubt is reversed, the lost record sent again",
		},
		acts: [
			BEFORE,
			{ at: "10:02", do: "sale", as: "lost", amountMinor: 68_800, fault: "recordLost" },
			{ at: "10:04", do: "fault", fault: "answerLost" },
			{ at: "10:04", do: "sale", as: "doubt", amountMinor: 9_900 },
			{ at: "10:05:20", do: "link", up: false },
			{ at: "10:40", do: "link", up: true },
			{ at: "12:00", do: "settle" },
		],
		end: "12:30",
		expected: {
			cases: [{ of: "lost", rows: ["notFound"], cause: "systemFault", remedies: ["resend"], state: "resolved" }],
			settled: ["balanced"],
		},
		expectedWithoutSync: unbalanced("lost"),
	},
];
