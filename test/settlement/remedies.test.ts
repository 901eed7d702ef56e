/** The remedies table against an expectation written down on its own, and what every walk through it has to keep. */
import { strict as assert } from "node:assert";
import { makeConfig } from "../../src/config";
import { CaseState, isOpen, TABLE } from "../../src/settlement/case-states";
import { type CaseRow, isCaseRow, ROW_NAMES } from "../../src/settlement/finding";
import {
	BEGIN_EVENTS,
	CASE_TEXTS,
	FACTS_END,
	Fact,
	isRequest,
	lastStep,
	nextStep,
	REMEDIES,
	STEP_KINDS,
	stepAt,
	TURNS_MAX,
} from "../../src/settlement/remedies";

const { sync, recordHere, hostHasLess, hostHasMore, codeMayChange } = Fact;
const ROWS = ROW_NAMES.filter(isCaseRow);

/** With every fact, and without sync. */
const EXPECTED: Record<CaseRow, [all: string, noSync: string]> = {
	notFound: ["resend claim support", "support"],
	pending: ["wait wait", "support"],
	overdue: ["claim wait support", "support"],
	merchantAccount: ["tell claim support", "support"],
	reversedAtHost: ["resend support", "support"],
	otherAmount: ["claim credit support", "support"],
	debited: ["reverse credit support", "support"],
	unknownHere: ["askOperator credit support", "askOperator support"],
	doubled: ["askOperator credit support", "askOperator support"],
	farSide: ["farSide credit support", "support"],
	offlineDeclined: ["wait resend wait", "loss"],
	refundDiffers: ["support", "support"],
	reversalStuck: ["support", "support"],
	adviceStuck: ["support", "support"],
	unbalanced: ["support", "support"],
};

/** The steps one after the other, until one comes again. */
function walk(row: CaseRow, facts: number): string[] {
	const kinds: string[] = [];
	for (let done = 0; kinds.length < 3; ) {
		const { step, number } = nextStep(row, done, 0, facts);
		if (number === done) {
			if (step.kind !== "support" && step.kind !== "loss") kinds.push(step.kind);
			break;
		}
		kinds.push(step.kind);
		if (step.kind === "support" || step.kind === "loss") break;
		done = number;
		if (kinds.length === 2 && kinds[0] === "wait" && kinds[1] === "wait") break;
	}
	return kinds;
}

describe("settlement: remedies", () => {
	it("has for each row the steps of the table, in their order", () => {
		assert.deepEqual(Object.keys(REMEDIES).sort(), [...ROWS].sort());
		for (const row of ROWS) {
			assert.equal(walk(row, FACTS_END - 1).join(" "), EXPECTED[row][0], row);
			assert.equal(walk(row, FACTS_END - 1 - sync).join(" "), EXPECTED[row][1], `${row} without sync`);
		}
	});

	it("passes over what cannot be done", () => {
		assert.deepEqual(walk("notFound", sync), ["claim", "support"]);
		assert.deepEqual(walk("debited", sync), ["credit", "support"]);
		assert.deepEqual(walk("otherAmount", sync | hostHasMore), ["credit", "support"]);
		assert.deepEqual(walk("otherAmount", sync | hostHasLess), ["claim", "support"]);
		assert.deepEqual(walk("offlineDeclined", sync | recordHere), ["loss"]);
	});

	it("always has a next step, whose needs are met; the last of a row needs nothing", () => {
		for (const row of ROWS) {
			for (let facts = 0; facts < FACTS_END; facts++) {
				for (let done = 0; done <= REMEDIES[row].length; done++) {
					for (const turns of [0, TURNS_MAX - 1, TURNS_MAX, 255]) {
						const { step, number } = nextStep(row, done, turns, facts);
						assert.equal(stepAt(row, number), step);
						assert.equal(facts & step.needs, step.needs);
						if (turns >= TURNS_MAX) assert.equal(number, REMEDIES[row].length);
					}
				}
			}
			const { step, number } = lastStep(row);
			assert.ok((step.kind === "support" || step.kind === "loss") && step.needs === 0, row);
			assert.equal(number, REMEDIES[row].length);
		}
	});

	it("comes to its last step from everywhere, whatever the facts, in bounded turns (I10)", () => {
		for (const row of ROWS) {
			for (let facts = 0; facts < FACTS_END; facts++) {
				let done = 0;
				let turns = 0;
				let steps = 0;
				while (done !== REMEDIES[row].length) {
					const next = nextStep(row, done, turns, facts);
					if (next.turn) turns++;
					done = next.number;
					assert.ok(++steps <= 2 * TURNS_MAX + 3, `${row} with ${facts}`);
				}
			}
		}
	});

	it("takes each remedy once a turn, and no two in one step", () => {
		for (const row of ROWS) {
			const kinds = REMEDIES[row].map(({ kind }) => kind);
			assert.equal(new Set(kinds).size, kinds.length, row);
		}
	});

	it("asks nothing of a host that does not know sync, and sends nothing again that is not here", () => {
		for (const row of ROWS) {
			for (const { kind, needs } of REMEDIES[row]) {
				if (isRequest(kind) || kind === "resend" || kind === "reverse")
					assert.ok((needs & sync) !== 0, `${row} ${kind}`);
				if (kind === "resend" || kind === "reverse") assert.ok((needs & recordHere) !== 0, `${row} ${kind}`);
			}
		}
		assert.ok(REMEDIES.offlineDeclined.slice(0, -1).every(({ needs }) => (needs & codeMayChange) !== 0));
	});

	it("begins no step that takes money from anybody without a person where people may have erred", () => {
		for (const row of ["unknownHere", "doubled"] as const) {
			for (let facts = 0; facts < FACTS_END; facts++) {
				assert.equal(nextStep(row, 0, 0, facts).step.kind, "askOperator");
			}
		}
	});

	it("begins each kind by an event that found and checking take, and that stays open but for a loss", () => {
		for (const kind of STEP_KINDS) {
			for (const from of ["found", "checking"] as const) {
				const step = TABLE[from][BEGIN_EVENTS[kind]];
				assert.ok(step !== undefined, `${from} × ${kind}`);
				assert.equal(isOpen(CaseState[step.to]), kind !== "loss");
			}
		}
	});

	it("goes by numbers of the configuration, and says each step in words of its own", () => {
		const config = makeConfig();
		const texts = new Set<string>();
		for (const row of ROWS) {
			for (const { due, text } of REMEDIES[row]) {
				assert.equal(typeof config[due], "number");
				texts.add(text);
			}
		}
		assert.deepEqual([...texts].sort(), [...CASE_TEXTS].sort());
	});
});
