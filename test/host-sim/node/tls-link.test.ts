/**
 * Goal: the TLS link stands only with a host that shows the right certificate, says in one line why it does not, and
 * nothing of a message can be read on the way.
 * Method: a HostPort with good and bad certificates, and raw sockets for what no host would do.
 */
import assert from "node:assert/strict";
import * as net from "node:net";
import { Power, PowerLost } from "../../../host-sim/board/power";
import { HostPort } from "../../../host-sim/node/host-port";
import type { SocketLink } from "../../../host-sim/node/socket-link";
import { TcpLink } from "../../../host-sim/node/tcp-link";
import type { TlsIdentity } from "../../../host-sim/node/tls-identity";
import { TlsLink, type TlsLinkOptions } from "../../../host-sim/node/tls-link";
import { FLAWS, type Identities, identities, TERMINAL_ID } from "./identities";
import { pause, until } from "./waiting";

describe("TLS of the link", () => {
	let made: Identities;
	let ports: HostPort[];
	let servers: net.Server[];
	let sockets: net.Socket[];
	let links: SocketLink[];
	/** What the host saw. */
	let peers: { socket: net.Socket; terminalId: string | undefined; got: string }[];
	let refused: string[];

	before(async function () {
		this.timeout(30_000); // Keys take their time.
		made = await identities();
	});

	beforeEach(() => {
		ports = [];
		servers = [];
		sockets = [];
		links = [];
		peers = [];
		refused = [];
	});

	afterEach(async () => {
		for (const link of links) link.power.cut();
		for (const socket of sockets) socket.destroy();
		for (const server of servers) server.close();
		await Promise.all(ports.map((port) => port.drop()));
	});

	/** A host that answers everything with what it got. */
	function listen(tls: TlsIdentity | undefined): Promise<number> {
		const port = new HostPort({
			port: 0,
			...(tls === undefined ? {} : { tls }),
			connectionsMax: 8,
			onPeer: (socket, terminalId) => {
				const peer = { socket, terminalId, got: "" };
				peers.push(peer);
				socket.on("data", (bytes) => {
					peer.got += bytes.toString("latin1");
					socket.write(bytes);
				});
			},
			onRefused: (reason) => refused.push(reason),
			onError: (error) => assert.fail(error),
		});
		ports.push(port);
		return port.listen();
	}

	/** A server of bare sockets. */
	function listenRaw(serve: (socket: net.Socket) => void): Promise<number> {
		const server = net.createServer((socket) => {
			sockets.push(socket);
			socket.on("error", () => {});
			serve(socket);
		});
		servers.push(server);
		return new Promise((resolve) => {
			server.listen(0, "127.0.0.1", () => resolve((server.address() as net.AddressInfo).port));
		});
	}

	function makeLink(port: number, options: Partial<TlsLinkOptions> = {}): TlsLink {
		const link = new TlsLink({ port, tls: made.terminal, ...options });
		links.push(link);
		return link;
	}

	function open(link: SocketLink) {
		const seen: string[] = [];
		const client = { seen, got: "", connection: undefined as unknown as ReturnType<SocketLink["connect"]> };
		const buffer = new Uint8Array(64);
		client.connection = link.connect({
			onReadable() {
				for (let count = client.connection.read(buffer); count > 0; count = client.connection.read(buffer)) {
					client.got += Buffer.from(buffer.subarray(0, count)).toString("latin1");
				}
			},
			onWritable: () => seen.push("writable"),
			onError: () => seen.push("error"),
		});
		return client;
	}

	/** @returns what the firmware heard until the connection ended, and the reason for the log */
	async function fails(link: SocketLink): Promise<{ seen: string[]; reason: string | undefined }> {
		const { seen } = open(link);
		await until(() => seen.includes("error"), "error");
		await pause(5);
		return { seen, reason: link.lastError };
	}

	it("stands with both certificates, in TLS 1.3, and the host knows the terminal by its certificate", async () => {
		const link = makeLink(await listen(made.host));
		const { seen, connection } = open(link);
		await until(() => seen.length > 0 && peers.length > 0, "connected");
		assert.equal(connection.write(Uint8Array.of(65)), true);
		await until(() => peers[0].got === "A", "received");
		assert.deepEqual([link.secure, link.protocol, link.lastError], [true, "TLSv1.3", undefined]);
		assert.deepEqual([peers[0].terminalId, ports[0].protocol, refused], [TERMINAL_ID, "TLSv1.3", []]);
	});

	it("calls a host by name as well as by address", async () => {
		const link = makeLink(await listen(made.host), { host: "localhost" });
		const { seen } = open(link);
		await until(() => seen.length > 0, "connected");
		assert.deepEqual(seen, ["writable"]);
	});

	const HOST_REASONS = {
		expired: "the host's certificate has expired",
		early: "the host's certificate is not valid yet",
		foreign: "the host's certificate is of another CA",
		purpose: "the host's certificate is for another purpose",
		name: "the host's certificate is for another name",
	};
	for (const flaw of [...FLAWS, "name"] as const) {
		it(`never stands with a host whose certificate has this flaw: ${flaw}`, async () => {
			const link = makeLink(await listen(made.badHost[flaw]));
			const { seen, reason } = await fails(link);
			assert.deepEqual([seen, reason], [["error"], HOST_REASONS[flaw]]);
			assert.equal(link.protocol, undefined);
			assert.ok(peers.every((peer) => peer.got === ""));
		});
	}

	it("is not talked into trusting a bad host by the environment", async () => {
		const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
		const quiet = process.emitWarning;
		process.emitWarning = () => {};
		process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
		try {
			const { seen } = await fails(makeLink(await listen(made.badHost.foreign)));
			assert.deepEqual(seen, ["error"]);
		} finally {
			process.emitWarning = quiet;
			if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
			else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
		}
	});

	for (const flaw of [...FLAWS, "name"] as const) {
		it(`gets nowhere with a certificate of its own that has this flaw: ${flaw}`, async () => {
			const link = makeLink(await listen(made.host), { tls: made.badTerminal[flaw] });
			const { reason } = await fails(link);
			assert.equal(reason, "the host hung up");
			assert.equal(peers.length, 0);
			assert.equal(refused.length, 1);
		});
	}

	it("without a certificate of its own it is told that the host asks for one", async () => {
		const link = makeLink(await listen(made.host), { tls: { key: "", cert: "", ca: made.terminal.ca } });
		const { reason } = await fails(link);
		assert.equal(reason, "the host asks for a certificate");
		assert.deepEqual([peers.length, refused], [0, ["the terminal has no certificate"]]);
	});

	it("a host that speaks no TLS is told apart, and gets nothing of a message", async () => {
		const heard: Buffer[] = [];
		const port = await listenRaw((socket) => {
			socket.on("data", (bytes) => heard.push(bytes));
			socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
		});
		const { seen, reason } = await fails(makeLink(port));
		assert.deepEqual([seen, reason], [["error"], "the host speaks no TLS"]);
		assert.ok(Buffer.concat(heard).subarray(0, 1).equals(Buffer.of(0x16)), "a handshake, nothing else");
	});

	it("a port nobody listens on is told apart", async () => {
		const port = await listen(made.host);
		await Promise.all(ports.splice(0).map((open) => open.drop()));
		const { seen, reason } = await fails(makeLink(port));
		assert.deepEqual([seen, reason], [["error"], "nobody listens there"]);
	});

	for (const [how, end] of [
		["ended", (socket: net.Socket) => socket.end()],
		["reset", (socket: net.Socket) => socket.resetAndDestroy()],
	] as const) {
		it(`a handshake that is ${how} in the middle is one error, and nothing stood`, async () => {
			const port = await listenRaw((socket) => socket.once("data", () => end(socket)));
			const { seen, reason } = await fails(makeLink(port));
			assert.deepEqual(seen, ["error"]);
			assert.match(reason ?? "", /^the host (cut the connection|hung up before the connection stood)$/);
		});
	}

	it("a host that never answers the handshake: nothing can be written, and close() ends the socket at once", async () => {
		let hello = 0;
		let closed = false;
		const port = await listenRaw((socket) => {
			socket.on("data", (bytes) => {
				hello += bytes.length;
			});
			socket.on("close", () => {
				closed = true;
			});
		});
		const { seen, connection } = open(makeLink(port));
		await until(() => hello > 0, "hello");
		assert.equal(connection.write(Uint8Array.of(1)), false);
		assert.equal(connection.read(new Uint8Array(1)), 0);
		connection.close();
		await until(() => closed, "closed");
		assert.deepEqual(seen, []);
	});

	it("a power cut while handshaking ends the socket and calls nobody", async () => {
		let hello = false;
		let closed = false;
		const port = await listenRaw((socket) => {
			socket.on("data", () => {
				hello = true;
			});
			socket.on("close", () => {
				closed = true;
			});
		});
		const power = new Power();
		const { seen, connection } = open(makeLink(port, { power }));
		await until(() => hello, "hello");
		power.cut();
		assert.throws(() => connection.write(Uint8Array.of(1)), PowerLost);
		await until(() => closed, "closed");
		assert.deepEqual(seen, []);
	});

	it("a link that falls silent while handshaking never stands", async () => {
		const link = makeLink(await listen(made.host));
		const { seen, connection } = open(link);
		link.downMode = "silent";
		link.up = false;
		await until(() => peers.length === 1, "the host's half");
		await pause(10);
		assert.deepEqual(seen, []);
		connection.close();
		await until(() => peers[0].socket.destroyed, "closed");
	});

	/** Carries all bytes to and fro, and keeps them. */
	async function proxy(port: number): Promise<{ port: number; bytes: () => Buffer }> {
		const wire: Buffer[] = [];
		const own = await listenRaw((socket) => {
			const far = net.connect(port, "127.0.0.1");
			sockets.push(far);
			far.on("error", () => {});
			for (const [from, to] of [
				[socket, far],
				[far, socket],
			]) {
				from.on("data", (bytes: Buffer) => {
					wire.push(bytes);
					to.write(bytes);
				});
				from.on("close", () => to.destroy());
			}
		});
		return { port: own, bytes: () => Buffer.concat(wire) };
	}

	const SECRET = "4761739001010119=2512 and the rest of a message";

	for (const secure of [true, false]) {
		it(`of a message ${secure ? "nothing" : "everything, on a plain link,"} can be read on the way`, async () => {
			const wire = await proxy(await listen(secure ? made.host : undefined));
			const link = secure ? makeLink(wire.port) : new TcpLink({ port: wire.port });
			links.push(link);
			const client = open(link);
			await until(() => client.seen.length > 0, "connected");
			client.connection.write(Buffer.from(SECRET));
			await until(() => client.got === SECRET, "answered");
			assert.equal(peers[0].got, SECRET);
			assert.ok(wire.bytes().length >= 2 * SECRET.length, "it went that way");
			for (let at = 0; at + 4 <= SECRET.length; at++) {
				assert.equal(wire.bytes().includes(SECRET.slice(at, at + 4)), !secure);
			}
		});
	}

	it("I1: beforeWrite sees the message as written, before any byte that carries it is on the way", async () => {
		const wire = await proxy(await listen(made.host));
		const power = new Power();
		const shown: string[] = [];
		let cut = false;
		const link = makeLink(wire.port, {
			power,
			beforeWrite: (bytes) => {
				shown.push(Buffer.from(bytes).toString("latin1"));
				if (cut) power.cut();
			},
		});
		const client = open(link);
		await until(() => client.seen.length > 0, "connected");
		client.connection.write(Buffer.from(SECRET));
		await until(() => client.got === SECRET, "answered");
		cut = true;
		const before = wire.bytes().length;
		assert.throws(() => client.connection.write(Buffer.alloc(500)), PowerLost);
		await until(() => peers[0].socket.destroyed, "the end");
		assert.deepEqual(shown, [SECRET, "\0".repeat(500)]);
		assert.equal(peers[0].got, SECRET);
		// A farewell at most: an alert is 24 bytes.
		assert.ok(wire.bytes().length - before < 100, `${wire.bytes().length - before} bytes`);
	});
});
