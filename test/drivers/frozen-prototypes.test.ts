/**
 * Goal: our errors keep their names, codes and texts on the board. There the engine's own prototypes are frozen, and
 * `error.name = …` throws a TypeError in place of the error (found when the firmware first ran on XS).
 * Method: a process of its own, frozen the same way.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as path from "node:path";

const ROOT = path.join(__dirname, "..", "..");
const PROGRAM = `
	const { AssertionError, assert } = require("./src/core/assert");
	const { CodedError } = require("./src/core/errors");
	for (const prototype of [Object.prototype, Error.prototype, TypeError.prototype]) Object.freeze(prototype);
	const caught = (action) => { try { action(); } catch (error) { return error; } };
	const ours = caught(() => assert(false, "I0 never"));
	const coded = caught(() => { throw new CodedError("range", "config x", "1 to 2"); });
	process.stdout.write(JSON.stringify([
		ours instanceof AssertionError, ours.name, ours.message,
		coded instanceof CodedError, coded.name, coded.message, coded.code, coded.place,
	]));
`;

describe("errors where the engine's prototypes are frozen", () => {
	it("are made, and are what they say", () => {
		const run = spawnSync(process.execPath, ["-r", "ts-node/register", "-e", PROGRAM], { cwd: ROOT, encoding: "utf8" });
		assert.equal(run.status, 0, run.stderr);
		assert.deepEqual(JSON.parse(run.stdout), [
			...[true, "AssertionError", "I0 never"],
			...[true, "CodedError", "config x: range, 1 to 2", "range", "config x"],
		]);
	});
});
