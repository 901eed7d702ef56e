/** What thousands of sales have cost flash and memory, in rows of so many sales, over all boots. */
import type { NorFlash } from "../../host-sim/board/nor-flash";
import type { TransactionLog } from "../../src/transactions/transaction-log";

/** What a row of sales cost, all boots included. */
export interface SalesRow {
	sales: number;
	bytesProgrammed: number;
	erases: number;
	/** Datasheet time, typical. */
	flashMs: number;
	bytesReadAtMount: number;
	boots: number;
	/** Longest datasheet time between the card and the end of a sale, typical. */
	saleMsWorst: number;
	ramBytes: number;
	wallMs: number;
}

export interface SalesResult {
	sales: number;
	settlements: number;
	cuts: number;
	boots: number;
	/** How the sales ended. */
	delivered: number;
	declined: number;
	abandoned: number;
	reversed: number;
	/** Doubts carried forward by a settlement. */
	carried: number;
	/** Sales that a cut left without an outcome. */
	interrupted: number;
	/** Advices that the host has answered. */
	forwarded: number;
	/** STANs taken for messages without a record. */
	stansTaken: number;
	/** Batches that the host gave. */
	adopted: number;
	/** Times a new sale was refused for want of room. */
	refused: number;
	rows: SalesRow[];
	wearMax: number;
	wearMin: number;
}

export function noResult(): SalesResult {
	return {
		sales: 0,
		settlements: 0,
		cuts: 0,
		boots: 0,
		delivered: 0,
		declined: 0,
		abandoned: 0,
		reversed: 0,
		carried: 0,
		interrupted: 0,
		forwarded: 0,
		stansTaken: 0,
		adopted: 0,
		refused: 0,
		rows: [],
		wearMax: 0,
		wearMin: 0,
	};
}

/** Datasheet time of this boot, typical, of all partitions. */
export function flashUs(flashes: readonly NorFlash[]): number {
	return flashes.reduce((sum, flash) => sum + flash.typicalUs, 0);
}

export class SalesMeter {
	readonly #rows: SalesRow[];
	readonly #rowSales: number;
	#startedMs = performance.now();
	/** What of this boot is in a row already. */
	#counted = { bytes: 0, erases: 0, us: 0 };
	/** The row that is being filled. */
	row: SalesRow = noRow();

	/** @param rows - where whole rows go */
	constructor(rows: SalesRow[], rowSales: number) {
		this.#rows = rows;
		this.#rowSales = rowSales;
	}

	noteSaleMs(ms: number): void {
		this.row.saleMsWorst = Math.max(this.row.saleMsWorst, ms);
	}

	/** @returns true when this sale has filled a row */
	countSale(flashes: readonly NorFlash[], log: TransactionLog): boolean {
		if (++this.row.sales < this.#rowSales) return false;
		this.#counted = this.#add(flashes);
		this.row.ramBytes = log.index.ramBytes + log.journal.ramBytes;
		const nowMs = performance.now();
		this.row.wallMs = nowMs - this.#startedMs;
		this.#startedMs = nowMs;
		this.#rows.push(this.row);
		this.row = noRow();
		return true;
	}

	/** The counters of the flash end with the boot. */
	endBoot(flashes: readonly NorFlash[]): void {
		this.#add(flashes);
		this.#counted = { bytes: 0, erases: 0, us: 0 };
	}

	#add(flashes: readonly NorFlash[]): { bytes: number; erases: number; us: number } {
		const now = { bytes: 0, erases: 0, us: flashUs(flashes) };
		for (const flash of flashes) {
			now.bytes += flash.bytesProgrammed;
			now.erases += flash.blocksErased;
		}
		this.row.bytesProgrammed += now.bytes - this.#counted.bytes;
		this.row.erases += now.erases - this.#counted.erases;
		this.row.flashMs += (now.us - this.#counted.us) / 1000;
		return now;
	}
}

function noRow(): SalesRow {
	return {
		sales: 0,
		bytesProgrammed: 0,
		erases: 0,
		flashMs: 0,
		bytesReadAtMount: 0,
		boots: 0,
		saleMsWorst: 0,
		ramBytes: 0,
		wallMs: 0,
	};
}
