/**
 * One terminal's checker: what it sends, shows, prints and logs, looked at from outside while things break, and its
 * flash read past it. Each promise that is broken is told with its number (I1–I5, I7–I10); I6 is check-money.ts.
 *
 * Sound: it never blames a terminal that keeps its promises; where it cannot know it says nothing. It never throws, as
 * it stands inside the terminal's own calls, and it changes nothing: a run that is watched is the same run. Whole mounts
 * are made now and then only, by numbers of its own; everything else is looked at each time.
 * @module
 */
import type { Config } from "../../src/config";
import { readAscii, readU32 } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { Framer } from "../../src/iso8583/framer";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { UNIONPAY_DUKPT } from "../../src/iso8583/unionpay-dukpt";
import type { KeyStore, Screen, Slip, Told } from "../../src/ports";
import type { Terminal } from "../../src/terminal";
import { QUEUE_MAX } from "../../src/transactions/reversal-queue";
import { EVENTS, type Event, STATE_NAMES, State, type StateName, stateName } from "../../src/transactions/states";
import type { TransactionLog } from "../../src/transactions/transaction-log";
import type { FlashMedium } from "../board/flash-medium";
import type { Presentation } from "../board/scripted-reader";
import type { SeededRandom } from "../board/seeded-random";
import type { PaperState } from "../board/till";
import type { TestCard } from "../test-cards";
import { AnswerProof } from "./witness-answers";
import { type Entry, WitnessBook } from "./witness-book";
import { WitnessFlash } from "./witness-flash";
import { WitnessMemory } from "./witness-memory";
import { WitnessMounts } from "./witness-mounts";
import { SecretSearch } from "./witness-secrets";
import { brokenBy } from "./witness-words";

export interface WitnessOptions {
	/** A promise is broken; the text names no secret. */
	fail(invariant: string, text: string): void;
	readonly terminalId: string;
	readonly config: Config;
	/** The terminal's silicon, of both copies or the one. */
	readonly media: readonly FlashMedium[];
	/** Its partition for masked frames. */
	readonly evidence?: FlashMedium | undefined;
	/** The terminal's key store: only read. */
	readonly keys: KeyStore;
	readonly cards: readonly TestCard[];
	/** Its own: nobody else draws from it. */
	readonly random: SeededRandom;
	/** Something happened that coverage counts: `transition:waiting/approve`, `recovery:G`. */
	count(key: string): void;
	/** Timers that wait on this terminal's board, where somebody knows. */
	timers?(): number;
}

/** One write, or word to people, in so many is judged by a whole mount of its flash; one boot, too. */
const MOUNT_ONE_IN = 12;
/** One answer in so many has its MAC computed. */
const MAC_ONE_IN = 8;
/** One terminal in so many has all of its flash looked through at the end. */
const FLASH_SEARCH_ONE_IN = 16;
/** Transactions in memory beyond the configuration: transaction-index.ts, "Slots beyond the capacity". */
const SPARE_SLOTS = 8;
/** Of one terminal: each part has a few at most. */
const TIMERS_MAX = 64;

const PAID: readonly number[] = [State.approved, State.delivered];
const NOT_CHARGED: readonly number[] = [
	State.declined,
	State.abandoned,
	State.reversing,
	State.unconfirmed,
	State.reversed,
];
/** Nothing is left to do. */
const AT_REST: readonly number[] = [
	State.delivered,
	State.declined,
	State.abandoned,
	State.reversed,
	State.forwarded,
	State.forwardRefused,
];

/** Made once: counting builds no text. */
const TRANSITION_KEYS: Readonly<Record<string, Readonly<Record<string, string>>>> = Object.fromEntries(
	STATE_NAMES.map((state) => [
		state,
		Object.fromEntries(EVENTS.map((event) => [event, `transition:${state}/${event}`])),
	]),
);

