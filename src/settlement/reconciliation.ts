/**
 * All of this folder, composed: what the terminal starts, pauses for a customer, and asks. Its stores live on the journal
 * of the transactions (RecordKeeper); its requests go through the line's window, one at a time.
 * @module
 */
import type { Config } from "../config";
import type { Dialect } from "../iso8583/dialect";
import type { MessageEncoder } from "../iso8583/encoder";
import type { Exchanger } from "../iso8583/exchange";
import type { Clock, LogSink, RandomSource, SlipLine } from "../ports";
import type { SyncMac } from "../security/sync-mac";
import type { TransactionLog } from "../transactions/transaction-log";
import { Books } from "./books";
import { CarriedWork } from "./carried-work";
import type { CaseRecord } from "./case-records";
import { Outcome } from "./case-states";
import { CaseWork } from "./case-work";
import { Cases, openCasesFor } from "./cases";
import { Chain } from "./chain";
import { ChainHead } from "./chain-links";
import { ChainWork } from "./chain-work";
import { Compare } from "./compare";
import { digitsOf } from "./evidence-case";
import { type CaseRow, Row } from "./finding";
import { Findings } from "./findings";
import { HostSync } from "./host-sync";
import { HostTime } from "./host-time";
import { type HostView, Inquiry } from "./inquiry";
import { SettleTimes } from "./settle-times";
import { Settlement, type SettleWait } from "./settlement";
import { SettlementMessages } from "./settlement-messages";
import { differencesOf, type SettlementReport } from "./settlement-report";
import { StuckWork } from "./stuck-work";
import { Suspicions } from "./suspicions";
import { Sync } from "./sync";
import { EVIDENCE_BYTES, SyncMessages } from "./sync-messages";
import { SyncParts } from "./sync-parts";
import { Watches, watchesFor, watchOf } from "./watch";
import { WatchWork } from "./watch-work";

export interface ReconciliationOptions {
	log: TransactionLog;
	/** Of the journal's partition. */
	journalBytes: number;
	exchanger: Exchanger;
	dialect: Dialect;
	/** Of all messages: one is built and sent in one turn. */
	encoder: MessageEncoder;
	syncMac: SyncMac;
	clock: Clock;
	config: Config;
	random: RandomSource;
	sink: LogSink;
	/** Every link that may be used carries TLS. */
	secure(): boolean;
	/** See SyncOptions. */
	mayBegin(): boolean;
	/** Flash has lost something since it was provisioned. */
	flashError(): boolean;
	onResend(): void;
	onReverse(id: number): void;
	/** The host has acknowledged a head of the evidence chain; borrowed. See EvidenceFrames.anchored. */
	onAnchored(head: ChainHead, code: number, hostTime: string): void;
	/** A case has changed. */
	onCase(record: CaseRecord): void;
	/** There is no place for another open case. */
	onCasesFull(): void;
	onSettleWaits(why: SettleWait, batch: number): void;
	onSettled(report: SettlementReport): void;
}

export class Reconciliation {
	readonly cases: Cases;
	readonly watches: Watches;
	readonly hostTime: HostTime;
	readonly chain: Chain;
	readonly #parts: SyncParts;
	readonly #compare: Compare;
	readonly #caseWork: CaseWork;
	readonly #settleTimes: SettleTimes;
	readonly #settlement: Settlement;
	readonly #inquiry: Inquiry;
	readonly #sync: Sync;
	readonly #onAnchored: ReconciliationOptions["onAnchored"];
	readonly #onCase: ReconciliationOptions["onCase"];
	readonly #onCasesFull: ReconciliationOptions["onCasesFull"];
	readonly #head = new Uint8Array(EVIDENCE_BYTES);
	/** The head that was told last. */
	readonly #told = new ChainHead();

