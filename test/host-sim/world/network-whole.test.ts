/**
 * The network as a whole: the end of trouble, power that goes in each state of a connection, and all troubles at once,
 * by seeds.
 */
import assert from "node:assert/strict";
import * as fc from "fast-check";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { frame, join, LATENCY_MS, Net, type NetOptions, struck, type TerminalEnd } from "./network-ends";

const ALL_RATES = { linkStalls: 100, linkHalfOpen: 60, linkSplits: 250, linkDoubles: 150, linkBreaks: 80 };

describe("the network of the world when trouble ends", () => {
	it("still carries what lies in it, in order, and new connections are clean", () => {
		const net = new Net({ rates: { linkStalls: 1_000, linkSplits: 1_000 } });
		const end = net.open();
		for (const n of [1, 2, 3]) end.write(frame(n));
		net.hosts[0].peer.send(frame(11));
		net.strikes.end();
		end.write(frame(4));
		const fresh = net.open();
		fresh.write(frame(5));
		net.time.advance(LATENCY_MS);
		assert.deepEqual(net.hosts[1].pieces, [frame(5)]);
		assert.deepEqual(net.hosts[0].pieces, []);
		net.drain();
		assert.deepEqual(net.hosts[0].bytes, join([1, 2, 3, 4].map((n) => frame(n))));
		assert.deepEqual(end.heard, frame(11));
	});
});

describe("the network of the world when power goes", () => {
	/** What a connection is in the middle of, and what the host has got of it in the end. */
	const STATES: Record<string, { options?: NetOptions; enter(net: Net): void; frames: number; ends: boolean }> = {
		"while it connects": { enter: (net) => void net.begin(), frames: 0, ends: false },
		"while a connect is about to fail": {
			enter: (net) => {
				net.link.state = "refuses";
				net.begin();
			},
			frames: 0,
			ends: false,
		},
		"while it is idle": { enter: (net) => void net.open(), frames: 0, ends: true },
		"with bytes under way in both directions": {
			enter: (net) => {
				net.open().write(frame(1));
				net.hosts[0].peer.send(frame(11));
			},
			frames: 1,
			ends: true,
		},
		"with bytes that are not read": {
			enter: (net) => {
				const end = net.open();
				end.lazy = true;
				net.hosts[0].peer.send(frame(11));
				net.drain();
				end.write(frame(1));
			},
			frames: 1,
			ends: true,
		},
		"while it is stalled": {
			options: struck("linkStalls"),
			enter: (net) => void net.open().write(frame(1)),
			frames: 1,
			ends: true,
		},
		"while a frame goes in pieces": {
			options: { rates: { linkSplits: 1_000 } },
			enter: (net) => {
				net.open().write(frame(1));
				net.hosts[0].peer.send(frame(11));
				net.time.advance(LATENCY_MS + 5);
			},
			frames: 1,
			ends: true,
		},
		"while it is half open": {
			options: struck("linkHalfOpen", 2),
			enter: (net) => {
				net.open().write(frame(1));
				assert.ok(net.traced(/half open/));
			},
			frames: -1,
			ends: false,
		},
		"while it breaks": {
			options: struck("linkBreaks"),
			enter: (net) => void net.open().write(frame(1)),
			frames: -1,
			ends: true,
		},
		"while the host's end is under way": {
			enter: (net) => {
				net.open();
				net.hosts[0].close();
			},
			frames: 0,
			ends: false,
		},
		"while its turned-away writer waits for room": {
			enter: (net) => {
				const end = net.open();
				end.write(frame(1));
				assert.equal(end.write(new Uint8Array(8_192)), false);
			},
			frames: 1,
			ends: true,
		},
		"on a silent link": {
			enter: (net) => {
				const end = net.open();
				net.link.state = "silent";
				end.write(frame(1));
			},
			frames: 0,
			ends: false,
		},
	};

	for (const [name, { options, enter, frames, ends }] of Object.entries(STATES)) {
		it(`${name}: no callback follows, calls throw, and what was written arrives before the end`, () => {
			const net = new Net(options);
			enter(net);
			net.power.cut();
			net.drain(); // Each end watches that nothing is called on a dead board.
			const [host] = net.hosts;
			if (frames >= 0) assert.deepEqual(host?.bytes ?? new Uint8Array(0), frame(1).slice(0, 40 * frames));
			assert.equal((host?.endedMs ?? -1) >= 0, ends);
			assert.throws(() => net.begin(), /power lost/);
		});
	}

	it("calls on a connection throw", () => {
		const net = new Net();
		const { connection } = net.open();
		net.power.cut();
		assert.throws(() => connection.write(frame(1)), /power lost/);
		assert.throws(() => connection.read(new Uint8Array(1)), /power lost/);
		connection.close();
	});
});

