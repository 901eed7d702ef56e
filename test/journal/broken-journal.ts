/**
 * The journal with one line of its source changed, to show that the searches can fail. A change whose text is no
 * longer found is an error, so that the list keeps up with the code.
 */
import { strict as assert } from "node:assert";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { JournalClient } from "../../src/journal/client";
import type { Journal } from "../../src/journal/journal";
import type { FlashPartition } from "../../src/ports";

/** One change of one file of src/journal. */
export interface Change {
	file: string;
	from: string;
	to: string;
}

const SOURCE = resolve(__dirname, "../../src");

/** @returns what makes journals that are broken in this way */
export function breakJournal(
	...changes: readonly Change[]
): (flash: FlashPartition, client: JournalClient, mirror?: FlashPartition) => Journal {
	const folder = mkdtempSync(join(tmpdir(), "journal-"));
	for (const { file } of changes) assert.ok(existsSync(join(SOURCE, "journal", file)), `src/journal has ${file}`);
	for (const name of readdirSync(join(SOURCE, "journal"))) {
		if (!name.endsWith(".ts")) continue;
		let text = readFileSync(join(SOURCE, "journal", name), "utf8");
		for (const change of changes) {
			if (change.file !== name) continue;
			assert.equal(text.split(change.from).length, 2, `${name} has once: ${change.from}`);
			text = text.replace(change.from, () => change.to);
		}
		// The same errors, so that `instanceof` means the same on both sides.
		writeFileSync(join(folder, name), text.replaceAll('"../', `"${SOURCE}/`));
	}
	const broken = require(join(folder, "journal.ts")) as typeof import("../../src/journal/journal");
	rmSync(folder, { recursive: true });
	return (flash, client, mirror) => new broken.Journal(flash, client, mirror);
}
