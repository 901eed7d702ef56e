/**
 * Plain words for what the tables of settlement/ and transactions/ say in names: cause, fact, difference, state, what was
 * asked of the host and what it said. Chinese and English; for slips, lists and screens. Every name has its words, which
 * the type of each table makes sure of.
 * @module
 */
import type { CaseStateName, Event, Mover, OutcomeName } from "../settlement/case-states";
import type { CauseFactName, CauseName } from "../settlement/cause";
import type { RowName } from "../settlement/finding";
import type { HostSays } from "../settlement/inquiry";
import type { LocalWord } from "../settlement/query";
import type { Language } from "./texts";

type Words<Name extends string> = Readonly<Record<Name, Readonly<Record<Language, string>>>>;

export const CAUSE_TEXTS: Words<CauseName> = {
	notKnown: { zh: "原因不明", en: "not known" },
	systemFault: { zh: "主机系统故障", en: "system fault at the host" },
	network: { zh: "网络通讯故障", en: "network" },
	operatorError: { zh: "操作失误", en: "operator error" },
	bankDelay: { zh: "银行处理延迟", en: "bank delay" },
	terminalDevice: { zh: "终端设备故障", en: "terminal device" },
	merchantAccount: { zh: "商户账户异常", en: "merchant account" },
	hostMismatch: { zh: "主机账务不符", en: "host's books do not fit its answer" },
	issuer: { zh: "发卡行拒绝", en: "refused by the card's issuer" },
};

export const FACT_TEXTS: Words<CauseFactName> = {
	restarted: { zh: "等待应答时终端重启", en: "terminal restarted while it waited" },
	lineLost: { zh: "等待应答时线路中断", en: "line lost while it waited" },
	noAnswer: { zh: "主机无应答", en: "no answer from the host" },
	badMac: { zh: "应答校验码错误", en: "an answer with a wrong MAC" },
	deviceFault: { zh: "设备故障", en: "a device failed" },
	answerDiffers: { zh: "应答金额不符", en: "an answer with another amount" },
	arrivedLate: { zh: "请求迟到主机", en: "request reached the host late" },
	contradicted: { zh: "主机账务与其应答矛盾", en: "host's books contradict its answer" },
	notFound: { zh: "主机无此笔", en: "host does not know it" },
	unrecorded: { zh: "卡已扣款 主机无记录", en: "card debited, no record at the host" },
	undebited: { zh: "主机有记录 卡未扣款", en: "recorded, card not debited" },
	unposted: { zh: "已记录 未入账", en: "recorded, not posted" },
	postingRefused: { zh: "入账被拒", en: "posting refused" },
	hostReversed: { zh: "主机已冲正", en: "reversed by the host" },
	amountDiffers: { zh: "金额不符", en: "another amount" },
	farSideFailed: { zh: "对方未到账", en: "far side failed" },
	doubled: { zh: "同卡同额重复", en: "same card and amount twice" },
	issuerRefused: { zh: "发卡行拒绝", en: "issuer refused" },
	boardSwapped: { zh: "终端已更换", en: "terminal was replaced" },
	flashError: { zh: "存储器故障", en: "memory fault" },
	hostRefused: { zh: "主机拒绝冲正", en: "the host refuses the reversal" },
};

/** What differs. */
export const ROW_TEXTS: Words<RowName> = {
	agree: { zh: "一致", en: "agrees" },
	notFound: { zh: "主机无此笔", en: "host does not know it" },
	pending: { zh: "尚未入账", en: "not posted yet" },
	overdue: { zh: "逾期未入账", en: "posting overdue" },
	merchantAccount: { zh: "商户账户拒绝入账", en: "merchant account takes no posting" },
	reversedAtHost: { zh: "被主机冲正", en: "reversed by the host" },
	otherAmount: { zh: "金额不符", en: "another amount" },
	debited: { zh: "误扣款", en: "debited, should not be" },
	unknownHere: { zh: "终端无此笔", en: "not known here" },
	doubled: { zh: "疑似重复", en: "perhaps sold twice" },
	farSide: { zh: "对方未到账", en: "far side failed" },
	offlineDeclined: { zh: "脱机交易被拒", en: "offline sale refused" },
	refundDiffers: { zh: "退货不符", en: "refund differs" },
	underWay: { zh: "处理中", en: "under way" },
	reversalStuck: { zh: "冲正多次未成功", en: "reversal does not get through" },
	adviceStuck: { zh: "交易多次未送达", en: "advice does not get through" },
	unbalanced: { zh: "批结算不平", en: "batch not balanced" },
};

export const CASE_STATE_TEXTS: Words<CaseStateName> = {
	found: { zh: "已发现", en: "found" },
	asking: { zh: "已请求主机", en: "asked of the host" },
	granted: { zh: "主机已受理", en: "taken by the host" },
	checking: { zh: "核对中", en: "being checked" },
	waiting: { zh: "等待中", en: "waiting" },
	operator: { zh: "待商户确认", en: "asks the shop" },
	support: { zh: "需人工处理", en: "needs a person" },
	resolved: { zh: "已解决", en: "resolved" },
	loss: { zh: "记为损失", en: "written off" },
	withdrawn: { zh: "已撤案", en: "withdrawn" },
};

/** Whose move it is: what happens next, and who does it. */
export const MOVER_TEXTS: Words<Mover | "bank"> = {
	terminal: { zh: "终端自动处理", en: "the terminal goes on by itself" },
	host: { zh: "等待收单机构处理", en: "the acquirer is to do it" },
	bank: { zh: "等待银行入账", en: "the bank is to post it" },
	merchant: { zh: "请商户联系开户行", en: "the shop: call your bank about the account" },
	operator: { zh: "请商户答复：是或否", en: "the shop: answer yes or no" },
	desk: { zh: "请凭此单联系收单机构", en: "call the acquirer with this slip" },
	nobody: { zh: "无需处理", en: "nothing is left to do" },
};

