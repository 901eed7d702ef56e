/** Bugs of the line to the host: which answer is whose, what was sent, which link. */
import type { Mutant } from "./mutate";

const EXCHANGE = "src/host/host-exchange.ts";
const EXPECTATIONS = "src/host/expectations.ts";
const LINE = "src/host/host-line.ts";
const SALE = "src/transactions/sale.ts";

const EXCHANGE_TEST = "test/host/host-exchange.test.ts";
const LINE_TEST = "test/host/host-line.test.ts";
const DEAF_LINE_TEST = "test/settlement/deaf-line.test.ts";
const ANSWERS_TEST = "test/transactions/sale-answers.test.ts";

export const LINE_MUTANTS: readonly Mutant[] = [
	{
		name: "answer-mac-not-checked",
		breaks: ["I6"],
		what: "an answer is believed whatever its MAC is",
		expected: "campaign",
		tests: [EXCHANGE_TEST, ANSWERS_TEST],
		changes: [
			{
				file: EXCHANGE,
				from: `		if (mac === "none") return true;\n`,
				to: `		if (mac !== "sync") return true;\n`,
			},
		],
	},
	{
		name: "answer-amount-not-compared",
		breaks: ["I6"],
		what: "an answer with another amount is an answer like any other",
		expected: "campaign",
		tests: [EXCHANGE_TEST, ANSWERS_TEST],
		changes: [
			{
				file: EXCHANGE,
				from: "decoder.has(4) && decoder.number(4) !== amountMinor;",
				to: "decoder.has(4) && decoder.number(4) === 0;",
			},
		],
	},
	{
		name: "answer-stan-not-compared",
		breaks: ["I5", "I6"],
		what: "whatever answer comes while a sale waits is the sale's",
		expected: "campaign",
		tests: [EXCHANGE_TEST, ANSWERS_TEST],
		changes: [
			{
				file: EXPECTATIONS,
				from: "		if (!message.has(11) || message.number(11) !== (rows[at + STAN] & SIX_DIGITS)) return false;\n",
				to: "",
			},
		],
	},
	{
		name: "answer-of-another-terminal-taken",
		breaks: ["I6"],
		what: "the terminal's number in an answer is not looked at, only the shop's",
		expected: "tests",
		tests: [EXCHANGE_TEST, ANSWERS_TEST, "test/transactions/reversals.test.ts"],
		changes: [
			{
				file: EXCHANGE,
				from: "if (!decoder.equals(41, terminalId) || !decoder.equals(42, merchantId)) {",
				to: 'if (terminalId === "" || !decoder.equals(42, merchantId)) {',
			},
		],
	},
	{
		name: "answer-kind-not-compared",
		breaks: ["I5"],
		what: "answers are told apart by STAN alone: the answer to a sale is taken for that to its reversal",
		expected: "campaign",
		tests: [EXCHANGE_TEST, ANSWERS_TEST],
		changes: [
			{
				file: EXPECTATIONS,
				from: "(head & TAKEN) === 0 || mtiWord(message.mti) !== (head & 0xffff)",
				to: "(head & TAKEN) === 0",
			},
		],
	},
	{
		name: "answer-batch-not-compared",
		breaks: ["I5"],
		what: "an answer with the STAN of another batch is taken",
		expected: "tests",
		tests: [EXCHANGE_TEST, "test/transactions/reversals.test.ts"],
		changes: [
			{
				file: EXPECTATIONS,
				from: "message.numberAt(60, 2, 6) !== (rows[at + BATCH] & SIX_DIGITS)",
				to: "(rows[at + BATCH] & SIX_DIGITS) === 0",
			},
		],
	},
	{
		name: "sent-taken-for-unsent",
		breaks: ["I3", "I6"],
		what: "a connection that is lost while the host is asked counts as nothing sent",
		expected: "campaign",
		tests: [EXCHANGE_TEST, "test/transactions/sale.test.ts"],
		changes: [
			{
				file: EXCHANGE,
				from: `if (other !== 0 && other <= serial) this.end(place, "noAnswer");`,
				to: `if (other !== 0 && other <= serial) this.end(place, "unsent");`,
			},
		],
	},
	{
		name: "unsent-taken-for-sent",
		breaks: ["I5"],
		what: "a request that the link has refused counts as sent: it is reversed for nothing",
		expected: "tests",
		tests: [EXCHANGE_TEST, "test/transactions/sale.test.ts"],
		changes: [
			{ file: EXCHANGE, from: `			this.end(place, "unsent");\n`, to: `			this.end(place, "noAnswer");\n` },
		],
	},
	{
		name: "failover-resends-what-was-written",
		breaks: ["I5"],
		what: "when a connection is lost the same bytes go over the next link",
		expected: "campaign",
		tests: [EXCHANGE_TEST, "test/terminal/line-recovery.test.ts"],
		changes: [
			{ file: EXCHANGE, from: "				this.endAll();\n			},\n", to: "				this.#failOver();\n			},\n" },
			{
				file: EXCHANGE,
				from: "		const serial = ++this.#serial;\n",
				to: "		const serial = ++this.#serial;\n		if (place === ALONE) this.#sent = frame.slice(0, byteLength);\n",
			},
			{
				file: EXCHANGE,
				from: "	private end(place: number, end: ExchangeEnd): void {\n",
				to: `	#sent = new Uint8Array(0);

	#failOver(): void {
		const serial = this.#numbers[ALONE * PLACE_NUMBERS + SERIAL];
		if (serial === 0) {
			this.endAll();
			return;
		}
		this.#line.connect((connected) => {
			if (this.#numbers[ALONE * PLACE_NUMBERS + SERIAL] !== serial) return;
			if (!connected || !this.#line.write(this.#sent)) this.endAll();
		});
	}

	private end(place: number, end: ExchangeEnd): void {
`,
			},
		],
	},
	{
		name: "failover-sells-again",
		breaks: ["I3", "I6"],
		what: "when a sale gets no answer it is sold once more over the next link, under a new number, and the first forgotten",
		expected: "campaign",
		tests: ["test/transactions/sale.test.ts"],
		changes: [
			{
				file: SALE,
				from: `				this.act(this.apply("noAnswer", lost ? Flag.lineLost : 0), intent);
				return;
`,
				to: `				this.apply("unsent");
				this.connect();
				return;
`,
			},
			{ file: SALE, from: "		});\n		this.forgetCard(messages);\n	}\n", to: "		});\n	}\n" },
		],
	},
	{
		name: "silent-link-never-closed",
		breaks: ["I3"],
		what: "a dead link is noticed by an error only, which a dead link does not give",
		expected: "campaign",
		tests: [EXCHANGE_TEST, LINE_TEST],
		changes: [
			{
				file: EXCHANGE,
				from: "if (this.#silent >= this.#options.config.silentExchangesMax) {",
				to: "if (this.#silent < 0) {",
			},
			{
				file: LINE,
				from: `		if (this.stale) this.close("idle");
`,
				to: "",
			},
		],
	},
	{
		name: "deaf-line-kept-for-sync",
		breaks: ["I3"],
		what: "what is posted beside others goes on over a line that nothing has come over for long",
		expected: "tests",
		tests: [DEAF_LINE_TEST],
		changes: [
			{
				file: EXCHANGE,
				from: "if (!this.#line.open || (open === 0 && this.#line.stale)) return 0;",
				to: "if (!this.#line.open) return 0;",
			},
		],
	},
	{
		name: "silence-not-counted",
		breaks: ["I3"],
		what: "exchanges without an answer are not counted: a dead link is left only when it has been idle for long",
		expected: "tests",
		tests: [EXCHANGE_TEST],
		changes: [{ file: EXCHANGE, from: "this.#silent++;", to: "this.#silent += 0;" }],
	},
	{
		name: "no-failover",
		breaks: ["I3"],
		what: "the second link is never tried when the first one does not connect",
		expected: "tests",
		tests: [LINE_TEST],
		changes: [
			{
				file: LINE,
				from: "		const index = (this.#first + tried) % links.length;\n",
				to: "		const index = tried;\n		if (tried > 0) {\n			this.report(false);\n			return;\n		}\n",
			},
		],
	},
	{
		name: "connect-without-time-limit",
		breaks: ["I3"],
		what: "a link that never says whether it stands is waited for without end",
		expected: "campaign",
		tests: [LINE_TEST],
		changes: [
			{
				file: LINE,
				from: `			if (mine()) failed("no connection in time");
`,
				to: "",
			},
		],
	},
	{
		name: "framer-keeps-half-a-frame",
		breaks: ["I3"],
		what: "what is left of a frame when a connection breaks stands before the first frame of the next",
		expected: "campaign",
		tests: [LINE_TEST],
		changes: [
			{
				file: LINE,
				from: "		this.#open = false;\n		this.#framer.reset();\n",
				to: "		this.#open = false;\n",
			},
			{
				file: LINE,
				from: "		this.#lastHeardMs = this.#options.clock.monotonic();\n		this.#framer.reset();\n",
				to: "		this.#lastHeardMs = this.#options.clock.monotonic();\n",
			},
		],
	},
	{
		name: "late-answers-unverified",
		breaks: ["I6"],
		what: "a late answer is believed whatever its MAC is",
		expected: "tests",
		tests: [EXCHANGE_TEST, ANSWERS_TEST],
		changes: [
			{
				file: EXCHANGE,
				from: "const verified = known ? this.verified(past) : ticket !== 0 && scheme.use(ticket) && this.#decoder.verify(scheme);",
				to: "const verified = known || (ticket !== 0 && scheme.use(ticket));",
			},
		],
	},
	{
		name: "advice-frame-kept",
		breaks: ["I9"],
		what: "the frame of an advice, with the card number, stays in memory",
		expected: "tests",
		tests: ["test/security/wiping.test.ts", "test/transactions/advices.test.ts", "test/security/secret-scan.test.ts"],
		changes: [
			{
				file: "src/transactions/advices.ts",
				from: "		messages.frame.fill(0, 0, byteLength); // The card number has left with it (I9).\n",
				to: "",
			},
		],
	},
];
