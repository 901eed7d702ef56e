/**
 * Makes an evidence pack: canonical JSON, section by section, in steps that read one transaction or one frame each, so
 * that it can be pulled as fast as a serial line takes it. Memory does not grow with the journal or the ring. The bytes
 * are in EVIDENCE.md.
 *
 * Invariants: what a pack says of a transaction and what its chain has linked is one state of the journal, or there is no
 * pack; no text of a pack is longer in digits than a masked card number (I9); the last step signs, and cannot be divided.
 * @module
 */
import { CodedError } from "../core/errors";
import { maskNumbers } from "../iso8583/mask";
import type { Clock } from "../ports";
import { type DeviceKey, PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from "../security/device-key";
import { FRAME_SALT_BYTES, type FrameTags, PACK_CHECK_BYTES, PACK_NONCE_BYTES } from "../security/device-key-frames";
import { type Chain, idAfter } from "./chain";
import { HASH_BYTES } from "./chain-links";
import { chainSection } from "./evidence-chain";
import type { EvidenceDevice, EvidenceScope } from "./evidence-facts";
import { EvidenceFrameReader, type FrameChoice } from "./evidence-frame-reader";
import { type JsonSink, JsonWriter } from "./evidence-json";
import type { EvidenceRing } from "./evidence-ring";
import { writeCase, writeDevice, writeFrame, writeTransaction } from "./evidence-sections";
import { timeline } from "./evidence-timeline";

export const PACK_FORMAT = "unsettled evidence 1";
/** What a pack for a case or a transaction follows. */
const IDS_MAX = 16;

export interface EvidencePackOptions {
	readonly chain: Chain;
	/** Absent on a board without the partition: a pack then has no frames and no anchors, and says so. */
	readonly ring?: EvidenceRing | undefined;
	readonly tags: FrameTags;
	readonly key: DeviceKey;
	readonly clock: Clock;
	readonly device: EvidenceDevice;
}

export class EvidencePack {
	readonly #o: EvidencePackOptions;
	readonly #scope: EvidenceScope;
	readonly #json: JsonWriter;
	readonly #pieces: Generator<undefined, void, undefined>;
	/** The newest transaction when the pack was begun: what is sold since is not in it. */
	readonly #newest: number;
	/** Of everything up to that one. */
	readonly #print: number;
	readonly #madeMs: number;
	/** Of a case or a transaction, ascending. */
	readonly #ids: readonly number[];
	#done = false;

	/**
	 * @param write - takes the pack, at most 512 bytes at a time; borrowed until it returns
	 * @throws {CodedError} "range" for more transactions than a pack follows
	 */
	constructor(options: EvidencePackOptions, scope: EvidenceScope, write: JsonSink) {
		this.#o = options;
		this.#scope = scope;
		this.#json = new JsonWriter(write);
		this.#madeMs = options.clock.now();
		const { ids: known, count } = options.chain.log.index;
		this.#newest = count === 0 ? 0 : known[count - 1];
		this.#print = options.chain.fingerprint(this.#newest);
		const ids = scope.kind === "day" ? [] : scope.ids.slice().sort((a, b) => a - b);
		if (ids.length > IDS_MAX) throw new CodedError("range", "evidence pack", `${ids.length} transactions`);
		this.#ids = ids;
		this.#pieces = this.make();
	}

	/**
	 * One step.
	 * @returns true when there is more to do
	 * @throws {CodedError} "state" when a transaction that was there has changed since the pack was begun: it is to be made
	 *   again (new sales do no harm, and are not in it); what the sink, the key store and the journal throw. After an error there is no pack
	 */
	step(): boolean {
		if (this.#done) return false;
		let whole = false;
		try {
			this.#done = this.#pieces.next().done === true;
			whole = true;
		} finally {
			if (!whole || this.#done) this.closeReader();
		}
		return !this.#done;
	}

	/** Gives up: the pack's salt is wiped. May be called twice, and after the end. */
	close(): void {
		this.closeReader();
	}

	private closeReader(): void {
		this.#done = true;
		this.#o.tags.endPack();
	}

	private *make(): Generator<undefined, void, undefined> {
		const json = this.#json;
		const digests: [string, Uint8Array][] = [];
		const begin = (name: string): void => {
			json.key(name);
			json.beginSection();
		};
		const end = (name: string): void => {
			const digest = new Uint8Array(HASH_BYTES);
			json.endSection(digest);
			digests.push([name, digest]);
		};
		const { ring, device } = this.#o;
		const nonce = new Uint8Array(PACK_NONCE_BYTES);
		const check = new Uint8Array(PACK_CHECK_BYTES);
		const salted = this.beginSalt(nonce, check);
		yield;
		json.beginObject();
		json.key("body");
		json.beginObject();
		if (this.#scope.kind === "case") {
			begin("case");
			writeCase(json, this.#scope.case);
			end("case");
			yield;
		}
		begin("chain");
		const [first, last] = this.span();
		yield* chainSection(json, this.#o, { first, last, newest: this.#newest }, () => this.unchanged());
		end("chain");
		begin("device");
		writeDevice(json, device, this.#o.chain.log.journal);
		end("device");
		begin("frames");
		yield* this.frames(salted);
		end("frames");
		begin("made");
		json.integer(this.#madeMs);
		end("made");
		begin("ring");
		json.integer(ring === undefined || ring.broken ? 0 : 1);
		end("ring");
		if (salted) {
			begin("salt");
			json.beginObject();
			json.key("check");
			json.hex(check);
			json.key("nonce");
			json.hex(nonce);
			json.endObject();
			end("salt");
		}
		begin("scope");
		this.writeScope();
		end("scope");
		begin("timeline");
		yield* this.timeline();
		end("timeline");
		begin("transactions");
		yield* this.transactions();
		end("transactions");
		json.endObject();
		json.key("digests");
		json.beginObject();
		for (const [name, digest] of digests) {
			json.key(name);
			json.hex(digest);
		}
		json.endObject();
		json.key("format");
		json.string(PACK_FORMAT);
		json.key("key");
		yield;
		this.writeKey(); // As long as a signature, once a boot.
		yield;
		this.sign();
	}

	private beginSalt(nonce: Uint8Array, check: Uint8Array): boolean {
		try {
			this.#o.tags.beginPack(nonce, check);
			return true;
		} catch (error) {
			if (!(error instanceof CodedError) || error.code !== "unprovisioned") throw error;
			return false; // Nobody shares a key with this terminal: nobody can be given a salt.
		}
	}

	private *frames(salted: boolean): Generator<undefined, void, undefined> {
		const json = this.#json;
		const reader = this.reader();
		const salt = new Uint8Array(FRAME_SALT_BYTES);
		json.beginArray();
		for (let found = reader?.next() ?? "end"; reader !== undefined && found !== "end"; found = reader.next()) {
			if (found === "frame") {
				if (salted) this.#o.tags.sealSalt(reader.id, salt);
				writeFrame(json, reader, salted ? salt : undefined);
			}
			yield;
		}
		json.endArray();
	}

	private writeScope(): void {
		const json = this.#json;
		const scope = this.#scope;
		json.beginObject();
		if (scope.kind === "case") {
			json.key("case");
			json.integer(scope.case.id);
		} else if (scope.kind === "day") {
			json.key("from");
			json.integer(scope.fromMs);
		}
		json.key("kind");
		json.string(scope.kind);
		if (scope.kind === "day") {
			json.key("to");
			json.integer(scope.toMs);
		} else {
			json.key("transactions");
			json.beginArray();
			for (const id of this.#ids) json.integer(id);
			json.endArray();
		}
		json.endObject();
	}

	private *timeline(): Generator<undefined, void, undefined> {
		const json = this.#json;
		json.beginArray();
		const history = this.#scope.kind === "case" ? this.#scope.case.history : [];
		const ids = (after: number): number => this.nextId(after);
		for (const event of timeline(this.#o.chain.log, ids, this.reader(), history)) {
			if (event === undefined) {
				yield;
				continue;
			}
			json.beginObject();
			json.key("at");
			json.integer(event.timeMs);
			if (event.id !== 0) {
				json.key("id");
				json.integer(event.id);
			}
			if (event.stan !== 0) {
				json.key("stan");
				json.integer(event.stan);
			}
			json.key("what");
			json.string(maskNumbers(event.what));
			json.endObject();
			this.unchanged();
			yield;
		}
		json.endArray();
	}

	private *transactions(): Generator<undefined, void, undefined> {
		const json = this.#json;
		json.beginArray();
		for (let id = this.nextId(0); id !== 0; id = this.nextId(id)) {
			writeTransaction(json, this.#o.chain.log, id);
			this.unchanged();
			yield;
		}
		json.endArray();
	}

	private writeKey(): void {
		const key = new Uint8Array(PUBLIC_KEY_BYTES);
		this.#o.key.publicKey(key);
		this.#json.hex(key);
	}

	private sign(): void {
		const json = this.#json;
		const signature = new Uint8Array(SIGNATURE_BYTES);
		const message = new Uint8Array(PACK_FORMAT.length + 1 + HASH_BYTES);
		for (let i = 0; i < PACK_FORMAT.length; i++) message[i] = PACK_FORMAT.charCodeAt(i);
		message[PACK_FORMAT.length] = 0x0a;
		this.unchanged();
		json.endWhole(message.subarray(PACK_FORMAT.length + 1));
		this.#o.key.sign(message, signature);
		json.key("signature");
		json.hex(signature);
		json.endObject();
		json.end();
	}

	/** The first and the last transaction of the pack that the journal knows; zeros without one. */
	private span(): [number, number] {
		let last = 0;
		const first = this.nextId(0);
		for (let id = first; id !== 0; id = this.nextId(id)) last = id;
		return [first, last];
	}

	/** The pack's next transaction that the journal knows, 0 at the end. */
	private nextId(after: number): number {
		const { log } = this.#o.chain;
		const scope = this.#scope;
		if (scope.kind !== "day") {
			for (const id of this.#ids) if (id > after && id <= this.#newest && log.index.find(id) >= 0) return id;
			return 0;
		}
		let id = idAfter(log, after);
		while (id !== 0 && !this.isOfDay(id, scope.fromMs, scope.toMs)) id = idAfter(log, id);
		return id <= this.#newest ? id : 0;
	}

	private isOfDay(id: number, fromMs: number, toMs: number): boolean {
		try {
			const timeMs = this.#o.chain.log.intent(id).timeS * 1_000;
			return timeMs >= fromMs && timeMs < toMs;
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			return false; // Its records are lost, and with them its time.
		}
	}

	private reader(): EvidenceFrameReader | undefined {
		const { ring, chain } = this.#o;
		if (ring === undefined || ring.broken) return undefined;
		return new EvidenceFrameReader(ring, this.choice(chain));
	}

	private choice(chain: Chain): FrameChoice {
		const scope = this.#scope;
		if (scope.kind === "day") return scope;
		const { index } = chain.log;
		const keys: [number, number][] = [];
		for (const id of this.#ids) {
			const slot = index.find(id);
			if (slot >= 0) keys.push([index.batch(slot), index.stans[slot]]);
		}
		if (scope.kind === "case") keys.push([scope.case.transaction.batch, scope.case.transaction.stan]);
		return { keys };
	}

	/** What was written and what comes must be one state of the journal, or the pack would contradict itself. */
	private unchanged(): void {
		if (this.#o.chain.fingerprint(this.#newest) === this.#print) return;
		throw new CodedError("state", "evidence pack", "the journal has changed, make it again");
	}
}
