/**
 * The simulator's only source of chance (I12): xoshiro128**, unsigned 32-bit integers, the same on every engine.
 * Each part of a run draws from its own fork, so that one more draw in one part moves nothing in another.
 * Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators", xoshiro128** 1.1; key mixing by
 * the finalizer of MurmurHash3. Not for secrets.
 * @module
 */
import { assert } from "../../src/core/assert";

const TWO_32 = 4294967296;

/** Finalizer of MurmurHash3: a bijection of 32 bits in which each input bit moves about half of the output. */
function scramble(word: number): number {
	let z = word;
	z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
	z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
	return z ^ (z >>> 16);
}

/** Also a `RandomSource`, so that a simulated board can have it as its generator. */
export class SeededRandom {
	// The key a fork grows from; it does not change with drawing.
	#k0 = 0;
	#k1 = 0;
	#k2 = 0;
	#k3 = 0;
	#s0 = 0;
	#s1 = 0;
	#s2 = 0;
	#s3 = 0;

	/** @param seed - an integer from 0 to 2^53 − 1 */
	constructor(seed: number) {
		assert(Number.isSafeInteger(seed) && seed >= 0, "a seed is an integer from 0 to 2^53 - 1");
		const high = scramble(Math.floor(seed / TWO_32) + 0x3c6ef372);
		const low = (seed >>> 0) ^ high;
		this.#start(
			scramble(low + 0x9e3779b9),
			scramble(low + 0x3c6ef372) ^ high,
			scramble(low + 0xdaa66d2b),
			scramble(low + 0x78dde6e4) ^ high,
		);
	}

	/** A generator at a given state: for known answers. Not all four may be 0. */
	static fromState(s0: number, s1: number, s2: number, s3: number): SeededRandom {
		const random = new SeededRandom(0);
		random.#start(s0, s1, s2, s3);
		return random;
	}

	#start(k0: number, k1: number, k2: number, k3: number): void {
		const allZero = (k0 | k1 | k2 | k3) === 0; // The one state that xoshiro never leaves.
		this.#k0 = this.#s0 = allZero ? 1 : k0 | 0;
		this.#k1 = this.#s1 = k1 | 0;
		this.#k2 = this.#s2 = k2 | 0;
		this.#k3 = this.#s3 = k3 | 0;
	}

	/** The next unsigned 32-bit integer. */
	u32(): number {
		const s1 = this.#s1;
		const scaled = Math.imul(s1, 5);
		const result = Math.imul((scaled << 7) | (scaled >>> 25), 9) >>> 0;
		const s2 = this.#s2 ^ this.#s0;
		const s3 = this.#s3 ^ s1;
		this.#s1 = s1 ^ s2;
		this.#s0 ^= s3;
		this.#s2 = s2 ^ (s1 << 9);
		this.#s3 = (s3 << 11) | (s3 >>> 21);
		return result;
	}

	/** An integer from 0 to `n` − 1, each equally likely. `n` from 1 to 2^32. */
	below(n: number): number {
		assert(Number.isInteger(n) && n >= 1 && n <= TWO_32, "below() takes 1 to 2^32");
		const fair = TWO_32 - (TWO_32 % n);
		for (;;) {
			const value = this.u32();
			if (value < fair) return value % n;
		}
	}

	/** True in `numerator` of `denominator` cases: `chance(0, 1)` never, `chance(1, 1)` always. */
	chance(numerator: number, denominator: number): boolean {
		return this.below(denominator) < numerator;
	}

	/** One of `array`, which is not empty. */
	pick<T>(array: readonly T[]): T {
		return array[this.below(array.length)];
	}

	/** Fills all of `bytes`. */
	fill(bytes: Uint8Array): void {
		let word = 0;
		for (let i = 0; i < bytes.length; i++) {
			if ((i & 3) === 0) word = this.u32();
			bytes[i] = word;
			word >>>= 8;
		}
	}

	/**
	 * A generator of its own, by this one's seed and `label` alone: how much was drawn here does not matter, and
	 * the same label gives the same generator. A number and the text of its digits are different labels.
	 */
	fork(label: string | number): SeededRandom {
		const text = typeof label === "number" ? `#${label}` : `$${label}`;
		let a = this.#k0;
		let b = this.#k1;
		let c = this.#k2;
		let d = this.#k3;
		for (let i = 0; i < text.length; i++) {
			const code = text.charCodeAt(i);
			a = b ^ Math.imul(a ^ code, 597399067);
			b = c ^ Math.imul(b ^ code, 2869860233);
			c = d ^ Math.imul(c ^ code, 951274213);
			d = a ^ Math.imul(d ^ code, 2716044179);
		}
		a = scramble(a ^ text.length);
		b = scramble(b ^ a);
		c = scramble(c ^ b);
		d = scramble(d ^ c);
		return SeededRandom.fromState(a ^ d, b, c, d);
	}
}
