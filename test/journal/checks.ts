/** What several tests of the journal need: making one, and the checks that broken journals must fail as well. */
import { strict as assert } from "node:assert";
import { CUT_AFTER, CUT_BEFORE, type Cut, formatCut, TEAR_SHAPES } from "../../host-sim/board/flash-cut";
import type { FlashMedium } from "../../host-sim/board/flash-medium";
import { NorFlash, type NorFlashOptions } from "../../host-sim/board/nor-flash";
import { Power, PowerLost } from "../../host-sim/board/power";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { toHex, writeU16, writeU32 } from "../../src/core/bytes";
import { recordCrc, recordHead } from "../../src/journal/format";
import { Journal } from "../../src/journal/journal";
import { BEGIN, END, Things } from "./things";

export type MakeJournal = (flash: NorFlash, client: Things) => Journal;
export const makeJournal: MakeJournal = (flash, client) => new Journal(flash, client);

export interface Opened {
	flash: NorFlash;
	things: Things;
	journal: Journal;
}

/** A journal on blank flash, provisioned and mounted. */
export function provisioned(options: NorFlashOptions = { blocks: 10 }, make = makeJournal): Opened {
	const flash = new NorFlash(options);
	make(flash, new Things()).provision(0x12345678, Uint8Array.of(7));
	return reboot(flash.medium, make);
}

/** The next boot: mounted, not pinned. */
export function reboot(medium: FlashMedium, make = makeJournal, random = new SeededRandom(0)): Opened {
	const flash = new NorFlash({ medium, random });
	const things = new Things();
	const journal = make(flash, things);
	assert.equal(journal.mount().status, "ok");
	return { flash, things, journal };
}

/** The payload of a thing: its id, then bytes that depend on it. */
export function thing(id: number, byteLength: number): Uint8Array {
	const bytes = new Uint8Array(byteLength);
	for (let i = 4; i < byteLength; i++) bytes[i] = id * 31 + i;
	if (byteLength >= 4) writeU32(bytes, 0, id);
	return bytes;
}

export function begin(opened: Opened, id: number, byteLength: number): number {
	const position = opened.journal.append(BEGIN, thing(id, byteLength));
	opened.things.live.set(id, position);
	return position;
}

export function end(opened: Opened, id: number): void {
	opened.journal.append(END, thing(id, 4));
	opened.things.live.delete(id);
}

/** Every thing that is live reads as it was written. */
export function checkThings(opened: Opened, lengths: Map<number, number>): void {
	assert.deepEqual(
		[...opened.things.live.keys()].sort((a, b) => a - b),
		[...lengths.keys()].sort((a, b) => a - b),
	);
	const out = new Uint8Array(448);
	for (const [id, byteLength] of lengths) {
		const length = opened.journal.read(opened.things.live.get(id)!, out);
		assert.equal(toHex(out, 0, length), toHex(thing(id, byteLength)), `thing ${id}`);
	}
}

/** Each operation of a boot, cut before, torn in every shape, and after. Ends when the work ends uncut. */
export function forEachCut(
	start: () => FlashMedium,
	work: (flash: NorFlash) => void,
	check: (medium: FlashMedium, cut: string) => void,
	salt = 0,
): number {
	let cuts = 0;
	for (let operation = 1; ; operation++) {
		const random = new SeededRandom(operation).fork(salt);
		const all: Cut[] = [
			{ operation, byte: CUT_BEFORE, shape: 0 },
			{ operation, byte: CUT_AFTER, shape: 0 },
		];
		for (let shape = 0; shape < TEAR_SHAPES; shape++) all.push({ operation, byte: random.u32(), shape });
		for (const cut of all) {
			const power = new Power();
			const flash = new NorFlash({ medium: start(), power, random });
			flash.cutAt(operation, cut.byte, cut.shape);
			try {
				work(flash);
			} catch (error) {
				if (error instanceof PowerLost) cuts++;
				else throw new Error(`cut ${formatCut(cut)}: ${(error as Error).message}`, { cause: error });
			}
			if (power.on) return cuts;
			check(flash.medium, formatCut(cut));
		}
	}
}

