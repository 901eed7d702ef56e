/** The connection to the host: links, fail-over, time-outs, and streams that make no sense (I10, I11). */
import { strict as assert } from "node:assert";
import { MemoryLog } from "../../host-sim/board/memory-log";
import { VirtualTime } from "../../host-sim/board/virtual-clock";
import { type ConfigOptions, makeConfig } from "../../src/config";
import { HostLine } from "../../src/host/host-line";
import { LinkHealth } from "../../src/host/link-health";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { buildFrame, ScriptedLink, type ScriptedLinkOptions } from "./scripted-link";

const FRAME = buildFrame("0210", { 3: "000000", 11: "000001", 39: "00", 41: "12345678", 42: "123456789012345" });

class LineBench {
	readonly time = new VirtualTime(0);
	readonly clock = this.time.clock();
	readonly log = new MemoryLog();
	readonly links: ScriptedLink[];
	readonly line: HostLine;
	readonly health: LinkHealth;
	/** Whole frames, as hex. */
	readonly frames: string[] = [];
	readonly results: boolean[] = [];
	lost = 0;
	onFrame: (() => void) | undefined;

	constructor(links: Partial<ScriptedLinkOptions>[] = [{}], config: ConfigOptions = {}) {
		this.links = links.map((link, n) => new ScriptedLink({ clock: this.clock, name: `link${n + 1}`, ...link }));
		this.health = new LinkHealth(this.links.length, makeConfig(config));
		this.line = new HostLine({
			links: this.links,
			clock: this.clock,
			log: this.log,
			health: this.health,
			config: makeConfig(config),
			dialect: UNIONPAY,
			onFrame: (frame, byteLength) => {
				this.line.heard();
				this.frames.push(Buffer.from(frame.subarray(0, byteLength)).toString("hex"));
				this.onFrame?.();
			},
			onLost: () => {
				this.lost++;
			},
		});
	}

	connect(ms = 20): boolean | undefined {
		const before = this.results.length;
		this.line.connect((connected) => this.results.push(connected));
		this.time.advance(ms);
		return this.results[before];
	}

	logText(): string {
		return this.log.texts().join("\n");
	}
}

const HEX = Buffer.from(FRAME).toString("hex");

