/** One run of the tests that hold properties, in a process of its own, under one seed. */
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const ROOT = path.join(__dirname, "../..");
const MOCHA = ["node_modules/mocha/bin/mocha.js", "--no-config", "--require", "ts-node/register"];
const SEED_FILE = "test/properties/seed.ts";
/** Ten times what the slowest of them takes on a slow machine. */
const TEST_TIMEOUT_MS = 600_000;
const OUTPUT_BYTES_MAX = 64 << 20;

export interface Failure {
	readonly seed: number;
	readonly title: string;
	readonly message: string;
}

export interface Run {
	readonly seed: number;
	readonly passed: number;
	readonly failures: readonly Failure[];
}

/** The part of mocha's JSON report that is read here. */
interface MochaReport {
	readonly stats: { readonly passes: number };
	readonly failures: readonly { readonly fullTitle: string; readonly err: { readonly message?: string } }[];
}

/** Test files that use fast-check, as paths from the root; of those, what contains one of `parts`, or all. */
export function propertyFiles(parts: readonly string[]): string[] {
	return fs
		.readdirSync(path.join(ROOT, "test"), { recursive: true, encoding: "utf8" })
		.map((file) => `test/${file.replaceAll("\\", "/")}`)
		.filter((file) => file.endsWith(".test.ts"))
		.filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
		.filter((file) => fs.readFileSync(path.join(ROOT, file), "utf8").includes('from "fast-check"'))
		.sort();
}

/** @throws {Error} with all that was said, when mocha did not come to its report */
export async function runSeed(seed: number, files: readonly string[]): Promise<Run> {
	const directory = fs.mkdtempSync(path.join(os.tmpdir(), "properties-"));
	const output = path.join(directory, "report.json");
	const report = ["--reporter", "json", "--reporter-option", `output=${output}`, "--timeout", `${TEST_TIMEOUT_MS}`];
	try {
		const said = await finished([...MOCHA, "--require", `./${SEED_FILE}`, ...report, ...files], seed);
		if (!fs.existsSync(output)) throw new Error(`no report under seed ${seed}:\n${said.trim()}`);
		const { stats, failures } = JSON.parse(fs.readFileSync(output, "utf8")) as MochaReport;
		return {
			seed,
			passed: stats.passes,
			failures: failures.map(({ fullTitle, err }) => ({ seed, title: fullTitle, message: err.message ?? "" })),
		};
	} finally {
		fs.rmSync(directory, { recursive: true });
	}
}

/** @returns what it said, whatever its exit code: that is the number of failures */
function finished(argv: readonly string[], seed: number): Promise<string> {
	const env = { ...process.env, PROPERTY_SEED: `${seed}` };
	return new Promise((resolve) => {
		execFile(process.execPath, argv, { cwd: ROOT, env, maxBuffer: OUTPUT_BYTES_MAX }, (_error, stdout, stderr) => {
			resolve(`${stderr}\n${stdout}`);
		});
	});
}
