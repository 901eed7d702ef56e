/**
 * A terminal, composed from a device: the same call on the board, in the simulator and in a test. It mounts the
 * journal, settles what the last power cut left open, and sells.
 *
 * A failed assertion or a flash that gives up restarts the terminal; the journal knows the rest.
 * @module
 */

import { type Config, FIRMWARE_VERSION } from "./config";
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
import type { Device, Screen, SlipCopy, SlipLine } from "./ports";
import { CardSeal, type StoredCard } from "./security/card-seal";
import { loadDukpt } from "./security/dukpt-loading";
import { DukptScheme } from "./security/dukpt-scheme";
import { loadKey, makeStoreKey } from "./security/key-loading";
import { type KeyScheme, WorkingKeyScheme } from "./security/key-scheme";
import { SyncMac } from "./security/sync-mac";
import type { CaseRecord } from "./settlement/case-records";
import { caseScreen } from "./settlement/case-screens";
import { Evidence, type EvidenceWanted } from "./settlement/evidence";
import type { JsonSink } from "./settlement/evidence-json";
import type { EvidencePack } from "./settlement/evidence-pack";
import type { HostView } from "./settlement/inquiry";
import { type Alarm, Monitor } from "./settlement/monitor";
import { MonitorSigns } from "./settlement/monitor-signs";
import { type QueryHit, type QueryKey, query } from "./settlement/query";
import { Reconciliation } from "./settlement/reconciliation";
import type { SettlementReport } from "./settlement/settlement-report";
import { Advices } from "./transactions/advices";
import { LeftCard } from "./transactions/left-card";
import { isReversalAnswer, isSaleAnswer, longestEncoder, MessageBuilder } from "./transactions/messages";
import { Flag, isAdvice, maskedCard } from "./transactions/records";
import { ReversalQueue } from "./transactions/reversal-queue";
import { Reversals } from "./transactions/reversals";
import { type Refusal, Sale, type SalePhase } from "./transactions/sale";
import { type Event, isCharged, State } from "./transactions/states";
import { type NewAdvice, TransactionLog } from "./transactions/transaction-log";
import { type PaperRefusal, Paperwork } from "./ui/paperwork";
import { PrintQueue } from "./ui/print-queue";

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
	/** Cases that are open. */
	openCases: number;
	/** Recorded at the host, and still to be seen posted. */
	watched: number;
}

/** Of an advice that was given wrong: nothing is durable then. */
const CALLERS_FAULT: readonly ErrorCode[] = ["length", "charset", "range", "mismatch", "format"];

export class Terminal {
	readonly log: TransactionLog;
	/** A sale is over, whatever came of it: for whoever brings the next customer. */
	onSaleEnd: (() => void) | undefined;
	/** Signed on with the host, each time. */
	onSignedOn: (() => void) | undefined;
	/** A case has changed: for whoever keeps a list. */
	onCase: ((record: CaseRecord) => void) | undefined;
	/** A batch is settled. */
	onSettled: ((report: SettlementReport) => void) | undefined;
	/** An alarm is raised (true), or over. */
	onAlarm: ((raised: boolean, alarm: Alarm) => void) | undefined;
	readonly #device: Device;
	readonly #config: Config;
	readonly #queue: ReversalQueue;
	readonly #reversals: Reversals;
	readonly #advices: Advices;
	readonly #sale: Sale;
	readonly #leftCard: LeftCard;
	readonly #session: Session;
	readonly #reconciliation: Reconciliation;
	readonly #evidence: Evidence;
	readonly #exchange: HostExchange;
	readonly #monitor: Monitor;
	readonly #paperwork: Paperwork;
	readonly #printer: PrintQueue;
	readonly #scheme: KeyScheme;
	/** Why the last sign-on failed; "noLink" before the first. */
	#failure: SignOnFailure = "noLink";
	#failureCode = "";
	/** Ids of approvals that may not have reached the customer: asked before anything is sold. */
	readonly #questions: number[] = [];
	#running = false;
	#readyTimer = 0;
	/** What is on the screen has still to be read: the ready screen follows it. */
	#resultShown = false;
	/** An alarm is over: the ready screen may still name it. */
	#alarmOver = false;
	#lostCopy = -1;
	#retiredBlocks = 0;
	#mendedBlocks = 0;
	#mending = false;
	/** The mount has found that flash had lost something. */
	#flashError = false;

