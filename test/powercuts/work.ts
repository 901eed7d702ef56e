/** What a life does between power cuts: drawn by its seed, within what was asked for. */
import type { SeededRandom } from "../../host-sim/board/seeded-random";
import type { Geometry } from "./board";
import { look, storyBoard } from "./boots";
import { END_BYTES_MIN, THING_BYTES_MIN } from "./client";
import { Failure } from "./failure";
import type { History } from "./history";
import type { Wishes } from "./options";
import { END_BYTES_MAX, Session } from "./session";

/** How much is kept live, and how long its records are. */
export interface Load {
	readonly liveMax: number;
	/** Most records are long: with a high `liveMax` the ring is full of what is live. */
	readonly heavy: boolean;
	/** How many eighths of what is live a settlement carries forward. */
	readonly keptEighths: number;
}

const SMALL_RINGS = [6, 8, 8, 10, 10, 10, 16, 16, 64];
const CROWDED_BLOCKS_MIN = 8;

export function drawGeometry(random: SeededRandom, wishes: Wishes): Geometry {
	// Always as many draws, so that a wish changes nothing else.
	const blocks = random.chance(1, 50) ? 256 : random.pick(SMALL_RINGS);
	const writeAlign = random.pick([1, 1, 4, 16, 32]);
	const blockLength = random.pick([1024, 4096, 4096]);
	return {
		blocks: wishes.blocks ?? blocks,
		blockLength,
		writeAlign: wishes.align ?? writeAlign,
		mirror: wishes.mirror,
	};
}

/** @param crowdedOneIn - one ring in so many is full of what is live */
export function drawLoad(random: SeededRandom, blocks: number, crowdedOneIn: number): Load {
	// Six blocks are accepted by the journal, and promise no room under every load (its DESIGN.md, rule 11).
	const crowded = random.chance(1, crowdedOneIn) && blocks >= CROWDED_BLOCKS_MIN;
	const light = blocks >= 64 ? 60 : random.pick([4, 8, 12]);
	return { liveMax: crowded ? 400 : light, heavy: crowded, keptEighths: 6 };
}

/** One thing that a terminal does. */
export function step(session: Session, load: Load, random: SeededRandom): void {
	const { liveMax, heavy } = load;
	const { live } = session.client;
	const what = random.below(20);
	if (what === 0) session.idle();
	else if (what === 1 && random.chance(1, 4)) session.settle(() => random.chance(load.keptEighths, 8));
	else if (live.size > 0 && (live.size >= liveMax || random.chance(1, heavy ? 4 : 2))) {
		session.end(random.pick([...live.keys()]), END_BYTES_MIN + random.below(END_BYTES_MAX - END_BYTES_MIN));
	} else if (session.prepare()) {
		const byteLength = THING_BYTES_MIN + random.below(heavy || random.chance(1, 10) ? 440 : 150);
		session.put(byteLength, what === 2 && live.size > 0 ? random.pick([...live.keys()]) : undefined);
	}
}

/** The power stays: everything can end, and then there is room again. */
export function heal(history: History, random: SeededRandom, expected?: readonly string[]): void {
	look(history, expected);
	history.story?.(`boot ${history.counts.boots + 1}: the power stays`);
	const session = new Session(history, storyBoard(history), random);
	session.mount(expected);
	session.pin();
	for (const id of [...session.client.live.keys()]) {
		if (!session.end(id)) throw new Failure("other", `stranded: thing ${id} can not end though the power stays (I8)`);
	}
	if (!session.prepare()) throw new Failure("other", "no room although nothing is live (I8)");
	session.put(100);
	session.compare();
	for (let i = 0; i < 2; i++) look(history, expected);
}
