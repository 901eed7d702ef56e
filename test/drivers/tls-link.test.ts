/**
 * Goal: the SDK's TLS behaves towards the firmware as ports.ts promises, and as TCP does; above all, "not taken" is said
 * only when not one byte can have left (I1). Nothing of the firmware runs inside a call of the TLS class, and nothing
 * the TLS class throws reaches the engine.
 * Method: a TLS class that reads, throws and calls back as the SDK's does, over a TCP class driven by hand; the bytes
 * are those of a real handshake, so that the guard beneath lets it through.
 */
import assert from "node:assert/strict";
import type { SocketIo } from "../../drivers/tcp-link/socket-connection";
import type { TcpIoClass, TcpIoOptions } from "../../drivers/tcp-link/tcp-link";
import type { HostTrust } from "../../drivers/tls-link/host-trust";
import { type TlsIoClass, type TlsIoOptions, TlsLink } from "../../drivers/tls-link/tls-link";
import type { Connection } from "../../src/ports";
import { fakeTime } from "./fake-clock";
import { recordHandshake, type Spoken } from "./tls-transcript";

const EXTRA = 24;

/** Source: Moddable SDK 8.2, modules/io/socket/lin/tcp.c. */
class FakeTcp implements SocketIo {
	static last: FakeTcp;
	readonly options: TcpIoOptions;
	readonly sent: number[] = [];
	waiting: number[] = [];
	room = 0;
	closes = 0;
	broken = false;

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
		if (this.broken) return undefined;
		this.sent.push(...buffer);
		this.room -= buffer.length;
		return this.room;
	}

	close(): void {
		this.closes++;
	}

	receive(...records: Uint8Array[]): void {
		for (const record of records) this.waiting.push(...record);
		this.options.onReadable(this.waiting.length);
	}
}

/**
 * Source: Moddable SDK 8.2, examples/io/tcp/tlssocket and ssl/session_419: header first, then the body; one record's data
 * at a time; the rest of the socket from a timer. Here a record's content is what is between nonce and tag, in the
 * clear, and 0xBAD at its begin is a wrong seal.
 */
class FakeTls implements SocketIo {
	static last: FakeTls;
	readonly options: TlsIoOptions;
	readonly socket: InstanceType<TlsIoOptions["TCP"]["io"]>;
	/** In how many of its own calls it is. */
	depth = 0;
	timers = 0;
	/** Of write. */
	calls = 0;
	closed = false;
	ready = false;
	#header: Uint8Array | undefined;
	#data: Uint8Array | undefined;

