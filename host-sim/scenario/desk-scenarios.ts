/**
 * What becomes of a request at the host's desk: late, with evidence, refused, done and not heard of.
 * @module
 */
import type { Scenario } from "./scenario";
import { AFTER, BEFORE, MINUTE_MS, POSTED_AFTER_MS, statement } from "./scenario-parts";

export const DESK_SCENARIOS: readonly Scenario[] = [
	{
		name: "after-the-close",
		row: "overdue",
		what: {
			zh: "批结算后仍未入账：继续盯，逾期请款",
			en: "the batch is closed, a posting never comes: watched, found overdue, claimed",
		},
		acts: [
			BEFORE,
			{ at: "10:02", do: "sale", as: "unposted", amountMinor: 68_800, fault: "postingLost" },
			AFTER,
			{ at: "10:06", do: "settle" },
		],
		end: "12:00",
		office: { postingDelayMs: POSTED_AFTER_MS },
		expected: {
			cases: [{ of: "unposted", rows: ["overdue"], cause: "bankDelay", remedies: ["claim"], state: "resolved" }],
			settled: ["balanced"],
		},
		expectedWithoutSync: statement("unposted"),
	},
	{
		name: "host-late",
		row: "overdue",
		what: { zh: "差错处理四小时后才办", en: "the claim is received, and carried out four hours later" },
		acts: [
			BEFORE,
			{ at: "10:02", do: "sale", as: "unposted", amountMinor: 68_800, fault: "postingLost" },
			{ at: "16:00", do: "settle" },
		],
		end: "16:30",
		office: { postingDelayMs: POSTED_AFTER_MS, desk: { policy: "late", lateMs: 4 * 60 * MINUTE_MS } },
		expected: {
			cases: [{ of: "unposted", rows: ["overdue"], cause: "bankDelay", remedies: ["claim"], state: "resolved" }],
			settled: ["balanced"],
		},
		expectedWithoutSync: statement("unposted"),
	},
	{
		name: "evidence-wanted",
		row: "overdue",
		what: { zh: "差错处理要求证据：终端附证据再请款", en: "the desk wants evidence: the claim goes again with it" },
		acts: [
			BEFORE,
			{ at: "10:02", do: "sale", as: "unposted", amountMinor: 68_800, fault: "postingLost" },
			{ at: "16:00", do: "settle" },
		],
		end: "16:30",
		office: { postingDelayMs: POSTED_AFTER_MS, desk: { policy: "evidence" } },
		expected: {
			cases: [{ of: "unposted", rows: ["overdue"], cause: "bankDelay", remedies: ["claim"], state: "resolved" }],
			settled: ["balanced"],
		},
		expectedWithoutSync: statement("unposted"),
	},
	{
		name: "host-refuses",
		row: "overdue",
		what: {
			zh: "差错处理拒绝：次日再查，转人工，差错一直挂着",
			en: "the desk refuses: asked about the day after, then with support; the case stays open",
		},
		acts: [
			BEFORE,
			{ at: "10:02", do: "sale", as: "unposted", amountMinor: 68_800, fault: "postingLost" },
			{ at: "16:00", do: "settle" },
		],
		end: "+2 12:00",
		office: { postingDelayMs: POSTED_AFTER_MS, desk: { policy: "refuse" } },
		expected: {
			cases: [
				{
					of: "unposted",
					rows: ["overdue"],
					cause: "bankDelay",
					remedies: ["claim", "wait", "support"],
					state: "support",
				},
			],
			settled: ["balanced"],
			outOfPlace: [{ of: "unposted", shownBy: "case" }],
		},
		expectedWithoutSync: statement("unposted"),
	},
	{
		name: "answer-lost",
		row: "overdue",
		what: {
			zh: "请款已办而应答丢失，终端又断电，银行也补入账：只入账一次",
			en: "the claim is done, its answer is lost, power fails, and the bank posts as well: credited once",
		},
		acts: [
			BEFORE,
			{ at: "10:02", do: "sale", as: "unposted", amountMinor: 68_800, fault: "postingLost" },
			{ at: "10:10", do: "fault", fault: "requestAnswerLost" },
			{ at: "10:10", do: "fault", fault: "deskPostsTwice" },
			{ at: "10:45:10", do: "powerCut" },
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
];