	/** @throws {CodedError} "format" when the flash partition cannot hold a journal */
	constructor(device: Device, config: Config) {
		const guarded = guardDevice(device);
		const printer = new PrintQueue(guarded.printer, guarded.clock, config.printTimeoutMs);
		this.#printer = printer;
		this.#device = { ...guarded, printer };
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
		// A message is built and sent in one turn, whoever's it is.
		const encoder = longestEncoder(dialect);
		const messages = new MessageBuilder(dialect, config, scheme, encoder);
		const syncMac = new SyncMac(keys);
		const exchange = new HostExchange({
			links,
			clock,
			log: sink,
			config,
			dialect,
			scheme,
			syncMac,
			onStray: (message) => this.stray(message),
			...(flash.evidence === undefined
				? {}
				: { onFrame: (direction, frame, byteLength) => this.#evidence.capture(direction, frame, byteLength) }),
			onKeyTrouble: () => this.#session.keyTrouble(),
			onQuiet: () => {
				this.#session.quiet();
				this.#reconciliation.movementOver();
			},
		});
		this.#exchange = exchange;
		const exchanger = new Session({
			exchange,
			scheme,
			store: log,
			messages: new SignOnMessages(dialect, config, encoder),
			config,
			clock,
			random,
			log: sink,
			onSignedOn: () => this.whenSignedOn(),
			onFailed: (why, code) => this.signOnFailed(why, code),
		});
		this.#session = exchanger;
		const parts = { log, exchanger, messages, scheme, clock, config, sink };
		this.#reversals = new Reversals({ ...parts, queue: this.#queue, display });
		this.#advices = new Advices({ ...parts, random, mayBegin: () => this.mayForward });
		this.#reconciliation = new Reconciliation({
			log,
			journalBytes: flash.journal.status().size,
			exchanger,
			dialect,
			encoder,
			syncMac,
			clock,
			config,
			random,
			sink,
			secure: () => links.every((link) => link.secure),
			mayBegin: () => this.mayCompare,
			flashError: () => this.#flashError,
			onResend: () => this.#advices.kick(),
			onReverse: (id) => this.reverseAgain(id),
			onAnchored: (head, code, hostTime) => this.#evidence.anchored(head, code, hostTime),
			onCase: (record) => this.caseChanged(record),
			onCasesFull: () => this.showIdle({ name: "casesFull" }),
			onSettleWaits: (hold, batch) => this.showIdle({ name: "settleWaits", hold, batch }),
			onSettled: (report) => this.settled(report),
		});
		this.#evidence = new Evidence({
			...{ log, keys, random, clock, dialect, sink },
			cases: this.#reconciliation.cases,
			chain: this.#reconciliation.chain,
			partition: flash.evidence,
			device: { terminalId: config.terminalId, merchantId: config.merchantId, firmware: FIRMWARE_VERSION },
			mayWrite: () => this.mayWriteEvidence,
		});
		this.#monitor = new Monitor({
			signs: new MonitorSigns({ log, books: this.#reconciliation, health: exchange.health, config }),
			links,
			clock,
			config,
			onAlarm: (raised, alarm) => this.alarm(raised, alarm),
			onLooked: () => this.looked(),
		});
		const { cases, watches } = this.#reconciliation;
		const show = (screen: Screen) => this.showIdle(screen);
		this.#paperwork = new Paperwork({ log, cases, watches, printer, clock, config, show });
		this.#sale = new Sale({
			device: this.#device,
			config,
			log,
			queue: this.#queue,
			reversals: this.#reversals,
			exchanger,
			messages,
			scheme,
			notSignedOn: () => this.notSignedOn(),
			onAnswered: (code) => this.#monitor.answered(code),
			onPrinted: (slip) => {
				if (config.merchantCopy) this.#paperwork.merchantCopy(slip);
			},
			onEnd: () => this.afterSale(),
		});
		this.#leftCard = new LeftCard({
			reader: this.#device.reader,
			clock,
			config,
			sink,
			onAnnounce: () => this.announceCard(),
			onTaken: () => {
				if (this.#running && this.#sale.phase === "idle" && this.#questions.length === 0) this.showReady();
			},
		});
	}

	/** Only while nobody is served; see {@link LeftCard}. */
	private announceCard(): void {
		if (this.#running && this.#sale.phase === "idle" && this.#questions.length === 0) this.show({ name: "takeCard" });
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
		this.note("W", `provisioned, ${batch === 0 ? "the host gives the batch" : `batch ${batch}`}`);
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
		this.note("W", `key ${name} loaded`);
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
		this.note("W", "key DUKPT loaded");
		if (this.#running) this.signOn();
	}

	/** Boots: mounts, takes every open transaction through "boot", and is ready to sell when it answers ok. */
	start(): MountStatus | "broken" {
		try {
			return this.boot();
		} catch (error) {
			// The newest record read one way and then another: the next boot may be luckier. Anything else would not.
			if (!(error instanceof CodedError)) throw error;
			this.note("E", `boot: ${error.message}`);
			if (error.code === "damaged") this.#device.restart(error.message);
			this.#running = false;
			this.show({ name: "outOfService" });
			// A device that fails now may work in a while, and doubts wait: nobody should have to pull the plug.
			this.#device.clock.setTimer(this.#config.brokenRestartMs, () => this.#device.restart(error.message));
			return "broken";
		}
	}

	private boot(): MountStatus | "broken" {
		const { journal, index } = this.log;
		const mount = this.log.mount();
		if (mount.status !== "ok" && mount.status !== "rebuilt") {
			const interrupted = mount.interrupted ? ", provisioning was interrupted" : "";
			this.note("E", `journal ${mount.status}${interrupted}: nothing is sold, nothing is formatted`);
			this.show({ name: "outOfService" });
			return mount.status;
		}
		this.#flashError = mount.lostBlocks > 0 || mount.damagedRecords > 0;
		if (this.#flashError) {
			this.note("E", `journal damaged: ${mount.lostBlocks} blocks lost, ${mount.damagedRecords} records damaged`);
		}
		if (!this.log.markSeen) {
			// The mark is lost, and with it the counters that no record carries: nothing may be numbered any more (I4).
			this.note("E", "journal: the settlement mark is lost: nothing is sold until a technician provisions");
			this.show({ name: "outOfService" });
			return "broken";
		}
		if (mount.status === "rebuilt")
			this.note("W", "one copy of the journal held nothing of it: it is made anew from the other");
		this.note("I", `journal mounted: ${index.count} transactions, ${journal.freeBlocks} blocks free`);
		if (this.plain) {
			this.note("W", "links without TLS are allowed by configuration");
		}
		this.#running = true;
		this.#leftCard.look();
		if (journal.copiesDiffer || this.hasOpenEnds()) journal.pin(); // Only now may what was read be acted on.
		for (let slot = 0; slot < index.count; slot++) this.bootOne(index.ids[slot]);
		if (this.#questions.length > 0) this.ask();
		else this.showReady();
		if (!this.#scheme.provisioned()) this.note("E", "no master key: nothing is sold until a technician loads it");
		this.#session.start();
		this.#reversals.resume();
		this.#advices.resume();
		this.#evidence.start();
		this.#reconciliation.start();
		this.#monitor.start();
		this.whenReady();
		return "ok";
	}

	/**
	 * Begins a sale; screen and slip tell the rest.
	 * @returns why not, or undefined
	 */
	sale(amountMinor: number, managerApproves = false): Refusal | undefined {
		let refusal = "refusedStopped" as Refusal | undefined;
		this.safely(() => {
			refusal = this.refusal();
			if (refusal !== undefined) return;
			this.#advices.pause(); // The customer has the line.
			this.#reconciliation.pause();
			refusal = this.#sale.begin(amountMinor, managerApproves);
			if (refusal === undefined) return;
			this.#advices.resume();
			this.#reconciliation.resume();
		});
		if (refusal !== undefined) {
			this.note("I", `sale refused: ${refusal}`);
			if ((refusal === "refusedFull" || refusal === "refusedBatch") && this.log.batchSales > 0) this.settle();
			if (refusal === "refusedDelivery") this.ask();
			else this.show({ name: refusal, count: this.log.doubts });
		} else {
			this.#device.clock.clearTimer(this.#readyTimer);
			this.#readyTimer = 0;
		}
		return refusal;
	}

	/** The cancel key. @returns false when the request has already left */
	cancel(): boolean {
		let cancelled = false;
		this.safely(() => {
			cancelled = this.#sale.cancel();
		});
		return cancelled;
	}

	/** The operator has read an approval that could not be printed. */
	acknowledge(): void {
		this.safely(() => this.#sale.acknowledge());
	}

	/** The operator's answer to "askDelivered": does the customer have slip or word of the approval? */
	answerDelivery(delivered: boolean): void {
		this.safely(() => this.takeDelivery(delivered));
	}

	private takeDelivery(delivered: boolean): void {
		const id = this.#questions.shift();
		if (id === undefined) return;
		const intent = this.log.intent(id);
		const { stan, amountMinor } = intent;
		this.note("W", `stan=${stan}: operator says ${delivered ? "delivered" : "not delivered"}`);
		const act = this.log.apply(id, delivered ? "deliver" : "notDelivered");
		if (act === "tellReversing") {
			this.#reversals.add(id);
			this.show({ name: "reversalStarted", stan, amountMinor, card: maskedCard(intent), told: "notCharged" });
		} else this.show({ name: "deliveredNoted", stan, amountMinor, card: maskedCard(intent), told: "paid" });
		if (this.#questions.length > 0) this.ask();
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
		this.safely(() => this.#advices.kick());
		return id;
	}

	/** Compares with the host's books as soon as the line allows. */
	sync(): void {
		this.safely(() => this.#reconciliation.request());
	}

	/**
	 * Settles the batch: sales go on in the next one at once.
	 * @returns false when there is none to settle, or one closes already
	 */
	settle(): boolean {
		let begun = false;
		this.safely(() => {
			if (!this.#running) return;
			const { batch } = this.log; // It may close in the call.
			begun = this.#reconciliation.settle();
			if (begun && this.settling) this.showIdle({ name: "settling", batch });
		});
		return begun;
	}

	/**
	 * A person's answer to a case that asks, or to one with support: yes, it is settled; no, nobody will.
	 * @returns false when the case takes none
	 */
	answerCase(id: number, yes: boolean): boolean {
		let taken = false;
		this.safely(() => {
			if (!this.#running) return;
			taken = this.#reconciliation.operatorSays(id, yes);
			if (taken) this.note("W", `case ${id}: operator says ${yes ? "yes" : "no"}`);
		});
		return taken;
	}

	/**
	 * Begins an evidence pack, which whoever asks pulls step by step, as fast as a line takes it; see EvidencePack.step. Its
	 * last two steps take as long as a signature does.
	 * @param write - takes the pack, at most 512 bytes at a time; borrowed until it returns
	 * @throws {CodedError} "state" while the terminal is at work, or sells nothing; "missing" for what is not known
	 */
	evidence(wanted: EvidenceWanted, write: JsonSink): EvidencePack {
		if (!this.#running) throw new CodedError("state", "evidence", "the terminal does not run");
		return this.#evidence.pack(wanted, write);
	}

	/**
	 * The public key of {@link evidence}, Ed25519, 32 bytes into `out`: whoever is to believe a pack has it from elsewhere.
	 * @throws {CodedError} "state" while the terminal is at work, or sells nothing
	 */
	evidenceKey(out: Uint8Array): void {
		if (!this.#running) throw new CodedError("state", "evidence", "the terminal does not run");
		this.#evidence.publicKey(out);
	}

	/** The next case that waits for a person's answer, 0 for none. @param after - 0 to begin */
	nextQuestion(after = 0): number {
		return this.#reconciliation.nextQuestion(after);
	}

	/**
	 * Prints a sales slip once more, marked as such; for what is not charged the screen says what became of it.
	 * @param stan - trace number; 0: the last sale that has a slip
	 * @returns why not, or undefined
	 */
	reprint(stan = 0, copies: readonly SlipCopy[] = ["merchant", "customer"]): PaperRefusal | Refusal | undefined {
		return this.paper(() => this.#paperwork.reprint(stan, copies));
	}

	/** Prints for the customer that a sale is not charged, or that its money comes back. @returns why not, or undefined */
	notice(stan: number): PaperRefusal | Refusal | undefined {
		return this.paper(() => this.#paperwork.notice(stan));
	}

	/** Prints a case for the merchant. @returns why not, or undefined */
	printCase(id: number): PaperRefusal | Refusal | undefined {
		return this.paper(() => this.#paperwork.case(id));
	}

	/** Prints the last settlement of this start once more. @returns why not, or undefined */
	printSettlement(): PaperRefusal | Refusal | undefined {
		return this.paper(() => this.#paperwork.settlement());
	}

	private paper(print: () => PaperRefusal | undefined): PaperRefusal | Refusal | undefined {
		let refusal = "refusedStopped" as PaperRefusal | Refusal | undefined;
		this.safely(() => {
			refusal = this.refusal() ?? print();
		});
		if (refusal === "refusedDelivery") this.ask();
		return refusal;
	}

	/**
	 * What this terminal knows of a transaction, the newest first; also of settled batches, as far as anything is left.
	 * @throws {CodedError} "range" | "format" for what no transaction can have
	 */
	query(key: QueryKey): QueryHit[] {
		if (!this.#running) return [];
		const { cases, watches } = this.#reconciliation;
		let hits: QueryHit[] = [];
		let wrong: CodedError | undefined;
		this.safely(() => {
			try {
				hits = query({ log: this.log, cases, watches }, key);
			} catch (error) {
				if (!(error instanceof CodedError) || !CALLERS_FAULT.includes(error.code)) throw error;
				wrong = error;
			}
		});
		if (wrong !== undefined) throw wrong;
		return hits;
	}

	/**
	 * What the host's books hold of one transaction, of whatever batch: asked when the line allows, behind reversals and
	 * customers.
	 * @param onEnd - once, also when nobody answers; never inside the call
	 * @returns false when it cannot be asked now: another question waits, or a customer is served
	 */
	askHost(batch: number, stan: number, onEnd: (view: HostView) => void): boolean {
		let begun = false;
		this.safely(() => {
			if (this.refusal() !== undefined) return;
			begun = this.#reconciliation.askHost(batch, stan, (view) => this.hostSaid(view, onEnd));
			if (begun) this.showIdle({ name: "querying", stan });
		});
		return begun;
	}

	private hostSaid(view: HostView, onEnd: (view: HostView) => void): void {
		const { stan, batch, says, amountMinor } = view;
		const hit = this.query({ stan }).find((one) => one.batch === batch);
		if (hit === undefined) {
			const money = amountMinor > 0 ? { amountMinor } : {};
			this.showIdle({ name: amountMinor > 0 ? "queryFound" : "queryNone", stan, host: says, ...money });
		} else {
			const { local, card, caseId } = hit;
			const about = { name: "queryFound", stan, host: says, local, amountMinor: hit.amountMinor } as const;
			this.showIdle({ ...about, ...(card === "" ? {} : { card }), ...(caseId === 0 ? {} : { caseId }) });
		}
		onEnd(view);
	}

	/** What differs in a batch from the host's books, as far as it is known: its cases, and what is still being checked. */
	differences(batch: number): SlipLine[] {
		return this.#reconciliation.differences(batch);
	}

	/** False once the host has shown that it knows none of the sync messages. */
	get hostKnowsSync(): boolean {
		return this.#reconciliation.supported;
	}

	/** True while a slip is at the printer, or waits for it. */
	get printing(): boolean {
		return this.#printer.busy;
	}

	/** True while the books are compared, or will be as soon as the line allows. */
	get comparing(): boolean {
		return this.#reconciliation.comparing;
	}

	/** The cases, open and closed. */
	get cases(): Reconciliation["cases"] {
		return this.#reconciliation.cases;
	}

	/** What is recorded and not yet seen posted. */
	get watches(): Reconciliation["watches"] {
		return this.#reconciliation.watches;
	}

	/** The alarms that are raised, the most severe first. */
	get alarms(): Alarm[] {
		return this.#monitor.list();
	}

	/** Shows the alarms once more, one after another, while nobody is served. */
	showAlarms(): void {
		this.#monitor.tellAgain();
		if (this.#running && this.isIdle) this.tellAlarm();
	}

	/** True while a batch is to be settled, or closes. */
	get settling(): boolean {
		return this.#reconciliation.settling;
	}

	/** Asks the host for working keys now, as a person does who has mended something. */
	signOn(): void {
		this.safely(() => this.#session.signOn());
	}

	/** Ends the session with the host; the next sale signs on again. @param onDone - how it ended */
	signOff(onDone: (result: SignOff) => void = () => {}): void {
		this.safely(() => {
			if (this.#sale.phase !== "idle") onDone("busy");
			else {
				this.#session.signOff((result) => {
					if (result !== "busy") this.show({ name: "signedOff" });
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
			chargedMinor += index.amount(slot);
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
			openCases: this.#reconciliation.cases.openCount,
			watched: this.#reconciliation.watches.count,
		};
	}

	/** An orderly end: closes the line. What is under way is settled at the next boot. */
	stop(): void {
		this.#evidence.stop();
		this.#running = false;
		this.#device.clock.clearTimer(this.#readyTimer);
		this.#readyTimer = 0;
		this.#reversals.stop();
		this.#advices.stop();
		this.#reconciliation.stop();
		this.#monitor.stop();
		this.#session.stop();
		this.#leftCard.stop();
	}

	private refusal(): Refusal | undefined {
		if (!this.#running) return "refusedStopped";
		if (this.#sale.phase !== "idle") return "refusedBusy";
		if (this.#leftCard.isLeft) return "refusedCardLeft";
		return this.#questions.length > 0 ? "refusedDelivery" : undefined;
	}

	private hasOpenEnds(): boolean {
		const { states, count } = this.log.index;
		for (let slot = 0; slot < count; slot++) {
			const state = states[slot];
			const open = state === State.waiting || state === State.reversing || state === State.unconfirmed;
			if (open || state === State.approved) return true;
		}
		return false;
	}

	private bootOne(id: number): void {
		const interrupted = this.log.index.states[this.log.index.find(id)] === State.waiting;
		const act = interrupted ? this.log.apply(id, "boot", { flags: Flag.restarted }) : this.log.apply(id, "boot");
		if (act === "tellInterrupted") {
			const intent = this.log.intent(id);
			const { stan, amountMinor } = intent;
			this.note("W", `stan=${stan} ${interrupted ? "was interrupted: it is reversed" : "is still to be reversed"}`);
			this.#reversals.add(id);
			// Told again, also when it was before: power may have gone between flash and screen.
			this.show({
				name: interrupted ? "interrupted" : "reversalStarted",
				stan,
				amountMinor,
				card: maskedCard(intent),
				told: "notCharged",
			});
		} else if (act === "watch") this.#reversals.watch(id);
		else if (act === "askDelivered") this.#questions.push(id);
	}

	private ask(): void {
		const id = this.#questions[0];
		const intent = this.log.intent(id);
		const { stan, amountMinor } = intent;
		// A slip that the printer had reported would have been delivered, durably: nobody would ask.
		this.show({ name: "askDelivered", stan, amountMinor, card: maskedCard(intent), printed: false });
	}

	/** A verified message that answers no open request: a late or doubled answer. */
	private stray(message: MessageDecoder): void {
		if (isReversalAnswer(message)) {
			const code = message.has(39) ? message.text(39) : "";
			this.lateReversal(message.number(11), message.numberAt(60, 2, 6), code);
			return;
		}
		if (!isSaleAnswer(message)) {
			this.note("I", nothingWaits(message.mti));
			return;
		}
		const verdict = responseText(message.has(39) ? message.text(39) : "").class;
		const event: Event = verdict === "approved" ? "approve" : verdict === "partial" ? "refuse" : "decline";
		this.later(message.number(11), message.numberAt(60, 2, 6), event);
	}

	/** In a turn of its own, as flash is written. */
	private lateReversal(stan: number, batch: number, code: string): void {
		this.#device.clock.setTimer(0, () => {
			if (!this.#running) return;
			const { index } = this.log;
			const slot = index.findStan(stan);
			const known = slot >= 0 && index.batch(slot) === batch;
			if (!known || !this.#reversals.lateAnswer(index.ids[slot], code)) this.note("I", nothingWaits("0410"));
		});
	}

	/** In a turn of its own, and behind the answer of the sale under way: it may be about that very sale. */
	private later(stan: number, batch: number, event: Event): void {
		this.#device.clock.setTimer(0, () => {
			if (this.#sale.answerWaits) this.later(stan, batch, event);
			else if (this.#running) this.takeLate(stan, batch, event);
		});
	}

	private takeLate(stan: number, batch: number, event: Event): void {
		const { index } = this.log;
		const slot = index.findStan(stan);
		if (slot < 0 || this.batchOf(index.ids[slot]) !== batch) {
			this.note("W", `late answer to stan=${stan}: no such transaction`);
			return;
		}
		const id = index.ids[slot];
		if (isAdvice(index.kind(slot))) {
			this.note("W", `late answer to stan=${stan}: that was no sale`);
			return;
		}
		if (index.states[slot] === State.waiting || index.states[slot] === State.abandoned) {
			this.note("W", `late answer to stan=${stan}: not in a state to take one`);
			return;
		}
		this.note(
			"W",
			`late answer to stan=${stan}: ${event}, ${this.log.apply(id, event) === "none" ? "no effect" : "reversed"}`,
		);
		if (index.states[index.find(id)] === State.reversing && !this.#queue.has(id)) {
			this.#reversals.add(id);
			this.show({ name: "noAnswer", stan, amountMinor: index.amount(index.find(id)), told: "notCharged" });
			if (this.#sale.phase === "idle") this.#reversals.resume();
		}
	}

	/** In a turn of its own, as it writes flash. During a sale it waits for the sale's end, as any reversal. */
	private reverseAgain(id: number): void {
		this.#reversals.add(id);
		this.#device.clock.setTimer(0, () => {
			if (this.#running && this.#sale.phase === "idle") this.#reversals.resume();
		});
	}

	/** Batch of a transaction; −1 when it was spent long ago and its records are gone. */
	private batchOf(id: number): number {
		try {
			return this.log.intent(id).batch;
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			return -1;
		}
	}

	/** Reversals have gone, nobody waits for the line: the moment for advices. */
	private get mayForward(): boolean {
		const { clock } = this.#device;
		return this.#running && !this.#reversals.active && this.#queue.due(clock.monotonic()) === 0;
	}

	/** Reversals have gone, advices are few or none, nobody waits for the line. */
	private get mayCompare(): boolean {
		return this.mayForward && this.#sale.phase === "idle" && !this.#advices.crowded;
	}

	/** Nobody is served, and no request is open: flash may take its time. */
	private get mayWriteEvidence(): boolean {
		return this.#running && this.#sale.phase === "idle" && !this.#reversals.active && this.#exchange.open === 0;
	}

	private caseChanged(record: CaseRecord): void {
		this.note("W", `case ${record.id} stan=${record.stan}: ${caseScreen(record).name}`);
		this.showIdle(caseScreen(record));
		this.onCase?.(record);
	}

	private settled(report: SettlementReport): void {
		const { batch, result, debits, debitMinor, cases } = report;
		this.showIdle({
			name: "settled",
			batch,
			count: debits,
			amountMinor: debitMinor,
			cases,
			...(result === undefined ? {} : { result }),
		});
		this.#paperwork.settled(report);
		this.onSettled?.(report);
	}

	private alarm(raised: boolean, alarm: Alarm): void {
		const { name, severity, link, value, limit } = alarm;
		const what = `alarm ${name}${link === "" ? "" : ` ${link}`}`;
		if (raised) this.note(severity === "urgent" ? "E" : "W", `${what}: ${value}, limit ${limit}`);
		else this.note("I", `${what} is over: ${value}`);
		this.#alarmOver ||= !raised;
		this.onAlarm?.(raised, alarm);
	}

	/** The monitor has looked by itself: nobody is disturbed by what it has found, nor by a link that is tried again. */
	private looked(): void {
		if (!this.#running || !this.isIdle) return;
		if (!this.#resultShown && !this.tellAlarm() && this.#alarmOver) this.showReady();
		const quiet = !this.#reversals.active && !this.#advices.active && !this.#reconciliation.active;
		if (quiet) this.#exchange.probe();
	}

	/** @returns false when there is no alarm that was not shown yet */
	private tellAlarm(): boolean {
		const alarm = this.#monitor.takeUntold();
		if (alarm === undefined) return false;
		const { name, link } = alarm;
		this.showIdle({ name: "alarm", alarm: name, ...(link === "" ? {} : { link }) });
		return true;
	}

	/** Nobody is served, and no question waits. */
	private get isIdle(): boolean {
		return this.#sale.phase === "idle" && this.#questions.length === 0;
	}

	/** Only while nobody is served; the log has it in any case. The ready screen follows. */
	private showIdle(screen: Screen): void {
		if (!this.isIdle) return;
		this.show(screen);
		this.whenReady();
	}

	private whenSignedOn(): void {
		this.#failure = "noLink";
		this.#failureCode = "";
		const nowMs = this.#device.clock.monotonic();
		this.#queue.hurry(nowMs);
		if (this.#sale.phase === "idle") {
			if (this.#questions.length === 0 && this.#readyTimer === 0) this.showReady();
			this.#reversals.resume();
			this.#advices.hurry();
		}
		this.#reconciliation.signedOn();
		this.onSignedOn?.();
	}

	private signOnFailed(why: SignOnFailure, code: string): void {
		this.#failure = why;
		this.#failureCode = code;
		this.note("W", `not signed on: ${why}${code === "" ? "" : ` ${code}`}`);
	}

	/** Why there is no line to sell over. */
	private notSignedOn(): Screen {
		if (this.#session.ready) return { name: "noLink" };
		if (this.#failure === "refused") return { name: "signOnFailed", code: this.#failureCode };
		if (this.#failure === "keys" || this.#failure === "batch") return { name: "keysWrong" };
		return { name: "noLink" };
	}

	private afterSale(): void {
		if (!this.#running) return;
		this.#reversals.resume();
		this.#advices.resume();
		this.#reconciliation.resume();
		this.#leftCard.look();
		this.whenReady();
		this.onSaleEnd?.();
	}

	/** A little later, when the customer has gone: the ready screen, and flash erased ahead. */
	private whenReady(): void {
		const { clock } = this.#device;
		clock.clearTimer(this.#readyTimer);
		this.#resultShown = true;
		this.#readyTimer = clock.setTimer(this.#config.resultShownMs, () => {
			this.#readyTimer = 0;
			this.#resultShown = false;
			if (this.#sale.phase !== "idle") return;
			this.#monitor.look();
			if (this.#questions.length === 0) {
				if (this.tellAlarm()) return; // The next one, or the ready screen, comes after it.
				this.showReady();
			}
			this.tendFlash();
			this.#reconciliation.tend();
		});
	}

	/** Nobody is served: flash is erased ahead, and the two copies of the journal are kept alike. */
	private tendFlash(): void {
		const { clock, flash } = this.#device;
		this.#readyTimer = 0;
		if (this.#sale.phase !== "idle") return;
		const more = this.log.journal.idle();
		this.reportFlash();
		if (this.#mending && !more) this.note("I", "flash: nothing is left to mend");
		this.#mending = more;
		if (flash.mirror === undefined) return;
		const { mendPauseMs, scrubEveryMs } = this.#config;
		this.#readyTimer = clock.setTimer(more ? mendPauseMs : scrubEveryMs, () => this.tendFlash());
	}

	/** A line in the log for each thing that flash has lost, once. */
	private reportFlash(): void {
		const { lostCopy, retiredBlocks, mendedBlocks } = this.log.journal;
		if (lostCopy !== this.#lostCopy) {
			const which = lostCopy === 0 ? "first" : "second";
			this.note("E", `the ${which} copy of the journal does not work: sales go on with the other one only`);
		}
		if (retiredBlocks > this.#retiredBlocks) this.note("W", `flash: ${retiredBlocks} blocks are worn out and not used`);
		if (mendedBlocks > this.#mendedBlocks) this.note("W", `flash: ${mendedBlocks} blocks mended from the other copy`);
		this.#lostCopy = lostCopy;
		this.#retiredBlocks = retiredBlocks;
		this.#mendedBlocks = mendedBlocks;
	}

	/** What comes from outside runs as guarded as the callbacks do. */
	private safely(action: () => void): void {
		try {
			action();
		} catch (error) {
			failDevice(this.#device, error);
		}
	}

	/** A link without TLS may be used: people are to see it. */
	private get plain(): boolean {
		return this.#config.plainLinks && this.#device.links.some((link) => !link.secure);
	}

	private showReady(): void {
		if (this.#leftCard.isLeft) {
			this.announceCard();
			return;
		}
		const signedOff = !this.#session.ready;
		const openCases = this.#reconciliation.cases.openCount;
		const alarm = this.#monitor.worst();
		this.#alarmOver = false;
		this.show({
			name: "ready",
			count: this.log.doubts,
			...(alarm === undefined ? {} : { alarms: this.#monitor.count, alarm: alarm.name }),
			...(openCases > 0 ? { cases: openCases } : {}),
			...(signedOff ? { signedOff } : {}),
			...(this.plain ? { plain: true } : {}),
		});
	}

	private show(screen: Screen): void {
		this.#device.display.show(screen);
	}

	private note(level: "E" | "W" | "I", text: string): void {
		this.#device.log.write(level, this.#device.clock.monotonic(), "terminal", text);
	}
}

function nothingWaits(mti: string): string {
	return `late ${mti}: nothing waits for it`;
}
