/**
 * What the host says of a batch: one entry for each movement, the digest over them, the totals. It reads acquirer,
 * issuer and merchant side by side, as the sync messages show them, and writes nothing.
 *
 * The tables of kinds and flags are in DESIGN.md.
 * @module
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { writeBcd } from "../../src/core/bcd";
import { AMOUNT_MINOR_MAX } from "../../src/core/money";
import type { FarSides } from "./far-sides";
import type { IssuerLedger, IssuerMovement } from "./issuer";
import type { MerchantLedger, MerchantMovement } from "./merchant";
import { isSameMovement, type MovementKey } from "./movement";
import type { PostingBook } from "./posting-book";
import { type AcquirerRecords, limitOf, type MovementRecord, type RefundRecord, type SaleRecord } from "./records";
import type { BatchKey } from "./settlement-book";
import { COUNT_MAX, type Totals } from "./totals";

/** Kind of an entry. The first three are the terminal's numbers of the same; a resend is the sale it stands for. */
export const EntryKind = { sale: 1, offlineSale: 2, refund: 3, void: 5, repayment: 6, topUp: 7 } as const;

/** Flags of an entry. Source: PROTOCOL.md, "Sync messages". */
export const EntryFlag = {
	/** In the acquirer's records. */
	recorded: 1,
	/** The card was debited (of a void or a refund: credited), also when that was taken back later. */
	debited: 2,
	/** Taken back whole: by a reversal, or by the desk. */
	reversed: 4,
	/** The merchant's account stands as it should for this movement, and nothing more is to be posted. */
	posted: 8,
	/** The bank has refused it; the reason says why. */
	refused: 16,
	/** A void of it stands. */
	voided: 32,
	/** A repayment or top-up that the far side has: it is posted, too. */
	farSideDone: 64,
	/** One that it has not taken. */
	farSideFailed: 128,
} as const;

/** One movement as the host sees it. */
export interface HostEntry {
	readonly stan: number;
	/** {@link EntryKind}. */
	readonly kind: number;
	/** What stands in the books: of a sale that was altered or adjusted what that has left. */
	readonly amountMinor: number;
	/** {@link EntryFlag}. */
	readonly flags: number;
	/** Of a refused posting, else 0. */
	readonly reason: number;
	/** 12 characters; spaces where there is no record. */
	readonly rrn: string;
	/** ms since 1970; 0: never. */
	readonly recordedAt: number;
	readonly postedAt: number;
	/** Approved, and not taken back: counts for digest and sums. */
	readonly stands: boolean;
}

/** How many, and how much of it. */
export interface Sum {
	count: number;
	sumMinor: number;
}

export interface BatchDigest {
	/** SHA-256 over STAN 3, kind 1, amount 6 of each entry that stands, in order. */
	readonly digest: Uint8Array;
	readonly recorded: Sum;
	readonly posted: Sum;
	readonly pending: Sum;
	readonly refused: Sum;
}

const NO_RRN = "            ";
const DIGEST_ENTRY_BYTES = 10;
/** STANs run from 1 to 999999 and begin again. */
const STAN_NUMBERS = 999_999;
/** Two STANs of one batch are nearer to each other than this. */
const STAN_HALF = 500_000;

export interface BatchViewParts {
	readonly issuer: IssuerLedger;
	readonly records: AcquirerRecords;
	readonly merchant: MerchantLedger;
	readonly farSides: FarSides;
	readonly postingBook: PostingBook;
}

export class BatchView {
	readonly #parts: BatchViewParts;

	constructor(parts: BatchViewParts) {
		this.#parts = parts;
	}

	/** @returns undefined for what nobody here has heard of */
	entry(key: MovementKey): HostEntry | undefined {
		const { issuer, records } = this.#parts;
		const record = records.find(key);
		const held = issuer.movement(key);
		if (record === undefined && held === undefined) return undefined;
		const refund = record?.refund;
		if (refund !== undefined || held?.gave !== undefined) return this.#refundEntry(key, refund, held, record);
		return this.#saleEntry(key, record, held);
	}

	/**
	 * Movements that were approved at some time, also those that were taken back, and debits without a record. From `from`
	 * to `to`, in this order of STANs; where `from` is the greater, over 999999 and on from 1.
	 */
	entries(batch: BatchKey, from: number, to: number): HostEntry[] {
		const inRange = (stan: number): boolean =>
			from <= to ? stan >= from && stan <= to : stan >= from || (stan <= to && stan > 0);
		const place = (stan: number): number => (from > to && stan <= to ? stan + STAN_NUMBERS : stan);
		const stans = this.#stans(batch).filter(inRange);
		stans.sort((a, b) => place(a) - place(b));
		return this.#entriesOf(batch, stans);
	}

