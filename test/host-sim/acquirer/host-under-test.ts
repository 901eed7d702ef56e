/**
 * A host on virtual time and a terminal's side of its messages, for the tests of this folder. Requests are made with
 * the firmware's encoder and its MAC; answers are decoded with its decoder. The host computes with its own.
 */

import * as assert from "node:assert/strict";
import { Acquirer, type HostLimits, type OfficeOptions } from "../../../host-sim/acquirer/acquirer";
import { checkValue, desDecrypt } from "../../../host-sim/acquirer/ciphers";
import type { HostConnection } from "../../../host-sim/acquirer/connection";
import { FaultPlan } from "../../../host-sim/acquirer/faults";
import type { HostEvent } from "../../../host-sim/acquirer/host-events";
import { type LedgerStore, MemoryLedgerStore } from "../../../host-sim/acquirer/ledger-store";
import type { LedgerEntry } from "../../../host-sim/acquirer/statement";
import { TEST_KEYS, TEST_TERMINAL, type TerminalEntry } from "../../../host-sim/acquirer/test-keys";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { VirtualTime } from "../../../host-sim/board/virtual-clock";
import { findTestCard, type TestCard } from "../../../host-sim/test-cards";
import { fromHex, readU16, toHex } from "../../../src/core/bytes";
import { MessageDecoder } from "../../../src/iso8583/decoder";
import type { Dialect } from "../../../src/iso8583/dialect";
import { MessageEncoder } from "../../../src/iso8583/encoder";
import { UNIONPAY } from "../../../src/iso8583/unionpay";
import { createMac } from "../../../src/security/mac";
import { encryptPinBlock } from "../../../src/security/pin-block";
import vectors from "../../vectors/unionpay.json";

/** 2026-11-22 09:31:12 at the host's place. */
export const NOW = Date.UTC(2026, 10, 22, 1, 31, 12);

/** The working keys of the vectors: what the host under test gives out unless a test wants drawn ones. */
export const WORKING_KEYS = { pik: vectors.keys.PIK, mak: vectors.keys.MAK };

/** Keys of one session, as a terminal holds them. */
export class TestKeys {
	readonly pik: Uint8Array;
	readonly mak: Uint8Array;
	readonly #algorithm = createMac("unionpay");

	constructor(keys: { pik: string; mak: string } = WORKING_KEYS) {
		this.pik = fromHex(keys.pik);
		this.mak = fromHex(keys.mak);
	}

	mac(bytes: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void {
		this.#algorithm.compute(this.mak, bytes, start, end, out, outOffset);
	}

	verify(bytes: Uint8Array, start: number, end: number, macOffset: number): boolean {
		const expected = new Uint8Array(8);
		this.mac(bytes, start, end, expected, 0);
		return toHex(expected) === toHex(bytes, macOffset, macOffset + 8);
	}
}

export const KEYS = new TestKeys();

/** A sign-on (0800) or sign-off (0820) as a terminal would send it. */
export function signOnFrame(options: SignOnRequest = {}): Uint8Array {
	const out = new Uint8Array(2 + UNIONPAY.frameBytesMax);
	const encoder = new MessageEncoder(UNIONPAY, out);
	const mti = options.mti ?? "0800";
	const put = (de: number, write: () => void): void => {
		if (options.without !== de) write();
	};
	encoder.begin(mti);
	put(11, () => encoder.number(11, options.stan ?? 1));
	put(41, () => encoder.ascii(41, options.terminalId ?? TEST_TERMINAL.terminalId));
	put(42, () => encoder.ascii(42, options.merchantId ?? TEST_TERMINAL.merchantId));
	const batch = `${options.batch ?? 1}`.padStart(6, "0");
	put(60, () => encoder.digits(60, `00${batch}${options.networkCode ?? (mti === "0800" ? "003" : "002")}`));
	if (mti === "0800") encoder.ascii(63, "01 ");
	return out.slice(0, encoder.finish());
}

/** What a terminal makes of DE 62 of a sign-on answer; check values are compared. */
export function unwrapKeys(answer: Answer, tmk: string = TEST_KEYS.TMK): TestKeys {
	const block = fromHex(answer.keyBlock);
	const pik = block.slice(0, 16);
	const mak = block.slice(20, 36);
	desDecrypt(fromHex(tmk), pik);
	desDecrypt(fromHex(tmk), mak);
	const makUsed = mak.subarray(8).some((byte) => byte !== 0) ? mak : mak.subarray(0, 8);
	assert.equal(toHex(checkValue(pik)), toHex(block, 16, 20));
	assert.equal(toHex(checkValue(makUsed)), toHex(block, 36, 40));
	return new TestKeys({ pik: toHex(pik), mak: toHex(makUsed) });
}

export interface SignOnRequest {
	mti?: "0800" | "0820";
	stan?: number;
	batch?: number;
	terminalId?: string;
	merchantId?: string;
	networkCode?: string;
	without?: number;
}

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
	/** DE 61 of what refers to an earlier sale: batch, STAN, date. */
	original?: string;
	/** DE 37 and 38 of it. */
	rrn?: string;
	authorization?: string;
	/** DE 103 of a repayment or top-up: behind a secondary bitmap, and the MAC in 128. */
	payee?: string;
	/** Instead of the vectors'. */
	keys?: TestKeys;
}

