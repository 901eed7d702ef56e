/** Bugs of the session with the host, and of the keys. */
import type { Mutant } from "./mutate";

const SESSION = "src/host/session.ts";
const SCHEME = "src/security/key-scheme.ts";
const DUKPT = "src/security/dukpt-scheme.ts";

const EXCHANGE_TEST = "test/host/host-exchange.test.ts";
const SESSION_TEST = "test/host/session.test.ts";
const SCHEME_TEST = "test/security/key-scheme.test.ts";
const DUKPT_TEST = "test/security/dukpt-scheme.test.ts";
const BOTH_TEST = "test/host-sim/acquirer/both-sides.test.ts";

export const KEY_MUTANTS: readonly Mutant[] = [
	{
		name: "keys-replaced-during-sale",
		breaks: ["I5"],
		what: "a sign-on does not wait for the sale or for open exchanges",
		expected: "tests",
		tests: [SESSION_TEST, BOTH_TEST],
		changes: [
			{
				file: SESSION,
				from: "if (this.#signing || exchange.open > 0 || this.#held) return;",
				to: "if (this.#signing || exchange.busy) return;",
			},
			{
				file: SESSION,
				from: "if (!this.#wanted || this.#held || this.#signing || this.#stopped || this.#o.exchange.open > 0) return;",
				to: "if (!this.#wanted || this.#signing || this.#stopped || this.#o.exchange.busy) return;",
			},
			{
				file: SESSION,
				from: "if (!this.#stopped && this.#wanted && !this.#held && !this.#signedOff) this.open();",
				to: "if (!this.#stopped && this.#wanted && !this.#signedOff) this.open();",
			},
			{
				file: SESSION,
				from: "!this.#signing && (!this.#wanted || this.#held);",
				to: "!this.#signing && !this.#wanted;",
			},
		],
	},
	{
		name: "answer-verified-under-new-keys",
		breaks: ["I6"],
		what: "an answer is verified under the keys of now, not under those of its request",
		expected: "tests",
		tests: [SCHEME_TEST, EXCHANGE_TEST],
		changes: [
			{
				file: SCHEME,
				from: "		this.#used = there ? ticket : 0;\n",
				to: "		this.#used = there ? this.#generation : 0;\n",
			},
		],
	},
	{
		name: "check-value-not-checked",
		breaks: ["I11"],
		what: "working keys are taken whatever their check values say",
		expected: "tests",
		tests: [SCHEME_TEST, SESSION_TEST],
		changes: [
			{
				file: SCHEME,
				from: "		const same = equalSecret(check, 0, block, offset, CHECK_BYTES);\n		check.fill(0);\n		return same;\n",
				to: "		const same = equalSecret(check, 0, block, offset, CHECK_BYTES);\n		check.fill(0);\n		return same || offset > 0;\n",
			},
		],
	},
	{
		name: "sign-on-without-back-off",
		breaks: ["I10"],
		what: "a sign-on that failed is repeated at once, without end",
		expected: "campaign",
		tests: [SESSION_TEST],
		changes: [
			{
				file: SESSION,
				from: "this.#timer = clock.setTimer(waitMs, () => {",
				to: "this.#timer = clock.setTimer(Math.min(1, waitMs), () => {",
			},
			{
				file: SESSION,
				from: "if (REFUSALS.includes(why)) this.#notBeforeMs = clock.monotonic() + Math.min(waitMs, config.keyTroubleMs);",
				to: "if (REFUSALS.includes(why)) this.#notBeforeMs = clock.monotonic() + Math.min(0, config.keyTroubleMs);",
			},
		],
	},
	{
		name: "key-trouble-without-limit",
		breaks: ["I10"],
		what: "each A0 and 97 asks for a sign-on, whoever sends it and however often",
		expected: "tests",
		tests: [SESSION_TEST],
		changes: [
			{
				file: SESSION,
				from: "		if (nowMs - this.#troubleAtMs < this.#o.config.keyTroubleMs) return;\n",
				to: "",
			},
		],
	},
	{
		name: "key-trouble-ignored",
		breaks: ["I3"],
		what: "A0 and 97 ask for no sign-on: keys that differ stay so",
		expected: "campaign",
		tests: [SESSION_TEST, EXCHANGE_TEST],
		changes: [
			{
				file: SESSION,
				from: "		this.#troubleAtMs = nowMs;\n		this.#wanted = true;\n",
				to: "		this.#troubleAtMs = nowMs;\n",
			},
		],
	},
	{
		name: "sign-on-stays-open",
		breaks: ["I3"],
		what: "a sign-on that nobody answers is never over: no other one begins",
		expected: "campaign",
		tests: [SESSION_TEST],
		changes: [
			{
				file: SESSION,
				from: "			this.#signing = false;\n			this.ended(end, answer);\n",
				to: '			if (end === "answer") this.#signing = false;\n			this.ended(end, answer);\n',
			},
		],
	},
	{
		name: "hold-never-released",
		breaks: ["I3"],
		what: "a sale that is over keeps the keys: no sign-on brings others",
		expected: "campaign",
		tests: [SESSION_TEST],
		changes: [{ file: SESSION, from: "		this.#held = false;\n		this.reopen();\n", to: "		this.reopen();\n" }],
	},
	{
		name: "batch-before-keys",
		breaks: ["I11"],
		what: "the batch of a sign-on answer is taken before its keys have proven who sent it",
		expected: "tests",
		tests: [SESSION_TEST],
		changes: [
			{
				file: SESSION,
				from: "		// Keys first: the answer has no MAC,",
				to: `		if (!this.takeBatch(batch)) {
			this.failed("batch", "");
			return;
		}
		// Keys first: the answer has no MAC,`,
			},
		],
	},
	{
		name: "dukpt-chunk-not-written",
		breaks: ["I4"],
		what: "the chunk of key counters is used and not written down",
		expected: "campaign",
		tests: [DUKPT_TEST, "test/terminal/dukpt.test.ts"],
		changes: [
			{
				file: DUKPT,
				from: `			this.#keys.write("DUKPT", state.subarray(0, nextByteLength));
`,
				to: "			state.fill(0, nextByteLength);\n",
			},
		],
	},
	{
		name: "dukpt-counter-stays-until-answer",
		breaks: ["I4"],
		what: "the key counter goes on when an exchange is over, not when it begins: two at a time share one",
		expected: "campaign",
		tests: [DUKPT_TEST, "test/terminal/dukpt.test.ts"],
		changes: [
			{
				file: DUKPT,
				from: "		registers.advance();\n		if (registers.counter === this.#limit) registers.wipe();\n		return ticket;\n",
				to: "		return ticket;\n",
			},
			{
				file: DUKPT,
				from: "		const place = this.placeOf(ticket);\n		if (place >= 0) this.#opened[place] = 0;\n",
				to: `		const place = this.placeOf(ticket);
		if (place >= 0) this.#opened[place] = 0;
		const registers = this.#registers;
		if (registers.counter !== ticket) return;
		registers.advance();
		if (registers.counter === this.#limit) registers.wipe();
`,
			},
		],
	},
	{
		name: "dukpt-keys-forgotten-at-close",
		breaks: ["I6"],
		what: "the keys of an exchange go when it is over: a late answer can no longer be verified",
		expected: "tests",
		tests: [DUKPT_TEST],
		changes: [
			{
				file: DUKPT,
				from: "		if (place >= 0) this.#opened[place] = 0;\n",
				to: "		if (place >= 0) this.#tickets[place] = 0;\n",
			},
		],
	},
];
