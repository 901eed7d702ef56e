/** Records the conversation of a scene with the real host, on Node, in virtual time. */
import { Acquirer } from "../../host-sim/acquirer/acquirer";
import { FaultPlan } from "../../host-sim/acquirer/faults";
import { MemoryLedgerStore } from "../../host-sim/acquirer/ledger-store";
import { MemoryLink } from "../../host-sim/board/memory-link";
import { Power } from "../../host-sim/board/power";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { UNIONPAY_DUKPT } from "../../src/iso8583/unionpay-dukpt";
import type { MeasureClock, Remains } from "./measure-board";
import { RecordingLink, type Tape } from "./measure-link";
import { runScene, type Scene, Stand } from "./measure-scenes";

/** All that a scene needs where there is no host. */
export interface SceneScript {
	readonly tape: Tape;
	/** Of the life before, where the scene has one. */
	readonly remains?: Remains;
}

export function recordScene(scene: Scene): SceneScript {
	const store = new MemoryLedgerStore();
	let remains: Remains | undefined;
	if (scene.earlier !== undefined) {
		const before = new RecordedStand(scene, store);
		scene.earlier(before.stand);
		remains = before.stand.board.remains();
	}
	const recorded = new RecordedStand(scene, store, remains);
	scene.prepare(recorded.stand);
	if (!runScene(scene, recorded.stand)) throw new Error(`the scene "${scene.name}" does not end`);
	return { tape: recorded.tape, ...(remains === undefined ? {} : { remains }) };
}

class RecordedStand {
	readonly stand: Stand;
	readonly #random = new SeededRandom(1).fork("host");
	readonly #faults = new FaultPlan(this.#random.fork("faults"));
	#link: RecordingLink | undefined;

	constructor({ scheme, card, blocks, config }: Scene, store: MemoryLedgerStore, remains?: Remains) {
		this.stand = new Stand({
			scheme,
			card,
			blocks,
			config,
			collect: () => {},
			makeLink: (clock) => this.#connect(clock, scheme === "dukpt", store),
			loseAnswers: (lost) => {
				if (this.#link !== undefined) this.#link.deaf = lost;
			},
			strike: (fault) => this.#faults.arm(fault, 1),
			remains,
		});
	}

	get tape(): Tape {
		return this.#link?.tape ?? [];
	}

	#connect(clock: MeasureClock, dukpt: boolean, store: MemoryLedgerStore): RecordingLink {
		const host = new Acquirer({
			clock,
			random: this.#random,
			faults: this.#faults,
			store,
			dialect: dukpt ? UNIONPAY_DUKPT : UNIONPAY,
		});
		const link = new MemoryLink({ power: new Power(), clock, network: clock, host: () => host });
		this.#link = new RecordingLink(link, clock);
		return this.#link;
	}
}