/** DE 3 and 60.1 of what is no sale. */
const CODES = {
	void: { processingCode: "200000", type: "23" },
	refund: { processingCode: "200000", type: "25" },
	offlineSale: { processingCode: "000000", type: "36" },
	resend: { processingCode: "000000", type: "30" },
	balance: { processingCode: "310000", type: "01" },
	query: { processingCode: "310000", type: "02" },
	repayment: { processingCode: "500000", type: "51" },
	topUp: { processingCode: "500000", type: "52" },
} as const;

/** "0000010000021122" of that batch and STAN. */
export function originalOf(batch: number, stan: number, date = "1122"): string {
	return `${batch}`.padStart(6, "0") + `${stan}`.padStart(6, "0") + date;
}

/** One request as a terminal would send it. */
export function frameOf(mti: "0200" | "0220" | "0400", request: Request = {}): Uint8Array {
	const { pan, expiry, sequence, track2, emv, entryMode, ...holder } = card(request.card ?? "chip");
	const sale = mti === "0200";
	const out = new Uint8Array(2 + UNIONPAY.frameBytesMax);
	const encoder = new MessageEncoder(UNIONPAY, out);
	const keys = request.keys ?? KEYS;
	const advice = mti === "0220";
	const pin = request.pin ?? (holder.pinWanted ? holder.pin : undefined);
	const put = (de: number, write: () => void): void => {
		if (request.without !== de) write();
	};
	encoder.begin(mti, { secondary: request.payee !== undefined });
	put(2, () => encoder.digits(2, pan));
	put(3, () => encoder.digits(3, request.processingCode ?? "000000"));
	put(4, () => encoder.number(4, request.amountMinor ?? 1234));
	put(11, () => encoder.number(11, request.stan ?? 2));
	if (advice) {
		put(12, () => encoder.digits(12, "093000"));
		put(13, () => encoder.digits(13, "1122"));
	}
	// The message of an offline sale or a resend has the time of the sale in the expiry's place.
	if (!advice || request.type === "25") put(14, () => encoder.digits(14, expiry));
	const mode = entryMode === "chip" ? "05" : entryMode === "contactless" ? "07" : "02";
	put(22, () => encoder.digits(22, mode + (pin === undefined ? "2" : "1")));
	if (sequence !== undefined) encoder.digits(23, sequence);
	encoder.digits(25, "00");
	if (sale && pin !== undefined) encoder.digits(26, "12");
	if (sale && track2 !== undefined) encoder.digits(35, request.track2 ?? track2);
	if (request.rrn !== undefined) encoder.ascii(37, request.rrn);
	if (request.authorization !== undefined) encoder.ascii(38, request.authorization);
	if (mti === "0400") put(39, () => encoder.ascii(39, request.reason ?? "98"));
	put(41, () => encoder.ascii(41, request.terminalId ?? TEST_TERMINAL.terminalId));
	put(42, () => encoder.ascii(42, request.merchantId ?? TEST_TERMINAL.merchantId));
	encoder.ascii(49, "156");
	if (sale && pin !== undefined) {
		const block = new Uint8Array(8);
		encryptPinBlock(
			Uint8Array.from([...pin].map(Number), (digit) => 48 + digit),
			pan,
			keys.pik,
			block,
			0,
		);
		encoder.bytes(52, block);
		encoder.digits(53, "2600000000000000");
	}
	if (sale && emv !== undefined) encoder.bytes(55, fromHex(emv));
	const batch = String(request.batch ?? 1).padStart(6, "0");
	put(60, () => encoder.digits(60, `${request.type ?? "22"}${batch}00060`));
	if (request.original !== undefined) put(61, () => encoder.digits(61, request.original ?? ""));
	if (request.payee !== undefined) encoder.ascii(103, request.payee);
	const length = request.mac === "none" ? encoder.finish() : encoder.finishWithMac(keys);
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
	terminalId: string;
	/** DE 60. */
	private60: string;
	/** DE 54, hex of 62; empty where there is none. */
	balance: string;
	keyBlock: string;
	hasMac: boolean;
	macRight: boolean;
	issuerData: string;
	frame: Uint8Array;
}

