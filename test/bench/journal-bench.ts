/**
 * The workload by which flash stores are compared: 1 MiB of 4 KiB blocks, 10,000 sales, each a durable 120-byte intent
 * and a durable 32-byte outcome (152 bytes of payload), settled and released every 500. Measured after one full turn
 * of the ring, `prepare()` before and `idle()` after each sale, as the terminal calls them.
 */
import { performance } from "node:perf_hooks";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { readU32, writeU32 } from "../../src/core/bytes";
import { Journal, type JournalClient } from "../../src/journal/journal";

const INTENT = 8;
const OUTCOME = 9;
const INTENT_BYTES = 120;
const OUTCOME_BYTES = 32;
const PAYLOAD_BYTES = INTENT_BYTES + OUTCOME_BYTES;
const SALES = 10_000;
const SETTLE_EVERY = 500;
/** What a terminal asks room for before a sale. */
const ROOM_BYTES = 700;

/** Everything since the last settlement is live, as it is in a terminal whose sales are all approved. */
class Sales implements JournalClient {
	readonly live = new Map<number, number>();
	reset(): void {
		this.live.clear();
	}
	visit(type: number, position: number, bytes: Uint8Array, start: number): void {
		if (type === INTENT) this.live.set(readU32(bytes, start), position);
	}
	isLive(_type: number, _position: number, bytes: Uint8Array, start: number): boolean {
		return this.live.has(readU32(bytes, start));
	}
	moved(from: number, to: number): void {
		for (const [id, position] of this.live) if (position === from) this.live.set(id, to);
	}
}

export interface MountFigures {
	live: number;
	liveBytes: number;
	readBytes: number;
	ms: number;
}

export interface JournalFigures {
	writeAlign: number;
	bytesPerSale: number;
	writeAmplification: number;
	erasesPerThousandSales: number;
	wearWorst: number;
	wearSpread: number;
	erasesInSalePath: number;
	/** Datasheet time of a sale's writes, typical, ms. */
	saleMsP50: number;
	saleMsP99: number;
	saleMsWorst: number;
	mounts: MountFigures[];
	ramBytes: number;
	ramBytesPerLive: number;
}

export function benchJournal(writeAlign = 1, onProgress?: (done: number, total: number) => void): JournalFigures {
	const flash = new NorFlash({ blocks: 256, writeAlign, marginalCells: false });
	const client = new Sales();
	new Journal(flash, client).provision(1, new Uint8Array(11));
	const journal = new Journal(flash, client);
	journal.mount();
	const intent = new Uint8Array(INTENT_BYTES);
	const outcome = new Uint8Array(OUTCOME_BYTES);
	let next = 1;
	const sell = () => {
		const id = next++;
		if (!journal.prepare(ROOM_BYTES)) throw new Error(`no room before sale ${id}`);
		const erases = flash.blocksErased;
		const us = flash.typicalUs;
		writeU32(intent, 0, id);
		client.live.set(id, journal.append(INTENT, intent));
		writeU32(outcome, 0, id);
		journal.append(OUTCOME, outcome);
		const sale = { erases: flash.blocksErased - erases, us: flash.typicalUs - us };
		journal.idle();
		return sale;
	};
	const settle = () => {
		journal.beginCarry();
		client.live.clear();
		journal.settle(new Uint8Array(11));
	};
	// One turn of the ring first: every block has been written once.
	while (flash.medium.erases[255] < 2) {
		sell();
		if (next % SETTLE_EVERY === 1) settle();
	}
	while (next % SETTLE_EVERY !== 1) sell();
	settle();
	const before = { bytes: flash.bytesProgrammed, erases: flash.blocksErased, wear: flash.medium.erases.slice() };
	const times: number[] = [];
	let erasesInSalePath = 0;
	for (let n = 1; n <= SALES; n++) {
		const sale = sell();
		erasesInSalePath += sale.erases;
		times.push(sale.us / 1000);
		if (n % SETTLE_EVERY === 0) settle();
		if (n % 1000 === 0) onProgress?.(n, SALES);
	}
	const bytes = flash.bytesProgrammed - before.bytes;
	const erases = flash.blocksErased - before.erases;
	const wear = flash.medium.erases;
	times.sort((a, b) => a - b);
	const mounts: MountFigures[] = [];
	const ramAt: number[] = [];
	for (const live of [0, 499, 1_000]) {
		while (client.live.size < live) sell();
		const readBefore = flash.bytesRead;
		const started = performance.now();
		const other = new Journal(flash, new Sales());
		other.mount();
		const ms = performance.now() - started;
		const perSale = (INTENT_BYTES + 6 + writeAlign - 1) & -writeAlign;
		const perOutcome = (OUTCOME_BYTES + 6 + writeAlign - 1) & -writeAlign;
		mounts.push({ live, liveBytes: live * (perSale + perOutcome), readBytes: flash.bytesRead - readBefore, ms });
		ramAt.push(other.ramBytes);
	}
	return {
		writeAlign,
		bytesPerSale: bytes / SALES,
		writeAmplification: bytes / (SALES * PAYLOAD_BYTES),
		erasesPerThousandSales: (erases * 1000) / SALES,
		wearWorst: Math.max(...wear),
		wearSpread: Math.max(...wear) - Math.min(...wear),
		erasesInSalePath,
		saleMsP50: times[times.length >> 1],
		saleMsP99: times[Math.floor(times.length * 0.99)],
		saleMsWorst: times[times.length - 1],
		mounts,
		ramBytes: ramAt[0],
		ramBytesPerLive: (ramAt[1] - ramAt[0]) / 499,
	};
}
