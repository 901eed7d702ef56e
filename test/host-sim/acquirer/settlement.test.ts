/**
 * Goal: a batch has one settlement and one answer, says what the books hold, and closes once; uploads close it too, and move
 * no money.
 */
import * as assert from "node:assert/strict";
import { TEST_TERMINAL } from "../../../host-sim/acquirer/test-keys";
import { fromHex } from "../../../src/core/bytes";
import { MessageDecoder } from "../../../src/iso8583/decoder";
import { UNIONPAY } from "../../../src/iso8583/unionpay";
import vectors from "../../vectors/unionpay.json";
import { card, frameOf, frameOfKind, HostUnderTest, originalOf } from "./host-under-test";
import { CutStore, OfficeTerminal, rowOf, totalsOf } from "./office-rig";

const PAN = card("chip").pan;
/** The result digits, domestic and foreign. */
const BALANCED = "11";
const UNBALANCED = "21";
const ERROR = "31";

function rig(store = new CutStore(), sync = true) {
	const host = new HostUnderTest({ store, sync });
	return { host, store, terminal: new OfficeTerminal(host) };
}

/** Two sales, a void of a third, a refund: 3000 in two debits and a voided one, 1234 + 500 given back. */
function busy() {
	const made = rig();
	const { host } = made;
	host.sale({ stan: 2, amountMinor: 1000 });
	host.sale({ stan: 3, amountMinor: 2000 });
	host.sale({ stan: 4 });
	host.sale({ stan: 5, amountMinor: 77 });
	host.reversal({ stan: 5, amountMinor: 77 });
	host.sale({ stan: 6, amountMinor: 0 });
	host.ask("void", { stan: 7, original: originalOf(1, 4) });
	host.ask("refund", { stan: 8, amountMinor: 500, original: originalOf(1, 3) });
	return made;
}

/** What the books hold of it. */
const HELD = totalsOf(3, 4234, 2, 1734);

function results(totals: string | undefined): string {
	return `${totals?.[30]}${totals?.[61]}`;
}

