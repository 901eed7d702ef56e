/**
 * The words of every screen, Chinese first, English as well. A terminal shows at most {@link SCREEN_COLUMNS} columns;
 * no line of the table is wider, whatever is filled in; only the text of a response code is broken into lines.
 *
 * A line stands for what the screen carries: one whose value is missing, or whose count is 0, is left out. Card
 * numbers appear masked only (I9).
 * @module
 */
import { formatAmount } from "../core/money";
import { maskPan } from "../iso8583/mask";
import { responseText } from "../iso8583/response-codes";
import type { Screen, ScreenName } from "../ports";
import { wrap } from "./columns";

export type Language = "zh" | "en";

/** Columns of the smallest display: 128 pixels with a font 6 pixels wide; a Chinese character takes two. */
export const SCREEN_COLUMNS = 20;

/** The first line says what it is in one glance. */
type Text = Readonly<Record<Language, readonly string[]>>;

/** Placeholders: {amount} {stan} {card} {code} {count} {printed} {plain} {signedOff}. */
export const SCREEN_TEXTS: Readonly<Record<ScreenName, Text>> = {
	ready: {
		zh: ["欢迎光临", "请输入金额", "待冲正 {count} 笔", "{signedOff}", "{plain}"],
		en: ["Ready", "Enter amount", "Reversals open: {count}", "{signedOff}", "{plain}"],
	},
	outOfService: { zh: ["暂停服务", "请联系技术支持"], en: ["Out of service", "Call support"] },
	sendingReversals: {
		zh: ["正在发送冲正", "待冲正 {count} 笔", "请稍候"],
		en: ["Sending reversals", "Open: {count}", "Please wait"],
	},
	signingOn: { zh: ["正在签到", "金额 {amount}"], en: ["Signing on", "{amount}"] },
	signOnFailed: {
		zh: ["签到失败", "{code}", "交易未发出 未扣款"],
		en: ["Sign-on failed", "{code}", "Not sent", "Not charged"],
	},
	keysWrong: {
		zh: ["密钥校验失败", "交易未发出 未扣款", "请联系技术支持"],
		en: ["Keys do not fit", "Not sent", "Not charged", "Call support"],
	},
	signedOff: { zh: ["已签退"], en: ["Signed off"] },
	connecting: { zh: ["正在连接主机", "金额 {amount}"], en: ["Connecting", "{amount}"] },
	presentCard: {
		zh: ["请插卡、刷卡或挥卡", "金额 {amount}"],
		en: ["Insert, swipe or tap", "{amount}"],
	},
	enterPin: { zh: ["请输入密码", "金额 {amount}"], en: ["Enter PIN", "{amount}"] },
	waitForHost: {
		zh: ["正在交易，请稍候", "金额 {amount}", "流水号 {stan}"],
		en: ["Processing, wait", "{amount}", "Trace {stan}"],
	},
	approved: {
		zh: ["交易成功 已扣款", "金额 {amount}", "{card}", "流水号 {stan}"],
		en: ["Approved: charged", "{amount}", "{card}", "Trace {stan}"],
	},
	approvedNoPaper: {
		zh: ["交易成功 已扣款", "金额 {amount}", "{card}", "流水号 {stan}", "签购单未打印", "请告知顾客后确认"],
		en: [
			"Approved: charged",
			"{amount}",
			"{card}",
			"Trace {stan}",
			"Slip not printed:",
			"tell the customer,",
			"then confirm",
		],
	},
	declined: {
		zh: ["交易失败 未扣款", "{code}", "金额 {amount}", "{card}", "流水号 {stan}"],
		en: ["Declined", "Not charged", "{code}", "{amount}", "{card}", "Trace {stan}"],
	},
	cardRefused: {
		zh: ["卡片拒绝交易", "未扣款", "如已扣款将自动退回", "金额 {amount}", "{card}", "流水号 {stan}"],
		en: ["Card refused", "Not charged: any", "debit is returned", "{amount}", "{card}", "Trace {stan}"],
	},
	notSent: {
		zh: ["交易未发出 未扣款", "请重试", "金额 {amount}", "{card}", "流水号 {stan}"],
		en: ["Not sent", "Not charged", "{amount}", "{card}", "Trace {stan}"],
	},
	noAnswer: {
		zh: ["主机无应答 未扣款", "正在自动冲正", "如已扣款将自动退回", "金额 {amount}", "{card}", "流水号 {stan}"],
		en: ["No answer from host", "Not charged: any", "debit is returned", "{amount}", "{card}", "Trace {stan}"],
	},
	cardUnreadable: { zh: ["读卡失败", "请重试或换卡"], en: ["Card not read", "Try again"] },
	cardInvalid: { zh: ["卡片无效", "请换卡"], en: ["Invalid card", "Use another card"] },
	cardExpired: { zh: ["卡片已过期", "请换卡"], en: ["Card expired", "Use another card"] },
	cancelled: { zh: ["交易已取消", "未扣款", "金额 {amount}"], en: ["Cancelled", "Not charged", "{amount}"] },
	noLink: {
		zh: ["无法连接主机", "交易未发出 未扣款", "请稍后再试"],
		en: ["No link to the host", "Not sent", "Not charged", "Try later"],
	},
	interrupted: {
		zh: ["交易中断 未扣款", "正在自动冲正", "如已扣款将自动退回", "金额 {amount}", "{card}", "流水号 {stan}"],
		en: ["Interrupted", "Not charged: any", "debit is returned", "{amount}", "{card}", "Trace {stan}"],
	},
	askDelivered: {
		zh: ["顾客是否已获知成功？", "重启前交易已批准", "金额 {amount}", "{card}", "流水号 {stan}", "签购单{printed}"],
		en: [
			"Does customer know?",
			"Approved before the",
			"restart",
			"{amount}",
			"{card}",
			"Trace {stan}",
			"Slip {printed}",
		],
	},
	deliveredNoted: {
		zh: ["已确认 交易有效", "已扣款", "金额 {amount}", "{card}", "流水号 {stan}"],
		en: ["Confirmed", "Charged", "{amount}", "{card}", "Trace {stan}"],
	},
	reversalStarted: {
		zh: ["正在冲正 未扣款", "款项将自动退回", "金额 {amount}", "{card}", "流水号 {stan}"],
		en: ["Being reversed", "Not charged: the", "debit is returned", "{amount}", "{card}", "Trace {stan}"],
	},
	reversalDone: {
		zh: ["冲正成功 未扣款", "如已扣款现已退回", "金额 {amount}", "流水号 {stan}"],
		en: ["Reversed", "Not charged: any", "debit was returned", "{amount}", "Trace {stan}"],
	},
	reversalRefused: {
		zh: ["冲正失败 继续重试", "{code}", "金额 {amount}", "流水号 {stan}", "请联系收单机构"],
		en: ["Reversal failed,", "goes on trying", "{code}", "{amount}", "Trace {stan}", "Call the acquirer"],
	},
	refusedBusy: { zh: ["终端忙", "请稍候"], en: ["Busy", "Please wait"] },
	refusedAmount: { zh: ["金额无效", "请重新输入"], en: ["Amount not valid", "Enter it again"] },
	refusedDelivery: {
		zh: ["请先确认上笔交易", "顾客是否已获知成功"],
		en: ["First confirm the", "last sale"],
	},
	refusedDoubts: {
		zh: ["待冲正交易过多", "共 {count} 笔", "继续交易需主管授权"],
		en: ["Too many reversals", "Open: {count}", "Manager may go on"],
	},
	refusedFull: { zh: ["存储空间不足", "请先批结算"], en: ["Memory full", "Settle the batch"] },
	refusedBatch: { zh: ["批次已满", "请先批结算"], en: ["Batch full", "Settle the batch"] },
	refusedKeys: { zh: ["未装载主密钥", "请联系技术支持"], en: ["No master key", "Call support"] },
	refusedStopped: { zh: ["终端已停止", "请重新启动"], en: ["Stopped", "Restart it"] },
};

