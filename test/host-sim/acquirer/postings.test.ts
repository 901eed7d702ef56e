/**
 * Goal: what is recorded is posted once, when it is due; what befalls a sale in the books is what its fault says, shows in the
 * host's entry, and is told to the owner once it is durable.
 */
import * as assert from "node:assert/strict";
import type { OfficeOptions } from "../../../host-sim/acquirer/acquirer";
import type { FaultName } from "../../../host-sim/acquirer/faults";
import type { Injection } from "../../../host-sim/acquirer/mishaps";
import { Reason } from "../../../host-sim/acquirer/posting-reasons";
import type { LedgerEntry } from "../../../host-sim/acquirer/statement";
import { TEST_TERMINAL } from "../../../host-sim/acquirer/test-keys";
import { HostUnderTest, originalOf } from "./host-under-test";
import { CutStore, F, GOOD, idOf, OfficeTerminal } from "./office-rig";

const HOUR_MS = 3_600_000;
const TERMINAL = { merchantId: TEST_TERMINAL.merchantId, terminalId: TEST_TERMINAL.terminalId };
/** Recorded and debited, not posted. */
const PENDING = F.recorded | F.debited;

function rig(office: OfficeOptions = {}, seed = 1) {
	const injected: Injection[] = [];
	const store = new CutStore();
	const onInjected = (injection: Injection): number => injected.push(injection);
	const host = new HostUnderTest({ store, seed, office: { ...office, onInjected } });
	return { host, store, injected, terminal: new OfficeTerminal(host) };
}

function nets(host: HostUnderTest, stan = 2): [number, number] {
	const { cardNetMinor, merchantNetMinor } = host.entry(stan);
	return [cardNetMinor, merchantNetMinor];
}

function stateOf(host: HostUnderTest, stan = 2): LedgerEntry["posting"] {
	return host.entry(stan).posting;
}

