/**
 * What strikes connections: each kind of trouble by itself, forced by its rate and named by its strike.
 */
import assert from "node:assert/strict";
import { frameOf, HostUnderTest, readAnswer } from "../acquirer/host-under-test";
import { findSeed, frame, type HostEnd, join, LATENCY_MS, Net, struck, type TerminalEnd } from "./network-ends";

const MINUTE_MS = 60_000;
/** What a terminal takes as the longest life of a frame; less what the host itself may add to it. */
const STALL_MS_MAX = 600_000 - 120_000;

describe("the network of the world: linkStalls", () => {
	it("holds one direction of one connection for 1 to 8 minutes, and then carries everything, in order", () => {
		const seen = new Set<number>();
		for (let seed = 0; seed < 100; seed++) {
			const net = new Net(struck("linkStalls", seed, 2));
			const end = net.open();
			end.write(frame(1));
			end.write(frame(2));
			const sentMs = net.ms;
			net.time.advance(30_000);
			end.write(frame(3));
			net.hosts[0].peer.send(frame(11)); // The other direction carries.
			const other = net.open();
			other.write(frame(4));
			net.time.advance(1_000);
			assert.deepEqual(net.hosts[0].pieces, [frame(1)]);
			assert.deepEqual(net.hosts[1].pieces, [frame(4)]);
			assert.deepEqual(end.heard, frame(11));
			net.drain();
			assert.deepEqual(net.hosts[0].pieces, [frame(1), frame(2), frame(3)]);
			const heldMs = net.hosts[0].times[1] - sentMs - LATENCY_MS;
			assert.ok(heldMs >= MINUTE_MS && heldMs < STALL_MS_MAX, `${heldMs} ms`);
			seen.add(Math.floor(heldMs / MINUTE_MS));
			assert.deepEqual(net.strikes.counts, { linkStalls: 1 });
		}
		assert.deepEqual([...seen].sort(), [1, 2, 3, 4, 5, 6, 7]);
	});

	for (const leaving of ["closed", "power lost", "link refused"] as const) {
		it(`lets the host know of an end only behind the bytes: ${leaving} meanwhile`, () => {
			const net = new Net(struck("linkStalls"));
			const end = net.open();
			end.write(frame(1));
			end.write(frame(2));
			net.time.advance(1_000);
			if (leaving === "closed") end.close();
			else if (leaving === "power lost") net.power.cut();
			else net.link.state = "refuses";
			net.time.advance(30_000);
			assert.equal(net.hosts[0].endedMs, -1);
			assert.equal(end.errors, leaving === "link refused" ? 1 : 0);
			net.drain();
			assert.deepEqual(net.hosts[0].pieces, [frame(1), frame(2)]);
			assert.ok(net.hosts[0].endedMs >= net.hosts[0].times[1] && net.hosts[0].endedMs > MINUTE_MS);
		});
	}

	it("carries what it holds through a link that is silent or refuses by then: it has left that link", () => {
		for (const state of ["silent", "refuses"] as const) {
			const net = new Net(struck("linkStalls"));
			const end = net.open();
			end.write(frame(1));
			net.link.state = state;
			net.drain();
			assert.deepEqual(net.hosts[0].pieces, [frame(1)]);
			assert.equal(end.errors, state === "silent" ? 0 : 1);
		}
	});

	it("holds what the host sends, and its hang-up behind it", () => {
		const net = new Net(struck("linkStalls", 1, 2));
		const end = net.open();
		end.write(frame(1));
		net.drain();
		net.hosts[0].peer.send(frame(11));
		net.hosts[0].close();
		net.time.advance(MINUTE_MS - 1);
		assert.deepEqual([end.heardMs, end.errors], [[], 0]);
		assert.equal(end.write(frame(2)), true);
		net.drain();
		assert.deepEqual(end.heard, frame(11));
		assert.deepEqual([end.errors, end.errorMs], [1, end.heardMs[0]]);
	});

	it("a host that has hung up meanwhile gets the bytes on a connection of their own, whole", () => {
		for (const rates of [{ linkStalls: 1_000 }, { linkStalls: 1_000, linkSplits: 1_000 }]) {
			const net = new Net({ rates });
			const end = net.open();
			end.write(frame(1));
			end.write(frame(2));
			net.hosts[0].close();
			net.drain();
			assert.equal(end.errors, 1);
			assert.deepEqual(net.hosts[0].pieces, []);
			assert.deepEqual(
				net.hosts.slice(1).map(({ pieces, closed }) => [pieces, closed]),
				[
					[[frame(1)], true],
					[[frame(2)], true],
				],
			);
		}
	});

	it("what was not held up is lost with the host's end of its connection, as in any network", () => {
		const net = new Net();
		const end = net.open();
		end.write(frame(1));
		net.hosts[0].close();
		net.drain();
		assert.equal(net.hosts.length, 1);
	});

	it("brings a sale to the host after its reversal, which went over another link", () => {
		// Goal: the sequence that I5 is about. Method: the host itself, which closes an idle connection after 5 minutes.
		const ages = new Set<string>();
		for (let seed = 0; ages.size < 2; seed++) {
			const net: Net = new Net({ ...struck("linkStalls", seed), link: { host: () => host.acquirer } });
			const host: HostUnderTest = new HostUnderTest({ time: net.time });
			const [stalled, other] = [net.open(), net.open(net.makeLink())];
			stalled.write(frameOf("0200"));
			net.time.advance(MINUTE_MS - 1_000);
			stalled.close();
			other.write(frameOf("0400"));
			net.time.advance(1_000);
			assert.equal(readAnswer(other.heard).code, "25", "the host knows of no such sale");
			const reversedMs = net.time.nowMs;
			net.time.advance(STALL_MS_MAX);
			const sales = host.events.filter(({ kind, text }) => kind === "message" && /^sale/.test(text));
			assert.equal(sales.length, 1, host.events.map(({ kind, text }) => `${kind} ${text}`).join("; "));
			ages.add(sales[0].at - reversedMs > 4 * MINUTE_MS ? "the host had closed the connection" : "it stood");
		}
	});
});

