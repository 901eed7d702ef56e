/** A search that takes milliseconds, to test what runs searches: its seed 3 needs a check digit to be checked. */
import { luhnValid } from "../../src/core/luhn";
import type { SearchSeed } from "./campaign-seed";

export const searchSeed: SearchSeed = (seed) => {
	const wrong = seed === 3 && luhnValid("4111111111111112");
	return { seed, failure: wrong ? "I11 a wrong check digit is taken" : undefined, sales: 1 };
};
