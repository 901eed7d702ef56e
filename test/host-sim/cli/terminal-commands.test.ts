/**
 * Goal: all that a shop can ask of its terminal can be done by hand, and what is typed wrong does nothing and says so in one
 * line. Method: the table of commands on a whole terminal and host in virtual time; what a command waits for is waited for
 * by moving that time.
 */
import assert from "node:assert/strict";
import { COMMANDS, type CommandContext, findCommand, runCommand } from "../../../host-sim/cli/terminal-commands";
import { checkPack } from "../../../host-sim/cli/verify-checks";
import { type PackObject, parsePack } from "../../../host-sim/cli/verify-json";
import type { Screen, ScreenName, Slip } from "../../../src/ports";
import { Rig, type RigOptions } from "../world/rig";

const HOUR_MS = 3_600_000;

interface Desk {
	rig: Rig;
	slips: Slip[];
	/** Files that were written. */
	saved: Map<string, Uint8Array>;
	/** Types a line. @returns what was printed */
	type(line: string): string;
}

function desk(options: RigOptions = {}): Desk {
	const screens: Screen[] = [];
	const rig = new Rig({ config: { settleAtMinute: -1 }, ...options, onScreen: (screen) => screens.push(screen) });
	const slips: Slip[] = [];
	const saved = new Map<string, Uint8Array>();
	rig.shop.till.onSlip = (slip) => slips.push(slip);
	return {
		rig,
		slips,
		saved,
		type(line) {
			const said: string[] = [];
			const from = screens.length;
			const context: CommandContext = {
				terminal: rig.shop.terminal,
				language: "en",
				print: (text) => said.push(text),
				status: () => "the status",
				now: () => rig.time.nowMs,
				save: (name, extension, bytes) => {
					saved.set(`${name}.${extension}`, bytes);
					return `${name}.${extension}`;
				},
				attempt: (action) => action(),
				shown: (name: ScreenName) => screens.slice(from).some((screen) => screen.name === name),
				wait: (happened, ms, then) => then(!rig.runUntil(happened, ms)),
			};
			const command = findCommand(line);
			assert.ok(command, `"${line}" is a command`);
			runCommand(command, context);
			return said.join("\n");
		},
	};
}