export class Witness {
	readonly #o: WitnessOptions;
	readonly #sent: MessageDecoder;
	readonly #heard: MessageDecoder;
	readonly #framer: Framer;
	readonly #book: WitnessBook;
	readonly #memory: WitnessMemory;
	readonly #flash: WitnessFlash;
	readonly #mounts: WitnessMounts;
	readonly #secrets: SecretSearch;
	readonly #proof: AnswerProof;
	readonly #dukpt: boolean;
	/** The connection whose bytes the framer holds. */
	#connection = -1;
	#framerBroken = false;
	#terminal: Terminal | undefined;
	/** Of the customer at the terminal. */
	#presented: { readonly amountMinor: number; readonly presentation: Presentation } | undefined;
	readonly #onFrame: (frame: Uint8Array, byteLength: number) => void;

	constructor(options: WitnessOptions) {
		this.#o = options;
		const { config, media, keys, cards } = options;
		const fail = (invariant: string, text: string): void => options.fail(invariant, text);
		this.#dukpt = config.keyScheme === "dukpt";
		const dialect = this.#dukpt ? UNIONPAY_DUKPT : UNIONPAY;
		this.#sent = new MessageDecoder(dialect);
		this.#heard = new MessageDecoder(dialect);
		this.#framer = new Framer(dialect);
		this.#book = new WitnessBook(fail);
		this.#memory = new WitnessMemory(this.#book, fail);
		this.#flash = new WitnessFlash(media);
		this.#mounts = new WitnessMounts(media, config.transactionsMax, keys, options.random.fork("mounts"), fail);
		this.#secrets = new SecretSearch(cards, keys, [config.merchantId, config.terminalId]);
		this.#proof = new AnswerProof(keys, this.#dukpt);
		this.#onFrame = (frame, byteLength) => this.#frameHeard(frame, byteLength);
	}

	/** A terminal was assembled and is about to start. */
	attach(terminal: Terminal): void {
		this.#terminal = terminal;
		this.#connection = -1;
		terminal.log.onTransition = (id, from, event, to) => this.transition(id, from, event, to);
	}