/** Frames of the other kinds by name: `frameOf` with the codes of that kind. */
export function frameOfKind(kind: keyof typeof CODES, request: Request = {}): Uint8Array {
	const advice = kind === "refund" || kind === "offlineSale" || kind === "resend";
	return frameOf(advice ? "0220" : "0200", { ...request, ...CODES[kind] });
}

export function readAnswer(frame: Uint8Array, keys: TestKeys = KEYS): Answer {
	const decoder = new MessageDecoder(UNIONPAY);
	decoder.decode(frame, frame.length);
	return {
		mti: decoder.mti,
		code: decoder.text(39),
		stan: decoder.has(11) ? decoder.number(11) : -1,
		amountMinor: decoder.has(4) ? decoder.number(4) : -1,
		rrn: decoder.has(37) ? decoder.text(37) : "",
		terminalId: decoder.text(41),
		private60: decoder.has(60) ? decoder.text(60) : "",
		balance: decoder.has(54) ? decoder.text(54) : "",
		keyBlock: decoder.has(62) ? decoder.text(62) : "",
		authorization: decoder.has(38) ? decoder.text(38) : "",
		hasMac: decoder.macDe !== 0,
		macRight: decoder.verify(keys),
		issuerData: decoder.has(55) ? decoder.text(55) : "",
		frame,
	};
}

