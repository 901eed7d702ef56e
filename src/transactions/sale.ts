/**
 * One sale, from the amount to the slip: asks the card, the PIN, makes the intent durable, sends, and does what the
 * transition table says (I1, I2). Holds the card's data in memory only, and only until the request is built (I9).
 * @module
 */

import { type Config, LOCAL_OFFSET_MS } from "../config";
import { assert } from "../core/assert";
import { CodedError } from "../core/errors";
import { luhnValid } from "../core/luhn";
import type { MessageDecoder } from "../iso8583/decoder";
import type { ExchangeEnd, Exchanger, KeyHold } from "../iso8583/exchange";
import { responseText } from "../iso8583/response-codes";
import type { CardData, Device, MoneySlip, Screen } from "../ports";
import type { KeyScheme } from "../security/key-scheme";
import { entryModeDigits, field60Rest, type MessageBuilder, readOutcome, terminalTime } from "./messages";
import { Flag, type Intent, intentSeconds, maskedCard, type Outcome } from "./records";
import { QUEUE_MAX, type ReversalQueue } from "./reversal-queue";
import type { Reversals } from "./reversals";
import { saleSlip } from "./sale-slip";
import type { Act, Event } from "./states";
import type { TransactionLog } from "./transaction-log";

/** Why a sale is not begun; each has a screen. */
export type Refusal =
	| "refusedBusy"
	| "refusedAmount"
	| "refusedDelivery"
	| "refusedDoubts"
	| "refusedFull"
	| "refusedBatch"
	| "refusedKeys"
	| "refusedCardLeft"
	| "refusedStopped";

/** Where a sale stands; "idle" between sales. */
export type SalePhase =
	| "idle"
	| "reversals"
	| "signOn"
	| "card"
	| "pin"
	| "connecting"
	| "host"
	| "verdict"
	| "printing"
	| "paper";

export interface SaleOptions {
	device: Device;
	config: Config;
	log: TransactionLog;
	queue: ReversalQueue;
	reversals: Reversals;
	exchanger: Exchanger & KeyHold;
	messages: MessageBuilder;
	scheme: KeyScheme;
	/** What to show when there is no line, or no sign-on over it. */
	notSignedOn(): Screen;
	/** The host has answered with this code; what follows from it is not done yet. */
	onAnswered(code: string): void;
	/** The customer has the slip. */
	onPrinted(slip: MoneySlip): void;
	/** The sale is over, whatever came of it. */
	onEnd(): void;
}

/** Nothing has been sent for this sale. */
const CANCELLABLE: readonly SalePhase[] = ["reversals", "signOn", "card", "pin"];
/** Timers of a board are up to this early: an end within it is the time-out, not a line that was lost. */
const TIMER_SLACK_MS = 50;
/** Issuer data of an answer without DE 55. */
const NO_ISSUER_DATA = new Uint8Array(0);

export class Sale {
	readonly #o: SaleOptions;
	readonly #pinBlock: Uint8Array;
	#phase: SalePhase = "idle";
	/** Counts sales, so that a callback of an older one is nobody's. */
	#serial = 0;
	#amountMinor = 0;
	#card: CardData | undefined;
	#withPin = false;
	#id = 0;
	/** Uptime at the sending, and what was wrong with the flash by then: facts for the outcome. */
	#sentMs = 0;
	#flashFaults = 0;
	/** Of the step under way: card, PIN, verdict or paper. */
	#timer = 0;
	/** The host has answered, and what it said has its turn next. */
	#answerWaits = false;

	/** The keys of this sale's exchange; 0 before they are taken and once the exchange has them. */
	#ticket = 0;

	constructor(options: SaleOptions) {
		this.#o = options;
		this.#pinBlock = new Uint8Array(options.scheme.pinBlockBytes);
	}

	get phase(): SalePhase {
		return this.#phase;
	}

