/**
 * Goal: the SDK's TCP behaves towards the firmware as ports.ts promises; above all, "not taken" is said only when not
 * one byte can have left (I1).
 * Method: a TCP class that does what the SDK's sources do, driven by hand.
 */
import assert from "node:assert/strict";
import type { TcpIoClass, TcpIoOptions } from "../../drivers/tcp-link/tcp-link";
import { TcpLink } from "../../drivers/tcp-link/tcp-link";
import type { Connection } from "../../src/ports";
import { fakeTime } from "./fake-clock";

/** Source: Moddable SDK 8.2, modules/io/socket/lin/tcp.c. */
class FakeTcp {
	static last: FakeTcp;
	readonly options: TcpIoOptions;
	readonly sent: number[] = [];
	waiting: number[] = [];
	room = 0;
	closes = 0;
	breakAtWrite: "undefined" | "throw" | undefined;

	constructor(options: TcpIoOptions) {
		if (options.address === "bad") throw new Error("invalid address");
		this.options = options;
		FakeTcp.last = this;
	}

	read(buffer: Uint8Array): number {
		if (buffer.length === 0 || buffer.length > this.waiting.length) throw new Error("invalid");
		buffer.set(this.waiting.splice(0, buffer.length));
		return buffer.length;
	}

	write(buffer: Uint8Array): number | undefined {
		if (buffer.length > this.room) throw new Error("would block");
		if (this.breakAtWrite === "undefined") return undefined;
		if (this.breakAtWrite === "throw") throw new Error("?");
		this.sent.push(...buffer);
		this.room -= buffer.length;
		return this.room;
	}

	close(): void {
		this.closes++;
	}

	stand(room = 1536): void {
		this.room = room;
		this.options.onWritable(room);
	}

	receive(...bytes: number[]): void {
		this.waiting.push(...bytes);
		this.options.onReadable(this.waiting.length);
	}
}

function connect(address = "127.0.0.1") {
	const time = fakeTime();
	const events: string[] = [];
	const link = new TcpLink({
		socket: { io: FakeTcp as TcpIoClass, address, port: 8583 },
		clock: time.clock(),
	});
	const open = (): Connection =>
		link.connect({
			onReadable: (count) => events.push(`readable ${count}`),
			onWritable: (count) => events.push(`writable ${count}`),
			onError: () => events.push("error"),
		});
	const connection = open();
	return { time, events, link, open, connection, tcp: FakeTcp.last };
}

describe("TCP link", () => {
	it("connects to the address it was given, without waiting to fill packets", () => {
		const { tcp, link } = connect();
		const { address, port, nodelay } = tcp.options;
		assert.deepEqual({ address, port, nodelay }, { address: "127.0.0.1", port: 8583, nodelay: true });
		assert.deepEqual([link.name, link.secure], ["tcp", false]);
	});

	it("takes no byte before it stands, and none more than there is room for", () => {
		const { connection, tcp, events } = connect();
		assert.equal(connection.write(Uint8Array.of(1)), false);
		tcp.stand(3);
		assert.equal(connection.write(new Uint8Array(4)), false);
		assert.equal(connection.write(Uint8Array.of(1, 2)), true);
		assert.equal(connection.write(Uint8Array.of(3, 4)), false);
		assert.equal(connection.write(Uint8Array.of(3)), true);
		assert.deepEqual(tcp.sent, [1, 2, 3]);
		assert.deepEqual(events, ["writable 3"]);
	});

	for (const how of ["undefined", "throw"] as const) {
		it(`I1: a write that fails (${how}) counts as taken, and the connection as gone, a turn later and once`, () => {
			const { connection, tcp, events, time } = connect();
			tcp.stand();
			tcp.breakAtWrite = how;
			assert.equal(connection.write(Uint8Array.of(1)), true);
			assert.deepEqual(events, ["writable 1536"]);
			time.advance(1);
			tcp.options.onError();
			time.advance(1_000);
			assert.deepEqual(events, ["writable 1536", "error"]);
			assert.equal(tcp.closes, 1);
			assert.equal(connection.write(Uint8Array.of(1)), false);
		});
	}

	it("gives what waits in pieces of any size, and 0 when nothing does", () => {
		const { connection, tcp, events } = connect();
		tcp.stand();
		const buffer = new Uint8Array(4);
		assert.equal(connection.read(buffer), 0);
		tcp.receive(1, 2, 3, 4, 5, 6);
		assert.equal(connection.read(buffer), 4);
		assert.deepEqual([...buffer], [1, 2, 3, 4]);
		assert.equal(connection.read(buffer), 2);
		assert.deepEqual([...buffer], [5, 6, 3, 4]);
		assert.equal(connection.read(buffer), 0);
		tcp.receive(7);
		assert.equal(connection.read(buffer.subarray(0, 1)), 1);
		assert.deepEqual(events, ["writable 1536", "readable 6", "readable 1"]);
	});

	it("takes a socket that has less than it said for broken", () => {
		const { connection, tcp, events, time } = connect();
		tcp.stand();
		tcp.receive(1, 2, 3);
		tcp.waiting = [];
		assert.equal(connection.read(new Uint8Array(2)), 0);
		time.advance(1);
		assert.deepEqual(events.at(-1), "error");
	});

	it("tells of a refusal or a break once, and lets go of the socket before", () => {
		const { connection, tcp, events } = connect();
		tcp.options.onError();
		tcp.options.onError();
		assert.deepEqual(events, ["error"]);
		assert.equal(tcp.closes, 1);
		connection.close();
		assert.equal(tcp.closes, 1);
	});

	it("fails a connection whose socket cannot be made, after the call and not within it", () => {
		const { events, time } = connect("bad");
		assert.deepEqual(events, []);
		time.advance(1);
		assert.deepEqual(events, ["error"]);
	});

	it("calls nobody after close, whatever the socket still has to say", () => {
		const { connection, tcp, events, time } = connect();
		tcp.stand();
		tcp.breakAtWrite = "undefined";
		connection.write(Uint8Array.of(1));
		connection.close();
		connection.close();
		tcp.receive(1);
		tcp.options.onWritable(9);
		tcp.options.onError();
		time.advance(1_000);
		assert.deepEqual(events, ["writable 1536"]);
		assert.deepEqual([tcp.closes, connection.read(new Uint8Array(1))], [1, 0]);
	});

	it("lets an error of a callback out, but not one of a callback that found the board dead", () => {
		const time = fakeTime();
		const options = { onReadable: () => assert.fail("I0 a bug"), onWritable: () => die(), onError: () => {} };
		const socket = { io: FakeTcp as TcpIoClass, address: "127.0.0.1", port: 8583 };
		const link = new TcpLink({ socket, clock: time.clock() });
		const die = () => {
			link.close();
			throw new Error("closed");
		};
		link.connect(options);
		assert.throws(() => FakeTcp.last.receive(1), /I0 a bug/);
		FakeTcp.last.stand();
	});

	it("has one connection at a time, and none after the link is closed", () => {
		const { link, tcp, open, events, time } = connect();
		tcp.stand();
		open();
		assert.equal(tcp.closes, 1);
		const second = FakeTcp.last;
		link.close();
		link.close();
		assert.equal(second.closes, 1);
		open();
		assert.equal(FakeTcp.last, second);
		time.advance(1);
		assert.deepEqual(events, ["writable 1536", "error"]);
	});
});
