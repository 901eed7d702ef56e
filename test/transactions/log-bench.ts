/** A transaction log over simulated NOR flash, boot after boot: for tests below the terminal. */
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import { FlashMedium } from "../../host-sim/board/flash-medium";
import { MemoryKeys } from "../../host-sim/board/memory-keys";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { Power } from "../../host-sim/board/power";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { fromHex, toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { CardSeal, type StoredCard } from "../../src/security/card-seal";
import {
	type AdviceFacts,
	isAdvice,
	KIND_OFFLINE_SALE,
	KIND_REFUND,
	type Outcome,
} from "../../src/transactions/records";
import { type NewAdvice, type NewSale, TransactionLog } from "../../src/transactions/transaction-log";

export const CARD: StoredCard = { pan: "6212345678901232", expiry: "3012", sequence: "001" };
export const APPROVED: Outcome = {
	code: "00",
	rrn: "112200000001",
	authorization: "A1B2C3",
	hostTime: "0912351122",
};
export const DECLINED: Outcome = { code: "51", rrn: "112200000002", authorization: "", hostTime: "0912351122" };

export function newSale(amountMinor = 1_000): NewSale {
	return { amountMinor, timeS: 1_700_000_000, entryMode: "051", condition: "00", field60Rest: "00060" };
}

/** DE 55 with the card number in tags 57 and 5A, as a kernel gives it. */
export const EMV = fromHex(
	"57116212345678901232D30122010000000000".concat("5A086212345678901232", "9F2608C0FFEE0102030405", "9F36020001"),
);

export function originalOf(batch: number, stan: number): AdviceFacts {
	const rest = { originalDate: "1122", rrn: "112200000001", authorization: "A1B2C3" };
	return { originalBatch: batch, originalStan: stan, ...rest };
}

/** Writes down every nonce a card was sealed under, also when its record never reached flash. */
export class WatchedSeal extends CardSeal {
	readonly nonces: string[] = [];

	override seal(plain: Uint8Array, nonce: Uint8Array, aad: Uint8Array): Uint8Array {
		this.nonces.push(toHex(nonce));
		return super.seal(plain, nonce, aad);
	}
}

export class LogBench {
	readonly medium: FlashMedium;
	readonly seal: WatchedSeal;
	readonly random: SeededRandom;
	power = new Power();
	flash: NorFlash;
	log: TransactionLog;
	readonly #capacity: number;
	readonly #onLog: ((log: TransactionLog) => void) | undefined;

	/** @param options.onLog - each boot's log before it is mounted */
	constructor(
		options: {
			blocks?: number;
			writeAlign?: number;
			capacity?: number;
			medium?: FlashMedium;
			seed?: number;
			keys?: typeof TEST_KEYS;
			onLog?: (log: TransactionLog) => void;
		} = {},
	) {
		const { blocks = 8, writeAlign = 1 } = options;
		this.medium = options.medium ?? new FlashMedium({ blocks, writeAlign });
		this.random = new SeededRandom(options.seed ?? 1);
		this.seal = new WatchedSeal(new MemoryKeys(options.keys ?? TEST_KEYS));
		this.#capacity = options.capacity ?? 64;
		this.#onLog = options.onLog;
		({ flash: this.flash, log: this.log } = this.#open());
	}

	/** Provisions, as a first boot, and boots again. */
	provision(batch = 1, id = 0xcafe0001): this {
		this.log.provision(id, batch);
		return this.boot();
	}

	/** A new boot over the same silicon. */
	boot(): this {
		this.power = new Power();
		({ flash: this.flash, log: this.log } = this.#open());
		this.log.mount();
		return this;
	}

	/** Boots until one has pinned what it read: then it holds for good. */
	bootPinned(): this {
		for (let tries = 0; ; tries++) {
			this.boot();
			try {
				this.log.journal.pin();
				return this;
			} catch (error) {
				// The last record read one way in mount and another in pin.
				if (!(error instanceof CodedError) || error.code !== "damaged" || tries > 40) throw error;
			}
		}
	}

	begin(amountMinor = 1_000): number {
		return this.log.begin(newSale(amountMinor), CARD);
	}

	/** A sale from its intent to the slip. */
	deliver(amountMinor = 1_000): number {
		const id = this.begin(amountMinor);
		this.log.apply(id, "approve", { outcome: APPROVED });
		this.log.apply(id, "deliver");
		return id;
	}

	/** A sale whose reversal waits. */
	doubt(amountMinor = 1_000): number {
		const id = this.begin(amountMinor);
		this.log.apply(id, "noAnswer");
		return id;
	}

	/** An offline sale with chip data, due at the host. */
	offlineSale(amountMinor = 1_000, emv: Uint8Array | undefined = EMV): number {
		return this.log.beginAdvice({ ...newSale(amountMinor), kind: KIND_OFFLINE_SALE }, CARD, emv);
	}

	/** A refund, or another advice with an original. */
	refund(batch: number, stan: number, amountMinor = 1_000, kind: number = KIND_REFUND): number {
		const advice: NewAdvice = { ...newSale(amountMinor), kind, original: originalOf(batch, stan) };
		return this.log.beginAdvice(advice, CARD);
	}

	stan(id: number): number {
		return this.log.index.stans[this.log.index.find(id)];
	}

	state(id: number): number {
		return this.log.index.states[this.log.index.find(id)];
	}

	#open(): { flash: NorFlash; log: TransactionLog } {
		const random = this.random.fork(`boot ${this.medium.boots}`);
		const flash = new NorFlash({ medium: this.medium, power: this.power, random });
		const log = new TransactionLog(flash, this.#capacity, this.seal);
		this.#onLog?.(log);
		return { flash, log };
	}
}

/** Everything a log knows of its transactions, or of some, to be compared across boots. */
export function snapshot(log: TransactionLog, ids?: readonly number[]): unknown[] {
	const rows: unknown[] = [];
	const { index } = log;
	for (let slot = 0; slot < index.count; slot++) {
		const id = index.ids[slot];
		if (ids !== undefined && !ids.includes(id)) continue;
		rows.push({
			id,
			intent: log.intent(id),
			card: log.card(id),
			state: index.states[slot],
			flags: index.flags[slot],
			tries: index.tries[slot],
			amount: index.amount(slot),
			outcome: log.outcome(id),
			reason: log.reason(id),
			...(isAdvice(index.kind(slot)) ? { advice: log.advice(id), emv: log.adviceEmv(id) } : {}),
		});
	}
	return rows;
}