describe("host: line", () => {
	it("connects, and connects no second time while it stands", () => {
		const bench = new LineBench();
		assert.equal(bench.connect(), true);
		assert.equal(bench.connect(0), true, "at once");
		assert.equal(bench.links[0].connections, 1);
		assert.match(bench.logText(), /link1 connected/);
	});

	it("cuts the stream into frames whatever way it is split", () => {
		for (let pieceBytes = 1; pieceBytes <= FRAME.length + 1; pieceBytes++) {
			const bench = new LineBench();
			bench.connect();
			bench.links[0].send(new Uint8Array([...FRAME, ...FRAME, ...FRAME]), pieceBytes, 3);
			bench.time.advance(60_000);
			assert.deepEqual(bench.frames, [HEX, HEX, HEX], `pieces of ${pieceBytes}`);
			assert.equal(bench.lost, 0);
		}
	});

	it("is told no when the connection is refused, and tries again when asked again", () => {
		const bench = new LineBench([{ connects: "refused" }]);
		assert.equal(bench.connect(), false);
		assert.equal(bench.connect(), false);
		assert.equal(bench.links[0].connections, 2);
		assert.equal(bench.lost, 0, "nothing was there to be lost");
		assert.match(bench.logText(), /link1 closed: not reachable/);
	});

	it("is told no when the refusal comes from inside the call", () => {
		const bench = new LineBench([{ connects: "refusedAtOnce" }]);
		assert.equal(bench.connect(0), false);
	});

	it("stands, and can be written to, when the link says so from inside the call", () => {
		const bench = new LineBench([{ connects: "opensAtOnce" }]);
		assert.equal(bench.connect(0), true);
		assert.equal(bench.line.write(buildFrame("0800", { 11: "000001" })), true);
		bench.links[0].hangUp();
		assert.equal(bench.lost, 1);
		assert.equal(bench.connect(0), true);
	});

	it("gives up a connection that hangs, after the connect time-out", () => {
		const bench = new LineBench([{ connects: "hangs" }], { connectTimeoutMs: 7_000 });
		assert.equal(bench.connect(6_999), undefined);
		bench.time.advance(1);
		assert.deepEqual(bench.results, [false]);
		assert.equal(bench.links[0].closed, 1);
		assert.match(bench.logText(), /no connection in time/);
	});

	it("goes over to the second link when the first refuses, refuses at once, or hangs", () => {
		for (const connects of ["refused", "refusedAtOnce", "hangs"] as const) {
			const bench = new LineBench([{ connects }, {}], { connectTimeoutMs: 1_000 });
			assert.equal(bench.connect(2_000), true, connects);
			assert.equal(bench.links[1].connected, true);
			assert.match(bench.logText(), /link2 connected/);
			assert.equal(bench.line.write(FRAME), true);
			assert.equal(bench.links[1].requests.length, 1);
			assert.equal(bench.links[0].connected, false);
		}
	});

	it("ignores a first link that answers after the second has been taken", () => {
		const bench = new LineBench([{ connects: "hangs" }, {}], { connectTimeoutMs: 1_000 });
		bench.connect(2_000);
		bench.links[0].hangUp();
		bench.links[0].send(FRAME);
		bench.time.advance(1_000);
		assert.equal(bench.lost, 0);
		assert.deepEqual(bench.frames, []);
		assert.equal(bench.line.open, true);
	});

	it("is told no when every link fails, and without any link", () => {
		assert.equal(new LineBench([{ connects: "refused" }, { connects: "refusedAtOnce" }]).connect(100), false);
		assert.equal(new LineBench([]).connect(0), false);
	});

	it("refuses a link without TLS unless the configuration allows it, and says so", () => {
		const bench = new LineBench([{ secure: false }]);
		assert.equal(bench.connect(), false);
		assert.equal(bench.links[0].connections, 0, "not one packet");
		assert.match(bench.logText(), /link1 is not secure: refused by configuration/);
		assert.equal(new LineBench([{ secure: false }], { plainLinks: true }).connect(), true);
		const second = new LineBench([{ secure: false }, {}]);
		assert.equal(second.connect(), true);
		assert.equal(second.links[1].connected, true);
	});

	it("lets a second caller take over a connect under way; the first is told no", () => {
		const bench = new LineBench();
		const told: string[] = [];
		bench.line.connect((connected) => told.push(`first ${connected}`));
		bench.line.connect((connected) => told.push(`second ${connected}`));
		assert.deepEqual(told, ["first false"]);
		bench.time.advance(20);
		assert.deepEqual(told, ["first false", "second true"]);
		assert.equal(bench.links[0].connections, 1);
	});

	it("tells its owner once when the far end hangs up, also in the middle of a frame", () => {
		for (const byteLength of [0, 1, 2, 10, FRAME.length - 1]) {
			const bench = new LineBench();
			bench.connect();
			bench.links[0].send(FRAME.subarray(0, byteLength));
			bench.time.advance(20);
			bench.links[0].hangUp();
			assert.equal(bench.lost, 1);
			assert.equal(bench.line.open, false);
			assert.equal(bench.line.write(FRAME), false);
			assert.equal(bench.connect(), true);
			bench.links[0].send(FRAME);
			bench.time.advance(20);
			assert.deepEqual(bench.frames, [HEX], "nothing of the old stream is left");
		}
	});

	it("says that not one byte was taken when the link has no room", () => {
		const bench = new LineBench([{ full: true }]);
		bench.connect();
		assert.equal(bench.line.write(FRAME), false);
		assert.equal(new LineBench().line.write(FRAME), false, "or is not there");
	});

	it("closes on a peer that speaks HTTP, and the log says what it is", () => {
		const bench = new LineBench();
		bench.connect();
		bench.links[0].send(Buffer.from("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "latin1"));
		bench.time.advance(20);
		assert.equal(bench.lost, 1);
		assert.equal(bench.line.open, false);
		assert.match(bench.logText(), /the peer speaks HTTP/);
	});

	it("closes on garbage and on a flood of 64 KiB, and hands nothing on", () => {
		const garbage = new Uint8Array(65_536);
		for (let i = 0; i < garbage.length; i++) garbage[i] = Math.imul(i + 77, 2_654_435_761) >>> 24;
		for (const bytes of [garbage, new Uint8Array(65_536), new Uint8Array(65_536).fill(0xff)]) {
			const bench = new LineBench();
			bench.connect();
			bench.links[0].send(bytes);
			bench.time.advance(20);
			assert.equal(bench.lost, 1);
			assert.equal(bench.links[0].closed, 1);
			assert.equal(bench.frames.length, 0);
			assert.equal(bench.connect(), true, "and can connect again");
		}
	});

	it("takes a frame that comes two bytes a second", () => {
		const bench = new LineBench();
		bench.connect();
		bench.links[0].send(FRAME, 1, 500);
		bench.time.advance(500 * FRAME.length + 1_000);
		assert.deepEqual(bench.frames, [HEX]);
	});

	it("begins with the next link after one that connected and never answered", () => {
		const bench = new LineBench([{}, {}]);
		bench.connect();
		assert.deepEqual([bench.links[0].connections, bench.links[1].connections], [1, 0]);
		bench.line.distrust("silence");
		assert.equal(bench.connect(), true);
		assert.deepEqual([bench.links[0].connections, bench.links[1].connections], [1, 1]);
		bench.links[1].send(FRAME);
		bench.time.advance(1_000);
		bench.line.close("test"); // This one has answered: it is asked first.
		assert.equal(bench.connect(), true);
		assert.deepEqual([bench.links[0].connections, bench.links[1].connections], [1, 2]);
	});

	it("tells whoever waits for a connection when it is stopped", () => {
		const bench = new LineBench();
		bench.line.connect((connected) => bench.results.push(connected));
		bench.line.stop();
		assert.deepEqual(bench.results, [false]);
		assert.equal(bench.connect(), true);
	});

	it("connects anew after a long silence, for the old connection may be dead without an error", () => {
		const bench = new LineBench([{}], { connectionIdleMsMax: 60_000 });
		bench.connect();
		bench.time.advance(59_000);
		bench.connect();
		assert.equal(bench.links[0].connections, 1);
		bench.links[0].send(FRAME);
		bench.time.advance(59_900);
		bench.connect();
		assert.equal(bench.links[0].connections, 1, "what was heard counts");
		bench.time.advance(60_001);
		assert.equal(bench.connect(), true);
		assert.equal(bench.links[0].connections, 2);
		assert.equal(bench.lost, 0);
		assert.match(bench.logText(), /link1 closed: idle/);
	});

	it("does not take an error of its owner for one of the stream", () => {
		const bench = new LineBench();
		bench.connect();
		bench.onFrame = () => {
			throw new RangeError("ours");
		};
		bench.links[0].send(FRAME);
		assert.throws(() => bench.time.advance(20), RangeError);
		assert.equal(bench.lost, 0);
		assert.doesNotMatch(bench.logText(), /makes no sense/);
	});

	it("may be closed from inside a frame, and drops what came behind it", () => {
		const bench = new LineBench();
		bench.connect();
		bench.onFrame = () => bench.line.close("enough");
		bench.links[0].send(new Uint8Array([...FRAME, ...FRAME]));
		bench.time.advance(20);
		assert.deepEqual(bench.frames, [HEX]);
		assert.equal(bench.lost, 0, "whoever closes need not be told");
		bench.line.close("twice");
	});

	describe("a link that did not connect is tried again, for its health alone", () => {
		const RETRY = { linkRetryMs: 300_000, connectionIdleMsMax: 60_000 };

		/** The first link does not connect, and the second one stands, and has been heard of. */
		function onSecond(first: ScriptedLinkOptions["connects"] = "refused"): LineBench {
			const bench = new LineBench([{ connects: first }, {}], RETRY);
			assert.equal(bench.connect(40_000), true);
			bench.links[1].send(FRAME);
			bench.time.advance(10);
			assert.equal(bench.frames.length, 1);
			return bench;
		}

		it("when its time has come and what stands is idle: it connects, is closed, and is not the one to begin with", () => {
			const bench = onSecond();
			const [first, second] = bench.links;
			first.options.connects = "opens";
			bench.time.advance(240_000);
			bench.line.probe();
			assert.equal(first.connections, 1, "not before its time");
			bench.time.advance(60_000);
			bench.line.probe();
			bench.time.advance(20);
			assert.deepEqual([first.connections, first.closed, bench.line.open], [2, 1, false]);
			assert.equal(bench.health.downMs(0, bench.clock.monotonic()), 0);
			assert.equal(bench.connect(), true);
			assert.deepEqual([first.connections, second.connections], [2, 2]);
			assert.deepEqual([bench.lost, first.requests.length], [0, 0]);
		});

		it("and is down as before when it does not connect; no other is tried for that", () => {
			const bench = onSecond();
			bench.time.advance(300_000);
			bench.line.probe();
			bench.time.advance(20);
			assert.deepEqual([bench.links[0].connections, bench.links[1].connections], [2, 1]);
			assert.ok(bench.health.downMs(0, bench.clock.monotonic()) > 300_000);
			bench.line.probe();
			bench.time.advance(20);
			assert.equal(bench.links[0].connections, 2, "not at once again");
			assert.equal(bench.connect(), true);
			assert.equal(bench.links[0].connections, 2);
		});

		it("never while the line is of use to somebody: in use a while ago, or being made", () => {
			const bench = onSecond();
			bench.time.advance(299_000);
			bench.links[1].send(FRAME);
			bench.time.advance(2_000);
			bench.line.probe();
			assert.deepEqual([bench.links[0].connections, bench.links[1].connected], [1, true]);
			bench.time.advance(60_000);
			bench.links[1].options.connects = "hangs";
			bench.line.connect((connected) => bench.results.push(connected));
			bench.line.probe();
			assert.equal(bench.links[0].connections, 1);
		});

		it("and gives way at once to whoever wants the line, over the link that works", () => {
			const bench = onSecond();
			bench.links[0].options.connects = "hangs";
			bench.time.advance(300_000);
			bench.line.probe();
			bench.time.advance(1_000);
			assert.equal(bench.connect(20), true);
			assert.deepEqual([bench.links[0].closed, bench.links[1].connected], [1, true]);
			bench.time.advance(60_000);
			assert.deepEqual([bench.results, bench.lost], [[true, true], 0]);
		});

		it("as one that was left because it did not answer", () => {
			const bench = new LineBench([{}, {}], RETRY);
			bench.connect();
			bench.line.distrust("silence");
			assert.equal(bench.connect(), true);
			assert.equal(bench.links[1].connected, true);
			assert.ok(bench.health.downMs(0, bench.clock.monotonic()) > 0);
			bench.time.advance(300_000);
			bench.line.probe();
			bench.time.advance(20);
			assert.equal(bench.health.downMs(0, bench.clock.monotonic()), 0);
		});
	});
});
