/**
 * Goal: the queue of the sync never falls asleep while something is due, however the line answers. Method: the queue alone,
 * on virtual time, with a line that says yes or no at once, later, or inside the call that asks it.
 */
import assert from "node:assert/strict";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { VirtualTime } from "../../host-sim/board/virtual-clock";
import { makeConfig } from "../../src/config";
import type { MessageDecoder } from "../../src/iso8583/decoder";
import type { Exchanger, Expected } from "../../src/iso8583/exchange";
import { Sync, type SyncJob } from "../../src/settlement/sync";

const EXPECTED: Expected = { mti: "0310", stan: 1, messageType: "00", ticket: 0, mac: "sync" };
const NONE: MessageDecoder = Object.create(null);

type Connect = Exchanger["connect"];
type Post = Exchanger["post"];

/** A queue of one job, which has something to ask until it was answered so often. */
class Bench {
	readonly time = new VirtualTime(0);
	readonly clock = this.time.clock();
	room = 0;
	connects = 0;
	answers = 0;
	connect: Connect = () => undefined;
	post: Post = () => undefined;
	readonly sync: Sync;

	constructor(job: Partial<SyncJob> = {}, wanted = 1) {
		const own: SyncJob = {
			name: "test",
			dueMs: (nowMs) => (this.answers < wanted ? nowMs : Number.POSITIVE_INFINITY),
			step: (line) => line.post(new Uint8Array(1), 1, EXPECTED, () => this.answers++),
			...job,
		};
		const bench = this;
		const exchanger: Exchanger = {
			busy: false,
			get room() {
				return bench.room;
			},
			connect: (onResult) => {
				this.connects++;
				this.connect(onResult);
			},
			request: () => undefined,
			post: (...all) => this.post(...all),
			giveUp: () => undefined,
		};
		this.sync = new Sync({
			jobs: [own],
			exchanger,
			clock: this.clock,
			config: makeConfig(),
			random: new SeededRandom(1),
			sink: { write: () => undefined },
			journal: { pin: () => undefined },
			mayBegin: () => true,
		});
		this.sync.start();
	}
}

const answersAtOnce: Post = (_frame, _length, _expected, _ms, onEnd) => onEnd("answer", NONE, 1);

describe("the queue of the sync", () => {
	it("asks for the line again when it was told no inside the call, and goes on when there is one", () => {
		const bench = new Bench();
		bench.connect = (onResult) => onResult(false);
		bench.time.advance(3_600_000);
		assert.ok(bench.connects > 10 && bench.connects < 40, `${bench.connects} in an hour`);
		bench.connect = (onResult) => {
			bench.room = 1;
			onResult(true);
		};
		bench.post = answersAtOnce;
		bench.time.advance(600_000);
		assert.equal(bench.answers, 1);
	});

	it("does the same when it is told later, or the line it was given has no room", () => {
		const bench = new Bench();
		bench.connect = (onResult) => void bench.clock.setTimer(10, () => onResult(false));
		bench.time.advance(3_600_000);
		assert.ok(bench.connects > 10, `${bench.connects} in an hour`);
		const before = bench.connects;
		bench.connect = (onResult) => onResult(true);
		bench.time.advance(3_600_000);
		assert.ok(bench.connects > before + 10, `${bench.connects - before} in an hour`);
	});

	it("goes on behind a request that could not be written, inside the call", () => {
		const bench = new Bench();
		bench.room = 1;
		let posts = 0;
		bench.post = (frame, length, expected, ms, onEnd) => {
			if (++posts < 5) onEnd("unsent", NONE, 1);
			else answersAtOnce(frame, length, expected, ms, onEnd);
		};
		bench.time.advance(3_600_000);
		assert.deepEqual([posts, bench.answers], [5, 1]);
	});

	it("has two requests of a job on the line where it can do with that, and one where not", () => {
		for (const beside of [false, true]) {
			const bench = new Bench({ beside }, 6);
			bench.room = 5;
			let open = 0;
			let most = 0;
			bench.post = (_frame, _length, _expected, _ms, onEnd) => {
				most = Math.max(most, ++open);
				bench.clock.setTimer(100, () => {
					open--;
					onEnd("answer", NONE, 1);
				});
			};
			bench.time.advance(10_000);
			assert.equal(most, beside ? 2 : 1);
			assert.ok(bench.answers >= 6);
		}
	});
});
