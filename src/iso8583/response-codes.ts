/**
 * What DE 39 of an answer means, in words a cashier can act on. Source: public descriptions of the card network's
 * terminal specification; the classes decide, the texts explain.
 * @module
 */

/**
 * Partial approvals are not taken: the terminal reverses them. "unheard": the host did not believe what reached it, and
 * has nothing on record; the untouched request may still arrive, so that this is no decline but a doubt.
 */
export type ResponseClass = "approved" | "partial" | "declined" | "unheard";

export interface ResponseText {
	readonly zh: string;
	readonly en: string;
	readonly class: ResponseClass;
}

function approved(zh: string, en: string): ResponseText {
	return { zh, en, class: "approved" };
}

function declined(zh: string, en: string): ResponseText {
	return { zh, en, class: "declined" };
}

export const RESPONSE_CODES: Readonly<Record<string, ResponseText>> = {
	"00": approved("交易成功", "Approved"),
	"01": declined("请持卡人联系发卡银行", "Declined: cardholder to call the bank"),
	"02": declined("请持卡人联系发卡银行", "Declined: cardholder to call the bank"),
	"03": declined("商户未登记", "Merchant not registered"),
	"04": declined("此卡应没收", "Card to be kept"),
	"05": declined("身份认证失败", "Declined by the bank"),
	"10": { zh: "部分批准，不予受理", en: "Approved in part only: not accepted", class: "partial" },
	"11": approved("交易成功，贵宾客户", "Approved, VIP"),
	"12": declined("无效交易", "Invalid transaction"),
	"13": declined("无效金额", "Invalid amount"),
	"14": declined("无效卡号", "Invalid card number"),
	"15": declined("此卡无对应发卡行", "Unknown issuer"),
	"21": declined("未作任何处理", "No action taken"),
	"25": declined("未找到原交易", "Original transaction not found"),
	"30": declined("报文格式错误，请重试", "Message format error, try again"),
	"40": declined("不支持此功能", "Function not supported"),
	"41": declined("挂失卡", "Lost card"),
	"43": declined("被盗卡", "Stolen card"),
	"51": declined("余额不足", "Insufficient funds"),
	"54": declined("卡已过期", "Card expired"),
	"55": declined("密码错误，请重试", "Wrong PIN, try again"),
	"57": declined("此卡不允许该交易", "Not permitted for this card"),
	"58": declined("此终端不允许该交易", "Not permitted at this terminal"),
	"59": declined("卡片校验错误", "Card verification failed"),
	"61": declined("金额超限", "Amount above the card's limit"),
	"62": declined("受限制的卡", "Restricted card"),
	"65": declined("交易次数超限", "Too many transactions"),
	"68": declined("发卡行应答超时", "Bank answered too late"),
	"75": declined("密码错误次数超限", "Too many wrong PINs"),
	"90": declined("系统日终处理中，请稍后再试", "Day-end processing, try later"),
	"91": declined("发卡行暂不可用，请稍后再试", "Bank not available, try later"),
	"92": declined("无法连接发卡行，请稍后再试", "Bank cannot be reached, try later"),
	"94": declined("重复交易", "Duplicate transaction"),
	"96": declined("系统故障，请稍后再试", "System fault, try later"),
	"97": { zh: "终端未登记，请重新签到", en: "Terminal not known, sign on again", class: "unheard" },
	"98": declined("发卡行无应答，请稍后再试", "No answer from the bank, try later"),
	"99": declined("密码格式错误，请重新签到", "PIN format error, sign on again"),
	A0: { zh: "报文校验失败，请重新签到", en: "Message check failed, sign on again", class: "unheard" },
	A2: approved("交易成功，请向发卡行确认", "Approved, confirm with the bank"),
	A4: approved("交易成功，请向发卡行确认", "Approved, confirm with the bank"),
	A5: approved("交易成功，请向发卡行确认", "Approved, confirm with the bank"),
	A6: approved("交易成功，请向发卡行确认", "Approved, confirm with the bank"),
};

const UNKNOWN = declined("交易失败，请联系发卡行", "Declined by the bank");

/** The meaning of a code; one that is not in the table is a decline: only a listed code takes money. */
export function responseText(code: string): ResponseText {
	return Object.hasOwn(RESPONSE_CODES, code) ? RESPONSE_CODES[code] : UNKNOWN;
}
