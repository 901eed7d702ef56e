/**
 * What faults do to a page of a list (401): entries that lie, repeat, are out of order, belong to another terminal, or never
 * end. The page is a copy: no ledger hears of it, and the same page asked for again is the right one.
 * @module
 */
import { EntryFlag, EntryKind, type HostEntry } from "./batch-view";
import type { PageFaultSet } from "./faults";
import type { IntegerSource } from "./random";
import { PAGE_ENTRIES_MAX } from "./sync-messages";

/** A page as it goes out. */
export interface HostPage {
	readonly entries: readonly HostEntry[];
	readonly more: boolean;
}

/** What was asked for: STANs, both ends included; the first may be the greater one. */
export interface PageRange {
	readonly from: number;
	readonly to: number;
}

/** Of an entry that lies about its amount, and of one of another terminal. */
const OTHER_MINOR_MAX = 100;
const STRANGE_MINOR_MAX = 100_000;
/** How far from an entry of the page a stranger's number lies. */
const NEAR = 9;
const FLAGS: readonly number[] = Object.values(EntryFlag);
const RRN_DIGITS = 12;

/** @returns the page itself when nothing of this kind strikes */
export function spoilPage(page: HostPage, struck: PageFaultSet, range: PageRange, random: IntegerSource): HostPage {
	let spoilt = page;
	if (struck.entryChanges) spoilt = change(spoilt, (entry) => otherAmount(entry, random), random);
	if (struck.entryLies) spoilt = change(spoilt, (entry) => otherFlags(entry, random), random);
	if (struck.entryOfAnother) spoilt = addStranger(spoilt, range, random);
	if (struck.entryRepeats) spoilt = repeat(spoilt, random);
	if (struck.entriesUnordered) spoilt = { ...spoilt, entries: spoilt.entries.slice().reverse() };
	if (struck.listEndless) spoilt = fill(spoilt, range, random);
	return spoilt;
}

function change({ entries, more }: HostPage, to: (entry: HostEntry) => HostEntry, random: IntegerSource): HostPage {
	if (entries.length === 0) return { entries, more };
	const place = random.below(entries.length);
	return { entries: entries.map((entry, at) => (at === place ? to(entry) : entry)), more };
}

function otherAmount(entry: HostEntry, random: IntegerSource): HostEntry {
	return { ...entry, amountMinor: entry.amountMinor + 1 + random.below(OTHER_MINOR_MAX) };
}

/** One of its flags says the contrary. */
function otherFlags(entry: HostEntry, random: IntegerSource): HostEntry {
	return { ...entry, flags: entry.flags ^ FLAGS[random.below(FLAGS.length)] };
}

/** A good sale that somebody else has made, at its place in the order. */
function addStranger({ entries, more }: HostPage, { from, to }: PageRange, random: IntegerSource): HostPage {
	const near = entries.length === 0 ? from - 1 : entries[random.below(entries.length)].stan;
	const stan = near + 1 + random.below(NEAR);
	if (from > to || stan > to) return { entries, more };
	const before = entries.filter((entry) => entry.stan < stan);
	const behind = entries.filter((entry) => entry.stan > stan);
	const all = [...before, strangeEntry(stan, random), ...behind];
	return { entries: all.slice(0, PAGE_ENTRIES_MAX), more: more || all.length > PAGE_ENTRIES_MAX };
}

/** In a full page in place of the one behind it. */
function repeat({ entries, more }: HostPage, random: IntegerSource): HostPage {
	if (entries.length === 0) return { entries, more };
	const place = random.below(entries.length);
	const all = [...entries.slice(0, place + 1), ...entries.slice(place)];
	return { entries: all.slice(0, PAGE_ENTRIES_MAX), more };
}

/** Full to its end with what was never sold, and more to come. Where no number is left there is nothing but "more". */
function fill({ entries }: HostPage, { from, to }: PageRange, random: IntegerSource): HostPage {
	const all = entries.slice();
	let stan = entries.length === 0 ? from - 1 : entries[entries.length - 1].stan;
	while (all.length < PAGE_ENTRIES_MAX && stan < to) all.push(strangeEntry(++stan, random));
	return { entries: all, more: true };
}

function strangeEntry(stan: number, random: IntegerSource): HostEntry {
	return {
		stan,
		kind: EntryKind.sale,
		amountMinor: 1 + random.below(STRANGE_MINOR_MAX),
		flags: EntryFlag.recorded | EntryFlag.debited | EntryFlag.posted,
		reason: 0,
		rrn: `${random.below(1_000_000_000)}`.padStart(RRN_DIGITS, "0"),
		recordedAt: 0,
		postedAt: 0,
		stands: true,
	};
}
