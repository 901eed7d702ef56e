import * as assert from "node:assert/strict";
import { readOptions, UsageError } from "../../../host-sim/cli/args";

const SPECS = {
	port: { type: "number", min: 0, max: 65535, default: 8583 },
	rate: { type: "number", min: 0, max: 1, fraction: true },
	data: { type: "text" },
	faults: { type: "text", oneOf: ["none", "all"], default: "none" },
	fault: { type: "list" },
	json: { type: "flag" },
} as const;

describe("command line options", () => {
	it("defaults stand where nothing is given", () => {
		assert.deepEqual(readOptions(SPECS, []), {
			port: 8583,
			rate: undefined,
			data: undefined,
			faults: "none",
			fault: [],
			json: false,
		});
	});

	it("values are read in both spellings, lists collect", () => {
		const argv = [
			"--port=0",
			"--rate",
			"0.25",
			"--data",
			"d",
			"--faults=all",
			"--fault",
			"a=1",
			"--fault=b=0",
			"--json",
		];
		assert.deepEqual(readOptions(SPECS, argv), {
			port: 0,
			rate: 0.25,
			data: "d",
			faults: "all",
			fault: ["a=1", "b=0"],
			json: true,
		});
	});

	it("--help wins over everything that is otherwise right", () => {
		assert.equal(readOptions(SPECS, ["--port", "1", "--help"]), undefined);
		assert.equal(readOptions(SPECS, ["-h"]), undefined);
	});

	it("every mistake is one line that names the option", () => {
		for (const [argv, message] of [
			[["--bogus"], /--bogus/],
			[["stray"], /stray/],
			[["--port"], /--port/],
			[["--port", "65536"], /--port is an integer from 0 to 65535/],
			[["--port=-1"], /--port is an integer/],
			[["--port", "0x10"], /--port/],
			[["--port", "1.5"], /--port/],
			[["--port", ""], /--port/],
			[["--port", "1", "--port", "2"], /given 2 times/],
			[["--rate", "1.1"], /--rate is a number from 0 to 1/],
			[["--rate", "1e-1"], /--rate/],
			[["--rate", "NaN"], /--rate/],
			[["--data", ""], /--data needs a value/],
			[["--faults", "some"], /--faults is one of none, all/],
			[["--json=yes"], /--json/],
		] as const) {
			assert.throws(
				() => readOptions(SPECS, argv),
				(error) => error instanceof UsageError && message.test(error.message) && !error.message.includes("\n"),
				argv.join(" "),
			);
		}
	});
});
