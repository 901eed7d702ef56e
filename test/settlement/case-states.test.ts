/**
 * The transition table of cases against an expectation written down on its own, and the rules every entry has to keep.
 * `to/act`, with "=" before it where nothing is written.
 */
import { strict as assert } from "node:assert";
import {
	CASE_STATE_NAMES,
	CaseState,
	type CaseStateName,
	caseStateName,
	EVENTS,
	type Event,
	eventName,
	eventNumber,
	FIRST_STATE,
	isMoving,
	isOpen,
	MOVERS,
	Outcome,
	TABLE,
} from "../../src/settlement/case-states";

const BEGIN = {
	asked: "asking/send",
	waits: "waiting/show",
	asksOperator: "operator/ask",
	supports: "support/show",
	over: "loss/close/loss",
};

const EXPECTED: Record<CaseStateName, { [E in Event]?: string }> = {
	found: {
		confirmed: "=found/begin",
		...BEGIN,
		agreed: "withdrawn/close/agreed",
		noEffect: "=found/begin",
		differs: "found/confirm",
		due: "=found/confirm",
	},
	asking: {
		answeredGranted: "granted/show",
		answeredReceived: "granted/show",
		answeredDone: "checking/look",
		answeredRefused: "checking/look",
		answeredEvidence: "granted/sendEvidence",
		moved: "checking/look",
		due: "=asking/send",
		supports: "support/show",
		agreed: "=asking/none",
		noEffect: "=asking/none",
		differs: "=asking/none",
	},
	granted: {
		answeredGranted: "granted/show",
		answeredReceived: "granted/show",
		answeredDone: "checking/look",
		answeredRefused: "checking/look",
		answeredEvidence: "granted/show",
		due: "=granted/askOn",
		supports: "support/show",
		agreed: "=granted/none",
		noEffect: "=granted/none",
		differs: "=granted/none",
	},
	checking: {
		...BEGIN,
		agreed: "resolved/close/agreed",
		noEffect: "=checking/begin",
		differs: "found/confirm",
		accountMended: "=checking/begin",
		due: "=checking/look",
	},
	waiting: {
		...BEGIN,
		due: "checking/look",
		accountMended: "checking/begin",
		agreed: "resolved/close/agreed",
		noEffect: "=waiting/none",
		differs: "found/confirm",
	},
	operator: {
		operatorYes: "found/confirm",
		operatorNo: "resolved/close/stands",
		supports: "support/show",
		due: "=operator/ask",
		agreed: "withdrawn/close/agreed",
		noEffect: "=operator/none",
		differs: "found/confirm",
	},
	support: {
		agreed: "resolved/close/agreed",
		operatorYes: "resolved/close/byHand",
		operatorNo: "loss/close/loss",
		due: "=support/look",
		noEffect: "=support/none",
		differs: "=support/none",
		accountMended: "=support/none",
		answeredDone: "support/look",
		answeredRefused: "support/show",
		answeredGranted: "support/show",
		answeredReceived: "support/show",
		answeredEvidence: "support/show",
		moved: "=support/look",
	},
	resolved: {},
	loss: {},
	withdrawn: {},
};

const OPEN = CASE_STATE_NAMES.filter((name) => isOpen(CaseState[name]));

function* entries() {
	for (const from of CASE_STATE_NAMES) {
		for (const event of EVENTS) {
			const step = TABLE[from][event];
			if (step !== undefined) yield { from, event, step };
		}
	}
}

describe("settlement: transition table of cases", () => {
	it("is what is expected, in every entry", () => {
		for (const from of CASE_STATE_NAMES) {
			for (const event of EVENTS) {
				const step = TABLE[from][event];
				const { to = "", durable = true, act = "", outcome } = step ?? {};
				const text = `${durable ? "" : "="}${to}/${act}${outcome === undefined ? "" : `/${outcome}`}`;
				assert.equal(step === undefined ? undefined : text, EXPECTED[from][event], `${from} × ${event}`);
			}
		}
	});

	it("leaves no closed state, and comes from every open one to a closed one", () => {
		assert.deepEqual(
			CASE_STATE_NAMES.filter((name) => !isOpen(CaseState[name])),
			["resolved", "loss", "withdrawn"],
		);
		for (const { from } of entries()) assert.ok(isOpen(CaseState[from]), from);
		for (const start of OPEN) {
			const reached = new Set<CaseStateName>([start]);
			for (let grew = true; grew; ) {
				grew = false;
				for (const { from, step } of entries()) {
					if (!reached.has(from) || reached.has(step.to)) continue;
					reached.add(step.to);
					grew = true;
				}
			}
			assert.ok(reached.has("resolved") || reached.has("withdrawn"), start);
			assert.ok(reached.has("support"), `${start}: a person can always take it over`);
		}
	});

	it("leaves support by the books' agreement or a person's word, and by nothing else", () => {
		for (const { from, event, step } of entries()) {
			if (from !== "support" || step.to === "support") continue;
			assert.ok(event === "agreed" || event === "operatorYes" || event === "operatorNo", event);
		}
	});

	it("closes by agreement, a person's word or a loss, always durably, with an outcome, and is told", () => {
		for (const { event, step } of entries()) {
			if (isOpen(CaseState[step.to])) {
				assert.equal(step.outcome, undefined);
				assert.notEqual(step.act, "close");
				continue;
			}
			assert.ok(["agreed", "operatorYes", "operatorNo", "over"].includes(event), event);
			assert.ok(step.durable && step.act === "close" && Outcome[step.outcome ?? "open"] > 0);
		}
	});

	it("never leaves a state without writing it", () => {
		for (const { from, event, step } of entries()) if (!step.durable) assert.equal(step.to, from, `${from} × ${event}`);
	});

	it("sends nothing before it is written (I1), and looks before it asks for more", () => {
		for (const { from, event, step } of entries()) {
			if (step.act === "send") assert.ok(event === "asked" ? step.durable : from === "asking");
			if (step.act === "begin") assert.ok(["confirmed", "noEffect", "accountMended"].includes(event), event);
		}
	});

	it("begins no remedy while one is on its way (I5)", () => {
		for (const { from, event } of entries()) {
			if (event === "asked") assert.ok(!isMoving(CaseState[from]) && from !== "operator" && from !== "support", from);
		}
		assert.deepEqual(
			OPEN.filter((name) => isMoving(CaseState[name])),
			["asking", "granted"],
		);
	});

	it("uses every event but the first, names whose move it is, and has numbers that never change", () => {
		const used = new Set([...entries()].map(({ event }) => event));
		assert.deepEqual(
			EVENTS.filter((event) => !used.has(event)),
			["opened"],
		);
		assert.deepEqual(Object.keys(MOVERS), CASE_STATE_NAMES);
		assert.equal(CASE_STATE_NAMES.map((name) => CaseState[name]).join(), "1,2,3,4,5,6,7,8,9,10");
		assert.equal(caseStateName(FIRST_STATE), "found");
		assert.equal(caseStateName(0), undefined);
		assert.equal(caseStateName(11), undefined);
		for (const event of EVENTS) assert.equal(eventName(eventNumber(event)), event);
		assert.deepEqual([eventNumber("opened"), eventNumber("due"), eventNumber("accountMended")], [1, 17, 20]);
	});
});
