/**
 * What codes inside fields mean, in zh and en. Answers are in response-codes.ts; a code that is not here has no meaning
 * shown. Source: public descriptions of the card network's terminal specification; ISO 4217; EMV 4.3 Book 3, Annex A;
 * the sync messages are the project's own.
 * @module
 */
import type { Words } from "./field-names";

type Codes = Readonly<Record<string, Words>>;

/** DE 3. */
export const PROCESSING_CODES: Codes = {
	"000000": { zh: "消费", en: "purchase" },
	"200000": { zh: "撤销或退货", en: "void or refund" },
	"310000": { zh: "查询", en: "inquiry" },
	"500000": { zh: "还款或充值", en: "repayment or top-up" },
};

/** The first two digits of DE 22. */
export const ENTRY_MODES: Codes = {
	"01": { zh: "手工输入", en: "typed" },
	"02": { zh: "磁条", en: "magnetic stripe" },
	"05": { zh: "芯片", en: "chip" },
	"07": { zh: "非接", en: "contactless" },
	"80": { zh: "芯片降级磁条", en: "stripe in place of the chip" },
	"90": { zh: "完整磁条", en: "whole magnetic stripe" },
};

/** Its last digit. */
export const PIN_ENTRIES: Codes = {
	"0": { zh: "未指明", en: "PIN not stated" },
	"1": { zh: "有密码", en: "with PIN" },
	"2": { zh: "无密码", en: "no PIN" },
};

/** DE 25. */
export const CONDITIONS: Codes = {
	"00": { zh: "正常", en: "normal" },
	"06": { zh: "预授权", en: "pre-authorization" },
	"08": { zh: "邮购或电话", en: "mail or telephone" },
};

/** DE 39 of an 0400. */
export const REVERSAL_REASONS: Codes = {
	"98": { zh: "未及时收到应答", en: "no answer in time" },
	"96": { zh: "批准后终端故障", en: "terminal fault after approval" },
	A0: { zh: "应答校验失败", en: "MAC of the answer is bad" },
	"06": { zh: "其他", en: "other" },
};

/** DE 49. */
export const CURRENCIES: Codes = {
	"156": { zh: "人民币", en: "CNY" },
};

/** DE 60.1. */
export const TRANSACTION_TYPES: Codes = {
	"00": { zh: "管理", en: "administration" },
	"01": { zh: "余额查询", en: "balance" },
	"02": { zh: "末笔交易查询", en: "last-transaction query" },
	"22": { zh: "消费", en: "sale" },
	"23": { zh: "消费撤销", en: "void" },
	"25": { zh: "退货", en: "refund" },
	"30": { zh: "消费补送", en: "resend" },
	"36": { zh: "离线消费", en: "offline sale" },
	"51": { zh: "信用卡还款", en: "repayment" },
	"52": { zh: "话费充值", en: "top-up" },
};

/** DE 60.3 of messages of type 00. */
export const NETWORK_CODES: Codes = {
	"002": { zh: "签退", en: "sign-off" },
	"003": { zh: "签到，双倍长密钥", en: "sign-on, double-length keys" },
	"201": { zh: "批结算或批上送", en: "settlement or upload" },
	"202": { zh: "上送结束，不平", en: "end of upload, unbalanced" },
	"207": { zh: "上送结束，平", en: "end of upload, balanced" },
	"401": { zh: "批次明细", en: "entries of a batch" },
	"402": { zh: "单笔查询", en: "one transaction" },
	"403": { zh: "请款", en: "manual posting" },
	"404": { zh: "贷记调整", en: "credit adjustment" },
	"405": { zh: "申请状态", en: "state of a request" },
	"406": { zh: "批次摘要", en: "digest of a batch" },
	"407": { zh: "重送还款或充值", en: "far-side resend" },
};

/** DE 60.4. */
export const READERS: Codes = {
	"0": { zh: "未指明", en: "not stated" },
	"2": { zh: "磁条", en: "magnetic stripe" },
	"5": { zh: "接触式芯片", en: "contact chip" },
	"6": { zh: "非接芯片", en: "contactless" },
};

