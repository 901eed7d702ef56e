/** Goal: `npm start` and `npm run days` run over TLS when asked to, and statement and figures say over what they ran. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { readDay, replayLine } from "../../../host-sim/cli/day-options";

const ROOT = path.join(__dirname, "../../..");
const VALUES = { sales: 9, faults: "none", mirror: false, "no-reversals": false, scheme: "session" };

function run(command: "day" | "days", ...argv: string[]) {
	const program = [
		"-r",
		"ts-node/register",
		`host-sim/cli/${command === "day" ? "start" : command}.ts`,
		"--faults",
		"none",
		"--json",
		...argv,
	];
	const { status, stdout, stderr } = spawnSync(process.execPath, program, {
		...{ cwd: ROOT, encoding: "utf8", timeout: 60_000 },
	} as const);
	assert.equal(status, 0, stdout + stderr);
	return { stdout, figures: JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<string, unknown> };
}

describe("--tls of the trading day", function () {
	this.timeout(60_000);

	it("runs over TLS with certificates made for the run, and says so", () => {
		const { stdout, figures } = run("day", "--tls", "--sales", "3");
		assert.match(stdout, /^A trading day: 3 customers, faults: none, seed 1, over TLS$/m);
		assert.match(stdout, /^ +Link: TLS 1\.3, both certificates checked$/m);
		assert.deepEqual([figures.tls, figures.tlsProtocol, figures.conserved], [true, "TLSv1.3", true]);
	});

	it("without it says that the link is plain", () => {
		const { stdout, figures } = run("day", "--sales", "1");
		assert.match(stdout, /^ +Link: plain TCP, allowed by configuration$/m);
		assert.deepEqual([figures.tls, figures.tlsProtocol], [false, undefined]);
	});

	it("days of one run share their certificates", () => {
		const { stdout, figures } = run("days", "--tls", "--sales", "1", "--seeds", "1..2");
		assert.deepEqual([figures.tls, figures.balanced], [true, 2]);
		assert.match(stdout, /^seed 1: .* TLSv1\.3, /m);
	});

	it("a day over TLS is replayed over TLS", async () => {
		const day = await readDay({ ...VALUES, tls: true });
		assert.equal(replayLine(3, day), "replay: npm start -- --seed 3 --sales 9 --faults none --tls");
		const plain = await readDay({ ...VALUES, tls: false });
		assert.equal(plain.tls, undefined);
		assert.doesNotMatch(replayLine(3, plain), /tls/);
	});
});