export const OUTCOME_TEXTS: Words<OutcomeName> = {
	open: { zh: "未结", en: "open" },
	agreed: { zh: "账务已一致", en: "the books agree" },
	stands: { zh: "确认有效", en: "confirmed, it stands" },
	byHand: { zh: "已人工解决", en: "settled by hand" },
	loss: { zh: "记为损失", en: "written off" },
};

/** What was asked of the host. */
export type Asked = "claim" | "credit" | "farSide" | "resend" | "reverse";
export const ASKED_TEXTS: Words<Asked> = {
	claim: { zh: "请款（手动入账）", en: "manual posting (claim)" },
	credit: { zh: "退款（贷记调整）", en: "refund (credit)" },
	farSide: { zh: "对方重送", en: "far side once more" },
	resend: { zh: "交易重发", en: "resend" },
	reverse: { zh: "再次冲正", en: "reversal once more" },
};

export type Answered = "none" | "received" | "evidenceWanted" | "granted" | "refused" | "done" | "moved";
export const ANSWERED_TEXTS: Words<Answered> = {
	none: { zh: "尚无答复", en: "none yet" },
	received: { zh: "已收到", en: "received" },
	evidenceWanted: { zh: "要求提供证据", en: "evidence wanted" },
	granted: { zh: "已同意", en: "granted" },
	refused: { zh: "已拒绝", en: "refused" },
	done: { zh: "已完成", en: "done" },
	moved: { zh: "已送达", en: "delivered" },
};

/** Events of a case: its history. */
export const EVENT_TEXTS: Words<Event> = {
	opened: { zh: "立案", en: "opened" },
	confirmed: { zh: "已确认", en: "confirmed" },
	asked: { zh: "向主机请求", en: "asked of the host" },
	waits: { zh: "开始等待", en: "waits" },
	asksOperator: { zh: "询问商户", en: "asks the shop" },
	supports: { zh: "转人工", en: "goes to a person" },
	over: { zh: "终止", en: "over" },
	answeredDone: { zh: "主机：已完成", en: "host: done" },
	answeredGranted: { zh: "主机：已同意", en: "host: granted" },
	answeredEvidence: { zh: "主机：要求证据", en: "host: evidence wanted" },
	answeredRefused: { zh: "主机：已拒绝", en: "host: refused" },
	answeredReceived: { zh: "主机：已收到", en: "host: received" },
	moved: { zh: "重发或冲正已送达", en: "resend or reversal delivered" },
	agreed: { zh: "账务一致", en: "the books agree" },
	noEffect: { zh: "无变化", en: "no change" },
	differs: { zh: "差异改变", en: "differs in another way" },
	due: { zh: "到期", en: "due" },
	operatorYes: { zh: "商户：是", en: "shop: yes" },
	operatorNo: { zh: "商户：否", en: "shop: no" },
	accountMended: { zh: "商户账户恢复", en: "account mended" },
};

/** What this terminal says of a transaction; at most 20 columns, as a line of the smallest display. */
export const LOCAL_TEXTS: Words<LocalWord> = {
	waiting: { zh: "等待主机应答", en: "Waits for the host" },
	approved: { zh: "已批准 待确认", en: "Approved: confirm it" },
	delivered: { zh: "交易成功 已扣款", en: "Approved: charged" },
	declined: { zh: "交易失败 未扣款", en: "Declined: no charge" },
	abandoned: { zh: "交易未发出 未扣款", en: "Not sent: no charge" },
	reversing: { zh: "正在冲正 未扣款", en: "Being reversed" },
	unconfirmed: { zh: "冲正成功 未扣款", en: "Reversed" },
	reversed: { zh: "冲正成功 未扣款", en: "Reversed" },
	forwarding: { zh: "待上送主机", en: "To be sent" },
	forwarded: { zh: "已上送主机", en: "Sent, accepted" },
	forwardRefused: { zh: "上送被拒", en: "Refused by the host" },
	released: { zh: "批次已结算", en: "In a settled batch" },
	caseOnly: { zh: "仅有差错记录", en: "Only a case of it" },
};

/** What the host says; at most 20 columns. */
export const HOST_TEXTS: Words<HostSays> = {
	unknown: { zh: "主机无此笔", en: "Host: not known" },
	posted: { zh: "主机：已入账", en: "Host: posted" },
	pending: { zh: "主机：尚未入账", en: "Host: not posted yet" },
	postingRefused: { zh: "主机：账户拒绝入账", en: "Host: account shut" },
	reversed: { zh: "主机：已冲正", en: "Host: reversed" },
	voided: { zh: "主机：已撤销", en: "Host: voided" },
	unrecorded: { zh: "主机：扣款未记录", en: "Host: debit unbooked" },
	undebited: { zh: "主机：未扣款", en: "Host: not debited" },
	farSideFailed: { zh: "主机：对方未到账", en: "Host: far side fails" },
	noAnswer: { zh: "主机无应答", en: "Host: no answer" },
	noLine: { zh: "线路不通 未询问", en: "No line: not asked" },
	unsupported: { zh: "主机不支持查询", en: "Host takes no query" },
	refused: { zh: "主机拒绝查询", en: "Host refuses query" },
};

/** Words of a name that came as data: from a slip or a screen. A name that the table does not have stands for itself. */
export function wordOf(
	table: Readonly<Record<string, Readonly<Record<Language, string>>>>,
	name: string,
	language: Language,
): string {
	return table[name]?.[language] ?? name;
}
