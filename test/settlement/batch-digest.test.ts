/**
 * Goal: for the same batch the terminal's digest and the host's are the same bytes, and for another they are not.
 * Method: sales, refunds and reversals are put into the acquirer's real ledgers and, as the terminal would know them, into an
 * index; BatchView computes the one, BatchDigest the other.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { BatchView } from "../../host-sim/acquirer/batch-view";
import { FarSides } from "../../host-sim/acquirer/far-sides";
import { IssuerLedger } from "../../host-sim/acquirer/issuer";
import { MemoryLedgerStore } from "../../host-sim/acquirer/ledger-store";
import { MerchantLedger } from "../../host-sim/acquirer/merchant";
import { PostingBook } from "../../host-sim/acquirer/posting-book";
import { AcquirerRecords } from "../../host-sim/acquirer/records";
import { TEST_CARDS } from "../../host-sim/test-cards";
import { fromHex, toHex } from "../../src/core/bytes";
import { maskPan } from "../../src/iso8583/mask";
import { BatchDigest } from "../../src/settlement/batch-digest";
import { KIND_OFFLINE_SALE, KIND_REFUND, KIND_RESEND, KIND_SALE } from "../../src/transactions/records";
import { State } from "../../src/transactions/states";
import { TransactionIndex } from "../../src/transactions/transaction-index";
import file from "../vectors/unionpay.json";

const BATCH = { merchantId: "123456789012345", terminalId: "12345678", batch: 7 };
const AT = Date.UTC(2026, 10, 22, 6);
const CARD = TEST_CARDS.find((card) => card.atIssuer && !card.pinWanted && card.balanceMinor > 100_000)!;

/** What was done at the till, on both sides. */
const DEEDS = ["sale", "offline", "refund", "reversed", "declined", "unused", "resend", "pending"] as const;
type Deed = (typeof DEEDS)[number];

class BothSides {
	readonly index = new TransactionIndex(256);
	readonly #store = new MemoryLedgerStore();
	readonly #issuer = new IssuerLedger([{ ...CARD, balanceMinor: 900_000_000 }], this.#store, {
		below: () => 0,
	} as never);
	readonly #records = new AcquirerRecords(this.#store);
	readonly #merchant = new MerchantLedger(this.#store);
	readonly #view = new BatchView({
		issuer: this.#issuer,
		records: this.#records,
		merchant: this.#merchant,
		farSides: new FarSides(this.#store),
		postingBook: new PostingBook(this.#store),
	});
	readonly #sold: number[] = [];
	#id = 0;
	#stan: number;

	constructor(firstStan: number) {
		this.#stan = firstStan;
	}

	do(deed: Deed, amountMinor: number): void {
		const stan = this.#stan;
		this.#stan = (stan % 999_999) + 1;
		if (deed === "unused") return; // Of a sign-on, a sync.
		switch (deed) {
			case "sale":
			case "pending":
				this.#sell(stan, amountMinor, deed === "sale");
				this.#know(stan, KIND_SALE, State.delivered, amountMinor);
				this.#sold.push(stan);
				break;
			case "offline":
				this.#sell(stan, amountMinor, true, "offline");
				this.#know(stan, KIND_OFFLINE_SALE, State.forwarded, amountMinor);
				break;
			case "refund":
				this.#refund(stan);
				break;
			case "reversed": {
				this.#sell(stan, amountMinor, false);
				const key = { ...BATCH, stan };
				const card = maskPan(CARD.pan);
				assert.equal(this.#issuer.reverse(key, "debit", card, amountMinor, AT), "credited");
				this.#records.add({ kind: "reversal", key, card, amountMinor, reason: "98", rrn: "", at: AT });
				this.#know(stan, KIND_SALE, State.reversed, amountMinor);
				break;
			}
			case "declined":
				this.#know(stan, KIND_SALE, State.declined, amountMinor);
				break;
			case "resend":
				this.#know(stan, KIND_RESEND, State.forwarded, amountMinor);
				break;
		}
	}

	get lastId(): number {
		return this.#id;
	}

	hostDigest(lastId: number): string {
		const stan = this.index.stans[this.index.find(lastId)];
		return toHex(this.#view.digest(BATCH, stan).digest);
	}

	digest(lastId: number, stepMax = 7): string {
		const digest = new BatchDigest(this.index);
		digest.begin(BATCH.batch, lastId);
		while (!digest.step(stepMax)) {}
		return toHex(digest.bytes);
	}

	#sell(stan: number, amountMinor: number, posted: boolean, by?: "offline"): void {
		const key = { ...BATCH, stan };
		const { code, authorization } = this.#issuer.authorize({
			key,
			pan: CARD.pan,
			expiry: undefined,
			amountMinor,
			pin: undefined,
			afterTheFact: true,
			at: AT,
			month: "2611",
		});
		assert.equal(code, "00");
		const rrn = `${stan}`.padStart(12, "0");
		const sale = { kind: "sale", key, card: maskPan(CARD.pan), amountMinor, code, rrn, authorization, at: AT } as const;
		this.#records.add(by === undefined ? sale : { ...sale, by });
		if (posted) this.#merchant.credit(key, amountMinor, AT);
	}

	/** Of a part of the sale before, where there is one that has something left. */
	#refund(stan: number): void {
		const original = this.#sold.pop();
		if (original === undefined) return;
		const key = { ...BATCH, stan };
		const of = { ...BATCH, stan: original };
		const card = maskPan(CARD.pan);
		const code = this.#issuer.refund({ key, original: of, maskedPan: card, amountMinor: 1, at: AT });
		assert.equal(code, "00");
		const refund = { kind: "refund", type: "refund", key, original: of, card, amountMinor: 1, code } as const;
		this.#records.add({ ...refund, rrn: "000000000000", authorization: "", at: AT });
		this.#know(stan, KIND_REFUND, State.forwarded, 1);
	}

	#know(stan: number, kind: number, state: number, amountMinor: number): void {
		const slot = this.index.add(++this.#id);
		this.index.setBatchKind(slot, BATCH.batch, kind);
		this.index.stans[slot] = stan;
		this.index.states[slot] = state;
		this.index.setAmount(slot, amountMinor);
	}
}

