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
import { CodedError, type ErrorCode } from "./core/errors";
import { failDevice, guardDevice } from "./guarded-device";
import { HostExchange } from "./host/host-exchange";
import { Session, type SignOff, type SignOnFailure } from "./host/session";
import { SignOnMessages } from "./host/sign-on-messages";
import type { MessageDecoder } from "./iso8583/decoder";
import { responseText } from "./iso8583/response-codes";
import { UNIONPAY } from "./iso8583/unionpay";
import { UNIONPAY_DUKPT } from "./iso8583/unionpay-dukpt";
import type { MountStatus } from "./journal/headers";
import type { Device, Screen } from "./ports";
import { CardSeal, type StoredCard } from "./security/card-seal";
import { loadDukpt } from "./security/dukpt-loading";
import { DukptScheme } from "./security/dukpt-scheme";
import { loadKey, makeStoreKey } from "./security/key-loading";
import { type KeyScheme, WorkingKeyScheme } from "./security/key-scheme";
import { SyncMac } from "./security/sync-mac";
import { Advices } from "./transactions/advices";
import { isReversalAnswer, isSaleAnswer, MessageBuilder } from "./transactions/messages";
import { isAdvice, maskedCard } from "./transactions/records";
import { ReversalQueue } from "./transactions/reversal-queue";
import { Reversals } from "./transactions/reversals";
import { type Refusal, Sale, type SalePhase } from "./transactions/sale";
import { type Event, isCharged, State } from "./transactions/states";
import { type NewAdvice, TransactionLog } from "./transactions/transaction-log";

export interface TerminalSummary {
	batch: number;
	transactions: number;
	charged: number;
	chargedMinor: number;
	doubts: number;
	doubtSumMinor: number;
	/** Reversals that wait, those included that only wait to be sent once more. */
	queued: number;
	/** Advices that the host has not accepted yet. */
	advices: number;
	freeBlocks: number;
	erasesUnprepared: number;
	/** Blocks of flash that are worn out and not used. */
	retiredBlocks: number;
	/** Copies of the journal in use: 1, or 2 with a mirror that works. */
	copies: number;
}

/** Of an advice that was given wrong: nothing is durable then. */
const CALLERS_FAULT: readonly ErrorCode[] = ["length", "charset", "range", "mismatch", "format"];

