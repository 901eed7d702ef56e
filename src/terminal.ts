/**
 * A terminal, composed from a device: the same call on the board, in the simulator and in a test. It mounts the
 * journal, settles what the last power cut left open, and sells.
 *
 * A failed assertion or a flash that gives up restarts the terminal; the journal knows the rest.
 * @module
 */

import type { Config } from "./config";
import { assert } from "./core/assert";
import { readU32 } from "./core/bytes";
import { CodedError } from "./core/errors";
import { failDevice, guardDevice } from "./guarded-device";
import { HostExchange } from "./host/host-exchange";
import type { MessageDecoder } from "./iso8583/decoder";
import { responseText } from "./iso8583/response-codes";
import { UNIONPAY } from "./iso8583/unionpay";
import type { MountStatus } from "./journal/headers";
import type { Device, Screen } from "./ports";
import { CardSeal } from "./security/card-seal";
import { WorkingKeyScheme } from "./security/key-scheme";
import { isSaleAnswer, MessageBuilder } from "./transactions/messages";
import { maskedCard } from "./transactions/records";
import { ReversalQueue } from "./transactions/reversal-queue";
import { Reversals } from "./transactions/reversals";
import { type Refusal, Sale, type SalePhase } from "./transactions/sale";
import { type Event, isCharged, State } from "./transactions/states";
import { TransactionLog } from "./transactions/transaction-log";

export interface TerminalSummary {
	batch: number;
	transactions: number;
	charged: number;
	chargedMinor: number;
	doubts: number;
	doubtSumMinor: number;
	/** Reversals that wait, those included that only wait to be sent once more. */
	queued: number;
	freeBlocks: number;
	erasesUnprepared: number;
	/** Blocks of flash that are worn out and not used. */
	retiredBlocks: number;
	/** Copies of the journal in use: 1, or 2 with a mirror that works. */
	copies: number;
}

export class Terminal {
	readonly log: TransactionLog;
	/** A sale is over, whatever came of it: for whoever brings the next customer. */
	onSaleEnd: (() => void) | undefined;
	readonly #device: Device;
	readonly #config: Config;
	readonly #queue: ReversalQueue;
	readonly #reversals: Reversals;
	readonly #sale: Sale;
	readonly #host: HostExchange;
	/** Ids of approvals that may not have reached the customer: asked before anything is sold. */
	readonly #questions: number[] = [];
	#running = false;
	#readyTimer = 0;
	#lostCopy = -1;
	#retiredBlocks = 0;
	#mendedBlocks = 0;
	#mending = false;

