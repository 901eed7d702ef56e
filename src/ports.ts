/**
 * What the firmware needs from outside. Everything in `src/` takes time, randomness and devices through these
 * interfaces only (I12), so that the same code runs on a board, in the simulator and in a test.
 * @module
 */

/** Geometry of a flash partition. */
export interface FlashStatus {
	size: number;
	blockLength: number;
	blocks: number;
	writeAlign?: number;
	eraseValue?: number;
	encrypted?: boolean;
}

/** Instance interface of ECMA-419 `embedded:storage/flash`; every call is synchronous. */
export interface FlashPartition {
	/**
	 * `writeAlign` absent means 1, `eraseValue` absent means 0xFF; `encrypted`: the flash controller ciphers what is
	 * written, so that erased cells do not read as 0xFF. Units: bytes and blocks.
	 */
	status(): FlashStatus;
	/** New bytes at `byteOffset`. */
	read(byteLength: number, byteOffset: number): ArrayBuffer;
	/** Fills `buffer` from `byteOffset`. @returns bytes read */
	read(buffer: Uint8Array, byteOffset: number): number;
	/** Programs `buffer` at `byteOffset`: bits only go from 1 to 0. @throws on a device error */
	write(buffer: Uint8Array, byteOffset: number): void;
	/** Erases block `start`, or blocks `start` to `end` (exclusive). @throws on a device error */
	eraseBlock(start: number, end?: number): void;
	close(): void;
}

/** Wall time may jump; time-outs use `monotonic` only. */
export interface Clock {
	/** Wall time, ms since 1970-01-01 UTC. */
	now(): number;
	/** ms since boot; never goes back. */
	monotonic(): number;
	/** One shot. @returns an id for {@link clearTimer}, never 0 */
	setTimer(ms: number, callback: () => void): number;
	/** Clearing an id that has fired, or 0, does nothing. */
	clearTimer(id: number): void;
}

/** Callbacks of a connection; the shape of ECMA-419 TCP. */
export interface ConnectionOptions {
	/** Bytes are waiting; the count is a hint. */
	onReadable(byteCount: number): void;
	/** Connected, or room again; `byteCount` is what {@link Connection.write} accepts now. */
	onWritable(byteCount: number): void;
	/** The connection is gone, for whatever reason. Called at most once, never after `close()`. */
	onError(): void;
}

/** One connection over a link. */
export interface Connection {
	/** Up to `buffer.length` bytes. @returns bytes read, 0 when none wait */
	read(buffer: Uint8Array): number;
	/**
	 * All of `buffer` or nothing.
	 * @returns true when the bytes were taken; false when none was (closed, or no room)
	 */
	write(buffer: Uint8Array): boolean;
	/** May be called twice. */
	close(): void;
}

/** A way to the host: Wi-Fi, cellular, a socket on the desktop. */
export interface Link {
	/** For log and screen: "tcp", "wifi". */
	readonly name: string;
	/** True when the link carries TLS with both certificates; plain links are shown as such. */
	readonly secure: boolean;
	/** Why the last connection failed or ended, in a few words for the log; undefined where nothing is known. */
	why?(): string | undefined;
	/** Begins to connect; `onWritable` says when it stands, `onError` that it will not. */
	connect(options: ConnectionOptions): Connection;
}

/** Fills with random bytes of the platform's generator. */
export interface RandomSource {
	fill(bytes: Uint8Array): void;
}

/**
 * Names of what a terminal's key store holds: terminal master key, host authentication key, the key of what is sealed
 * in flash, the key registers of DUKPT, and the seed of the device's own key, which signs evidence. Working keys are not stored: a sign-on brings them anew.
 */
export type KeyName = "TMK" | "HAK" | "STORE" | "DUKPT" | "DEVICE";

/** Longest content of a key store's entry, bytes: the DUKPT registers. */
export const KEY_BYTES_MAX = 528;

/** Key store: an encrypted partition or a secure element on the board. Only `security/` reads and writes it. */
export interface KeyStore {
	/** Copies the key into `out`. @returns its length in bytes, 0 when there is none */
	read(name: KeyName, out: Uint8Array): number;
	/**
	 * Replaces a key: durable and whole when it returns; cut in between, the old one is still there.
	 * @param key - 1 to KEY_BYTES_MAX bytes, borrowed
	 * @throws on a device error
	 */
	write(name: KeyName, key: Uint8Array): void;
}