	/** It has started: everything that was known is there (I7). */
	booted(terminal: Terminal): void {
		if (this.#terminal !== terminal) return; // Nobody has said that it began.
		const { log } = terminal;
		this.#memory.booted(log);
		this.#checkBounds(terminal);
		if (this.#sampled()) this.#mounts.all(log);
	}

	/** Power is gone: by a cut, or by the firmware's own restart. */
	powerLost(): void {
		const terminal = this.#terminal;
		if (terminal === undefined) return;
		this.#memory.powerLost(terminal.log);
		this.#bootOver(terminal.log);
		this.#presented = undefined;
	}

	/** A customer holds a card to the terminal. */
	presented(amountMinor: number, presentation: Presentation): void {
		this.#presented = { amountMinor, presentation };
	}

	/** A whole frame, before a byte of it leaves. */
	frameWritten(bytes: Uint8Array, _connection = 0): void {
		const message = this.#sent;
		try {
			message.decode(bytes, bytes.length);
			this.#leaves(message, bytes);
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			this.#fail("I11", `a frame leaves that is none: ${error.message}`);
		}
	}

	#leaves(message: MessageDecoder, bytes: Uint8Array): void {
		const { terminalId, config } = this.#o;
		if (!message.equals(41, terminalId) || !message.equals(42, config.merchantId)) {
			this.#fail("I11", `a ${message.mti} leaves under another terminal's name`);
		}
		const stan = message.number(11);
		switch (message.mti) {
			case "0200":
				this.#keysNamed(stan, message);
				this.#saleLeaves(message);
				return;
			case "0400":
				this.#keysNamed(stan, message);
				this.#reversalLeaves(message);
				return;
			case "0220":
				this.#keysNamed(stan, message);
				this.#adviceLeaves(message, bytes);
				return;
			case "0800":
			case "0820":
			case "0300":
			case "0500":
			case "0320":
				this.#book.numberOfItsOwn(stan);
				return;
			default:
				this.#fail("I11", `a ${message.mti} leaves, which this terminal does not send`);
		}
	}

	/** Bytes of the host, as they reach the terminal; in any pieces. */
	frameArrived(bytes: Uint8Array, connection = 0): void {
		if (connection !== this.#connection) {
			this.#connection = connection;
			this.#framer.reset();
			this.#framerBroken = false;
		}
		if (this.#framerBroken) return;
		try {
			this.#framer.push(bytes, bytes.length, this.#onFrame);
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			this.#framerBroken = true; // The terminal drops the connection for the same reason.
		}
	}

	screen(screen: Screen): void {
		const { name, stan, card, code, told, amountMinor } = screen;
		if (card !== undefined) this.#lookFor(card, `screen ${name}`);
		if (code !== undefined) this.#lookFor(code, `screen ${name}`);
		if (name === "ready") this.rest();
		if (stan === undefined) return;
		if (name === "askDelivered") this.#book.entry(stan).asked = true;
		if (told === undefined) return;
		this.#told(stan, told, amountMinor, name);
	}

	/** The cashier answers whether a sale was delivered; the last answer holds. */
	deliveryAnswered(stan: number, delivered: boolean): void {
		this.#book.entry(stan).delivered = delivered;
	}

	/** The host denies a debit that it holds, or will: what is told of it by its books may be reversed once more. */
	contradicted(stan: number): void {
		this.#book.entry(stan).contradicted = true;
	}

	slip(slip: Slip, paper: PaperState): void {
		for (const text of Object.values(slip)) if (typeof text === "string") this.#lookFor(text, "a slip");
		if (slip.told === undefined) return;
		if (paper === "whole") this.#told(slip.stan, slip.told, slip.amountMinor, `slip ${slip.name}`);
	}

	logLine(level: string, tag: string, text: string): void {
		this.#lookFor(text, "the log");
		if (level !== "E") return;
		const worn = this.#o.media.some(({ faults }) => faults.size > 0);
		const broken = brokenBy(tag, text, worn);
		if (broken !== undefined) this.#fail(broken, text);
	}

	/** For TransactionLog.onTransition: an event was taken, and is durable as far as the table says. */
	transition(id: number, from: StateName, event: Event, to: StateName): void {
		this.#o.count(TRANSITION_KEYS[from][event]);
		const log = this.#terminal?.log;
		if (log !== undefined) this.#memory.transition(log, id, from, event, to);
	}

	/**
	 * Says the terminal that it is at rest, nothing is left undone (I3): to be asked before a last boot, which would take up
	 * again what was forgotten. Asked as well whenever it is ready for a customer.
	 */
	rest(): void {
		const terminal = this.#terminal;
		if (terminal === undefined || !terminal.atRest) return;
		const { index } = terminal.log;
		for (let slot = 0; slot < index.count; slot++) {
			if (AT_REST.includes(index.states[slot])) continue;
			this.#fail("I3", `stan=${index.stans[slot]}: ${stateName(index.states[slot])} at rest`);
		}
	}

	/** The run is over. */
	end(): void {
		const terminal = this.#terminal;
		if (terminal === undefined) return;
		const { log } = terminal;
		this.#bootOver(log);
		if (this.#o.random.chance(1, FLASH_SEARCH_ONE_IN)) {
			const { media, evidence } = this.#o;
			const all = evidence === undefined ? media : [...media, evidence];
			for (const found of this.#secrets.inFlash(all)) this.#fail("I9", found);
		}
		if (!terminal.atRest) return;
		this.rest();
		this.#mounts.all(log);
		for (const entry of this.#book.all()) this.#judge(entry);
	}

	/** What leaves the terminal as a file. */
	pack(bytes: Uint8Array): void {
		const found = this.#secrets.inText(readAscii(bytes, 0, bytes.length));
		if (found !== undefined) this.#fail("I9", `an evidence pack holds ${found}`);
	}

	/** I3: whatever has left was answered, and told, or taken back. */
	#judge(entry: Entry): void {
		const { stan, known, advice, requests, reversals, told, declines, adviceAnswers, delivered } = entry;
		if (delivered !== undefined && told !== (delivered ? "paid" : "notCharged")) {
			this.#fail("I6", `stan=${stan}: the cashier said ${delivered ? "" : "not "}delivered, and was told ${told}`);
		}
		if (!known) return;
		if (advice) {
			if (adviceAnswers === 0) this.#fail("I3", `stan=${stan}: an advice that nobody has answered is at rest`);
			return;
		}
		if (requests === 0 || reversals > 0 || told === "paid" || declines > 0) return;
		this.#fail("I3", `stan=${stan}: a sale has left, and was neither told paid, nor declined, nor reversed`);
	}

	#saleLeaves(message: MessageDecoder): void {
		const entry = this.#book.sale(message);
		const { stan } = entry;
		const { config } = this.#o;
		if (message.has(52)) this.#secrets.pinBlock(message.bytes(52));
		const presented = this.#presented;
		this.#presented = undefined;
		if (presented !== undefined) {
			const { amountMinor, presentation } = presented;
			const { card, fault, verdictMs = 0 } = presentation;
			if (entry.amountMinor !== amountMinor || entry.pan !== card.pan) {
				this.#fail("I6", `stan=${stan}: another amount or card leaves than the customer's`);
			}
			const late = verdictMs > config.verdictTimeoutMs;
			entry.cardRefuses = card.entryMode === "chip" && (card.verdict === "AAC" || fault === "gone" || late);
		}
		this.#onFlash(entry, "0200", State.waiting, State.waiting);
	}

	#reversalLeaves(message: MessageDecoder): void {
		const entry = this.#book.reversal(message);
		const slot = this.#onFlash(entry, "0400", State.reversing, State.unconfirmed);
		if (slot < 0) return;
		const { reason } = this.#flash;
		const [high, low] = [String.fromCharCode(reason >> 8), String.fromCharCode(reason & 0xff)];
		if (!message.equals(39, high + low)) this.#fail("I1", `stan=${entry.stan}: another reason on flash`);
	}

	#adviceLeaves(message: MessageDecoder, frame: Uint8Array): void {
		const entry = this.#book.advice(message, frame);
		const { stan, originalBatch, originalStan } = entry;
		const slot = this.#onFlash(entry, "0220", State.forwarding, State.forwarding);
		const index = this.#terminal?.log.index;
		if (slot < 0 || index === undefined) return;
		if (index.isHeldBack(slot)) this.#fail("I5", `stan=${stan}: it overtakes an older movement of its original`);
		if (originalStan === 0) return;
		const original = index.findByStan(originalBatch, originalStan);
		const state = original < 0 ? 0 : index.states[original];
		if (state === State.waiting || state === State.reversing || state === State.unconfirmed) {
			this.#fail("I5", `stan=${stan}: its original is ${stateName(state)}`);
		}
	}