/** DE 60.5. */
export const CHIP_CONDITIONS: Codes = {
	"0": { zh: "未使用", en: "not used" },
	"1": { zh: "上一笔成功或非芯片", en: "last one succeeded or was no chip" },
	"2": { zh: "上一笔芯片失败", en: "last chip failed" },
};

/** The result digits of DE 48 of a settlement. */
export const SETTLEMENT_RESULTS: Codes = {
	"0": { zh: "未对账", en: "not compared" },
	"1": { zh: "对账平", en: "balanced" },
	"2": { zh: "对账不平", en: "unbalanced" },
	"3": { zh: "出错", en: "error" },
};

/** State of a request, in answers to 403, 404, 405, 407. Index = value. */
export const REQUEST_STATES: readonly (Words | undefined)[] = [
	undefined,
	{ zh: "已收到", en: "received" },
	{ zh: "需补凭证", en: "evidence wanted" },
	{ zh: "已同意", en: "granted" },
	{ zh: "已拒绝", en: "refused" },
	{ zh: "已完成", en: "done" },
];

/** Flags of an entry. Index = bit. */
export const ENTRY_FLAGS: readonly Words[] = [
	{ zh: "已记录", en: "recorded" },
	{ zh: "已扣款", en: "debited" },
	{ zh: "已冲正", en: "reversed" },
	{ zh: "已入账", en: "posted" },
	{ zh: "入账被拒", en: "posting refused" },
	{ zh: "已撤销", en: "voided" },
	{ zh: "对方已完成", en: "far side done" },
	{ zh: "对方失败", en: "far side failed" },
];

/** A tag of DE 55. */
export interface TagName extends Words {
	/** True when its value says nothing of the card number, the track or the holder. */
	readonly shown: boolean;
}

function shown(zh: string, en: string): TagName {
	return { zh, en, shown: true };
}

function hidden(zh: string, en: string): TagName {
	return { zh, en, shown: false };
}

/** Only what stands here as shown is shown: of a tag that nobody has looked at, its length. */
export const TAGS: Readonly<Record<string, TagName>> = {
	"4F": shown("应用标识", "application id"),
	"50": shown("应用标签", "application label"),
	"57": hidden("二磁道等效数据", "track 2 equivalent"),
	"5A": hidden("主账号", "card number"),
	"5F20": hidden("持卡人姓名", "holder's name"),
	"5F24": hidden("卡有效期", "expiry"),
	"5F2A": shown("货币代码", "currency"),
	"5F34": shown("卡序列号", "card sequence"),
	"71": hidden("发卡行脚本一", "issuer script 1"),
	"72": hidden("发卡行脚本二", "issuer script 2"),
	"82": shown("应用交互特征", "AIP"),
	"84": shown("专用文件名", "DF name"),
	"8A": shown("授权响应码", "authorization response"),
	"91": shown("发卡行认证数据", "issuer authentication"),
	"95": shown("终端验证结果", "TVR"),
	"9A": shown("交易日期", "date"),
	"9B": shown("交易状态信息", "TSI"),
	"9C": shown("交易类型", "type"),
	"9F02": shown("授权金额", "amount"),
	"9F03": shown("其他金额", "other amount"),
	"9F09": shown("应用版本号", "application version"),
	"9F10": shown("发卡行应用数据", "issuer application data"),
	"9F1A": shown("终端国家代码", "terminal country"),
	"9F1E": shown("接口设备序列号", "reader's serial number"),
	"9F26": shown("应用密文", "cryptogram"),
	"9F27": shown("密文信息数据", "cryptogram information"),
	"9F33": shown("终端性能", "terminal capabilities"),
	"9F34": shown("持卡人验证结果", "CVM result"),
	"9F35": shown("终端类型", "terminal type"),
	"9F36": shown("交易计数器", "ATC"),
	"9F37": shown("不可预知数", "unpredictable number"),
	"9F41": shown("交易序列计数器", "sequence counter"),
};

export function codeName(codes: Codes, code: string): Words | undefined {
	return Object.hasOwn(codes, code) ? codes[code] : undefined;
}