/** Both ends talk over two links at random, in all weathers. @returns what happened */
function talk(
	seed: number,
	options: NetOptions,
): { net: Net; written: Map<TerminalEnd, Uint8Array[]>; sent: number[] } {
	const net = new Net({ seed, ...options });
	const random = new SeededRandom(seed).fork("talk");
	const links = [net.link, net.makeLink()];
	const written = new Map<TerminalEnd, Uint8Array[]>();
	const sent: number[] = [];
	net.onHost = (host, bytes) => {
		// One answer for each frame; it counts up on its connection.
		if (bytes.length < 8) return;
		host.peer.send(frame(sent.length & 0xff, 30));
		sent.push(net.hosts.indexOf(host));
		if (random.chance(1, 30)) host.close();
	};
	let ends: TerminalEnd[] = [];
	for (let n = 0; n < 60 && net.power.on; n++) {
		const link = random.pick(links);
		if (random.chance(1, 10)) link.state = random.pick(["up", "up", "refuses", "silent"]);
		if (ends.length === 0 || random.chance(1, 5)) ends.push(net.begin(link));
		const end = random.pick(ends);
		const bytes = frame(n, 8 + random.below(60));
		if (end.write(bytes)) written.set(end, [...(written.get(end) ?? []), bytes]);
		if (random.chance(1, 12)) {
			end.close();
			ends = ends.filter((other) => other !== end);
		}
		if (random.chance(1, 200)) net.power.cut();
		net.time.advance(random.chance(1, 10) ? random.below(300_000) : random.below(500));
	}
	net.drain();
	return { net, written, sent };
}

describe("the network of the world in all weathers", () => {
	it("carries to the host a beginning of what was written on each connection, and then its end", () => {
		// The ends watch order, callbacks and the dead board. Doubles are left out: they make the stream longer.
		const { linkDoubles, ...rates } = ALL_RATES;
		assert.ok(linkDoubles > 0);
		fc.assert(
			fc.property(fc.nat(), (seed) => {
				const { net, written } = talk(seed, { rates });
				const streams = [...written.values()].map(join);
				for (const host of net.hosts) {
					const { bytes } = host;
					if (bytes.length === 0) continue;
					// A connection of the network's own begins in the middle of a stream, with a frame.
					const own = streams.filter((stream) => isWithin(bytes, stream));
					assert.ok(own.length > 0, "what reached the host was written");
				}
				const reached = net.hosts.reduce((sum, { bytes }) => sum + bytes.length, 0);
				assert.ok(reached <= join(streams).length, "nothing came twice");
			}),
			{ numRuns: 150 },
		);
	});

	it("brings to the terminal a beginning of what the host has sent on each connection", () => {
		fc.assert(
			fc.property(fc.nat(), (seed) => {
				const net = new Net({ seed, rates: ALL_RATES });
				const random = new SeededRandom(seed);
				const end = net.open();
				const sent: Uint8Array[] = [];
				for (let n = 0; n < 30; n++) {
					if (random.chance(1, 30)) net.link.state = random.pick(["up", "refuses", "silent"]);
					if (!net.hosts[0].closed) {
						sent.push(frame(n, 8 + random.below(60)));
						net.hosts[0].peer.send(sent[n]);
					}
					net.time.advance(random.below(60_000));
				}
				net.drain();
				const all = join(sent);
				assert.deepEqual(end.heard, all.slice(0, end.heard.length));
			}),
			{ numRuns: 150 },
		);
	});

	it("does the same for the same seed, and something else for another", () => {
		const traces = [1, 2, 3, 4, 5].map((seed) => {
			const [a, b] = [talk(seed, { rates: ALL_RATES }), talk(seed, { rates: ALL_RATES })];
			assert.deepEqual(a.net.trace, b.net.trace);
			assert.deepEqual(a.net.strikes.struck, b.net.strikes.struck);
			assert.ok(a.net.strikes.struck.length > 5);
			return a.net.trace.join();
		});
		assert.equal(new Set(traces).size, 5);
	});

	it("comes to an end: no timer is set for ever, and all connections are forgotten with the power", () => {
		for (let seed = 0; seed < 20; seed++) {
			const { net } = talk(seed, { rates: ALL_RATES });
			assert.equal(net.time.pending, 0);
			net.power.cut();
			net.drain();
			assert.equal(net.time.pending, 0);
		}
	});
});

function isWithin(part: Uint8Array, whole: Uint8Array): boolean {
	for (let at = 0; at + part.length <= whole.length; at++) {
		let i = 0;
		while (i < part.length && part[i] === whole[at + i]) i++;
		if (i === part.length) return true;
	}
	return false;
}
