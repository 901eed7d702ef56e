/**
 * Goal: no instance pays for its class's methods. On XS a private method (`#name()`) is a slot in every instance, 16 bytes
 * of the board's heap, as the language has each instance carry it; a method that TypeScript alone keeps private stands on
 * the prototype, once, in flash. Fields stay truly private: they take their slot either way.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const SOURCE = join(__dirname, "..", "src");
const PRIVATE_METHOD = /^\t+(?:(?:async|get|set) )*\*?#\w+\s*\(/m;

describe("methods of the firmware's classes", () => {
	it("are no slot of every instance: private by TypeScript, not by #", () => {
		const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
		assert.ok(files.length > 100);
		for (const file of files) {
			const found = PRIVATE_METHOD.exec(readFileSync(join(SOURCE, file), "utf8"));
			assert.equal(found, null, `${file}: ${found?.[0].trim()}...) is a slot of each instance: write "private name()"`);
		}
	});

	it("that would be are seen by this test", () => {
		for (const method of ["#f(", "get #f(", "async #f(", "*#f("]) {
			assert.match(`class A {\n\t${method}) {}\n}`, PRIVATE_METHOD);
		}
		assert.doesNotMatch(
			"class A {\n\treadonly #f = (x: number) => x;\n\tprivate f() {\n\t\tthis.#g();\n\t}\n}",
			PRIVATE_METHOD,
		);
	});
});
