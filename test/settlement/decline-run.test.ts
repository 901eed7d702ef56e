import assert from "node:assert/strict";
import { makeConfig } from "../../src/config";
import { DeclineRun } from "../../src/settlement/decline-run";

const config = makeConfig({ declineRunMax: 8, declineRunSystemMax: 3, declineRunCardMax: 16 });

function percentAfter(...codes: string[]): number {
	const run = new DeclineRun(config);
	for (const code of codes) run.answered(code);
	return run.percent;
}

describe("a run of declines", () => {
	it("is a share of what is too much for its code", () => {
		assert.equal(percentAfter(), 0);
		assert.equal(percentAfter(...Array<string>(8).fill("05")), 100);
		assert.equal(percentAfter(...Array<string>(7).fill("05")), 87);
		assert.equal(percentAfter(...Array<string>(8).fill("51")), 50, "about cards");
		assert.equal(percentAfter(...Array<string>(16).fill("55")), 100);
		assert.equal(percentAfter(...Array<string>(3).fill("91")), 100, "about issuer or host");
	});

	it("takes all codes of an issuer or a host that is away for one", () => {
		assert.equal(percentAfter("91", "96", "A0"), 100);
	});

	it("ends with an approval, and begins anew with another code", () => {
		assert.equal(percentAfter("91", "91", "91", "00"), 0);
		assert.equal(percentAfter("91", "91", "00", "91"), 33);
		assert.equal(percentAfter("91", "91", "51"), 6);
		assert.equal(percentAfter("05", "05", "03"), 12);
	});

	it("a code that nobody knows is a decline like others", () => {
		assert.equal(percentAfter(...Array<string>(8).fill("Z9")), 100);
	});
});