describe("commands of npm run terminal", () => {
	it("help names each of them with its usage; an amount is none of them", () => {
		const { type } = desk();
		const help = type("help");
		for (const { name, usage, help: words } of COMMANDS)
			assert.ok(help.includes(`${name} ${usage}`.trim()) && help.includes(words));
		for (const line of ["12.34", "", "m", "q", "c", "settled", "casesall"])
			assert.equal(findCommand(line), undefined, line);
		assert.equal(findCommand("  CASES   All ")?.args[0], "all");
		assert.equal(type("status"), "the status");
	});

	it("evidence: a signed pack of a sale, a day, a case in a file; nothing for what is not known, or while one is served", () => {
		const { rig, type, saved } = desk({ evidence: true });
		const { stan } = rig.sell(2_000);
		rig.time.advance(60_000);
		assert.match(type(`evidence txn ${stan}`), /^\d+ bytes in evidence-txn-\d+\.json/);
		assert.match(type("evidence day"), /evidence-day-\d{8}\.json; npm run verify -- FILE checks it\.$/);
		for (const pack of saved.values()) assert.equal(checkPack(pack, parsePack(pack), {}).signature, "good");
		const key = /signed with ([0-9A-F]{64});/.exec(type("evidence key"))?.[1];
		for (const pack of saved.values())
			assert.equal(String((parsePack(pack).value as PackObject).key).toUpperCase(), key);
		assert.match(type("evidence case 9"), /case 9/);
		assert.match(type("evidence txn 999 batch 1"), /no transaction 999 of batch 1/);
		for (const line of ["evidence", "evidence txn", "evidence day 3", "evidence case one"])
			assert.match(type(line), /^usage/);
		const visit = rig.come(3_000);
		rig.runUntil(() => visit.screens.includes("waitForHost"));
		assert.match(type("evidence day"), /at work/);
		assert.match(type("evidence key"), /at work/);
	});

	it("evidence of a day that is settled says that it holds no transaction, and is a pack all the same", () => {
		const { rig, type, saved } = desk({ evidence: true });
		rig.sell(2_000);
		rig.time.advance(10_000);
		assert.match(type("settle"), /is settled/);
		assert.match(type("evidence day"), /FILE checks it\.\nIt holds no transaction: .* before you settle\.$/);
		for (const pack of saved.values()) assert.equal(checkPack(pack, parsePack(pack), {}).signature, "good");
	});

	it("settle: balanced, the slip, the next batch; and nothing is left to settle before a batch is there", () => {
		const { rig, slips, type } = desk();
		rig.sell(1_500);
		rig.time.advance(10_000);
		assert.equal(type("settle"), "Batch 1 is settled; sales carry batch 2.");
		rig.time.advance(10_000);
		assert.deepEqual(
			slips.map(({ name }) => name),
			["sale", "settlement"],
		);
		const fresh = desk({ makeLinks: () => [] });
		assert.match(fresh.type("settle"), /no batch to settle yet/);
	});

	it("a difference: sync names it, settle waits and names it, the case is listed, shown with cause and history, and printed", () => {
		const { rig, slips, type } = desk();
		rig.sell(1_500);
		rig.faults.arm("recordLost");
		const { stan } = rig.sell(68_800);
		assert.equal(type("cases"), "No open cases.");
		assert.match(
			type("sync"),
			/^Compared; 1 differ; open cases 0\.\n {2}trace 00000\d ¥688\.00: host does not know it; being checked$/,
		);
		assert.match(
			type("settle"),
			/^Batch 1 is not settled yet; .*batch 2\.\nWhat differs .*:\n {2}trace 00000\d ¥688\.00/,
		);
		assert.equal(type("settle").split("\n")[0], "Batch 1 closes already.");
		rig.time.advance(HOUR_MS);
		assert.match(
			type("cases all"),
			new RegExp(
				`^case 1: batch 1 trace 00000${stan} ¥688\\.00: host does not know it; system fault at the host; resolved`,
			),
		);
		const shown = type("case 1");
		for (const line of [
			/terminal has ¥688\.00, host has ¥688\.00/,
			/cause {8}system fault at the host\n {2}facts {8}card debited, no record at the host/,
			/outcome {6}the books agree/,
			/\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d {2}opened → found/,
			/the books agree → resolved/,
		]) {
			assert.match(shown, line);
		}
		slips.length = 0;
		assert.equal(type("print case 1"), "");
		assert.equal(type("print settlement"), "");
		assert.deepEqual(
			slips.map(({ name, reprint }) => [name, reprint]),
			[
				["case", false],
				["settlement", true],
			],
		);
		assert.equal(rig.money().oneSided, 0);
	});

	it("a case that asks: status of it, a wrong answer, yes; the money is given back", () => {
		const { rig, type } = desk();
		rig.sell(3_000);
		rig.sell(3_000);
		rig.time.advance(HOUR_MS);
		assert.match(
			type("cases"),
			/^case 1: .*perhaps sold twice; operator error; asks the shop; the shop: answer yes or no/,
		);
		assert.equal(type("answer 1 maybe"), "usage: answer N yes|no");
		assert.equal(type("answer 7 yes"), "No such case; cases lists them.");
		assert.match(type("answer 1 yes"), /^case 1: /);
		assert.equal(type("answer 1 yes"), "Case 1 asks nothing.");
		rig.time.advance(3 * HOUR_MS);
		assert.match(
			type("case 1"),
			/asked {8}refund \(credit\) ¥30\.00, .*request [0-9A-F]{32}\n {2}answer {7}done.*reference \S+/,
		);
		assert.match(type("case 1"), /given back {3}¥30\.00/);
	});

	it("query: here and at the host; of a settled batch the host alone; what is no question", () => {
		const { rig, type } = desk();
		const { stan } = rig.sell(1_500);
		rig.sell(900, "poor");
		rig.time.advance(HOUR_MS);
		assert.match(
			type(`query ${stan}`),
			/^batch 1 trace 00000\d ¥15\.00, 621234\*{6}4020, .*Approved: charged.*\nHost: posted .*¥15\.00, recorded .*posted /,
		);
		assert.match(type("query amount 9"), /Declined: no charge, 51 .*\nHost: /);
		assert.match(type("query card 4020 local"), /^batch 1 trace 00000\d ¥15\.00[^\n]*$/);
		assert.equal(type("query card 9999 local"), "This terminal knows of none.");
		assert.match(type("query 999"), /^This terminal knows of none\.\nHost: not known \(batch 1/);
		for (const line of [
			"query",
			"query x",
			"query card 12",
			"query amount 1.234",
			"query 1 batch",
			"query 1 2",
			"query -1",
		]) {
			assert.match(type(line), /^usage: query TRACE/, line);
		}
		assert.match(type("query 0"), /range/);
		assert.match(type("query 1000000"), /range/);
		type("settle");
		rig.time.advance(HOUR_MS);
		assert.match(
			type(`query ${stan}`),
			/^This terminal knows of none\.\nHost: not known \(batch 2 .*\nHost: posted \(batch 1 /,
		);
		assert.match(type(`query ${stan} batch 1`), /^This terminal knows of none\.\nHost: posted \(batch 1 /);
		rig.setLink(false);
		rig.time.advance(HOUR_MS);
		assert.match(type(`query ${stan} batch 1`), /\nNo line: not asked/);
	});

	it("queue: a reversal that waits, and nothing", () => {
		const { rig, type } = desk();
		assert.equal(type("queue"), "Nothing waits.");
		rig.faults.arm("answerLost");
		rig.sell(2_000);
		assert.match(type("queue"), /^reversal: batch 1 trace 00000\d ¥20\.00: (Being r|R)eversed.*tries \d+$/);
	});

	it("reprint and notice: paper, or one line that says why not", () => {
		const { rig, slips, type } = desk();
		assert.match(type("reprint"), /No such transaction/);
		const paid = rig.sell(1_500);
		const poor = rig.sell(900, "poor");
		slips.length = 0;
		assert.equal(type("reprint"), "");
		assert.equal(type(`reprint ${paid.stan} customer`), "");
		assert.deepEqual(
			slips.map(({ copy, reprint }) => [copy, reprint]),
			[
				["merchant", true],
				["customer", true],
				["customer", true],
			],
		);
		slips.length = 0;
		assert.match(type(`reprint ${poor.stan}`), /not charged/);
		assert.match(type(`notice ${paid.stan}`), /It is charged/);
		assert.equal(slips.length, 0);
		assert.equal(type(`notice ${poor.stan}`), "");
		assert.equal(slips[0].name, "notCharged");
		for (const line of ["reprint x", "reprint 0", "reprint 1 2", "reprint merchant customer"]) {
			assert.match(type(line), /^usage: reprint/, line);
		}
		for (const line of ["notice", "notice 0", "notice one", "notice 1 2"])
			assert.match(type(line), /^usage: notice/, line);
		for (const line of ["print", "print case", "print case x", "print settlement 1"])
			assert.match(type(line), /^usage: print/, line);
		assert.match(type("print case 4"), /No such case/);
		assert.match(type("print settlement"), /No batch was settled/);
	});

	it("what takes nothing behind it says so; numbers and times have bounds", () => {
		const { type } = desk();
		for (const name of ["help", "status", "settle", "sync", "queue"]) {
			assert.equal(type(`${name} now`), `${name} takes nothing behind it`);
		}
		for (const line of [
			"wait",
			"wait x",
			"wait 86401",
			"wait 1 2",
			"case",
			"case x",
			"cases some",
			"answer",
			"answer 1",
		]) {
			assert.match(type(line), /^usage: /, line);
		}
		assert.equal(type("case 99999999999"), "usage: case N");
	});

	it("a host that knows no sync: sync says so, and settling works", () => {
		const { rig, type } = desk({ sync: false });
		rig.sell(1_500);
		assert.match(type("sync"), /does not know the sync messages/);
		assert.match(type("settle"), /^Batch 1 is settled/);
	});
});
