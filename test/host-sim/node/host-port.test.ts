/**
 * Goal: on its port the host serves whom it should, names in one line whom it should not, and no peer, however slow or
 * rude, holds a connection for ever.
 * Method: real sockets, node's own TLS client with good and bad certificates, and bytes by hand.
 */
import assert from "node:assert/strict";
import * as net from "node:net";
import * as tls from "node:tls";
import { HostPort, type HostPortOptions } from "../../../host-sim/node/host-port";
import { SocketPeer } from "../../../host-sim/node/socket-peer";
import { tlsRules } from "../../../host-sim/node/tls-identity";
import { FLAWS, type Identities, identities, TERMINAL_ID } from "./identities";
import { pause, until } from "./waiting";

/** The first bytes of a TLS 1.2 ClientHello: a record of 512 bytes, of which more is to come. */
const HELLO = Buffer.from("1603010200010001fc0303", "hex");
const FRAME = Buffer.from("002260000300006031003110010800002000000000000000000112345678", "hex");

describe("the host's port", () => {
	let made: Identities;
	let ports: HostPort[];
	let sockets: net.Socket[];
	let peers: { socket: net.Socket; terminalId: string | undefined }[];
	let refused: string[];

	before(async function () {
		this.timeout(30_000); // Keys take their time.
		made = await identities();
	});

	beforeEach(() => {
		ports = [];
		sockets = [];
		peers = [];
		refused = [];
	});

	afterEach(async () => {
		for (const socket of sockets) socket.destroy();
		await Promise.all(ports.map((port) => port.drop()));
	});

	async function listen(options: Partial<HostPortOptions> = {}): Promise<number> {
		const port = new HostPort({
			port: 0,
			tls: made.host,
			connectionsMax: 8,
			onPeer: (socket, terminalId) => peers.push({ socket, terminalId }),
			onRefused: (reason) => refused.push(reason),
			onError: (error) => assert.fail(error),
			...options,
		});
		ports.push(port);
		return port.listen();
	}

	function callPlain(port: number): net.Socket {
		const socket = net.connect(port, "127.0.0.1");
		sockets.push(socket);
		socket.on("error", () => {});
		return socket;
	}

	function callTls(port: number, options: tls.ConnectionOptions = {}): tls.TLSSocket {
		const socket = tls.connect({ port, host: "127.0.0.1", ...tlsRules(made.terminal), ...options });
		sockets.push(socket);
		socket.on("error", () => {});
		return socket;
	}

	async function callPeer(port: number, secure: boolean): Promise<net.Socket> {
		const socket = secure ? callTls(port) : callPlain(port);
		await new Promise((resolve) => socket.once(secure ? "secureConnect" : "connect", resolve));
		return socket;
	}

	const closed = (socket: net.Socket) => {
		socket.resume(); // Who does not read does not notice.
		return until(() => socket.destroyed, "hung up");
	};

	const REASONS = {
		expired: "the terminal's certificate has expired",
		early: "the terminal's certificate is not valid yet",
		foreign: "the terminal's certificate is of another CA",
		purpose: "the terminal's certificate is for another purpose",
		name: "the terminal's certificate names no terminal",
	};
	for (const flaw of [...FLAWS, "name"] as const) {
		it(`gives no connection to a terminal whose certificate has this flaw, and says so: ${flaw}`, async () => {
			const port = await listen();
			const socket = callTls(port, tlsRules(made.badTerminal[flaw]));
			socket.write("anything");
			await closed(socket);
			await until(() => refused.length > 0, "a reason");
			assert.deepEqual([refused, peers], [[REASONS[flaw]], []]);
		});
	}

	it("gives no connection to a terminal without a certificate, in TLS 1.2 and 1.3", async () => {
		const port = await listen();
		for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
			await closed(callTls(port, { key: undefined, cert: undefined, maxVersion }));
		}
		await until(() => refused.length === 2, "reasons");
		assert.deepEqual([refused, peers], [Array(2).fill("the terminal has no certificate"), []]);
	});

	it("tells each terminal by its certificate", async () => {
		const port = await listen();
		callTls(port);
		await until(() => peers.length === 1, "one");
		callTls(port, tlsRules(made.other));
		await until(() => peers.length === 2, "two");
		assert.deepEqual(
			peers.map(({ terminalId }) => terminalId),
			[TERMINAL_ID, "87654321"],
		);
	});

	it("serves what the board speaks: TLS 1.2, ECDHE-RSA-AES128-GCM-SHA256, with the CA sent along", async () => {
		const port = await listen();
		const socket = callTls(port, { maxVersion: "TLSv1.2", ciphers: "ECDHE-RSA-AES128-GCM-SHA256" });
		await until(() => peers.length === 1, "connected");
		assert.deepEqual([ports[0].protocol, peers[0].terminalId], ["TLSv1.2", TERMINAL_ID]);
		const chain = socket.getPeerCertificate(true);
		assert.equal(chain.issuerCertificate?.subject.CN, "unsettled test CA");
	});

	it("speaks no older TLS, no cipher without forward secrecy or authentication, and resumes nothing", async () => {
		const port = await listen();
		const OLD = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" } as const;
		await closed(callTls(port, OLD));
		for (const ciphers of ["AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256"]) {
			await closed(callTls(port, { maxVersion: "TLSv1.2", ciphers }));
		}
		await until(() => refused.length === 3, "reasons");
		assert.deepEqual(refused, [
			"the terminal speaks another version of TLS",
			...Array(2).fill("the terminal knows none of our ciphers"),
		]);
		const first = callTls(port, { maxVersion: "TLSv1.2" });
		await new Promise((resolve) => first.once("secureConnect", resolve)); // It has its session only then.
		const session = first.getSession();
		assert.ok(session !== undefined);
		const second = callTls(port, { maxVersion: "TLSv1.2", session });
		await new Promise((resolve) => second.once("secureConnect", resolve));
		assert.equal(second.isSessionReused(), false);
	});

	it("names a peer that speaks something else than TLS, hangs up, and goes on serving", async () => {
		const port = await listen();
		for (const [bytes, reason] of [
			[FRAME, "the peer speaks plain ISO 8583, and this port speaks TLS"],
			[Buffer.from("GET / HTTP/1.1\r\n\r\n"), "the peer speaks HTTP or text, and this port speaks TLS"],
			[Buffer.of(0xff, 0xff), "the peer speaks no TLS, and this port speaks TLS"],
		] as const) {
			const socket = callPlain(port);
			socket.write(bytes);
			await closed(socket);
			assert.equal(refused.at(-1), reason);
		}
		const socket = callPlain(port);
		socket.write(Buffer.concat([Buffer.of(0x16, 0x03, 0x01), Buffer.alloc(600, 0xee)]));
		await closed(socket);
		assert.equal(refused.length, 4);
		assert.match(refused[3], /^the (TLS handshake failed|terminal speaks another version of TLS)$/);
		callTls(port);
		await until(() => peers.length === 1, "a terminal");
	});

	it("a peer that says nothing, one that stops in its handshake, and one that sends a byte now and then: timed out", async () => {
		const port = await listen({ handshakeMsMax: 60 });
		const silent = callPlain(port);
		const stopped = callPlain(port);
		stopped.write(HELLO);
		const slow = callPlain(port);
		let sent = 0;
		const timer = setInterval(() => slow.write(Buffer.of(sent < HELLO.length ? HELLO[sent++] : 0)), 10);
		try {
			for (const socket of [silent, stopped, slow]) await closed(socket);
		} finally {
			clearInterval(timer);
		}
		assert.ok(sent > 3, "it did send");
		await until(() => refused.length === 3, "reasons");
		assert.deepEqual([refused, peers], [Array(3).fill("the TLS handshake took too long"), []]);
		await until(() => ports[0].handshakes === 0, "no handshake left");
	});

	it("a connection that stands has nothing to fear from the time of a handshake", async () => {
		const port = await listen({ handshakeMsMax: 400 });
		const socket = callTls(port);
		await until(() => peers.length === 1, "connected");
		await pause(450);
		assert.deepEqual([socket.destroyed, refused], [false, []]);
	});

	it("only so many handshakes at once; who stands does not count, and an ended one makes room", async () => {
		const port = await listen({ handshakesMax: 2 });
		callTls(port);
		await until(() => peers.length === 1, "a terminal");
		const held = [callPlain(port), callPlain(port)];
		for (const socket of held) socket.write(HELLO);
		await until(() => ports[0].handshakes === 2, "two");
		await closed(callTls(port));
		assert.deepEqual(refused, ["too many TLS handshakes at once"]);
		held[0].destroy();
		await until(() => ports[0].handshakes === 1, "room");
		callTls(port);
		await until(() => peers.length === 2, "another terminal");
	});

	it("a handshake broken off by the terminal is said; a call without a word is not", async () => {
		const port = await listen();
		const socket = callPlain(port);
		socket.write(HELLO);
		await until(() => ports[0].handshakes === 1, "begun");
		await pause(10);
		socket.destroy();
		await until(() => refused.length === 1, "a reason");
		assert.deepEqual(refused, ["the terminal broke the TLS handshake off"]);
		const mute = callPlain(port);
		await until(() => ports[0].handshakes === 1, "begun");
		mute.end();
		await until(() => ports[0].handshakes === 0, "ended");
		assert.equal(refused.length, 1);
	});

	it("a TLS connection whose network ends without a farewell ends", async () => {
		const port = await listen();
		const raw = callPlain(port);
		const socket = tls.connect({ socket: raw, host: "127.0.0.1", ...tlsRules(made.terminal) });
		socket.on("error", () => {});
		await until(() => peers.length === 1, "connected");
		let over = false;
		peers[0].socket.on("close", () => {
			over = true;
		});
		peers[0].socket.resume();
		raw.resetAndDestroy();
		await until(() => over, "the end");
	});

	it("drops handshakes and connections alike, and speaks of neither", async () => {
		const port = await listen();
		const socket = callTls(port);
		await until(() => peers.length === 1, "connected");
		const half = callPlain(port);
		half.write(HELLO);
		await until(() => ports[0].handshakes === 1, "begun");
		await ports[0].drop();
		await closed(socket);
		await closed(half);
		assert.deepEqual(refused, []);
	});

	for (const secure of [false, true]) {
		const kind = secure ? "TLS" : "TCP";

		it(`a peer that never reads is dropped when its answers pile up (${kind})`, async () => {
			let stuck = 0;
			let sent = 0;
			const port = await listen({
				...(secure ? {} : { tls: undefined as never }),
				onPeer: (socket, terminalId) => {
					const peer = new SocketPeer(socket, terminalId, () => stuck++);
					const answer = new Uint8Array(32 * 1024);
					const send = () => {
						if (socket.destroyed) return;
						peer.send(answer.slice());
						sent += answer.length;
						setImmediate(send);
					};
					send();
				},
			});
			const socket = await callPeer(port, secure);
			socket.pause();
			await until(() => stuck > 0, "dropped");
			await pause(5);
			assert.equal(stuck, 1);
			assert.ok(sent < 64 * 1024 * 1024, `${sent} bytes`);
		});

		it(`a peer that reads is sent everything (${kind})`, async () => {
			const port = await listen({
				...(secure ? {} : { tls: undefined as never }),
				onPeer: (socket, terminalId) => {
					const peer = new SocketPeer(socket, terminalId, () => assert.fail("stuck"));
					for (let i = 0; i < 7; i++) peer.send(new Uint8Array(32 * 1024));
					peer.close();
					peer.send(new Uint8Array(1));
				},
			});
			const socket = await callPeer(port, secure);
			let got = 0;
			socket.on("data", (bytes) => {
				got += bytes.length;
			});
			await closed(socket);
			assert.equal(got, 7 * 32 * 1024);
		});
	}
});
