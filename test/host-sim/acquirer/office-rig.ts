/**
 * A terminal's side of the back office's messages, for the tests of this folder: settlement, upload, sync messages, made and
 * read byte by byte from the tables of PROTOCOL.md, and with nothing of src/settlement. And a store that can be cut.
 */
import * as assert from "node:assert/strict";
import { HostSyncMac } from "../../../host-sim/acquirer/host-keys";
import type { LedgerFact, LedgerName, LedgerStore } from "../../../host-sim/acquirer/ledger-store";
import { MemoryLedgerStore } from "../../../host-sim/acquirer/ledger-store";
import { TEST_TERMINAL, type TerminalEntry } from "../../../host-sim/acquirer/test-keys";
import { fromHex, toHex } from "../../../src/core/bytes";
import { CodedError } from "../../../src/core/errors";
import { MessageDecoder } from "../../../src/iso8583/decoder";
import { MessageEncoder } from "../../../src/iso8583/encoder";
import { UNIONPAY } from "../../../src/iso8583/unionpay";
import type { HostUnderTest } from "./host-under-test";

/** Flags of an entry, and states of a request. Source: PROTOCOL.md. */
export const F = {
	recorded: 1,
	debited: 2,
	reversed: 4,
	posted: 8,
	refused: 16,
	voided: 32,
	farDone: 64,
	farFailed: 128,
} as const;
export const S = { received: 1, evidence: 2, granted: 3, refused: 4, done: 5 } as const;
/** Of a sale that is as it should be. */
export const GOOD = F.recorded | F.debited | F.posted;

export const NONCE = "0102030405060708";
export const NO_EVIDENCE = "00".repeat(32);
export const EVIDENCE = "AB".repeat(32);
const ENTRY_BYTES = 24;

/** A request id by its number. */
export function idOf(number: number): string {
	return `${number}`.padStart(32, "0");
}

/** BCD: digits as hex. */
export function bcd(value: number, digits: number): string {
	return `${value}`.padStart(digits, "0");
}

/** One entry, 24 bytes. */
export interface EntryRead {
	stan: number;
	kind: number;
	amountMinor: number;
	flags: number;
	reason: number;
	rrn: string;
}

export interface TransactionRead extends EntryRead {
	/** YYMMDDhhmmss; zeros: never. */
	recordedAt: string;
	postedAt: string;
}

export interface RequestRead {
	reference: string;
	state: number;
	reason: number;
	/** YYMMDDhhmmss; zeros: none. */
	expectedAt: string;
}

export interface DigestRead {
	digest: string;
	/** "count/sum" of recorded, posted, pending, refused. */
	sums: string[];
}

export interface SyncRead {
	mti: string;
	stan: number;
	code: string;
	private60: string;
	macRight: boolean;
	/** Hex of DE 62. */
	data: string;
}

export interface SyncTweak {
	/** DE 60.2, where it is not the batch of DE 62. */
	batch?: number;
	mac?: "wrong" | "none";
	/** DE 60.1. */
	type?: string;
	terminalId?: string;
}

export interface BatchRead {
	code: string;
	totals: string;
	rrn: string;
	time: string;
	private60: string;
}

/** One terminal at one host. */
export class OfficeTerminal {
	readonly #host: HostUnderTest | undefined;
	readonly #terminal: TerminalEntry;
	readonly #mac: HostSyncMac;
	#trace = 500;

	/** @param host - undefined: frames are made and read, and somebody else sends them */
	constructor(host: HostUnderTest | undefined, terminal: TerminalEntry = TEST_TERMINAL) {
		this.#host = host;
		this.#terminal = terminal;
		this.#mac = new HostSyncMac(terminal);
	}

	/**
	 * 0300.
	 * @param data - hex behind the nonce
	 * @returns undefined when no answer came
	 */
	ask(code: string, data: string, batch: number, tweak: SyncTweak = {}): SyncRead | undefined {
		return this.send(this.syncFrame(code, NONCE + data, batch, tweak));
	}

