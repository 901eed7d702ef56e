/**
 * Sales by the hundred thousand on a flash of 64 KiB, with power cuts and settlements, beside a plain model:
 *
 *	npm run sales -- --sales 100000 --seed 1
 *
 * A line for every 10,000 sales, so that anything that grows with the age of the terminal is seen; exit code 1 and the
 * command that replays it when anything acknowledged is lost or changed, or anything settled comes back.
 */
import { endOnClosedOutput, parseCli } from "../../host-sim/cli/args";
import type { SalesRow } from "./sales-meter";
import { searchSales } from "./sales-world";

const USAGE = `
npm run sales -- [options]

  --sales N         sales (default 100000)
  --seed N          the same seed gives the same run (default 1)
  --settle-every N  sales between two settlements (default 50)
  --blocks N        blocks of 4 KiB (default 16)
  --align N         write unit: 1 | 4 | 16 | 32 (default 1)
  --capacity N      transactions in the index (default 128)
  --cut-within N    a power cut within so many flash operations, half of it on average; 0 for none (default 90)
  --mirror          a second copy on another flash; figures are then of both
  --json            the last line is one JSON object
  --help

Exit code: 0 nothing was lost, changed or came back; 1 something was; 2 a mistake on the command line.
`;

const ROW_SALES = 10_000;

const options = parseCli({
	usage: USAGE,
	options: {
		sales: { type: "number", min: 1, max: 100_000_000, default: 100_000 },
		seed: { type: "number", min: 0, max: 0xffff_ffff, default: 1 },
		"settle-every": { type: "number", min: 1, max: 990, default: 50 },
		blocks: { type: "number", min: 6, max: 4_096, default: 16 },
		align: { type: "text", default: "1", oneOf: ["1", "4", "16", "32"] },
		capacity: { type: "number", min: 8, max: 4_096, default: 128 },
		"cut-within": { type: "number", min: 0, max: 1_000_000, default: 90 },
		mirror: { type: "flag" },
		json: { type: "flag" },
	},
});

endOnClosedOutput();

const print = (cells: readonly (string | number)[]): void => {
	process.stdout.write(`${cells.map((cell) => `${cell}`.padStart(11)).join("")}\n`);
};

const started = performance.now();
print(["sales", "flash B", "erases", "flash ms", "worst ms", "boots", "B a mount", "RAM B", "wall ms"]);
let done = 0;
const { sales, seed, blocks, capacity, mirror } = options;

try {
	const result = searchSales({
		sales,
		seed,
		blocks,
		capacity,
		mirror,
		writeAlign: Number(options.align),
		settleEvery: options["settle-every"],
		cutWithin: options["cut-within"],
		rowSales: Math.min(ROW_SALES, sales),
		onRow: (row: SalesRow) => {
			done += row.sales;
			const read = row.boots === 0 ? 0 : Math.round(row.bytesReadAtMount / row.boots);
			const { bytesProgrammed, erases, flashMs, saleMsWorst, boots, ramBytes, wallMs } = row;
			const ms = [Math.round(flashMs), saleMsWorst.toFixed(1)];
			print([done, bytesProgrammed, erases, ...ms, boots, read, ramBytes, Math.round(wallMs)]);
		},
	});
	const wallMs = Math.round(performance.now() - started);
	const { rows, ...sum } = result;
	process.stdout.write(
		`\n${sum.sales} sales: ${sum.delivered} delivered, ${sum.declined} declined, ${sum.abandoned} abandoned, ` +
			`${sum.reversed} reversed, ${sum.interrupted} interrupted; ${sum.settlements} settlements carried ` +
			`${sum.carried} that were open; ${sum.forwarded} advices answered, ${sum.stansTaken} STANs and ${sum.adopted} ` +
			`batches taken; ${sum.cuts} cuts, ${sum.boots} boots; wear ${sum.wearMin} to ${sum.wearMax}\n` +
			`0 lost, 0 changed, 0 came back, 0 unmountable; ${wallMs} ms\n`,
	);
	if (options.json) process.stdout.write(`${JSON.stringify({ sales: { ...sum, wallMs, rows } })}\n`);
} catch (error) {
	const again = process.argv.slice(2).filter((argument) => argument !== "--json");
	process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
	process.stderr.write(`replay: npm run sales -- ${again.join(" ")}\n`);
	process.exitCode = 1;
}