	constructor(options: TlsIoOptions) {
		if (options.host === "bad.test") throw new TypeError("its text is the engine's");
		this.options = options;
		FakeTls.last = this;
		const { io } = options.TCP;
		this.socket = new io({
			...options,
			onReadable: (count) => this.#enter(() => this.#onReadable(count)),
			onWritable: (count) =>
				this.#enter(() => {
					this.socket.writable = count;
					if (this.ready) options.onWritable(count - 96);
				}),
			onError: () => this.#enter(() => options.onError()),
		});
		this.socket.readable = 0;
		this.socket.writable = 0;
	}

	read(buffer: Uint8Array): number {
		const data = this.#data;
		if (data === undefined) return 0;
		const count = Math.min(buffer.length, data.length);
		buffer.set(data.subarray(0, count));
		this.#data = count === data.length ? undefined : data.subarray(count);
		if (this.#data === undefined && this.socket.readable > 0) this.timers++; // What the guarded socket is there to avoid.
		return count;
	}

	write(buffer: Uint8Array): number {
		this.calls++;
		const length = buffer.length + EXTRA;
		this.socket.writable = this.socket.write(
			Uint8Array.of(23, 3, 3, length >> 8, length & 255, ...new Uint8Array(8), ...buffer, ...new Uint8Array(16)),
		) as number;
		return Math.max(0, this.socket.writable - 32);
	}

	close(): void {
		this.closed = true;
		this.socket?.close();
	}

	#enter(action: () => void): void {
		this.depth++;
		try {
			action();
		} finally {
			this.depth--;
		}
	}

	#onReadable(count: number): void {
		const wasReady = this.ready;
		this.socket.readable = count;
		while (this.#data === undefined && this.socket.readable > 0) {
			if (this.#header === undefined) {
				if (this.socket.readable < 5) return;
				this.#header = new Uint8Array(5);
				this.socket.read(this.#header);
				this.socket.readable -= 5;
			}
			const length = (this.#header[3] << 8) | this.#header[4];
			if (this.socket.readable < length) return;
			const body = new Uint8Array(length);
			this.socket.read(body);
			this.socket.readable -= length;
			const [type] = this.#header;
			this.#header = undefined;
			if (type === 23) {
				if (body[8] === 0x0b && body[9] === 0xad) throw new Error("recordProtocol auth failed");
				if (!wasReady) continue; // Read while it looked for the handshake's end, and dropped.
				this.#data = body.subarray(8, body.length - 16);
				this.options.onReadable(this.#data.length);
			} else if (type === 22 && body.length === 40) {
				this.ready = true;
				this.options.onWritable(this.socket.writable - 96);
			}
		}
	}
}

function sealed(...data: number[]): Uint8Array {
	return Uint8Array.of(23, 3, 3, 0, data.length + EXTRA, ...new Uint8Array(8), ...data, ...new Uint8Array(16));
}

describe("TLS link", function () {
	this.timeout(20_000);
	let spoken: Spoken[];

	before(async () => {
		spoken = (await recordHandshake()).slice(0, -2);
	});

	function connect({ address = "127.0.0.1", hostName = "host.test", onEvent = (_: string) => {} } = {}) {
		const time = fakeTime();
		const events: string[] = [];
		const log: string[] = [];
		const note = (event: string) => {
			assert.equal(FakeTls.last?.depth ?? 0, 0, "inside a call of the TLS class");
			events.push(event);
			onEvent(event);
		};
		const link = new TlsLink({
			socket: { io: FakeTls as unknown as TlsIoClass, tcp: FakeTcp as TcpIoClass, address, port: 8583 },
			trust: { hostName } as HostTrust,
			clock: time.clock(),
			log: { write: (level, _, tag, text) => log.push(`${level} ${tag}: ${text}`) },
		});
		const open = (): Connection =>
			link.connect({
				onReadable: (count) => note(`readable ${count}`),
				onWritable: (count) => note(`writable ${count}`),
				onError: () => note("error"),
			});
		const connection = open();
		const tcp = FakeTcp.last;
		const tls = FakeTls.last;
		/** The handshake as far as `steps` of what was spoken. */
		const shake = (steps = spoken.length) => {
			tcp.room = 8192; // Node's client sends its CA's certificate too; the board its own only.
			tcp.options.onWritable(1536);
			for (const { from, record } of spoken.slice(0, steps)) {
				if (from === "host") tcp.receive(record);
				else tls.socket.write(record);
			}
			tcp.sent.length = 0;
			tcp.room = 1536;
		};
		const stand = () => {
			shake();
			time.advance(1);
		};
		return { time, events, log, link, open, connection, tcp, tls, shake, stand };
	}

	it("says it is secure, and gives the TLS class what it needs to be", () => {
		const { link, tls, tcp } = connect();
		assert.deepEqual([link.name, link.secure], ["tls", true]);
		const { host, address, port, secure } = tls.options;
		assert.deepEqual({ host, address, port }, { host: "host.test", address: "127.0.0.1", port: 8583 });
		assert.deepEqual([secure.cache, secure.trust.hostName, secure.tls_max_fragment_length], [false, "host.test", 4096]);
		assert.equal(tcp.options.nodelay, true);
	});

	it("I1: takes no byte before both sides have proved themselves", () => {
		const { connection, shake, tcp, events, time } = connect();
		for (let steps = 0; steps < spoken.length; steps++) {
			const half = connect();
			half.shake(steps);
			half.time.advance(1);
			assert.equal(half.connection.write(Uint8Array.of(1)), false, `after ${steps}`);
			assert.deepEqual(half.events, []);
			assert.deepEqual(half.tcp.sent, []);
		}
		shake();
		assert.deepEqual(events, []);
		time.advance(1);
		assert.deepEqual(events, ["writable 1440"]);
		const request = Uint8Array.of(7, 8);
		assert.equal(connection.write(request), true);
		request.fill(0); // The buffer is the firmware's again.
		time.advance(1);
		assert.deepEqual(tcp.sent.slice(13, 15), [7, 8]);
	});

	it("takes none more than there is room for, what waits for its turn included", () => {
		const { connection, stand, tcp, tls, events, time } = connect();
		stand();
		assert.equal(connection.write(new Uint8Array(1441)), false);
		let taken = 0;
		while (connection.write(new Uint8Array(100).fill(9))) taken++;
		assert.equal(taken, 11);
		assert.deepEqual([tcp.sent.length, tls.calls], [0, 0], "the TLS class was called inside a call of the firmware");
		time.advance(1);
		assert.equal(tcp.sent.filter((byte) => byte === 9).length, 1100);
		time.advance(10);
		assert.deepEqual(events, ["writable 1440"]);
	});

	it("I1: a write that fails counts as taken, and the connection as gone, a turn later and once", () => {
		const { connection, tcp, stand, events, log, time } = connect();
		stand();
		tcp.broken = true; // The room that the TLS class makes of it is NaN.
		assert.equal(connection.write(Uint8Array.of(1)), true);
		assert.deepEqual(events, ["writable 1440"]);
		time.advance(1_000);
		assert.deepEqual(events, ["writable 1440", "error"]);
		assert.deepEqual(log, ["W tls: connection given up: tls: state, the socket failed"]);
		assert.equal(connection.write(Uint8Array.of(1)), false);
		assert.ok(tcp.closes > 0);
	});

	it("gives records one after the other, each when the one before is read, and none from the class's own timer", () => {
		const { connection, tcp, tls, stand, events, time } = connect();
		stand();
		tcp.receive(sealed(1, 2, 3), sealed(4), sealed(5, 6));
		const buffer = new Uint8Array(2);
		time.advance(1);
		assert.deepEqual(events, ["writable 1440", "readable 3"]);
		assert.equal(connection.read(buffer), 2);
		time.advance(1);
		assert.equal(connection.read(buffer), 1);
		assert.deepEqual([...buffer], [3, 2]);
		assert.equal(connection.read(buffer), 0);
		time.advance(2);
		assert.equal(events.at(-1), "readable 1");
		assert.equal(connection.read(buffer), 1);
		time.advance(2);
		assert.equal(connection.read(buffer), 2);
		assert.deepEqual([...buffer], [5, 6]);
		assert.deepEqual(events, ["writable 1440", "readable 3", "readable 1", "readable 2"]);
		assert.equal(tls.timers, 0);
	});

	it("loses no data that comes together with the end of the handshake", () => {
		const { connection, tcp, shake, events, time } = connect();
		shake(spoken.length - 1);
		tcp.receive(spoken[spoken.length - 1].record, sealed(7));
		time.advance(1);
		assert.deepEqual(events, ["writable 1440", "readable 1"]);
		const buffer = new Uint8Array(1);
		assert.deepEqual([connection.read(buffer), buffer[0]], [1, 7]);
	});

	it("delivers what came before the end, and then the end", () => {
		const received: number[] = [];
		const { connection, tcp, stand, events, time } = connect({
			onEvent: (event) => {
				const buffer = new Uint8Array(8);
				if (event.startsWith("readable")) received.push(...buffer.subarray(0, connection.read(buffer)));
			},
		});
		stand();
		tcp.receive(sealed(1), sealed(2));
		tcp.options.onError();
		time.advance(10);
		assert.deepEqual(received, [1, 2]);
		assert.deepEqual(events.at(-1), "error");
	});

	it("ends on a record with a wrong seal, also behind a good one, and logs no text of the engine", () => {
		for (const good of [[], [sealed(1)]]) {
			const { connection, tcp, stand, events, log, time } = connect();
			stand();
			tcp.receive(...good, sealed(0x0b, 0xad));
			time.advance(1);
			connection.read(new Uint8Array(8));
			time.advance(10);
			assert.equal(events.at(-1), "error");
			assert.deepEqual(log, ["W tls: connection given up: Error"]);
			assert.ok(tcp.closes > 0);
		}
	});

	it("ends when the guard refuses the handshake, tells why in the log, and the firmware once", () => {
		const { tcp, shake, events, log, time } = connect();
		shake(1);
		tcp.receive(Uint8Array.of(21, 3, 3, 0, 2, 1, 0));
		tcp.receive(sealed(1));
		time.advance(10);
		assert.deepEqual(events, ["error"]);
		assert.deepEqual(log, ["W tls: connection given up: tls: auth, the host ends the handshake: alert 0"]);
	});

	it("fails a connection that cannot be made, after the call and not within it", () => {
		for (const options of [{ address: "bad" }, { hostName: "bad.test" }]) {
			const { events, log, time } = connect(options);
			assert.deepEqual(events, []);
			time.advance(1);
			assert.deepEqual(events, ["error"]);
			assert.equal(log.length, 1);
		}
	});

	it("calls nobody after close, and closes what is beneath", () => {
		const { connection, tcp, tls, shake, events, time } = connect();
		shake();
		connection.close();
		connection.close();
		time.advance(10);
		tcp.options.onError();
		tcp.receive(sealed(1));
		time.advance(10);
		assert.deepEqual(events, []);
		assert.deepEqual([tls.closed, tcp.closes > 0, connection.read(new Uint8Array(1))], [true, true, 0]);
	});

	it("stops telling when the firmware closes inside a callback", () => {
		const { connection, tcp, shake, events, time } = connect({ onEvent: () => connection.close() });
		shake();
		tcp.receive(sealed(1));
		time.advance(10);
		assert.deepEqual(events, ["writable 1440"]);
	});

	it("has one connection at a time, and none after the link is closed", () => {
		const { link, tcp, open, stand, events, time } = connect();
		stand();
		open();
		assert.ok(tcp.closes > 0);
		const second = FakeTcp.last;
		link.close();
		link.close();
		assert.ok(second.closes > 0);
		open();
		assert.equal(FakeTcp.last, second);
		time.advance(1);
		assert.deepEqual(events, ["writable 1440", "error"]);
	});
});
