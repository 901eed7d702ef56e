/** What other stores on NOR flash cost, and lose, on the workload of journal-bench.ts: as measured, not in this run. */

/** In the order of the table's columns. */
export const COLUMNS = [
	"store",
	"bytes/sale",
	"WA",
	"erases/1,000 sales",
	"worst wear",
	"read/sale",
	"read at mount + scan, 499 live",
	"600 cuts at random / at erases",
] as const;

type Row = readonly [string, string, string, string, string, string, string, string];

export const PEERS: readonly Row[] = [
	["littlefs, append + sync", "4,266–4,568", "28–30", "2,052–2,088", "83–256", "9–13 kB", "12.5 + 99 kB", "0 / 0"],
	["littlefs, file per transaction", "713–1,335", "4.7–8.8", "248–406", "30–58", "125–204 kB", "0.1 + 25 MB", "0 / 0"],
	["ESP-IDF NVS, two keys per sale", "337", "2.21", "72", "2", "320 B", "406 + 240 kB", "1 lost / 1 lost"],
	["FlashDB TSDB", "183", "1.20", "45", "1", "51 B", "17 + 264 kB", "0–4 lost / 70–149 lost"],
	["FlashDB KVDB", "213", "1.40", "54", "2", "6.2 MB", "1.4 + 1.5 MB", "0 / 3 stale"],
	["FCB (mynewt)", "156", "1.03", "38", "2", "156 B", "98 + 160 kB", "102 / 187 mounts fail"],
	["Moddable key-value storage", "444", "2.9", "62", "312", "35 kB", "–", "73+ / 165+ lost"],
];
