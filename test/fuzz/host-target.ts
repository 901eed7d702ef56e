/**
 * The host: several connections that send requests of every kind, right and wrong, whole and in pieces, mutated, twice,
 * for other terminals, with and without a right MAC, and bytes that are nothing. It never falls over, it writes in no
 * ledger for what has no right MAC, money is conserved in its ledgers, and its words hold no card number.
 */
import type { HostConnection } from "../../host-sim/acquirer/connection";
import type { SeededRandom } from "../../host-sim/board/seeded-random";
import { TEST_CARDS } from "../../host-sim/test-cards";
import { readU16 } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import {
	frameOf,
	frameOfKind,
	HostUnderTest,
	KEYS,
	originalOf,
	type Request,
	signOnFrame,
} from "../host-sim/acquirer/host-under-test";
import file from "../vectors/unionpay.json";
import { framesOf } from "./decoder-target";
import { Mutator } from "./mutations";
import { cardWindows, mustShowNoCard } from "./secrets";
import { type CaseInput, must, type Target } from "./target";

const CONNECTIONS = 3;
const STEPS_MAX = 16;
/** Answers to one step that anybody needs: as many as frames in the longest flood. */
const FLOOD_BYTES = 65_536;
const CARDS = ["chip", "contactless", "chip-pin", "magstripe-pin"];
const KINDS = ["void", "refund", "offlineSale", "resend", "balance", "query"] as const;
/** Requests that no ledger may follow from without a right MAC. */
const MONEY_MTIS = ["0200", "0220", "0400"];

export function hostTarget(makeHost: (seed: number) => HostUnderTest = (seed) => new HostUnderTest({ seed })): Target {
	return {
		name: "host",
		brief: "requests from several connections, with and without a right MAC",
		blockCases: 100,
		weight: 2,
		make: () => {
			const search = new HostSearch(makeHost);
			return (random, input) => search.run(random, input);
		},
	};
}

/** One connection as its sender sees it. */
interface Line {
	readonly connection: HostConnection | undefined;
	/** What the host has of a frame that is not whole yet. */
	pending: Uint8Array;
	broken: boolean;
	closed: boolean;
	received: number;
}

class HostSearch {
	readonly #makeHost: (seed: number) => HostUnderTest;
	readonly #corpus = framesOf(file.vectors);
	readonly #mutator = new Mutator(UNIONPAY, this.#corpus);
	readonly #decoder = new MessageDecoder(UNIONPAY);
	readonly #windows = cardWindows(TEST_CARDS);

	constructor(makeHost: (seed: number) => HostUnderTest) {
		this.#makeHost = makeHost;
	}

	run(random: SeededRandom, input: CaseInput): void {
		const host = this.#makeHost(random.below(1_000_000));
		const lines = Array.from({ length: CONNECTIONS }, () => this.#call(host));
		const sent: Uint8Array[] = [];
		for (let steps = 1 + random.below(STEPS_MAX); steps > 0; steps--) {
			const at = random.below(CONNECTIONS);
			if (lines[at].closed || random.chance(1, 16)) {
				lines[at].connection?.end();
				lines[at] = this.#call(host);
			}
			const bytes = this.#bytes(random, sent);
			input.bytes(`connection ${at}`, bytes);
			this.#step(random, host, lines[at], bytes);
			if (random.chance(1, 8)) host.time.advance(random.pick([10, 1_000, 31_000, 301_000]));
		}
		for (const { text } of host.events) mustShowNoCard(this.#windows, text);
		must(host.acquirer.connections <= CONNECTIONS, "memory", `${host.acquirer.connections} connections are open`);
	}

	#call(host: HostUnderTest): Line {
		const line: { -readonly [K in keyof Line]: Line[K] } = {
			connection: undefined,
			pending: new Uint8Array(0),
			broken: false,
			closed: false,
			received: 0,
		};
		line.connection = host.acquirer.connect({
			send: (bytes) => {
				line.received += bytes.length;
			},
			close: () => {
				line.closed = true;
			},
		});
		must(line.connection !== undefined, "memory", "connections that are over are still counted");
		return line;
	}

	/** Something for the host: a request, one made wrong, one of before, or noise. */
	#bytes(random: SeededRandom, sent: Uint8Array[]): Uint8Array {
		const kind = random.below(16);
		if (kind === 0) {
			const noise = new Uint8Array(random.chance(1, 8) ? FLOOD_BYTES : 1 + random.below(80));
			if (random.chance(3, 4)) random.fill(noise);
			return noise;
		}
		if (kind <= 2 && sent.length > 0) return random.pick(sent); // Replayed.
		const frame = kind <= 4 ? random.pick(this.#corpus) : makeRequest(random);
		const bytes = random.chance(1, 2) ? frame : this.#mutator.mutate(random, frame);
		sent.push(bytes);
		return bytes;
	}

	#step(random: SeededRandom, host: HostUnderTest, line: Line, bytes: Uint8Array): void {
		const before = ledgers(host);
		const authentic = this.#authentic(line, bytes);
		const received = line.received;
		const piece = random.chance(1, 4) ? 1 + random.below(40) : bytes.length;
		const slowly = bytes.length < 400 && random.chance(1, 16);
		for (let at = 0; at < bytes.length; at += piece) {
			line.connection?.receive(bytes.subarray(at, at + piece));
			if (slowly) host.time.advance(1_000);
		}
		must(!host.acquirer.dead, "exception", "the host has crashed");
		const after = ledgers(host);
		if (!authentic) must(after === before, "money", "a ledger has changed without a right MAC");
		const { entries, totals } = host.acquirer.statement();
		must(totals.conserved && totals.oneSided === 0, "money", "money is not conserved");
		for (const entry of entries) must(entry.debits <= 1 && entry.reversals <= 1, "money", `${entry.key} moved twice`);
		// An answer is no longer than a frame, and there is one for each request: nobody gets more than a few times what he sends.
		const answered = line.received - received;
		must(answered <= 1_462 * (1 + bytes.length / 25), "memory", `${answered} bytes for ${bytes.length}`);
	}