/** How the card's data was read: first two digits of DE 22. */
export type EntryMode = "chip" | "magstripe" | "contactless";

/** What a reader hands over. The reader may reuse the object: the firmware keeps nothing of it. */
export interface CardData {
	entryMode: EntryMode;
	/** Card number, digits only. */
	pan: string;
	/** YYMM. */
	expiry: string;
	/** Card sequence number, 3 digits, chip and contactless only. */
	sequence?: string;
	/** Track 2 with `D` as separator. */
	track2?: string;
	/** EMV data, BER-TLV, at most 255 bytes. */
	emv?: Uint8Array;
	/** The card or the limit asks for a PIN. */
	pinWanted: boolean;
}

/** Callbacks of one card session. */
export interface CardSessionOptions {
	amountMinor: number;
	/** YYMMDDhhmmss of the terminal, for the cryptogram. */
	time: string;
	onCard(card: CardData): void;
	/** Unreadable, pulled too early, reader broken. `reason` is a word for the log. */
	onError(reason: string): void;
}

/** The card's own verdict on the host's approval: TC consents, AAC refuses. Source: EMV Book 3, §6.6.3. */
export type CardVerdict = "TC" | "AAC";

/** The reader module with its EMV kernel. One session at a time. */
export interface CardReader {
	start(options: CardSessionOptions): void;
	/**
	 * Second GENERATE AC of a contact chip, with the issuer data (DE 55 of the answer).
	 * Synchronous for readers that answer at once; calls back exactly once.
	 */
	complete(issuerData: Uint8Array, onVerdict: (verdict: CardVerdict) => void): void;
	/** Ends the session; may be called at any time, twice, or without one. */
	stop(): void;
	/** True while a card is in the slot, with or without a session; absent on readers that cannot tell. */
	cardInside?(): boolean;
}

/** PIN entry of the keypad. */
export interface Keypad {
	/**
	 * Asks for a PIN of 4–12 digits. `onPin` gets ASCII digits the callee must zero; undefined is cancel.
	 */
	requestPin(amountMinor: number, onPin: (pin: Uint8Array | undefined) => void): void;
	/** Ends a request; no callback follows. */
	cancelPin(): void;
}

/** Every screen the firmware shows; `ui/texts.ts` has the words for each. */
export type ScreenName =
	| "ready"
	| "outOfService"
	| "sendingReversals"
	| "signingOn"
	| "signOnFailed"
	| "keysWrong"
	| "signedOff"
	| "connecting"
	| "presentCard"
	| "enterPin"
	| "waitForHost"
	| "approved"
	| "approvedNoPaper"
	| "declined"
	| "cardRefused"
	| "notSent"
	| "noAnswer"
	| "cardUnreadable"
	| "cardInvalid"
	| "cardExpired"
	| "cancelled"
	| "noLink"
	| "interrupted"
	| "askDelivered"
	| "deliveredNoted"
	| "reversalStarted"
	| "reversalDone"
	| "reversalRefused"
	| "refusedBusy"
	| "refusedAmount"
	| "refusedDelivery"
	| "refusedDoubts"
	| "refusedFull"
	| "refusedBatch"
	| "refusedKeys"
	| "refusedStopped"
	| "refusedCardLeft"
	| "takeCard"
	| "settling"
	| "settleWaits"
	| "settled"
	| "alarm"
	| "casesFull"
	| "caseFound"
	| "caseResend"
	| "caseReverse"
	| "caseClaim"
	| "caseClaimDifference"
	| "caseCredit"
	| "caseCreditDifference"
	| "caseFarSide"
	| "casePending"
	| "caseOverdue"
	| "caseMerchantAccount"
	| "caseOfflineDeclined"
	| "caseAskUnknown"
	| "caseAskDoubled"
	| "caseReversalStuck"
	| "caseAdviceStuck"
	| "caseUnbalanced"
	| "caseSupport"
	| "caseLoss"
	| "caseResolved"
	| "caseStands"
	| "caseByHand"
	| "printing"
	| "notPrinted"
	| "printFull"
	| "stillOpen"
	| "settlementUnknown"
	| "caseUnknown"
	| "noticeCharged"
	| "moneyReturned"
	| "querying"
	| "queryFound"
	| "queryNone";