describe("host: settlement", () => {
	it("balances when the totals are those of the books: debits that stand, voids and refunds as credits", () => {
		const { terminal } = busy();
		const answer = terminal.settle(1, HELD);
		assert.equal(answer?.code, "00");
		assert.equal(answer?.totals, `${HELD.slice(0, 30)}1${"0".repeat(30)}1`);
	});

	it("that differs by a fen or a count is answered with the books' own totals", () => {
		for (const asked of [totalsOf(3, 4235, 2, 1734), totalsOf(4, 4234, 2, 1734), totalsOf(3, 4234, 1, 1734)]) {
			const { terminal } = busy();
			const answer = terminal.settle(1, asked);
			assert.deepEqual([results(answer?.totals), answer?.totals.slice(0, 30)], [UNBALANCED, HELD.slice(0, 30)]);
		}
		const { terminal } = busy();
		assert.equal(results(terminal.settle(1, `${HELD.slice(0, 31)}1${"0".repeat(30)}`)?.totals), "12");
	});

	it("of the vector is answered byte for byte as its answer, but for the host's own clock, number and totals", () => {
		const { host } = rig();
		const vector = (name: string) => vectors.vectors.find((known) => known.name === name);
		const line = host.call();
		line.connection?.receive(fromHex(vector("settlement-request")?.frame ?? ""));
		const wanted = fromHex(vector("settlement-response-unbalanced")?.frame ?? "");
		const [got, like] = [new MessageDecoder(UNIONPAY), new MessageDecoder(UNIONPAY)];
		got.decode(line.pieces[0], line.pieces[0].length);
		like.decode(wanted, wanted.length);
		assert.equal(line.pieces[0].length, wanted.length);
		assert.equal(got.mti, "0510");
		for (let de = 1; de <= 64; de++) {
			assert.equal(got.has(de), like.has(de), `DE ${de}`);
			if (got.has(de) && ![12, 13, 15, 37, 48].includes(de)) assert.equal(got.text(de), like.text(de), `DE ${de}`);
		}
		assert.equal(results(got.text(48)), results(like.text(48)));
	});

	it("repeated, with other totals too, gets the first answer, now and after a restart; one fact is kept", () => {
		const { host, store, terminal } = busy();
		const first = terminal.settle(1, totalsOf(9, 9));
		host.time.advance(60_000);
		host.sale({ stan: 20, amountMinor: 1 });
		assert.deepEqual(terminal.settle(1, HELD), first);
		host.restart();
		assert.deepEqual(terminal.settle(1, totalsOf(9, 9)), first);
		assert.equal(store.load("batches").length, 1);
	});

	it("whose answer is lost, by fault, is settled: the repeat says how", () => {
		const { host, terminal } = busy();
		host.faults.arm("settlementAnswerLost");
		assert.equal(terminal.settle(1, HELD), undefined);
		assert.equal(results(terminal.settle(1, HELD)?.totals), BALANCED);
	});

	it("with wrong totals, by fault, is unbalanced or in error, whatever is repeated: only the upload closes it", () => {
		const seen = new Set<string>();
		for (let seed = 1; seed < 12; seed++) {
			const host = new HostUnderTest({ seed });
			const terminal = new OfficeTerminal(host);
			host.sale();
			host.faults.arm("totalsWrong");
			const first = terminal.settle(1, totalsOf(1, 1234));
			seen.add(results(first?.totals));
			assert.deepEqual(terminal.settle(1, totalsOf(1, 1234)), first);
			assert.equal(host.sale({ stan: 3 }).code, "00");
			assert.equal(terminal.endUpload(1, 1)?.code, "00");
			assert.equal(host.sale({ stan: 4 }).code, "90");
		}
		assert.deepEqual([...seen].sort(), [UNBALANCED, ERROR]);
	});

	it("that balances closes the batch: nothing new is sold or voided in it, what is there goes on as before", () => {
		const { host, terminal } = busy();
		terminal.settle(1, HELD);
		for (const boot of [0, 1]) {
			assert.equal(host.sale({ stan: 30 + boot }).code, "90");
			assert.equal(host.ask("void", { stan: 40 + boot, original: originalOf(1, 2) }).code, "90");
			assert.equal(host.sale({ stan: 2, amountMinor: 1000 }).code, "00"); // A repeat gets its answer.
			assert.equal(host.sale({ stan: 50 + boot, batch: 2 }).code, "00");
			host.restart();
		}
		// Advices were made before; they still count.
		assert.equal(host.ask("offlineSale", { stan: 60 }).code, "00");
		assert.equal(host.ask("refund", { stan: 61, amountMinor: 1, original: originalOf(1, 3) }).code, "00");
		assert.equal(host.reversal({ stan: 2, amountMinor: 1000 }).code, "00");
		assert.equal(host.acquirer.statement().totals.conserved, true);
	});

	it("that closes a batch leaves room for the repeat of what a crash has kept from the books: no card or shop pays for it", () => {
		const begun = (kind: "sale" | "void"): HostUnderTest => {
			const made = rig();
			made.host.sale({ stan: 2 });
			made.host.faults.arm("crash");
			made.host.tell(() => (kind === "sale" ? frameOf("0200", SALE) : frameOfKind("void", VOID)));
			made.host.restart();
			assert.equal(made.host.acquirer.statement().totals.oneSided, 1);
			made.terminal.settle(1, totalsOf(1, 1234));
			assert.equal(made.host.sale({ stan: 30 }).code, "90");
			return made.host;
		};
		const SALE = { stan: 3, amountMinor: 500 };
		const VOID = { stan: 3, original: originalOf(1, 2) };
		const sold = begun("sale");
		for (let time = 0; time < 2; time++) assert.equal(sold.sale(SALE).code, "00");
		const voided = begun("void");
		for (let time = 0; time < 2; time++) assert.equal(voided.ask("void", VOID).code, "00");
		for (const host of [sold, voided]) {
			assert.deepEqual(
				[host.acquirer.statement().totals.oneSided, host.acquirer.statement().totals.conserved],
				[0, true],
			);
		}
	});

	it("that does not balance leaves the batch open, and a closed batch answers 25 to a reversal where the host does", () => {
		for (const closedBatchReversal25 of [false, true]) {
			const host = new HostUnderTest({ office: { closedBatchReversal25 } });
			const terminal = new OfficeTerminal(host);
			host.sale({ stan: 2 });
			terminal.settle(1, totalsOf(0, 0));
			assert.equal(host.sale({ stan: 3 }).code, "00");
			terminal.endUpload(1, 2);
			assert.equal(host.reversal({ stan: 2 }).code, closedBatchReversal25 ? "25" : "00");
			assert.equal(host.entry(2).cardNetMinor, closedBatchReversal25 ? 1234 : 0);
		}
	});

	it("gives the next batch above all that were settled to a terminal that has none", () => {
		const { host, terminal } = rig();
		terminal.settle(41, totalsOf(0, 0));
		assert.equal(host.signOn({ batch: 0 }).private60, "00000042003");
	});

	it("works the same on a host that knows none of the sync messages", () => {
		const { host, terminal } = rig(new CutStore(), false);
		host.sale();
		assert.equal(results(terminal.settle(1, totalsOf(1, 1234))?.totals), BALANCED);
		assert.equal(terminal.ask("406", "000001000002".padEnd(76, "0"), 1)?.code, "40");
	});

	it("that the store does not take is not answered, and is settled once when it is asked again", () => {
		for (const keeps of [false, true]) {
			const { host, store, terminal } = busy();
			store.cutAt(1, keeps);
			assert.equal(terminal.settle(1, HELD), undefined);
			assert.equal(host.crashes, 1);
			assert.equal(results(terminal.settle(1, HELD)?.totals), BALANCED);
			assert.equal(store.load("batches").length, 1);
		}
	});
});

