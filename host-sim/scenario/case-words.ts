/**
 * What the firmware has no words for: the steps of the remedies table in a word or two, and what was done on purpose. All
 * else that is said of a case is in src/ui/case-texts.ts.
 * @module
 */
import type { StepKind } from "../../src/settlement/remedies";
import type { Injected, Words } from "./scenario";

const words = (zh: string, en: string): Words => ({ zh, en });

export const STEP_WORDS: Readonly<Record<StepKind, Words>> = {
	resend: words("交易重发", "resend"),
	reverse: words("再次冲正", "reverse again"),
	claim: words("手动入账（请款）", "manual posting (claim)"),
	credit: words("退款（贷记调整）", "refund (credit adjustment)"),
	farSide: words("对方重送", "far-side resend"),
	wait: words("等待后再查", "wait, ask again"),
	tell: words("告知商户，再查", "tell the merchant, ask again"),
	askOperator: words("询问收银员", "ask the operator"),
	support: words("技术支持", "support"),
	loss: words("记为损失", "show as a loss"),
};

const INJECTED_WORDS: Readonly<Partial<Record<Injected, Words>>> = {
	recordLost: words("卡已扣款，收单主机丢失记录", "card debited, and the acquirer loses its record"),
	postingLost: words("卡已扣款，银行漏入账", "card debited, and the bank forgets the posting"),
	postingLate: words("银行迟入账", "the bank posts hours late"),
	postingRefused: words("银行因商户账户拒绝入账", "the bank refuses the posting: merchant account"),
	reversedWrongly: words("主机擅自冲正", "the host reverses it, nobody has asked"),
	amountAltered: words("主机记错金额", "the host books another amount"),
	reversalForgotten: words("主机应答冲正成功却未冲正", "the host accepts the reversal and forgets it"),
	declinedBooked: words("卡已扣款，主机却应答拒绝", "card debited and booked, and the answer is declined"),
	answerLost: words("应答丢失", "the answer is lost"),
	requestLost: words("请求丢失", "the request is lost"),
	requestLate: words("请求滞留网络", "the request lies in the network"),
	totalsWrong: words("主机总计出错", "the host's totals are wrong"),
	reversalRefused: words("主机拒绝冲正", "the host refuses the reversal"),
	deskRefuses: words("差错处理拒绝", "the desk refuses"),
	requestAnswerLost: words("办理结果应答丢失", "the desk's answer is lost"),
	deskPostsTwice: words("银行重复入账", "the bank posts it as well"),
	soldTwice: words("同一顾客被刷两次", "one customer is charged twice"),
	flashLost: words("闪存损坏，终端丢失记录", "flash dies, and the record with it"),
	issuerDeclines: words("发卡行不认脱机交易", "the issuer does not honour the offline sale"),
	refundTooMuch: words("退货超过原金额", "more is refunded than was paid"),
};

/** What was done on purpose, in a few words; its name where there are none. */
export function injectedWords(injected: Injected): Words {
	return INJECTED_WORDS[injected] ?? words(injected, injected);
}
