/**
 * A world whose evidence is checked by the code of `npm run verify`: that needs node:crypto, so it is not part of the world
 * itself, which runs on XS as well.
 * @module
 */
import { checkPack } from "../cli/verify-checks";
import { PackSyntaxError, parsePack } from "../cli/verify-json";
import type { WorldOptions, WorldReport } from "../world/report";
import { runWorld as runBareWorld } from "../world/world";

export function runWorld(options: WorldOptions): WorldReport {
	return runBareWorld({ ...options, verifyPack: whyNotProven });
}

/** @returns what is wrong with an evidence pack; undefined: it is signed, and nothing in it contradicts itself */
export function whyNotProven(pack: Uint8Array): string | undefined {
	try {
		const { signature, findings } = checkPack(pack, parsePack(pack), {});
		if (signature !== "good") return "its signature is not good";
		const altered = findings.find(({ verdict }) => verdict === "altered");
		return altered === undefined ? undefined : `${altered.code} ${altered.path ?? ""}`.trimEnd();
	} catch (error) {
		if (!(error instanceof PackSyntaxError)) throw error;
		return `it is no pack: ${error.problem}`;
	}
}
