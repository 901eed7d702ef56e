/**
 * The short form of `npm run kill9`; goal and method in campaign.ts.
 */
import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Campaign, type CampaignResult } from "./campaign";

describe("kill -9 of terminal and host", function () {
	this.timeout(60_000);
	let directory = "";

	beforeEach(() => {
		directory = fs.mkdtempSync(path.join(os.tmpdir(), "kill9-test-"));
	});

	afterEach(() => {
		fs.rmSync(directory, { recursive: true });
	});

	function run(options: { faults?: string[]; reversals?: boolean; kills: [number, number] }): Promise<CampaignResult> {
		const { faults = [], reversals = true, kills } = options;
		const [terminalKills, hostKills] = kills;
		const print = () => {};
		return new Campaign({
			...{ directory, seed: 11, terminalKills, hostKills, speed: 200, quietS: 30, faults, reversals, print },
		}).run();
	}

	it("leaves the money where people were told it is, once both are back and at rest", async () => {
		const result = await run({ kills: [4, 2] });
		assert.deepEqual(result.failures, []);
		assert.deepEqual([result.kills, result.hostKills, result.oneSided, result.conserved], [4, 2, 0, true]);
		assert.ok(result.approved > 0);
	});

	it("can fail: without reversals, each lost answer leaves a one-sided entry", async () => {
		const result = await run({ kills: [1, 0], faults: ["answerLost=1"], reversals: false });
		assert.equal(result.conserved, false);
		assert.ok(result.oneSided > 0);
		assert.match(result.failures.join("\n"), /stan \d+: told not(hing| charged), the card is debited/);
	});
});
