/** Bugs of a sale, and of the terminal around it. */
import type { Mutant } from "./mutate";

const SALE = "src/transactions/sale.ts";
const TERMINAL = "src/terminal.ts";
const LOG = "src/transactions/transaction-log.ts";
const INTENTS = "src/transactions/intent-writer.ts";

const SALE_TEST = "test/transactions/sale.test.ts";
const RESTART_TEST = "test/transactions/restart.test.ts";
const BOOT_TEST = "test/terminal/boot.test.ts";
const ANSWERS_TEST = "test/transactions/sale-answers.test.ts";
const EFFECT_TEST = "test/transactions/outcome-before-effect.test.ts";
const APPROVED = '			this.act(this.apply("approve", 0, outcome), intent, outcome);\n		} else {';

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
				from: "		});\n		this.forgetCard(messages);\n	}\n",
				to: "		});\n		this.#id = log.begin(sale, card);\n		this.forgetCard(messages);\n	}\n",
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
				from: "	private write(sale: NewSale, kind: number,",
				to: `	draft(sale: NewSale, card: StoredCard): Intent {
		const { batch } = this.#counters;
		const { pan } = card;
		const masked = { panFirst: pan.slice(0, 6), panLast: pan.slice(-4), panDigits: pan.length };
		return { ...sale, id: 0, stan: this.nextStan(), kind: KIND_SALE, batch, ...masked };
	}

	private write(sale: NewSale, kind: number,`,
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
			this.show({ name: "approved", stan, amountMinor, card: maskedCard(intent), told: "paid" });
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
				to: `			this.deliver(intent, outcome);
			this.apply("approve");
		} else {`,
			},
		],
	},
	{
		name: "delivered-before-slip",
		breaks: ["I2"],
		what: "a sale counts as delivered as soon as the printer is started",
		expected: "campaign",
		tests: [SALE_TEST, RESTART_TEST],
		changes: [
			{
				file: SALE,
				from: "		this.within(this.#o.config.printTimeoutMs, noPaper);\n",
				to: `		this.within(this.#o.config.printTimeoutMs, noPaper);
		this.apply("deliver");
`,
			},
			{
				file: SALE,
				from: `				if (printed) {
					this.#o.log.apply(this.#id, "deliver");
`,
				to: "				if (printed) {\n",
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
		name: "chip-aac-taken-for-tc",
		breaks: ["I6"],
		what: "the card's verdict is waited for and not looked at",
		expected: "campaign",
		tests: [SALE_TEST],
		changes: [{ file: SALE, from: `if (consent === "TC") this.act(`, to: "if (consent !== undefined) this.act(" }],
	},
	{
		name: "chip-gone-taken-for-tc",
		breaks: ["I6"],
		what: "a chip that gives no verdict in time is taken for one that has consented: the host has approved",
		expected: "tests",
		tests: [SALE_TEST],
		changes: [
			{
				file: SALE,
				from: `refused("the card gave no verdict", Flag.deviceFault));`,
				to: `{
				this.act(this.apply("approve", 0, outcome), intent, outcome);
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
		expected: "campaign",
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
		name: "sale-while-delivery-is-asked",
		breaks: ["I5"],
		what: "a new sale is begun while the operator has still to say whether the last one was delivered",
		expected: "campaign",
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
			{ file: SALE, from: "		});\n		this.forgetCard(messages);\n	}\n", to: "		});\n	}\n" },
			{
				file: SALE,
				from: `		this.noTimer();
		this.#card = undefined;
		this.#pinBlock.fill(0);
`,
				to: "		this.noTimer();\n",
			},
		],
	},
];
