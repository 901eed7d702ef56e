import assert from "node:assert/strict";
import { PowerLost } from "../../../host-sim/board/power";
import { frame, join, LATENCY_MS, Net } from "./network-ends";

const MINUTE_MS = 60_000;

describe("the network of the world, clean", () => {
	it("carries both ways, each way after its latency", () => {
		const net = new Net();
		const end = net.begin();
		net.time.advance(LATENCY_MS - 1);
		assert.equal(end.stands, false);
		net.time.advance(1);
		assert.equal(end.stands, true);
		assert.equal(end.write(frame(1)), true);
		net.time.advance(LATENCY_MS - 1);
		assert.deepEqual(net.hosts[0].pieces, []);
		net.time.advance(1);
		assert.deepEqual(net.hosts[0].pieces, [frame(1)]);
		net.hosts[0].peer.send(frame(2));
		net.time.advance(LATENCY_MS - 1);
		assert.deepEqual(end.heardMs, []);
		net.time.advance(1);
		assert.deepEqual(end.heard, frame(2));
	});

	it("costs one timer for a write and one for an answer", () => {
		const net = new Net();
		const end = net.open();
		assert.equal(net.time.pending, 0);
		end.write(frame(1));
		assert.equal(net.time.pending, 1);
		net.time.step();
		assert.equal(net.time.pending, 0);
		net.hosts[0].peer.send(frame(2));
		assert.equal(net.time.pending, 1);
	});

	it("never calls back inside a call, also without any latency", () => {
		const net = new Net({ link: { latencyMs: 0 } });
		net.onHost = (host, bytes) => host.peer.send(bytes);
		const end = net.begin();
		net.drain();
		end.write(frame(1)); // The end itself watches.
		net.link.state = "refuses";
		end.close();
		const failing = net.begin();
		net.drain();
		assert.equal(failing.errors, 1);
	});

	it("takes a copy of what is written, and nothing before the connection stands or after it is closed", () => {
		const net = new Net();
		const end = net.begin();
		assert.equal(end.write(frame(1)), false);
		net.time.advance(LATENCY_MS);
		const buffer = frame(2);
		end.write(buffer);
		buffer.fill(0);
		end.close();
		assert.equal(end.write(frame(3)), false);
		net.drain();
		assert.deepEqual(net.hosts[0].pieces, [frame(2)]);
	});

	it("lets what was received be read in parts, in order, also after an error", () => {
		const net = new Net();
		const end = net.open();
		end.lazy = true;
		net.hosts[0].peer.send(frame(1, 100));
		net.hosts[0].peer.send(frame(2, 10));
		net.hosts[0].peer.close();
		net.drain();
		assert.equal(end.errors, 1);
		const small = new Uint8Array(7);
		assert.equal(end.connection.read(small), 7);
		assert.deepEqual(small, frame(1, 100).slice(0, 7));
		end.read(new Uint8Array(32));
		assert.deepEqual(end.heard, join([frame(1, 100).slice(7), frame(2, 10)]));
	});

	it("shows what is written before a byte leaves, what arrives as it does, and whose connection it is", () => {
		const seen: [string, number, number][] = [];
		const net = new Net({
			link: {
				beforeWrite: (bytes, connection) => seen.push(["write", bytes[0], connection]),
				onArrival: (bytes, connection) => seen.push(["arrival", bytes[0], connection]),
			},
		});
		net.onHost = (host, bytes) => {
			seen.push(["host", bytes[0], 0]);
			host.peer.send(frame(bytes[0] + 10));
		};
		const other = net.makeLink();
		for (const link of [net.link, other]) {
			const end = net.open(link);
			end.write(frame(1));
			net.drain();
		}
		const [first, , , second] = seen.map(([, , connection]) => connection);
		assert.notEqual(first, second, "two links of one world have no number in common");
		for (const connection of [first, second]) {
			assert.deepEqual(seen.splice(0, 3), [
				["write", 1, connection],
				["host", 1, 0],
				["arrival", 11, connection],
			]);
		}
	});

	it("carries nothing when power goes, or a check fails, in the moment before the write", () => {
		for (const failure of ["cut", "throw"]) {
			const net: Net = new Net({
				link: {
					beforeWrite: () => {
						if (failure === "throw") throw new Error("I1");
						net.power.cut();
					},
				},
			});
			const end = net.open();
			assert.throws(() => end.write(frame(1)), failure === "cut" ? PowerLost : /I1/);
			net.drain();
			assert.deepEqual(net.hosts[0].pieces, [], failure);
		}
	});

	it("tells the host of the terminal's end behind what was written, and the terminal no more", () => {
		const net = new Net();
		const end = net.open();
		end.write(frame(1));
		net.hosts[0].peer.send(frame(2));
		end.close();
		end.close();
		net.drain(); // The end watches that nothing is called.
		assert.deepEqual(net.hosts[0].pieces, [frame(1)]);
		assert.equal(net.hosts[0].endedMs, 2 * LATENCY_MS);
	});

	it("has nothing to read any more once it is closed", () => {
		const net = new Net();
		const end = net.open();
		end.lazy = true;
		net.hosts[0].peer.send(frame(1));
		net.drain();
		end.close();
		assert.equal(end.connection.read(new Uint8Array(8)), 0);
	});

	it("ends a callback in which power goes: the network goes on", () => {
		const net = new Net();
		const connection = net.link.connect({
			onWritable: () => connection.write(frame(1)),
			onReadable: () => {
				net.power.cut();
				connection.read(new Uint8Array(8));
			},
			onError: () => assert.fail("told"),
		});
		net.onHost = (host, bytes) => host.peer.send(bytes);
		net.drain();
		assert.notEqual(net.hosts[0].endedMs, -1);
	});

	it("a connect that is given up never reaches the host", () => {
		const net = new Net();
		net.begin().close();
		net.drain();
		assert.equal(net.hosts.length, 0);
	});

	it("tells the terminal that the host hung up, once, and behind what the host had sent", () => {
		const net = new Net();
		const end = net.open();
		net.hosts[0].peer.send(frame(1));
		net.hosts[0].close();
		net.drain();
		assert.deepEqual(end.heard, frame(1));
		assert.equal(end.errors, 1);
		assert.equal(end.write(frame(2)), false);
		end.close();
		net.link.state = "refuses";
		net.drain();
		assert.equal(end.errors, 1);
	});

	it("breaks rather than lose what the terminal does not read", () => {
		const net = new Net();
		const end = net.open();
		end.lazy = true;
		for (let n = 0; n < 9; n++) net.hosts[0].peer.send(frame(n, 1_000));
		net.hosts[0].peer.send(frame(9, 8)); // Small enough to fit behind the one that does not.
		net.drain();
		assert.equal(end.errors, 1);
		assert.notEqual(net.hosts[0].endedMs, -1);
		end.read();
		assert.deepEqual(end.heard, join(Array.from({ length: 8 }, (_, n) => frame(n, 1_000))));
	});

	it("takes no more than it has room for, all or nothing, and says when there is room again", () => {
		const net = new Net();
		const end = net.open();
		assert.equal(end.write(new Uint8Array(8_192)), true);
		assert.equal(end.write(frame(1)), false);
		assert.deepEqual(end.rooms, []);
		net.drain();
		assert.deepEqual(end.rooms, [8_192]);
		assert.equal(end.write(frame(1)), true);
		net.drain();
		assert.deepEqual(end.rooms, [8_192], "who was not turned away is not told");
		assert.equal(net.hosts[0].bytes.length, 8_192 + 40);
	});

	it("without a host a connect fails after the latency", () => {
		const net = new Net();
		net.hostUp = false;
		const end = net.begin();
		net.time.advance(LATENCY_MS - 1);
		assert.equal(end.errors, 0);
		net.time.advance(1);
		assert.equal(end.errors, 1);
	});
});