/** Why a batch is not settled yet. */
export type SettleHold = "underWay" | "undelivered" | "noRoom" | "refused" | "differences";

/** What the monitor tells of; settlement/monitor-rules.ts says when, ui/alarm-texts.ts what to do about it. */
export type AlarmName =
	| "linkDown"
	| "linkWorse"
	| "macFailures"
	| "declines"
	| "queueGrows"
	| "queueOld"
	| "doubtsNear"
	| "postingLate"
	| "accountRefused"
	| "doubled"
	| "casesOverdue"
	| "casesFull"
	| "batchNear"
	| "journalNear"
	| "settleWaits"
	| "clockOff"
	| "flashCopyLost"
	| "flashMended"
	| "flashRetired"
	| "flashWorn";

/** A screen as data; `ui/` turns it into lines of text in two languages. */
export interface Screen {
	/** Key of the text table. */
	readonly name: ScreenName;
	readonly stan?: number;
	readonly amountMinor?: number;
	/** Masked card number. */
	readonly card?: string;
	/** Response code of the host, two characters. */
	readonly code?: string;
	/** What people are told about their money; the till of the simulator writes it down. */
	readonly told?: Told;
	/** Whether the slip is known to have been printed. */
	readonly printed?: boolean;
	/** The link to the host has no TLS. */
	readonly plain?: boolean;
	/** The terminal is not signed on with its host. */
	readonly signedOff?: boolean;
	/** Counts, e.g. doubts waiting. */
	readonly count?: number;
	/** Number of a case. */
	readonly caseId?: number;
	/** Cases that are open. */
	readonly cases?: number;
	/** The host's reference of a request. */
	readonly reference?: string;
	/** By when the host means to have done it, ms since 1970. */
	readonly expectedAt?: number;
	/** Of a settlement. */
	readonly batch?: number;
	/** What the host makes of a batch. */
	readonly result?: "balanced" | "unbalanced" | "error";
	readonly hold?: SettleHold;
	readonly alarm?: AlarmName;
	/** Alarms that are raised; then `alarm` is the most severe one. */
	readonly alarms?: number;
	/** Name of a link. */
	readonly link?: string;
	/** What this terminal says of a transaction, and what its host says; see settlement/query.ts. */
	readonly local?: string;
	readonly host?: string;
}

/** What a customer is told: charged, or not charged (net zero once at rest). */
export type Told = "paid" | "notCharged";

export interface Display {
	show(screen: Screen): void;
}

/** Who keeps a slip. */
export type SlipCopy = "merchant" | "customer";

/** What was sold, for the customer: a resend is the sale it stands for. */
export type SlipKind = "sale" | "offlineSale" | "refund";

/** What every slip has. */
interface SlipHead {
	readonly copy: SlipCopy;
	readonly reprint: boolean;
	readonly terminalId: string;
	readonly merchantId: string;
	/** ms since 1970: of a sale the terminal's time of it, of other slips when they were made. */
	readonly time: number;
}

/**
 * One transaction on paper: its sales slip (签购单), or what became of it. returning: what the card may have been debited
 * is on its way back. returned: it is back.
 */
export interface MoneySlip extends SlipHead {
	readonly name: "sale" | "notCharged" | "returning" | "returned";
	readonly stan: number;
	readonly batch: number;
	readonly amountMinor: number;
	/** Masked; empty where it is not known. */
	readonly card: string;
	/** Empty where there is none. */
	readonly rrn: string;
	/** Empty where there is none. */
	readonly authorization: string;
	/** What it tells of the money, for a sale; a refund tells nothing new of its sale. */
	readonly told?: Told;
	readonly kind?: SlipKind;
	readonly entryMode?: EntryMode;
	readonly operatorId?: string;
	/** The card's PIN was asked for. */
	readonly withPin?: boolean;
	/** Response code that says why it is not charged. */
	readonly code?: string;
	/** What is given back, where it is not all of it. */
	readonly returnMinor?: number;
	/** Case that gives it back, 0 for none. */
	readonly caseId?: number;
	/** The host's reference for that. */
	readonly reference?: string;
	/** By when the host means to have given it back, ms since 1970; 0: it has named no time. */
	readonly expectedAt?: number;
}

