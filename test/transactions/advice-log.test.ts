/**
 * Advices on flash: whole or not at all, whatever power does; due until the host answers, never reversed, carried by a
 * settlement; and nothing of the card to be read there (I1, I3, I9).
 */
import { strict as assert } from "node:assert";
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import { CUT_AFTER, CUT_BEFORE, TEAR_SHAPES } from "../../host-sim/board/flash-cut";
import { MemoryKeys } from "../../host-sim/board/memory-keys";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { PowerLost } from "../../host-sim/board/power";
import { AssertionError } from "../../src/core/assert";
import { toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { CardSeal } from "../../src/security/card-seal";
import {
	ADVICE_BYTES_MAX,
	ADVICE_CLEAR_BYTES,
	Flag,
	KIND_OFFLINE_SALE,
	KIND_REFUND,
	KIND_RESEND,
	NO_ORIGINAL,
	TransactionRecord,
} from "../../src/transactions/records";
import { State } from "../../src/transactions/states";
import { type NewAdvice, TransactionLog } from "../../src/transactions/transaction-log";
import { APPROVED, CARD, DECLINED, EMV, LogBench, newSale, originalOf, snapshot } from "./log-bench";
import { pass } from "./straddling";

const failsWith = (code: string) => (error: unknown) => error instanceof CodedError && error.code === code;

const kinds: Record<string, (bench: LogBench) => number> = {
	"an offline sale with chip data": (bench) => bench.offlineSale(4_321),
	"an offline sale with 255 bytes of chip data": (bench) => bench.offlineSale(4_321, new Uint8Array(255).fill(0x9f)),
	"an offline sale without chip data": (bench) => bench.offlineSale(4_321, undefined),
	"a refund": (bench) => bench.refund(5, 17, 4_321),
	"a resend": (bench) => bench.refund(5, 17, 4_321, KIND_RESEND),
};

describe("transactions: advices on flash", () => {
	for (const [what, begin] of Object.entries(kinds)) {
		it(`gives ${what} back after boots, settlements and more boots, due as ever`, () => {
			const bench = new LogBench().provision(7);
			bench.deliver();
			const id = begin(bench);
			assert.equal(bench.state(id), State.forwarding);
			const before = snapshot(bench.log, [id]);
			assert.equal(bench.log.intent(id).amountMinor, 4_321);
			assert.equal(bench.log.intent(id).batch, 7);
			assert.equal(bench.log.intent(id).stan, 2);
			assert.deepEqual(bench.log.card(id), CARD);
			const isSale = what.includes("offline");
			assert.deepEqual(bench.log.advice(id), isSale ? NO_ORIGINAL : originalOf(5, 17));
			assert.deepEqual(snapshot(bench.boot().log, [id]), before);
			for (let batch = 8; batch < 12; batch++) {
				assert.equal(bench.log.settle(batch), undefined);
				assert.deepEqual(snapshot(bench.log), before, `batch ${batch}`);
				assert.deepEqual(snapshot(bench.boot().log), before, `batch ${batch}, after a boot`);
				bench.deliver();
			}
		});

		it(`makes ${what} whole or not at all, cut before, within and after each flash operation`, function () {
			this.timeout(30_000);
			for (const writeAlign of [1, 16]) {
				const make = () => {
					const bench = new LogBench({ writeAlign }).provision(7);
					bench.doubt();
					return bench.boot();
				};
				const whole = make();
				const from = whole.flash.operations;
				const id = begin(whole);
				const operations = whole.flash.operations - from;
				const after = snapshot(whole.log, [id]);
				assert.ok(operations >= 3, `${operations} operations`);
				const seen = { none: 0, whole: 0 };
				for (let n = 1; n <= operations; n++) {
					const places: [number, number][] = [
						[CUT_BEFORE, 0],
						[CUT_AFTER, 0],
					];
					for (let shape = 0; shape < TEAR_SHAPES; shape++) places.push([3 + 11 * shape + n, shape]);
					for (const [byte, shape] of places) {
						const bench = make();
						bench.flash.cutAt(bench.flash.operations + n, byte, shape);
						assert.throws(() => begin(bench), PowerLost);
						const name = `alignment ${writeAlign} operation ${n} byte ${byte} shape ${shape}`;
						// Until a boot has pinned what it read, the last record may read one way now and another way later.
						pinnedBoot(bench);
						const is = snapshot(bench.log).slice(1);
						assert.deepEqual(is, is.length === 0 ? [] : after, name);
						seen[is.length === 0 ? "none" : "whole"]++;
						assert.deepEqual(snapshot(bench.boot().log).slice(1), is, `${name}, later`);
						// Its numbers are its own, whatever became of it.
						const next = begin(bench);
						assert.equal(new Set(bench.seal.nonces).size, bench.seal.nonces.length, `${name}: I4 nonces`);
						assert.equal(bench.stan(next), is.length === 0 ? 2 : 3, name);
					}
				}
				assert.ok(seen.none > operations && seen.whole >= 1, JSON.stringify(seen));
			}
		});
	}

	it("ends by one answer only, which later ones do not change, and keeps what the host said", () => {
		for (const [event, outcome, state] of [
			["approve", APPROVED, State.forwarded],
			["decline", DECLINED, State.forwardRefused],
			["refuse", { ...DECLINED, code: "10" }, State.forwardRefused],
		] as const) {
			const bench = new LogBench().provision();
			const id = bench.offlineSale();
			for (const passing of ["noAnswer", "badMac", "amountDiffers", "unsent", "boot"] as const) {
				const operations = bench.flash.operations;
				assert.equal(bench.log.apply(id, passing), "queue", passing);
				assert.equal(bench.flash.operations, operations, "nothing to write");
				assert.equal(bench.state(id), State.forwarding, passing);
			}
			bench.log.setFlags(id, Flag.overdue);
			assert.equal(bench.log.apply(id, event, { outcome }), "rest");
			assert.equal(bench.state(id), state);
			for (const late of ["approve", "decline", "noAnswer", "badMac"] as const) {
				assert.equal(bench.log.apply(id, late, { outcome: DECLINED }), "none", late);
			}
			const before = snapshot(bench.log);
			assert.deepEqual(bench.log.outcome(id), outcome);
			assert.deepEqual(snapshot(bench.boot().log), before);
			assert.equal(bench.state(id), state);
			assert.equal(bench.log.index.flags[0], Flag.overdue, "flags are in the outcome");
			assert.equal(bench.log.settle(2), undefined);
			assert.equal(bench.log.index.count, 0);
			assert.equal(bench.boot().log.index.count, 0, "over with its batch");
		}
	});

	it("takes no event that would reverse it", () => {
		const bench = new LogBench().provision();
		const id = bench.offlineSale();
		for (const event of ["notDelivered", "deliver", "reversalAccepted", "reversalRefused"] as const) {
			assert.throws(() => bench.log.apply(id, event), AssertionError, event);
		}
		assert.equal(bench.log.doubts, 0);
		assert.equal(bench.log.doubtSumMinor, 0);
		assert.equal(bench.log.forwarding, 1);
	});

	it("writes tries at powers of two from the second on, and flags, and knows them after a boot", () => {
		const bench = new LogBench().provision();
		const id = bench.refund(1, 9);
		const operations = bench.flash.operations;
		assert.equal(bench.log.noteTry(id), 1);
		assert.equal(bench.flash.operations, operations, "the first try costs nothing");
		for (let n = 2; n <= 5; n++) assert.equal(bench.log.noteTry(id), n);
		assert.equal(bench.boot().log.index.tries[0], 4);
		bench.log.setFlags(id, Flag.unsendable);
		assert.equal(bench.boot().log.index.flags[0], Flag.unsendable);
		assert.equal(bench.log.index.tries[0], 4);
		assert.equal(bench.state(id), State.forwarding);
	});

	it("has no byte of card number, chip data or track on flash (I9)", () => {
		const bench = new LogBench().provision();
		const id = bench.offlineSale();
		bench.refund(1, 1);
		bench.log.settle(2);
		const image = toHex(bench.medium.image);
		for (const secret of ["6212345678901232", "363231323334353637383930313233", toHex(EMV), "C0FFEE01"]) {
			assert.ok(!image.includes(secret), secret);
		}
		// The search sees what stands there.
		bench.log.journal.append(60, EMV);
		assert.ok(toHex(bench.medium.image).includes("6212345678901232"));
		assert.deepEqual(bench.log.adviceEmv(id), EMV);
	});

	it("opens neither card nor chip data when one bit of the record was changed, or under another key", () => {
		const make = () => {
			const bench = new LogBench().provision();
			const id = bench.offlineSale();
			const bytes = new Uint8Array(ADVICE_BYTES_MAX);
			const byteLength = bench.log.journal.read(bench.log.index.intentAt[0], bytes);
			return { bench, id, bytes, byteLength };
		};
		const places = {
			STAN: 6,
			batch: 10,
			amount: 16,
			"original batch": 35,
			"original STAN": 38,
			RRN: 41,
			authorization: 58,
			card: ADVICE_CLEAR_BYTES,
			"chip data": 80,
			tag: ADVICE_CLEAR_BYTES + 15 + EMV.length + 15,
		};
		for (const [what, at] of Object.entries(places)) {
			const { bench, id, bytes, byteLength } = make();
			bytes[at] ^= 1;
			bench.log.journal.append(TransactionRecord.advice, bytes, byteLength);
			bench.boot();
			assert.throws(() => bench.log.card(id), failsWith("auth"), what);
			assert.throws(() => bench.log.adviceEmv(id), failsWith("auth"), what);
		}
		const { bench, id, bytes, byteLength } = make();
		bench.log.journal.append(TransactionRecord.advice, bytes, byteLength - 1);
		bench.boot();
		assert.throws(() => bench.log.card(id), failsWith("auth"), "one byte short");
		const keys = new MemoryKeys({ ...TEST_KEYS, STORE: TEST_KEYS.STORE.replace("00", "01") });
		const other = make();
		const log = new TransactionLog(new NorFlash({ medium: other.bench.medium }), 64, new CardSeal(keys));
		log.mount();
		assert.equal(log.intent(other.id).amountMinor, 1_000, "the clear part needs no key");
		assert.throws(() => log.card(other.id), failsWith("auth"));
	});

	it("seals an advice under another nonce than a sale of the same id would have (I4)", () => {
		const bench = new LogBench().provision();
		bench.begin();
		bench.offlineSale();
		assert.deepEqual(
			bench.seal.nonces.map((nonce) => nonce.slice(12, 16)),
			["0008", "000C"],
		);
	});

	const refused: Record<string, [Partial<NewAdvice>, Uint8Array | undefined, string]> = {
		"a kind that is a sale": [{ kind: 1 }, undefined, "range"],
		"a kind that is none": [{ kind: 9 }, undefined, "range"],
		"an offline sale with an original": [{ kind: KIND_OFFLINE_SALE, original: originalOf(1, 1) }, EMV, "mismatch"],
		"a refund without an original": [{ kind: KIND_REFUND }, undefined, "mismatch"],
		"a refund of nothing": [{ kind: KIND_REFUND, original: NO_ORIGINAL }, undefined, "range"],
		"a refund with chip data": [{ kind: KIND_REFUND, original: originalOf(1, 1) }, EMV, "mismatch"],
		"empty chip data": [{ kind: KIND_OFFLINE_SALE }, new Uint8Array(0), "length"],
		"256 bytes of chip data": [{ kind: KIND_OFFLINE_SALE }, new Uint8Array(256), "length"],
		"an amount of nothing": [{ kind: KIND_OFFLINE_SALE, amountMinor: 0 }, undefined, "range"],
		"a time before 1970": [{ kind: KIND_OFFLINE_SALE, timeS: -1 }, undefined, "range"],
		"a time that is none": [{ kind: KIND_OFFLINE_SALE, timeS: Number.NaN }, undefined, "range"],
		"an empty condition code": [{ kind: KIND_OFFLINE_SALE, condition: "" }, undefined, "length"],
		"an amount of 13 digits": [{ kind: KIND_OFFLINE_SALE, amountMinor: 1_000_000_000_000 }, undefined, "range"],
	};
	for (const [what, [change, emv, code]] of Object.entries(refused)) {
		it(`refuses ${what} with "${code}", and nothing is half done (I11)`, () => {
			const bench = new LogBench().provision();
			bench.deliver();
			const before = snapshot(bench.log);
			const advice = { ...newSale(), kind: KIND_OFFLINE_SALE, ...change };
			assert.throws(() => bench.log.beginAdvice(advice, CARD, emv), failsWith(code));
			assert.deepEqual(snapshot(bench.log), before);
			assert.equal(bench.stan(bench.offlineSale()), 2, "its number is free");
			assert.deepEqual(snapshot(bench.boot().log).slice(0, 1), before);
		});
	}

	it("names the movement that is under way for an original: sale, reversal or advice, while it is", () => {
		const bench = new LogBench().provision(3);
		const { log } = bench;
		assert.equal(log.openMovementOf(3, 1), 0);
		const sale = bench.begin();
		assert.equal(log.openMovementOf(3, 1), sale, "a sale that waits for its answer");
		log.apply(sale, "approve", { outcome: APPROVED });
		assert.equal(log.openMovementOf(3, 1), 0, "the operator's question is no movement");
		log.apply(sale, "deliver");
		assert.equal(log.openMovementOf(3, 1), 0);
		const refund = bench.refund(3, 1);
		assert.equal(log.openMovementOf(3, 1), refund);
		assert.equal(log.openMovementOf(4, 1), 0, "another batch");
		assert.equal(log.openMovementOf(3 + 4_096, 1), 0, "another batch with the same lower bits");
		bench.boot();
		assert.equal(bench.log.openMovementOf(3, 1), refund);
		bench.log.apply(refund, "approve", { outcome: APPROVED });
		assert.equal(bench.log.openMovementOf(3, 1), 0);
		const doubt = bench.doubt();
		assert.equal(bench.log.openMovementOf(3, bench.stan(doubt)), doubt);
		bench.log.apply(doubt, "reversalAccepted");
		assert.equal(bench.log.openMovementOf(3, bench.stan(doubt)), doubt, "it goes once more");
		bench.log.apply(doubt, "reversalAccepted");
		assert.equal(bench.log.openMovementOf(3, bench.stan(doubt)), 0);
	});

	it("knows what holds an advice back: what is older and under way for the same original, nothing else", () => {
		const bench = new LogBench().provision(3);
		const sale = bench.doubt();
		const other = bench.refund(2, 1);
		const first = bench.refund(3, 1);
		const second = bench.refund(3, 1);
		const held = () => [sale, other, first, second].map((id) => bench.log.index.isHeldBack(bench.log.index.find(id)));
		assert.deepEqual(held(), [false, false, true, true]);
		bench.boot();
		assert.deepEqual(held(), [false, false, true, true]);
		bench.log.apply(sale, "reversalAccepted");
		bench.log.apply(sale, "reversalAccepted");
		assert.deepEqual(held(), [false, false, false, true]);
		const { index } = bench.log;
		assert.equal(index.nextOfSameMovement(index.find(first)), index.find(second));
		bench.log.apply(first, "decline", { outcome: DECLINED });
		assert.deepEqual(held(), [false, false, false, false]);
	});

	it("is not brought back by what a settlement's own room-making copied of it", () => {
		// So little is free that the carrying makes room by copying: advices that are over, without what ended them.
		let copied = 0;
		for (let more = 0; more < 60; more++) {
			const bench = new LogBench({ blocks: 16, capacity: 1_024 }).provision();
			const open = Array.from({ length: 12 }, () => bench.offlineSale());
			for (let n = 0; bench.log.journal.freeBlocks > 8 || n < more; n++) {
				const id = bench.offlineSale();
				// A step that says "forwarding" stands before the outcome: it must not come back alone either.
				if (n % 2 === 0) bench.log.setFlags(id, Flag.overdue);
				bench.log.apply(id, n % 3 === 0 ? "decline" : "approve", { outcome: APPROVED });
				if (bench.log.journal.freeBlocks > 8) n = 0;
			}
			const { moved } = bench.log;
			let moves = 0;
			bench.log.moved = (from, to) => {
				moves++;
				moved.call(bench.log, from, to);
			};
			assert.equal(bench.log.settle(2), undefined);
			if (moves > 10) copied++;
			for (let boots = 0; boots < 2; boots++) {
				assert.deepEqual([...bench.log.index.ids.subarray(0, bench.log.index.count)], open, `more ${more}`);
				bench.boot();
			}
			// Then the carried ones end; what is left of their records must not say that they are open.
			for (const id of open) bench.log.apply(id, "approve", { outcome: APPROVED });
			for (let turns = 0; turns < 3; turns++) {
				const erased = bench.medium.erases[0];
				for (let n = 0; n < 3_000 && bench.medium.erases[0] === erased; n++) {
					if (n % 20 === 0) assert.ok(bench.log.prepare());
					pass(bench);
				}
				bench.boot();
				const again = [...bench.log.index.ids.subarray(0, bench.log.index.count)];
				assert.deepEqual(again, [], `more ${more}: carried and ended`);
			}
		}
		assert.ok(copied > 0, "it happened");
	});

	it("has room for whatever 300 advices may still write, a settlement included (I8)", () => {
		const bench = new LogBench({ blocks: 128, capacity: 1_024 }).provision();
		const ids: number[] = [];
		while (ids.length < 300 && bench.log.prepare()) {
			ids.push(bench.offlineSale(1_000, new Uint8Array(255).fill(0x9f)));
		}
		const count = ids.length;
		assert.ok(count > 100, `${count} advices found room`);
		assert.ok(count < 300, "and no more than there is room for");
		for (const id of ids) {
			for (let n = 0; n < 9; n++) bench.log.noteTry(id);
			bench.log.setFlags(id, Flag.overdue);
		}
		assert.equal(bench.log.settle(2), undefined);
		for (const id of ids) bench.log.apply(id, "decline", { outcome: DECLINED });
		assert.equal(bench.log.settle(3), undefined);
		assert.equal(bench.log.index.count, 0);
		assert.ok(bench.log.prepare(), "room again");
	});
});

function pinnedBoot(bench: LogBench): void {
	for (let tries = 0; ; tries++) {
		bench.boot();
		try {
			bench.log.journal.pin();
			return;
		} catch (error) {
			if (!(error instanceof CodedError) || error.code !== "damaged" || tries > 40) throw error;
		}
	}
}
