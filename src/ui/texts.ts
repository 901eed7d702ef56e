/**
 * The words of every screen, Chinese first, English as well. A terminal shows at most {@link SCREEN_COLUMNS} columns;
 * no line of the table is wider, whatever is filled in; only the text of a response code, and what to do about an alarm, are
 * broken into lines.
 *
 * A line stands for what the screen carries: one whose value is missing, or whose count is 0, is left out. Card
 * numbers appear masked only (I9).
 * @module
 */
import { LOCAL_OFFSET_MS } from "../config";
import { formatAmount } from "../core/money";
import { maskPan } from "../iso8583/mask";
import { responseText } from "../iso8583/response-codes";
import type { AlarmName, Screen, ScreenName } from "../ports";
import { ALARM_TEXTS } from "./alarm-texts";
import { HOST_TEXTS, LOCAL_TEXTS, wordOf } from "./case-texts";
import { wrap } from "./columns";

export type Language = "zh" | "en";

/** Columns of the smallest display: 128 pixels with a font 6 pixels wide; a Chinese character takes two. */
export const SCREEN_COLUMNS = 20;

/** The first line says what it is in one glance. */
type Text = Readonly<Record<Language, readonly string[]>>;

/**
 * Placeholders: {amount} {stan} {card} {code} {count} {printed} {plain} {signedOff} {case} {cases} {reference} {until}
 * {batch} {result} {hold} {alarm} {alarms} {advice} {link} {local} {host}.
 */
