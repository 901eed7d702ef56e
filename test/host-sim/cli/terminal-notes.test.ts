import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { NotesFile, notesPath, TillNotes } from "../../../host-sim/cli/terminal-notes";
import { CodedError } from "../../../src/core/errors";
import type { MoneySlip } from "../../../src/ports";

const NOW = Date.UTC(2026, 10, 22, 1, 0, 0);
const JOURNAL = 0xa1b2c3d4;

const SLIP: MoneySlip = {
	name: "sale",
	copy: "customer",
	reprint: false,
	stan: 7,
	batch: 1,
	amountMinor: 1_234,
	card: "621234******1232",
	rrn: "000000000001",
	authorization: "123456",
	time: NOW,
	terminalId: "12345678",
	merchantId: "123456789012345",
	told: "paid",
};

describe("the till's notebook on disk", () => {
	let file = "";

	beforeEach(() => {
		file = notesPath(path.join(fs.mkdtempSync(path.join(os.tmpdir(), "notes-")), "flash"));
	});

	afterEach(() => {
		fs.rmSync(path.dirname(file), { recursive: true });
	});

	function write(...lines: string[]): void {
		fs.writeFileSync(file, lines.join("\n"));
	}

	function codeOf(action: () => unknown): string {
		try {
			action();
		} catch (error) {
			assert.ok(error instanceof CodedError, String(error));
			assert.equal(error.message.includes("\n"), false);
			return error.code;
		}
		return "none";
	}

	it("each statement is on disk when the call returns; the latest about a sale counts, also after a restart", () => {
		const notes = NotesFile.open(file, JOURNAL);
		assert.equal(notes.created, true);
		notes.screen({ name: "approved", stan: 7, amountMinor: 1_234, told: "paid" }, NOW);
		assert.equal(new TillNotes(file).told(7), "paid");
		notes.screen({ name: "waitForHost", stan: 8 }, NOW);
		notes.screen({ name: "noAnswer", stan: 8, told: "notCharged" }, NOW);
		notes.slip(SLIP, NOW);
		notes.screen({ name: "reversalStarted", stan: 7, told: "notCharged" }, NOW);
		const read = new TillNotes(file);
		assert.deepEqual(
			read.notes.map(({ source, stan, name, told }) => [source, stan, name, told]),
			[
				["screen", 7, "approved", "paid"],
				["screen", 8, "noAnswer", "notCharged"],
				["slip", 7, "sale", "paid"],
				["screen", 7, "reversalStarted", "notCharged"],
			],
		);
		assert.deepEqual(read.notes[2].slip, SLIP);
		notes.close();
		notes.close();
		const again = NotesFile.open(file, JOURNAL);
		assert.deepEqual(
			[again.created, again.told(7), again.told(8), again.told(9)],
			[false, "notCharged", "notCharged", undefined],
		);
		assert.deepEqual(again.stans(), [7, 8]);
		again.close();
	});

	it("a last line that a kill tore is cut off at any byte, and the notebook goes on", () => {
		const first = NotesFile.open(file, JOURNAL);
		first.screen({ name: "approved", stan: 7, told: "paid" }, NOW);
		first.close();
		const whole = fs.readFileSync(file);
		const line = `{"at":"x","source":"screen","stan":8,"name":"declined","told":"notCharged"}`;
		for (let bytes = 1; bytes <= line.length; bytes += 7) {
			fs.writeFileSync(file, Buffer.concat([whole, Buffer.from(line.slice(0, bytes))]));
			assert.equal(new TillNotes(file).tornBytes, bytes);
			const notes = NotesFile.open(file, JOURNAL);
			assert.deepEqual([notes.tornBytes, notes.stans()], [bytes, [7]]);
			notes.screen({ name: "declined", stan: 9, told: "notCharged" }, NOW);
			notes.close();
			assert.deepEqual(new TillNotes(file).stans(), [7, 9]);
		}
	});

	it("a file that is no notebook, or another journal's, or newer, or damaged, is refused and stays as it is", () => {
		const header = `{"format":"unsettled-till","version":1,"journal":"A1B2C3D4"}`;
		const note = `{"at":"x","source":"screen","stan":7,"name":"approved","told":"paid"}`;
		for (const [code, lines] of [
			["none", [header, note, ""]],
			["foreign", ["my diary", ""]],
			["foreign", [""]],
			["foreign", [`{"format":"other","version":1}`, ""]],
			["foreign", [header.replace("A1", "A2"), note, ""]],
			["newer", [header.replace(":1", ":2"), "whatever", ""]],
			["damaged", [header.replace("A1B2C3D4", "zz"), ""]],
			["damaged", [header, "{", note, ""]],
			["damaged", [header, note.replace("7", `"7"`), ""]],
			["damaged", [header, note.replace("paid", "perhaps"), ""]],
			["damaged", [header, "null", ""]],
		] as const) {
			write(...lines);
			const before = fs.readFileSync(file, "latin1");
			assert.equal(
				codeOf(() => NotesFile.open(file, JOURNAL).close()),
				code,
				lines.join(" / "),
			);
			assert.equal(fs.readFileSync(file, "latin1"), before);
		}
		assert.equal(
			codeOf(() => new TillNotes(path.join(file, "nowhere"))),
			"flash",
		);
		assert.equal(
			codeOf(() => new TillNotes(`${file}.none`)),
			"missing",
		);
	});
});
