/**
 * A slice of what sales-search.ts does: thousands of sales, settlements and power cuts on a small flash, compared field
 * by field at each boot with a plain model. And the search sees what it is there for: logs that are broken on purpose.
 */
import { strict as assert } from "node:assert";
import { AssertionError } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import { TransactionLog } from "../../src/transactions/transaction-log";
import { type SalesOptions, searchSales } from "./sales-world";

const BROKEN: Record<string, () => typeof TransactionLog> = {
	"settles without carrying the advices": () =>
		class extends TransactionLog {
			override settle(nextBatch: number): ReturnType<TransactionLog["settle"]> {
				const { states, count } = this.index;
				for (let slot = 0; slot < count; slot++) if (states[slot] === 9) states[slot] = 10;
				return super.settle(nextBatch);
			}
		},
	"takes a STAN that is not reserved": () =>
		class extends TransactionLog {
			override takeStan(): number {
				return super.takeStan() - 1;
			}
		},
	"settles without carrying the doubts": () =>
		class extends TransactionLog {
			override settle(nextBatch: number): ReturnType<TransactionLog["settle"]> {
				const { states, count } = this.index;
				for (let slot = 0; slot < count; slot++) if (states[slot] === 6) states[slot] = 3;
				return super.settle(nextBatch);
			}
		},
	"drops what is live when room is made": () =>
		class extends TransactionLog {
			override isLive(type: number, position: number, bytes: Uint8Array, start: number): boolean {
				return type !== 9 && super.isLive(type, position, bytes, start);
			}
		},
	"does not follow a record that moves": () =>
		class extends TransactionLog {
			override moved(): void {}
		},
	"forgets the end of what it read last": () =>
		class extends TransactionLog {
			override visit(type: number, position: number, bytes: Uint8Array, start: number, byteLength: number): void {
				if (type !== 10) super.visit(type, position, bytes, start, byteLength);
			}
		},
	"acknowledges a try that is not durable": () =>
		class extends TransactionLog {
			override noteTry(id: number): number {
				this.index.tries[this.index.find(id)]++;
				return this.index.tries[this.index.find(id)];
			}
		},
};

describe("transactions: sales search", function () {
	this.timeout(60_000);

	const slices: Record<string, SalesOptions> = {
		"on 64 KiB, settled every 50": { sales: 2_000, seed: 1 },
		"on 64 KiB, alignment 16": { sales: 1_500, seed: 2, writeAlign: 16 },
		"on two copies": { sales: 400, seed: 3, mirror: true },
		"with an index that is always full": { sales: 1_500, seed: 4, capacity: 12 },
		"on 32 KiB, settled when it is full": { sales: 1_500, seed: 5, blocks: 8, settleEvery: 400, cutWithin: 500 },
		// A settlement that carries five advices has to fit between two cuts, or there is never a next sale.
		"with a cut every few operations": { sales: 150, seed: 6, cutWithin: 36 },
	};
	for (const [name, options] of Object.entries(slices)) {
		it(`${name}: nothing is lost, changed, brought back or used twice`, () => {
			const result = searchSales(options);
			assert.equal(result.sales, options.sales);
			assert.ok(result.cuts > options.sales / 30, `${result.cuts} cuts`);
			assert.ok(result.settlements >= Math.floor(options.sales / (options.settleEvery ?? 50)));
			assert.ok(result.interrupted > 0 && result.reversed > 0 && result.declined > 0 && result.abandoned > 0);
			assert.ok(result.carried > 0, "what was open went over a settlement");
			assert.ok(result.forwarded > 0 && result.stansTaken > 0, "advices and messages without a record");
		});
	}

	it("costs as much after 5,000 sales as at the beginning: flash, erases, reads at mount, memory", () => {
		const { rows } = searchSales({ sales: 6_000, seed: 7, rowSales: 1_000, cutWithin: 0 });
		assert.equal(rows.length, 6);
		const [, second] = rows;
		for (const row of rows.slice(2)) {
			for (const key of ["bytesProgrammed", "erases", "flashMs"] as const) {
				assert.ok(Math.abs(row[key] - second[key]) < second[key] * 0.15, `${key}: ${row[key]}, ${second[key]} before`);
			}
			assert.equal(row.ramBytes, second.ramBytes);
		}
	});

	it("gives the same run for the same seed (I12)", () => {
		const run = (seed: number) => {
			const result = searchSales({ sales: 300, seed });
			return JSON.stringify({ ...result, rows: [] });
		};
		assert.equal(run(8), run(8));
		assert.notEqual(run(8), run(9));
	});

	for (const [name, make] of Object.entries(BROKEN)) {
		it(`catches a log that ${name}`, () => {
			const Broken = make();
			const search = () => {
				for (let seed = 1; seed <= 5; seed++) {
					const makeLog: SalesOptions["makeLog"] = (...parts) => new Broken(...parts);
					searchSales({ sales: 1_000, seed, blocks: 8, settleEvery: 400, cutWithin: 500, makeLog });
				}
			};
			assert.throws(search, (error: unknown) => {
				const own = error instanceof AssertionError || error instanceof CodedError;
				return own || (error instanceof assert.AssertionError && /lost|changed|resurrected|I4/.test(error.message));
			});
		});
	}
});
