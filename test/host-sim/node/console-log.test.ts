import assert from "node:assert/strict";
import { ConsoleLog, type ConsoleLogOptions } from "../../../host-sim/node/console-log";

function written(options: ConsoleLogOptions & { isTTY?: boolean }, write: (log: ConsoleLog) => void): string {
	let text = "";
	const { isTTY = false, ...rest } = options;
	write(new ConsoleLog({ stream: { isTTY, write: (part) => (text += part) }, ...rest }));
	return text;
}

describe("the console log", () => {
	it("prints lines as ESP-IDF does, without colours into a file", () => {
		const text = written({}, (log) => log.write("I", 12345.6, "journal", "mounted 499 live, 480 ms"));
		assert.equal(text, "I (12345) journal: mounted 499 live, 480 ms\n");
	});

	it("leaves out what is less important than asked", () => {
		const all = (log: ConsoleLog) => {
			for (const level of ["E", "W", "I", "D", "V"] as const) log.write(level, 1, "t", "x");
		};
		assert.equal(written({}, all).split("\n").length - 1, 3);
		assert.equal(written({ level: "V" }, all).split("\n").length - 1, 5);
		assert.equal(written({ level: "E" }, all), "E (1) t: x\n");
	});

	it("colours by level on a terminal, and says whose log it is", () => {
		const text = written({ colours: true, prefix: "T1 " }, (log) => log.write("E", 1, "t", "x"));
		assert.equal(text, "T1 \u001b[31mE (1) t: x\u001b[39m\n");
	});

	it("keeps each line one line, whatever is in its text", () => {
		const text = written({}, (log) => log.write("W", 1, "t", "a\r\nI (1) forged: b\u001b[2J\u009bc"));
		assert.equal(text, "W (1) t: a I (1) forged: b [2J c\n");
	});
});
