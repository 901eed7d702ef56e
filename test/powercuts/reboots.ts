/**
 * Goal: a terminal that is only switched on and off wears nothing.
 * Method: a day's work, a cut in the middle of a record; then boots that mount, compare, are told that there is
 * nothing to do, and go away. Not one operation may happen on flash.
 */
import { SHAPE_KINDS } from "../../host-sim/board/flash-cut";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { cutShort, type Outcome, outcomeOf } from "./boots";
import { Failure } from "./failure";
import { History, type MakeJournal, type Story } from "./history";
import type { Wishes } from "./options";
import { Session } from "./session";
import { drawGeometry } from "./work";

export function runReboots(seed: number, reboots: number, wishes: Wishes, make: MakeJournal, story?: Story): Outcome {
	const random = new SeededRandom(seed);
	const history = History.provisioned(drawGeometry(random, wishes), random.fork("history"), make, story);
	const { media, counts } = history;
	const notes: string[] = [];
	const outcome = outcomeOf(history, () => {
		cutShort(history, { operation: 40, byte: 20, shape: 2 * SHAPE_KINDS }, (board) => {
			const session = new Session(history, board, random);
			session.mount();
			session.pin();
			for (let n = 0; n < 20 && session.prepare(); n++) {
				const id = session.put(60 + n);
				if (n % 3 === 0) session.end(id);
			}
		});
		const erases = history.erases;
		const images = media.map((medium) => medium.image.slice());
		counts.boots = 0;
		while (counts.boots < reboots) {
			const session = new Session(history, history.board(), random);
			session.mount();
			if (session.idle()) throw new Failure("other", "a boot that did nothing has something to mend");
			if (session.board.cut.operations > 0) throw new Failure("other", "a boot that did nothing changed flash");
		}
		const same = media.every((medium, copy) => Buffer.compare(medium.image, images[copy]) === 0);
		if (!same || history.erases !== erases) throw new Failure("other", "flash is not as it was before the reboots");
		notes.push(`${reboots} reboots: 0 erases, 0 programs`);
	});
	counts.erases = 0;
	return { ...outcome, notes };
}
