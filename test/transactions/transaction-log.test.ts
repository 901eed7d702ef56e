/** The transaction log over simulated flash: what is durable when a call returns, and what a later boot makes of it. */
import { strict as assert } from "node:assert";
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import { MemoryKeys } from "../../host-sim/board/memory-keys";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { AssertionError } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import { CardSeal } from "../../src/security/card-seal";
import { ADVICE_BYTES_MIN, encodeIntent, Flag, INTENT_BYTES, TransactionRecord } from "../../src/transactions/records";
import { EVENTS, State, TABLE } from "../../src/transactions/states";
import { TransactionLog } from "../../src/transactions/transaction-log";
import { APPROVED, CARD, DECLINED, LogBench, newSale, snapshot } from "./log-bench";
import { pass, straddling } from "./straddling";

const failsWith = (code: string) => (error: unknown) => error instanceof CodedError && error.code === code;

describe("transactions: log on flash", () => {
	it("gives the same transactions after a reboot, in every state", () => {
		const bench = new LogBench().provision(7);
		const { log } = bench;
		const begin = () => bench.begin(1_000 + log.index.count);
		begin();
		log.apply(begin(), "approve", { outcome: APPROVED });
		const delivered = begin();
		log.apply(delivered, "approve", { outcome: APPROVED });
		log.apply(delivered, "deliver");
		log.apply(begin(), "decline", { outcome: DECLINED });
		log.apply(begin(), "unsent");
		const reversing = begin();
		log.apply(reversing, "amountDiffers", { flags: Flag.amountDiffers });
		for (let n = 0; n < 5; n++) log.noteTry(reversing);
		const unconfirmed = begin();
		log.apply(unconfirmed, "noAnswer");
		log.apply(unconfirmed, "reversalAccepted");
		const reversed = begin();
		log.apply(reversed, "badMac");
		log.apply(reversed, "reversalAccepted");
		log.apply(reversed, "reversalAccepted");
		log.setFlags(unconfirmed, Flag.reversalRefused);
		const states = Array.from(log.index.states.subarray(0, log.index.count));
		assert.deepEqual(states, [1, 2, 3, 4, 5, 6, 7, 8]);
		const before = snapshot(log) as { tries: number }[];
		assert.equal(before[5].tries, 5);
		before[5].tries = 4; // Durable at powers of two.
		assert.deepEqual(snapshot(bench.boot().log), before);
		assert.equal(bench.log.batch, 7);
		assert.equal(bench.log.doubts, 2);
		assert.equal(bench.log.doubtSumMinor, 1_000 + 1_005);
	});

	it("gives the same after many turns of the ring", () => {
		const bench = new LogBench({ blocks: 6 }).provision();
		const kept = [bench.begin(1), bench.begin(2), bench.begin(3)];
		bench.log.apply(kept[0], "noAnswer");
		bench.log.apply(kept[1], "approve", { outcome: APPROVED });
		const before = snapshot(bench.log, kept);
		for (let n = 0; n < 600; n++) {
			assert.ok(bench.log.prepare(), `sale ${n}`);
			bench.log.apply(bench.begin(), "decline", { outcome: DECLINED });
		}
		assert.deepEqual(snapshot(bench.log, kept), before);
		assert.deepEqual(snapshot(bench.boot().log, kept), before);
		assert.equal(bench.state(kept[2]), State.waiting);
	});

	it("writes nothing at mount", () => {
		const bench = new LogBench().provision();
		bench.begin();
		const image = bench.medium.image.slice();
		bench.boot();
		assert.deepEqual(bench.medium.image, image);
		assert.equal(bench.flash.operations, 0);
	});

	it("is durable when begin and apply return: a cut right after loses nothing", () => {
		const bench = new LogBench().provision();
		const id = bench.begin(4_321);
		bench.power.cut();
		bench.boot();
		assert.equal(bench.state(id), State.waiting);
		assert.equal(bench.log.intent(id).amountMinor, 4_321);
		bench.log.apply(id, "boot");
		bench.power.cut();
		bench.boot();
		assert.equal(bench.state(id), State.reversing);
		assert.equal(bench.log.reason(id), "98");
	});

	it("takes no event that the table does not have", () => {
		const bench = new LogBench().provision();
		const id = bench.begin();
		for (const event of EVENTS.filter((name) => TABLE.waiting[name] === undefined)) {
			assert.throws(() => bench.log.apply(id, event), AssertionError, event);
		}
		assert.equal(bench.state(id), State.waiting);
		assert.throws(() => bench.log.apply(id + 1, "boot"), AssertionError);
	});

	it("passes over records of a kind it does not know, and counts them", () => {
		const bench = new LogBench().provision();
		const id = bench.begin();
		bench.log.journal.append(14, Uint8Array.of(0, 0, 0, id, 1, 2, 3));
		bench.log.journal.append(40, new Uint8Array(100).fill(7));
		bench.log.journal.append(20, Uint8Array.of(1));
		bench.boot();
		assert.equal(bench.log.unknownRecords, 3);
		assert.equal(bench.log.index.count, 1);
		assert.equal(bench.state(id), State.waiting);
	});

	it("passes over live numbers when the STAN wraps at 999999 (I4)", () => {
		const bench = new LogBench().provision();
		const bytes = new Uint8Array(INTENT_BYTES);
		const put = (id: number, stan: number) => {
			const rest = { kind: 1, batch: 1, panFirst: "621234", panLast: "1232", panDigits: 16 };
			encodeIntent(bytes, { ...newSale(), id, stan, ...rest });
			bench.log.journal.append(TransactionRecord.intent, bytes);
		};
		put(1, 1);
		put(2, 2);
		put(3, 4);
		put(4, 999_998);
		bench.boot();
		const stans = [0, 0, 0, 0].map(() => bench.stan(bench.begin()));
		assert.deepEqual(stans, [999_999, 3, 5, 6]);
	});

	it("runs the STAN on across batches: the mark carries it", () => {
		const bench = new LogBench().provision();
		assert.deepEqual(
			[0, 0].map(() => bench.stan(bench.begin())),
			[1, 2],
		);
		bench.boot();
		assert.equal(bench.stan(bench.begin()), 3);
	});

	it("lets the oldest spent transactions make way when the index is full, and no others", () => {
		const bench = new LogBench({ capacity: 4 }).provision();
		const first = bench.begin();
		const spent = bench.begin();
		bench.log.apply(spent, "decline", { outcome: DECLINED });
		const third = bench.begin();
		bench.log.apply(third, "noAnswer");
		const fourth = bench.begin();
		bench.log.apply(fourth, "unsent");
		assert.ok(bench.log.prepare());
		const fifth = bench.begin();
		assert.equal(bench.log.index.find(spent), -1);
		const live = () => Array.from(bench.log.index.ids.subarray(0, bench.log.index.count));
		assert.deepEqual(live(), [first, third, fourth, fifth]);
		bench.begin();
		assert.deepEqual(live().slice(0, 3), [first, third, fifth]);
		assert.equal(bench.log.prepare(), false, "four live ones: no room for a fifth");
	});

	it("opens the sealed card after a reboot, with and without a sequence number", () => {
		const bench = new LogBench().provision();
		const chip = bench.begin();
		const stripe = bench.log.begin(newSale(), { pan: "6221234567890123450", expiry: "2912" });
		bench.boot();
		assert.deepEqual(bench.log.card(chip), CARD);
		assert.deepEqual(bench.log.card(stripe), { pan: "6221234567890123450", expiry: "2912" });
		assert.equal(bench.log.intent(stripe).panFirst, "622123");
		assert.equal(bench.log.intent(stripe).panLast, "3450");
		assert.equal(bench.log.intent(stripe).panDigits, 19);
	});

	it("does not open a card under another key", () => {
		const bench = new LogBench().provision();
		const id = bench.begin();
		const keys = new MemoryKeys({ ...TEST_KEYS, STORE: TEST_KEYS.STORE.replace("00", "01") });
		const log = new TransactionLog(new NorFlash({ medium: bench.medium }), 64, new CardSeal(keys));
		log.mount();
		assert.equal(log.intent(id).amountMinor, 1_000, "the clear part needs no key");
		assert.throws(() => log.card(id), failsWith("auth"));
	});

	it("does not open a card whose clear part was changed by one bit", () => {
		// Changed and written again with a right CRC, as somebody with access to the flash chip would.
		const changes = {
			stan: 6,
			batch: 10,
			amount: 16,
			time: 20,
			field60: 24,
			panDigits: 32,
			sealed: 33,
			tag: 63,
		};
		for (const [what, at] of Object.entries(changes)) {
			const bench = new LogBench().provision();
			const id = bench.begin();
			const bytes = new Uint8Array(INTENT_BYTES);
			bench.log.journal.read(bench.log.index.intentAt[0], bytes);
			bytes[at] ^= 1;
			bench.log.journal.append(TransactionRecord.intent, bytes);
			bench.boot();
			assert.equal(bench.log.index.count, 1);
			assert.throws(() => bench.log.card(id), failsWith("auth"), what);
		}
	});

	it("does not take a kind that later firmware has brought for a sale: it would be reversed", () => {
		for (const [type, kind, byteLength] of [
			[TransactionRecord.intent, 0, INTENT_BYTES],
			[TransactionRecord.intent, 3, INTENT_BYTES],
			[TransactionRecord.intent, 5, INTENT_BYTES],
			[TransactionRecord.advice, 1, ADVICE_BYTES_MIN],
			[TransactionRecord.advice, 5, ADVICE_BYTES_MIN],
		]) {
			const bench = new LogBench().provision();
			bench.begin();
			const bytes = new Uint8Array(ADVICE_BYTES_MIN);
			bench.log.journal.read(bench.log.index.intentAt[0], bytes);
			bytes[7] = kind;
			bench.log.journal.append(type, bytes, byteLength);
			assert.throws(() => bench.boot(), failsWith("newer"), `type ${type} kind ${kind}`);
		}
	});

	it("does not open a card that was moved to another transaction", () => {
		const bench = new LogBench().provision();
		const first = bench.begin();
		const bytes = new Uint8Array(INTENT_BYTES);
		bench.log.journal.read(bench.log.index.intentAt[0], bytes);
		bytes[3] += 1;
		bench.log.journal.append(TransactionRecord.intent, bytes);
		bench.boot();
		assert.deepEqual(bench.log.card(first), CARD);
		assert.throws(() => bench.log.card(first + 1), failsWith("auth"));
	});

	it("does not make a doubt again of a spent transaction whose records were copied in another order", () => {
		// The newest transaction is kept, spent or not: here a reclaim copies its intent behind its outcome, in another
		// block. When a newer one comes, the outcome may not go before that copy does.
		for (const ending of ["decline", "decline, then boot", "unsent", "reversed, then boot"]) {
			const { bench, id } = straddling(ending);
			const state = bench.state(id);
			const slot = () => bench.log.index.find(id);
			const churn = (until: () => boolean) => {
				for (let n = 0; n < 3_000 && !until(); n++) {
					if (n % 20 === 0) assert.ok(bench.log.prepare());
					pass(bench);
				}
			};
			churn(() => bench.log.index.intentLast[slot()] === 1);
			assert.equal(bench.log.index.intentLast[slot()], 1, "the intent was copied alone");
			if (ending.endsWith("boot")) bench.boot();
			bench.log.apply(bench.begin(), "unsent");
			for (let turns = 0; turns < 20; turns++) {
				const from = bench.medium.erases[0];
				churn(() => bench.medium.erases[0] > from);
				bench.boot();
				if (slot() >= 0) assert.equal(bench.state(id), state, ending);
			}
			assert.equal(slot(), -1, "in the end nothing of it is left");
		}
	});

	it("refuses to mount more than its index holds, with a coded error and without a write", () => {
		const bench = new LogBench({ blocks: 16, capacity: 128 }).provision();
		for (let n = 0; n < 80; n++) bench.log.apply(bench.begin(), "approve", { outcome: APPROVED });
		const small = new LogBench({ medium: bench.medium, capacity: 64 });
		assert.throws(
			() => small.log.mount(),
			(error) => error instanceof CodedError && error.code === "full",
		);
		assert.equal(small.flash.operations, 0);
	});

	it("says missing for what a spent transaction left behind, not something else", () => {
		const bench = new LogBench({ blocks: 6 }).provision();
		const id = bench.begin();
		bench.log.apply(id, "decline", { outcome: DECLINED });
		for (let n = 0; n < 300 && bench.log.index.find(id) >= 0; n++) {
			assert.ok(bench.log.prepare());
			bench.log.apply(bench.begin(), "decline", { outcome: DECLINED });
			if (bench.log.index.find(id) < 0) break;
			try {
				assert.equal(bench.log.intent(id).id, id);
			} catch (error) {
				assert.ok(error instanceof CodedError && ["missing", "range", "damaged"].includes(error.code), `${error}`);
				return;
			}
		}
		assert.equal(bench.log.index.find(id), -1);
	});
});
