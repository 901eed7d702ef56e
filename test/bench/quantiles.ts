/** What half, all but a hundredth, and all of the values stay below. */
export interface Quantiles {
	p50: number;
	p99: number;
	worst: number;
}

/** By nearest rank: each is a value that was measured. @param values - at least one */
export function quantiles(values: readonly number[]): Quantiles {
	const sorted = [...values].sort((a, b) => a - b);
	const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
	return { p50: rank(0.5), p99: rank(0.99), worst: rank(1) };
}
