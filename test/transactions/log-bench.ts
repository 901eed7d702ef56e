/** A transaction log over simulated NOR flash, boot after boot: for tests below the terminal. */
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import { FlashMedium } from "../../host-sim/board/flash-medium";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { Power } from "../../host-sim/board/power";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { StaticKeys } from "../../host-sim/board/static-keys";
import { toHex } from "../../src/core/bytes";
import { CardSeal, type StoredCard } from "../../src/security/card-seal";
import type { Outcome } from "../../src/transactions/records";
import { type NewSale, TransactionLog } from "../../src/transactions/transaction-log";

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

	constructor(
		options: {
			blocks?: number;
			writeAlign?: number;
			capacity?: number;
			medium?: FlashMedium;
			seed?: number;
			keys?: typeof TEST_KEYS;
		} = {},
	) {
		const { blocks = 8, writeAlign = 1 } = options;
		this.medium = options.medium ?? new FlashMedium({ blocks, writeAlign });
		this.random = new SeededRandom(options.seed ?? 1);
		this.seal = new WatchedSeal(new StaticKeys(options.keys ?? TEST_KEYS));
		this.#capacity = options.capacity ?? 64;
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

	stan(id: number): number {
		return this.log.index.stans[this.log.index.find(id)];
	}

	state(id: number): number {
		return this.log.index.states[this.log.index.find(id)];
	}

	#open(): { flash: NorFlash; log: TransactionLog } {
		const random = this.random.fork(`boot ${this.medium.boots}`);
		const flash = new NorFlash({ medium: this.medium, power: this.power, random });
		return { flash, log: new TransactionLog(flash, this.#capacity, this.seal) };
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
			amount: index.amounts[slot],
			outcome: log.outcome(id),
			reason: log.reason(id),
		});
	}
	return rows;
}
