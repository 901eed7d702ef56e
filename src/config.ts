/**
 * Every limit and time-out of the firmware: its unit is in its name, its default and allowed range are in the table.
 * @module
 */
import { CodedError } from "./core/errors";

/** As package.json and manifest.json have it: evidence names the firmware that made it. */
export const FIRMWARE_VERSION = "0.6.1";

/** Local time of terminals and slips: UTC+8, no summer time. */
export const LOCAL_OFFSET_MS = 8 * 3_600_000;

/** Numbers with [default, least, greatest]. */
const NUMBERS = {
	/** Answer to an authorization. */
	answerTimeoutMs: [60_000, 1_000, 120_000],
	/** Answer to a reversal sent from the queue. */
	reversalTimeoutMs: [60_000, 1_000, 120_000],
	/** One link's time to connect. */
	connectTimeoutMs: [10_000, 100, 60_000],
	/** A connection idle for longer is opened anew before a sale: it may be dead without an error. */
	connectionIdleMsMax: [300_000, 1_000, 3_600_000],
	/** Exchanges in a row without an answer after which the connection is taken for dead. */
	silentExchangesMax: [2, 1, 10],
	/** From the first bytes of a frame to its last. */
	frameMsMax: [60_000, 1_000, 120_000],
	/** Answer to a sign-on or sign-off. */
	signOnTimeoutMs: [60_000, 1_000, 120_000],
	/** First repeat of a sign-on that failed; it doubles up to the greatest, with the jitter of the reversals. */
	signOnRepeatMs: [5_000, 100, 3_600_000],
	signOnRepeatMsMax: [300_000, 100, 86_400_000],
	/** The host says that keys differ, perhaps not the host: a sign-on for that reason at most this often. */
	keyTroubleMs: [60_000, 1_000, 3_600_000],
	/** Advices in flight at once. */
	windowMax: [16, 1, 16],
	/** Waiting reversals get this long, together, before a sale goes on. */
	reversalsBeforeSaleMs: [5_000, 0, 60_000],
	/** First repeat of a reversal; it doubles up to the greatest. */
	reversalRepeatMs: [5_000, 100, 3_600_000],
	reversalRepeatMsMax: [300_000, 100, 86_400_000],
	/** Jitter of the repeats, either way. */
	reversalJitterPercent: [20, 0, 50],
	/** A permanent refusal of a reversal is tried again this often. */
	reversalRefusedRepeatMs: [86_400_000, 1_000, 604_800_000],
	/** Tries after which a waiting reversal is also shown as needing a person. */
	reversalTriesAlarm: [16, 1, 65_535],
	/** How long a frame may lie in a network; the reversal is sent once more after it. */
	lateOriginalMs: [600_000, 1_000, 86_400_000],
	/** Doubts waiting at which new sales are refused without a manager. */
	doubtsMax: [5, 1, 64],
	/** Their sum, minor units. */
	doubtSumMinorMax: [500_000, 1, 999_999_999_999],
	/** Transactions kept in the index; bounds memory. */
	transactionsMax: [1_024, 64, 4_096],
	/** A batch closes itself here: its counts have three digits. */
	batchSalesMax: [990, 1, 990],
	/** Least and greatest amount of one sale, minor units. */
	saleMinorMin: [1, 1, 999_999_999_999],
	saleMinorMax: [100_000_000, 1, 999_999_999_999],
	/** How long the terminal waits for a card, and for a PIN. */
	cardTimeoutMs: [60_000, 5_000, 600_000],
	/** Whether a card that was left in the reader is still there. */
	cardLeftLookMs: [500, 100, 10_000],
	/** It is announced again this often. */
	cardLeftRepeatMs: [10_000, 1_000, 600_000],
	/** The chip's time for its verdict on an approval; after it the card has not consented. */
	verdictTimeoutMs: [10_000, 1_000, 60_000],
	/** A slip that is not reported printed by then is taken for not printed. */
	printTimeoutMs: [30_000, 1_000, 300_000],
	/** How long a result stays on the screen. */
	resultShownMs: [3_000, 0, 60_000],
	/** With a mirror, one block of the journal's two copies is compared this often while nobody is served. */
	scrubEveryMs: [60_000, 1_000, 86_400_000],
	/** A comparison with the host's books at least this often, while nobody is served. */
	syncEveryMs: [900_000, 1_000, 86_400_000],
	/** Answer to a request of sync or settlement. */
	syncTimeoutMs: [30_000, 1_000, 120_000],
	/** What the host says of one transaction, for a person who waits for it. */
	queryTimeoutMs: [20_000, 1_000, 120_000],
	/** The usual time from a sale to its posting, by the host's clock: what takes longer is overdue. */
	postingDueMs: [1_800_000, 0, 604_800_000],
	/** An overdue posting that a claim has not brought is asked about again after this. */
	overdueAgainMs: [86_400_000, 1_000, 604_800_000],
	/** Where a request at the host's desk stands, if it has named no time. */
	deskAskMs: [3_600_000, 1_000, 604_800_000],
	/** Whether the merchant's account takes postings again. */
	accountAskMs: [3_600_000, 1_000, 604_800_000],
	/** What is with support: whether the books agree by now. */
	supportAskMs: [86_400_000, 1_000, 604_800_000],
	/** Two sales of one card and one amount within this are asked about. */
	doubledMs: [300_000, 0, 3_600_000],
	/** The batch is settled by itself at this minute of the local day; −1: only by key, or when it is full. */
	settleAtMinute: [1_410, -1, 1_439],
	/** And with so many sales in it, or without room for so many more: before a customer has to wait for it. */
	settleAtSales: [900, 1, 990],
	settleRoomSales: [8, 0, 64],
	/** Open cases at most; a journal of few blocks holds fewer. */
	casesMax: [64, 4, 64],
	/** What the monitor watches is looked at this often, and after each sale. */
	monitorEveryMs: [30_000, 1_000, 3_600_000],
	/** An alarm is over when what it watches has been well again for this long. */
	alarmQuietMs: [60_000, 0, 3_600_000],
	/** Sales that are not posted though they should be: alarm from here on. */
	postingsLateMax: [1, 1, 256],
	/** Reversals and advices that wait, and for how long so many have to: alarm. */
	queueMax: [8, 1, 1_024],
	queueHeldMs: [60_000, 0, 3_600_000],
	/** The oldest of them waits longer: alarm. */
	queueAgeMsMax: [600_000, 1_000, 604_800_000],
	/** No connect over a link has worked for longer: alarm. */
	linkDownMsMax: [600_000, 1_000, 86_400_000],
	/** A link that did not connect is tried again after this, while nobody wants the line. */
	linkRetryMs: [300_000, 1_000, 86_400_000],
	/** More of the last 16 connects and exchanges of a link went wrong than usual, per mille of them: alarm. */
	linkWorsePermille: [312, 63, 1_000],
	/** An answer that takes longer than this, and four times the usual, is one that went wrong. */
	slowAnswerMs: [5_000, 100, 120_000],
	/** Wrong MACs within the window: alarm. */
	macFailuresMax: [3, 1, 8],
	macWindowMs: [900_000, 1_000, 86_400_000],
	/** Sales in a row declined with one code: alarm. Fewer, where it speaks of host or issuer; more, of the card. */
	declineRunMax: [8, 2, 255],
	declineRunSystemMax: [3, 2, 255],
	declineRunCardMax: [16, 2, 255],
	/** Erases of each block of flash, as wear is even: alarm. Chips are rated for 100,000. */
	flashErasesMax: [80_000, 1, 10_000_000],
	/** Worn out blocks: alarm. */
	flashRetiredMax: [1, 1, 64],
	/** Blocks mended from the other copy within the window: alarm. */
	flashMendedMax: [8, 1, 65_535],
	flashMendWindowMs: [86_400_000, 1_000, 604_800_000],
	/** The terminal's clock is off the host's by more: alarm. */
	clockOffMsMax: [300_000, 1_000, 86_400_000],
	/** Doubts, or their sum, of what is allowed: alarm. */
	doubtsNearPercent: [80, 1, 100],
	/** Sales of what a batch takes: alarm. More than at which it is settled by itself. */
	batchNearPercent: [95, 1, 100],
	/** What is needed, by the greatest lengths, of what the journal takes: alarm. At 100 it is full to four fifths or more. */
	journalNearPercent: [100, 1, 200],
	/** The host has promised an answer by a time that has passed by this: alarm. */
	promiseGraceMs: [600_000, 0, 604_800_000],
	/** A settlement takes longer: alarm. */
	settleWaitMsMax: [1_800_000, 1_000, 86_400_000],
	/** A boot that a device's error ended is tried again after this. */
	brokenRestartMs: [60_000, 1_000, 3_600_000],
	/** Pause between two blocks that are mended. */
	mendPauseMs: [1_000, 0, 60_000],
} as const satisfies Record<string, readonly [number, number, number]>;