	/** True while the answer to this sale is known and not durable yet: what else comes has to wait for it. */
	get answerWaits(): boolean {
		return this.#answerWaits;
	}

	/** @returns why not, or undefined when the sale has begun */
	begin(amountMinor: number, managerApproves: boolean): Refusal | undefined {
		const { config, log, queue, scheme, device } = this.#o;
		if (this.#phase !== "idle") return "refusedBusy";
		const whole = Number.isSafeInteger(amountMinor);
		if (!whole || amountMinor < config.saleMinorMin || amountMinor > config.saleMinorMax) return "refusedAmount";
		if (!scheme.provisioned() || !log.sealReady) return "refusedKeys";
		const limited = log.doubts >= config.doubtsMax || log.doubtSumMinor >= config.doubtSumMinorMax;
		if (limited && !managerApproves) return "refusedDoubts";
		if (log.doubts >= QUEUE_MAX - 1 || queue.count >= QUEUE_MAX - 1) return "refusedDoubts";
		if (log.batchSales >= config.batchSalesMax) return "refusedBatch";
		if (!log.prepare()) return "refusedFull";
		if (limited) this.log("W", `manager goes on with ${log.doubts} doubts`);
		this.#serial++;
		this.#amountMinor = amountMinor;
		this.#phase = "reversals";
		const waiting = queue.due(device.clock.monotonic()) !== 0;
		if (waiting && config.autoReversal) this.show({ name: "sendingReversals", count: log.doubts });
		this.#o.reversals.beforeSale(
			config.reversalsBeforeSaleMs,
			this.mine(() => this.signedOn()),
		);
		return undefined;
	}