describe("host: postings", () => {
	it("without a delay are made with the record; with one when they are due, by themselves, and over a restart", () => {
		const atOnce = rig();
		atOnce.host.sale();
		assert.deepEqual([nets(atOnce.host), stateOf(atOnce.host)], [[1234, 1234], "posted"]);
		for (const restarts of [false, true]) {
			const { host, terminal } = rig({ postingDelayMs: HOUR_MS });
			host.sale();
			assert.deepEqual([nets(host), stateOf(host)], [[1234, 0], "pending"]);
			assert.equal(terminal.brief(2), `${PENDING} 0 1234`);
			host.time.advance(HOUR_MS - 1);
			if (restarts) host.restart();
			assert.deepEqual(nets(host), [1234, 0]);
			host.time.advance(1);
			assert.deepEqual([nets(host), stateOf(host)], [[1234, 1234], "posted"]);
			assert.deepEqual(terminal.transaction(1, 2), {
				stan: 2,
				kind: 1,
				amountMinor: 1234,
				flags: GOOD,
				reason: 0,
				rrn: "112200000001",
				recordedAt: "261122093112",
				postedAt: "261122103112",
			});
		}
	});

	it("that came due while the host was down are made when it comes back", () => {
		const { host } = rig({ postingDelayMs: HOUR_MS });
		host.sale();
		host.acquirer.kill();
		host.time.advance(5 * HOUR_MS);
		host.restart();
		assert.deepEqual(nets(host), [1234, 1234]);
	});

	it("never come of what was reversed or voided before, and come of a void that was taken back", () => {
		const { host, terminal } = rig({ postingDelayMs: HOUR_MS });
		for (const stan of [2, 3, 4]) host.sale({ stan });
		host.reversal({ stan: 2 });
		host.ask("void", { stan: 13, original: originalOf(1, 3) });
		host.ask("void", { stan: 14, original: originalOf(1, 4) });
		assert.equal(host.voidReversal({ stan: 14, original: originalOf(1, 4) }).code, "00");
		host.time.advance(2 * HOUR_MS);
		assert.deepEqual(
			[nets(host, 2), nets(host, 3), nets(host, 4)],
			[
				[0, 0],
				[0, 0],
				[1234, 1234],
			],
		);
		assert.deepEqual(
			[2, 3, 4, 13, 14].map((stan) => terminal.brief(stan)),
			[
				`${PENDING | F.reversed} 0 1234`,
				`${GOOD | F.voided} 0 1234`,
				`${GOOD} 0 1234`,
				`${GOOD} 0 1234`,
				`${PENDING | F.reversed} 0 1234`,
			],
		);
	});

	it("of a sale of which a part was refunded before leave the merchant what the card has still paid", () => {
		const { host } = rig({ postingDelayMs: HOUR_MS });
		host.sale();
		host.ask("refund", { stan: 3, amountMinor: 234, original: originalOf(1, 2) });
		assert.deepEqual(nets(host), [1000, 0]);
		host.time.advance(2 * HOUR_MS);
		assert.deepEqual(nets(host), [1000, 1000]);
	});

	it("are refused for an account that takes nothing, with its reason, until it is mended; each of them once", () => {
		const { host, terminal } = rig({ postingDelayMs: HOUR_MS });
		const { backOffice } = host.acquirer;
		backOffice.refuseAccount(TERMINAL, host.time.nowMs, 44);
		for (const stan of [2, 3]) host.sale({ stan });
		host.time.advance(2 * HOUR_MS);
		assert.deepEqual([nets(host), stateOf(host)], [[1234, 0], "refused"]);
		assert.equal(terminal.brief(2), `${PENDING | F.refused} 44 1234`);
		assert.deepEqual(terminal.digest(1, 9).sums, ["2/2468", "0/0", "0/0", "2/2468"]);
		host.restart();
		assert.equal(terminal.brief(3), `${PENDING | F.refused} 44 1234`);
		host.acquirer.backOffice.mendAccount(TERMINAL, host.time.nowMs);
		host.acquirer.officeChanged();
		assert.equal(terminal.brief(2), `${PENDING} 0 1234`); // Due again, after the usual delay.
		host.time.advance(HOUR_MS);
		assert.deepEqual(
			[nets(host, 2), nets(host, 3)],
			[
				[1234, 1234],
				[1234, 1234],
			],
		);
		assert.equal(host.store.load("postings").filter((fact) => "key" in fact).length, 2);
	});

	it("of another terminal, or another shop, are not touched by an account that takes nothing", () => {
		const other = { ...TEST_TERMINAL, terminalId: "12345679" };
		const host = new HostUnderTest({ terminals: [TEST_TERMINAL, other] });
		host.acquirer.backOffice.refuseAccount({ ...TERMINAL, terminalId: "12345679" }, host.time.nowMs);
		host.sale();
		assert.deepEqual(nets(host), [1234, 1234]);
		host.acquirer.backOffice.refuseAccount(TERMINAL, host.time.nowMs);
		host.sale({ stan: 3 });
		assert.deepEqual(nets(host, 3), [1234, 0]);
	});
});

