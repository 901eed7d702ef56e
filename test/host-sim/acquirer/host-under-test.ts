/**
 * A host on virtual time and a terminal's side of its messages, for the tests of this folder. Requests are made with
 * the firmware's encoder; answers are decoded with its decoder.
 */

import { Acquirer, type HostEvent, type HostLimits } from "../../../host-sim/acquirer/acquirer";
import type { HostConnection } from "../../../host-sim/acquirer/connection";
import { FaultPlan } from "../../../host-sim/acquirer/faults";
import { HostKeys } from "../../../host-sim/acquirer/host-keys";
import { type LedgerStore, MemoryLedgerStore } from "../../../host-sim/acquirer/ledger-store";
import type { LedgerEntry } from "../../../host-sim/acquirer/statement";
import { TEST_KEYS, TEST_TERMINAL } from "../../../host-sim/acquirer/test-keys";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { VirtualTime } from "../../../host-sim/board/virtual-clock";
import { findTestCard, type TestCard } from "../../../host-sim/test-cards";
import { fromHex, readU16 } from "../../../src/core/bytes";
import { MessageDecoder } from "../../../src/iso8583/decoder";
import { MessageEncoder } from "../../../src/iso8583/encoder";
import { UNIONPAY } from "../../../src/iso8583/unionpay";
import { encryptPinBlock } from "../../../src/security/pin-block";

/** 2026-11-22 09:31:12 at the host's place. */
export const NOW = Date.UTC(2026, 10, 22, 1, 31, 12);

export const KEYS = new HostKeys(TEST_KEYS, UNIONPAY);

export function card(name: string): TestCard {
	const found = findTestCard(name);
	if (found === undefined) throw new Error(`no test card ${name}`);
	return found;
}

export interface Request {
	card?: string;
	amountMinor?: number;
	stan?: number;
	batch?: number;
	/** Instead of the card's. */
	pin?: string;
	terminalId?: string;
	merchantId?: string;
	reason?: string;
	processingCode?: string;
	type?: string;
	track2?: string;
	/** Leave this field out. */
	without?: number;
	mac?: "good" | "wrong" | "none";
}

/** One request as a terminal would send it. */
export function frameOf(mti: "0200" | "0400", request: Request = {}): Uint8Array {
	const { pan, expiry, sequence, track2, emv, entryMode, ...holder } = card(request.card ?? "chip");
	const sale = mti === "0200";
	const out = new Uint8Array(2 + UNIONPAY.frameBytesMax);
	const encoder = new MessageEncoder(UNIONPAY, out);
	const pin = request.pin ?? (holder.pinWanted ? holder.pin : undefined);
	const put = (de: number, write: () => void): void => {
		if (request.without !== de) write();
	};
	encoder.begin(mti);
	put(2, () => encoder.digits(2, pan));
	put(3, () => encoder.digits(3, request.processingCode ?? "000000"));
	put(4, () => encoder.number(4, request.amountMinor ?? 1234));
	put(11, () => encoder.number(11, request.stan ?? 2));
	put(14, () => encoder.digits(14, expiry));
	const mode = entryMode === "chip" ? "05" : entryMode === "contactless" ? "07" : "02";
	put(22, () => encoder.digits(22, mode + (pin === undefined ? "2" : "1")));
	if (sequence !== undefined) encoder.digits(23, sequence);
	encoder.digits(25, "00");
	if (sale && pin !== undefined) encoder.digits(26, "12");
	if (sale && track2 !== undefined) encoder.digits(35, request.track2 ?? track2);
	if (!sale) put(39, () => encoder.ascii(39, request.reason ?? "98"));
	put(41, () => encoder.ascii(41, request.terminalId ?? TEST_TERMINAL.terminalId));
	put(42, () => encoder.ascii(42, request.merchantId ?? TEST_TERMINAL.merchantId));
	encoder.ascii(49, "156");
	if (sale && pin !== undefined) {
		const block = new Uint8Array(8);
		encryptPinBlock(
			Uint8Array.from([...pin].map(Number), (digit) => 48 + digit),
			pan,
			fromHex(TEST_KEYS.PIK),
			block,
			0,
		);
		encoder.bytes(52, block);
		encoder.digits(53, "2600000000000000");
	}
	if (sale && emv !== undefined) encoder.bytes(55, fromHex(emv));
	const batch = String(request.batch ?? 1).padStart(6, "0");
	put(60, () => encoder.digits(60, `${request.type ?? "22"}${batch}00060`));
	const length = request.mac === "none" ? encoder.finish() : encoder.finishWithMac(KEYS.macs);
	if (request.mac === "wrong") out[length - 1] ^= 1;
	return out.slice(0, length);
}

