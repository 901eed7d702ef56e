/**
 * Views that see how they are read: past a limit, though their length says there is more, and how often.
 */
import { must } from "./target";

/** Reads of each byte that a decoder may need, all in all: with what is read again for values. */
const READS_PER_BYTE_MAX = 400;

/**
 * A view of `bytes` whose reader is stopped at the first byte at or past `limit`, and when it reads without end.
 * What `subarray` hands out is checked when it is made, not when it is read.
 */
export function guardedBytes(bytes: Uint8Array, limit: number): Uint8Array {
	let reads = 0;
	const readsMax = READS_PER_BYTE_MAX * (limit + 64);
	return new Proxy(bytes, {
		get(target, property) {
			if (property === "subarray" || property === "slice") {
				return (start = 0, end = target.length) => {
					must(start <= limit && end <= limit, "overread", `${property}(${start}, ${end}) of ${limit} bytes`);
					return target[property](start, end);
				};
			}
			if (typeof property === "string") {
				const index = Number(property);
				if (index >= limit) must(false, "overread", `byte ${index} of ${limit} was read`);
				if (index >= 0 && ++reads > readsMax) must(false, "endless", `${reads} reads of ${limit} bytes`);
			}
			const value = Reflect.get(target, property, target);
			return typeof value === "function" ? value.bind(target) : value;
		},
		set(_target, property) {
			must(false, "overwrite", `${String(property)} of what is only to be read was written`);
			return false;
		},
	});
}
