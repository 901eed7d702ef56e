/**
 * Goal: totals are what stands, as debits and credits, up to where the batch ends; nothing is clipped.
 * Method: every pair of state and kind, laid out in an index by hand.
 */
import assert from "node:assert/strict";
import { BatchTotals, sameTotals } from "../../src/settlement/batch-totals";
import { KIND_OFFLINE_SALE, KIND_REFUND, KIND_RESEND, KIND_SALE } from "../../src/transactions/records";
import { State, type StateName } from "../../src/transactions/states";
import { TransactionIndex } from "../../src/transactions/transaction-index";
import { coded } from "../iso8583/vector-helpers";

const BATCH = 7;

class Books {
	readonly index = new TransactionIndex(1_100);
	#id = 0;

	add(kind: number, state: StateName, amountMinor = 100, batch = BATCH): number {
		const slot = this.index.add(++this.#id);
		this.index.setBatchKind(slot, batch, kind);
		this.index.stans[slot] = this.#id;
		this.index.states[slot] = State[state];
		this.index.setAmount(slot, amountMinor);
		return this.#id;
	}

	totals(lastId = this.#id): unknown {
		const totals = new BatchTotals(this.index);
		totals.count(BATCH, lastId);
		const { debitMinor, debits, creditMinor, credits } = totals;
		return { debitMinor, debits, creditMinor, credits };
	}
}

const NONE = { debitMinor: 0, debits: 0, creditMinor: 0, credits: 0 };

describe("batch totals", () => {
	it("are what stands: sales, offline sales and refunds that the host has taken, and nothing else", () => {
		const debit = { ...NONE, debitMinor: 100, debits: 1 };
		const credit = { ...NONE, creditMinor: 100, credits: 1 };
		const standing: Readonly<Record<number, readonly [readonly StateName[], typeof NONE]>> = {
			[KIND_SALE]: [["approved", "delivered"], debit],
			[KIND_OFFLINE_SALE]: [["forwarded"], debit],
			[KIND_REFUND]: [["forwarded"], credit],
			[KIND_RESEND]: [[], NONE],
		};
		for (const kind of [KIND_SALE, KIND_OFFLINE_SALE, KIND_REFUND, KIND_RESEND]) {
			const [states, what] = standing[kind];
			for (const state of Object.keys(State) as StateName[]) {
				const books = new Books();
				books.add(kind, state);
				assert.deepEqual(books.totals(), states.includes(state) ? what : NONE, `kind ${kind} ${state}`);
			}
		}
	});

	it("end where the batch ends, and know no other batch", () => {
		const books = new Books();
		books.add(KIND_SALE, "delivered", 1, BATCH - 1);
		books.add(KIND_SALE, "delivered", 20);
		const last = books.add(KIND_REFUND, "forwarded", 300);
		books.add(KIND_SALE, "delivered", 4_000, BATCH + 1);
		books.add(KIND_SALE, "delivered", 50_000);
		assert.deepEqual(books.totals(last), { debitMinor: 20, debits: 1, creditMinor: 300, credits: 1 });
		assert.deepEqual(books.totals(), { debitMinor: 50_020, debits: 2, creditMinor: 300, credits: 1 });
		assert.deepEqual(books.totals(last - 1), { ...NONE, debitMinor: 20, debits: 1 });
		assert.deepEqual(books.totals(0), NONE);
	});

	it("begin anew each time", () => {
		const books = new Books();
		books.add(KIND_SALE, "delivered");
		const totals = new BatchTotals(books.index);
		totals.count(BATCH, 1);
		totals.count(BATCH, 1);
		assert.equal(totals.debits, 1);
	});

	it("are never clipped", () => {
		const books = new Books();
		for (let n = 0; n < 1_000; n++) books.add(KIND_SALE, "delivered", 1);
		assert.deepEqual(books.totals(), { ...NONE, debitMinor: 1_000, debits: 1_000 });
		books.add(KIND_SALE, "delivered", 999_999_999_999);
		assert.throws(() => books.totals(), coded("overflow", "batch debits"));
	});

	it("are the same only when all four are", () => {
		const totals = { debitMinor: 1, debits: 2, creditMinor: 3, credits: 4 };
		assert(sameTotals(totals, { ...totals }));
		for (const name of Object.keys(totals)) assert(!sameTotals(totals, { ...totals, [name]: 9 }), name);
	});
});