/** Provisioning is cut everywhere: each time the journal is not begun, interrupted, or done; and it can be repeated. */
export function checkProvisionCuts(make: MakeJournal, before: () => FlashMedium, notBegun: string[], salt = 0): number {
	return forEachCut(
		before,
		(flash) => make(flash, new Things()).provision(99, Uint8Array.of(1, 2)),
		(medium, cut) => {
			for (let look = 0; look < 3; look++) {
				const flash = new NorFlash({ medium, random: new SeededRandom(look) });
				const things = new Things();
				const journal = make(flash, things);
				const { status, interrupted, id } = journal.mount();
				const answer = interrupted ? "interrupted" : status === "ok" ? `ok ${id}` : status;
				assert.ok(["interrupted", "ok 99", ...notBegun].includes(answer), `cut ${cut}: ${answer}`);
				if (answer === "ok 99") assert.equal(things.mark, "0102", `cut ${cut}`);
				assert.equal(flash.operations, 0);
			}
			make(new NorFlash({ medium }), new Things()).provision(99, Uint8Array.of(1, 2));
			const again = reboot(medium, make);
			assert.deepEqual([again.journal.id, again.things.mark], [99, "0102"], `cut ${cut}, repeated`);
			again.journal.append(BEGIN, thing(1, 20));
			checkThings(reboot(medium, make), new Map([[1, 20]]));
		},
		salt,
	);
}

/** A record with one flipped bit is left out, said to be damaged, and hides nothing that comes after it. */
export function checkFlippedBits(make: MakeJournal): void {
	const opened = provisioned({ blocks: 10 }, make);
	begin(opened, 1, 20);
	const from = begin(opened, 2, 20);
	begin(opened, 3, 20);
	const { medium } = opened.flash;
	for (let bit = 0; bit < 26 * 8; bit++) {
		medium.image[from + (bit >> 3)] ^= 1 << (bit & 7);
		const flash = new NorFlash({ medium });
		const things = new Things();
		const result = make(flash, things).mount();
		assert.deepEqual([result.status, result.damagedRecords, result.lostBlocks], ["ok", 1, 0], `bit ${bit}`);
		assert.deepEqual([...things.live.keys()], [1, 3], `bit ${bit}`);
		medium.image[from + (bit >> 3)] ^= 1 << (bit & 7);
	}
	checkThings(
		reboot(medium, make),
		new Map([
			[1, 20],
			[2, 20],
			[3, 20],
		]),
	);
}

/** A payload that holds the image of a valid record, made without the seed, is not taken for one when its own is lost. */
export function checkRecordInPayload(make: MakeJournal): void {
	const opened = provisioned({ blocks: 10 }, make);
	begin(opened, 1, 20);
	const outer = new Uint8Array(60);
	const inner = thing(666, 8);
	writeU16(outer, 10, recordHead(BEGIN, 8, false));
	outer.set(inner, 12);
	writeU32(outer, 20, recordCrc(outer, 10, 0, 0));
	const position = opened.journal.append(BEGIN, outer);
	begin(opened, 2, 20);
	opened.flash.medium.image[position] ^= 0x10; // The type of the outer record.
	const after = reboot(opened.flash.medium, make);
	assert.deepEqual([...after.things.live.keys()], [1, 2]);
}

/** A boot block that was written whole keeps nothing back from later boots. */
export function checkWholeBootsHoldNothing(make: MakeJournal): void {
	const opened = provisioned({ blocks: 16 }, make);
	begin(opened, 1, 20);
	const { medium } = opened.flash;
	const seen = new Set<number>();
	for (let boot = 0; boot < 40; boot++) {
		const again = reboot(medium, make);
		if (boot > 1) seen.add(again.journal.freeBlocks);
		again.journal.pin();
		if (boot > 1) seen.add(again.journal.freeBlocks);
	}
	assert.equal(seen.size, 1, `free blocks ${[...seen]}`);
}
