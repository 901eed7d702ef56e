/**
 * A workload on the journal that is cut off, remounted (cut again while it recovers), and compared byte for byte with
 * what was acknowledged and with what any pinned boot has handed out. Also a boot that never pins must read nothing
 * that contradicts what was acknowledged, no cut may look like damage, and once the power stays and everything has
 * ended the journal must take new things again. Used by the tests with few cuts.
 */
import { strict as assert } from "node:assert";
import type { FlashMedium } from "../../host-sim/board/flash-medium";
import { TEAR_VARIANTS } from "../../host-sim/board/flash-tear";
import { type CutMode, NorFlash } from "../../host-sim/board/nor-flash";
import { Power, PowerLost } from "../../host-sim/board/power";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { readU32, toHex, writeU32 } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { recordBytes } from "../../src/journal/format";
import { Journal, type JournalClient, type MountResult } from "../../src/journal/journal";

export const BEGIN = 8;
export const END = 9;

/** The journal's client in the search: things that begin with some bytes, and end. */
export class Things implements JournalClient {
	readonly live = new Map<number, number>(); // id → position
	mark = "";

	reset(): void {
		this.live.clear();
		this.mark = "";
	}
	visit(type: number, position: number, bytes: Uint8Array, start: number, byteLength: number): void {
		if (type === BEGIN) this.live.set(readU32(bytes, start), position);
		else if (type === END) this.live.delete(readU32(bytes, start));
		else this.mark = toHex(bytes, start, start + byteLength);
	}
	isLive(type: number, position: number, bytes: Uint8Array, start: number): boolean {
		return type === BEGIN && this.live.get(readU32(bytes, start)) === position;
	}
	moved(from: number, to: number): void {
		for (const [id, position] of this.live) if (position === from) this.live.set(id, to);
	}
}

export interface SearchOptions {
	seed: number;
	blocks: number;
	writeAlign?: number;
	cuts: number;
	liveMax?: number;
	/** Most of the records are long: with a high `liveMax` the ring is full of what is live. */
	heavy?: boolean;
	/** Rows of cuts in the first operations after a boot, with a longer boot between. */
	brownOuts?: boolean;
	makeJournal?: (flash: NorFlash, client: Things) => Journal;
}

export interface SearchResult {
	cuts: number;
	boots: number;
	appends: number;
	erases: number;
	/** Times `prepare` answered false. */
	refusals: number;
	/** Times an append that was to end something, or a settlement, found the journal full. */
	stranded: number;
	wearMax: number;
}

const END_BYTES_MAX = 24;

