/**
 * Goal: journal and mirror in two files: either may be missing, neither is ever touched when something is not as it
 * should be. Method: real files in a directory of the test's own, the whole directory compared before and after.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { CUT_AFTER } from "../../../host-sim/board/flash-cut";
import { Power, PowerLost } from "../../../host-sim/board/power";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { FlashFiles, type FlashFilesOptions, flashExists, mirrorPath } from "../../../host-sim/node/flash-files";
import { CodedError } from "../../../src/core/errors";

const BLOCKS = 8;
const SIZE = BLOCKS * 4096;

describe("flash and its mirror in files", () => {
	let folder = "";
	let file = "";
	let mirror = "";

	beforeEach(() => {
		folder = fs.mkdtempSync(path.join(os.tmpdir(), "flash-files-"));
		file = path.join(folder, "flash");
		mirror = mirrorPath(file);
	});

	afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

	/** Opens, looks, closes. */
	function open(options: Partial<FlashFilesOptions> = {}, use: (files: FlashFiles) => void = () => {}): void {
		const files = FlashFiles.open({ path: file, mirror: true, ...options });
		try {
			use(files);
		} finally {
			files.close();
			files.close();
		}
	}

	/** One line that names a file and what is expected, and nothing in the directory is another than before. */
	function refuses(options: Partial<FlashFilesOptions>, code: string, named: string, text: RegExp): void {
		const before = listing(folder);
		assert.throws(
			() => open(options),
			(error: unknown) => {
				assert.ok(error instanceof CodedError);
				assert.equal(error.code, code, error.message);
				assert.ok(error.message.startsWith(`flash file ${named}: `), error.message);
				assert.match(error.message, text);
				assert.doesNotMatch(error.message, /\n/);
				return true;
			},
		);
		assert.deepEqual(listing(folder), before);
	}

	it("are made together, and each operation is in its file", () => {
		assert.equal(flashExists(file, true), false);
		open({ createBlocks: BLOCKS }, (files) => {
			const flash = files.boot(new Power(), new SeededRandom(1));
			flash.journal.write(Uint8Array.of(1), 0);
			flash.mirror?.write(Uint8Array.of(2), 4096);
			assert.deepEqual([fs.readFileSync(file)[0], fs.readFileSync(mirror)[4096]], [1, 2]);
		});
		assert.deepEqual(fs.readdirSync(folder), ["flash", "flash.mirror"]);
		assert.deepEqual([fs.statSync(file).size, fs.statSync(mirror).size], [SIZE, SIZE]);
	});

	it("count their operations together: a cut may strike either", () => {
		open({ createBlocks: BLOCKS }, (files) => {
			const flash = files.boot(new Power(), new SeededRandom(1));
			flash.journal.cutAt(2, CUT_AFTER);
			flash.journal.write(Uint8Array.of(1), 0);
			assert.throws(() => flash.mirror?.write(Uint8Array.of(2), 0), PowerLost);
			assert.throws(() => flash.journal.read(1, 0), PowerLost);
			assert.equal(fs.readFileSync(mirror)[0], 2);
		});
	});

	it("the one that is missing is made erased, as large as the other", () => {
		for (const [kept, lost] of [
			[file, mirror],
			[mirror, file],
		]) {
			open({ createBlocks: BLOCKS });
			fs.writeFileSync(kept, new Uint8Array(SIZE).fill(7));
			fs.rmSync(lost);
			assert.equal(flashExists(file, true), true);
			open({ createBlocks: 99 });
			assert.ok(fs.readFileSync(lost).every((cell) => cell === 0xff));
			assert.equal(fs.statSync(lost).size, SIZE);
			assert.ok(fs.readFileSync(kept).every((cell) => cell === 7));
			for (const name of [file, mirror]) fs.rmSync(name);
		}
	});

	it("nothing comes into being where both are missing and none was asked for", () => {
		refuses({}, "missing", file, /a flash image is expected/);
		refuses({ mirror: false }, "missing", file, /a flash image is expected/);
	});

	it("refuses a truncated file, and two of different sizes, whichever it is", () => {
		for (const [whole, other] of [
			[file, mirror],
			[mirror, file],
		]) {
			fs.writeFileSync(whole, new Uint8Array(SIZE).fill(7));
			for (const [size, text] of [
				[0, /0 bytes, at least 4 blocks of 4096 are expected/],
				[SIZE - 1, /32767 bytes, whole blocks of 4096 are expected/],
			] as const) {
				fs.writeFileSync(other, new Uint8Array(size).fill(7));
				refuses({}, "length", other, text);
			}
			fs.writeFileSync(other, new Uint8Array(SIZE - 4096).fill(7));
			refuses({}, "length", mirror, /two copies are of one size/);
			for (const name of [file, mirror]) fs.rmSync(name);
		}
	});

	it("refuses a directory, a link that leads nowhere, and one file under two names", () => {
		open({ createBlocks: BLOCKS });
		fs.rmSync(mirror);
		fs.mkdirSync(mirror);
		refuses({}, "format", mirror, /a directory, a file of whole blocks is expected/);
		fs.rmdirSync(mirror);
		fs.symlinkSync(path.join(folder, "nowhere"), mirror);
		refuses({ createBlocks: BLOCKS }, "flash", mirror, /ENOENT/);
		fs.rmSync(mirror);
		for (const join of [fs.symlinkSync, fs.linkSync]) {
			join(file, mirror);
			refuses({}, "state", mirror, /is the same file as/);
			fs.rmSync(mirror);
		}
	});

	it("refuses a mirror that may not be read, and makes none in its place", () => {
		open({ createBlocks: BLOCKS });
		fs.chmodSync(mirror, 0o000);
		if (process.getuid?.() !== 0) {
			refuses({}, "flash", mirror, /permission denied/);
			return;
		}
		// The system refuses root nothing, so somebody else tries.
		fs.chmodSync(folder, 0o777);
		fs.chmodSync(file, 0o666);
		const module = JSON.stringify(path.join(__dirname, "../../../host-sim/node/flash-files"));
		const program = `
			const { FlashFiles } = require(${module});
			process.setgid(65534); process.setuid(65534);
			try { FlashFiles.open({ path: ${JSON.stringify(file)}, mirror: true, createBlocks: 8 }); }
			catch (error) { console.log(error.message); }`;
		const other = spawnSync(process.execPath, ["-r", "ts-node/register", "-e", program], { encoding: "utf8" });
		assert.equal(other.stdout, `flash file ${mirror}: flash, permission denied\n`, other.stderr);
		assert.deepEqual(fs.readdirSync(folder), ["flash", "flash.mirror"]);
	});

	it("a mirror that is there may not be left behind", () => {
		open({ createBlocks: BLOCKS });
		refuses({ mirror: false }, "state", file, /has a mirror, .*: use it as well, or move it away/);
		fs.rmSync(mirror);
		open({ mirror: false }, (files) => {
			assert.equal(files.boot(new Power(), new SeededRandom(1)).mirror, undefined);
		});
	});

	it("only one user at a time has them, and who is refused holds neither", () => {
		open({ createBlocks: BLOCKS }, () => refuses({}, "state", file, /locked by process/));
		fs.writeFileSync(`${mirror}.lock`, "somebody's notes\n");
		refuses({}, "state", mirror, /lock file of another kind/);
		fs.rmSync(`${mirror}.lock`);
		open();
	});
});

/** Names and content of all that is in a directory. */
function listing(folder: string): string[] {
	return fs.readdirSync(folder).map((name) => {
		const stat = fs.lstatSync(path.join(folder, name));
		return `${name} ${stat.size} ${stat.isFile() ? fs.readFileSync(path.join(folder, name)).toString("base64") : ""}`;
	});
}
