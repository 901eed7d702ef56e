import * as assert from "node:assert/strict";
import * as net from "node:net";
import { FaultPlan } from "../../../host-sim/acquirer/faults";
import { MemoryLedgerStore } from "../../../host-sim/acquirer/ledger-store";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { AcquirerServer, type AcquirerServerOptions } from "../../../host-sim/node/acquirer-server";
import { ScaledClock } from "../../../host-sim/node/scaled-clock";
import { CodedError } from "../../../src/core/errors";
import { frameOf, NOW, readAnswer, signOnFrame, WORKING_KEYS } from "./host-under-test";

describe("host: TCP server", () => {
	const servers: AcquirerServer[] = [];
	const clocks: ScaledClock[] = [];

	function newServer(options: Partial<AcquirerServerOptions> = {}): AcquirerServer {
		const clock = new ScaledClock({ startMs: NOW });
		const server = new AcquirerServer({
			port: 0,
			clock,
			random: new SeededRandom(1),
			store: new MemoryLedgerStore(),
			workingKeys: WORKING_KEYS,
			...options,
		});
		servers.push(server);
		clocks.push(clock);
		return server;
	}

	/** Listens, and the terminal signs on. */
	async function open(server: AcquirerServer): Promise<number> {
		const port = await server.listen();
		await exchange(port, signOnFrame());
		return port;
	}

	afterEach(async () => {
		await Promise.all(servers.splice(0).map((server) => server.close()));
		for (const clock of clocks.splice(0)) clock.close();
	});

	it("answers a sale over a real socket, and a repeat on another one", async () => {
		const server = newServer();
		const port = await open(server);
		const first = readAnswer(await exchange(port, frameOf("0200")));
		const again = readAnswer(await exchange(port, frameOf("0200")));
		assert.deepEqual([first.code, again.code, again.rrn], ["00", "00", first.rrn]);
		assert.equal(server.statement().totals.debitedMinor, 1234);
	});

	it("keeps its port over a crash and knows its ledgers again after the restart", async () => {
		const faults = new FaultPlan(new SeededRandom(1));
		const reasons: string[] = [];
		const server = newServer({ faults, onCrash: (reason) => reasons.push(reason) });
		const port = await open(server);
		faults.arm("crash");
		assert.equal((await exchange(port, frameOf("0200"))).length, 0);
		assert.deepEqual([server.running, reasons], [false, ["fault"]]);
		assert.equal(server.statement().totals.oneSided, 1, "also readable while it is down");
		await assert.rejects(exchange(port, frameOf("0200")), /ECONNREFUSED/);
		await server.restart();
		assert.equal(server.port, port);
		assert.equal(readAnswer(await exchange(port, frameOf("0400"))).code, "97", "its keys are gone");
		await exchange(port, signOnFrame());
		assert.equal(readAnswer(await exchange(port, frameOf("0400"))).code, "00");
		assert.equal(server.statement().totals.conserved, true);
	});

	it("crash() drops every connection at once, and with restartMs it comes back by itself", async () => {
		let restarted: () => void = () => {};
		const back = new Promise<void>((resolve) => {
			restarted = resolve;
		});
		const server = newServer({ restartMs: 20, onRestart: () => restarted() });
		const port = await open(server);
		const waiting = exchange(port, frameOf("0200").slice(0, 10));
		await exchange(port, frameOf("0200"));
		server.crash();
		assert.equal((await waiting).length, 0);
		await back;
		await exchange(port, signOnFrame());
		assert.equal(readAnswer(await exchange(port, frameOf("0200", { stan: 3 }))).code, "00");
	});

	it("refuses a port in use with a coded error", async () => {
		const port = await newServer().listen();
		const second = newServer({ port });
		await assert.rejects(
			second.listen(),
			(error) => error instanceof CodedError && error.code === "state" && /in use/.test(error.message),
		);
		assert.equal(second.running, false);
	});

	it("hangs up on an HTTP client and goes on serving", async () => {
		const server = newServer();
		const port = await open(server);
		assert.equal((await exchange(port, Buffer.from("GET / HTTP/1.1\r\n\r\n"))).length, 0);
		assert.equal(readAnswer(await exchange(port, frameOf("0200"))).code, "00");
	});

	it("survives a flood of 64 KiB of noise and a peer that resets", async () => {
		const server = newServer();
		const port = await open(server);
		await exchange(port, Buffer.alloc(65536, 0xff)).catch(() => undefined);
		const rude = net.connect(port, "127.0.0.1");
		await new Promise((resolve) => rude.once("connect", resolve));
		rude.write(frameOf("0200", { stan: 8 }));
		rude.resetAndDestroy();
		assert.equal(readAnswer(await exchange(port, frameOf("0200"))).code, "00");
	});

	it("refuses connections above its limit and serves those it has", async () => {
		const server = newServer({ limits: { connectionsMax: 2 } });
		const port = await open(server);
		const held = [await connect(port), await connect(port)];
		assert.equal((await exchange(port, frameOf("0200"))).length, 0);
		held[0].destroy();
		await new Promise((resolve) => setTimeout(resolve, 20));
		assert.equal(readAnswer(await exchange(port, frameOf("0200"))).code, "00");
		held[1].destroy();
	});

	it("close() may be called twice and leaves the port free", async () => {
		const server = newServer();
		const port = await server.listen();
		await server.close();
		await server.close();
		assert.equal(await newServer({ port }).listen(), port);
	});
});

async function connect(port: number): Promise<net.Socket> {
	const socket = net.connect(port, "127.0.0.1");
	socket.on("error", () => {});
	await new Promise((resolve) => socket.once("connect", resolve));
	await new Promise((resolve) => setTimeout(resolve, 10)); // Until the server has taken it in.
	return socket;
}

/** Sends, and gives back the first frame or, when the host hangs up without one, nothing. */
function exchange(port: number, bytes: Uint8Array): Promise<Uint8Array> {
	return new Promise((resolve, reject) => {
		const socket = net.connect(port, "127.0.0.1", () => socket.write(bytes));
		let received = Buffer.alloc(0);
		let refused: Error | undefined;
		socket.on("data", (data) => {
			received = Buffer.concat([received, data]);
			if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) socket.destroy();
		});
		socket.on("error", (error: NodeJS.ErrnoException) => {
			if (error.code === "ECONNREFUSED") refused = error;
		});
		socket.on("close", () => (refused === undefined ? resolve(received) : reject(refused)));
	});
}
