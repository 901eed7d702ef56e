/**
 * The words of every alarm: what it is, in one line, and what to do about it, in plain words. Chinese first, English as
 * well. What is to be done never includes switching the terminal off while something waits to be sent.
 * @module
 */
import type { AlarmName } from "../ports";

/** Title, at most 20 columns; what to do, which is broken into lines. */
type AlarmText = Readonly<Record<"zh" | "en", readonly [title: string, advice: string]>>;

export const ALARM_TEXTS: Readonly<Record<AlarmName, AlarmText>> = {
	linkDown: {
		zh: ["线路不通", "请检查网线、信号或SIM卡"],
		en: ["Link is down", "Check cable, signal or SIM card"],
	},
	linkWorse: {
		zh: ["线路变差", "交易可能变慢，请检查信号"],
		en: ["Link got worse", "Sales may be slow: check the signal"],
	},
	macFailures: {
		zh: ["报文校验多次失败", "密钥不符或报文被改，请联系技术支持"],
		en: ["Answers not genuine", "Keys differ, or somebody alters messages: call support"],
	},
	declines: {
		zh: ["连续被拒 原因相同", "可能不是卡的问题，请联系收单机构"],
		en: ["Declined in a row", "Perhaps not the cards: call the acquirer"],
	},
	queueGrows: {
		zh: ["待发送过多", "线路恢复后自动发送，请检查线路"],
		en: ["Many wait to be sent", "They go by themselves: check the link"],
	},
	queueOld: {
		zh: ["有一笔久未送达", "请勿关机，请检查线路或联系收单机构"],
		en: ["One waits too long", "Leave it on; check the link or call the acquirer"],
	},
	doubtsNear: {
		zh: ["待冲正接近上限", "到上限后需主管授权，请检查线路"],
		en: ["Reversals near limit", "At the limit a manager must approve: check the link"],
	},
	postingLate: {
		zh: ["有交易逾期未入账", "终端正在请款，请查看差错列表"],
		en: ["Not credited in time", "The terminal claims it: see the open cases"],
	},
	accountRefused: {
		zh: ["商户账户无法入账", "请联系开户行"],
		en: ["Account refuses", "Call your bank"],
	},
	doubled: {
		zh: ["同卡同额两笔交易", "请核对是否误刷，并回答差错提问"],
		en: ["Same sale twice?", "Check it, and answer the case that asks"],
	},
	casesOverdue: {
		zh: ["主机逾期未答复", "请凭差错号联系收单机构"],
		en: ["Answer is overdue", "Call the acquirer with the case number"],
	},
	casesFull: {
		zh: ["差错记录已满", "请先处理差错，或联系技术支持"],
		en: ["Too many open cases", "Deal with open cases, or call support"],
	},
	batchNear: {
		zh: ["批次将满", "请尽快批结算"],
		en: ["Batch nearly full", "Settle the batch soon"],
	},
	journalNear: {
		zh: ["存储空间将满", "请尽快批结算"],
		en: ["Memory nearly full", "Settle the batch soon"],
	},
	settleWaits: {
		zh: ["批结算久未完成", "可继续交易，请检查线路或联系收单机构"],
		en: ["Settlement is late", "Sales go on; check the link or call the acquirer"],
	},
	clockOff: {
		zh: ["终端时钟不准", "请校准终端时间"],
		en: ["Clock is wrong", "Have the terminal's time set"],
	},
	flashCopyLost: {
		zh: ["一份存储已失效", "可继续交易，请尽快更换终端"],
		en: ["One memory failed", "Sales go on; have the terminal replaced soon"],
	},
	flashMended: {
		zh: ["存储多次修复", "可继续交易，请联系技术支持检查"],
		en: ["Memory was mended", "Sales go on; have support look at it"],
	},
	flashRetired: {
		zh: ["部分存储已损坏", "可继续交易，请联系技术支持"],
		en: ["Memory partly broken", "Sales go on; call support"],
	},
	flashWorn: {
		zh: ["存储寿命将尽", "请安排更换终端"],
		en: ["Memory is worn", "Plan to have the terminal replaced"],
	},
};
