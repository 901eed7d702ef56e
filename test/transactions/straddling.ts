/** Transactions whose records lie in two blocks, so that a reclaim copies them one without the other. */
import { DECLINED, LogBench } from "./log-bench";

/** A small record of somebody else's, dead from the start: the log moves on. */
export function pass(bench: LogBench): void {
	bench.log.journal.append(60, new Uint8Array(11).fill(0xfe));
}

/** A spent transaction, the newest of all, whose intent and end lie in different blocks; and one that keeps writing. */
export function straddling(ending: string, capacity = 64): { bench: LogBench; id: number } {
	for (let before = 150; before < 500; before++) {
		const bench = new LogBench({ blocks: 6, capacity }).provision();
		bench.doubt();
		for (let n = 0; n < before; n++) pass(bench);
		const id = bench.begin();
		if (ending.startsWith("decline")) bench.log.apply(id, "decline", { outcome: DECLINED });
		else if (ending === "unsent") bench.log.apply(id, "unsent");
		else {
			bench.log.apply(id, "noAnswer");
			bench.log.apply(id, "reversalAccepted");
			bench.log.apply(id, "reversalAccepted");
		}
		const { index } = bench.log;
		const block = (position: number) => Math.floor(position / bench.medium.blockLength);
		const slot = index.find(id);
		if (block(index.intentAt[slot]) !== block(index.lastAt(slot))) return { bench, id };
	}
	throw new Error("no place was found where the records lie in two blocks");
}