describe("the network of the world: linkHalfOpen", () => {
	it("is dead both ways, before or behind a frame, and neither end is told", () => {
		const carried = new Set<number>();
		for (let seed = 0; seed < 20; seed++) {
			const net = new Net(struck("linkHalfOpen", seed, 2));
			net.onHost = (host, bytes) => host.peer.send(frame(bytes[0] + 10));
			const end = net.open();
			end.write(frame(1));
			net.drain();
			for (const n of [2, 3]) assert.equal(end.write(frame(n)), true);
			net.drain();
			const [host] = net.hosts;
			carried.add(host.pieces.length);
			assert.deepEqual(host.pieces, [frame(1), frame(2)].slice(0, host.pieces.length));
			assert.deepEqual(end.heard, frame(11));
			end.close();
			host.close();
			net.drain();
			assert.deepEqual([end.errors, host.endedMs], [0, -1]);
		}
		assert.deepEqual([...carried].sort(), [1, 2]);
	});

	it("takes no more than its room, as nothing is ever acknowledged", () => {
		const net = new Net(struck("linkHalfOpen"));
		const end = net.open();
		let taken = 0;
		while (taken < 100 && end.write(frame(1, 1_000))) taken++;
		assert.equal(taken, 8);
		net.drain();
		assert.deepEqual(end.rooms.length, 0);
	});

	it("a terminal whose link then refuses is told of that", () => {
		const net = new Net(struck("linkHalfOpen"));
		const end = net.open();
		end.write(frame(1));
		net.link.state = "refuses";
		net.drain();
		assert.deepEqual([end.errors, net.hosts[0].endedMs], [1, -1]);
	});
});

