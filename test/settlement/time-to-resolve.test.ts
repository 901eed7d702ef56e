/**
 * Goal: ten one-sided entries are found and resolved within seconds of the line's return, as the line allows: what takes
 * time is the number of questions, one round trip each. Nothing here asserts real time; it is virtual, and the same
 * everywhere. `SHOW=1` prints the figures.
 */
import assert from "node:assert/strict";
import type { FaultName } from "../../host-sim/acquirer/fault-names";
import { CaseState } from "../../src/settlement/case-states";
import { Rig } from "../host-sim/world/rig";

const ENTRIES = 10;
const ROUND_TRIP_MS = 100;
/** Behind the deliberate wait: no frame can lie in the network any more, and what is to be posted should be. */
const LINE_GONE_MS = 45 * 60_000;

/** Virtual ms from the first connection to the last case resolved. */
function resolvedAfterMs(fault: FaultName): number {
	let connectedMs = 0;
	const rig: Rig = new Rig({
		latencyMs: ROUND_TRIP_MS / 2,
		blocks: 64,
		config: { settleAtMinute: -1 },
		onLog: (text) => {
			if (connectedMs < 0 && text.includes("connected")) connectedMs = rig.time.nowMs;
		},
	});
	rig.sell(1_000);
	rig.time.advance(60_000);
	for (let n = 0; n < ENTRIES; n++) {
		rig.faults.arm(fault);
		rig.sell(2_000 + n);
	}
	rig.setLink(false);
	rig.time.advance(LINE_GONE_MS);
	rig.setLink(true);
	connectedMs = -1;
	const { cases } = rig.shop.terminal;
	const resolved = () => {
		let count = 0;
		for (let id = cases.next(0); id !== 0; id = cases.next(id)) if (cases.state(id) === CaseState.resolved) count++;
		return count === ENTRIES;
	};
	for (let ms = 0; ms < 600_000 && !resolved(); ms += 10) rig.time.advance(10);
	assert.ok(resolved(), fault);
	assert.equal(rig.money().oneSided, 0);
	return rig.time.nowMs - connectedMs;
}

describe("the time to resolution", () => {
	// Digest and list; then for each entry its confirmation, and two at a time the remedy (a resend goes beside the questions)
	// and the check.
	for (const [fault, roundTrips] of [
		["recordLost", 2],
		["reversedWrongly", 2],
		["postingLost", 3],
		["amountAltered", 3],
	] as const) {
		it(`of ten entries, ${fault}, is ${roundTrips} round trips each, all but one of them in pairs, and no waiting`, () => {
			const ms = resolvedAfterMs(fault);
			if (process.env.SHOW !== undefined)
				process.stdout.write(`      ${fault}: ${ms} ms at ${ROUND_TRIP_MS} ms round trip\n`);
			assert.ok(ms <= (2 + ENTRIES + ((roundTrips - 1) * ENTRIES) / 2 + 4) * ROUND_TRIP_MS, `${ms} ms`);
		});
	}
});
