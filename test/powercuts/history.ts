/**
 * Everything that has happened to one piece of silicon since it was provisioned: what it must hold, how often it was
 * cut, and, when asked, the story in words.
 */
import type { FlashCut } from "../../host-sim/board/flash-cut";
import type { FlashMedium } from "../../host-sim/board/flash-medium";
import type { SeededRandom } from "../../host-sim/board/seeded-random";
import type { JournalClient } from "../../src/journal/client";
import type { Journal } from "../../src/journal/journal";
import type { FlashPartition } from "../../src/ports";
import { Board, type FlashWatch, type Geometry, newSilicon } from "./board";
import { Client, MARK_BYTES_MIN } from "./client";
import { Model } from "./model";

export type MakeJournal = (flash: FlashPartition, client: JournalClient, mirror?: FlashPartition) => Journal;

export type Story = (line: string) => void;

/** What is counted. */
export interface Counts {
	cuts: number;
	boots: number;
	appends: number;
	/** Times `prepare` answered false. */
	refusals: number;
	/** Times a ring too small for that promise had no room for what was under way. */
	stranded: number;
	erases: number;
	/** Blocks or whole copies destroyed. */
	destroyed: number;
	/** Blocks of one copy that were written anew from the other. */
	mended: number;
}

export function noCounts(): Counts {
	return { cuts: 0, boots: 0, appends: 0, refusals: 0, stranded: 0, erases: 0, destroyed: 0, mended: 0 };
}

/** What went on when something failed. */
export type Phase = "mount" | "pin" | "work";

export class History {
	readonly geometry: Geometry;
	readonly random: SeededRandom;
	readonly make: MakeJournal;
	readonly model: Model;
	readonly media: FlashMedium[];
	readonly counts: Counts;
	/** Told each line of the story, when it is wanted. */
	story: Story | undefined;
	phase: Phase = "mount";
	/** Blocks are destroyed as well: then one that was erased ahead may be gone. */
	damaged = false;
	/** Exact name of the last cut. */
	lastCut = "";
	#boards = 0;

	private constructor(
		geometry: Geometry,
		random: SeededRandom,
		make: MakeJournal,
		model: Model,
		media: FlashMedium[],
		counts: Counts,
	) {
		this.geometry = geometry;
		this.random = random;
		this.make = make;
		this.model = model;
		this.media = media;
		this.counts = counts;
	}

	/** An empty journal on new silicon. */
	static provisioned(geometry: Geometry, random: SeededRandom, make: MakeJournal, story?: Story): History {
		const mark = new Uint8Array(MARK_BYTES_MIN);
		const history = new History(geometry, random, make, new Model(mark), newSilicon(geometry), noCounts());
		history.story = story;
		const { partitions } = history.board();
		make(partitions[0], new Client(), partitions[1]).provision(random.fork("id").u32(), mark);
		const { blocks, blockLength, writeAlign, mirror } = geometry;
		story?.(`${blocks} blocks of ${blockLength}, write unit ${writeAlign}${mirror ? ", two copies" : ""}, provisioned`);
		return history;
	}

	/** The same once more, to go on from here in another way; tells no story. */
	clone(counts = noCounts()): History {
		const { geometry, random, make, model, media } = this;
		const copy = new History(
			geometry,
			random,
			make,
			model.clone(),
			media.map((medium) => medium.clone()),
			counts,
		);
		copy.lastCut = this.lastCut;
		copy.damaged = this.damaged;
		copy.#boards = this.#boards;
		return copy;
	}

	/** The next boot's board, on the same silicon: its marginal cells read otherwise than in any boot before. */
	board(watch?: FlashWatch, cut?: FlashCut): Board {
		return new Board(this.media, this.random.fork(this.#boards++), watch, cut);
	}

	/** A board that has only one of the copies, as it is now. */
	boardOf(copy: number): Board {
		return new Board([this.media[copy].clone()], this.random.fork(this.#boards++));
	}

	/** Erases of all blocks so far. */
	get erases(): number {
		let sum = 0;
		for (const medium of this.media) for (const count of medium.erases) sum += count;
		return sum;
	}
}
