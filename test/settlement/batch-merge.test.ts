import assert from "node:assert/strict";
import fc from "fast-check";
import { BatchMerge } from "../../src/settlement/batch-merge";
import { KIND_RESEND, KIND_SALE } from "../../src/transactions/records";
import { TransactionIndex } from "../../src/transactions/transaction-index";

const BATCH = 7;

/** Ids from 1; STANs from `firstStan` on, 1 behind 999999. */
function indexOf(kinds: readonly number[], firstStan: number): TransactionIndex {
	const index = new TransactionIndex(128);
	let stan = firstStan;
	kinds.forEach((kind, at) => {
		const slot = index.add(at + 1);
		index.setBatchKind(slot, kind < 0 ? BATCH + 1 : BATCH, Math.abs(kind));
		index.stans[slot] = stan;
		stan = (stan % 999_999) + 1;
	});
	return index;
}

function mergeAll(
	index: TransactionIndex,
	lastId: number,
	list: readonly number[],
	pageEntries = 40,
): [number, number][] {
	const merge = new BatchMerge(index);
	const pairs: [number, number][] = [];
	merge.begin(BATCH, lastId);
	for (let from = 0; from < list.length; from += pageEntries) {
		const stans = list.slice(from, from + pageEntries);
		merge.page({ count: stans.length, stans }, (id, at) => pairs.push([id, at < 0 ? -1 : stans[at]]));
	}
	merge.end((id, at) => pairs.push([id, at]));
	return pairs;
}

describe("the host's list is merged with the journal in one pass", () => {
	it("pairs what both have, and names what one of them lacks", () => {
		const index = indexOf([KIND_SALE, KIND_SALE, KIND_SALE], 10);
		assert.deepEqual(mergeAll(index, 3, [9, 10, 12, 13]), [
			[0, 9],
			[1, 10],
			[2, -1],
			[3, 12],
			[0, 13],
		]);
	});

	it("follows a batch over 999999", () => {
		const index = indexOf([KIND_SALE, KIND_SALE, KIND_SALE, KIND_SALE], 999_998);
		assert.deepEqual(mergeAll(index, 4, [1, 2, 999_998, 999_999]), [
			[3, 1],
			[4, 2],
			[1, 999_998],
			[2, 999_999],
		]);
	});

	it("does not miss in the list what was begun since, and knows it where the list has it", () => {
		const index = indexOf([KIND_SALE, KIND_SALE, KIND_SALE], 1);
		assert.deepEqual(mergeAll(index, 1, [1, 3]), [
			[1, 1],
			[3, 3],
		]);
	});

	it("expects no entry for a resend, and takes one under its number for a stranger", () => {
		const index = indexOf([KIND_SALE, KIND_RESEND, KIND_SALE], 1);
		assert.deepEqual(mergeAll(index, 3, [1, 3]), [
			[1, 1],
			[3, 3],
		]);
		assert.deepEqual(mergeAll(index, 3, [1, 2, 3])[1], [0, 2]);
	});

	it("names each transaction and each entry exactly once, whatever either side lacks", () => {
		const kind = fc.constantFrom(KIND_SALE, 2, 3, KIND_RESEND, -KIND_SALE);
		const inputs = fc.record({
			kinds: fc.array(kind, { maxLength: 90 }),
			firstStan: fc.constantFrom(1, 500, 999_950, 999_998),
			lost: fc.array(fc.nat(90), { maxLength: 20 }),
			strangers: fc.array(fc.integer({ min: 1, max: 999_999 }), { maxLength: 10 }),
			pageEntries: fc.integer({ min: 1, max: 40 }),
		});
		fc.assert(
			fc.property(inputs, ({ kinds, firstStan, lost, strangers, pageEntries }) => {
				const index = indexOf(kinds, firstStan);
				const ours = new Map<number, number>();
				for (let slot = 0; slot < index.count; slot++) {
					if (index.batch(slot) === BATCH && index.kind(slot) !== KIND_RESEND)
						ours.set(index.stans[slot], index.ids[slot]);
				}
				const listed = new Set([...ours.keys()].filter((_, at) => !lost.includes(at)));
				for (const stan of strangers) listed.add(stan);
				const list = [...listed].sort((a, b) => a - b);
				const expected = new Set<string>();
				for (const stan of list) expected.add(`${ours.get(stan) ?? 0} ${stan}`);
				for (const [stan, id] of ours) if (!listed.has(stan)) expected.add(`${id} -1`);
				const pairs = mergeAll(index, index.count, list, pageEntries).map(([id, stan]) => `${id} ${stan}`);
				assert.equal(pairs.length, expected.size);
				assert.deepEqual(new Set(pairs), expected);
			}),
			{ numRuns: 300, seed: 6 },
		);
	});
});