	/** @throws {CodedError} "format" when the flash partition cannot hold a journal */
	constructor(device: Device, config: Config) {
		this.#device = guardDevice(device);
		this.#config = config;
		const { clock, display, random, links, keys, flash, log: sink } = this.#device;
		const scheme = new WorkingKeyScheme(keys, UNIONPAY.mac);
		this.log = new TransactionLog(flash.journal, config.transactionsMax, new CardSeal(keys), flash.mirror);
		this.#queue = new ReversalQueue(random, {
			firstMs: config.reversalRepeatMs,
			greatestMs: config.reversalRepeatMsMax,
			jitterPercent: config.reversalJitterPercent,
		});
		const messages = new MessageBuilder(UNIONPAY, config, scheme);
		const exchanger = new HostExchange({
			links,
			clock,
			log: sink,
			config,
			dialect: UNIONPAY,
			scheme,
			onStray: (message) => this.#stray(message),
		});
		this.#host = exchanger;
		const { log } = this;
		this.#reversals = new Reversals({ log, queue: this.#queue, exchanger, messages, clock, config, display, sink });
		this.#sale = new Sale({
			device: this.#device,
			config,
			log,
			queue: this.#queue,
			reversals: this.#reversals,
			exchanger,
			messages,
			scheme,
			onEnd: () => this.#afterSale(),
		});
	}

	/**
	 * Makes the device's flash an empty journal; whatever it held is gone. An explicit act, never done by itself.
	 * @param batch - the batch to sell in, 1 to 999999
	 */
	provision(batch: number): void {
		assert(!this.#running, "I4 provisioning is not for a terminal at work");
		if (!Number.isInteger(batch) || batch < 1 || batch > 999_999) throw new CodedError("range", "batch");
		const id = new Uint8Array(4);
		this.#device.random.fill(id);
		this.log.provision(readU32(id, 0), batch);
		this.#log("W", `provisioned, batch ${batch}`);
	}

	/** Boots: mounts, takes every open transaction through "boot", and is ready to sell when it answers ok. */
	start(): MountStatus | "broken" {
		try {
			return this.#start();
		} catch (error) {
			// The newest record read one way and then another: the next boot may be luckier. Anything else would not.
			if (!(error instanceof CodedError)) throw error;
			this.#log("E", `boot: ${error.message}`);
			if (error.code === "damaged") this.#device.restart(error.message);
			this.#running = false;
			this.#show({ name: "outOfService" });
			return "broken";
		}
	}

	#start(): MountStatus | "broken" {
		const { journal, index } = this.log;
		const mount = this.log.mount();
		if (mount.status !== "ok" && mount.status !== "rebuilt") {
			const interrupted = mount.interrupted ? ", provisioning was interrupted" : "";
			this.#log("E", `journal ${mount.status}${interrupted}: nothing is sold, nothing is formatted`);
			this.#show({ name: "outOfService" });
			return mount.status;
		}
		if (mount.lostBlocks > 0 || mount.damagedRecords > 0) {
			this.#log("E", `journal damaged: ${mount.lostBlocks} blocks lost, ${mount.damagedRecords} records damaged`);
		}
		if (this.log.batch === 0) {
			// The mark is lost, and with it the counters that no record carries: nothing may be numbered any more (I4).
			this.#log("E", "journal: the settlement mark is lost: nothing is sold until a technician provisions");
			this.#show({ name: "outOfService" });
			return "broken";
		}
		if (mount.status === "rebuilt")
			this.#log("W", "one copy of the journal held nothing of it: it is made anew from the other");
		this.#log("I", `journal mounted: ${index.count} transactions, ${journal.freeBlocks} blocks free`);
		if (this.#plain) {
			this.#log("W", "links without TLS are allowed by configuration");
		}
		this.#running = true;
		if (journal.copiesDiffer || this.#hasOpenEnds()) journal.pin(); // Only now may what was read be acted on.
		for (let slot = 0; slot < index.count; slot++) this.#bootOne(index.ids[slot]);
		if (this.#questions.length > 0) this.#ask();
		else this.#showReady();
		this.#reversals.resume();
		this.#whenReady();
		return "ok";
	}

	/**
	 * Begins a sale; screen and slip tell the rest.
	 * @returns why not, or undefined
	 */
	sale(amountMinor: number, managerApproves = false): Refusal | undefined {
		let refusal = "refusedStopped" as Refusal | undefined;
		this.#safely(() => {
			refusal = this.#refusal() ?? this.#sale.begin(amountMinor, managerApproves);
		});
		if (refusal !== undefined) {
			this.#log("I", `sale refused: ${refusal}`);
			if (refusal === "refusedDelivery") this.#ask();
			else this.#show({ name: refusal, count: this.log.doubts });
		} else {
			this.#device.clock.clearTimer(this.#readyTimer);
			this.#readyTimer = 0;
		}
		return refusal;
	}

	/** The cancel key. @returns false when the request has already left */
	cancel(): boolean {
		let cancelled = false;
		this.#safely(() => {
			cancelled = this.#sale.cancel();
		});
		return cancelled;
	}

	/** The operator has read an approval that could not be printed. */
	acknowledge(): void {
		this.#safely(() => this.#sale.acknowledge());
	}

	/** The operator's answer to "askDelivered": does the customer have slip or word of the approval? */
	answerDelivery(delivered: boolean): void {
		this.#safely(() => this.#answerDelivery(delivered));
	}

	#answerDelivery(delivered: boolean): void {
		const id = this.#questions.shift();
		if (id === undefined) return;
		const intent = this.log.intent(id);
		const { stan, amountMinor } = intent;
		this.#log("W", `stan=${stan}: operator says ${delivered ? "delivered" : "not delivered"}`);
		const act = this.log.apply(id, delivered ? "deliver" : "notDelivered");
		if (act === "tellReversing") {
			this.#reversals.add(id);
			this.#show({ name: "reversalStarted", stan, amountMinor, card: maskedCard(intent), told: "notCharged" });
		} else this.#show({ name: "deliveredNoted", stan, amountMinor, card: maskedCard(intent), told: "paid" });
		if (this.#questions.length > 0) this.#ask();
		else this.#reversals.resume();
	}

	/** True while an "askDelivered" waits for its answer. */
	get asksDelivery(): boolean {
		return this.#questions.length > 0;
	}

	get phase(): SalePhase {
		return this.#sale.phase;
	}

	/** True when nothing waits but time: no sale, no question, no reversal due or under way. */
	get atRest(): boolean {
		const quiet = this.#sale.phase === "idle" && !this.#reversals.active && this.#questions.length === 0;
		return quiet && this.#queue.count === 0;
	}

	summary(): TerminalSummary {
		const { index, journal } = this.log;
		let charged = 0;
		let chargedMinor = 0;
		for (let slot = 0; slot < index.count; slot++) {
			if (!isCharged(index.states[slot])) continue;
			charged++;
			chargedMinor += index.amounts[slot];
		}
		return {
			batch: this.log.batch,
			transactions: index.count,
			charged,
			chargedMinor,
			doubts: this.log.doubts,
			doubtSumMinor: this.log.doubtSumMinor,
			queued: this.#queue.count,
			freeBlocks: journal.freeBlocks,
			erasesUnprepared: journal.erasesUnprepared,
			retiredBlocks: journal.retiredBlocks,
			copies: journal.copies,
		};
	}

	/** An orderly end: closes the line. What is under way is settled at the next boot. */
	stop(): void {
		this.#running = false;
		this.#device.clock.clearTimer(this.#readyTimer);
		this.#readyTimer = 0;
		this.#reversals.stop();
		this.#host.close();
	}

	#refusal(): Refusal | undefined {
		if (!this.#running) return "refusedStopped";
		if (this.#sale.phase !== "idle") return "refusedBusy";
		return this.#questions.length > 0 ? "refusedDelivery" : undefined;
	}

	#hasOpenEnds(): boolean {
		const { states, count } = this.log.index;
		for (let slot = 0; slot < count; slot++) {
			const state = states[slot];
			const open = state === State.waiting || state === State.reversing || state === State.unconfirmed;
			if (open || state === State.approved) return true;
		}
		return false;
	}

	#bootOne(id: number): void {
		const interrupted = this.log.index.states[this.log.index.find(id)] === State.waiting;
		const act = this.log.apply(id, "boot");
		if (act === "tellInterrupted") {
			const intent = this.log.intent(id);
			const { stan, amountMinor } = intent;
			this.#log("W", `stan=${stan} ${interrupted ? "was interrupted: it is reversed" : "is still to be reversed"}`);
			this.#reversals.add(id);
			// Told again, also when it was before: power may have gone between flash and screen.
			this.#show({
				name: interrupted ? "interrupted" : "reversalStarted",
				stan,
				amountMinor,
				card: maskedCard(intent),
				told: "notCharged",
			});
		} else if (act === "watch") this.#reversals.watch(id);
		else if (act === "askDelivered") this.#questions.push(id);
	}

	#ask(): void {
		const id = this.#questions[0];
		const intent = this.log.intent(id);
		const { stan, amountMinor } = intent;
		// A slip that the printer had reported would have been delivered, durably: nobody would ask.
		this.#show({ name: "askDelivered", stan, amountMinor, card: maskedCard(intent), printed: false });
	}

	/** A verified message that answers no open request: a late or doubled answer. */
	#stray(message: MessageDecoder): void {
		if (!isSaleAnswer(message)) {
			this.#log("I", `late ${message.mti}: nothing waits for it`);
			return;
		}
		const { index } = this.log;
		const stan = message.number(11);
		const slot = index.findStan(stan);
		if (slot < 0 || this.#batchOf(index.ids[slot]) !== message.numberAt(60, 2, 6)) {
			this.#log("W", `late answer to stan=${stan}: no such transaction`);
			return;
		}
		const id = index.ids[slot];
		if (index.states[slot] === State.waiting || index.states[slot] === State.abandoned) {
			this.#log("W", `late answer to stan=${stan}: not in a state to take one`);
			return;
		}
		const verdict = responseText(message.has(39) ? message.text(39) : "").class;
		const event: Event = verdict === "approved" ? "approve" : verdict === "partial" ? "refuse" : "decline";
		this.#log(
			"W",
			`late answer to stan=${stan}: ${event}, ${this.log.apply(id, event) === "none" ? "no effect" : "reversed"}`,
		);
		if (index.states[index.find(id)] === State.reversing && !this.#queue.has(id)) {
			this.#reversals.add(id);
			this.#show({ name: "noAnswer", stan, amountMinor: index.amounts[index.find(id)], told: "notCharged" });
			if (this.#sale.phase === "idle") this.#reversals.resume();
		}
	}

	/** Batch of a transaction; −1 when it was spent long ago and its records are gone. */
	#batchOf(id: number): number {
		try {
			return this.log.intent(id).batch;
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			return -1;
		}
	}

	#afterSale(): void {
		if (!this.#running) return;
		this.#reversals.resume();
		this.#whenReady();
		this.onSaleEnd?.();
	}

	/** A little later, when the customer has gone: the ready screen, and flash erased ahead. */
	#whenReady(): void {
		const { clock } = this.#device;
		clock.clearTimer(this.#readyTimer);
		this.#readyTimer = clock.setTimer(this.#config.resultShownMs, () => {
			this.#readyTimer = 0;
			if (this.#sale.phase !== "idle") return;
			if (this.#questions.length === 0) this.#showReady();
			this.#tendFlash();
		});
	}

	/** Nobody is served: flash is erased ahead, and the two copies of the journal are kept alike. */
	#tendFlash(): void {
		const { clock, flash } = this.#device;
		this.#readyTimer = 0;
		if (this.#sale.phase !== "idle") return;
		const more = this.log.journal.idle();
		this.#reportFlash();
		if (this.#mending && !more) this.#log("I", "flash: nothing is left to mend");
		this.#mending = more;
		if (flash.mirror === undefined) return;
		const { mendPauseMs, scrubEveryMs } = this.#config;
		this.#readyTimer = clock.setTimer(more ? mendPauseMs : scrubEveryMs, () => this.#tendFlash());
	}

	/** A line in the log for each thing that flash has lost, once. */
	#reportFlash(): void {
		const { lostCopy, retiredBlocks, mendedBlocks } = this.log.journal;
		if (lostCopy !== this.#lostCopy) {
			const which = lostCopy === 0 ? "first" : "second";
			this.#log("E", `the ${which} copy of the journal does not work: sales go on with the other one only`);
		}
		if (retiredBlocks > this.#retiredBlocks) this.#log("W", `flash: ${retiredBlocks} blocks are worn out and not used`);
		if (mendedBlocks > this.#mendedBlocks) this.#log("W", `flash: ${mendedBlocks} blocks mended from the other copy`);
		this.#lostCopy = lostCopy;
		this.#retiredBlocks = retiredBlocks;
		this.#mendedBlocks = mendedBlocks;
	}

	/** What comes from outside runs as guarded as the callbacks do. */
	#safely(action: () => void): void {
		try {
			action();
		} catch (error) {
			failDevice(this.#device, error);
		}
	}

	/** A link without TLS may be used: people are to see it. */
	get #plain(): boolean {
		return this.#config.plainLinks && this.#device.links.some((link) => !link.secure);
	}

	#showReady(): void {
		const ready = { name: "ready", count: this.log.doubts } as const;
		this.#show(this.#plain ? { ...ready, plain: true } : ready);
	}

	#show(screen: Screen): void {
		this.#device.display.show(screen);
	}

	#log(level: "E" | "W" | "I", text: string): void {
		this.#device.log.write(level, this.#device.clock.monotonic(), "terminal", text);
	}
}
