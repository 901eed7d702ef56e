import { equal, throws } from "node:assert/strict";
import { equalSecret, isZero } from "../../src/security/constant-time";
import { coded } from "../iso8583/vector-helpers";

/** The same bytes, and a count of how often one of them was looked at. */
function watched(bytes: Uint8Array): { bytes: Uint8Array; reads: () => number } {
	let reads = 0;
	const proxy = new Proxy(bytes, {
		get(target, property) {
			if (typeof property === "string" && /^\d+$/.test(property)) reads++;
			return Reflect.get(target, property, target);
		},
	});
	return { bytes: proxy, reads: () => reads };
}

describe("security comparison", () => {
	it("tells equal from different at every bit", () => {
		const a = new Uint8Array(8).map((_, i) => 37 * i);
		for (let bit = 0; bit < 64; bit++) {
			const b = a.slice();
			b[bit >> 3] ^= 0x80 >> (bit & 7);
			equal(equalSecret(a, 0, b, 0, 8), false, `bit ${bit}`);
		}
		equal(equalSecret(a, 0, a.slice(), 0, 8), true);
	});

	it("looks at every byte of both exactly once, wherever they differ and wherever they do not", () => {
		for (let differs = -1; differs < 8; differs++) {
			const other = new Uint8Array(8);
			if (differs >= 0) other[differs] = 1;
			const a = watched(new Uint8Array(8));
			const b = watched(other);
			equal(equalSecret(a.bytes, 0, b.bytes, 0, 8), differs < 0);
			equal(a.reads(), 8, `difference at ${differs}`);
			equal(b.reads(), 8, `difference at ${differs}`);
			const c = watched(other);
			equal(isZero(c.bytes, 0, 8), differs < 0);
			equal(c.reads(), 8, `non-zero at ${differs}`);
		}
	});

	it("compares ranges, and refuses those that are not inside", () => {
		const a = new Uint8Array([9, 1, 2, 9]);
		const b = new Uint8Array([1, 2, 8]);
		equal(equalSecret(a, 1, b, 0, 2), true);
		equal(equalSecret(a, 1, b, 0, 3), false);
		equal(equalSecret(a, 0, b, 0, 0), true);
		throws(() => equalSecret(a, 2, b, 0, 3), coded("length", "comparison"));
		throws(() => equalSecret(a, 0, b, 1, 3), coded("length", "comparison"));
		throws(() => equalSecret(a, -1, b, 0, 1), coded("length", "comparison"));
		equal(isZero(new Uint8Array([1, 0, 0, 1]), 1, 3), true);
	});
});