export class Terminal {
	readonly log: TransactionLog;
	/** A sale is over, whatever came of it: for whoever brings the next customer. */
	onSaleEnd: (() => void) | undefined;
	/** Signed on with the host, each time. */
	onSignedOn: (() => void) | undefined;
	readonly #device: Device;
	readonly #config: Config;
	readonly #queue: ReversalQueue;
	readonly #reversals: Reversals;
	readonly #advices: Advices;
	readonly #sale: Sale;
	readonly #session: Session;
	readonly #scheme: KeyScheme;
	/** Why the last sign-on failed; "noLink" before the first. */
	#failure: SignOnFailure = "noLink";
	#failureCode = "";
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
		const dukpt = config.keyScheme === "dukpt";
		const dialect = dukpt ? UNIONPAY_DUKPT : UNIONPAY;
		const scheme = dukpt ? new DukptScheme(keys, random) : new WorkingKeyScheme(keys, dialect.mac);
		this.#scheme = scheme;
		const log = new TransactionLog(flash.journal, config.transactionsMax, new CardSeal(keys), flash.mirror);
		this.log = log;
		this.#queue = new ReversalQueue(random, {
			firstMs: config.reversalRepeatMs,
			greatestMs: config.reversalRepeatMsMax,
			jitterPercent: config.reversalJitterPercent,
		});
		const messages = new MessageBuilder(dialect, config, scheme);
		const exchange = new HostExchange({
			links,
			clock,
			log: sink,
			config,
			dialect,
			scheme,
			syncMac: new SyncMac(keys),
			onStray: (message) => this.#stray(message),
			onKeyTrouble: () => this.#session.keyTrouble(),
			onQuiet: () => this.#session.quiet(),
		});
		const exchanger = new Session({
			exchange,
			scheme,
			store: log,
			messages: new SignOnMessages(dialect, config),
			config,
			clock,
			random,
			log: sink,
			onSignedOn: () => this.#signedOn(),
			onFailed: (why, code) => this.#signOnFailed(why, code),
		});
		this.#session = exchanger;
		const parts = { log, exchanger, messages, scheme, clock, config, sink };
		this.#reversals = new Reversals({ ...parts, queue: this.#queue, display });
		this.#advices = new Advices({ ...parts, random, mayBegin: () => this.#mayForward });
		this.#sale = new Sale({
			device: this.#device,
			config,
			log,
			queue: this.#queue,
			reversals: this.#reversals,
			exchanger,
			messages,
			scheme,
			notSignedOn: () => this.#notSignedOn(),
			onEnd: () => this.#afterSale(),
		});
	}

	/**
	 * Makes the device's flash an empty journal; whatever it held is gone. An explicit act, never done by itself.
	 * @param batch - the batch to sell in, 1 to 999999; 0: the host gives it at sign-on, and nothing is sold before (I4)
	 */
	provision(batch = 0): void {
		assert(!this.#running, "I4 provisioning is not for a terminal at work");
		if (!Number.isInteger(batch) || batch < 0 || batch > 999_999) throw new CodedError("range", "batch");
		const id = new Uint8Array(4);
		this.#device.random.fill(id);
		this.log.provision(readU32(id, 0), batch);
		// Cards are sealed under a key as old as the journal: no nonce of an earlier one can come again (I4).
		makeStoreKey(this.#device.keys, this.#device.random);
		this.#log("W", `provisioned, ${batch === 0 ? "the host gives the batch" : `batch ${batch}`}`);
	}

	/**
	 * A technician loads a key: the terminal master key or the host authentication key. It counts only with its check
	 * value, and nothing is half done; new working keys are asked for.
	 * @param key - borrowed, to be wiped by the caller
	 * @throws {CodedError} "auth" when the check value does not fit, "length"; "state" while a customer is served
	 */
	loadKey(name: "TMK" | "HAK", key: Uint8Array, checkValue: Uint8Array): void {
		if (this.#sale.phase !== "idle") throw new CodedError("state", `key ${name}`, "a sale is under way");
		loadKey(this.#device.keys, name, key, checkValue);
		this.#log("W", `key ${name} loaded`);
		if (this.#running) this.signOn();
	}

	/**
	 * A technician loads the initial key of AES-DUKPT; see {@link loadKey}.
	 * @param initialKey - 16 bytes, borrowed, to be wiped by the caller
	 * @param keyId - its 8 bytes; one the terminal has had is refused, as its keys would be used twice (I4)
	 * @throws {CodedError} "auth" | "length" | "duplicate"; "state" while a customer is served
	 */
	loadDukptKey(initialKey: Uint8Array, keyId: Uint8Array, checkValue: Uint8Array): void {
		if (this.#sale.phase !== "idle") throw new CodedError("state", "key DUKPT", "a sale is under way");
		loadDukpt(this.#device.keys, initialKey, keyId, checkValue);
		this.#scheme.forget();
		this.#log("W", "key DUKPT loaded");
		if (this.#running) this.signOn();
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
			// A device that fails now may work in a while, and doubts wait: nobody should have to pull the plug.
			this.#device.clock.setTimer(this.#config.brokenRestartMs, () => this.#device.restart(error.message));
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
		if (!this.log.markSeen) {
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
		if (!this.#scheme.provisioned()) this.#log("E", "no master key: nothing is sold until a technician loads it");
		this.#session.start();
		this.#reversals.resume();
		this.#advices.resume();
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
			refusal = this.#refusal();
			if (refusal !== undefined) return;
			this.#advices.pause(); // The customer has the line.
			refusal = this.#sale.begin(amountMinor, managerApproves);
			if (refusal !== undefined) this.#advices.resume();
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

	/**
	 * Takes an advice into the store-and-forward queue: durable when it returns, sent when the line allows, repeated
	 * unchanged until the host answers it.
	 * @param emv - chip data of an offline sale, at most 255 bytes
	 * @returns why not, or its id
	 * @throws {CodedError} "length" | "charset" | "range" | "mismatch" | "format" for what flash cannot hold; what a flash
	 * that fails throws, and the terminal restarts
	 */
	forward(
		advice: NewAdvice,
		card: StoredCard,
		emv?: Uint8Array,
	): "refusedStopped" | "refusedFull" | "refusedKeys" | number {
		if (!this.#running || this.log.batch === 0) return "refusedStopped";
		if (!this.log.sealReady) return "refusedKeys";
		let id = 0;
		try {
			if (!this.log.prepare()) return "refusedFull";
			id = this.log.beginAdvice(advice, card, emv);
		} catch (error) {
			if (error instanceof CodedError && CALLERS_FAULT.includes(error.code)) throw error;
			// Flash may hold it or not: the restart finds out, and until then nobody may be told either.
			failDevice(this.#device, error);
			throw error;
		}
		this.#safely(() => this.#advices.kick());
		return id;
	}

	/** Asks the host for working keys now, as a person does who has mended something. */
	signOn(): void {
		this.#safely(() => this.#session.signOn());
	}

	/** Ends the session with the host; the next sale signs on again. @param onDone - how it ended */
	signOff(onDone: (result: SignOff) => void = () => {}): void {
		this.#safely(() => {
			if (this.#sale.phase !== "idle") onDone("busy");
			else {
				this.#session.signOff((result) => {
					if (result !== "busy") this.#show({ name: "signedOff" });
					onDone(result);
				});
			}
		});
	}

	/** True when keys and batch are there: a sale can be sent as soon as there is a line. */
	get signedOn(): boolean {
		return this.#session.ready;
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
		return quiet && this.#queue.count === 0 && !this.#advices.active && this.#advices.waiting === 0;
	}

	summary(): TerminalSummary {
		const { index, journal } = this.log;
		let charged = 0;
		let chargedMinor = 0;
		for (let slot = 0; slot < index.count; slot++) {
			if (!isCharged(index.states[slot], index.kind(slot))) continue;
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
			advices: this.#advices.waiting,
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
		this.#advices.stop();
		this.#session.stop();
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
		if (isReversalAnswer(message)) {
			const code = message.has(39) ? message.text(39) : "";
			this.#lateReversal(message.number(11), message.numberAt(60, 2, 6), code);
			return;
		}
		if (!isSaleAnswer(message)) {
			this.#log("I", nothingWaits(message.mti));
			return;
		}
		const verdict = responseText(message.has(39) ? message.text(39) : "").class;
		const event: Event = verdict === "approved" ? "approve" : verdict === "partial" ? "refuse" : "decline";
		this.#later(message.number(11), message.numberAt(60, 2, 6), event);
	}

	/** In a turn of its own, as flash is written. */
	#lateReversal(stan: number, batch: number, code: string): void {
		this.#device.clock.setTimer(0, () => {
			if (!this.#running) return;
			const { index } = this.log;
			const slot = index.findStan(stan);
			const known = slot >= 0 && index.batch(slot) === batch;
			if (!known || !this.#reversals.lateAnswer(index.ids[slot], code)) this.#log("I", nothingWaits("0410"));
		});
	}

	/** In a turn of its own, and behind the answer of the sale under way: it may be about that very sale. */
	#later(stan: number, batch: number, event: Event): void {
		this.#device.clock.setTimer(0, () => {
			if (this.#sale.answerWaits) this.#later(stan, batch, event);
			else if (this.#running) this.#takeLate(stan, batch, event);
		});
	}

	#takeLate(stan: number, batch: number, event: Event): void {
		const { index } = this.log;
		const slot = index.findStan(stan);
		if (slot < 0 || this.#batchOf(index.ids[slot]) !== batch) {
			this.#log("W", `late answer to stan=${stan}: no such transaction`);
			return;
		}
		const id = index.ids[slot];
		if (isAdvice(index.kind(slot))) {
			this.#log("W", `late answer to stan=${stan}: that was no sale`);
			return;
		}
		if (index.states[slot] === State.waiting || index.states[slot] === State.abandoned) {
			this.#log("W", `late answer to stan=${stan}: not in a state to take one`);
			return;
		}
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

	/** Reversals have gone, nobody waits for the line: the moment for advices. */
	get #mayForward(): boolean {
		const { clock } = this.#device;
		return this.#running && !this.#reversals.active && this.#queue.due(clock.monotonic()) === 0;
	}

	#signedOn(): void {
		this.#failure = "noLink";
		this.#failureCode = "";
		const nowMs = this.#device.clock.monotonic();
		this.#queue.hurry(nowMs);
		if (this.#sale.phase === "idle") {
			if (this.#questions.length === 0 && this.#readyTimer === 0) this.#showReady();
			this.#reversals.resume();
			this.#advices.hurry();
		}
		this.onSignedOn?.();
	}

	#signOnFailed(why: SignOnFailure, code: string): void {
		this.#failure = why;
		this.#failureCode = code;
		this.#log("W", `not signed on: ${why}${code === "" ? "" : ` ${code}`}`);
	}

	/** Why there is no line to sell over. */
	#notSignedOn(): Screen {
		if (this.#session.ready) return { name: "noLink" };
		if (this.#failure === "refused") return { name: "signOnFailed", code: this.#failureCode };
		if (this.#failure === "keys" || this.#failure === "batch") return { name: "keysWrong" };
		return { name: "noLink" };
	}

	#afterSale(): void {
		if (!this.#running) return;
		this.#reversals.resume();
		this.#advices.resume();
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
		const signedOff = !this.#session.ready;
		this.#show({
			name: "ready",
			count: this.log.doubts,
			...(signedOff ? { signedOff } : {}),
			...(this.#plain ? { plain: true } : {}),
		});
	}

	#show(screen: Screen): void {
		this.#device.display.show(screen);
	}

	#log(level: "E" | "W" | "I", text: string): void {
		this.#device.log.write(level, this.#device.clock.monotonic(), "terminal", text);
	}
}

function nothingWaits(mti: string): string {
	return `late ${mti}: nothing waits for it`;
}
