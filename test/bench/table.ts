/** Figures and tables as the reports print them. */

/** Whole numbers as they are, others with as many digits as tell them apart. */
export function figure(value: number): string {
	if (Number.isInteger(value) || value >= 1_000) return fixed(value, 0);
	return fixed(value, value < 10 ? 3 : 1);
}

export function fixed(value: number, digits: number): string {
	return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Columns as wide as their widest cell; a row of one cell is a heading and widens none. */
export function table(rows: readonly (readonly string[])[]): string {
	const widths: number[] = [];
	for (const row of rows) {
		if (row.length === 1) continue;
		for (const [n, cell] of row.entries()) widths[n] = Math.max(widths[n] ?? 0, cell.length);
	}
	const lines = rows.map((row) =>
		row
			.map((cell, n) => cell.padEnd(widths[n]))
			.join("  ")
			.trimEnd(),
	);
	return `${lines.join("\n")}\n`;
}