const PLAIN: Readonly<Record<Language, string>> = { zh: "线路未加密", en: "Link without TLS" };
const SIGNED_OFF: Readonly<Record<Language, string>> = { zh: "未签到", en: "Not signed on" };
const PRINTED: Readonly<Record<Language, readonly [string, string]>> = {
	zh: ["未确认打印", "已打印"],
	en: ["not confirmed", "printed"],
};

/** The lines of a screen, each at most `width` columns. */
export function screenLines(screen: Screen, language: Language, width = SCREEN_COLUMNS): string[] {
	const lines: string[] = [];
	for (const template of SCREEN_TEXTS[screen.name][language]) {
		const line = fill(template, (name) => placeholder(screen, name, language));
		if (line !== undefined) lines.push(...wrap(line, width));
	}
	return lines;
}

/** The screen in a few words: for a list. */
export function screenTitle(name: ScreenName, language: Language): string {
	return SCREEN_TEXTS[name][language][0];
}

/** "¥1234.56". */
export function amountText(amountMinor: number): string {
	return `¥${formatAmount(amountMinor)}`;
}

/** The trace number as slips and hosts write it: six digits. */
export function stanText(stan: number): string {
	return `${stan}`.padStart(6, "0");
}

/** A card number as people may see it: one that is not masked yet is masked here (I9). */
export function cardText(card: string): string {
	return card.includes("*") ? card : maskPan(card);
}

/** @returns undefined when a value is missing */
function fill(template: string, value: (name: string) => string | undefined): string | undefined {
	let line = "";
	let at = 0;
	for (;;) {
		const open = template.indexOf("{", at);
		if (open < 0) return line + template.slice(at);
		const close = template.indexOf("}", open);
		const text = value(template.slice(open + 1, close));
		if (text === undefined) return undefined;
		line += template.slice(at, open) + text;
		at = close + 1;
	}
}

function placeholder(screen: Screen, name: string, language: Language): string | undefined {
	const { amountMinor, stan, card, code, count, printed, plain, signedOff } = screen;
	switch (name) {
		case "amount":
			return amountMinor === undefined ? undefined : amountText(amountMinor);
		case "stan":
			return stan === undefined ? undefined : stanText(stan);
		case "card":
			return card === undefined || card === "" ? undefined : cardText(card);
		case "code":
			return code === undefined || code === "" ? undefined : `${code} ${responseText(code)[language]}`;
		case "count":
			return count === undefined || count === 0 ? undefined : `${count}`;
		case "printed":
			return printed === undefined ? undefined : PRINTED[language][printed ? 1 : 0];
		case "plain":
			return plain === true ? PLAIN[language] : undefined;
		case "signedOff":
			return signedOff === true ? SIGNED_OFF[language] : undefined;
		default:
			return undefined;
	}
}
