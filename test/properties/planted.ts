/** Two properties for runs.test.ts: one holds, one does not. No test by its name, so `npm test` passes it by. */
import * as assert from "node:assert/strict";
import * as fc from "fast-check";

describe("planted", () => {
	it("holds", () => {
		fc.assert(fc.property(fc.integer(), (value) => Number.isInteger(value)));
	});

	it("does not", () => {
		fc.assert(fc.property(fc.integer(), (value) => assert.ok(value < 1000, `drew ${value}`)));
	});
});