	/** I1, for a request that leaves in one of two states. @returns its slot; −1 when it is not known */
	#onFlash(entry: Entry, mti: string, state: number, orState: number): number {
		const { stan, batch } = entry;
		const terminal = this.#terminal;
		if (terminal === undefined) return -1;
		const { index, journal } = terminal.log;
		const where = `${mti} stan=${stan}`;
		if (!journal.pinned) this.#fail("I7", `${where}: leaves before what the boot has read is certain`);
		const slot = index.findByStan(batch, stan);
		if (slot < 0) {
			this.#fail("I1", `${where}: leaves, and there is no such transaction`);
			return -1;
		}
		const found = index.states[slot];
		if (found !== state && found !== orState) this.#fail("I1", `${where}: leaves of what is ${stateName(found)}`);
		const wrong =
			this.#flash.whyNoIntent(index, slot, entry) ?? (mti === "0400" ? this.#flash.whyNoState(index, slot) : undefined);
		if (wrong !== undefined) this.#fail("I1", `${where}: ${wrong}`);
		if (this.#sampled()) this.#mounts.one(entry, where, [state, orState], "I1", entry.pan);
		return wrong === undefined ? slot : -1;
	}

	/** People read what has become of their money (I2, I5). */
	#told(stan: number, told: Told, amountMinor: number | undefined, where: string): void {
		const again = this.#book.entry(stan).told === told;
		this.#book.told(stan, told, amountMinor, where);
		const terminal = this.#terminal;
		if (terminal === undefined) return;
		const { index, journal } = terminal.log;
		if (!journal.pinned) this.#fail("I7", `stan=${stan}: ${where} before what the boot has read is certain`);
		const slot = index.findStan(stan);
		if (slot < 0) {
			// A slow printer ends behind the settlement: what it says was on the screen, and durable then.
			if (!again) this.#fail("I2", `stan=${stan}: ${where}, and there is no such transaction`);
			return;
		}
		const states = told === "paid" ? PAID : NOT_CHARGED;
		if (!states.includes(index.states[slot])) {
			this.#fail("I2", `stan=${stan}: ${where} of what is ${stateName(index.states[slot])}`);
			return;
		}
		const wrong = this.#flash.whyNoState(index, slot);
		if (wrong !== undefined) this.#fail("I2", `stan=${stan}: ${where}: ${wrong}`);
		const facts = { stan, batch: index.batch(slot), amountMinor: index.amount(slot) };
		if (this.#sampled()) this.#mounts.one(facts, `${where} stan=${stan}`, states, "I2");
	}