describe("the network of the world: linkSplits", () => {
	it("brings what is written, and what the host sends, in pieces of 1 to 7 bytes, some ms apart", () => {
		const sizes = new Set<number>();
		for (let seed = 0; seed < 30; seed++) {
			const net = new Net({ seed, rates: { linkSplits: 1_000 } });
			const end = net.open();
			const arrivals: number[] = [];
			end.write(frame(1, 60));
			end.write(frame(2, 20));
			end.close();
			net.drain();
			const [host] = net.hosts;
			assert.deepEqual(host.bytes, join([frame(1, 60), frame(2, 20)]));
			for (const { length } of host.pieces) sizes.add(length);
			for (let i = 1; i < host.times.length; i++) {
				const gapMs = host.times[i] - host.times[i - 1];
				assert.ok(gapMs >= 1 && gapMs <= 10, `${gapMs} ms`);
			}
			const listening = net.open();
			net.hosts[1].peer.send(frame(3, 60));
			net.hosts[1].close();
			net.drain();
			arrivals.push(...listening.heardMs);
			assert.deepEqual(listening.heard, frame(3, 60));
			assert.ok(arrivals.length >= 60 / 7);
			assert.equal(listening.errors, 1);
		}
		assert.deepEqual([...sizes].sort(), [1, 2, 3, 4, 5, 6, 7]);
	});

	it("takes one timer at a time, and no more than 64 pieces", () => {
		const net = new Net(struck("linkSplits"));
		const end = net.open();
		end.write(frame(1, 2_000));
		for (; net.time.pending > 0; net.time.step()) assert.equal(net.time.pending, 1);
		assert.equal(net.hosts[0].pieces.length, 64);
		assert.deepEqual(net.hosts[0].bytes, frame(1, 2_000));
	});

	it("leaves the pieces of an answer that the host has split itself as they are", () => {
		const net = new Net({ rates: { linkSplits: 1_000, linkStalls: 1_000, linkBreaks: 1_000 } });
		const end = net.open();
		for (let n = 0; n < 10; n++) net.hosts[0].peer.send(frame(n, 7));
		net.drain();
		assert.equal(end.heardMs.length, 10);
		assert.deepEqual(net.strikes.counts, {});
	});
});

describe("the network of the world: linkDoubles", () => {
	/** A frame that is struck, between two that are not. */
	function double(seed: number): { net: Net; end: TerminalEnd; first: HostEnd; others: HostEnd[] } {
		const net = new Net(struck("linkDoubles", seed, 2));
		net.onHost = (host, bytes) => host.peer.send(frame(bytes[0] + 10));
		const end = net.open();
		for (const n of [1, 2, 3]) end.write(frame(n));
		net.time.advance(LATENCY_MS * 2);
		const [first, ...others] = net.hosts;
		assert.deepEqual(others, [], "not at once");
		return { net, end, first, others };
	}

	it("brings a frame twice on its connection, and both answers", () => {
		findSeed((seed) => {
			const { net, end, first } = double(seed);
			net.drain();
			if (net.hosts.length > 1) return undefined;
			assert.deepEqual(first.pieces, [frame(1), frame(2), frame(2), frame(3)]);
			assert.deepEqual(end.heard, join([11, 12, 12, 13].map((n) => frame(n))));
			return true;
		});
	});

	it("or some seconds later on a connection of its own, whose answer goes nowhere, also when power is gone", () => {
		for (const cut of [false, true]) {
			findSeed((seed) => {
				const { net, end, first } = double(seed);
				if (cut) net.power.cut();
				net.drain();
				if (net.hosts.length === 1) return undefined;
				assert.deepEqual(first.pieces, [frame(1), frame(2), frame(3)]);
				assert.equal(net.hosts.length, 2);
				const [, own] = net.hosts;
				assert.deepEqual(own.pieces, [frame(2)]);
				assert.ok(own.times[0] >= 1_000 && own.times[0] <= 31_000);
				assert.equal(own.closed, true);
				assert.deepEqual(end.heard, join([11, 12, 13].map((n) => frame(n))));
				return true;
			});
		}
	});

	it("the double is lost where no host is", () => {
		findSeed((seed) => {
			const { net } = double(seed);
			if (net.time.pending === 0) return undefined;
			net.hostUp = false;
			net.drain();
			assert.equal(net.hosts.length, 1);
			return true;
		});
	});

	it("lets 16 wait for a connection of their own; what comes then is not struck", () => {
		const net = new Net({ rates: { linkDoubles: 1_000 } });
		const end = net.open();
		for (let n = 0; n < 100; n++) end.write(frame(n, 20));
		net.time.advance(LATENCY_MS);
		assert.equal(net.time.pending, 16);
		const behind = net.hosts[0].pieces.length - 100;
		assert.equal(net.strikes.counts.linkDoubles, 16 + behind);
		net.drain();
		assert.equal(net.hosts.length, 17);
		// There is room again.
		end.write(frame(1));
		assert.equal(net.strikes.counts.linkDoubles, 17 + behind);
	});
});

