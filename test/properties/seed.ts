/**
 * The seed of every property that names none: 1 in `npm test`, so that it says the same each time; another with
 * PROPERTY_SEED, as `npm run properties` sets it for each of many.
 */
import * as fc from "fast-check";

const SEED = /^\d{1,9}$/;

const text = process.env.PROPERTY_SEED ?? "1";
if (!SEED.test(text)) throw new Error(`PROPERTY_SEED is a number of up to 9 digits, not "${text}"`);
fc.configureGlobal({ seed: Number(text) });