	/** Whether what arrives makes a frame whole that has a right MAC, or none and needs none. Keeps what is left of it. */
	#authentic(line: Line, bytes: Uint8Array): boolean {
		const stream = new Uint8Array(line.pending.length + bytes.length);
		stream.set(line.pending);
		stream.set(bytes, line.pending.length);
		let authentic = false;
		let at = 0;
		while (!line.broken && at + 2 <= stream.length) {
			const length = readU16(stream, at);
			if (length === 0 || length > UNIONPAY.frameBytesMax) line.broken = true;
			else if (at + 2 + length > stream.length) break;
			else {
				if (this.#isAuthentic(stream.slice(at, at + 2 + length))) authentic = true;
				at += 2 + length;
			}
		}
		line.pending = stream.slice(at);
		return authentic;
	}

	#isAuthentic(frame: Uint8Array): boolean {
		const decoder = this.#decoder;
		try {
			decoder.decode(frame, frame.length);
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			return false;
		}
		return MONEY_MTIS.includes(decoder.mti) && decoder.verify(KEYS);
	}
}

function ledgers(host: HostUnderTest): string {
	return JSON.stringify(host.acquirer.statement());
}

function makeRequest(random: SeededRandom): Uint8Array {
	const stan = 1 + random.below(6);
	if (random.chance(1, 8)) {
		return signOnFrame({
			mti: random.pick(["0800", "0820"] as const),
			stan,
			batch: random.below(3),
			...(random.chance(1, 4) ? { without: random.pick([11, 41, 42, 60]) } : {}),
			...(random.chance(1, 8) ? { terminalId: "87654321" } : {}),
		});
	}
	const request: Request = {
		card: random.pick(CARDS),
		amountMinor: random.pick([1, 1_234, 999_999_999_999, 1 + random.below(100_000)]),
		stan,
		batch: 1 + random.below(2),
		mac: random.pick(["good", "good", "good", "wrong", "none"] as const),
	};
	if (random.chance(1, 8)) request.without = random.pick([2, 3, 4, 11, 14, 22, 41, 42, 60]);
	if (random.chance(1, 12)) request.terminalId = "87654321";
	if (random.chance(1, 12)) request.merchantId = "543210987654321";
	if (random.chance(1, 8)) request.pin = random.pick(["0000", "123456789012"]);
	if (random.chance(1, 4)) {
		request.original = originalOf(1 + random.below(2), 1 + random.below(6));
		request.rrn = "112200000001";
		request.authorization = "000001";
	}
	switch (random.below(4)) {
		case 0:
			return frameOf("0400", request);
		case 1:
			return frameOfKind(random.pick(KINDS), request);
		default:
			return frameOf("0200", request);
	}
}
