/**
 * Every combination of what the terminal says and what the host says: "agree" is the answer exactly where the money is
 * where people were told (I6). The judge below is written from that sentence, without rows and without rules.
 */
import { strict as assert } from "node:assert";
import {
	finding,
	HostFlag,
	type HostWord,
	isCaseRow,
	KIND_VOID,
	ROW_NAMES,
	Row,
	type RowName,
	rowName,
	SAID,
	SAID_NOTHING,
	type Said,
	saidOf,
	type TerminalWord,
} from "../../src/settlement/finding";
import { KIND_OFFLINE_SALE, KIND_REFUND, KIND_RESEND, KIND_SALE } from "../../src/transactions/records";
import { STATE_NAMES, State } from "../../src/transactions/states";

const { recorded, debited, reversed, posted, refused, voided, farSideFailed } = HostFlag;
const AMOUNT = 1_000;

function word(said: Said, changes: Partial<TerminalWord> = {}): TerminalWord {
	const kind = said === "nothing" ? 0 : KIND_SALE;
	return { said, kind, amountMinor: said === "nothing" ? 0 : AMOUNT, creditedMinor: 0, twin: false, ...changes };
}

function entry(flags: number, amountMinor = AMOUNT, kind = KIND_SALE): HostWord {
	return { kind, amountMinor, flags };
}

/** Is the money where people were told that it is? */
function isRight({ said, kind, amountMinor, creditedMinor }: TerminalWord, host: HostWord | undefined): boolean {
	if (said === "underWay") return false; // Nobody can say yet.
	const has = (flag: number) => host !== undefined && (host.flags & flag) !== 0;
	const givenBack = has(reversed) || has(voided);
	const movedMoney = has(debited) && !givenBack;
	if (said === "notCharged" || said === "nothing") return !movedMoney && !(has(posted) && !has(voided));
	const isRefund = kind === KIND_REFUND || kind === KIND_VOID;
	const standsMinor = amountMinor - creditedMinor;
	// We have had all of it given back, and told people: nothing of it is to be anywhere.
	const isBack = said === "charged" && !isRefund && creditedMinor > 0 && standsMinor === 0;
	if (isBack && host === undefined) return true;
	if (host === undefined || !(host.kind === kind || (SOLD.includes(host.kind) && SOLD.includes(kind)))) return false;
	if (isBack) return movedMoney ? host.amountMinor === 0 : !(has(posted) && !has(voided));
	// The one side of the money is whole, and the other one too.
	const reached = has(posted) && !has(refused) && (isRefund || !has(farSideFailed));
	return has(recorded) && movedMoney && host.amountMinor === standsMinor && reached;
}

const SOLD: readonly number[] = [KIND_SALE, KIND_OFFLINE_SALE];
const HOST_KINDS = [KIND_SALE, KIND_OFFLINE_SALE, KIND_REFUND, KIND_VOID, 9];

function everyHost(visit: (host: HostWord | undefined) => void): void {
	visit(undefined);
	for (let flags = 0; flags < 256; flags++) {
		for (const amountMinor of [AMOUNT, 400, 0]) for (const kind of HOST_KINDS) visit({ kind, amountMinor, flags });
	}
}

function everyWord(visit: (said: TerminalWord) => void): void {
	for (const said of SAID) {
		for (const kind of said === "nothing" ? [0] : [KIND_SALE, KIND_OFFLINE_SALE, KIND_REFUND, KIND_RESEND, KIND_VOID]) {
			for (const creditedMinor of said === "nothing" ? [0] : [0, 600, AMOUNT]) {
				for (const twin of [false, true]) visit(word(said, kind === 0 ? {} : { kind, creditedMinor, twin }));
			}
		}
	}
}