	#frameHeard(frame: Uint8Array, byteLength: number): void {
		const message = this.#heard;
		try {
			message.decode(frame, byteLength);
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			return; // The terminal cannot read it either.
		}
		const { mti } = message;
		if (mti === "0810") this.#proof.signedOn(message);
		if (mti !== "0210" && mti !== "0230" && mti !== "0410") return;
		if (!message.has(11) || !message.has(39)) return;
		const stan = message.number(11);
		const looks = this.#o.random.chance(1, MAC_ONE_IN);
		if (!looks || this.#proof.mayBelieve(message, frame.subarray(0, byteLength), stan)) this.#book.answered(message);
	}

	#keysNamed(stan: number, message: MessageDecoder): void {
		if (!this.#dukpt) return;
		if (!message.has(53)) {
			this.#fail("I4", `stan=${stan}: a ${message.mti} names no key`);
			return;
		}
		const control = message.bytes(53);
		this.#book.counter(stan, readU32(control, 8));
		this.#proof.named(stan, control);
	}

	#lookFor(text: string, where: string): void {
		const found = this.#secrets.inText(text);
		if (found !== undefined) this.#fail("I9", `${found} in ${where}`);
	}

	#checkBounds(terminal: Terminal): void {
		const { index } = terminal.log;
		const { queued, freeBlocks } = terminal.summary();
		const bounded = index.count <= index.capacity + SPARE_SLOTS && queued <= QUEUE_MAX && freeBlocks >= 0;
		if (!bounded) this.#fail("I10", `${index.count} transactions, ${queued} reversals, ${freeBlocks} blocks free`);
		const timers = this.#o.timers?.() ?? 0;
		if (timers > TIMERS_MAX) this.#fail("I10", `${timers} timers wait`);
	}

	/** Rows of the journal's recovery table, M too, which is taken after the mount. */
	#bootOver(log: TransactionLog): void {
		const { cases } = log.journal;
		for (let n = 0; n < cases.length; n++) this.#o.count(`recovery:${cases[n]}`);
	}

	#sampled(): boolean {
		return this.#o.random.chance(1, MOUNT_ONE_IN);
	}

	#fail(invariant: string, text: string): void {
		this.#o.fail(invariant, text);
	}
}