describe("host: batch upload", () => {
	it("keeps each row once, card numbers masked, and its end closes the batch with both counts", () => {
		const { host, store, terminal } = busy();
		terminal.settle(1, totalsOf(0, 0));
		const rows = [rowOf(2, PAN, 1000), rowOf(3, PAN, 2000)];
		assert.equal(terminal.upload(1, rows)?.code, "00");
		assert.equal(terminal.upload(1, rows)?.code, "00");
		assert.equal(terminal.upload(1, [rows[0], rowOf(8, PAN, 500, "01")])?.code, "00");
		assert.equal(terminal.endUpload(1, 3, false)?.code, "00");
		assert.equal(terminal.endUpload(1, 9, true)?.code, "00"); // The first one counts.
		assert.equal(JSON.stringify(store.load("batches")).includes(PAN), false);
		for (let boot = 0; boot < 2; boot++) {
			const { batches, unknownUploads } = host.acquirer.backOffice.report(host.time.nowMs);
			const { terminalId } = TEST_TERMINAL;
			assert.deepEqual(batches, [{ terminalId, batch: 1, result: 2, closed: true, rows: 3, told: 3 }]);
			assert.deepEqual(unknownUploads, []);
			host.restart();
		}
	});

	it("of what the books do not bear out debits nobody: it is shown to a person, with the reason", () => {
		const { host, terminal } = busy();
		host.sale({ stan: 9, card: "contactless" });
		const before = host.acquirer.statement();
		terminal.upload(1, [
			rowOf(2, PAN, 1000),
			rowOf(3, PAN, 1999),
			rowOf(5, PAN, 77),
			rowOf(6, PAN, 0),
			rowOf(9, PAN, 1234),
			rowOf(70, PAN, 1234),
		]);
		terminal.endUpload(1, 6);
		assert.deepEqual(host.acquirer.statement(), before);
		const { unknownUploads } = host.acquirer.backOffice.report(host.time.nowMs);
		assert.deepEqual(
			unknownUploads.map(({ stan, why }) => `${stan} ${why}`),
			["3 other amount", "5 reversed", "6 declined", "9 other card", "70 no record"],
		);
	});

	it("of more rows than a batch can have is refused, the page whole, and what is there stays", () => {
		const { store, terminal } = rig();
		for (let page = 0; page < 125; page++) {
			const rows = Array.from({ length: 8 }, (_, n) => rowOf(1 + page * 8 + n, PAN, 1));
			assert.equal(terminal.upload(1, rows)?.code, "00");
		}
		const before = store.appended;
		assert.equal(terminal.upload(1, [rowOf(1, PAN, 1), rowOf(2000, PAN, 1)])?.code, "30");
		assert.equal(store.appended, before);
		assert.equal(terminal.upload(1, [rowOf(1, PAN, 1)])?.code, "00");
	});

	const bad: [string, string, string][] = [
		["no rows", "201", "00"],
		["fewer rows than it says", "201", `02${rowOf(2, PAN, 1)}`],
		["more rows than it says", "201", `01${rowOf(2, PAN, 1)}${rowOf(3, PAN, 1)}`],
		["nine rows", "201", `09${rowOf(2, PAN, 1).repeat(9)}`.slice(0, 322)],
		["STAN 000000", "201", `01${rowOf(0, PAN, 1)}`],
		["a card number of zeros", "201", `01${rowOf(2, "", 1)}`],
		["a card number of 20 digits", "201", `01${rowOf(2, "9".repeat(20), 1)}`],
		["an end of five digits", "207", "00001"],
		["an end with rows", "202", `01${rowOf(2, PAN, 1)}`],
		["a 60.3 of another message", "401", "0001"],
	];
	for (const [what, code, text] of bad) {
		it(`with ${what} is answered 30, and nothing is kept`, () => {
			const { store, terminal } = rig();
			const before = store.appended;
			assert.equal(terminal.rawUpload(1, code, text)?.code, "30");
			assert.equal(store.appended, before);
		});
	}

	it("and a settlement of batch 000000, with a 60.3 or 60.1 of something else, or totals of another length: 30", () => {
		const { host, store, terminal } = rig();
		const before = store.appended;
		const answers = [
			terminal.settle(0, HELD),
			terminal.upload(0, [rowOf(2, PAN, 1)]),
			terminal.endUpload(0, 1),
			terminal.settle(1, HELD, { code: "202" }),
			terminal.settle(1, HELD, { type: "22" }),
			terminal.settle(1, HELD.slice(1)),
			terminal.settle(1, HELD.slice(0, 31)),
			terminal.settle(1, `${HELD}0`),
		];
		assert.deepEqual(
			answers.map((answer) => answer?.code),
			answers.map(() => "30"),
		);
		assert.equal(store.appended, before);
		assert.equal(host.sale().code, "00");
	});

	it("is cut at any write without a row twice", () => {
		for (const keeps of [false, true]) {
			const { host, store, terminal } = rig();
			store.cutAt(1, keeps);
			assert.equal(terminal.upload(1, [rowOf(2, PAN, 1)]), undefined);
			store.heal();
			terminal.upload(1, [rowOf(2, PAN, 1), rowOf(3, PAN, 1)]);
			store.cutAt(1, keeps);
			assert.equal(terminal.endUpload(1, 2), undefined);
			store.heal();
			terminal.endUpload(1, 2);
			const [batch] = host.acquirer.backOffice.report(host.time.nowMs).batches;
			assert.deepEqual([batch.rows, batch.told, batch.closed], [2, 2, true]);
		}
	});
});

describe("host: totals that answers have no digits for", () => {
	it("a batch of more than 999 debits is settled with an error, never with clipped totals", function () {
		this.timeout(20_000);
		const { host, terminal } = rig();
		for (let stan = 1; stan <= 1000; stan++) host.tell(() => frameOf("0200", { stan, amountMinor: 1 }));
		const answer = terminal.settle(1, totalsOf(999, 1000));
		assert.equal(results(answer?.totals), ERROR);
		assert.equal(host.sale({ stan: 1001 }).code, "00");
		assert.equal(terminal.digest(1, 1001).sums[0], "1001/2234");
	});
});
