/**
 * The rules of the monitor, as data: what each reads, from where on it is an alarm, and when that is over. DESIGN.md,
 * "Monitoring", says why. Nothing else decides what is raised.
 *
 * An alarm is raised when its number has been at its limit for `held`; it is over when the number has been at or below a
 * part of the limit, `endPercent`, for `alarmQuietMs`: between the two it stays as it is, and does not flutter.
 * @module
 */
import type { Config } from "../config";
import type { AlarmName } from "../ports";
import type { MonitorSigns } from "./monitor-signs";

/** urgent: money or trade is at stake now. warning: it will be, or costs only time so far. */
export type Severity = "warning" | "urgent";

type NumberName = { [K in keyof Config]: Config[K] extends number ? K : never }[keyof Config];

export interface Rule {
	readonly name: AlarmName;
	readonly severity: Severity;
	/** The number, greater is worse. @param link - for a rule of each link, its place; else 0 */
	reads(signs: MonitorSigns, link: number): number;
	/** Of the number; a setting, or a figure that needs none. */
	readonly limit: NumberName | number;
	/** Per cent of the limit. */
	readonly endPercent: number;
	/** How long the number has to be at its limit; absent: not at all. */
	readonly held?: NumberName;
	/** Once for each link. */
	readonly ofLink?: true;
}

/** The most severe first: of several alarms the screen names the first one. */
export const RULES: readonly Rule[] = [
	{
		name: "doubtsNear",
		severity: "urgent",
		reads: (signs) => signs.doubtsPercent,
		limit: "doubtsNearPercent",
		endPercent: 50,
	},
	{
		name: "macFailures",
		severity: "urgent",
		reads: (signs) => signs.macFailures,
		limit: "macFailuresMax",
		endPercent: 0,
	},
	{ name: "declines", severity: "urgent", reads: (signs) => signs.declines.percent, limit: 100, endPercent: 50 },
	{
		name: "postingLate",
		severity: "urgent",
		reads: (signs) => signs.postingsLate,
		limit: "postingsLateMax",
		endPercent: 0,
	},
	{ name: "accountRefused", severity: "urgent", reads: (signs) => signs.accountRefused, limit: 1, endPercent: 0 },
	{ name: "queueOld", severity: "urgent", reads: (signs) => signs.oldestMs, limit: "queueAgeMsMax", endPercent: 50 },
	{ name: "casesOverdue", severity: "urgent", reads: (signs) => signs.casesOverdue, limit: 1, endPercent: 0 },
	{ name: "casesFull", severity: "urgent", reads: (signs) => signs.casesFull, limit: 1, endPercent: 0 },
	{
		name: "journalNear",
		severity: "urgent",
		reads: (signs) => signs.journalPercent,
		limit: "journalNearPercent",
		endPercent: 90,
	},
	{ name: "flashCopyLost", severity: "urgent", reads: (signs) => signs.copyLost, limit: 1, endPercent: 0 },
	{
		name: "flashWorn",
		severity: "urgent",
		reads: (signs) => signs.erasesEach,
		limit: "flashErasesMax",
		endPercent: 99,
	},
	{
		name: "queueGrows",
		severity: "warning",
		reads: (signs) => signs.waiting,
		limit: "queueMax",
		endPercent: 50,
		held: "queueHeldMs",
	},
	{ name: "doubled", severity: "warning", reads: (signs) => signs.doubled, limit: 1, endPercent: 0 },
	{
		name: "settleWaits",
		severity: "warning",
		reads: (signs) => signs.settlingMs,
		limit: "settleWaitMsMax",
		endPercent: 0,
	},
	{
		name: "batchNear",
		severity: "warning",
		reads: (signs) => signs.batchPercent,
		limit: "batchNearPercent",
		endPercent: 90,
	},
	{ name: "clockOff", severity: "warning", reads: (signs) => signs.clockOffMs, limit: "clockOffMsMax", endPercent: 50 },
	{
		name: "flashRetired",
		severity: "warning",
		reads: (signs) => signs.retiredBlocks,
		limit: "flashRetiredMax",
		endPercent: 0,
	},
	{ name: "flashMended", severity: "warning", reads: (signs) => signs.mended, limit: "flashMendedMax", endPercent: 0 },
	{
		name: "linkDown",
		severity: "warning",
		reads: (signs, link) => signs.linkDownMs(link),
		limit: "linkDownMsMax",
		endPercent: 0,
		ofLink: true,
	},
	{
		name: "linkWorse",
		severity: "warning",
		reads: (signs, link) => signs.linkWorsePermille(link),
		limit: "linkWorsePermille",
		endPercent: 50,
		ofLink: true,
	},
];

/** From which number on. */
export function limitOf(rule: Rule, config: Config): number {
	return typeof rule.limit === "number" ? rule.limit : config[rule.limit];
}

/** At or below which number it is over: always below the limit. */
export function endOf(rule: Rule, config: Config): number {
	const limit = limitOf(rule, config);
	return Math.min(limit - 1, Math.floor((limit * rule.endPercent) / 100));
}