	/** Digest and sums of what stands, up to a STAN. A batch that runs over 999999 goes on with 1 behind it. */
	digest(batch: BatchKey, to: number): BatchDigest {
		const recorded: Sum = { count: 0, sumMinor: 0 };
		const posted: Sum = { count: 0, sumMinor: 0 };
		const pending: Sum = { count: 0, sumMinor: 0 };
		const refused: Sum = { count: 0, sumMinor: 0 };
		const entries = this.#upTo(batch, to);
		const hash = sha256.create();
		const bytes = new Uint8Array(DIGEST_ENTRY_BYTES);
		for (const { stan, kind, amountMinor, flags } of entries) {
			writeBcd(bytes, 0, stan, 6, "digest STAN");
			bytes[3] = kind;
			writeBcd(bytes, 4, amountMinor, 12, "digest amount");
			hash.update(bytes);
			if ((flags & EntryFlag.recorded) !== 0) count(recorded, amountMinor);
			if ((flags & EntryFlag.posted) !== 0) count(posted, amountMinor);
			else if ((flags & (EntryFlag.refused | EntryFlag.farSideFailed)) !== 0) count(refused, amountMinor);
			else if ((flags & EntryFlag.recorded) !== 0) count(pending, amountMinor);
		}
		return { digest: hash.digest(), recorded, posted, pending, refused };
	}

	/** What was recorded and stands: sales as debits; voids and refunds as credits. Undefined: more than DE 48 can say. */
	totals(batch: BatchKey): Totals | undefined {
		const debit: Sum = { count: 0, sumMinor: 0 };
		const credit: Sum = { count: 0, sumMinor: 0 };
		for (const { stands, kind, flags, amountMinor } of this.#entriesOf(batch, this.#stans(batch))) {
			if (!stands || (flags & EntryFlag.recorded) === 0) continue;
			count(kind === EntryKind.refund || kind === EntryKind.void ? credit : debit, amountMinor);
		}
		if (debit.count > COUNT_MAX || credit.count > COUNT_MAX) return undefined;
		if (debit.sumMinor > AMOUNT_MINOR_MAX || credit.sumMinor > AMOUNT_MINOR_MAX) return undefined;
		return {
			debitMinor: debit.sumMinor,
			debits: debit.count,
			creditMinor: credit.sumMinor,
			credits: credit.count,
			result: 0,
		};
	}