/** One answer, copied out of its frame. */
export interface Answer {
	mti: string;
	code: string;
	stan: number;
	amountMinor: number;
	rrn: string;
	authorization: string;
	macRight: boolean;
	issuerData: string;
	frame: Uint8Array;
}

export function readAnswer(frame: Uint8Array): Answer {
	const decoder = new MessageDecoder(UNIONPAY);
	decoder.decode(frame, frame.length);
	return {
		mti: decoder.mti,
		code: decoder.text(39),
		stan: decoder.number(11),
		amountMinor: decoder.has(4) ? decoder.number(4) : -1,
		rrn: decoder.text(37),
		authorization: decoder.has(38) ? decoder.text(38) : "",
		macRight: decoder.verify(KEYS.macs),
		issuerData: decoder.has(55) ? decoder.text(55) : "",
		frame,
	};
}

export interface HostOptions {
	store?: LedgerStore;
	time?: VirtualTime;
	seed?: number;
	limits?: Partial<HostLimits>;
	cards?: readonly TestCard[];
	faults?: FaultPlan;
}

/** One host over its store; `restart()` is what its owner does after a crash. */
export class HostUnderTest {
	readonly time: VirtualTime;
	readonly store: LedgerStore;
	readonly faults: FaultPlan;
	readonly events: HostEvent[] = [];
	acquirer: Acquirer;
	crashes = 0;
	readonly #options: HostOptions;
	readonly #random: SeededRandom;
	#line: TestLine | undefined;

	constructor(options: HostOptions = {}) {
		this.#options = options;
		this.#random = new SeededRandom(options.seed ?? 1);
		this.time = options.time ?? new VirtualTime(NOW);
		this.store = options.store ?? new MemoryLedgerStore();
		this.faults = options.faults ?? new FaultPlan(this.#random.fork("faults"));
		this.acquirer = this.#boot();
	}

	#boot(): Acquirer {
		return new Acquirer({
			clock: this.time.clock(),
			random: this.#random.fork(`boot ${this.crashes}`),
			store: this.store,
			faults: this.faults,
			...(this.#options.limits === undefined ? {} : { limits: this.#options.limits }),
			...(this.#options.cards === undefined ? {} : { cards: this.#options.cards }),
			onEvent: (event) => this.events.push(event),
			onCrash: () => {
				this.crashes++;
			},
		});
	}

	restart(): void {
		this.acquirer.kill();
		this.#line = undefined;
		this.acquirer = this.#boot();
	}

	/** A connection of its own. */
	call(): TestLine {
		return new TestLine(this.acquirer);
	}

	/** Sends over one lasting connection; a host that has died is restarted first. @returns answers that came at once */
	send(mti: "0200" | "0400", request: Request = {}): Answer[] {
		if (this.acquirer.dead) this.restart();
		if (this.#line === undefined || this.#line.closed) this.#line = this.call();
		const before = this.#line.answers().length;
		this.#line.connection?.receive(frameOf(mti, request));
		return this.#line.answers().slice(before);
	}

	/** The one answer to a sale. */
	sale(request: Request = {}): Answer {
		return only(this.send("0200", request));
	}

	/** The one answer to a reversal. */
	reversal(request: Request = {}): Answer {
		return only(this.send("0400", request));
	}

	/** Answers of the lasting connection, in order. */
	answers(): Answer[] {
		return this.#line?.answers() ?? [];
	}

	get hungUp(): boolean {
		return this.#line?.closed === true;
	}

	/** The only movement of the ledgers. */
	entry(): LedgerEntry {
		return only(this.acquirer.statement().entries);
	}
}

/** The network between one terminal and the host. */
export class TestLine {
	readonly connection: HostConnection | undefined;
	readonly pieces: Uint8Array[] = [];
	closed = false;

	constructor(acquirer: Acquirer) {
		this.connection = acquirer.connect({
			send: (bytes) => this.pieces.push(bytes),
			close: () => {
				this.closed = true;
			},
		});
	}

	answers(): Answer[] {
		const bytes = Uint8Array.from(this.pieces.flatMap((piece) => [...piece]));
		const answers: Answer[] = [];
		for (let at = 0; at + 2 <= bytes.length; ) {
			const end = at + 2 + readU16(bytes, at);
			if (end > bytes.length) break;
			answers.push(readAnswer(bytes.slice(at, end)));
			at = end;
		}
		return answers;
	}
}

export function only<T>(list: readonly T[]): T {
	if (list.length !== 1) throw new Error(`${list.length} where one was expected`);
	return list[0];
}
