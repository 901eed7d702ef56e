/**
 * A journal used over many boots, most of them cut somewhere: after each mount it must hold what was acknowledged,
 * byte for byte; only what was under way when power went may have happened or not.
 */
import { strict as assert } from "node:assert";
import type { FlashMedium } from "../../host-sim/board/flash-medium";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { Power, PowerLost } from "../../host-sim/board/power";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import type { JournalClient } from "../../src/journal/client";
import { Journal } from "../../src/journal/journal";
import type { FlashPartition } from "../../src/ports";
import { ImageClient } from "./image-client";

export type MakeJournal = (flash: FlashPartition, client: JournalClient) => Journal;

interface Holding {
	things: Map<number, string>;
	mark: string;
}

export interface CutLifeOptions {
	medium: FlashMedium;
	seed: number;
	/** What the image holds at first; nothing by default. */
	things?: Map<number, string>;
	mark?: string;
	/** How many things may live at once; default 5. */
	liveMax?: number;
	makeJournal?: MakeJournal;
}

const PIN_TRIES_MAX = 40;

export class CutLife {
	readonly medium: FlashMedium;
	readonly holding: Holding;
	boots = 0;
	cuts = 0;
	appends = 0;
	/** Times a journal without room refused. */
	refusals = 0;
	readonly #random: SeededRandom;
	readonly #liveMax: number;
	readonly #make: MakeJournal;
	readonly #payload = new Uint8Array(448);
	/** What the journal holds if what was cut has happened. */
	#otherwise: Holding | undefined;

	constructor(options: CutLifeOptions) {
		const { medium, seed, things = new Map(), mark = "", liveMax = 5 } = options;
		this.medium = medium;
		this.holding = { things: new Map(things), mark };
		this.#random = new SeededRandom(seed);
		this.#liveMax = liveMax;
		this.#make = options.makeJournal ?? ((flash, client) => new Journal(flash, client));
	}

	/**
	 * One boot of at most `steps` steps, with power going at `operation` (counted from 1), `byte` and `shape`.
	 * @returns true when it went
	 */
	boot(steps: number, operation = 0, byte = 0, shape = 0): boolean {
		const power = new Power();
		const flash = new NorFlash({ medium: this.medium, power, random: this.#random.fork(this.boots) });
		if (operation > 0) flash.cutAt(operation, byte, shape);
		this.boots++;
		try {
			this.#run(flash, steps);
			return false;
		} catch (error) {
			if (!(error instanceof PowerLost)) throw error;
			this.cuts++;
			return true;
		}
	}

	/** Boots until `cuts` more were cut, at random moments; early ones more often than others. */
	bootsCut(cuts: number): void {
		const end = this.cuts + cuts;
		while (this.cuts < end) {
			const random = this.#random;
			const where = random.below(4);
			const byte = where === 0 ? 0 : where === 1 ? 0xffff_ffff : random.u32();
			this.boot(60, 1 + random.below(random.chance(1, 3) ? 5 : 80), byte, random.below(18));
		}
	}

	#run(flash: NorFlash, steps: number): void {
		const client = new ImageClient();
		const journal = this.#make(flash, client);
		for (let tries = 0; ; tries++) {
			const { status, lostBlocks, damagedRecords } = journal.mount();
			assert.deepEqual([status, lostBlocks, damagedRecords], ["ok", 0, 0], this.#where);
			assert.equal(flash.operations, 0, "the mount wrote");
			this.#compare(client, undefined);
			try {
				journal.pin();
				break;
			} catch (error) {
				// The last record read one way in the mount and another in the pin.
				if (!(error instanceof CodedError) || error.code !== "damaged" || tries === PIN_TRIES_MAX) throw error;
			}
		}
		this.#compare(client, journal);
		for (let n = 0; n < steps; n++) {
			try {
				this.#step(journal, client);
			} catch (error) {
				if (!(error instanceof CodedError) || error.code !== "full") throw error;
				this.#otherwise = undefined;
				this.refusals++;
			}
		}
		this.#compare(client, journal);
	}

	get #where(): string {
		return `boot ${this.boots}, cut ${this.cuts}`;
	}

	/** With a journal that has pinned the records are read too, and what is found is the truth from now on. */
	#compare(client: ImageClient, journal: Journal | undefined): void {
		const contents = journal === undefined ? undefined : client.contents(journal);
		const same = ({ things, mark }: Holding) =>
			client.mark === mark &&
			client.live.size === things.size &&
			[...things].every(([id, bytes]) => client.live.has(id) && (contents === undefined || contents.get(id) === bytes));
		if (same(this.holding)) {
			if (journal !== undefined) this.#otherwise = undefined;
			return;
		}
		const { things, mark } = this.holding;
		const lost = [...things.keys()].filter((id) => !client.live.has(id));
		const extra = [...client.live.keys()].filter((id) => !things.has(id));
		const differs = `lost ${lost}, resurrected ${extra}, mark ${client.mark} for ${mark}, ${this.#where}`;
		assert.ok(this.#otherwise !== undefined && same(this.#otherwise), differs);
		if (journal === undefined) return;
		Object.assign(this.holding, this.#otherwise);
		this.#otherwise = undefined;
	}

	/** `change` is under way until `work` returns. */
	#attempt(change: (holding: Holding) => void, work: () => void): void {
		this.#otherwise = { things: new Map(this.holding.things), mark: this.holding.mark };
		change(this.#otherwise);
		work();
		Object.assign(this.holding, this.#otherwise);
		this.#otherwise = undefined;
	}

	#step(journal: Journal, client: ImageClient): void {
		const random = this.#random;
		const what = random.below(24);
		if (what === 0) journal.idle();
		else if (what === 1) this.#settle(journal, client);
		else if (client.live.size >= this.#liveMax || (client.live.size > 0 && random.chance(1, 2))) {
			const id = random.pick([...client.live.keys()]);
			this.#attempt(
				({ things }) => things.delete(id),
				() => client.end(journal, id),
			);
		} else if (journal.prepare(460)) {
			const byteLength = 4 + random.below(random.chance(1, 10) ? 300 : 90);
			random.fill(this.#payload);
			const id = random.u32();
			const begin = () => client.begin(journal, id, this.#payload, byteLength);
			const rest = toHex(this.#payload, 4, byteLength);
			const bytes = `${id.toString(16).padStart(8, "0").toUpperCase()}${rest}`;
			this.#attempt(({ things }) => things.set(id, bytes), begin);
			this.appends++;
		} else this.refusals++;
	}

	#settle(journal: Journal, client: ImageClient): void {
		const data = new Uint8Array(1 + this.#random.below(12));
		this.#random.fill(data);
		journal.beginCarry();
		client.carry(journal);
		this.#attempt(
			(holding) => {
				holding.mark = toHex(data);
			},
			() => journal.settle(data),
		);
		client.mark = this.holding.mark;
	}
}
