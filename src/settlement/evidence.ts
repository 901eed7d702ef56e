/**
 * Evidence, composed (EVIDENCE.md): frames and anchors on their way into the ring, and packs when somebody asks. What it
 * needs is made when it is first needed: a terminal without the partition, of which nobody asks a pack, pays for none of it.
 *
 * Invariants: no error of the ring reaches a sale; nothing is written while somebody is served; what a pack is asked for
 * while that is so is refused, as a signature cannot be divided.
 * @module
 */
import { CodedError } from "../core/errors";
import type { Dialect } from "../iso8583/dialect";
import type { Clock, FlashPartition, KeyStore, LogSink, RandomSource } from "../ports";
import { DeviceKey } from "../security/device-key";
import { FrameTags } from "../security/device-key-frames";
import { isAdvice, KIND_OFFLINE_SALE } from "../transactions/records";
import type { TransactionLog } from "../transactions/transaction-log";
import type { CaseRecord } from "./case-records";
import type { Cases } from "./cases";
import type { Chain } from "./chain";
import type { ChainHead } from "./chain-links";
import { evidenceCase } from "./evidence-case";
import type { EvidenceDevice, EvidenceScope } from "./evidence-facts";
import { EvidenceFrames } from "./evidence-frames";
import type { JsonSink } from "./evidence-json";
import { EvidencePack } from "./evidence-pack";
import { EvidenceRing } from "./evidence-ring";

export interface EvidenceOptions {
	readonly log: TransactionLog;
	readonly cases: Cases;
	readonly chain: Chain;
	/** Absent on a board without it: packs then have no frames and no anchors, and say so. */
	readonly partition?: FlashPartition | undefined;
	readonly keys: KeyStore;
	readonly random: RandomSource;
	readonly clock: Clock;
	readonly dialect: Dialect;
	readonly sink: LogSink;
	readonly device: EvidenceDevice;
	/** Nobody is served, and no request is open. */
	mayWrite(): boolean;
}

/** What a pack is asked for: one case, one transaction with all that belongs to it, or what was begun in a span of time. */
export type EvidenceWanted =
	| { readonly case: number }
	| { readonly batch: number; readonly stan: number }
	| { readonly fromMs: number; readonly toMs: number };

/** From a frame to the write: by then a sale's answer has come, as a rule. */
const FLUSH_MS = 2_000;
/** More transactions than a pack follows belong to none. */
const RELATED_MAX = 16;

export class Evidence {
	readonly #o: EvidenceOptions;
	readonly #ring: EvidenceRing | undefined;
	readonly #frames: EvidenceFrames | undefined;
	#tags: FrameTags | undefined;
	#key: DeviceKey | undefined;
	#timer = 0;
	#lostTold = 0;

	constructor(options: EvidenceOptions) {
		this.#o = options;
		const { partition, dialect, clock } = options;
		if (partition === undefined) return;
		try {
			const ring = new EvidenceRing(partition);
			this.#ring = ring;
			this.#frames = new EvidenceFrames({ ring, tags: this.theTags, dialect, clock });
		} catch (error) {
			// A partition that holds no ring: the terminal sells without one.
			if (!(error instanceof CodedError)) throw error;
			this.note(`no frames are kept: ${error.message}`);
		}
	}

