/** Bugs of a sale, of the transition table and of the terminal around them. */
import type { Mutant } from "./mutate";

const SALE = "src/transactions/sale.ts";
const STATES = "src/transactions/states.ts";
const TERMINAL = "src/terminal.ts";
const LOG = "src/transactions/transaction-log.ts";
const INTENTS = "src/transactions/intent-writer.ts";
const CODES = "src/iso8583/response-codes.ts";

const SALE_TEST = "test/transactions/sale.test.ts";
const STATES_TEST = "test/transactions/states.test.ts";
const RESTART_TEST = "test/transactions/restart.test.ts";
const BOOT_TEST = "test/terminal/boot.test.ts";
const ANSWERS_TEST = "test/transactions/sale-answers.test.ts";
const EFFECT_TEST = "test/transactions/outcome-before-effect.test.ts";

const APPROVED = '			this.#act(this.#o.log.apply(this.#id, "approve", { outcome }), intent, outcome);\n		} else {';

export const SALE_MUTANTS: readonly Mutant[] = [
	{
		name: "send-before-persist",
		breaks: ["I1"],
		what: "the request goes first and the intent is written while the host thinks, to save the customer a flash write",
		expected: "campaign",
		tests: ["test/transactions/intent-before-send.test.ts"],
		changes: [
			{
				file: SALE,
				from: `		this.#id = log.begin(sale, card);
		this.#phase = "host";
		const intent = log.intent(this.#id);
`,
				to: `		this.#phase = "host";
		const intent = log.draft(sale, card);
`,
			},
			{
				file: SALE,
				from: "		});\n		this.#forgetCard(messages);\n	}\n",
				to: "		});\n		this.#id = log.begin(sale, card);\n		this.#forgetCard(messages);\n	}\n",
			},
			{
				file: LOG,
				from: "	begin(sale: NewSale, card: StoredCard): number {\n",
				to: `	draft(sale: NewSale, card: StoredCard): Intent {
		return this.#intents.draft(sale, card);
	}

	begin(sale: NewSale, card: StoredCard): number {
`,
			},
			{
				file: INTENTS,
				from: "	#begin(sale: NewSale, kind: number,",
				to: `	draft(sale: NewSale, card: StoredCard): Intent {
		const { batch } = this.#counters;
		const { pan } = card;
		const masked = { panFirst: pan.slice(0, 6), panLast: pan.slice(-4), panDigits: pan.length };
		return { ...sale, id: 0, stan: this.#nextStan(), kind: KIND_SALE, batch, ...masked };
	}

	#begin(sale: NewSale, kind: number,`,
			},
		],
	},
	{
		name: "outcome-shown-before-durable",
		breaks: ["I2"],
		what: "the screen says approved before the outcome is written, so that it feels quick",
		expected: "campaign",
		tests: [EFFECT_TEST],
		changes: [
			{
				file: SALE,
				from: APPROVED,
				to: `			const { stan, amountMinor } = intent;
			this.#show({ name: "approved", stan, amountMinor, card: maskedCard(intent), told: "paid" });
${APPROVED}`,
			},
		],
	},
	{
		name: "slip-before-durable",
		breaks: ["I2"],
		what: "screen and printer, which is slow, are started first, and the outcome is written while they work",
		expected: "campaign",
		tests: [EFFECT_TEST],
		changes: [
			{
				file: SALE,
				from: APPROVED,
				to: `			this.#deliver(intent, outcome);
			this.#apply("approve");
		} else {`,
			},
		],
	},
	{
		name: "approval-written-with-delivery",
		breaks: ["I2", "I6"],
		what: "approval and delivery become one record, written when the slip is out: half the flash writes",
		expected: "campaign",
		tests: [STATES_TEST],
		changes: [
			{
				file: STATES,
				from: `		approve: { to: "approved", persist: "outcome", act: "deliver" },`,
				to: `		approve: { to: "approved", persist: "none", act: "deliver" },`,
			},
		],
	},
	{
		name: "delivered-before-slip",
		breaks: ["I2"],
		what: "a sale counts as delivered as soon as the printer is started",
		expected: "tests",
		tests: [SALE_TEST, RESTART_TEST],
		changes: [
			{
				file: SALE,
				from: "		this.#within(this.#o.config.printTimeoutMs, noPaper);\n",
				to: `		this.#within(this.#o.config.printTimeoutMs, noPaper);
		this.#apply("deliver");
`,
			},
			{
				file: SALE,
				from: `				if (printed) {
					this.#apply("deliver");
`,
				to: "				if (printed) {\n",
			},
		],
	},
	{
		name: "boot-abandons-waiting",
		breaks: ["I3", "I6"],
		what: "a boot takes a sale without an outcome for one that was never sent",
		expected: "campaign",
		tests: [STATES_TEST],
		changes: [
			{
				file: STATES,
				from: `		boot: reverse("98", "tellInterrupted"),`,
				to: `		boot: { to: "abandoned", persist: "outcome", act: "none" },`,
			},
		],
	},
	{
		name: "reversal-forgotten-on-restart",
		breaks: ["I3"],
		what: "a boot queues what was interrupted and not what was already to be reversed",
		expected: "campaign",
		tests: [BOOT_TEST, RESTART_TEST],
		changes: [
			{
				file: TERMINAL,
				from: "			this.#reversals.add(id);\n			// Told again,",
				to: "			if (interrupted) this.#reversals.add(id);\n			// Told again,",
			},
		],
	},
	{
		name: "unconfirmed-forgotten-on-restart",
		breaks: ["I3"],
		what: "after a boot a reversal that was accepted once is not sent once more",
		expected: "campaign",
		tests: ["test/transactions/reversals.test.ts"],
		changes: [
			{
				file: TERMINAL,
				from: `		} else if (act === "watch") this.#reversals.watch(id);
		else if (act === "askDelivered")`,
				to: `		} else if (act === "askDelivered")`,
			},
		],
	},
	{
		name: "late-approval-undoes-reversal",
		breaks: ["I5"],
		what: "an approval that comes while its reversal waits makes the sale approved again",
		expected: "campaign",
		tests: [STATES_TEST],
		changes: [
			{
				file: STATES,
				from: `		...late("reversing"), // I5: a late answer never undoes a reversal.
`,
				to: `		...late("reversing"),
		approve: { to: "approved", persist: "outcome", act: "deliver" },
`,
			},
		],
	},
	{
		name: "late-approval-undoes-reversed",
		breaks: ["I5"],
		what: "an approval that comes after its reversal was answered makes the sale approved again",
		expected: "campaign",
		tests: [STATES_TEST],
		changes: [
			{
				file: STATES,
				from: `		...late("unconfirmed"),
`,
				to: `		...late("unconfirmed"),
		approve: { to: "approved", persist: "outcome", act: "deliver" },
`,
			},
		],
	},
	{
		name: "late-approval-of-declined-ignored",
		breaks: ["I6"],
		what: "an approval that comes after the refusal of the same sale is taken for noise",
		expected: "campaign",
		tests: [STATES_TEST],
		changes: [
			{
				file: STATES,
				from: `		approve: reverse("06"),
		refuse: reverse("06"), // In part, that is.
`,
				to: "",
			},
		],
	},
	{
		name: "no-second-reversal-after-late-original",
		breaks: ["I3", "I6"],
		what: "the first answer of 00, 12 or 25 ends a reversal for good: the original may still lie in the network",
		expected: "campaign",
		tests: [STATES_TEST],
		changes: [
			{
				file: STATES,
				from: `		reversalAccepted: { to: "unconfirmed", persist: "step", act: "watch" },`,
				to: `		reversalAccepted: { to: "reversed", persist: "step", act: "rest" },`,
			},
		],
	},
	{
		name: "bad-mac-is-a-decline",
		breaks: ["I3"],
		what: "an answer that cannot be trusted is shown as declined and nothing is reversed",
		expected: "campaign",
		tests: [STATES_TEST],
		changes: [
			{
				file: STATES,
				from: `		badMac: reverse("A0"),`,
				to: `		badMac: { to: "declined", persist: "outcome", act: "tellDeclined" },`,
			},
		],
	},
	{
		name: "partial-approval-taken",
		breaks: ["I6"],
		what: "code 10 is taken for an approval like the others",
		expected: "tests",
		tests: ["test/iso8583/response-codes.test.ts", ANSWERS_TEST],
		changes: [
			{
				file: CODES,
				from: `Approved in part only: not accepted", class: "partial" }`,
				to: `Approved in part only: not accepted", class: "approved" }`,
			},
		],
	},
	{
		name: "a0-is-a-decline",
		breaks: ["I6"],
		what: "a verified A0 is told as a refusal, and the untouched request arrives later",
		expected: "campaign",
		tests: ["test/iso8583/response-codes.test.ts", ANSWERS_TEST],
		changes: [
			{
				file: CODES,
				from: `en: "Message check failed, sign on again", class: "unheard" }`,
				to: `en: "Message check failed, sign on again", class: "declined" }`,
			},
		],
	},
	{
		name: "97-is-a-decline",
		breaks: ["I6"],
		what: "a verified 97 is told as a refusal, and the untouched request arrives later",
		expected: "tests",
		tests: ["test/iso8583/response-codes.test.ts", ANSWERS_TEST],
		changes: [
			{
				file: CODES,
				from: `en: "Terminal not known, sign on again", class: "unheard" }`,
				to: `en: "Terminal not known, sign on again", class: "declined" }`,
			},
		],
	},
	{
		name: "chip-aac-taken-for-tc",
		breaks: ["I6"],
		what: "the card's verdict is waited for and not looked at",
		expected: "campaign",
		tests: [SALE_TEST],
		changes: [{ file: SALE, from: `if (consent === "TC") this.#act(`, to: "if (consent !== undefined) this.#act(" }],
	},
	{
		name: "chip-gone-taken-for-tc",
		breaks: ["I6"],
		what: "a chip that gives no verdict in time is taken for one that has consented: the host has approved",
		expected: "campaign",
		tests: [SALE_TEST],
		changes: [
			{
				file: SALE,
				from: `refused("the card gave no verdict"));`,
				to: `{
				this.#act(this.#o.log.apply(this.#id, "approve", { outcome }), intent, outcome);
			});`,
			},
		],
	},
	{
		name: "cancel-after-sending",
		breaks: ["I3", "I6"],
		what: "the cancel key works while the host is asked, and nothing is reversed",
		expected: "campaign",
		tests: [SALE_TEST],
		changes: [
			{
				file: SALE,
				from: `= ["reversals", "signOn", "card", "pin"];`,
				to: `= ["reversals", "signOn", "card", "pin", "connecting", "host"];`,
			},
		],
	},
	{
		name: "second-sale-while-busy",
		breaks: ["I5"],
		what: "a second press of the key begins another sale over the one under way",
		expected: "campaign",
		tests: ["test/transactions/sale-refused.test.ts"],
		changes: [
			{ file: TERMINAL, from: `		if (this.#sale.phase !== "idle") return "refusedBusy";\n`, to: "" },
			{ file: SALE, from: `		if (this.#phase !== "idle") return "refusedBusy";\n`, to: "" },
		],
	},
	{
		name: "answer-of-an-older-sale-taken",
		breaks: ["I5"],
		what: "callbacks are not asked whether their sale is still the one under way",
		expected: "tests",
		tests: [
			"test/transactions/late-printer.test.ts",
			SALE_TEST,
			"test/transactions/nothing-twice.test.ts",
			ANSWERS_TEST,
		],
		changes: [
			{
				file: SALE,
				from: `			if (serial === this.#serial && this.#phase !== "idle") callback(...args);`,
				to: "			callback(...args);",
			},
		],
	},
	{
		name: "not-delivered-ignored",
		breaks: ["I6"],
		what: "the operator's no is written down like a yes",
		expected: "campaign",
		tests: [BOOT_TEST, RESTART_TEST],
		changes: [{ file: TERMINAL, from: `delivered ? "deliver" : "notDelivered");`, to: `"deliver");` }],
	},
	{
		name: "not-delivered-not-sent",
		breaks: ["I3"],
		what: "the operator's no is durable, and nobody puts the reversal into the queue",
		expected: "campaign",
		tests: [BOOT_TEST, RESTART_TEST],
		changes: [
			{
				file: TERMINAL,
				from: `		if (act === "tellReversing") {
			this.#reversals.add(id);
`,
				to: `		if (act === "tellReversing") {
`,
			},
		],
	},
	{
		name: "delivery-not-asked",
		breaks: ["I6"],
		what: "a boot takes an approved sale for one that the customer knows of",
		expected: "campaign",
		tests: [STATES_TEST],
		changes: [
			{
				file: STATES,
				from: `		boot: { to: "approved", persist: "none", act: "askDelivered" },`,
				to: `		boot: { to: "delivered", persist: "step", act: "none" },`,
			},
		],
	},
	{
		name: "sale-while-delivery-is-asked",
		breaks: ["I5"],
		what: "a new sale is begun while the operator has still to say whether the last one was delivered",
		expected: "tests",
		tests: [BOOT_TEST, RESTART_TEST],
		changes: [
			{
				file: TERMINAL,
				from: `return this.#questions.length > 0 ? "refusedDelivery" : undefined;`,
				to: "return undefined;",
			},
		],
	},
	{
		name: "unsent-is-reversed",
		breaks: ["I5"],
		what: "a request of which no byte has left is reversed like one in doubt",
		expected: "tests",
		tests: [STATES_TEST],
		changes: [
			{
				file: STATES,
				from: `		unsent: { to: "abandoned", persist: "outcome", act: "tellNotSent" },`,
				to: `		unsent: reverse("98"),`,
			},
		],
	},
	{
		name: "pan-in-log",
		breaks: ["I9"],
		what: "the log line of a sale has the whole card number, as it did while this was debugged",
		expected: "campaign",
		tests: ["test/security/secret-scan.test.ts", "test/transactions/secrets-on-flash.test.ts"],
		changes: [
			{
				file: SALE,
				from: `\${maskedCard(intent)} sent\``,
				to: `\${card.pan} sent\``,
			},
		],
	},
	{
		name: "track-kept-on-flash",
		breaks: ["I9"],
		what: "track 2 goes to flash for the case of a chargeback, as a record of a type that nobody reads",
		expected: "campaign",
		tests: ["test/transactions/secrets-on-flash.test.ts", "test/security/secret-scan.test.ts"],
		changes: [
			{
				file: INTENTS,
				from: "		const advice = isAdvice(kind);\n",
				to: `		const { track2 } = card as { track2?: string };
		if (track2 !== undefined) {
			for (let i = 0; i < track2.length; i++) this.#record[i] = track2.charCodeAt(i);
			this.#journal.append(20, this.#record, track2.length);
		}
		const advice = isAdvice(kind);
`,
			},
		],
	},
	{
		name: "pin-block-in-memory",
		breaks: ["I9"],
		what: "PIN block and card stay in memory after the request has left",
		expected: "tests",
		tests: [
			"test/terminal/memory-after-sale.test.ts",
			"test/security/wiping.test.ts",
			"test/security/secret-scan.test.ts",
		],
		changes: [
			{ file: SALE, from: "		});\n		this.#forgetCard(messages);\n	}\n", to: "		});\n	}\n" },
			{
				file: SALE,
				from: `		this.#noTimer();
		this.#card = undefined;
		this.#pinBlock.fill(0);
`,
				to: "		this.#noTimer();\n",
			},
		],
	},
];