describe("the digest of a batch", () => {
	it("is that of the golden answer", () => {
		const vector = file.vectors.find(({ name }) => name === "sync-digest-response")!;
		const index = new TransactionIndex(64);
		for (const [id, amountMinor] of [1_234, 990_000].entries()) {
			const slot = index.add(id + 1);
			index.setBatchKind(slot, 1, KIND_SALE);
			index.stans[slot] = id + 2;
			index.states[slot] = State.delivered;
			index.setAmount(slot, amountMinor);
		}
		const digest = new BatchDigest(index);
		digest.begin(1, 2);
		assert(digest.step(10));
		const data = fromHex((vector.fields as unknown as Record<string, string>)[62]);
		assert.equal(toHex(digest.bytes), toHex(data, 8, 40));
		assert.equal(digest.entries, 2);
	});

	it("is the host's for every batch, up to every transaction, also over 999999", () => {
		const deeds = fc.array(fc.tuple(fc.constantFrom(...DEEDS), fc.integer({ min: 1, max: 99_999 })), {
			minLength: 1,
			maxLength: 40,
		});
		const firsts = fc.oneof(fc.integer({ min: 1, max: 900_000 }), fc.integer({ min: 999_960, max: 999_999 }));
		fc.assert(
			fc.property(deeds, firsts, (list, firstStan) => {
				const both = new BothSides(firstStan);
				for (const [deed, amountMinor] of list) both.do(deed, amountMinor);
				for (let id = 1; id <= both.lastId; id++) assert.equal(both.digest(id), both.hostDigest(id), `up to ${id}`);
			}),
			{ numRuns: 60 },
		);
	});

	it("runs on from 999999 to 1, in the order of selling", () => {
		const both = new BothSides(999_998);
		for (let n = 1; n <= 4; n++) both.do("sale", n);
		assert.deepEqual([...both.index.stans.subarray(0, 4)], [999_998, 999_999, 1, 2]);
		for (let id = 1; id <= 4; id++) assert.equal(both.digest(id), both.hostDigest(id));
	});

	it("is another one for another amount, state, kind or number", () => {
		const both = new BothSides(5);
		for (let n = 1; n <= 3; n++) both.do("sale", n);
		const { index } = both;
		const host = both.hostDigest(3);
		const changes: [() => void, () => void][] = [
			[() => index.setAmount(1, index.amount(1) + 1), () => index.setAmount(1, index.amount(1) - 1)],
			[() => index.stans[1]++, () => index.stans[1]--],
			[() => (index.states[1] = State.reversing), () => (index.states[1] = State.delivered)],
			[() => index.setBatchKind(1, 7, KIND_OFFLINE_SALE), () => index.setBatchKind(1, 7, KIND_SALE)],
			[() => index.setBatchKind(1, 8, KIND_SALE), () => index.setBatchKind(1, 7, KIND_SALE)],
		];
		for (const [change, undo] of changes) {
			change();
			assert.notEqual(both.digest(3), host);
			undo();
			assert.equal(both.digest(3), host);
		}
	});

	it("does not depend on how many steps it takes, nor on one that was not finished", () => {
		const both = new BothSides(1);
		for (let n = 1; n <= 30; n++) both.do("sale", n);
		const whole = both.digest(30, 1_000);
		assert.equal(both.digest(30, 1), whole);
		const digest = new BatchDigest(both.index);
		digest.begin(7, 30);
		assert(!digest.step(30), "the end is found by the step behind the last one");
		digest.begin(7, 30);
		assert(digest.step(31));
		assert.equal(toHex(digest.bytes), whole);
		assert.equal(digest.entries, 30);
		assert.throws(() => digest.step(1), /follows begin/);
	});

	it("of nothing is the digest of nothing", () => {
		const both = new BothSides(1);
		assert.equal(both.digest(0), "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855");
	});
});
