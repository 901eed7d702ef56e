/**
 * Goal: no partition image, whatever it holds, makes the journal hang, crash, write while mounting, or lose what it
 * has accepted. Method: images drawn by a seed (image-makers.ts); each is mounted, and where the answer is ok the
 * journal is used over several boots and every record that a pinned boot has handed out, or an append has returned,
 * is compared. A refusal is a coded error, anything else a failure.
 *
 * An image that keeps the journal busy for too long is stopped from outside, named like any other failure.
 */
import { Script } from "node:vm";
import { FlashMedium } from "../../host-sim/board/flash-medium";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { parseCli } from "../../host-sim/cli/args";
import { equalBytes, toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import type { JournalClient } from "../../src/journal/client";
import { Journal } from "../../src/journal/journal";
import type { FlashPartition } from "../../src/ports";
import { ImageClient } from "./image-client";
import { drawGeometry, FORGERIES, type Geometry, IMAGE_MAKERS, realImage } from "./image-makers";

/** A mount may read this many times the partition, marginal cells aside. */
export const READS_MAX = 200;
const BOOTS = 4;
const FAILURES_KEPT = 20;
/** An image takes some milliseconds; on no machine this much. */
const HANG_MS = 5_000;

export type MakeJournal = (flash: FlashPartition, client: JournalClient, mirror?: FlashPartition) => Journal;

export interface RandomImagesOptions {
	count: number;
	seed: number;
	/** Number of the first image; default 0. */
	first?: number;
	/** Two copies, broken independently. */
	mirror?: boolean;
	makeJournal?: MakeJournal;
	onImage?: (image: number) => void;
}

export interface RandomImagesResult {
	images: number;
	/** Answers of the first mount, and the codes it threw. */
	answers: Record<string, number>;
	/** Of those with an answer ok: went on for all boots. */
	wentOn: number;
	/** Codes of those that could not go on: "full" is a ring that the image left without a free block. */
	stopped: Record<string, number>;
	appends: number;
	/** Most bytes read by one mount, in sizes of the partition. */
	readsWorst: number;
	readsWorstImage: number;
	failed: number;
	failures: string[];
}

/** Refuses to be read without end. */
class WatchedFlash extends NorFlash {
	override read(byteLength: number, byteOffset: number): ArrayBuffer;
	override read(buffer: Uint8Array, byteOffset: number): number;
	override read(target: number | Uint8Array, byteOffset: number): ArrayBuffer | number {
		if (this.bytesRead > READS_MAX * this.medium.size) throw new Error(`read ${READS_MAX} times the partition`);
		return super.read(target as Uint8Array, byteOffset);
	}
}

interface Drawn {
	kind: string;
	/** What CRCs vouch for in it was made up, which no power cut and no worn cell does. */
	forged: boolean;
	geometry: Geometry;
	media: FlashMedium[];
	random: SeededRandom;
}

function draw(options: RandomImagesOptions, image: number): Drawn {
	const random = new SeededRandom(options.seed).fork(image);
	const geometry = drawGeometry(random);
	const kinds = Object.keys(IMAGE_MAKERS);
	const kind = random.pick(kinds);
	const made = random.fork("made");
	const images = [IMAGE_MAKERS[kind](made, random.fork("first"), geometry)];
	let name = kind;
	let other = kind;
	if (options.mirror === true) {
		// Most often the same journal broken twice; or one copy sound, or another journal's.
		other = random.chance(1, 3) ? kind : random.pick([...kinds, "sound", "sound", "sound"]);
		const source = random.chance(3, 4) ? random.fork("made") : random.fork("other");
		name += ` + ${other}`;
		const second =
			other === "sound" ? realImage(source, geometry) : IMAGE_MAKERS[other](source, random.fork("second"), geometry);
		images.push(second);
		if (random.chance(1, 2)) images.reverse();
	}
	const media = images.map((bytes) => new FlashMedium({ ...geometry, image: bytes }));
	const forged = [kind, other].some((one) => FORGERIES.includes(one));
	return { kind: name, forged, geometry, media, random: random.fork("work") };
}

/** What the journal owes: records that an append has returned, or a pinned boot has handed out. */
interface Owed {
	/** Id → hex. */
	readonly things: Map<number, string>;
	/** Hex; undefined when any will do. */
	mark: string | undefined;
	/** There is nothing else in the log. */
	readonly all: boolean;
}

/** @returns the answer, and why the journal could not go on ("none" when it could) */
function tryImage(drawn: Drawn, make: MakeJournal, result: RandomImagesResult, image: number): [string, string] {
	const { media, random, forged } = drawn;
	let owed: Owed | undefined;
	let answer = "";
	for (let boot = 0; boot < BOOTS; boot++) {
		const flashes = media.map((medium) => new WatchedFlash({ medium, random: random.fork(boot) }));
		const before = media.map((medium) => medium.image.slice());
		const client = new ImageClient();
		const journal = make(flashes[0], client, flashes[1]);
		let status: string;
		try {
			({ status } = journal.mount());
		} catch (error) {
			if (!(error instanceof CodedError) || owed !== undefined) throw error;
			return [error.code, ""];
		} finally {
			const reads = Math.max(...flashes.map((flash) => flash.bytesRead / flash.medium.size));
			if (reads > result.readsWorst) [result.readsWorst, result.readsWorstImage] = [reads, image];
		}
		const wrote = flashes.some((flash) => flash.operations > 0);
		if (wrote || media.some((medium, n) => !equalBytes(medium.image, before[n]))) throw new Error("the mount wrote");
		if (boot === 0) answer = status;
		const usable = status === "ok" || status === "rebuilt";
		if (owed !== undefined) {
			if (!usable) throw new Error(`boot ${boot}: ${status} after it had been pinned`);
			compare(owed, client, journal, `boot ${boot} after the mount`);
		}
		if (!usable) return [answer, ""];
		// Where forged copies contradict each other, what one look finds the next one may not.
		if (!forged || media.length === 1) client.contents(journal);
		try {
			journal.pin();
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			return [answer, `pin ${error.code}`];
		}
		// What a pinned boot hands out counts as acknowledged (I7), also where damage chose it. What a forgery means is
		// anybody's guess: there the journal owes what it has accepted itself.
		owed ??= forged
			? { things: new Map(), mark: undefined, all: false }
			: { things: client.contents(journal), mark: client.mark, all: true };
		compare(owed, client, journal, `boot ${boot} after the pin`);
		work(journal, client, owed, random, result);
		compare(owed, client, journal, `boot ${boot} after its work`);
	}
	return [answer, "none"];
}

function compare({ things, mark, all }: Owed, client: ImageClient, journal: Journal, when: string): void {
	const found = client.contents(journal, all ? undefined : things.keys());
	const lost = [...things.keys()].filter((id) => !found.has(id));
	const resurrected = all ? [...found.keys()].filter((id) => !things.has(id)) : [];
	const changed = [...things].filter(([id, bytes]) => found.has(id) && found.get(id) !== bytes);
	if (lost.length + resurrected.length + changed.length > 0) {
		throw new Error(`${when}: lost ${lost.length}, resurrected ${resurrected.length}, changed ${changed.length}`);
	}
	if (mark !== undefined && client.mark !== mark) throw new Error(`${when}: mark "${client.mark}", not "${mark}"`);
}

/** Some things begin, end and are settled. Keeps `owed` up to date. */
function work(
	journal: Journal,
	client: ImageClient,
	owed: Owed,
	random: SeededRandom,
	result: RandomImagesResult,
): void {
	const payload = new Uint8Array(448);
	const steps = random.below(random.chance(1, 5) ? 150 : 20);
	for (let n = 0; n < steps; n++) {
		const what = random.below(12);
		try {
			if (what === 0) journal.idle();
			else if (what === 1) {
				journal.beginCarry();
				client.carry(journal, owed.all ? undefined : owed.things);
				const length = random.below(12);
				random.fill(payload);
				journal.settle(payload, length);
				client.mark = owed.mark = toHex(payload, 0, length);
			} else if (client.live.size > 0 && random.chance(1, 2)) {
				const id = random.pick([...client.live.keys()]);
				client.end(journal, id);
				owed.things.delete(id);
			} else if (journal.prepare(460) || random.chance(1, 4)) {
				const length = 4 + random.below(random.chance(1, 10) ? 440 : 150);
				random.fill(payload);
				const id = random.u32();
				client.begin(journal, id, payload, length);
				owed.things.set(id, toHex(payload, 0, length));
				result.appends++;
			}
		} catch (error) {
			// A ring without room refuses, and has written nothing.
			if (!(error instanceof CodedError) || error.code !== "full") throw error;
		}
	}
}

/** Runs `work`, which never yields; throws when it takes too long. Only the engine itself can stop such a loop. */
function withinTime<T>(work: () => T): T {
	const scope = globalThis as { imageUnderTest?: () => T };
	scope.imageUnderTest = work;
	try {
		return new Script("imageUnderTest()").runInThisContext({ timeout: HANG_MS }) as T;
	} finally {
		delete scope.imageUnderTest;
	}
}

/** Never throws because of the journal: what fails is counted and named, with the command that shows it alone. */
export function searchRandomImages(options: RandomImagesOptions): RandomImagesResult {
	const { count, seed, first = 0, mirror = false } = options;
	const make = options.makeJournal ?? ((flash, client, second) => new Journal(flash, client, second));
	const result: RandomImagesResult = {
		images: 0,
		answers: {},
		wentOn: 0,
		stopped: {},
		appends: 0,
		readsWorst: 0,
		readsWorstImage: 0,
		failed: 0,
		failures: [],
	};
	for (let image = first; image < first + count; image++) {
		options.onImage?.(image);
		const drawn = draw(options, image);
		const { blocks, blockLength, writeAlign } = drawn.geometry;
		result.images++;
		try {
			const [answer, stopped] = withinTime(() => tryImage(drawn, make, result, image));
			result.answers[answer] = (result.answers[answer] ?? 0) + 1;
			if (stopped === "none") result.wentOn++;
			else if (stopped !== "") result.stopped[stopped] = (result.stopped[stopped] ?? 0) + 1;
		} catch (error) {
			result.failed++;
			const place = `${drawn.kind}, ${blocks} blocks of ${blockLength}, write unit ${writeAlign}`;
			const replay = `npm run images -- --seed ${seed} --image ${image}${mirror ? " --mirror" : ""}`;
			const what = `${(error as Error).name}: ${(error as Error).message}`;
			const stack = count === 1 ? `\n${(error as Error).stack}` : "";
			if (result.failures.length < FAILURES_KEPT) result.failures.push(`${what} (${place}): ${replay}${stack}`);
		}
	}
	return result;
}

const USAGE = `npm run images -- [--count N] [--seed S] [--mirror] [--image I] [--json]

  --count N   images to try (default 10000)
  --seed S    chooses them (default 1)
  --image I   only this one of them, with the whole error
  --mirror    a journal of two copies, each broken in its own way
  --json      the last line is one JSON object
  --help

Exit code: 0 every image got an answer, and nothing was lost; 1 one did not; 2 a mistake on the command line.
`;

function main(): void {
	const options = parseCli({
		usage: USAGE,
		options: {
			count: { type: "number", min: 1, max: 100_000_000, default: 10_000 },
			seed: { type: "number", min: 0, max: Number.MAX_SAFE_INTEGER, default: 1 },
			image: { type: "number", min: 0, max: 100_000_000 },
			mirror: { type: "flag" },
			json: { type: "flag" },
		},
	});
	const { seed, mirror, image, json } = options;
	const count = image === undefined ? options.count : 1;
	const onImage = (number: number) => {
		if (number % 500 === 0 && number > 0) process.stderr.write(`${number} of ${count} images\n`);
	};
	print(searchRandomImages({ count, seed, first: image ?? 0, mirror, onImage }), json);
}

function print(result: RandomImagesResult, json: boolean): void {
	const list = (counts: Record<string, number>) =>
		Object.entries(counts)
			.sort((a, b) => b[1] - a[1])
			.map(([name, count]) => `${count} ${name}`)
			.join(", ");
	const { images, answers, wentOn, stopped, appends, readsWorst, readsWorstImage, failed, failures } = result;
	const lines = [
		`${images} images: ${list(answers)}`,
		`${wentOn} went on for ${BOOTS} boots, ${appends} appends; could not go on: ${list(stopped) || "none"}`,
		`most read by one mount: ${readsWorst.toFixed(1)} × the partition (image ${readsWorstImage})`,
		`${failed} failed`,
		...failures,
	];
	process.stdout.write(`${lines.join("\n")}\n`);
	if (json) process.stdout.write(`${JSON.stringify({ images, answers, wentOn, stopped, readsWorst, failed })}\n`);
	if (failed > 0) process.exitCode = 1;
}

if (require.main === module) main();