/** "session": working keys under the terminal master key; "dukpt": AES-DUKPT, ANSI X9.24-3. */
export const KEY_SCHEMES = ["session", "dukpt"] as const;
export type KeySchemeName = (typeof KEY_SCHEMES)[number];

type NumberName = keyof typeof NUMBERS;

export type Config = { readonly [K in NumberName]: number } & {
	/** DE 41, 8 characters. */
	readonly terminalId: string;
	/** DE 42, 15 characters. */
	readonly merchantId: string;
	/** DE 49, 3 digits: ISO 4217. */
	readonly currency: string;
	/** DE 63 of a sign-on: who is at the terminal, 2 digits. */
	readonly operatorId: string;
	/** Where MAC and PIN keys come from: a sign-on brings them, or each exchange has its own. */
	readonly keyScheme: KeySchemeName;
	/** False switches the automatic reversals off: only to show what they are for. */
	readonly autoReversal: boolean;
	/** After the customer's slip the merchant's copy is printed, with a line to sign. */
	readonly merchantCopy: boolean;
	/** Links without TLS are used only when this says so, and then screen and log say it. */
	readonly plainLinks: boolean;
};

export type ConfigOptions = { [K in keyof Config]?: Config[K] };

/**
 * @returns the defaults with `options` laid over them
 * @throws {CodedError} "range" | "length" | "unknown" with the name of the setting
 */
