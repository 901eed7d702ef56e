/**
 * Where the host takes its integers from: authorization codes, faults, delays. The simulator's seeded generator
 * fits; the host itself knows no other source of chance (I12).
 * @module
 */
export interface IntegerSource {
	/** An integer from 0 to `bound` − 1; `bound` is 1 to 2^31. */
	below(bound: number): number;
	/** A source of its own by this one's seed and `label`, so that its draws move none here; absent: there is only one. */
	fork?(label: string): IntegerSource;
}

/** A source for one part of the host. */
export function forkOf(random: IntegerSource, label: string): IntegerSource {
	return random.fork?.(label) ?? random;
}
