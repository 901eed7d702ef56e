/**
 * The day's statement, as a finance clerk reads it, and its figures for programs.
 * @module
 */
import pc from "picocolors";
import { formatAmount } from "../../src/core/money";
import { padRight } from "../../src/ui/columns";
import { type DayResult, type DoubtRow, isBalanced } from "../node/day-result";

const DOUBTS_SHOWN = 60;

const WHY: Readonly<Record<DoubtRow["why"], string>> = {
	"no answer": "no trusted answer 无可信应答",
	"card refused": "the card refused 卡片拒绝",
	"power cut": "power cut 断电",
	"not delivered": "approved, delivery unknown 已批准未确认",
};
const ENDED: Readonly<Record<DoubtRow["ended"], string>> = {
	approved: "stands, customer has the slip 成交",
	reversed: "reversed 已冲正",
	notDebited: "was never debited 未曾扣款",
	open: "OPEN 未结",
};

const yuan = (minor: number) => `¥${formatAmount(Math.abs(minor))}`;

/** Prints the whole statement, a line at a time. */
export function printStatement(day: DayResult, print: (line: string) => void): void {
	const { money, ledgers } = day;
	const row = (label: string, count: number | string, text = "") => {
		print(`  ${padRight(label, 44)}${`${count}`.padStart(8)}  ${text}`.trimEnd());
	};
	print("");
	print(pc.bold("Statement of the day 当日对账单"));
	print(`  Link: ${linkText(day)}`);
	row("Customers 顾客", day.sales);
	row("Approved 成功", day.approved, yuan(day.approvedMinor));
	row("Declined by the host 拒绝", day.declined);
	row("Reversed 已冲正", day.reversed);
	if (day.notDebited > 0) row("In doubt, never debited 未曾扣款", day.notDebited);
	const open = day.doubts.filter((doubt) => doubt.ended === "open").length;
	if (open > 0) row("In doubt, not settled 未结", open);
	row("No request sent 未发出", day.notBegun, "refused card, cancelled, cut before sending, no link");
	row("In doubt at some moment 曾存疑", day.inDoubt);
	print("");
	if (day.doubts.length > 0) {
		print("  How each doubt ended 存疑交易的结局");
		for (const doubt of day.doubts.slice(0, DOUBTS_SHOWN)) {
			const stan = `${doubt.stan}`.padStart(6, "0");
			print(
				`    ${stan} ${yuan(doubt.amountMinor).padStart(10)}  ${padRight(WHY[doubt.why], 42)} ${ENDED[doubt.ended]}`,
			);
		}
		const more = day.doubts.length - DOUBTS_SHOWN;
		if (more > 0) print(`    and ${more} more; all are counted below`);
		print("");
	}
	print("  Both sides' ledgers and the till 双方账目与收银记录");
	row("Issuer: cards debited, net 持卡人净扣款", "", yuan(money.cardNetMinor));
	row("  debited in all / given back", "", `${yuan(ledgers.debitedMinor)} / ${yuan(ledgers.creditedBackMinor)}`);
	row("Acquirer: merchant credited, net 商户净入账", "", yuan(money.merchantNetMinor));
	row("Till: told paid 告知已付", money.paid, yuan(money.paidMinor));
	row("Till: told not charged 告知未扣款", money.notCharged);
	row("One-sided entries 单边账", day.oneSided);
	for (const wrong of money.rows.filter((candidate) => candidate.wrong !== undefined).slice(0, DOUBTS_SHOWN)) {
		const ledger = `card ${yuan(wrong.cardNetMinor)}, merchant ${yuan(wrong.merchantNetMinor)}`;
		print(pc.red(`    ${`${wrong.stan}`.padStart(6, "0")} ${wrong.wrong} (${ledger})`));
	}
	print("");
	print("  What it took");
	row("Power cuts / host crashes / link outages", `${day.powerCuts}/${day.hostCrashes}/${day.linkOutages}`);
	row("Sign-ons 签到", day.signOns, "at each boot, and when the host's keys were not the terminal's");
	row("Flash bytes programmed for each sale", day.flashBytesPerSale);
	row("Erases for each 1,000 sales", day.erasesPerThousandSales, `${day.erasesInSale} while a customer waited`);
	if (day.copies > 1) {
		row("Flash blocks destroyed / mended 闪存块损毁/修复", `${day.blocksDestroyed}/${day.blocksMended}`);
		row("Copies of the journal, whole 日志副本完好", `${day.copiesWhole}/${day.copies}`);
	}
	const simulated = `${Math.floor(day.simulatedMs / 60_000)} min`;
	row("Simulated time", simulated, `in ${(day.realMs / 1000).toFixed(1)} s`);
	print("");
	if (isBalanced(day)) {
		print(pc.green("  BALANCED 平: every sale's money is where screen and slip told people it is."));
	} else if (day.conserved && day.copiesWhole < day.copies) {
		print(pc.yellow("  BALANCED, but a copy of the journal lacks something that the other one has."));
	} else if (day.conserved) {
		print(pc.yellow("  BALANCED SO FAR: the money is where people were told it is, and something still waits."));
	} else {
		print(pc.red(`  UNBALANCED 不平: ${day.oneSided} sales whose money is not where people were told it is.`));
	}
}

function linkText({ tls, tlsProtocol }: DayResult): string {
	if (!tls) return "plain TCP, allowed by configuration";
	return tlsProtocol === undefined
		? "TLS, and no connection ever stood"
		: `${tlsProtocol.replace("v", " ")}, both certificates checked`;
}

/** The figures, flat. */
export function jsonOf(day: DayResult): Record<string, unknown> {
	const { money, doubts, ledgers, ...figures } = day;
	return {
		...figures,
		cardNetMinor: money.cardNetMinor,
		merchantNetMinor: money.merchantNetMinor,
		toldPaid: money.paid,
		toldNotCharged: money.notCharged,
		wrong: money.rows.filter((row) => row.wrong !== undefined).map((row) => ({ stan: row.stan, wrong: row.wrong })),
		debitedMinor: ledgers.debitedMinor,
		creditedBackMinor: ledgers.creditedBackMinor,
		doubtsOpen: doubts.filter((row) => row.ended === "open").length,
	};
}
