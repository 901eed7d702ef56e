/**
 * Goal: two questions about cases may wait for their answers at a time, which halves the time of many; never two about one
 * transaction (its remedies are made one after the other), and never beside those of another job. Each answer is read as one
 * to its own question. Method: a whole terminal on a slow line, whose sync requests and answers are counted as they pass.
 */
import assert from "node:assert/strict";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { testTerminalKeys } from "../../host-sim/board/test-terminal-keys";
import { makeConfig } from "../../src/config";
import { CodedError } from "../../src/core/errors";
import { MessageDecoder } from "../../src/iso8583/decoder";
import type { Expected } from "../../src/iso8583/exchange";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { SyncMac } from "../../src/security/sync-mac";
import type { SyncLine } from "../../src/settlement/sync";
import { SyncMessages } from "../../src/settlement/sync-messages";
import { SyncParts, type SyncPartsOptions } from "../../src/settlement/sync-parts";
import { Rig } from "../host-sim/world/rig";
import { someCase } from "./some-cases";

const HOUR_MS = 3_600_000;
const LATENCY_MS = 500;

/** A sync message as it passes: what it asks, and of which STAN or request id. */
interface Passing {
	readonly code: string;
	readonly subject: string;
}

/** Of each moment at which more than one question is open: the questions. */
class Watch {
	readonly open = new Map<string, Passing>();
	readonly pairs: string[] = [];
	readonly #decoder = new MessageDecoder(UNIONPAY);

	sent(frame: Uint8Array): void {
		const passing = this.#read(frame, "0300");
		if (passing === undefined) return;
		this.open.set(this.#decoder.text(11), passing);
		assert.ok(this.open.size <= 2, "no more than two");
		if (this.open.size === 2)
			this.pairs.push([...this.open.values()].map(({ code, subject }) => `${code} ${subject}`).join(" beside "));
	}

	arrived(frame: Uint8Array): void {
		if (this.#read(frame, "0310") !== undefined) this.open.delete(this.#decoder.text(11));
	}

	#read(frame: Uint8Array, mti: string): Passing | undefined {
		this.#decoder.decode(frame, frame.length);
		if (this.#decoder.mti !== mti) return undefined;
		const code = this.#decoder.text(60).slice(8);
		const data = this.#decoder.has(62) ? [...this.#decoder.bytes(62)] : [];
		// STAN of 402 behind nonce and batch; of 403 behind nonce, request id and batch.
		const at = code === "402" ? 11 : 27;
		return { code, subject: data.slice(at, at + 3).join(".") };
	}
}

describe("two questions at a time", () => {
	for (const seed of [1, 2, 3]) {
		it(`are of two transactions, and each has its own answer, seed ${seed}`, () => {
			const watch = new Watch();
			const rig: Rig = new Rig({
				seed,
				latencyMs: LATENCY_MS,
				blocks: 64,
				config: { settleAtMinute: -1 },
				beforeWrite: (bytes) => watch.sent(bytes),
				onArrival: (bytes) => watch.arrived(bytes),
			});
			for (let n = 0; n < 6; n++) {
				rig.faults.arm(n % 2 === 0 ? "postingLost" : "amountAltered");
				rig.sell(2_000 + n);
			}
			rig.faults.setRate("syncReordered", 0.3);
			rig.time.advance(3 * HOUR_MS);
			assert.equal(rig.money().oneSided, 0);
			assert.equal(rig.shop.terminal.cases.openCount, 0);
			assert.ok(watch.pairs.length >= 4, `${watch.pairs.length} pairs`);
			for (const pair of watch.pairs) {
				const [first, second] = pair.split(" beside ");
				assert.match(first, /^40[2345] /);
				assert.match(second, /^40[2345] /);
				assert.notEqual(first.slice(4), second.slice(4), pair);
			}
		});
	}
});

describe("two cases of one transaction", () => {
	it("are asked about one after the other", () => {
		const watch = new Watch();
		const rig: Rig = new Rig({
			latencyMs: LATENCY_MS,
			blocks: 64,
			config: { settleAtMinute: -1 },
			beforeWrite: (bytes) => watch.sent(bytes),
			onArrival: (bytes) => watch.arrived(bytes),
		});
		rig.sell(2_000);
		rig.sell(3_000);
		rig.time.advance(60_000);
		const { cases, log } = rig.shop.terminal;
		const id = log.nextInBatch(log.batch, 0);
		const { stan } = log.intent(id);
		const found = { ...someCase(stan, "overdue", log.batch), transactionId: id };
		cases.open(found, 0);
		cases.open({ ...found, row: "otherAmount" }, 0);
		rig.time.advance(HOUR_MS);
		assert.equal(cases.openCount, 0, "the books agree: both are withdrawn");
		assert.deepEqual(watch.pairs, []);
	});
});

/** The line as SyncParts uses it: who waits for what is kept, and told by the test. */
class HeldLine implements SyncLine {
	readonly waiting: ((answer: MessageDecoder) => void)[] = [];

	post(_frame: Uint8Array, _length: number, _expected: Expected, onAnswer: (answer: MessageDecoder) => void): void {
		this.waiting.push(onAnswer);
	}
}

describe("a head of the evidence chain", () => {
	it("is anchored by the answer to the request that carried it last, and by no other", () => {
		const anchored: number[] = [];
		const head = new Uint8Array(32);
		const random = new SeededRandom(1);
		const parts = new SyncParts({
			messages: new SyncMessages(UNIONPAY, makeConfig(), new SyncMac(testTerminalKeys()), random),
			hostTime: { learn: () => true },
			hostSync: { prove: () => undefined, proven: true },
			heads: { head: () => head, anchored: (code: number) => anchored.push(code) },
		} as unknown as SyncPartsOptions);
		const line = new HeldLine();
		const answer = new MessageDecoder(UNIONPAY);
		const claim = (stan: number) => {
			const byteLength = parts.messages.claim(stan, { batch: 1, stan }, new Uint8Array(16), 100, parts.evidence);
			parts.ask(
				line,
				byteLength,
				() => "taken",
				() => undefined,
			);
		};
		claim(1);
		claim(2);
		line.waiting[0](answer);
		assert.deepEqual(anchored, [], "the second one's head may be a later one");
		line.waiting[1](answer);
		assert.deepEqual(anchored, [403]);
	});
});

describe("a question about a case that cannot be built", () => {
	it("is asked later: it keeps no place on the line", () => {
		const rig = new Rig({ blocks: 64, config: { settleAtMinute: -1 } });
		rig.faults.arm("postingLost");
		rig.sell(2_000);
		rig.time.advance(60_000);
		const { log, cases } = rig.shop.terminal;
		const { takeStan } = log;
		const id = log.nextInBatch(log.batch, 0);
		cases.open({ ...someCase(log.intent(id).stan, "overdue", log.batch), transactionId: id }, 0);
		// No room for a reservation of numbers.
		log.takeStan = () => {
			throw new CodedError("full", "journal");
		};
		rig.time.advance(HOUR_MS);
		log.takeStan = takeStan;
		rig.time.advance(3 * HOUR_MS);
		assert.equal(cases.openCount, 0);
		assert.equal(rig.money().oneSided, 0);
	});
});