export const SCREEN_TEXTS: Readonly<Record<ScreenName, Text>> = {
	ready: {
		zh: [
			"欢迎光临",
			"请输入金额",
			"待冲正 {count} 笔",
			"待处理差错 {cases} 笔",
			"报警 {alarms} 项",
			"{alarm}",
			"{signedOff}",
			"{plain}",
		],
		en: [
			"Ready",
			"Enter amount",
			"Reversals open: {count}",
			"Open cases: {cases}",
			"Alarms: {alarms}",
			"{alarm}",
			"{signedOff}",
			"{plain}",
		],
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
	refusedCardLeft: {
		zh: ["请先取走遗留卡片", "上一位顾客的卡片", "仍在读卡器中"],
		en: ["First take the card", "The last customer's", "is still in the", "reader"],
	},
	takeCard: { zh: ["请取走您的卡片", "卡片仍在读卡器中"], en: ["Take your card", "It is still in the", "reader"] },
	refusedStopped: { zh: ["终端已停止", "请重新启动"], en: ["Stopped", "Restart it"] },
	settling: { zh: ["正在批结算", "批次 {batch}", "请稍候"], en: ["Settling", "Batch {batch}", "Please wait"] },
	settleWaits: {
		zh: ["批结算未完成", "批次 {batch}", "{hold}", "可继续交易"],
		en: ["Not settled yet", "Batch {batch}", "{hold}", "Sales may go on"],
	},
	settled: {
		zh: ["批结算完成 {result}", "批次 {batch}", "共 {count} 笔", "金额 {amount}", "待处理差错 {cases} 笔"],
		en: ["Settled: {result}", "Batch {batch}", "Sales: {count}", "{amount}", "Open cases: {cases}"],
	},
	alarm: { zh: ["报警", "{alarm}", "{link}", "{advice}"], en: ["Alarm", "{alarm}", "{link}", "{advice}"] },
	casesFull: { zh: ["差错记录已满", "请联系技术支持"], en: ["Too many open cases", "Call support"] },
	caseFound: {
		zh: ["发现账务不一致", "差错 {case} 号", "金额 {amount}", "{card}", "流水号 {stan}", "正在自动处理"],
		en: ["Books differ", "Case {case}", "{amount}", "{card}", "Trace {stan}", "Being resolved"],
	},
	caseResend: {
		zh: ["主机无此笔 正在补送", "差错 {case} 号", "金额 {amount}", "{card}", "流水号 {stan}"],
		en: ["Host has lost it:", "sent again", "Case {case}", "{amount}", "{card}", "Trace {stan}"],
	},
	caseReverse: {
		zh: ["误扣款 正在冲正", "差错 {case} 号", "金额 {amount}", "{card}", "流水号 {stan}", "款项将自动退回"],
		en: ["Debited wrongly:", "being reversed", "Case {case}", "{amount}", "{card}", "Trace {stan}"],
	},
	caseClaim: {
		zh: ["未入账 已请款", "差错 {case} 号", "金额 {amount}", "{card}", "流水号 {stan}", "{reference}", "{until}"],
		en: [
			"Not credited:",
			"claimed by hand",
			"Case {case}",
			"{amount}",
			"{card}",
			"Trace {stan}",
			"{reference}",
			"{until}",
		],
	},
	caseClaimDifference: {
		zh: ["少入账 差额已请款", "差错 {case} 号", "差额 {amount}", "{card}", "流水号 {stan}", "{reference}", "{until}"],
		en: [
			"Credited too little:",
			"rest is claimed",
			"Case {case}",
			"{amount}",
			"{card}",
			"Trace {stan}",
			"{reference}",
			"{until}",
		],
	},
	caseCredit: {
		zh: ["误扣款 已申请退回", "差错 {case} 号", "金额 {amount}", "{card}", "流水号 {stan}", "{reference}", "{until}"],
		en: [
			"Debited wrongly:",
			"refund is asked for",
			"Case {case}",
			"{amount}",
			"{card}",
			"Trace {stan}",
			"{reference}",
			"{until}",
		],
	},
	caseCreditDifference: {
		zh: ["多扣款 差额申请退回", "差错 {case} 号", "差额 {amount}", "{card}", "流水号 {stan}", "{reference}", "{until}"],
		en: [
			"Debited too much:",
			"rest is asked back",
			"Case {case}",
			"{amount}",
			"{card}",
			"Trace {stan}",
			"{reference}",
			"{until}",
		],
	},
	caseFarSide: {
		zh: ["对方未到账 正在重送", "差错 {case} 号", "金额 {amount}", "{card}", "流水号 {stan}"],
		en: ["Far side failed:", "sent again", "Case {case}", "{amount}", "{card}", "Trace {stan}"],
	},
	casePending: {
		zh: ["银行处理中 尚未入账", "差错 {case} 号", "金额 {amount}", "流水号 {stan}"],
		en: ["Bank has it,", "not posted yet", "Case {case}", "{amount}", "Trace {stan}"],
	},
	caseOverdue: {
		zh: ["银行处理延迟", "差错 {case} 号", "金额 {amount}", "流水号 {stan}", "{reference}"],
		en: ["Bank is late", "Case {case}", "{amount}", "Trace {stan}", "{reference}"],
	},
	caseMerchantAccount: {
		zh: ["商户账户异常", "无法入账", "差错 {case} 号", "金额 {amount}", "流水号 {stan}", "请联系开户行"],
		en: ["Shop's account takes", "no posting", "Case {case}", "{amount}", "Trace {stan}", "Call your bank"],
	},
	caseOfflineDeclined: {
		zh: ["脱机交易被拒", "每日自动重试", "差错 {case} 号", "金额 {amount}", "{card}", "流水号 {stan}"],
		en: ["Offline sale refused", "Tried once a day", "Case {case}", "{amount}", "{card}", "Trace {stan}"],
	},
	caseAskUnknown: {
		zh: ["主机有未知扣款", "是否退回顾客？", "差错 {case} 号", "金额 {amount}", "{card}", "流水号 {stan}"],
		en: ["Debit unknown here:", "give it back?", "Case {case}", "{amount}", "{card}", "Trace {stan}"],
	},
	caseAskDoubled: {
		zh: ["同卡同额两笔交易", "是否误刷 退回一笔？", "差错 {case} 号", "金额 {amount}", "{card}", "流水号 {stan}"],
		en: ["Sold twice?", "Give one back?", "Case {case}", "{amount}", "{card}", "Trace {stan}"],
	},
	caseReversalStuck: {
		zh: [
			"冲正多次未成功",
			"差错 {case} 号",
			"金额 {amount}",
			"{card}",
			"流水号 {stan}",
			"仍在自动重试",
			"请联系收单机构",
		],
		en: [
			"Reversal not taken",
			"Case {case}",
			"{amount}",
			"{card}",
			"Trace {stan}",
			"Goes on by itself",
			"Call the acquirer",
		],
	},
	caseAdviceStuck: {
		zh: [
			"交易多次未送达",
			"差错 {case} 号",
			"金额 {amount}",
			"{card}",
			"流水号 {stan}",
			"仍在自动重试",
			"请联系收单机构",
		],
		en: [
			"Advice not taken",
			"Case {case}",
			"{amount}",
			"{card}",
			"Trace {stan}",
			"Goes on by itself",
			"Call the acquirer",
		],
	},
	caseUnbalanced: {
		zh: ["批结算不平", "差错 {case} 号", "批次 {batch}", "净额 {amount}", "明细已上送", "请与收单机构核对"],
		en: ["Batch not balanced", "Case {case}", "Batch {batch}", "Net {amount}", "List was uploaded", "Ask the acquirer"],
	},
	caseSupport: {
		zh: ["需人工处理", "差错 {case} 号", "金额 {amount}", "{card}", "流水号 {stan}", "{reference}", "请联系收单机构"],
		en: ["A person is needed", "Case {case}", "{amount}", "{card}", "Trace {stan}", "{reference}", "Call the acquirer"],
	},
	caseLoss: {
		zh: ["无法收回 记为损失", "差错 {case} 号", "金额 {amount}", "{card}", "流水号 {stan}"],
		en: ["Written off", "Case {case}", "{amount}", "{card}", "Trace {stan}"],
	},
	caseResolved: {
		zh: ["差错已解决", "差错 {case} 号", "金额 {amount}", "{card}", "流水号 {stan}"],
		en: ["Case resolved", "Case {case}", "{amount}", "{card}", "Trace {stan}"],
	},
	caseStands: {
		zh: ["已确认 两笔均有效", "差错 {case} 号", "金额 {amount}", "流水号 {stan}"],
		en: ["Confirmed: it stands", "Case {case}", "{amount}", "Trace {stan}"],
	},
	caseByHand: {
		zh: ["已人工解决", "差错 {case} 号", "金额 {amount}", "流水号 {stan}"],
		en: ["Settled by hand", "Case {case}", "{amount}", "Trace {stan}"],
	},
	printing: {
		zh: ["正在打印", "差错 {case} 号", "批次 {batch}", "流水号 {stan}"],
		en: ["Printing", "Case {case}", "Batch {batch}", "Trace {stan}"],
	},
	notPrinted: { zh: ["未打印", "请检查打印纸"], en: ["Not printed", "Check the paper"] },
	printFull: { zh: ["打印任务过多", "请稍候"], en: ["Too much to print", "Please wait"] },
	stillOpen: {
		zh: ["交易未结束", "请稍候", "流水号 {stan}"],
		en: ["Sale is under way", "Please wait", "Trace {stan}"],
	},
	settlementUnknown: {
		zh: ["无结算单可打印", "开机后尚未结算"],
		en: ["No settlement yet", "since the last start"],
	},
	caseUnknown: { zh: ["无此差错", "差错 {case} 号"], en: ["No such case", "Case {case}"] },
	noticeCharged: {
		zh: ["交易成功 已扣款", "请重打印签购单", "金额 {amount}", "{card}", "流水号 {stan}"],
		en: ["Approved: charged", "Reprint its slip", "{amount}", "{card}", "Trace {stan}"],
	},
	moneyReturned: {
		zh: ["款项已退回 未扣款", "差错 {case} 号", "金额 {amount}", "{card}", "流水号 {stan}"],
		en: ["Money returned", "Not charged", "Case {case}", "{amount}", "{card}", "Trace {stan}"],
	},
	querying: { zh: ["正在查询主机", "流水号 {stan}", "请稍候"], en: ["Asking the host", "Trace {stan}", "Please wait"] },
	queryFound: {
		zh: ["查询结果", "{local}", "金额 {amount}", "{card}", "流水号 {stan}", "{host}", "差错 {case} 号"],
		en: ["Found", "{local}", "{amount}", "{card}", "Trace {stan}", "{host}", "Case {case}"],
	},
	queryNone: { zh: ["终端无此交易", "流水号 {stan}", "{host}"], en: ["Not known here", "Trace {stan}", "{host}"] },
};

const PLAIN: Readonly<Record<Language, string>> = { zh: "线路未加密", en: "Link without TLS" };
const SIGNED_OFF: Readonly<Record<Language, string>> = { zh: "未签到", en: "Not signed on" };
const PRINTED: Readonly<Record<Language, readonly [string, string]>> = {
	zh: ["未确认打印", "已打印"],
	en: ["not confirmed", "printed"],
};

const RESULTS = {
	zh: { balanced: "平", unbalanced: "不平", error: "错" },
	en: { balanced: "balanced", unbalanced: "differs", error: "error" },
} as const;
const HOLDS = {
	zh: {
		underWay: "有交易未结束",
		undelivered: "请先确认上笔交易",
		noRoom: "存储空间不足",
		refused: "主机拒绝结算",
		differences: "正在核对差异",
	},
	en: {
		underWay: "A sale is under way",
		undelivered: "Confirm last sale",
		noRoom: "Memory full",
		refused: "Host refuses",
		differences: "Checking the books",
	},
} as const;

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

/** What an alarm says in one line: for a list. */
export function alarmTitle(name: AlarmName, language: Language): string {
	return ALARM_TEXTS[name][language][0];
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
		case "case":
			return numberOrNone(screen.caseId);
		case "cases":
			return numberOrNone(screen.cases);
		case "batch":
			return screen.batch === undefined ? undefined : stanText(screen.batch);
		case "reference":
			return screen.reference === undefined || screen.reference === "" ? undefined : screen.reference;
		case "until":
			return screen.expectedAt === undefined || screen.expectedAt === 0
				? undefined
				: untilText(screen.expectedAt, language);
		case "result":
			return screen.result === undefined ? undefined : RESULTS[language][screen.result];
		case "hold":
			return screen.hold === undefined ? undefined : HOLDS[language][screen.hold];
		case "alarm":
			return screen.alarm === undefined ? undefined : ALARM_TEXTS[screen.alarm][language][0];
		case "advice":
			return screen.alarm === undefined ? undefined : ALARM_TEXTS[screen.alarm][language][1];
		case "alarms":
			return numberOrNone(screen.alarms);
		case "link":
			return screen.link;
		case "local":
			return screen.local === undefined ? undefined : wordOf(LOCAL_TEXTS, screen.local, language);
		case "host":
			return screen.host === undefined ? undefined : wordOf(HOST_TEXTS, screen.host, language);
		case "signedOff":
			return signedOff === true ? SIGNED_OFF[language] : undefined;
		default:
			return undefined;
	}
}

function numberOrNone(value: number | undefined): string | undefined {
	return value === undefined || value === 0 ? undefined : `${value}`;
}

/** Day and time, local. */
function untilText(atMs: number, language: Language): string {
	const local = new Date(atMs + LOCAL_OFFSET_MS);
	const two = (value: number) => `${value}`.padStart(2, "0");
	const day = `${two(local.getUTCMonth() + 1)}-${two(local.getUTCDate())}`;
	const time = `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}`;
	return language === "zh" ? `预计 ${day} ${time}` : `by ${day} ${time}`;
}
