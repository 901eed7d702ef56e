/**
 * What fields and messages are called, in zh and en, for logs, evidence and tools.
 * Source: ISO 8583:1987, §4.3; names of the UnionPay fields 60 to 63 from public descriptions.
 * @module
 */

export type Language = "zh" | "en";

export interface Words {
	readonly zh: string;
	readonly en: string;
}

export const FIELD_NAMES: Readonly<Record<number, Words>> = {
	1: { zh: "第二位图", en: "secondary bitmap" },
	2: { zh: "主账号", en: "card number" },
	3: { zh: "处理码", en: "processing code" },
	4: { zh: "交易金额", en: "amount" },
	7: { zh: "传输时间", en: "transmission time" },
	11: { zh: "流水号", en: "STAN" },
	12: { zh: "时间", en: "time" },
	13: { zh: "日期", en: "date" },
	14: { zh: "卡有效期", en: "expiry" },
	15: { zh: "清算日期", en: "settlement date" },
	22: { zh: "输入方式", en: "entry mode" },
	23: { zh: "卡序列号", en: "card sequence" },
	25: { zh: "条件码", en: "condition" },
	26: { zh: "密码最大长度", en: "PIN length" },
	32: { zh: "受理机构", en: "acquirer" },
	35: { zh: "二磁道", en: "track 2" },
	36: { zh: "三磁道", en: "track 3" },
	37: { zh: "检索参考号", en: "RRN" },
	38: { zh: "授权码", en: "authorization" },
	39: { zh: "应答码", en: "response code" },
	41: { zh: "终端号", en: "terminal" },
	42: { zh: "商户号", en: "merchant" },
	43: { zh: "商户名称", en: "merchant name" },
	44: { zh: "附加响应", en: "additional response" },
	48: { zh: "附加数据", en: "additional data" },
	49: { zh: "货币代码", en: "currency" },
	52: { zh: "密码块", en: "PIN block" },
	53: { zh: "安全控制", en: "security control" },
	54: { zh: "余额", en: "balance" },
	55: { zh: "芯片数据", en: "EMV data" },
	60: { zh: "自定义域", en: "type and batch" },
	61: { zh: "原交易", en: "original" },
	62: { zh: "自定义数据", en: "private data" },
	63: { zh: "操作员或卡组织", en: "operator or scheme" },
	64: { zh: "报文校验", en: "MAC" },
	70: { zh: "网络管理码", en: "network code" },
	102: { zh: "账户一", en: "account 1" },
	103: { zh: "账户二", en: "account to be paid" },
	128: { zh: "报文校验", en: "MAC" },
};

/** DE 39 of a reversal. */
export const REASON_NAME: Words = { zh: "冲正原因", en: "reason" };

/** By the name in the dialect. */
export const MESSAGE_NAMES: Readonly<Record<string, Words>> = {
	"sign-on": { zh: "签到", en: "sign-on" },
	"sign-off": { zh: "签退", en: "sign-off" },
	sale: { zh: "消费", en: "sale" },
	void: { zh: "消费撤销", en: "void" },
	refund: { zh: "退货", en: "refund" },
	balance: { zh: "余额查询", en: "balance" },
	"last-transaction query": { zh: "末笔交易查询", en: "last-transaction query" },
	reversal: { zh: "冲正", en: "reversal" },
	"offline sale": { zh: "离线消费", en: "offline sale" },
	resend: { zh: "消费补送", en: "resend" },
	settlement: { zh: "批结算", en: "settlement" },
	"batch upload": { zh: "批上送", en: "batch upload" },
	"batch upload end, balanced": { zh: "批上送结束（平）", en: "batch upload end, balanced" },
	"batch upload end, unbalanced": { zh: "批上送结束（不平）", en: "batch upload end, unbalanced" },
	repayment: { zh: "信用卡还款", en: "repayment" },
	"top-up": { zh: "话费充值", en: "top-up" },
	sync: { zh: "对账同步", en: "sync" },
};

export const REQUEST: Words = { zh: "请求", en: "request" };
export const ANSWER: Words = { zh: "应答", en: "answer" };
export const NO_MESSAGE: Words = { zh: "报文类型未知", en: "message not known" };