	#upTo(batch: BatchKey, to: number): HostEntry[] {
		const stans = this.#stans(batch);
		const greatest = stans.reduce((most, stan) => Math.max(most, stan), 0);
		const place = (stan: number): number => {
			if (greatest - stan >= STAN_HALF) return stan + STAN_NUMBERS;
			return stan - greatest >= STAN_HALF ? stan - STAN_NUMBERS : stan;
		};
		const wanted = stans.filter((stan) => place(stan) <= place(to));
		wanted.sort((a, b) => place(a) - place(b));
		return this.#entriesOf(batch, wanted).filter(({ stands }) => stands);
	}

	/** Of what was approved at some time: it is at the issuer, also where the acquirer has lost it. */
	#stans(batch: BatchKey): number[] {
		const { issuer } = this.#parts;
		const stans: number[] = [];
		for (const { key, debits, gave } of issuer.ofBatch(batch)) {
			if (debits > 0 || gave !== undefined) stans.push(key.stan);
		}
		return stans;
	}

	#entriesOf({ merchantId, terminalId, batch }: BatchKey, stans: readonly number[]): HostEntry[] {
		return stans.map((stan) => this.entry({ merchantId, terminalId, batch, stan })!);
	}

	#saleEntry(
		key: MovementKey,
		record: Readonly<MovementRecord> | undefined,
		held: Readonly<IssuerMovement> | undefined,
	): HostEntry {
		const { records, merchant, farSides, postingBook } = this.#parts;
		const sale = record?.sale;
		const account = merchant.movement(key);
		const debited = (held?.debits ?? 0) > 0;
		const booked = bookedOf(sale, held, account);
		const givenBack = (held?.adjustedMinor ?? 0) > 0 && booked.amountMinor === 0;
		const reversed = record?.reversal !== undefined || (held?.credits ?? 0) > 0 || givenBack;
		const voided = records.standingVoid(key) !== undefined;
		const approved = sale === undefined ? debited : sale.code === "00";
		const stands = approved && !reversed;
		const far = farSides.movement(key);
		const farDone = (far?.creditedMinor ?? 0) > 0;
		const posted = stands && (booked.posted || voided || farDone);
		const reason = posted || !stands ? 0 : (postingBook.refusal(key)?.reason ?? 0);
		const flags =
			flag(sale !== undefined, EntryFlag.recorded) |
			flag(debited, EntryFlag.debited) |
			flag(reversed, EntryFlag.reversed) |
			flag(posted, EntryFlag.posted) |
			flag(reason !== 0, EntryFlag.refused) |
			flag(voided, EntryFlag.voided) |
			flag(farDone, EntryFlag.farSideDone) |
			flag(!farDone && far?.failed === true, EntryFlag.farSideFailed);
		return {
			stan: key.stan,
			kind: kindOf(sale, held),
			// Of what was taken back whole: what it was.
			amountMinor: reversed ? (sale?.amountMinor ?? held?.debitedMinor ?? 0) : booked.amountMinor,
			flags,
			reason,
			rrn: sale?.rrn ?? record?.reversal?.rrn ?? NO_RRN,
			recordedAt: (sale ?? record?.reversal)?.at ?? 0,
			postedAt: posted ? ((far ?? account)?.creditedAt ?? 0) : 0,
			stands,
		};
	}

	/** A void or a refund. */
	#refundEntry(
		key: MovementKey,
		refund: RefundRecord | undefined,
		held: Readonly<IssuerMovement> | undefined,
		record: Readonly<MovementRecord> | undefined,
	): HostEntry {
		const { merchant } = this.#parts;
		const reversed = record?.reversal !== undefined || held?.gave?.undone === true;
		const stands = (refund === undefined ? held?.gave !== undefined : refund.code === "00") && !reversed;
		const taken = merchant.movement(key)?.took !== undefined;
		// A void of what was never posted has nothing to take back.
		const posted = stands && (taken || (refund?.type === "void" && this.#isVoidOfUnposted(refund)));
		return {
			stan: key.stan,
			kind: refund?.type === "void" ? EntryKind.void : EntryKind.refund,
			amountMinor: refund?.amountMinor ?? held?.gave?.amountMinor ?? 0,
			flags:
				flag(refund !== undefined, EntryFlag.recorded) |
				flag(held?.gave !== undefined, EntryFlag.debited) |
				flag(reversed, EntryFlag.reversed) |
				flag(posted, EntryFlag.posted),
			reason: 0,
			rrn: refund?.rrn ?? NO_RRN,
			recordedAt: refund?.at ?? 0,
			postedAt: posted ? (refund?.at ?? 0) : 0,
			stands,
		};
	}

	#isVoidOfUnposted({ key, original }: RefundRecord): boolean {
		const { records, merchant } = this.#parts;
		if (original === undefined || merchant.netMinor(original) > 0) return false;
		const standing = records.standingVoid(original);
		return standing !== undefined && isSameMovement(standing.key, key);
	}
}

function kindOf(sale: SaleRecord | undefined, held: Readonly<IssuerMovement> | undefined): number {
	const by = sale?.by ?? held?.farSide;
	if (by === "repayment" || by === "topUp") return EntryKind[by];
	return by === "offline" ? EntryKind.offlineSale : EntryKind.sale;
}

/** What the books hold of a sale, less what the desk has given back, and whether nothing of it is still to be posted. */
function bookedOf(
	sale: SaleRecord | undefined,
	held: Readonly<IssuerMovement> | undefined,
	account: Readonly<MerchantMovement> | undefined,
): { amountMinor: number; posted: boolean } {
	// What the bank has posted and the desk has added to it, less what the desk has taken back.
	const heldMinor = account === undefined ? 0 : account.creditedMinor - account.adjustedMinor;
	if (account?.posted === true) return { amountMinor: heldMinor, posted: true };
	const creditedMinor = account?.creditedMinor ?? 0;
	const soldMinor =
		sale === undefined ? (held?.debitedMinor ?? 0) : Math.min(limitOf(sale), sale.amountMinor + creditedMinor);
	const amountMinor = Math.max(0, soldMinor - (held?.adjustedMinor ?? 0));
	return { amountMinor, posted: creditedMinor > 0 && heldMinor >= amountMinor };
}

function count(sum: Sum, amountMinor: number): void {
	sum.count++;
	sum.sumMinor += amountMinor;
}

function flag(set: boolean, bit: number): number {
	return set ? bit : 0;
}
