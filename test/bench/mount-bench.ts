/** One mount: what it reads, how long it takes, what it keeps in memory. It writes nothing. */
import { performance } from "node:perf_hooks";
import type { FlashMedium } from "../../host-sim/board/flash-medium";
import { Journal } from "../../src/journal/journal";
import { BenchFlash, Meter } from "./meter";
import { quantiles } from "./quantiles";
import { Sales } from "./sales";

/** Command, address and dummy clocks of a Fast Read (0Bh). Source: W25Q128JV datasheet, revision M, §8.2.7. */
const READ_COMMAND_BYTES = 5;
/** The ESP32's default for its flash, here with one data line. */
const WIRE_BYTES_PER_MS = 40_000 / 8;

export interface MountFigures {
	/** Live sales, and their records as programmed: payload, overhead, padding; of one copy. */
	live: number;
	liveBytes: number;
	readBytes: number;
	/** Calls of `read`. */
	reads: number;
	/** On this computer. */
	ms: number;
	/** What is read, over SPI at 40 MHz on one data line. */
	wireMs: number;
	/** Arrays of the journal after it. */
	ramBytes: number;
}

/**
 * @param media - silicon of the copies
 * @param expected - what the mount must find
 */
export function measureMount(media: readonly FlashMedium[], expected: Sales, liveBytes: number): MountFigures {
	const flashes = media.map((medium) => new BenchFlash(medium));
	const found = new Sales();
	const journal = new Journal(flashes[0], found, flashes[1]);
	const started = performance.now();
	const { status } = journal.mount();
	const ms = performance.now() - started;
	const live = expected.live.size;
	// Figures of a mount that does not find everything would be worth nothing.
	if (status !== "ok" || found.outcomes !== live || !sameEntries(found.live, expected.live)) {
		throw new Error(`mount at ${live} live: ${status}, ${found.live.size} intents, ${found.outcomes} outcomes`);
	}
	const { bytesRead, reads } = new Meter(flashes).total();
	const wireMs = (bytesRead + reads * READ_COMMAND_BYTES) / WIRE_BYTES_PER_MS;
	return { live, liveBytes, readBytes: bytesRead, reads, ms, wireMs, ramBytes: journal.ramBytes };
}

/** Of several mounts with the same number of live sales: the one that read most, and the median of the times. */
export function summarizeMounts(mounts: readonly MountFigures[]): MountFigures {
	const worst = mounts.reduce((most, mount) => (mount.readBytes > most.readBytes ? mount : most));
	return { ...worst, ms: quantiles(mounts.map((mount) => mount.ms)).p50 };
}

function sameEntries(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): boolean {
	if (a.size !== b.size) return false;
	for (const [key, value] of a) if (b.get(key) !== value) return false;
	return true;
}