export interface HostOptions {
	/** False: it knows none of the sync messages. */
	readonly sync?: boolean;
	readonly office?: OfficeOptions;
	store?: LedgerStore;
	time?: VirtualTime;
	seed?: number;
	limits?: Partial<HostLimits>;
	cards?: readonly TestCard[];
	faults?: FaultPlan;
	terminals?: readonly TerminalEntry[];
	dialect?: Dialect;
	makBytes?: 8 | 16;
	/** It keeps no memory of reversals of what it does not know. */
	forgetful?: boolean;
	/** False: keys are drawn. */
	fixedKeys?: boolean;
	/** False: the terminal signs on by itself. */
	signedOn?: boolean;
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
		const { limits, cards, terminals, dialect, makBytes, forgetful, fixedKeys, signedOn, sync, office } = this.#options;
		const acquirer = new Acquirer({
			clock: this.time.clock(),
			random: this.#random.fork(`boot ${this.crashes}`),
			store: this.store,
			faults: this.faults,
			...(limits === undefined ? {} : { limits }),
			...(cards === undefined ? {} : { cards }),
			...(terminals === undefined ? {} : { terminals }),
			...(dialect === undefined ? {} : { dialect }),
			...(makBytes === undefined ? {} : { makBytes }),
			...(forgetful === undefined ? {} : { forgetful }),
			...(sync === undefined ? {} : { sync }),
			...(office === undefined ? {} : { office }),
			...(fixedKeys === false ? {} : { workingKeys: WORKING_KEYS }),
			onEvent: (event) => this.events.push(event),
			onCrash: () => {
				this.crashes++;
			},
		});
		if (signedOn === false) return acquirer;
		// A terminal that knows nothing of a restart signs on again before it goes on; no test counts that.
		const line = new TestLine(acquirer);
		line.connection?.receive(signOnFrame());
		line.connection?.end();
		this.events.length = 0;
		return acquirer;
	}

	restart(): void {
		this.acquirer.kill();
		this.#line = undefined;
		this.acquirer = this.#boot();
	}

	/** A connection of its own. */
	call(terminalId?: string): TestLine {
		return new TestLine(this.acquirer, terminalId);
	}

	/** Sends over one lasting connection; a host that has died is restarted first. @returns answers that came at once */
	send(mti: "0200" | "0220" | "0400", request: Request = {}): Answer[] {
		return this.sendFrame(() => frameOf(mti, request));
	}

	/** The same for a frame that is made when the host is there. */
	sendFrame(make: () => Uint8Array): Answer[] {
		const line = this.#openLine();
		const before = line.answers().length;
		line.connection?.receive(make());
		return line.answers().slice(before);
	}

	/** The same for who does not listen: the answer may be noise. */
	tell(make: () => Uint8Array): void {
		this.#openLine().connection?.receive(make());
	}

	/** Ends the lasting connection: the next request has another. */
	hangUp(): void {
		this.#line?.hangUp();
	}

	#openLine(): TestLine {
		if (this.acquirer.dead) this.restart();
		// A terminal that hears nothing hangs up, and calls again.
		if (this.#line?.connection?.halfOpen === true) this.#line.hangUp();
		if (this.#line === undefined || this.#line.closed) this.#line = this.call();
		return this.#line;
	}

	/** The one answer to a sale. */
	sale(request: Request = {}): Answer {
		return only(this.send("0200", request));
	}

	/** The one answer to a reversal. */
	reversal(request: Request = {}): Answer {
		return only(this.send("0400", request));
	}

	/** The one answer to what is no sale. */
	ask(kind: keyof typeof CODES, request: Request = {}): Answer {
		return only(this.sendFrame(() => frameOfKind(kind, request)));
	}

	/** The one answer to the reversal of a repayment, or of a top-up. */
	farReversal(request: Request = {}, kind: "repayment" | "topUp" = "repayment"): Answer {
		return this.reversal({ ...request, ...CODES[kind] });
	}

	/** The one answer to the reversal of a void. */
	voidReversal(request: Request = {}): Answer {
		return this.reversal({ ...request, ...CODES.void });
	}

	/** The one answer to a sign-on or sign-off. */
	signOn(request: SignOnRequest = {}): Answer {
		return only(this.sendFrame(() => signOnFrame(request)));
	}

	/** Answers of the lasting connection, in order. */
	answers(): Answer[] {
		return this.#line?.answers() ?? [];
	}

	get hungUp(): boolean {
		return this.#line?.closed === true;
	}

	/** The only movement of the ledgers, or the one with that trace number. */
	entry(stan?: number): LedgerEntry {
		const { entries } = this.acquirer.statement();
		return only(stan === undefined ? entries : entries.filter((entry) => entry.stan === stan));
	}
}

/** The network between one terminal and the host. */
export class TestLine {
	readonly connection: HostConnection | undefined;
	readonly pieces: Uint8Array[] = [];
	closed = false;

	/** @param terminalId - what the peer's certificate says */
	constructor(acquirer: Acquirer, terminalId?: string) {
		this.connection = acquirer.connect({
			...(terminalId === undefined ? {} : { terminalId }),
			send: (bytes) => this.pieces.push(bytes),
			close: () => {
				this.closed = true;
			},
		});
	}

	/** The terminal's end. */
	hangUp(): void {
		this.connection?.end();
		this.closed = true;
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
