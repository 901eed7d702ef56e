/**
 * Goal: the image survives everything that happens to its process, and nothing else is ever written to. Method: real
 * files in a directory of the test's own, real processes for the lock.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Power, PowerLost } from "../../../host-sim/board/power";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { FileFlash } from "../../../host-sim/node/file-flash";
import { CodedError } from "../../../src/core/errors";

const CREATE = { createBlocks: 4 };
const coded =
	(code: string, text = "") =>
	(error: unknown) =>
		error instanceof CodedError && error.code === code && error.message.includes(text) && !error.message.includes("\n");

describe("flash in a file", () => {
	let folder: string;
	let file: string;

	beforeEach(() => {
		folder = fs.mkdtempSync(path.join(os.tmpdir(), "flash-"));
		file = path.join(folder, "journal.bin");
	});

	afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

	it("is created erased when asked for, keeps what was programmed, and leaves no lock behind", () => {
		const first = FileFlash.open(file, CREATE);
		const flash = first.boot(new Power());
		assert.deepEqual(flash.status().blocks, 4);
		flash.write(Uint8Array.of(1, 2, 3), 4096);
		flash.write(new Uint8Array(300), 8192);
		flash.eraseBlock(2);
		first.close();
		first.close();
		const again = FileFlash.open(file, CREATE);
		assert.deepEqual(new Uint8Array(again.boot(new Power()).read(4, 4096)), Uint8Array.of(1, 2, 3, 0xff));
		assert.deepEqual(new Uint8Array(fs.readFileSync(file)), again.medium.image);
		again.close();
		assert.deepEqual(fs.readdirSync(folder), ["journal.bin"]);
	});

	it("each operation is in the file before its call returns", () => {
		const flashFile = FileFlash.open(file, CREATE);
		const flash = flashFile.boot(new Power());
		flash.write(Uint8Array.of(0x12), 5);
		assert.equal(fs.readFileSync(file)[5], 0x12);
		flash.eraseBlock(0);
		assert.equal(fs.readFileSync(file)[5], 0xff);
		flashFile.close();
		assert.throws(() => flash.write(Uint8Array.of(0), 5), coded("state", "closed"));
	});

	it("a torn operation leaves the same in the file as in memory, and the next boot goes on from there", () => {
		const flashFile = FileFlash.open(file, CREATE);
		const flash = flashFile.boot(new Power(), new SeededRandom(1));
		flash.cutAt(1, 100, 4);
		assert.throws(() => flash.write(new Uint8Array(200), 0), PowerLost);
		const torn = fs.readFileSync(file).subarray(0, 200);
		assert.ok(torn.some((cell) => cell !== 0xff) && torn.some((cell) => cell !== 0));
		assert.deepEqual(new Uint8Array(fs.readFileSync(file)), flashFile.medium.image);
		flashFile.boot(new Power()).eraseBlock(0);
		flashFile.close();
		assert.equal(fs.readFileSync(file)[0], 0xff);
	});

	it("a missing file is an error unless it is to be created, and nothing comes into being", () => {
		assert.throws(() => FileFlash.open(file), coded("missing", file));
		assert.deepEqual(fs.readdirSync(folder), []);
		assert.throws(() => FileFlash.open(path.join(folder, "none", "x"), CREATE), coded("missing"));
	});

	it("refuses files of a wrong size, and leaves them as they were", () => {
		for (const [size, text] of [
			[0, "0 bytes, at least 4 blocks of 4096 are expected"],
			[100, "100 bytes, at least 4 blocks of 4096 are expected"],
			[4096 * 3, "12288 bytes, at least 4 blocks"],
			[4096 * 4 + 1, "16385 bytes, whole blocks of 4096 are expected"],
			[4096 * 5 - 1, "20479 bytes, whole blocks"],
		] as const) {
			const content = new Uint8Array(size).fill(7);
			fs.writeFileSync(file, content);
			assert.throws(() => FileFlash.open(file, CREATE), coded("length", text));
			assert.deepEqual(new Uint8Array(fs.readFileSync(file)), content);
			assert.deepEqual(fs.readdirSync(folder), ["journal.bin"]);
		}
		fs.rmSync(file);
		assert.throws(() => FileFlash.open(file, { createBlocks: 3 }), coded("length"));
		assert.deepEqual(fs.readdirSync(folder), []);
	});

	it("refuses a directory and a device", () => {
		fs.mkdirSync(file);
		assert.throws(() => FileFlash.open(file, CREATE), coded("format", "a directory"));
		fs.rmdirSync(file);
		fs.symlinkSync("/dev/null", file);
		assert.throws(() => FileFlash.open(file, CREATE), coded("format", "not a file"));
	});

	it("refuses a file it may not write to", () => {
		FileFlash.open(file, CREATE).close();
		fs.chmodSync(file, 0o444);
		if (process.getuid?.() !== 0) {
			assert.throws(() => FileFlash.open(file), coded("flash", "permission denied"));
			return;
		}
		// The system refuses root nothing, so somebody else tries.
		fs.chmodSync(folder, 0o777);
		const asNobody = opener(file, "process.setgid(65534); process.setuid(65534);");
		const other = spawnSync(process.execPath, ["-r", "ts-node/register", "-e", asNobody], { encoding: "utf8" });
		assert.match(other.stdout, /^refused: .*permission denied/);
	});

	it("only one user at a time, in this process as between two", () => {
		const mine = FileFlash.open(file, CREATE);
		assert.throws(() => FileFlash.open(file), coded("state", `process ${process.pid}`));
		const other = spawnSync(process.execPath, ["-r", "ts-node/register", "-e", opener(file)], { encoding: "utf8" });
		assert.match(other.stdout, /^refused: .*locked by process/);
		mine.close();
		FileFlash.open(file).close();
	});

	it("takes over the lock of a process that was killed, with what it had written", async () => {
		const child = spawn(process.execPath, [
			"-r",
			"ts-node/register",
			"-e",
			`${opener(file)}; setInterval(()=>{}, 1e6)`,
		]);
		await new Promise((resolve) => child.stdout.once("data", resolve));
		assert.throws(() => FileFlash.open(file), coded("state", `process ${child.pid}`));
		const gone = new Promise((resolve) => child.once("exit", resolve));
		child.kill("SIGKILL");
		await gone;
		assert.ok(fs.existsSync(`${file}.lock`));
		const flashFile = FileFlash.open(file);
		assert.equal(flashFile.medium.image[0], 0x42);
		flashFile.close();
		assert.deepEqual(fs.readdirSync(folder), ["journal.bin"]);
	});

	it("recognises a stale lock whose number now belongs to another process", () => {
		assert.ok(fs.existsSync("/proc/self/stat"), "this test needs Linux");
		FileFlash.open(file, CREATE).close();
		fs.writeFileSync(`${file}.lock`, `${process.pid} 1\n`);
		FileFlash.open(file).close();
	});

	it("leaves a lock file alone that it did not write", () => {
		FileFlash.open(file, CREATE).close();
		fs.writeFileSync(`${file}.lock`, "somebody's notes\n");
		assert.throws(() => FileFlash.open(file), coded("state", "another kind"));
		assert.equal(fs.readFileSync(`${file}.lock`, "utf8"), "somebody's notes\n");
	});
});

/** Source of a process that opens `file`, programs one byte, says so, and keeps the file open. */
function opener(file: string, before = ""): string {
	const module = (name: string) => JSON.stringify(path.join(__dirname, "../../../host-sim", name));
	return `
		const { FileFlash } = require(${module("node/file-flash")});
		const { Power } = require(${module("board/power")});
		${before}
		try {
			const flashFile = FileFlash.open(${JSON.stringify(file)}, { createBlocks: 4 });
			flashFile.boot(new Power()).write(Uint8Array.of(0x42), 0);
			console.log("open");
		} catch (error) {
			console.log("refused: " + error.message);
		}`;
}