/** What was asked of the host for a case, and what it has answered. Times are the host's, ms since 1970, 0 for none. */
export interface SlipRequest {
	/** A step of settlement/remedies.ts: "claim", "credit", "farSide", "resend", "reverse". */
	readonly what: string;
	readonly amountMinor: number;
	readonly askedAt: number;
	/** A state of settlement/case-records.ts: "none" before the first answer. */
	readonly answer: string;
	readonly answeredAt: number;
	/** The host's number, 0 for none. */
	readonly reason: number;
	/** Empty before the first answer. */
	readonly reference: string;
	readonly expectedAt: number;
}

/** A case on paper, for whoever talks to the bank about it (S17). Names are those of the tables in settlement/. */
export interface CaseSlip extends SlipHead {
	readonly name: "case";
	readonly told?: undefined;
	readonly caseId: number;
	readonly row: string;
	readonly cause: string;
	readonly facts: readonly string[];
	readonly state: string;
	readonly outcome: string;
	/** Whose move it is. */
	readonly mover: string;
	readonly batch: number;
	readonly stan: number;
	readonly card: string;
	readonly rrn: string;
	/** As this terminal has it, 0: no record here. */
	readonly amountMinor: number;
	/** As the host has it; undefined: it knows of none. */
	readonly hostMinor?: number;
	/** Host's time, as all of these, ms since 1970; 0: not known. */
	readonly openedAt: number;
	readonly request?: SlipRequest;
	/** When it is looked at next; 0: at once, or never again. */
	readonly nextAt: number;
}

/** Count and sum, minor units. */
export interface SlipSum {
	readonly count: number;
	readonly sumMinor: number;
}

/** A transaction that is not as it should be, in a list. */
export interface SlipLine {
	readonly stan: number;
	readonly amountMinor: number;
	/** Of a difference its row (settlement/finding.ts), of what is carried its state (transactions/states.ts). */
	readonly what: string;
	/** 0: it is being checked, and no case yet; or only carried. */
	readonly caseId: number;
	/** State of the case, "" without one. */
	readonly state: string;
}

/** A batch that was settled (结算单), taken apart to the single transaction where it does not balance. */
export interface SettlementSlip extends SlipHead {
	readonly name: "settlement";
	readonly told?: undefined;
	readonly batch: number;
	/** undefined: the host has not said. */
	readonly result?: "balanced" | "unbalanced" | "error";
	readonly sales: SlipSum;
	readonly offlineSales: SlipSum;
	readonly refunds: SlipSum;
	/** The host's totals, where it has told them: debits and credits. */
	readonly hostDebits?: SlipSum;
	readonly hostCredits?: SlipSum;
	/** Doubts and advices that go on under this batch. */
	readonly carried: readonly SlipLine[];
	readonly carriedCount: number;
	/** What differs from the host's books. */
	readonly differences: readonly SlipLine[];
	readonly differencesCount: number;
	/** Cases of all batches that are open. */
	readonly openCases: number;
	/** Recorded at the host, and still to be seen posted. */
	readonly watched: number;
}

/** A slip as data; `ui/` turns it into lines of text in two languages. */
export type Slip = MoneySlip | CaseSlip | SettlementSlip;

export interface Printer {
	/**
	 * `onDone(true)`: paper carries the slip; `onDone(false)`: no paper, broken, or still busy with another slip. Calls
	 * back exactly once and never inside the call.
	 */
	print(slip: Slip, onDone: (printed: boolean) => void): void;
}

/** Log levels as ESP-IDF has them. */
export type LogLevel = "E" | "W" | "I" | "D" | "V";

/** A line goes to serial or the desktop's console; `tag` is the module. */
export interface LogSink {
	write(level: LogLevel, uptimeMs: number, tag: string, text: string): void;
}

/** Everything outside a terminal, as one plain object. A power cut is this object going dead. */
export interface Device {
	/**
	 * `mirror` holds a second copy of the journal, on another chip where there is one; same geometry. `evidence` holds masked
	 * frames: a terminal works without it; see settlement/EVIDENCE.md.
	 */
	flash: { journal: FlashPartition; mirror?: FlashPartition; evidence?: FlashPartition };
	links: Link[];
	clock: Clock;
	random: RandomSource;
	keys: KeyStore;
	reader: CardReader;
	keypad: Keypad;
	display: Display;
	printer: Printer;
	log: LogSink;
	/** The firmware asks for a restart: a failed assertion, or the end of its life. */
	restart(reason: string): void;
}
