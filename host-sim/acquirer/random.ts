/**
 * Where the host takes its integers from: authorization codes, faults, delays. The simulator's seeded generator
 * fits; the host itself knows no other source of chance (I12).
 * @module
 */
export interface IntegerSource {
	/** An integer from 0 to `bound` − 1; `bound` is 1 to 2^31. */
	below(bound: number): number;
}