describe("settlement: finding", () => {
	it("of every combination is a row, and agree only where the money is where people were told (I6)", () => {
		let combinations = 0;
		everyWord((said) => {
			everyHost((host) => {
				for (const due of [false, true]) {
					const row = finding(said, host, due);
					combinations++;
					if (rowName(Row[row]) !== row) assert.fail(`no row ${row}`);
					if (row === "agree" && !isRight(said, host)) {
						assert.fail(`agree: ${JSON.stringify([said, host, due])}`);
					}
				}
			});
		});
		assert.ok(combinations > 900_000, `${combinations}`);
	});

	it("is agree wherever the money is right and nobody has to be asked: nothing is a case without a reason", () => {
		everyWord((said) => {
			if (said.twin || said.kind === KIND_RESEND) return;
			everyHost((host) => {
				for (const due of [false, true]) {
					if (!isRight(said, host) || finding(said, host, due) === "agree") continue;
					// A refund that nobody here has made, and that is "voided", is nothing that an honest host says.
					if (host !== undefined && (host.kind === KIND_REFUND || host.kind === KIND_VOID)) continue;
					assert.fail(`${finding(said, host, due)}: ${JSON.stringify([said, host, due])}`);
				}
			});
		});
	});

	it("is the row of the table", () => {
		const good = recorded | debited;
		const charged = word("charged");
		const cases: [TerminalWord, HostWord | undefined, boolean, RowName][] = [
			[charged, entry(good | posted), true, "agree"],
			[charged, undefined, false, "notFound"],
			[charged, entry(debited), false, "notFound"],
			[charged, entry(recorded), false, "notFound"],
			[charged, entry(good), false, "pending"],
			[charged, entry(good), true, "overdue"],
			[charged, entry(good | refused), false, "merchantAccount"],
			[charged, entry(good | reversed), true, "reversedAtHost"],
			[charged, entry(good | voided | posted), true, "reversedAtHost"],
			[charged, entry(good | posted, 400), true, "otherAmount"],
			[word("notCharged"), entry(good), false, "debited"],
			[word("notCharged"), entry(debited), false, "debited"],
			[word("notCharged"), entry(good | reversed), false, "agree"],
			[word("notCharged"), entry(recorded), false, "agree"],
			[word("notCharged"), undefined, false, "agree"],
			[word("notCharged"), entry(good | voided | posted), false, "agree"],
			[SAID_NOTHING, entry(good), false, "unknownHere"],
			[SAID_NOTHING, entry(good | reversed), false, "agree"],
			[SAID_NOTHING, entry(good, AMOUNT, KIND_REFUND), false, "refundDiffers"],
			[word("charged", { twin: true }), entry(good | posted), false, "doubled"],
			[word("charged", { twin: true }), entry(good | reversed), false, "reversedAtHost"],
			[charged, entry(good | farSideFailed), false, "farSide"],
			[word("refused", { kind: KIND_OFFLINE_SALE }), undefined, false, "offlineDeclined"],
			[word("refused", { kind: KIND_OFFLINE_SALE }), entry(recorded), false, "offlineDeclined"],
			[word("refused", { kind: KIND_OFFLINE_SALE }), entry(good | posted, AMOUNT, KIND_OFFLINE_SALE), false, "agree"],
			[word("charged", { kind: KIND_REFUND }), undefined, false, "refundDiffers"],
			[word("charged", { kind: KIND_REFUND }), entry(good | posted, AMOUNT, KIND_REFUND), false, "agree"],
			[word("charged", { kind: KIND_REFUND }), entry(good, AMOUNT, KIND_REFUND), false, "pending"],
			[word("underWay"), entry(good), true, "underWay"],
		];
		for (const [said, host, due, row] of cases) {
			assert.equal(finding(said, host, due), row, JSON.stringify([said, host, due]));
		}
	});

	it("goes by what our own requests have had given back", () => {
		const good = recorded | debited | posted;
		const part = word("charged", { creditedMinor: 600 });
		assert.equal(finding(part, entry(good, 400), true), "agree");
		assert.equal(finding(part, entry(good, AMOUNT), true), "otherAmount");
		const all = word("charged", { creditedMinor: AMOUNT });
		assert.equal(finding(all, entry(recorded | debited | reversed), true), "agree");
		assert.equal(finding(part, entry(recorded | debited | reversed), true), "reversedAtHost");
		assert.equal(finding(all, undefined, true), "agree");
		assert.equal(finding(all, entry(good, 0), true), "agree");
		assert.equal(finding(all, entry(good, AMOUNT), true), "refundDiffers");
	});

	it("never sends again, claims or gives back what our own requests have had given back whole", () => {
		for (const kind of SOLD) {
			for (const twin of [false, true]) {
				everyHost((host) => {
					const said = word("charged", { kind, creditedMinor: AMOUNT, twin });
					const row = finding(said, host, true);
					assert.ok(row === "agree" || row === "refundDiffers", `${row}: ${JSON.stringify(host)}`);
				});
			}
		}
	});

	it("says of each state what people were told, and of a resend nothing", () => {
		const said = (kind: number) => STATE_NAMES.map((name) => saidOf(State[name], kind));
		const [waiting, ...told] = said(KIND_SALE).slice(0, 8);
		assert.equal(waiting, "underWay");
		assert.deepEqual(told, ["charged", "charged", "notCharged", "notCharged", "underWay", "notCharged", "notCharged"]);
		const advice = ["underWay", "charged", "refused"];
		assert.deepEqual(said(KIND_OFFLINE_SALE).slice(8), advice);
		assert.deepEqual(said(KIND_REFUND).slice(8), advice);
		assert.deepEqual(new Set(said(KIND_RESEND)), new Set(["underWay"]));
	});

	it("has numbers that never change", () => {
		assert.deepEqual(ROW_NAMES.map((name) => Row[name]).join(), "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17");
		assert.equal(rowName(0), undefined);
		assert.equal(rowName(18), undefined);
		assert.deepEqual(
			ROW_NAMES.filter((name) => !isCaseRow(name)),
			["agree", "underWay"],
		);
	});
});
