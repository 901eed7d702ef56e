/**
 * The transition table against an expectation written down on its own, and the rules every entry has to keep.
 * One line a state; `to/persist/act[/reason]`, "=" for "stays, nothing written, nothing done".
 */
import { strict as assert } from "node:assert";
import {
	EVENTS,
	type Event,
	firstState,
	isAtRest,
	isCharged,
	isDoubt,
	isSpent,
	isUnderWay,
	STATE_NAMES,
	State,
	type StateName,
	stands,
	stateName,
	TABLE,
} from "../../src/transactions/states";

const EXPECTED: Record<string, Record<string, string>> = {
	waiting: {
		approve: "approved/outcome/deliver",
		decline: "declined/outcome/tellDeclined",
		refuse: "reversing/step/tellReversing/06",
		amountDiffers: "reversing/step/tellReversing/06",
		badMac: "reversing/step/tellReversing/A0",
		noAnswer: "reversing/step/tellReversing/98",
		unsent: "abandoned/outcome/tellNotSent",
		boot: "reversing/step/tellInterrupted/98",
	},
	approved: {
		approve: "=",
		decline: "=",
		refuse: "=",
		amountDiffers: "=",
		badMac: "=",
		noAnswer: "=",
		deliver: "delivered/step/none",
		notDelivered: "reversing/step/tellReversing/96",
		boot: "approved/none/askDelivered",
	},
	delivered: { approve: "=", decline: "=", refuse: "=", amountDiffers: "=", badMac: "=", noAnswer: "=", boot: "=" },
	declined: {
		approve: "reversing/step/tellReversing/06",
		decline: "=",
		refuse: "reversing/step/tellReversing/06",
		amountDiffers: "=",
		badMac: "=",
		noAnswer: "=",
		reverseAgain: "reversing/step/queue/06",
		boot: "=",
	},
	abandoned: { reverseAgain: "reversing/step/queue/06", boot: "=" },
	reversing: {
		approve: "=",
		decline: "=",
		refuse: "=",
		amountDiffers: "=",
		badMac: "=",
		noAnswer: "=",
		reversalAccepted: "unconfirmed/step/watch",
		reversalRefused: "reversing/none/queue",
		boot: "reversing/none/tellInterrupted",
	},
	unconfirmed: {
		approve: "=",
		decline: "=",
		refuse: "=",
		amountDiffers: "=",
		badMac: "=",
		noAnswer: "=",
		lateOriginalDue: "unconfirmed/none/queue",
		reversalAccepted: "reversed/step/rest",
		reversalRefused: "unconfirmed/none/queue",
		reverseAgain: "reversing/step/queue/06",
		boot: "unconfirmed/none/watch",
	},
	reversed: {
		approve: "reversing/step/tellReversing/98",
		decline: "=",
		refuse: "reversing/step/tellReversing/98",
		amountDiffers: "=",
		badMac: "=",
		noAnswer: "=",
		reverseAgain: "reversing/step/queue/06",
		boot: "=",
	},
	forwarding: {
		approve: "forwarded/outcome/rest",
		decline: "forwardRefused/outcome/rest",
		refuse: "forwardRefused/outcome/rest",
		amountDiffers: "forwarding/none/queue",
		badMac: "forwarding/none/queue",
		noAnswer: "forwarding/none/queue",
		unsent: "forwarding/none/queue",
		boot: "forwarding/none/queue",
	},
	forwarded: { approve: "=", decline: "=", refuse: "=", amountDiffers: "=", badMac: "=", noAnswer: "=", boot: "=" },
	forwardRefused: {
		approve: "=",
		decline: "=",
		refuse: "=",
		amountDiffers: "=",
		badMac: "=",
		noAnswer: "=",
		boot: "=",
	},
};

const ANSWERS: Event[] = ["approve", "decline", "refuse", "amountDiffers", "badMac", "noAnswer"];

function described(state: StateName, event: Event): string | undefined {
	const step = TABLE[state][event];
	if (step === undefined) return undefined;
	if (step.to === state && step.persist === "none" && step.act === "none") return "=";
	return `${step.to}/${step.persist}/${step.act}${step.reason === undefined ? "" : `/${step.reason}`}`;
}

function isAdviceState(state: StateName): boolean {
	return state === "forwarding" || state === "forwarded" || state === "forwardRefused";
}

