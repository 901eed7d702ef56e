/**
 * The words of every slip, Chinese and English.
 * @module
 */
import type { EntryMode, Slip, SlipKind } from "../ports";
import type { Language } from "./texts";

type Words<Name extends string> = Readonly<Record<Name, Readonly<Record<Language, string>>>>;

/** What stands at the head of a slip. */
export const SLIP_TITLES: Words<Slip["name"]> = {
	sale: { zh: "签购单", en: "SALES SLIP" },
	notCharged: { zh: "未扣款通知单", en: "NOT CHARGED" },
	returning: { zh: "退款处理通知单", en: "MONEY BEING RETURNED" },
	returned: { zh: "款项已退回通知单", en: "MONEY RETURNED" },
	case: { zh: "差错处理单", en: "CASE" },
	settlement: { zh: "结算单", en: "SETTLEMENT" },
};

export const KIND_TEXTS: Words<SlipKind> = {
	sale: { zh: "消费", en: "SALE" },
	offlineSale: { zh: "脱机消费", en: "OFFLINE SALE" },
	refund: { zh: "退货", en: "REFUND" },
};

/** The letter behind the card number: inserted, swiped, contactless. */
export const ENTRY_LETTERS: Readonly<Record<EntryMode, string>> = { chip: "I", magstripe: "S", contactless: "C" };

/** A label and its value, or a sentence. */
export const SLIP_WORDS = {
	merchantCopy: { zh: "商户存根", en: "MERCHANT COPY" },
	customerCopy: { zh: "持卡人存根", en: "CARDHOLDER COPY" },
	reprint: { zh: "*** 重打印 ***", en: "*** REPRINT ***" },
	merchantId: { zh: "商户号", en: "Merchant" },
	terminalId: { zh: "终端号", en: "Terminal" },
	operator: { zh: "操作员号", en: "Operator" },
	card: { zh: "卡号", en: "Card" },
	kind: { zh: "交易类型", en: "Type" },
	batch: { zh: "批次号", en: "Batch" },
	stan: { zh: "凭证号", en: "Trace" },
	rrn: { zh: "检索参考号", en: "Reference" },
	authorization: { zh: "授权码", en: "Authorization" },
	time: { zh: "日期时间", en: "Time" },
	printedAt: { zh: "打印时间", en: "Printed" },
	amount: { zh: "金额", en: "Amount" },
	difference: { zh: "退回差额", en: "Difference" },
	caseId: { zh: "差错编号", en: "Case" },
	hostReference: { zh: "受理编号", en: "Host's reference" },
	until: { zh: "预计", en: "Expected by" },
	isPaid: { zh: "交易成功，已扣款。", en: "Approved: your card is charged." },
	isRefund: { zh: "退货已受理，款项将退回原卡。", en: "Refund: the money goes back to this card." },
	isOffline: { zh: "脱机交易成功，将上送主机。", en: "Accepted offline; it is sent to the host later." },
	isNotCharged: {
		zh: "本笔交易未成功，未扣款。如账户已扣款，款项将自动退回。",
		en: "This sale did not go through: you are not charged. If your account was debited, the money is being returned.",
	},
	isReturning: {
		zh: "本笔交易未成功，未扣款。如账户已扣款，正在自动退回。",
		en: "This sale did not go through: you are not charged. If your account was debited, the money is on its way back.",
	},
	isReturned: {
		zh: "未扣款。如账户曾扣款，款项已退回原卡。",
		en: "You are not charged: whatever was debited has been returned to the card.",
	},
	isGivingBack: {
		zh: "退款已向收单机构申请。完成之前账户仍为已扣款。",
		en: "A refund has been asked for. Until it is made your card stays charged.",
	},
	isGivingDifference: {
		zh: "多扣的差额已申请退回。",
		en: "What was debited too much is being given back.",
	},
	isDifferenceBack: { zh: "多扣的差额已退回原卡。", en: "What was debited too much has been given back." },
	ask: { zh: "如有疑问请提供凭证号", en: "If you ask about it, quote trace" },
	acknowledge: {
		zh: "本人确认以上交易，同意将其记入本卡账户。",
		en: "I acknowledge the goods or services and agree to the amount.",
	},
	withPin: { zh: "已凭密码确认", en: "Confirmed with PIN" },
	signature: { zh: "持卡人签名", en: "Cardholder signature" },
	whatDiffers: { zh: "差异", en: "Differs" },
	cause: { zh: "原因", en: "Cause" },
	facts: { zh: "依据", en: "Facts" },
	noFacts: { zh: "无记录可依", en: "none recorded" },
	state: { zh: "状态", en: "State" },
	outcome: { zh: "结果", en: "Outcome" },
	opened: { zh: "立案时间", en: "Found" },
	ours: { zh: "终端金额", en: "Terminal has" },
	theirs: { zh: "主机金额", en: "Host has" },
	noneHere: { zh: "无记录", en: "no record" },
	asked: { zh: "已请求", en: "Asked for" },
	askedAmount: { zh: "请求金额", en: "Amount asked" },
	askedAt: { zh: "请求时间", en: "Asked at" },
	answer: { zh: "答复", en: "Answer" },
	answeredAt: { zh: "答复时间", en: "Answered at" },
	reason: { zh: "原因代码", en: "Reason code" },
	nothingAsked: { zh: "尚未向主机请求", en: "Nothing asked of the host yet" },
	nextAt: { zh: "下次核对", en: "Next look" },
	next: { zh: "下一步", en: "Next" },
	sales: { zh: "消费", en: "Sales" },
	offlineSales: { zh: "脱机消费", en: "Offline sales" },
	refunds: { zh: "退货", en: "Refunds" },
	hostDebits: { zh: "主机借记", en: "Host debits" },
	hostCredits: { zh: "主机贷记", en: "Host credits" },
	result: { zh: "对账结果", en: "Result" },
	balanced: { zh: "平", en: "BALANCED" },
	unbalanced: { zh: "不平", en: "UNBALANCED" },
	error: { zh: "错", en: "ERROR" },
	notSaid: { zh: "主机未答复", en: "not said" },
	differs: { zh: "差异明细", en: "What differs" },
	carried: { zh: "转下批次", en: "Carried on" },
	more: { zh: "另有", en: "More" },
	checking: { zh: "核对中", en: "being checked" },
	watched: { zh: "待入账", en: "To be posted" },
	openCases: { zh: "未结差错", en: "Open cases" },
} as const satisfies Words<string>;
export type SlipWord = keyof typeof SLIP_WORDS;