describe("the network of the world: a link that refuses", () => {
	it("fails each connect after the latency, also one under way", () => {
		const net = new Net();
		const early = net.begin();
		net.time.advance(10);
		net.link.state = "refuses";
		const late = net.begin();
		net.time.advance(LATENCY_MS - 1);
		assert.equal(late.errors, 0);
		net.time.advance(1);
		assert.deepEqual([early.errors, late.errors], [1, 1]);
		assert.equal(net.hosts.length, 0);
	});

	it("breaks open connections: both ends are told, once, the host behind what was written", () => {
		const net = new Net();
		const end = net.open();
		end.write(frame(1));
		net.link.state = "refuses";
		assert.equal(end.errors, 0, "not inside the weather's call");
		end.write(frame(2));
		net.link.state = "up";
		net.link.state = "refuses";
		net.drain();
		assert.equal(end.errors, 1);
		assert.deepEqual(net.hosts[0].pieces, [frame(1)]);
		assert.notEqual(net.hosts[0].endedMs, -1);
	});

	it("may be set while the terminal writes: those bytes never leave", () => {
		const net: Net = new Net({
			link: {
				beforeWrite: () => {
					net.link.state = "refuses";
				},
			},
		});
		const end = net.open();
		end.write(frame(1));
		net.drain();
		assert.deepEqual(net.hosts[0].pieces, []);
		assert.equal(end.errors, 1);
	});

	it("fails a connect that began while it refused, whatever it is since", () => {
		const net = new Net();
		net.link.state = "refuses";
		const end = net.begin();
		net.link.state = "up";
		net.drain();
		assert.deepEqual([end.errors, net.hosts.length], [1, 0]);
	});

	it("carries again when it is up", () => {
		const net = new Net();
		net.link.state = "refuses";
		net.begin();
		net.drain();
		net.link.state = "up";
		net.open().write(frame(1));
		net.drain();
		assert.deepEqual(net.hosts[0].pieces, [frame(1)]);
	});
});