describe("transactions: transition table", () => {
	it("has the eleven states the expectation has", () => {
		assert.deepEqual(Object.keys(TABLE), Object.keys(EXPECTED));
		assert.deepEqual(STATE_NAMES, Object.keys(EXPECTED));
	});

	for (const state of Object.keys(EXPECTED) as StateName[]) {
		it(`takes ${state} through every event as written down`, () => {
			for (const event of EVENTS) {
				assert.equal(described(state, event), EXPECTED[state][event], `${state} × ${event}`);
			}
		});
	}

	it("keeps the numbers that stand on flash", () => {
		assert.deepEqual(State, {
			waiting: 1,
			approved: 2,
			delivered: 3,
			declined: 4,
			abandoned: 5,
			reversing: 6,
			unconfirmed: 7,
			reversed: 8,
			forwarding: 9,
			forwarded: 10,
			forwardRefused: 11,
		});
		for (const name of STATE_NAMES) assert.equal(stateName(State[name]), name);
		assert.equal(stateName(0), undefined);
		assert.equal(stateName(12), undefined);
	});

	it("lets no late answer undo a reversal (I5)", () => {
		for (const state of ["reversing", "unconfirmed", "reversed"] as StateName[]) {
			for (const event of ANSWERS) {
				// The host has debited an original that came when all was over: reversed anew, and told so again.
				if (state === "reversed" && (event === "approve" || event === "refuse")) continue;
				const step = TABLE[state][event];
				assert.equal(step?.to, state, `${state} × ${event}`);
				assert.equal(step?.persist, "none");
				assert.equal(step?.act, "none");
			}
		}
	});

	it("never reverses an advice, whatever is said of it (I3)", () => {
		const advices: StateName[] = ["forwarding", "forwarded", "forwardRefused"];
		for (const state of advices) {
			for (const event of EVENTS) {
				const step = TABLE[state][event];
				if (step !== undefined) assert.ok(advices.includes(step.to as StateName), `${state} × ${event}`);
			}
			assert.equal(isDoubt(State[state]), false, state);
		}
		for (const event of ["amountDiffers", "badMac", "noAnswer", "unsent", "boot"] as Event[]) {
			assert.equal(TABLE.forwarding[event]?.to, "forwarding", `${event}: it goes on`);
		}
	});

	it("lets no late answer change what an advice has come to (I5)", () => {
		for (const state of ["forwarded", "forwardRefused"] as StateName[]) {
			for (const event of ANSWERS) assert.equal(described(state, event), "=", `${state} × ${event}`);
		}
	});

	it("begins a sale waiting and an advice forwarding", () => {
		assert.deepEqual([1, 2, 3, 4].map(firstState), [1, 9, 9, 9]);
	});

	it("counts an offline sale as charged until the host refuses it, a refund and a resend never", () => {
		const charged = (kind: number) => STATE_NAMES.filter((state) => isCharged(State[state], kind));
		assert.deepEqual(charged(1), ["approved", "delivered"]);
		assert.deepEqual(charged(2), ["approved", "delivered", "forwarding", "forwarded"]);
		assert.deepEqual(charged(3), ["approved", "delivered"]);
		assert.deepEqual(charged(4), ["approved", "delivered"]);
	});

	it("has a movement under way where the host may still be asked for it", () => {
		const underWay = STATE_NAMES.filter((state) => isUnderWay(State[state]));
		assert.deepEqual(underWay, ["waiting", "reversing", "unconfirmed", "forwarding"]);
	});

	it("is at rest where the host's word is the last: nothing waits, is on its way or may be taken back", () => {
		const atRest = STATE_NAMES.filter((state) => isAtRest(State[state]));
		const states = ["delivered", "declined", "abandoned", "unconfirmed", "reversed", "forwarded", "forwardRefused"];
		assert.deepEqual(atRest, states);
	});

	it("reverses once more what is not charged and at rest, and nothing else", () => {
		for (const state of STATE_NAMES) {
			const notCharged = isAtRest(State[state]) && !isCharged(State[state], 1) && !isAdviceState(state);
			assert.equal(TABLE[state].reverseAgain !== undefined, notCharged, state);
		}
	});

	it("has in a batch's books what was approved, and what the host took of advices; a resend is its original's entry", () => {
		const inBooks = (kind: number) => STATE_NAMES.filter((state) => stands(State[state], kind));
		assert.deepEqual(inBooks(1), ["approved", "delivered"]);
		assert.deepEqual(inBooks(2), ["forwarded"]);
		assert.deepEqual(inBooks(3), ["forwarded"]);
		assert.deepEqual(inBooks(4), []);
	});

	it("knows what to do with every state at boot, and reverses every doubt (I3)", () => {
		for (const state of STATE_NAMES) {
			const step = TABLE[state].boot;
			assert.ok(step, `${state} has a boot`);
			if (isDoubt(State[state])) {
				assert.equal(step.to, "reversing", state);
				assert.equal(step.act, "tellInterrupted", state);
			}
		}
	});

	it("leads nowhere out of reversed but into a reversal", () => {
		for (const event of EVENTS) {
			const to = TABLE.reversed[event]?.to ?? "reversed";
			assert.ok(to === "reversed" || to === "reversing", event);
		}
	});

	it("ends every doubt in an answer or a reversal, never in nothing", () => {
		for (const event of [...ANSWERS, "boot", "unsent"] as Event[]) {
			const step = TABLE.waiting[event];
			assert.ok(step, event);
			assert.notEqual(step.persist, "none", `${event} is durable before anybody is told (I2)`);
		}
		assert.ok(TABLE.reversing.reversalAccepted && TABLE.reversing.reversalRefused);
		assert.equal(TABLE.reversing.reversalRefused?.to, "reversing");
	});

	it("makes every change of state durable (I2)", () => {
		for (const state of STATE_NAMES) {
			for (const event of EVENTS) {
				const step = TABLE[state][event];
				if (step === undefined || step.to === state) continue;
				assert.notEqual(step.persist, "none", `${state} × ${event}`);
			}
		}
	});

	it("gives a reason to every reversal that begins, and to nothing else", () => {
		for (const state of STATE_NAMES) {
			for (const event of EVENTS) {
				const step = TABLE[state][event];
				const begins = step !== undefined && step.to === "reversing" && state !== "reversing";
				assert.equal(step?.reason !== undefined, begins, `${state} × ${event}`);
			}
		}
	});

	it("sorts each state into charged, doubt, spent or accepted once", () => {
		const kind = (state: StateName) => {
			const value = State[state];
			return `${isCharged(value, 1) ? "charged" : ""}${isDoubt(value) ? "doubt" : ""}${isSpent(value) ? "spent" : ""}`;
		};
		assert.deepEqual(STATE_NAMES.map(kind), [
			"doubt",
			"charged",
			"charged",
			"spent",
			"spent",
			"doubt",
			"",
			"spent",
			"",
			"",
			"",
		]);
	});
});
