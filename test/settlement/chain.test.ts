/**
 * The evidence chain. Goal: its head is a function of what the journal holds behind the mark, by the description of the
 * format; it changes when anything of that changes, and beginnings only when a beginning does.
 * Method: an implementation of its own over node:crypto.
 */
import { deepEqual, equal, notDeepEqual, notEqual, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { CodedError } from "../../src/core/errors";
import { Chain, type ChainLog, ChainWalk } from "../../src/settlement/chain";
import { CHECKPOINT_BYTES, ChainHead } from "../../src/settlement/chain-links";
import { LogBench } from "../transactions/log-bench";

const ALL = 0xffff_ffff;

function sha256(...parts: (Uint8Array | number[])[]): Buffer {
	const hash = createHash("sha256");
	for (const part of parts) hash.update(Uint8Array.from(part));
	return hash.digest();
}

function headOf(bench: LogBench, id = ALL): string {
	const chain = new Chain(bench.log);
	chain.start();
	return shown(chain.headUpTo(id));
}

function shown(head: ChainHead): string {
	const bytes = new Uint8Array(CHECKPOINT_BYTES);
	head.write(bytes, 0);
	return `${head.id} ${Buffer.from(bytes).toString("hex")}`;
}

const begunOf = (head: string): string => head.split(" ")[1].slice(0, 64);

describe("settlement: evidence chain", () => {
	it("is what the description of the format gives", () => {
		const bench = new LogBench().provision(7);
		const id = bench.deliver(1_234);
		const { log } = bench;
		const start = sha256([0, 0xca, 0xfe, 0, 1, 0, log.journal.generation]);
		const stan = log.index.stans[0];
		const clear = Buffer.from(
			[
				...["01", "00000001", `${stan.toString(16).padStart(6, "0")}`, "01", "000007", "000000001234"],
				...[(1_700_000_000).toString(16), "0510", "00", "000600", "621234", "1232", "10"],
			].join(""),
			"hex",
		);
		equal(id, 1);
		const end = Buffer.concat([
			Buffer.from("02000000010300", "hex"),
			Buffer.from("  00112200000001A1B2C3"),
			Buffer.from("0912351122", "hex"),
		]);
		const begun = sha256([3], start, sha256(clear));
		const ended = sha256([3], start, sha256(end));
		equal(headOf(bench), `1 ${begun.toString("hex")}${ended.toString("hex")}`);
		const chain = new Chain(log);
		chain.start();
		const digest = new Uint8Array(32);
		chain.headUpTo(ALL).digest(digest);
		deepEqual(Buffer.from(digest), sha256([4], begun, ended));
	});

	it("is the same after a restart, and whatever was asked before", () => {
		const bench = new LogBench().provision();
		const chain = new Chain(bench.log);
		chain.start();
		const asked: string[] = [];
		for (let n = 0; n < 12; n++) {
			if (n % 3 === 0) bench.doubt();
			else if (n % 3 === 1) bench.deliver();
			else bench.offlineSale();
			asked.push(shown(chain.headUpTo(ALL)));
			equal(asked[n], headOf(bench));
			equal(shown(chain.headUpTo(n)), headOf(bench, n));
		}
		equal(new Set(asked).size, 12);
		equal(headOf(bench.boot()), asked[11]);
	});

	it("keeps its beginnings when an outcome changes, and what was kept to save reading is dropped", () => {
		const bench = new LogBench().provision();
		const chain = new Chain(bench.log);
		chain.start();
		const doubt = bench.doubt();
		bench.deliver();
		const before = shown(chain.headUpTo(ALL));
		bench.log.apply(doubt, "reversalAccepted");
		const after = shown(chain.headUpTo(ALL));
		notEqual(after, before);
		equal(begunOf(after), begunOf(before));
		equal(after, headOf(bench));
		equal(after, headOf(bench.boot()));
	});

	it("reads only what is new", () => {
		const bench = new LogBench().provision();
		for (let n = 0; n < 20; n++) bench.deliver();
		const chain = new Chain(bench.log);
		chain.start();
		chain.headUpTo(ALL);
		const read = bench.flash.bytesRead;
		chain.headUpTo(ALL);
		equal(bench.flash.bytesRead, read);
		bench.deliver();
		const sold = bench.flash.bytesRead;
		chain.headUpTo(ALL);
		ok(bench.flash.bytesRead - sold < 400, `${bench.flash.bytesRead - sold}`);
	});

	it("goes on behind a mark from the heads it carries, with what was carried forward", () => {
		const bench = new LogBench().provision(1);
		const chain = new Chain(bench.log);
		chain.start();
		bench.deliver();
		const carried = bench.doubt();
		const bytes = new Uint8Array(CHECKPOINT_BYTES);
		chain.headUpTo(ALL).write(bytes, 0);
		bench.log.markWitness = chain;
		equal(bench.log.settle(2), undefined);
		deepEqual(bench.log.markHeads, bytes);
		equal(chain.mark, carried);
		const before = new ChainHead();
		before.resume(0, bytes, 0);
		const walk = new ChainWalk(bench.log);
		chain.rewind(walk);
		deepEqual(walk.head, before);
		equal(walk.next(), carried);
		const next = bench.deliver();
		equal(chain.headUpTo(ALL).id, next);
		notDeepEqual(chain.headUpTo(carried).begun, before.begun);
	});

	it("says of lost records that they are lost, and forgets what it knew of them", () => {
		const bench = new LogBench().provision();
		for (let n = 0; n < 5; n++) bench.deliver();
		const gone = new Set<number>();
		const { log } = bench;
		const lossy: ChainLog = {
			index: log.index,
			journal: log.journal,
			settledUpTo: log.settledUpTo,
			markHeads: log.markHeads,
			intent: (id) => {
				if (gone.has(id)) throw new CodedError("missing", `transaction ${id}`);
				return log.intent(id);
			},
			advice: (id) => log.advice(id),
			outcome: (id) => log.outcome(id),
			reason: (id) => log.reason(id),
		};
		const chain = new Chain(lossy);
		chain.start();
		const whole = shown(chain.headUpTo(ALL));
		gone.add(3); // Spent, and its block reclaimed: RAM knows nothing of that.
		equal(shown(chain.headUpTo(ALL)), whole);
		const walk = new ChainWalk(lossy);
		chain.rewind(walk);
		const linked: number[] = [];
		for (let id = walk.next(); id !== 0; id = walk.next()) {
			if (walk.facts !== undefined) linked.push(id);
			chain.passed(walk.head);
		}
		deepEqual(linked, [1, 2, 4, 5]);
		const now = shown(walk.head);
		notEqual(now, whole);
		equal(shown(chain.headUpTo(ALL)), now);
	});
});
