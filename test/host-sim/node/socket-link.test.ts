/**
 * Goal: the links over sockets keep the contract of ports.ts, over plain TCP and over TLS alike.
 * Method: real servers on the loopback; each test does one thing that a host or a network does.
 */
import assert from "node:assert/strict";
import * as net from "node:net";
import * as tls from "node:tls";
import { Power, PowerLost } from "../../../host-sim/board/power";
import type { SocketLink, SocketLinkOptions } from "../../../host-sim/node/socket-link";
import { TcpLink } from "../../../host-sim/node/tcp-link";
import { tlsRules } from "../../../host-sim/node/tls-identity";
import { TlsLink } from "../../../host-sim/node/tls-link";
import type { Connection } from "../../../src/ports";
import { type Identities, identities } from "./identities";
import { pause, until } from "./waiting";

for (const kind of ["TCP", "TLS"] as const)
	describe(`the ${kind} link`, () => {
		let made: Identities;
		let server: net.Server;
		/** Below TLS, where there is TLS. */
		let raws: net.Socket[];
		let sockets: net.Socket[];
		let received: number[];
		let ended: number;
		let links: SocketLink[];
		let onSocket: (socket: net.Socket) => void;

		before(async function () {
			this.timeout(30_000); // Keys take their time.
			made = await identities();
		});

		beforeEach((done) => {
			raws = [];
			sockets = [];
			received = [];
			ended = 0;
			links = [];
			onSocket = () => {};
			const serve = (socket: net.Socket) => {
				sockets.push(socket);
				socket.on("data", (bytes) => received.push(...bytes));
				socket.on("end", () => ended++);
				socket.on("error", () => {});
				onSocket(socket);
			};
			if (kind === "TCP") server = net.createServer(serve);
			else server = tls.createServer({ ...tlsRules(made.host), requestCert: true }, serve);
			server.on("connection", (raw) => raws.push(raw));
			server.listen(0, "127.0.0.1", done);
		});

		afterEach((done) => {
			for (const link of links) link.power.cut();
			for (const socket of [...sockets, ...raws]) socket.destroy();
			server.close(() => done());
		});

		function makeLink(options: Partial<SocketLinkOptions> = {}): SocketLink {
			const all = { port: (server.address() as net.AddressInfo).port, ...options };
			const link = kind === "TCP" ? new TcpLink(all) : new TlsLink({ ...all, tls: made.terminal });
			links.push(link);
			return link;
		}

		/** Connects, and notes what is called back. With `greedy` it reads all there is whenever there is something. */
		function open(link: SocketLink, greedy = true) {
			const seen: string[] = [];
			const got: number[] = [];
			const buffer = new Uint8Array(7);
			const read = () => {
				const count = connection.read(buffer);
				got.push(...buffer.subarray(0, count));
				return count;
			};
			const connection: Connection = link.connect({
				onReadable(count) {
					seen.push(`readable ${count}`);
					while (greedy && read() > 0);
				},
				onWritable: (count) => seen.push(`writable ${count}`),
				onError: () => seen.push("error"),
			});
			assert.equal(seen.length, 0, "nothing is called back inside connect");
			return { connection, seen, got, read };
		}

		async function opened(link: SocketLink, greedy = true) {
			const client = open(link, greedy);
			assert.equal(client.connection.write(Uint8Array.of(1)), false, "not connected yet");
			await until(() => client.seen.length > 0 && sockets.length > 0, "connected");
			assert.match(client.seen[0], /^writable/);
			return client;
		}

		it("carries bytes both ways, and the caller may reuse its buffer at once", async () => {
			const link = makeLink();
			const { connection, got } = await opened(link);
			const buffer = Uint8Array.of(1, 2, 3);
			assert.equal(connection.write(buffer), true);
			buffer.fill(9);
			await until(() => received.length === 3, "received");
			assert.deepEqual(received, [1, 2, 3]);
			sockets[0].write(Uint8Array.of(4, 5));
			await until(() => got.length === 2, "answered");
			assert.deepEqual(got, [4, 5]);
			assert.deepEqual([link.connects, link.bytesSent, link.bytesReceived, link.secure], [1, 3, 2, kind === "TLS"]);
		});

		it("delivers a stream split anywhere, whole and in order, through a small receive buffer", async () => {
			const link = makeLink({ receiveBytesMax: 5 });
			const { got } = await opened(link);
			const stream = Uint8Array.from({ length: 300 }, (_, i) => i & 0xff);
			for (let i = 0; i < 20; i++) {
				sockets[0].write(stream.subarray(i, i + 1));
				if (i % 5 === 0) await pause(1);
			}
			sockets[0].write(stream.subarray(20));
			await until(() => got.length === 300, "all of it");
			assert.deepEqual(got, [...stream]);
		});

		it("a firmware that reads a little now and a little later gets everything in order", async () => {
			const link = makeLink({ receiveBytesMax: 50 });
			const { seen, got, read } = await opened(link, false);
			const stream = Uint8Array.from({ length: 20_000 }, (_, i) => (i * i) & 0xff);
			for (let at = 0; at < stream.length; at += 5_000) sockets[0].write(stream.subarray(at, at + 5_000));
			const endMs = performance.now() + 1_500;
			for (let round = 0; got.length < stream.length && performance.now() < endMs; round++) {
				for (let n = (round * 7) % 11; n > 0; n--) read();
				if (round % 3 > 0) await new Promise((resolve) => setImmediate(resolve));
			}
			assert.deepEqual(got, [...stream]);
			assert.ok(seen.slice(1).every((line) => /^readable ([1-9]|[1-4][0-9]|50)$/.test(line)));
		});

		it("holds one buffer while the firmware does not read, makes the peer wait, and goes on when it does", async () => {
			const link = makeLink({ receiveBytesMax: 100 });
			const { seen, got, read } = await opened(link, false);
			const flood = new Uint8Array(20_000_000);
			sockets[0].write(flood);
			await until(() => seen.length === 2, "readable");
			await pause(50);
			assert.equal(link.bytesReceived, 100);
			assert.deepEqual(seen.slice(1), ["readable 100"]);
			assert.ok(sockets[0].writableLength > 0, "the peer waits");
			while (read() > 0);
			await until(() => link.bytesReceived === 200, "the next buffer");
			assert.equal(got.length, 100);
		});

		it("bytes sent before the peer closed are delivered before the error", async () => {
			const { seen, got } = await opened(makeLink({ receiveBytesMax: 4 }));
			sockets[0].end(Uint8Array.of(1, 2, 3, 4, 5, 6));
			await until(() => seen.includes("error"), "error");
			assert.deepEqual(got, [1, 2, 3, 4, 5, 6]);
			assert.equal(seen.filter((line) => line === "error").length, 1);
			assert.equal(seen[seen.length - 1], "error");
		});

		for (const pieces of [1, 2]) {
			it(`what came before the end of the stream waits for a firmware that reads late, in ${pieces}`, async () => {
				const step = 8 / pieces;
				const { seen, got, read } = await opened(makeLink({ receiveBytesMax: step }), false);
				sockets[0].end(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
				for (let piece = 1; piece <= pieces; piece++) {
					await until(() => seen.length === 1 + piece, "readable");
					await pause(20);
					while (read() > 0);
					assert.equal(got.length, piece * step);
				}
				await until(() => seen.length === 2 + pieces, "the end");
				assert.deepEqual(seen.slice(1), [...Array(pieces).fill(`readable ${step}`), "error"]);
				assert.equal(links[0].lastError, "the host hung up");
			});
		}

		it("a host that takes nothing any more does not keep a closed connection's socket", async () => {
			const link = makeLink({ lingerMsMax: 30, sendBytesMax: 100_000_000 });
			const dial = link.dial.bind(link);
			let own: net.Socket | undefined;
			link.dial = (buffer, events) => {
				const dialled = dial(buffer, events);
				own = dialled.socket;
				return dialled;
			};
			const { connection } = await opened(link);
			let taken = 0;
			sockets[0].pause();
			sockets[0].removeAllListeners("data");
			sockets[0].on("data", (bytes) => {
				taken += bytes.length;
			});
			// More than any system's buffers take for a host that does not read.
			const flood = new Uint8Array(60_000_000);
			connection.write(flood);
			connection.close();
			await until(() => own?.destroyed === true, "given up");
			sockets[0].resume();
			await until(() => sockets[0].destroyed, "the end");
			assert.ok(taken < flood.length, "what was not taken in time is gone");
		});

		it("a reset connection and a port nobody listens on are one error each", async () => {
			const first = await opened(makeLink());
			raws[0].resetAndDestroy();
			await until(() => first.seen.includes("error"), "reset");
			assert.equal(first.connection.write(Uint8Array.of(1)), false);
			assert.equal(first.connection.read(new Uint8Array(1)), 0);
			const free = await new Promise<number>((resolve) => {
				const probe = net.createServer().listen(0, "127.0.0.1", () => {
					const { port } = probe.address() as net.AddressInfo;
					probe.close(() => resolve(port));
				});
			});
			const second = open(makeLink({ port: free }));
			await until(() => second.seen.length > 0, "refused");
			await pause(10);
			assert.deepEqual(second.seen, ["error"]);
		});

		it("close may be called twice, sends what was written, and nothing is called back after it", async () => {
			const { connection, seen } = await opened(makeLink());
			connection.write(new Uint8Array(5000));
			connection.close();
			connection.close();
			await until(() => received.length === 5000 && ended === 1, "flushed and ended");
			sockets[0].destroy();
			await pause(20);
			assert.deepEqual(seen, ["writable 8192"]);
			assert.equal(connection.write(Uint8Array.of(1)), false);
		});

		it("closing in the middle of a failure is silent as well", async () => {
			const { connection, seen } = await opened(makeLink());
			const link = links[0];
			link.up = false;
			connection.close();
			await pause(20);
			assert.deepEqual(seen, ["writable 8192"]);
		});

		it("a write is taken whole or not at all, and onWritable tells of room again", async () => {
			onSocket = (socket) => socket.pause();
			const link = makeLink({ sendBytesMax: 1000 });
			const { connection, seen } = await opened(link);
			sockets[0].pause();
			let taken = 0;
			const buffer = new Uint8Array(600);
			while (connection.write(buffer.fill(1))) taken += 600;
			buffer.fill(9);
			assert.equal(connection.write(new Uint8Array(1001)), false);
			assert.equal(link.bytesSent, taken);
			await until(() => seen.length > 1, "room again");
			assert.match(seen[1], /^writable [1-9]/);
			sockets[0].resume();
			await until(() => received.length === taken, "exactly what was taken");
			assert.ok(
				received.every((byte) => byte === 1),
				"as it was when it was taken",
			);
		});

		it("beforeWrite sees each write before any byte of it leaves, and may cut the power to keep it from leaving", async () => {
			const order: string[] = [];
			const power = new Power();
			let last = false;
			const link = makeLink({
				power,
				beforeWrite: (bytes) => {
					order.push(`before ${bytes.join()}, sent ${link.bytesSent}`);
					if (last) power.cut();
				},
			});
			const { connection } = await opened(link);
			connection.write(Uint8Array.of(1, 2));
			await until(() => received.length === 2, "sent");
			last = true;
			assert.throws(() => connection.write(Uint8Array.of(3)), PowerLost);
			await pause(20);
			assert.deepEqual(order, ["before 1,2, sent 0", "before 3, sent 2"]);
			assert.deepEqual(received, [1, 2]);
		});

		it("what beforeWrite throws reaches the writer, and nothing leaves", async () => {
			const link = makeLink();
			const { connection } = await opened(link);
			link.beforeWrite = () => assert.fail("I1 no intent");
			assert.throws(() => connection.write(Uint8Array.of(1)), /I1/);
			await pause(20);
			assert.deepEqual(received, []);
		});

		it("down by cut: open connections end, new ones fail, and up again they work", async () => {
			const link = makeLink();
			const first = await opened(link);
			link.up = false;
			await until(() => first.seen.includes("error"), "cut");
			const second = open(link);
			await until(() => second.seen.length > 0, "refused");
			assert.deepEqual(second.seen, ["error"]);
			assert.equal(sockets.length, 1);
			link.up = true;
			await opened(link);
		});

		it("down in silence: writes are swallowed, answers lost, connects hang, and no one is told, also not later", async () => {
			const link = makeLink();
			const first = await opened(link);
			link.downMode = "silent";
			link.up = false;
			assert.equal(first.connection.write(Uint8Array.of(1)), true);
			sockets[0].write(Uint8Array.of(2));
			const second = open(link);
			await pause(30);
			link.up = true;
			sockets[0].write(Uint8Array.of(3));
			assert.equal(first.connection.write(Uint8Array.of(4)), true);
			await pause(30);
			assert.deepEqual([received, first.got, second.seen, ended], [[], [], [], 0]);
			assert.deepEqual(first.seen, ["writable 8192"]);
			first.connection.close();
			second.connection.close();
			await until(() => ended === 1, "the host sees the end at last");
		});

		it("a host that closes a silent connection cannot make itself heard", async () => {
			const link = makeLink();
			const { connection, seen } = await opened(link);
			link.downMode = "silent";
			link.up = false;
			sockets[0].destroy();
			await pause(20);
			assert.deepEqual(seen, ["writable 8192"]);
			assert.equal(connection.write(Uint8Array.of(1)), true);
		});

		it("a silent link still shows each write to beforeWrite", async () => {
			const link = makeLink();
			const { connection } = await opened(link);
			let shown = 0;
			link.beforeWrite = () => shown++;
			link.downMode = "silent";
			link.up = false;
			connection.write(Uint8Array.of(1));
			assert.equal(shown, 1);
		});

		it("a power cut ends the sockets and calls nobody; what was written before it arrives", async () => {
			const power = new Power();
			const link = makeLink({ power });
			const { connection, seen } = await opened(link);
			connection.write(Uint8Array.of(7));
			sockets[0].write(Uint8Array.of(1));
			power.cut();
			for (const call of [() => connection.write(Uint8Array.of(1)), () => connection.close(), () => open(link)]) {
				assert.throws(call, PowerLost);
			}
			assert.throws(() => connection.read(new Uint8Array(1)), PowerLost);
			await until(() => sockets[0].destroyed || ended === 1, "the host sees the end");
			await pause(10);
			assert.deepEqual([seen, received], [["writable 8192"], [7]]);
		});
	});
