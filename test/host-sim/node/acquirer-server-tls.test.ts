/**
 * Goal: the whole host over TLS: it serves a terminal with a good certificate, a slow or foreign peer costs it nothing,
 * and what it says names who called.
 */
import assert from "node:assert/strict";
import * as net from "node:net";
import * as tls from "node:tls";
import { MemoryLedgerStore } from "../../../host-sim/acquirer/ledger-store";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { AcquirerServer, type AcquirerServerOptions } from "../../../host-sim/node/acquirer-server";
import { ScaledClock } from "../../../host-sim/node/scaled-clock";
import { tlsRules } from "../../../host-sim/node/tls-identity";
import { readAnswer, signOnFrame } from "../acquirer/host-under-test";
import { type Identities, identities } from "./identities";
import { until } from "./waiting";

/** Begins like a reversal; no end of it is ever sent. */
const FRAME = Buffer.from("002260000300006031003110040010800002000000000000000000112345678", "hex");

describe("the host over TLS", () => {
	let made: Identities;
	let hosts: AcquirerServer[];
	let clocks: ScaledClock[];
	let sockets: net.Socket[];
	let said: string[];

	before(async function () {
		this.timeout(30_000); // Keys take their time.
		made = await identities();
	});

	beforeEach(() => {
		hosts = [];
		clocks = [];
		sockets = [];
		said = [];
	});

	afterEach(async () => {
		for (const socket of sockets) socket.destroy();
		await Promise.all(hosts.map((host) => host.close()));
		for (const clock of clocks) clock.close();
	});

	function listen(options: Partial<AcquirerServerOptions> = {}): Promise<number> {
		const clock = new ScaledClock({ startMs: Date.UTC(2026, 10, 22) });
		const host = new AcquirerServer({
			port: 0,
			clock,
			random: new SeededRandom(1),
			store: new MemoryLedgerStore(),
			onEvent: ({ text }) => said.push(text),
			...options,
		});
		clocks.push(clock);
		hosts.push(host);
		return host.listen();
	}

	/** Not connected yet. */
	function call(port: number, secure: boolean): net.Socket {
		const to = { port, host: "127.0.0.1" };
		const socket = secure ? tls.connect({ ...to, ...tlsRules(made.terminal) }) : net.connect(to);
		sockets.push(socket);
		socket.on("error", () => {});
		return socket;
	}

	async function connect(port: number, secure: boolean): Promise<net.Socket> {
		const socket = call(port, secure);
		await new Promise((resolve) => socket.once(secure ? "secureConnect" : "connect", resolve));
		return socket;
	}

	const closed = (socket: net.Socket) => {
		socket.resume(); // Who does not read does not notice.
		return until(() => socket.destroyed, "hung up");
	};

	it("names TLS on the plain port, and HTTP, and goes on serving", async () => {
		const port = await listen();
		await closed(call(port, true));
		assert.deepEqual(said, ["connection 1 closed: speaks TLS, and this port is plain TCP"]);
		const browser = call(port, false);
		browser.write("GET / HTTP/1.1\r\n\r\n");
		await closed(browser);
		assert.match(said[1], /^connection 2 closed: .*HTTP/);
	});

	it("says why a call got no connection", async () => {
		const port = await listen({ tls: made.host });
		const plain = call(port, false);
		plain.write(FRAME);
		await closed(plain);
		assert.deepEqual(said, ["connection refused: the peer speaks plain ISO 8583, and this port speaks TLS"]);
	});

	it("answers a terminal, and refuses one that speaks for another than its certificate names", async () => {
		const port = await listen({ tls: made.host });
		const codes: (string | undefined)[] = [];
		for (const identity of [made.terminal, made.other]) {
			const socket = tls.connect({ port, host: "127.0.0.1", ...tlsRules(identity) });
			sockets.push(socket);
			socket.on("error", () => {});
			socket.write(signOnFrame());
			let got = Buffer.alloc(0);
			socket.on("data", (bytes) => {
				got = Buffer.concat([got, bytes]);
			});
			await until(() => got.length > 2 && got.length === 2 + got.readUInt16BE(0), "an answer");
			codes.push(readAnswer(got).code);
		}
		assert.deepEqual(codes, ["00", "58"]);
	});

	for (const secure of [false, true]) {
		it(`a peer that sends a byte now and then is closed (${secure ? "TLS" : "TCP"})`, async () => {
			const port = await listen({ ...(secure ? { tls: made.host } : {}), limits: { frameMsMax: 200 } });
			const socket = await connect(port, secure);
			let sent = 0;
			const timer = setInterval(() => socket.write(FRAME.subarray(sent, ++sent)), 15);
			try {
				await closed(socket);
			} finally {
				clearInterval(timer);
			}
			assert.ok(sent > 2 && sent < FRAME.length, `${sent} bytes`);
			assert.deepEqual(said, ["connection 1 closed: a frame came too slowly"]);
		});
	}

	it("keeps its certificates over a crash, and says nothing of terminals that were connecting", async () => {
		const port = await listen({ tls: made.host });
		await connect(port, true);
		const half = call(port, false);
		half.write(Buffer.of(0x16, 0x03, 0x01));
		await new Promise((resolve) => half.once("connect", resolve));
		hosts[0].crash();
		assert.equal(hosts[0].tlsProtocol, "TLSv1.3");
		await hosts[0].restart();
		assert.equal(hosts[0].port, port);
		await connect(port, true);
		assert.deepEqual(said, []);
	});
});
