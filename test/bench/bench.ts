/**
 * `npm run bench -- journal`: figures of ours beside those of the stores that were measured on the same workload.
 * Prints figures and ratios; asserts nothing.
 */
import { parseArgs } from "node:util";
import { failCli, UsageError } from "../../host-sim/cli/args";
import { benchJournal, type JournalFigures } from "./journal-bench";

const USAGE = `npm run bench -- journal [--json]

  journal   1 MiB of 4 KiB blocks, 10,000 sales of 152 bytes in two records, settled every 500, after one full turn
  --json    the last line is one JSON object
  --help
`;

/** The same workload on other stores, measured on the same kind of machine. */
const PEERS = [
	["littlefs, append + sync", "4,266–4,568", "28–30", "2,052–2,088", "12.5 + 99 kB", "0 / 0"],
	["littlefs, file per transaction", "713–1,335", "4.7–8.8", "248–406", "0.1 + 25 MB", "0 / 0"],
	["ESP-IDF NVS, two keys per sale", "337", "2.21", "72", "406 + 240 kB", "1 / 1"],
	["FlashDB TSDB", "183", "1.20", "45", "17 + 264 kB", "0–4 / 70–149"],
	["FlashDB KVDB", "213", "1.40", "54", "1.4 + 1.5 MB", "0 / 3 stale"],
	["FCB", "156", "1.03", "38", "98 + 160 kB", "102 / 187 mounts fail"],
	["Moddable key-value storage", "444", "2.9", "62", "–", "73+ / 165+"],
] as const;

function row(cells: readonly (string | number)[]): void {
	const widths = [32, 13, 10, 14, 16, 22];
	process.stdout.write(`${cells.map((cell, n) => `${cell}`.padEnd(widths[n])).join(" ")}\n`);
}

function print(figures: JournalFigures): void {
	const mount = figures.mounts.find((candidate) => candidate.live === 499);
	row([
		`ours, write unit ${figures.writeAlign}`,
		figures.bytesPerSale.toFixed(1),
		figures.writeAmplification.toFixed(3),
		figures.erasesPerThousandSales.toFixed(1),
		`${((mount?.readBytes ?? 0) / 1000).toFixed(1)} kB`,
		"see test/journal",
	]);
}

function details(figures: JournalFigures): void {
	const out = (text: string) => process.stdout.write(`  ${text}\n`);
	process.stdout.write(`\nOurs, write unit ${figures.writeAlign}\n`);
	out(`wear: worst block ${figures.wearWorst}, spread ${figures.wearSpread} erases`);
	out(`erases in a sale's path: ${figures.erasesInSalePath}`);
	const times = [figures.saleMsP50, figures.saleMsP99, figures.saleMsWorst].map((ms) => ms.toFixed(1));
	out(`datasheet time of a sale's writes: p50 ${times[0]} ms, p99 ${times[1]} ms, worst ${times[2]} ms`);
	for (const mount of figures.mounts) {
		out(
			`mount at ${mount.live} live: ${mount.readBytes} bytes read, ${mount.liveBytes} live, ${mount.ms.toFixed(1)} ms`,
		);
	}
	out(`RAM: ${figures.ramBytes} bytes, ${figures.ramBytesPerLive} more for each live transaction`);
}

function main(): void {
	let parsed: ReturnType<typeof parseArgs>;
	try {
		const options = { json: { type: "boolean" }, help: { type: "boolean", short: "h" } } as const;
		parsed = parseArgs({ options, strict: true, allowPositionals: true });
	} catch (error) {
		throw new UsageError((error as Error).message);
	}
	if (parsed.values.help === true) {
		process.stdout.write(USAGE);
		return;
	}
	if (parsed.positionals.length !== 1 || parsed.positionals[0] !== "journal") {
		throw new UsageError("say what to measure: journal");
	}
	row(["store", "bytes/sale", "WA", "erases/1,000", "read at mount", "lost of 600 cuts r/e"]);
	for (const peer of PEERS) row(peer);
	const all = [1, 16, 32].map((align) => {
		process.stderr.write(`measuring with write unit ${align} …\n`);
		return benchJournal(align);
	});
	for (const figures of all) print(figures);
	for (const figures of all) details(figures);
	if (parsed.values.json !== true) return;
	const [ours] = all;
	const mount = ours.mounts.find((candidate) => candidate.live === 499);
	const journal = {
		writeAmplification: ours.writeAmplification,
		erasesPerThousandSales: ours.erasesPerThousandSales,
		wearSpread: ours.wearSpread,
		erasesInSalePath: ours.erasesInSalePath,
		mountReadBytes: mount?.readBytes,
		liveBytes: mount?.liveBytes,
		ramBytesPerLive: ours.ramBytesPerLive,
	};
	process.stdout.write(`${JSON.stringify({ journal })}\n`);
}

try {
	main();
} catch (error) {
	failCli(error);
}