describe("the network of the world: linkBreaks", () => {
	it("breaks before, within or behind what is written: both ends are told, and nothing follows", () => {
		const lengths = new Set<number>();
		for (let seed = 0; seed < 60; seed++) {
			const net = new Net(struck("linkBreaks", seed, 2));
			const end = net.open();
			end.write(frame(1));
			end.write(frame(2));
			assert.equal(end.write(frame(3)), true);
			net.hosts[0].peer.send(frame(11));
			net.time.advance(LATENCY_MS - 1);
			assert.equal(end.errors, 0);
			net.drain();
			const [host] = net.hosts;
			const all = join([frame(1), frame(2)]);
			assert.deepEqual(host.bytes, all.slice(0, host.bytes.length));
			lengths.add(host.bytes.length - 40);
			assert.equal(host.endedMs, 2 * LATENCY_MS);
			assert.deepEqual([end.errors, end.errorMs], [1, 2 * LATENCY_MS]);
			assert.deepEqual(end.heard, new Uint8Array(0));
		}
		for (const length of [0, 40]) assert.ok(lengths.delete(length));
		assert.ok(lengths.size > 5 && Math.min(...lengths) >= 1 && Math.max(...lengths) <= 39);
	});

	it("breaks before, within or behind what the host sends", () => {
		const lengths = new Set<number>();
		for (let seed = 0; seed < 60; seed++) {
			const net = new Net(struck("linkBreaks", seed, 2));
			const end = net.open();
			for (const n of [1, 2, 3]) net.hosts[0].peer.send(frame(n));
			net.drain();
			const all = join([frame(1), frame(2)]);
			assert.deepEqual(end.heard, all.slice(0, end.heard.length));
			lengths.add(end.heard.length - 40);
			assert.deepEqual([end.errors, end.errorMs], [1, 2 * LATENCY_MS]);
			assert.equal(net.hosts[0].endedMs, 2 * LATENCY_MS);
		}
		for (const length of [0, 40]) assert.ok(lengths.delete(length));
		assert.ok(lengths.size > 5 && Math.min(...lengths) >= 1 && Math.max(...lengths) <= 39);
	});

	it("tells the terminal at once while the bytes that it wrote are stalled, and the host behind them", () => {
		findSeed((seed) => {
			const rates = { linkBreaks: 1_000, linkStalls: 1_000 };
			const net = new Net({ seed, rates });
			const end = net.open();
			end.write(frame(1));
			assert.equal(end.write(frame(2)), true);
			net.drain();
			const [host] = net.hosts;
			if (host.bytes.length < 40) return undefined;
			assert.equal(net.hosts.length, 1, "what is written after the break never leaves");
			assert.equal(end.errorMs, 2 * LATENCY_MS);
			assert.ok(host.times[0] > MINUTE_MS && host.endedMs >= host.times[0]);
			return true;
		});
	});

	it("tells the terminal of a break in what the host sends behind those bytes, also when they are stalled", () => {
		findSeed((seed) => {
			const net = new Net({ seed, rates: { linkBreaks: 1_000, linkStalls: 1_000 } });
			const end = net.open();
			net.hosts[0].peer.send(frame(11));
			net.drain();
			if (end.heard.length < 40) return undefined;
			assert.ok(end.heardMs[0] > MINUTE_MS);
			assert.deepEqual([end.errors, end.errorMs], [1, end.heardMs[0]]);
			assert.equal(net.hosts[0].endedMs, 2 * LATENCY_MS);
			return true;
		});
	});

	it("a connection that breaks is not struck again by what the host sends before it knows", () => {
		const net = new Net({ rates: { linkBreaks: 1_000 } });
		const end = net.open();
		end.write(frame(1));
		net.hosts[0].peer.send(frame(11));
		net.drain();
		assert.deepEqual(net.strikes.counts, { linkBreaks: 1 });
	});
});