/** @throws AssertionError naming seed and cut when anything acknowledged is lost, changed or comes back */
export function searchPowerCuts(options: SearchOptions): SearchResult {
	const { seed, blocks, writeAlign = 1, liveMax = 12, heavy = false, brownOuts = false } = options;
	const make = options.makeJournal ?? ((flash, client) => new Journal(flash, client));
	const random = new SeededRandom(seed);
	const result: SearchResult = { cuts: 0, boots: 0, appends: 0, erases: 0, refusals: 0, stranded: 0, wearMax: 0 };
	const acked = new Map<number, string>(); // id → hex of its record
	let ackedMark = "00";
	/** What the operation under way would change; undefined when none was. */
	let open: (() => void) | undefined;
	let nextId = 1;
	const first = new NorFlash({ blocks, writeAlign, random: random.fork("flash") });
	const medium: FlashMedium = first.medium;
	make(first, new Things()).provision(seed, new Uint8Array(1));

	const where = () => `seed=${seed} blocks=${blocks} align=${writeAlign} cut ${result.cuts} boot ${result.boots}`;
	const payload = new Uint8Array(448);
	const out = new Uint8Array(448);

	const holdsAcked = (things: Things) =>
		things.live.size === acked.size &&
		[...acked.keys()].every((id) => things.live.has(id)) &&
		things.mark === ackedMark;

	const compare = (journal: Journal, things: Things, pinned: boolean) => {
		let unreadable = 0;
		for (const [id, bytes] of acked) {
			const position = things.live.get(id);
			if (position === undefined) continue;
			try {
				const length = journal.read(position, out);
				assert.equal(toHex(out, 0, length), bytes, `changed: id ${id}, ${where()}`);
			} catch (error) {
				// Before the pin the last record may read one way in the mount and another way now: one record only.
				if (pinned || !(error instanceof CodedError) || ++unreadable > 1) throw error;
			}
		}
		if (holdsAcked(things)) {
			if (pinned) open = undefined;
			return;
		}
		const lost = [...acked.keys()].filter((id) => !things.live.has(id));
		const extra = [...things.live.keys()].filter((id) => !acked.has(id));
		const differs = `lost ${lost}, resurrected ${extra}, mark ${things.mark}/${ackedMark}, ${where()}`;
		// One thing at most may differ: the operation that was cut.
		assert.ok(open !== undefined, differs);
		const keepAcked = new Map(acked);
		const keepMark = ackedMark;
		open();
		assert.ok(holdsAcked(things), differs);
		if (pinned) open = undefined;
		else {
			acked.clear();
			for (const [id, bytes] of keepAcked) acked.set(id, bytes);
			ackedMark = keepMark;
		}
	};

	const settle = (journal: Journal, things: Things) => {
		const data = new Uint8Array(1 + random.below(20));
		random.fill(data);
		journal.beginCarry();
		for (const id of [...things.live.keys()]) {
			const length = journal.read(things.live.get(id)!, out);
			things.live.set(id, journal.append(BEGIN, out, length));
		}
		open = () => {
			ackedMark = toHex(data);
		};
		journal.settle(data);
		ackedMark = toHex(data);
		things.mark = ackedMark;
		open = undefined;
	};

	const end = (journal: Journal, things: Things) => {
		const id = random.pick([...things.live.keys()]);
		writeU32(payload, 0, id);
		open = () => acked.delete(id);
		journal.append(END, payload, 4 + random.below(END_BYTES_MAX - 4));
		acked.delete(id);
		things.live.delete(id);
		open = undefined;
		result.appends++;
	};

	const begin = (journal: Journal, things: Things) => {
		const before = journal.erasesUnprepared;
		const id = nextId++;
		const length = 4 + random.below(heavy || random.chance(1, 10) ? 440 : 150);
		random.fill(payload.subarray(0, length));
		writeU32(payload, 0, id);
		const bytes = toHex(payload, 0, length);
		open = () => acked.set(id, bytes);
		const position = journal.append(BEGIN, payload, length);
		acked.set(id, bytes);
		things.live.set(id, position);
		open = undefined;
		result.appends++;
		assert.equal(journal.erasesUnprepared, before, `an erase in a prepared append, ${where()}`);
	};

	/** What must end can end: room for it is asked for before anything new begins (I8). */
	const prepare = (journal: Journal, things: Things) =>
		journal.prepare(500 + things.live.size * recordBytes(END_BYTES_MAX, writeAlign));

	const orStranded = (work: () => void) => {
		try {
			work();
		} catch (error) {
			if (!(error instanceof CodedError) || error.code !== "full") throw error;
			open = undefined;
			result.stranded++;
		}
	};

	const step = (journal: Journal, things: Things) => {
		const what = random.below(20);
		if (what === 0) journal.idle();
		else if (what === 1 && random.chance(1, 4)) orStranded(() => settle(journal, things));
		else if (things.live.size > 0 && (things.live.size >= liveMax || random.chance(1, heavy ? 4 : 2))) {
			orStranded(() => end(journal, things));
		} else if (prepare(journal, things)) begin(journal, things);
		else result.refusals++;
	};

	/** Mounts, and pins unless this is a boot that does nothing else. */
	const boot = (flash: NorFlash, things: Things, mayStop: boolean): Journal => {
		const journal = make(flash, things);
		for (let tries = 0; ; tries++) {
			const mounted: MountResult = journal.mount();
			assert.equal(mounted.status, "ok", `unmountable: ${where()}`);
			assert.equal(mounted.lostBlocks, 0, `lost block: ${where()}`);
			assert.equal(mounted.damagedRecords, 0, `a cut looks like damage: ${where()}`);
			compare(journal, things, false);
			if (mayStop && random.chance(1, 4)) return journal;
			try {
				journal.pin();
				compare(journal, things, true);
				return journal;
			} catch (error) {
				// The last record read one way in mount and another in pin: mount again.
				if (!(error instanceof CodedError) || error.code !== "damaged" || tries > 40) throw error;
			}
		}
	};

	while (result.cuts < options.cuts) {
		const power = new Power();
		const flash = new NorFlash({ medium, power, random: random.fork(result.boots) });
		const early = brownOuts ? result.boots % 25 !== 0 : random.chance(1, 3);
		const cutOperation = 1 + random.below(early ? 5 : random.chance(1, 2) ? 30 : 120);
		const modes: CutMode[] = ["before", "torn", "torn", "torn", "after"];
		flash.cutAt(cutOperation, random.pick(modes), random.below(TEAR_VARIANTS));
		result.boots++;
		try {
			const things = new Things();
			const journal = boot(flash, things, true);
			if (!journal.pinned) continue;
			for (let n = 0; n < 200; n++) step(journal, things);
			power.cut();
		} catch (error) {
			if (!(error instanceof PowerLost)) throw error;
			result.cuts++;
		}
	}
	// The power stays: everything can end, and then there is room again.
	const things = new Things();
	const journal = boot(new NorFlash({ medium, random: random.fork("healed") }), things, false);
	while (things.live.size > 0) end(journal, things);
	assert.ok(prepare(journal, things), `no room although nothing is live, ${where()}`);
	begin(journal, things);
	for (const count of medium.erases) {
		result.erases += count;
		result.wearMax = Math.max(result.wearMax, count);
	}
	return result;
}