	constructor(options: ReconciliationOptions) {
		const { log, clock, config, random, sink, exchanger, dialect, encoder, journalBytes } = options;
		this.#onAnchored = options.onAnchored;
		this.#onCase = options.onCase;
		this.#onCasesFull = options.onCasesFull;
		this.cases = new Cases(log.journal, {
			openMax: openCasesFor(journalBytes, config.casesMax),
			batches: log,
		});
		this.watches = new Watches(log.journal, watchesFor(journalBytes));
		log.addKeeper(this.watches);
		log.addKeeper(this.cases);
		const hostSync = new HostSync(log.journal);
		log.addKeeper(hostSync);
		this.hostTime = new HostTime(clock);
		this.chain = new Chain(log);
		log.markWitness = this.chain;
		const books = new Books({
			log,
			cases: this.cases,
			hostTime: this.hostTime,
			clock,
			config,
			flashError: options.flashError,
		});
		const parts = new SyncParts({
			log,
			cases: this.cases,
			books,
			suspicions: new Suspicions(),
			hostTime: this.hostTime,
			hostSync,
			messages: new SyncMessages(dialect, config, options.syncMac, random, encoder),
			clock,
			config,
			random,
			sink,
			heads: this,
		});
		this.#parts = parts;
		this.#compare = new Compare(parts);
		this.#caseWork = new CaseWork({
			parts,
			onResend: options.onResend,
			onReverse: options.onReverse,
			owner: this,
		});
		const onCase = (id: number): void => options.onCase(this.cases.get(id));
		const carried = new CarriedWork(parts, this.watches);
		this.#settleTimes = new SettleTimes({ log, clock, config, cases: this.cases });
		this.#settlement = new Settlement({
			parts,
			messages: new SettlementMessages(dialect, config, encoder),
			compare: this.#compare,
			watches: this.watches,
			cases: this.cases,
			carried,
			times: this.#settleTimes,
			secure: options.secure,
			onCase,
			onWait: options.onSettleWaits,
			onSettled: options.onSettled,
		});
		const stuck = new StuckWork({
			...{ log, books, clock, config },
			cases: this.cases,
			onCase,
			onFull: options.onCasesFull,
		});
		log.onStuck = () => {
			stuck.look();
			this.#sync.kick();
		};
		this.#inquiry = new Inquiry(parts);
		this.#sync = new Sync({
			jobs: [
				stuck,
				this.#inquiry,
				// What differs is first written down, all of it; then it is seen to.
				new Findings(parts, this),
				new ChainWork(this.chain, this),
				this.#caseWork,
				carried,
				this.#settlement,
				this.#compare,
				new WatchWork(parts, this.watches, options.onCasesFull),
			],
			exchanger,
			clock,
			config,
			random,
			sink,
			journal: log.journal,
			mayBegin: options.mayBegin,
		});
	}

	/** True while a request is on the line, or a batch closes. */
	get active(): boolean {
		return this.#sync.active;
	}

	/** A batch is to be settled, or closes. */
	get settling(): boolean {
		return this.#settlement.active;
	}

	/** False once the host has shown that it knows none of the sync messages. */
	get supported(): boolean {
		return this.#parts.supported;
	}

	/** Differences that are no findings yet. */
	get suspicions(): number {
		return this.#parts.suspicions.count;
	}

	/** Differences of a row: open cases, and what is not confirmed yet. */
	noticed(row: CaseRow): number {
		return this.cases.countOpen(row) + this.#parts.suspicions.countOf(Row[row]);
	}

	/** After the mount. */
	start(): void {
		this.chain.start();
		this.#sync.start();
	}

	stop(): void {
		this.#inquiry.stop();
		this.#sync.stop();
	}

	/** A customer is served: nothing is begun. */
	pause(): void {
		this.#sync.pause();
	}

	resume(): void {
		this.#sync.resume();
	}

	/** Signed on: the line works, and the host may be another one. */
	signedOn(): void {
		this.#parts.signedOn();
		this.#sync.hurry();
	}

	/** See FindingsOwner. */
	onFull(): void {
		this.#onCasesFull();
	}

	/** See FindingsOwner. */
	onOpened(id: number, heard: boolean): void {
		this.#caseWork.opened(id, heard);
	}

	/** See CaseOwner. */
	onCase(id: number): void {
		const record = this.cases.get(id);
		// The books agree: a watch would hold a sale that was given back against them once the case has made way. Where
		// people have decided, the sale may still be to be seen posted.
		if (record.outcome === Outcome.agreed) this.watches.done(record.batch, record.stan);
		this.#onCase(record);
	}

	/** See CaseOwner. The money of a customer does not wait for the hour; a batch without a sale would make no room. */
	onNoRoom(): void {
		const { log } = this.#parts;
		if (log.nextInBatch(log.batch, 0) !== 0) this.#settlement.request();
	}

	/** See FindingsOwner. Of the batch that is open the next comparison sees it again; of another one nobody does. */
	onPending(batch: number, id: number): boolean {
		const { log } = this.#parts;
		if (batch === log.batch || log.index.find(id) < 0) return true;
		return this.watches.add(batch, [watchOf(this.#parts, id)]);
	}

	/** A message of a transaction has its answer, or none: cases that waited for it go on. */
	movementOver(): void {
		if (this.#caseWork.movementOver()) this.#sync.kick();
	}

	/** Compares as soon as the line allows. */
	request(): void {
		this.#compare.request();
		this.#sync.hurry();
	}

	/** What the host's books hold of one transaction; see Inquiry. @returns false while another question waits */
	askHost(batch: number, stan: number, onEnd: (view: HostView) => void): boolean {
		if (!this.#inquiry.ask({ batch, stan }, onEnd)) return false;
		this.#sync.hurry();
		return true;
	}

	/** What differs in a batch from the host's books; see settlement-report.ts. */
	differences(batch: number): SlipLine[] {
		return differencesOf(batch, this.cases, this.#parts.suspicions, this.#parts.log.index);
	}

	/** True while a request is on the line, or the comparison that was asked for has not gone through. */
	get comparing(): boolean {
		return this.#sync.active || this.#compare.active;
	}

	/** Settles the batch. @returns false when there is none to settle, or one closes already */
	settle(): boolean {
		const begun = this.#settlement.request();
		this.#sync.hurry();
		return begun;
	}

	/** Nobody is served: looks whether the journal is so full that the batch had better be settled. */
	tend(): void {
		if (this.#settlement.active) return;
		this.#settleTimes.look();
		this.#sync.kick();
	}

	/** The operator's answer to a case; see CaseWork. @returns false when the case takes none */
	operatorSays(id: number, yes: boolean): boolean {
		const taken = this.#caseWork.operatorSays(id, yes);
		this.#sync.kick();
		return taken;
	}

	/** The next case that waits for the operator's answer, 0 for none. */
	nextQuestion(after = 0): number {
		return this.#caseWork.nextQuestion(after);
	}

	/** What is asked, or written, next carries the head of the evidence chain. */
	needsHead(nowMs: number): boolean {
		return this.#compare.asksDigest || this.#settlement.releases || this.#caseWork.dueMs(nowMs) <= nowMs;
	}

	/** See EvidenceHeads. */
	anchored(code: number): void {
		this.#onAnchored(this.#told, code, this.hostDigits());
	}

	/** See EvidenceHeads. */
	head(): Uint8Array {
		this.#told.copy(this.chain.headUpTo(0xffff_ffff));
		this.#told.digest(this.#head);
		return this.#head;
	}

	/** YYYYMMDDhhmmss of the answer just read, zeros while the host's time is not known. */
	private hostDigits(): string {
		const nowMs = this.hostTime.now();
		return nowMs === undefined ? "0".repeat(14) : digitsOf(nowMs);
	}
}