	/** Keys and batch are there before the card is asked for; from then on they stay as they are. */
	private signedOn(): void {
		const { exchanger } = this.#o;
		const go = () => {
			exchanger.hold();
			this.askCard();
		};
		if (exchanger.ready) {
			go();
			return;
		}
		this.#phase = "signOn";
		this.show({ name: "signingOn", amountMinor: this.#amountMinor });
		exchanger.connect(
			this.mine((connected: boolean) => {
				if (this.#phase !== "signOn") return;
				if (!connected) this.over(this.#o.notSignedOn());
				// The batch of a terminal that was just provisioned has come with the sign-on: there is room for it.
				else go();
			}),
		);
	}

	/** The operator's cancel key: works until the request is sent. @returns false when it is too late */
	cancel(): boolean {
		if (this.#phase === "idle") return true;
		if (!CANCELLABLE.includes(this.#phase)) return false;
		this.#o.device.keypad.cancelPin();
		this.over({ name: "cancelled", amountMinor: this.#amountMinor });
		return true;
	}

	/** The operator has read the approval that could not be printed. */
	acknowledge(): void {
		if (this.#phase !== "paper") return;
		this.#o.log.apply(this.#id, "deliver");
		this.over(undefined);
	}

	private askCard(): void {
		const { device } = this.#o;
		this.#phase = "card";
		this.show({ name: "presentCard", amountMinor: this.#amountMinor });
		this.within(this.#o.config.cardTimeoutMs, () => this.cancel());
		const serial = this.#serial;
		device.reader.start({
			amountMinor: this.#amountMinor,
			time: terminalTime(device.clock.now()),
			onCard: (card) => {
				if (serial === this.#serial && this.#phase === "card") this.gotCard(card);
			},
			onError: (reason) => {
				if (serial !== this.#serial || this.#phase !== "card") return;
				this.log("W", `card not read: ${reason}`);
				this.over({ name: "cardUnreadable" });
			},
		});
	}

	private gotCard(card: CardData): void {
		const { device } = this.#o;
		const wrong = checkCard(card, device.clock.now());
		if (wrong !== undefined) {
			this.log("W", `card not taken: ${wrong}`);
			this.over({ name: wrong });
			return;
		}
		this.#card = card;
		this.#withPin = false;
		if (!card.pinWanted) {
			this.connect();
			return;
		}
		this.#phase = "pin";
		this.show({ name: "enterPin", amountMinor: this.#amountMinor });
		this.within(this.#o.config.cardTimeoutMs, () => this.cancel());
		const serial = this.#serial;
		device.keypad.requestPin(this.#amountMinor, (pin) => {
			if (serial !== this.#serial || this.#phase !== "pin") {
				pin?.fill(0);
				return;
			}
			this.gotPin(card, pin);
		});
	}

	private gotPin(card: CardData, pin: Uint8Array | undefined): void {
		if (pin === undefined) {
			this.over({ name: "cancelled", amountMinor: this.#amountMinor });
			return;
		}
		if (!this.takeKeys()) {
			pin.fill(0);
			return;
		}
		try {
			this.#o.scheme.pinBlock(pin, card.pan, this.#pinBlock);
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			this.log("W", `PIN not taken: ${error.code}`);
			this.over({ name: "cardInvalid" });
			return;
		} finally {
			pin.fill(0);
		}
		this.#withPin = true;
		this.connect();
	}

	/** PIN block, request and answer are under the same keys. @returns false when there are none: the sale is over */
	private takeKeys(): boolean {
		const { scheme } = this.#o;
		try {
			if (this.#ticket === 0) this.#ticket = scheme.open();
		} catch (error) {
			// A key counter that cannot be reserved now: nothing is durable, nothing was sent.
			if (!(error instanceof CodedError)) throw error;
			this.log("E", `no keys for a sale: ${error.message}`);
			this.over({ name: "keysWrong" });
			return false;
		}
		scheme.use(this.#ticket);
		return true;
	}

	private connect(): void {
		this.noTimer();
		this.#phase = "connecting";
		this.show({ name: "connecting", amountMinor: this.#amountMinor });
		this.#o.exchanger.connect(
			this.mine((connected: boolean) => {
				// A turn of its own: on a line that stands this is called from deep inside, and a board's stack is small.
				if (connected) this.within(0, () => this.send());
				else this.over(this.#o.notSignedOn()); // Nothing durable, nothing sent: nothing to undo.
			}),
		);
	}

	private send(): void {
		const { device, log, messages, exchanger, config } = this.#o;
		const card = this.#card;
		assert(card !== undefined, "I1 a sale has a card before it is sent");
		const sale = {
			amountMinor: this.#amountMinor,
			timeS: intentSeconds(device.clock.now()),
			entryMode: entryModeDigits(card.entryMode, this.#withPin),
			condition: "00",
			field60Rest: field60Rest(card.entryMode),
		};
		if (!this.takeKeys()) return;
		this.#flashFaults = flashFaults(log);
		this.#id = log.begin(sale, card);
		this.#phase = "host";
		const intent = log.intent(this.#id);
		this.#sentMs = device.clock.monotonic();
		let byteLength = 0;
		try {
			byteLength = messages.sale(intent, card, this.#ticket, this.#withPin ? this.#pinBlock : undefined);
		} catch (error) {
			// Card data that fits no field: not one byte leaves.
			if (!(error instanceof CodedError)) throw error;
			this.log("W", `request not built: ${error.message}`);
			this.forgetCard(messages);
			this.act(this.apply("unsent"), intent);
			return;
		}
		this.show({ name: "waitForHost", amountMinor: this.#amountMinor, stan: intent.stan });
		this.log("I", `sale stan=${intent.stan} ${maskedCard(intent)} sent`);
		const contactChip = card.entryMode === "chip";
		const expected = messages.saleAnswer(intent, this.#ticket);
		this.#ticket = 0; // The exchange closes it.
		const serial = this.#serial;
		exchanger.request(messages.frame, byteLength, expected, config.answerTimeoutMs, (end, answer) => {
			if (serial === this.#serial && this.#phase === "host") this.ended(end, answer, intent, contactChip);
		});
		this.forgetCard(messages);
	}

	/** Track data, PIN block and chip data have been sent: nothing of them stays (I9). */
	private forgetCard(messages: MessageBuilder): void {
		this.#card = undefined;
		this.#pinBlock.fill(0);
		messages.frame.fill(0);
	}

	private ended(end: ExchangeEnd, answer: MessageDecoder, intent: Intent, contactChip: boolean): void {
		this.#o.exchanger.release();
		switch (end) {
			case "unsent":
				this.act(this.apply("unsent"), intent);
				return;
			case "noAnswer": {
				const waitedMs = this.#o.device.clock.monotonic() - this.#sentMs;
				const lost = waitedMs < this.#o.config.answerTimeoutMs - TIMER_SLACK_MS;
				this.act(this.apply("noAnswer", lost ? Flag.lineLost : 0), intent);
				return;
			}
			case "badMac":
				this.act(this.apply("badMac", Flag.badMac), intent);
				return;
			case "amountDiffers":
				this.log("E", `answer to stan=${intent.stan} carries another amount`);
				this.act(this.apply("amountDiffers", Flag.amountDiffers), intent);
				return;
			case "answer": {
				// The answer is borrowed; what is done with it has a turn of its own, as the sending has.
				const outcome = readOutcome(answer);
				const data = issuerData(answer);
				this.#answerWaits = true;
				this.within(0, () => {
					this.#answerWaits = false;
					this.answered(outcome, data, intent, contactChip);
				});
			}
		}
	}

	private answered(outcome: Outcome, issuerData: Uint8Array, intent: Intent, contactChip: boolean): void {
		const { class: verdict } = responseText(outcome.code);
		this.log("I", `sale stan=${intent.stan} answered ${outcome.code}`);
		this.#o.onAnswered(outcome.code);
		if (verdict === "declined") {
			this.act(this.apply("decline", 0, outcome), intent, outcome);
		} else if (verdict === "partial" || verdict === "unheard") {
			this.act(this.apply("refuse"), intent);
		} else if (!contactChip) {
			this.act(this.apply("approve", 0, outcome), intent, outcome);
		} else {
			// The host's approval is an outcome only with the card's own consent.
			this.#phase = "verdict";
			const refused = (why: string, flags = 0) => {
				this.log("W", `stan=${intent.stan}: ${why}`);
				this.act(this.apply("refuse", flags), intent, undefined, "cardRefused");
			};
			const { verdictTimeoutMs } = this.#o.config;
			this.within(verdictTimeoutMs, () => refused("the card gave no verdict", Flag.deviceFault));
			const serial = this.#serial;
			this.#o.device.reader.complete(issuerData, (consent) => {
				if (serial !== this.#serial || this.#phase !== "verdict") return;
				this.noTimer();
				if (consent === "TC") this.act(this.apply("approve", 0, outcome), intent, outcome);
				else refused("the card refused the approval");
			});
		}
	}

	/** @param flags - facts that are durable with it; what has become of the flash is one */
	private apply(event: Event, flags = 0, outcome?: Outcome): Act {
		const { log } = this.#o;
		const failed = flashFaults(log) !== this.#flashFaults ? Flag.deviceFault : 0;
		return log.apply(this.#id, event, { outcome, flags: flags | failed });
	}

	/** What the table asks for; everything it tells is durable by now. */
	private act(act: Act, intent: Intent, outcome?: Outcome, reversing: "noAnswer" | "cardRefused" = "noAnswer"): void {
		const { stan, amountMinor } = intent;
		const card = maskedCard(intent);
		switch (act) {
			case "deliver":
				this.deliver(intent, outcome);
				return;
			case "tellDeclined": {
				const code = outcome?.code ?? "";
				this.over({ name: "declined", stan, amountMinor, card, code, told: "notCharged" });
				return;
			}
			case "tellNotSent":
				this.over({ name: "notSent", stan, amountMinor, card, told: "notCharged" });
				return;
			case "tellReversing":
				this.#o.reversals.add(this.#id);
				this.over({ name: reversing, stan, amountMinor, card, told: "notCharged" });
				return;
			default:
				assert(false, `I2 a sale does not ${act}`);
		}
	}

	private deliver(intent: Intent, outcome: Outcome | undefined): void {
		const { device } = this.#o;
		this.#phase = "printing";
		device.reader.stop();
		const { stan, amountMinor } = intent;
		const card = maskedCard(intent);
		this.show({ name: "approved", stan, amountMinor, card, told: "paid" });
		const slip = saleSlip(intent, outcome, this.#o.config);
		const noPaper = () => {
			this.#phase = "paper";
			this.#o.reversals.resume(); // The line is free, and the operator may be long in coming.
			this.show({ name: "approvedNoPaper", stan, amountMinor, card, told: "paid" });
		};
		this.within(this.#o.config.printTimeoutMs, noPaper);
		device.printer.print(
			slip,
			this.mine((printed: boolean) => {
				this.noTimer();
				if (printed) {
					this.#o.log.apply(this.#id, "deliver");
					this.over(undefined);
					this.#o.onPrinted(slip);
				} else noPaper();
			}),
		);
	}

	/** The step under way has a limit of its own. */
	private within(ms: number, onLate: () => void): void {
		this.noTimer();
		this.#timer = this.#o.device.clock.setTimer(ms, this.mine(onLate));
	}

	private noTimer(): void {
		this.#o.device.clock.clearTimer(this.#timer);
		this.#timer = 0;
	}

	/** A callback that counts only while this sale is the one under way. */
	private mine<A extends unknown[]>(callback: (...args: A) => void): (...args: A) => void {
		const serial = this.#serial;
		return (...args) => {
			if (serial === this.#serial && this.#phase !== "idle") callback(...args);
		};
	}

	private over(screen: Screen | undefined): void {
		this.#phase = "idle";
		this.#answerWaits = false;
		this.#serial++;
		this.noTimer();
		this.#card = undefined;
		this.#pinBlock.fill(0);
		if (this.#ticket !== 0) this.#o.scheme.close(this.#ticket);
		this.#ticket = 0;
		this.#o.device.reader.stop();
		this.#o.exchanger.release();
		if (screen !== undefined) this.show(screen);
		this.#o.onEnd();
	}

	private show(screen: Screen): void {
		this.#o.device.display.show(screen);
	}

	private log(level: "I" | "W" | "E", text: string): void {
		this.#o.device.log.write(level, this.#o.device.clock.monotonic(), "sale", text);
	}
}

function issuerData(answer: MessageDecoder): Uint8Array {
	return answer.has(55) ? answer.bytes(55).slice() : NO_ISSUER_DATA;
}

/** @returns the screen that says what is wrong with the card, or undefined */
export function checkCard(card: CardData, nowMs: number): "cardInvalid" | "cardExpired" | undefined {
	if (!luhnValid(card.pan) || !/^\d{2}(0[1-9]|1[0-2])$/.test(card.expiry)) return "cardInvalid";
	if (card.sequence !== undefined && !/^\d{3}$/.test(card.sequence)) return "cardInvalid";
	// Track 2 of another card would be sent under this number: ISO/IEC 7813, §7.
	if (card.track2 !== undefined && !card.track2.startsWith(`${card.pan}D`)) return "cardInvalid";
	const now = new Date(nowMs + LOCAL_OFFSET_MS);
	const month = (now.getUTCFullYear() % 100) * 12 + now.getUTCMonth();
	const last = Number(card.expiry.slice(0, 2)) * 12 + Number(card.expiry.slice(2)) - 1;
	return last < month ? "cardExpired" : undefined;
}

/** Changes when flash has lost a block, or one of its copies. */
function flashFaults(log: TransactionLog): number {
	const { retiredBlocks, lostCopy } = log.journal;
	return 4 * retiredBlocks + lostCopy + 1;
}