	/** After the journal's mount. Writes nothing. */
	start(): void {
		this.#ring?.mount();
		if (this.#ring?.broken) this.note("the evidence partition does not work: no frames are kept");
	}

	/** An orderly end: what waits is written. */
	stop(): void {
		this.#o.clock.clearTimer(this.#timer);
		this.#timer = 0;
		if (this.#o.mayWrite()) this.#frames?.idle();
	}

	/** True when frames and anchors are kept. */
	get keepsFrames(): boolean {
		return this.#ring !== undefined && !this.#ring.broken;
	}

	/** A frame has left, or was received, and what it is for is done; borrowed. */
	capture(direction: "sent" | "received", frame: Uint8Array, byteLength: number): void {
		if (this.#frames === undefined) return;
		this.#frames.capture(direction, frame, byteLength);
		this.later();
	}

	/** The host has acknowledged a head; see EvidenceFrames.anchored. */
	anchored(head: ChainHead, code: number, hostTime: string): void {
		if (this.#frames === undefined) return;
		this.#frames.anchored(this.#o.chain, head, code, hostTime);
		this.later();
	}

	/**
	 * Begins a pack, which whoever asks pulls step by step; see EvidencePack.
	 * @throws {CodedError} "state" while somebody is served; "missing" for a case or transaction that is not known
	 */
	pack(wanted: EvidenceWanted, write: JsonSink): EvidencePack {
		const { chain, clock, device, mayWrite } = this.#o;
		if (!mayWrite()) throw new CodedError("state", "evidence", "the terminal is at work");
		const scope = this.scope(wanted);
		const ring = this.#ring;
		// What waits belongs into it as well.
		this.#frames?.idle();
		return new EvidencePack({ chain, ring, tags: this.theTags, key: this.theKey, clock, device }, scope, write);
	}

	/**
	 * The public key that this terminal's packs are signed with, to be told to who checks them, before there is a dispute.
	 * Takes as long as a signature the first time.
	 * @param out - PUBLIC_KEY_BYTES bytes
	 * @throws {CodedError} "state" while somebody is served; as DeviceKey.publicKey
	 */
	publicKey(out: Uint8Array): void {
		if (!this.#o.mayWrite()) throw new CodedError("state", "evidence", "the terminal is at work");
		this.theKey.publicKey(out);
	}

	private scope(wanted: EvidenceWanted): EvidenceScope {
		const { cases } = this.#o;
		if ("fromMs" in wanted) return { kind: "day", fromMs: wanted.fromMs, toMs: wanted.toMs };
		if ("case" in wanted) {
			const record = cases.get(wanted.case);
			return { kind: "case", case: evidenceCase(record), ids: this.related(record) };
		}
		const ids = this.related(wanted);
		if (ids.length === 0)
			throw new CodedError("missing", "evidence", `no transaction ${wanted.stan} of batch ${wanted.batch}`);
		return { kind: "transaction", ids };
	}

	/** Ids of a transaction, and of the refunds and resends that belong to it, as far as the journal has them. */
	private related({ batch, stan }: Pick<CaseRecord, "batch" | "stan">): number[] {
		const { log } = this.#o;
		const { index } = log;
		const ids: number[] = [];
		for (let slot = 0; slot < index.count && ids.length < RELATED_MAX; slot++) {
			const kind = index.kind(slot);
			const own = index.batch(slot) === batch && index.stans[slot] === stan;
			const about = isAdvice(kind) && kind !== KIND_OFFLINE_SALE && this.isAbout(index.ids[slot], batch, stan);
			if (own || about) ids.push(index.ids[slot]);
		}
		return ids;
	}

	private isAbout(id: number, batch: number, stan: number): boolean {
		try {
			const { originalBatch, originalStan } = this.#o.log.advice(id);
			return originalBatch === batch && originalStan === stan;
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			return false; // Its records are lost: whose it was nobody can tell.
		}
	}

	private get theKey(): DeviceKey {
		this.#key ??= new DeviceKey(this.#o.keys, this.#o.random);
		return this.#key;
	}

	private get theTags(): FrameTags {
		this.#tags ??= new FrameTags(this.#o.keys, this.#o.random);
		return this.#tags;
	}

	private later(): void {
		if (this.#timer === 0 && this.#frames?.waiting) this.wait();
	}

	private wait(): void {
		this.#timer = this.#o.clock.setTimer(FLUSH_MS, () => {
			this.#timer = 0;
			this.write();
		});
	}

	/** Erases at most one block a turn; somebody who comes meanwhile comes first. */
	private write(): void {
		const frames = this.#frames;
		if (frames === undefined) return;
		const more = this.#o.mayWrite() ? frames.idle() || frames.waiting : frames.waiting;
		if (frames.lostTotal > this.#lostTold)
			this.note(`${frames.lostTotal - this.#lostTold} frames are not in the evidence`);
		this.#lostTold = frames.lostTotal;
		if (this.#ring?.broken) this.note("the evidence partition does not work any more: no frames are kept");
		else if (more) this.wait();
	}

	private note(text: string): void {
		this.#o.sink.write("W", this.#o.clock.monotonic(), "evidence", text);
	}
}