export function makeConfig(options: ConfigOptions = {}): Config {
	const config: Record<string, number | string | boolean> = {
		terminalId: "12345678",
		merchantId: "123456789012345",
		currency: "156",
		operatorId: "01",
		keyScheme: "session",
		autoReversal: true,
		merchantCopy: false,
		plainLinks: false,
	};
	const names = Object.keys(NUMBERS) as NumberName[];
	for (const name of names) config[name] = NUMBERS[name][0];
	for (const [name, value] of Object.entries(options)) {
		if (!(name in config)) throw new CodedError("unknown", `config ${name}`);
		if (value === undefined) continue;
		if (typeof value !== typeof config[name]) throw new CodedError("format", `config ${name}`);
		config[name] = value;
	}
	for (const name of names) {
		const [, least, greatest] = NUMBERS[name];
		const value = config[name] as number;
		if (!Number.isSafeInteger(value) || value < least || value > greatest) {
			throw new CodedError("range", `config ${name}`, `${least} to ${greatest}`);
		}
	}
	checkText(config.terminalId as string, 8, "terminalId");
	checkText(config.merchantId as string, 15, "merchantId");
	if (!/^\d{3}$/.test(config.currency as string)) throw new CodedError("format", "config currency", "3 digits");
	if (!/^\d{2}$/.test(config.operatorId as string)) throw new CodedError("format", "config operatorId", "2 digits");
	if (!KEY_SCHEMES.includes(config.keyScheme as KeySchemeName)) throw new CodedError("unknown", "config keyScheme");
	return config as Config;
}

function checkText(text: string, length: number, name: string): void {
	if (text.length !== length) throw new CodedError("length", `config ${name}`, `${length} characters`);
	for (let i = 0; i < length; i++) {
		const code = text.charCodeAt(i);
		if (code < 0x20 || code > 0x7e) throw new CodedError("charset", `config ${name}`, `position ${i}`);
	}
}
