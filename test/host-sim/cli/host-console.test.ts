/**
 * Goal: each fault of the host can be struck by hand, exactly as often as is said, and healed; what is no order does nothing.
 */
import * as assert from "node:assert/strict";
import { FaultPlan } from "../../../host-sim/acquirer/faults";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { carryOut, type Office } from "../../../host-sim/cli/host-console";

/** A host that is down: faults are struck all the same, and nothing else is. */
const DOWN: Office = { byHand: () => undefined };

function order(plan: FaultPlan, line: string): string {
	return carryOut(DOWN, plan, line);
}

/** The names of what strikes one of each occasion. */
function round(plan: FaultPlan): string[] {
	const sets: Readonly<Record<string, boolean>>[] = [
		plan.next(true),
		plan.nextSignOn(),
		plan.nextSale(),
		plan.nextSettlement(),
		plan.nextTotals(),
		plan.nextSync(),
		plan.nextDigest(),
		plan.nextPage(),
		plan.nextDeskMessage(),
		plan.nextDeskRequest(),
		plan.nextFarSide(),
		plan.nextFarResend(),
	];
	return sets.flatMap((set) => Object.keys(set).filter((name) => set[name]));
}

describe("npm run host -- --console", () => {
	it("fault NAME [N]: each one strikes as often as that, and no other", () => {
		for (const name of new FaultPlan(new SeededRandom(1)).names) {
			const plan = new FaultPlan(new SeededRandom(1));
			assert.equal(order(plan, `fault ${name}`), `${name} strikes once`);
			assert.deepEqual([round(plan), round(plan)], [[name], []], name);
			assert.equal(order(plan, ` fault  ${name} 2 `), `${name} strikes 2 times`);
			assert.deepEqual([round(plan), round(plan), round(plan)], [[name], [name], []], name);
		}
	});

	it("rate NAME=RATE from now on, heal: none strikes any more, neither by rate nor by hand", () => {
		const plan = new FaultPlan(new SeededRandom(1));
		assert.equal(order(plan, "rate digestWrong=1"), "digestWrong strikes at a rate of 1");
		order(plan, "fault entryLies 9");
		assert.deepEqual(round(plan), ["digestWrong", "entryLies"]);
		assert.equal(order(plan, "heal"), "no fault strikes any more");
		assert.deepEqual(round(plan), []);
	});

	it("faults: their names; help: each order", () => {
		const plan = new FaultPlan(new SeededRandom(1));
		assert.equal(order(plan, "faults"), plan.names.join(" "));
		for (const name of ["show", "refuse", "mend", "grant", "deny", "fault", "rate", "heal", "faults", "help"]) {
			assert.match(order(plan, "help"), new RegExp(`\\b${name}\\b`));
		}
	});

	it("what is no order strikes nothing, and says so", () => {
		const plan = new FaultPlan(new SeededRandom(1));
		const wrong = ["fault", "fault nothing", "fault crash 0", "fault crash 1000", "fault crash -1", "fault crash 1 1"];
		wrong.push("fault crash x", "rate", "rate crash", "rate crash=2", "rate nothing=1", "rate crash=1 now", "heal all");
		wrong.push("faults all", "FAULT crash", "", "constructor", "fault constructor", "mend it");
		for (const line of wrong) assert.match(order(plan, line), /: nothing was done$/, line);
		assert.deepEqual(round(plan), []);
		for (const line of ["refuse", "mend", "grant CLM000000001"]) {
			assert.equal(order(plan, line), "the host is down: nothing was done");
		}
	});
});