	/** @param data - hex of DE 62 */
	syncFrame(code: string, data: string, batch: number, tweak: SyncTweak = {}): Uint8Array {
		const frame = new Uint8Array(1500);
		const encoder = new MessageEncoder(UNIONPAY, frame);
		encoder.begin("0300");
		encoder.number(11, ++this.#trace);
		encoder.ascii(41, tweak.terminalId ?? this.#terminal.terminalId);
		encoder.ascii(42, this.#terminal.merchantId);
		encoder.digits(60, `${tweak.type ?? "00"}${bcd(tweak.batch ?? batch, 6)}${code}`);
		encoder.bytes(62, fromHex(data));
		const length = tweak.mac === "none" ? encoder.finish() : encoder.finishWithMac(this.#mac);
		if (tweak.mac === "wrong") frame[length - 1] ^= 1;
		return frame.slice(0, length);
	}

	/** Over a connection of its own. */
	send(frame: Uint8Array): SyncRead | undefined {
		const message = this.#exchange(frame);
		return message === undefined ? undefined : this.#read(message);
	}

	/** @returns undefined for no bytes */
	read(bytes: Uint8Array): SyncRead | undefined {
		const message = new MessageDecoder(UNIONPAY);
		if (bytes.length === 0) return undefined;
		message.decode(bytes, bytes.length);
		return this.#read(message);
	}

	#read(message: MessageDecoder): SyncRead {
		return {
			mti: message.mti,
			stan: message.number(11),
			code: message.text(39),
			private60: message.text(60),
			macRight: message.verify(this.#mac),
			data: message.has(62) ? toHex(message.bytes(62)) : "",
		};
	}

	/** The data behind the nonce of an answer that is as it should be. */
	answered(code: string, data: string, batch: number): string {
		const answer = this.ask(code, data, batch);
		assert.ok(answer !== undefined, `no answer to ${code}`);
		assert.deepEqual([answer.mti, answer.code, answer.macRight], ["0310", "00", true], code);
		assert.equal(answer.data.slice(0, 16), NONCE);
		return answer.data.slice(16);
	}

	/** 401. */
	list(batch: number, from: number, to: number): { entries: EntryRead[]; more: boolean } {
		const data = this.answered("401", bcd(batch, 6) + bcd(from, 6) + bcd(to, 6), batch);
		const count = Number.parseInt(data.slice(0, 2), 16);
		assert.equal(data.length, 4 + count * ENTRY_BYTES * 2);
		const entries: EntryRead[] = [];
		for (let n = 0; n < count; n++) entries.push(readEntry(data.slice(4 + n * ENTRY_BYTES * 2)));
		return { entries, more: data.slice(2, 4) === "01" };
	}

	/** 402. */
	transaction(batch: number, stan: number): TransactionRead | undefined {
		const data = this.answered("402", bcd(batch, 6) + bcd(stan, 6), batch);
		assert.equal(data.length, 2 * (1 + ENTRY_BYTES + 12));
		if (data.slice(0, 2) === "00") {
			assert.match(data, /^0*$/);
			return undefined;
		}
		const times = data.slice(2 + 2 * ENTRY_BYTES);
		return { ...readEntry(data.slice(2)), recordedAt: times.slice(0, 12), postedAt: times.slice(12) };
	}

	/** "flags reason amount" of 402; "unknown" where the host has not heard of it. */
	brief(stan: number, batch = 1): string {
		const entry = this.transaction(batch, stan);
		return entry === undefined ? "unknown" : `${entry.flags} ${entry.reason} ${entry.amountMinor}`;
	}

	/** 403. */
	claim(id: string, stan: number, amountMinor: number, evidence = NO_EVIDENCE, batch = 1): RequestRead {
		const data = id + bcd(batch, 6) + bcd(stan, 6) + bcd(amountMinor, 12) + evidence;
		return readRequest(this.answered("403", data, batch));
	}

	/** 404. */
	credit(id: string, stan: number, amountMinor: number, evidence = NO_EVIDENCE, batch = 1): RequestRead {
		const data = id + bcd(batch, 6) + bcd(stan, 6) + bcd(amountMinor, 12) + evidence;
		return readRequest(this.answered("404", data, batch));
	}

	/** 405. */
	stateOf(id: string, batch = 1): RequestRead {
		return readRequest(this.answered("405", id, batch));
	}

	/** 406. */
	digest(batch: number, to: number, head = NO_EVIDENCE): DigestRead {
		const data = this.answered("406", bcd(batch, 6) + bcd(to, 6) + head, batch);
		assert.equal(data.length, 2 * (32 + 4 * 8));
		const sums: string[] = [];
		for (let at = 64; at < data.length; at += 16) {
			sums.push(`${Number.parseInt(data.slice(at, at + 4), 16)}/${Number(data.slice(at + 4, at + 16))}`);
		}
		return { digest: data.slice(0, 64), sums };
	}

	/** 407. */
	farSide(id: string, stan: number, batch = 1): RequestRead {
		return readRequest(this.answered("407", id + bcd(batch, 6) + bcd(stan, 6), batch));
	}

	/** 0500. @returns undefined when no answer came */
	settle(batch: number, totals: string, tweak: { code?: string; type?: string } = {}): BatchRead | undefined {
		return this.#batch("0500", batch, tweak.code ?? "201", totals, tweak.type);
	}

	/** 0320 with rows. */
	upload(batch: number, rows: readonly string[]): BatchRead | undefined {
		return this.#batch("0320", batch, "201", bcd(rows.length, 2) + rows.join(""));
	}

	/** 0320 that ends an upload. */
	endUpload(batch: number, told: number, balanced = true): BatchRead | undefined {
		return this.#batch("0320", batch, balanced ? "207" : "202", bcd(told, 4));
	}

	/** 0320 with whatever is in DE 48. */
	rawUpload(batch: number, code: string, text: string): BatchRead | undefined {
		return this.#batch("0320", batch, code, text);
	}

	/** 0500, for who sends it by himself. */
	settleFrame(batch: number, totals: string): Uint8Array {
		return this.#batchFrame("0500", batch, "201", totals);
	}

	#batchFrame(mti: "0500" | "0320", batch: number, code: string, text: string, type = "00"): Uint8Array {
		const frame = new Uint8Array(1500);
		const encoder = new MessageEncoder(UNIONPAY, frame);
		encoder.begin(mti);
		encoder.number(11, ++this.#trace);
		encoder.ascii(41, this.#terminal.terminalId);
		encoder.ascii(42, this.#terminal.merchantId);
		encoder.digits(48, text);
		if (mti === "0500") encoder.ascii(49, "156");
		encoder.digits(60, `${type}${bcd(batch, 6)}${code}`);
		if (mti === "0500") encoder.ascii(63, "01 ");
		return frame.slice(0, encoder.finish());
	}

	#batch(mti: "0500" | "0320", batch: number, code: string, text: string, type?: string): BatchRead | undefined {
		const message = this.#exchange(this.#batchFrame(mti, batch, code, text, type));
		if (message === undefined) return undefined;
		return {
			code: message.text(39),
			totals: message.has(48) ? message.text(48) : "",
			rrn: message.text(37),
			time: message.text(13) + message.text(12),
			private60: message.text(60),
		};
	}

	#exchange(frame: Uint8Array): MessageDecoder | undefined {
		const host = this.#host;
		assert.ok(host !== undefined, "a host to send to");
		if (host.acquirer.dead) host.restart();
		const line = host.call();
		line.connection?.receive(frame);
		const { pieces } = line;
		line.connection?.end();
		if (pieces.length === 0) return undefined;
		const message = new MessageDecoder(UNIONPAY);
		message.decode(pieces[0], pieces[0].length);
		return message;
	}
}

function readEntry(data: string): EntryRead {
	return {
		stan: Number(data.slice(0, 6)),
		kind: Number.parseInt(data.slice(6, 8), 16),
		amountMinor: Number(data.slice(8, 20)),
		flags: Number.parseInt(data.slice(20, 22), 16),
		reason: Number.parseInt(data.slice(22, 24), 16),
		rrn: Buffer.from(data.slice(24, 48), "hex").toString("latin1"),
	};
}

function readRequest(data: string): RequestRead {
	assert.equal(data.length, 40);
	return {
		reference: Buffer.from(data.slice(0, 24), "hex").toString("latin1"),
		state: Number.parseInt(data.slice(24, 26), 16),
		reason: Number.parseInt(data.slice(26, 28), 16),
		expectedAt: data.slice(28),
	};
}

/** DE 48 of a settlement without foreign cards: 62 digits. */
export function totalsOf(debits: number, debitMinor: number, credits = 0, creditMinor = 0): string {
	return `${bcd(debitMinor, 12)}${bcd(debits, 3)}${bcd(creditMinor, 12)}${bcd(credits, 3)}0${"0".repeat(31)}`;
}

/** One row of an upload. */
export function rowOf(stan: number, pan: string, amountMinor: number, rowClass = "00"): string {
	return `${rowClass}${bcd(stan, 6)}${pan.padStart(20, "0")}${bcd(amountMinor, 12)}`;
}

/** A store whose owner may lose power at an append: behind the write, or just before it. */
export class CutStore implements LedgerStore {
	readonly #kept = new MemoryLedgerStore();
	#left = Number.POSITIVE_INFINITY;
	#keeps = false;
	appended = 0;

	/** The `count`-th append from now on, counted from 1, does not return. @param keeps - it is written for all that */
	cutAt(count: number, keeps: boolean): void {
		this.#left = count;
		this.#keeps = keeps;
	}

	heal(): void {
		this.#left = Number.POSITIVE_INFINITY;
	}

	append(ledger: LedgerName, entry: LedgerFact): void {
		const cut = --this.#left === 0;
		if (!cut || this.#keeps) {
			this.#kept.append(ledger, entry);
			this.appended++;
		}
		// As files have it: a missing directory, a full disk.
		if (cut) throw new CodedError("missing", `${ledger} ledger`, "cut");
	}

	load(ledger: LedgerName): LedgerFact[] {
		return this.#kept.load(ledger);
	}
}
