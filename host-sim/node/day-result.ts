/**
 * A trading day as data: what it is made of, what is told while it runs, and what came of it.
 * @module
 */
import type { KeySchemeName } from "../../src/config";
import type { LogSink } from "../../src/ports";
import type { LedgerTotals } from "../acquirer/statement";
import type { MoneyReport } from "../world/check-money";
import type { TlsPair } from "./tls-identity";

/** "flashBlock" needs a mirror: one copy alone does not survive the loss of a block. */
export const FAULT_KINDS = ["none", "network", "power", "host", "flashBlock", "all"] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface DayOptions {
	seed: number;
	sales: number;
	faults: FaultKind;
	/** A second chip with a copy of the journal; with it "all" destroys flash blocks too. Default false. */
	mirror?: boolean;
	/** Where the keys come from; default "session". */
	scheme?: KeySchemeName;
	/** False: the terminal never sends a reversal, to show what they are for. */
	reversals: boolean;
	/** Simulated ms for each real one; default 300. */
	scale?: number;
	/** Worth a cashier's or a technician's notice. */
	onEvent?(line: DayEvent): void;
	/** After each customer. */
	onProgress?(done: number, sales: number): void;
	log?: LogSink;
	/** The certificates of both ends; absent: plain TCP, and the terminal is configured to allow it. */
	tls?: TlsPair;
}

export interface DayEvent {
	/** Simulated wall time, ms since 1970. */
	readonly timeMs: number;
	readonly source: "terminal" | "host" | "power" | "link" | "cashier" | "flash";
	readonly text: string;
}

/** How one sale that was in doubt at some moment ended. */
export interface DoubtRow {
	readonly stan: number;
	readonly amountMinor: number;
	/** What put it in doubt. */
	readonly why: "no answer" | "card refused" | "power cut" | "not delivered";
	/** "notDebited": reversals are off, and none was needed. */
	readonly ended: "approved" | "reversed" | "notDebited" | "open";
}

export interface DayResult {
	seed: number;
	sales: number;
	faults: FaultKind;
	/** Over TLS with both certificates. */
	tls: boolean;
	/** What the last connection spoke: "TLSv1.3"; with `tls` only. */
	tlsProtocol?: string;
	approved: number;
	approvedMinor: number;
	declined: number;
	reversed: number;
	/** Reversals are off: in doubt, and never debited. */
	notDebited: number;
	/** The customer stood there, and no request ever left: refused card, cancelled, no link, terminal refused. */
	notBegun: number;
	inDoubt: number;
	doubts: DoubtRow[];
	money: MoneyReport;
	ledgers: LedgerTotals;
	oneSided: number;
	conserved: boolean;
	/** Nothing waits any more: no queue, no question. */
	atRest: boolean;
	powerCuts: number;
	hostCrashes: number;
	linkOutages: number;
	firmwareRestarts: number;
	/** At each boot, and whenever the host's keys were not the terminal's. */
	signOns: number;
	flashBytesPerSale: number;
	erasesPerThousandSales: number;
	/** Erases that a customer had to wait for. */
	erasesInSale: number;
	/** Copies of the journal: 2 with a mirror. */
	copies: number;
	/** Of them, those that in the end hold the whole journal without the other. */
	copiesWhole: number;
	/** Flash blocks that lost their content. */
	blocksDestroyed: number;
	/** Flash blocks written anew from the other copy. */
	blocksMended: number;
	simulatedMs: number;
	realMs: number;
}

/** The money is where people were told it is, nothing waits, and no copy of the journal lacks anything. */
export function isBalanced(day: DayResult): boolean {
	return day.conserved && day.atRest && day.copiesWhole === day.copies;
}