describe("host: what befalls a sale in the books", () => {
	const rows: [FaultName, [number, number], string, LedgerEntry["posting"]][] = [
		["recordLost", [1234, 0], `${F.debited} 0 1234`, undefined],
		["reversedWrongly", [0, 0], `${PENDING | F.reversed} 0 1234`, undefined],
		["postingLost", [1234, 0], `${PENDING} 0 1234`, "lost"],
		["postingRefused", [1234, 0], `${PENDING | F.refused} 1 1234`, "refused"],
		["postingLate", [1234, 0], `${PENDING} 0 1234`, "pending"],
	];
	for (const [fault, sides, brief, posting] of rows) {
		it(`${fault}: the answer is an approval, the books say otherwise, now and after a restart; told once`, () => {
			const { host, terminal, injected } = rig();
			host.faults.arm(fault);
			assert.equal(host.sale().code, "00");
			const key = { ...TERMINAL, batch: 1, stan: 2 };
			assert.deepEqual(injected, [{ fault, key, amountMinor: 1234 }]);
			for (let boot = 0; boot < 2; boot++) {
				assert.deepEqual([nets(host), stateOf(host)], [sides, posting]);
				assert.equal(terminal.brief(2), brief);
				host.restart();
			}
			host.sale({ stan: 3 });
			assert.deepEqual([nets(host, 3), injected.length], [[1234, 1234], 1]);
		});
	}

	it("postingLate: hours later than usual, at most postingLateMs", () => {
		for (let seed = 1; seed < 9; seed++) {
			const { host } = rig({ postingLateMs: 8 * HOUR_MS }, seed);
			host.faults.arm("postingLate");
			host.sale();
			host.time.advance(2 * HOUR_MS - 1);
			assert.deepEqual(nets(host), [1234, 0]);
			host.time.advance(6 * HOUR_MS + 1);
			assert.deepEqual(nets(host), [1234, 1234]);
		}
	});

	it("postingRefused: the account is mended, and it is posted", () => {
		const { host, terminal } = rig();
		host.faults.arm("postingRefused");
		host.sale();
		assert.equal(terminal.claim(idOf(1), 2, 1234).reason, Reason.merchantAccount);
		host.acquirer.backOffice.mendAccount(TERMINAL, host.time.nowMs);
		assert.deepEqual(nets(host), [1234, 1234]);
	});

	it("amountAltered: card and merchant have more, or the record less, or the merchant alone; told is the difference", () => {
		const seen = new Set<string>();
		for (let seed = 1; seed < 30; seed++) {
			const { host, terminal, injected } = rig({}, seed);
			host.faults.arm("amountAltered");
			host.sale();
			const [{ amountMinor: difference }] = injected;
			const [card, merchant] = nets(host);
			const shown = terminal.transaction(1, 2)?.amountMinor ?? 0;
			assert.ok(difference >= 1 && difference <= 10_000);
			if (card > 1234) {
				seen.add("more");
				assert.deepEqual([card, merchant, shown], [1234 + difference, 1234 + difference, 1234 + difference]);
				// What is too much comes back, and then it is what was asked.
				assert.equal(terminal.credit(idOf(1), 2, difference).state, 5);
			} else {
				const recorded = host.store.load("acquirer").find((fact) => (fact as { kind: string }).kind === "sale");
				seen.add((recorded as { amountMinor: number }).amountMinor === 1234 ? "merchant less" : "record less");
				assert.deepEqual([card, merchant, shown], [1234, 1234 - difference, 1234 - difference]);
				assert.equal(terminal.claim(idOf(1), 2, difference).state, 5);
			}
			assert.deepEqual(nets(host), [1234, 1234]);
			assert.equal(terminal.brief(2), `${GOOD} 0 1234`);
			// The terminal's own messages are compared with what it has asked.
			assert.equal(host.sale().code, "00");
			assert.equal(host.reversal().code, "00");
			assert.deepEqual(nets(host), [0, 0]);
		}
		assert.deepEqual([...seen].sort(), ["merchant less", "more", "record less"]);
	});

	it("of an altered amount all comes back with a void or a reversal, and a refund gives what was asked", () => {
		for (let seed = 1; seed < 12; seed++) {
			const { host } = rig({}, seed);
			for (const stan of [2, 3, 4]) {
				host.faults.arm("amountAltered");
				host.sale({ stan });
			}
			assert.equal(host.reversal({ stan: 2 }).code, "00");
			assert.deepEqual(nets(host, 2), [0, 0]);
			assert.equal(host.ask("refund", { stan: 13, original: originalOf(1, 3) }).code, "00");
			const [card, merchant] = nets(host, 3);
			assert.ok(card >= 0 && merchant <= card, `${card} ${merchant}`);
			const { code } = host.ask("void", { stan: 14, original: originalOf(1, 4) });
			assert.ok(code === "00" || nets(host, 4)[0] > 1234, code);
		}
	});

	it("a declined sale, and a request that ends in a crash, are befallen by nothing", () => {
		const { host, injected } = rig();
		host.faults.setRate("recordLost", 1);
		assert.equal(host.sale({ amountMinor: 0 }).code, "13");
		host.faults.arm("crashAfterRecord");
		host.send("0200", { stan: 3 });
		host.restart();
		assert.deepEqual([injected.length, nets(host, 3)], [0, [1234, 1234]]);
	});

	it("a crash is told where it leaves a debit without a record, and not where the restart finishes what is recorded", () => {
		const told: [FaultName, number][] = [
			["crash", 1],
			["crashAfterRecord", 0],
		];
		for (const [fault, count] of told) {
			const { host, injected } = rig();
			host.faults.arm(fault);
			host.send("0200", {});
			assert.equal(host.acquirer.dead, true);
			assert.equal(injected.length, count, fault);
			if (count > 0)
				assert.deepEqual(injected[0], { fault, key: { ...TERMINAL, batch: 1, stan: 2 }, amountMinor: 1234 });
		}
		const { host, injected } = rig();
		host.sale();
		host.faults.arm("crash");
		host.send("0400", {});
		host.restart();
		assert.deepEqual([injected, nets(host)], [[], [0, 0]]);
	});

	it("reversedWrongly is taken back by a resend where the host does that, and by nothing where it does not", () => {
		for (const reinstates of [true, false]) {
			const { host, terminal } = rig({ reinstates });
			host.faults.arm("reversedWrongly");
			host.sale();
			const { code } = host.ask("resend", { stan: 3, original: originalOf(1, 2), rrn: "112200000001" });
			assert.equal(code, reinstates ? "00" : "12");
			assert.deepEqual(nets(host), reinstates ? [1234, 1234] : [0, 0]);
			assert.equal(terminal.brief(2), reinstates ? `${GOOD} 0 1234` : `${PENDING | F.reversed} 0 1234`);
			host.restart();
			assert.deepEqual(nets(host), reinstates ? [1234, 1234] : [0, 0]);
		}
	});

	it("a host that takes no resends answers 40, and nothing is booked", () => {
		const { host } = rig({ resends: false });
		host.faults.arm("recordLost");
		host.sale();
		assert.equal(host.ask("resend", { stan: 3, original: originalOf(1, 2) }).code, "40");
		assert.deepEqual(nets(host), [1234, 0]);
	});

	it("killed at any write of a sale that is befallen, what is left is mended by its repeat, its reversal or the desk", () => {
		for (const fault of ["recordLost", "reversedWrongly", "amountAltered", "postingRefused", "postingLost"] as const) {
			for (const keeps of [false, true]) {
				for (let at = 1; at < 8; at++) {
					const { host, store, terminal } = rig({}, 3);
					host.faults.arm(fault);
					store.cutAt(at, keeps);
					const answers = host.send("0200");
					store.heal();
					if (answers.length > 0) break;
					host.restart();
					const { code } = host.sale();
					if (code === "94") {
						// The issuer alone knows of it, with another amount: no message of the terminal's fits, the list tells.
						const [{ flags, amountMinor }] = terminal.list(1, 1, 9).entries;
						assert.deepEqual([fault, flags, host.reversal().code], ["amountAltered", F.debited, "64"]);
						assert.equal(terminal.credit(idOf(1), 2, amountMinor).state, 5);
					} else {
						assert.equal(code, host.entry(2).reversed ? "12" : "00", `${fault} ${at} ${keeps}`);
						assert.equal(host.reversal().code, "00");
					}
					assert.deepEqual(nets(host), [0, 0]);
				}
			}
		}
	});
});
