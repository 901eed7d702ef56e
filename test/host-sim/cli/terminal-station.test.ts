/**
 * Goal: a firmware that fails ends the process with the reason; it never goes on half alive.
 * Method: a station in this process, over a flash file of its own; no host is needed.
 */
import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Station } from "../../../host-sim/cli/terminal-station";
import { findTestCard } from "../../../host-sim/test-cards";
import { makeConfig } from "../../../src/config";
import { assert as firmwareAssert } from "../../../src/core/assert";

describe("a terminal in a process", () => {
	let directory = "";
	let station: Station | undefined;
	let reasons: string[] = [];

	beforeEach(() => {
		directory = fs.mkdtempSync(path.join(os.tmpdir(), "station-"));
		reasons = [];
	});

	afterEach(() => {
		station?.close();
		fs.rmSync(directory, { recursive: true });
	});

	function open(provision: boolean): Station {
		station = new Station({
			flashPath: path.join(directory, "flash"),
			...(provision ? { provision: { blocks: 16 } } : {}),
			host: "127.0.0.1",
			port: 9,
			speed: 100,
			config: makeConfig({ plainLinks: true }),
			log: { write: () => {} },
			onScreen: () => {},
			onSlip: () => {},
			onRestart: (reason) => reasons.push(reason),
		});
		return station;
	}

	it("opens, boots, closes, and opens again what it has begun", () => {
		open(true).boot();
		assert.equal(station?.till.screen?.name, "ready");
		station?.close();
		assert.equal(open(false).provisioned, false);
		station?.boot();
		assert.deepEqual(reasons, []);
	});

	it("an assertion of the firmware restarts it, with its reason, and the board is dead from then on", () => {
		open(true).boot();
		station?.attempt(() => firmwareAssert(false, "I3 planted"));
		assert.equal(reasons.length, 1);
		assert.match(reasons[0], /I3 planted/);
		station?.attempt(() => station?.terminal.sale(1_234));
		assert.equal(reasons.length, 1, "it restarts once");
	});

	it("a notebook that cannot be written restarts it before anybody is told anything", async () => {
		open(true).boot();
		const file = station?.notes.path ?? "";
		station?.notes.close();
		const seen = reasons;
		station?.reader.present({ card: findTestCard("chip") ?? assert.fail() });
		// No host: the screen says "no link", which speaks of no money and needs no note.
		station?.attempt(() => station?.terminal.sale(1_234));
		for (let n = 0; n < 200 && station?.terminal.phase !== "idle"; n++)
			await new Promise((done) => setTimeout(done, 10));
		assert.deepEqual(seen, []);
		station?.attempt(() => station?.notes.screen({ name: "approved", stan: 1, told: "paid" }, 0));
		assert.match(seen[0], /till notes .*EBADF|till notes .*flash/);
		assert.equal(fs.readFileSync(file, "utf8").trim().split("\n").length, 1);
	});
});