describe("the network of the world: a silent link", () => {
	it("never brings a connect to an end, also when it is up again", () => {
		const net = new Net();
		const early = net.begin();
		net.time.advance(10);
		net.link.state = "silent";
		const late = net.begin();
		net.time.advance(MINUTE_MS);
		net.link.state = "up";
		net.link.state = "silent";
		const short = net.begin();
		net.link.state = "up";
		net.time.advance(60 * MINUTE_MS);
		for (const end of [early, late, short]) assert.deepEqual([end.stands, end.errors], [false, 0]);
		assert.equal(net.hosts.length, 0);
	});

	it("loses what is written and what arrives, without an error; what had left before is not lost", () => {
		const net = new Net();
		const end = net.open();
		end.write(frame(1));
		net.hosts[0].peer.send(frame(11));
		net.link.state = "silent";
		assert.equal(end.write(frame(2)), true);
		net.time.advance(60 * MINUTE_MS);
		assert.deepEqual(net.hosts[0].pieces, [frame(1)]);
		assert.deepEqual(end.heard, new Uint8Array(0));
		assert.equal(end.errors, 0);
	});

	it("leaves no hole in a stream: behind what was lost nothing comes, in that direction, when it is up again", () => {
		const net = new Net();
		const [up, down] = [net.open(), net.open()];
		net.link.state = "silent";
		up.write(frame(1));
		net.hosts[1].peer.send(frame(11));
		net.time.advance(MINUTE_MS);
		net.link.state = "up";
		for (const end of [up, down]) end.write(frame(2));
		for (const host of net.hosts) host.peer.send(frame(12));
		net.drain();
		net.hosts[1].close();
		net.drain();
		assert.deepEqual(net.hosts[0].pieces, []);
		assert.deepEqual(up.heard, frame(12));
		assert.deepEqual(net.hosts[1].pieces, [frame(2)]);
		assert.deepEqual(down.heard, new Uint8Array(0));
		assert.equal(down.errors, 0, "the host's end was behind what was lost");
	});

	it("tells neither end of the other's: a close and a hang-up are lost, too", () => {
		const net = new Net();
		const [closing, hungUp] = [net.open(), net.open()];
		net.link.state = "silent";
		closing.close();
		net.hosts[1].close();
		net.time.advance(MINUTE_MS);
		net.link.state = "up";
		net.drain();
		assert.equal(net.hosts[0].endedMs, -1);
		assert.equal(hungUp.errors, 0);
	});

	it("a connection that nothing was lost on carries on when it is up again", () => {
		const net = new Net();
		const end = net.open();
		net.link.state = "silent";
		net.time.advance(MINUTE_MS);
		net.link.state = "up";
		end.write(frame(1));
		net.drain();
		assert.deepEqual(net.hosts[0].pieces, [frame(1)]);
	});
});
