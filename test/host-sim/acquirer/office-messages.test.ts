/**
 * Goal: the sync messages say byte for byte what PROTOCOL.md has, of the books as they are; and what is sent to the office by
 * somebody who lies, errs, or is another terminal changes nothing.
 */
import * as assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { LEDGER_NAMES } from "../../../host-sim/acquirer/ledger-store";
import { Reason } from "../../../host-sim/acquirer/posting-reasons";
import { TEST_TERMINAL } from "../../../host-sim/acquirer/test-keys";
import { fromHex, toHex } from "../../../src/core/bytes";
import { MessageDecoder } from "../../../src/iso8583/decoder";
import { UNIONPAY } from "../../../src/iso8583/unionpay";
import vectors from "../../vectors/unionpay.json";
import { frameOf, HostUnderTest, originalOf } from "./host-under-test";
import { bcd, CutStore, EVIDENCE, F, GOOD, idOf, NO_EVIDENCE, NONCE, OfficeTerminal, S } from "./office-rig";

const STAN_MAX = 999_999;

function rig(sync = true) {
	const store = new CutStore();
	const host = new HostUnderTest({ store, sync });
	return { host, store, terminal: new OfficeTerminal(host) };
}

/** Sales of 0.01 under these numbers; nobody reads their answers. */
function sell(host: HostUnderTest, stans: readonly number[], batch = 1): void {
	for (const stan of stans) host.tell(() => frameOf("0200", { stan, batch, amountMinor: 1 }));
}

/** SHA-256 over STAN 3, kind 1, amount 6 of each, as PROTOCOL.md has it. */
function digestOf(entries: readonly (readonly [stan: number, kind: number, amountMinor: number])[]): string {
	const bytes = entries.map(([stan, kind, amount]) => bcd(stan, 6) + bcd(kind, 2) + bcd(amount, 12)).join("");
	return createHash("sha256").update(fromHex(bytes)).digest("hex").toUpperCase();
}

function vector(name: string): { frame: Uint8Array; data: string } {
	const { frame, fields } = vectors.vectors.find((known) => known.name === name) ?? { frame: "", fields: {} };
	return { frame: fromHex(frame), data: (fields as Record<string, string>)[62] };
}

describe("host: sync messages", () => {
	it("the vectors' questions get the vectors' answers, where the books are theirs", () => {
		const { host, terminal } = rig();
		// Two sales, the second one never posted: 12.34 and 9,900.00, numbers of the vectors.
		host.sale({ stan: 2, amountMinor: 1234 });
		host.faults.arm("postingLost");
		host.sale({ stan: 3, amountMinor: 990_000 });
		for (const [name, withoutRrn] of [
			["sync-list", true],
			["sync-digest", false],
		] as const) {
			const { frame } = vector(`${name}-request`);
			const answer = terminal.send(frame);
			const wanted = vector(`${name}-response`).data;
			const plain = (data: string | undefined): string => data?.replaceAll(/3131323[0-9A-F]{17}/g, "-") ?? "";
			assert.deepEqual([answer?.code, answer?.macRight], ["00", true]);
			if (withoutRrn) assert.equal(plain(answer?.data), plain(wanted));
			else assert.equal(answer?.data, wanted);
		}
		const claim = terminal.send(vector("sync-claim-request").frame);
		const wanted = vector("sync-claim-response").data;
		assert.equal(claim?.data.length, wanted.length);
		// Another desk with another policy: the number and what it decides are its own.
		assert.equal(claim?.data.slice(0, 24), wanted.slice(0, 24));
	});

	it("are answered with the fields of the vectors' answers, and the STAN and DE 60 of the question", () => {
		const { host, terminal } = rig();
		for (const name of ["sync-list", "sync-digest", "sync-claim"]) {
			const line = host.call();
			line.connection?.receive(vector(`${name}-request`).frame);
			const [got, like] = [new MessageDecoder(UNIONPAY), new MessageDecoder(UNIONPAY)];
			got.decode(line.pieces[0], line.pieces[0].length);
			const { frame } = vector(`${name}-response`);
			like.decode(frame, frame.length);
			for (let de = 1; de <= 64; de++) assert.equal(got.has(de), like.has(de), `${name} DE ${de}`);
			for (const de of [11, 39, 41, 42, 60]) assert.equal(got.text(de), like.text(de), `${name} DE ${de}`);
		}
		assert.equal(terminal.ask("401", bcd(7, 6) + bcd(1, 6) + bcd(2, 6), 7)?.private60, "00000007401");
	});

	describe("401", () => {
		it("lists what was approved at some time, also what was taken back, and debits without a record; no declines", () => {
			const { host, terminal } = rig();
			host.sale({ stan: 2 });
			host.sale({ stan: 3 });
			host.reversal({ stan: 3 });
			host.sale({ stan: 4, amountMinor: 0 });
			host.reversal({ stan: 5 });
			host.faults.arm("recordLost");
			host.sale({ stan: 6 });
			host.ask("offlineSale", { stan: 7 });
			host.ask("refund", { stan: 8, amountMinor: 34, original: originalOf(1, 2) });
			host.ask("void", { stan: 9, original: originalOf(1, 7) });
			host.ask("void", { stan: 10, original: originalOf(1, 99) });
			const { entries, more } = terminal.list(1, 1, STAN_MAX);
			assert.deepEqual(
				entries.map(({ stan, kind, amountMinor, flags }) => `${stan} ${kind} ${amountMinor} ${flags}`),
				[
					`2 1 1234 ${GOOD}`,
					`3 1 1234 ${F.recorded | F.debited | F.reversed}`,
					`6 1 1234 ${F.debited}`,
					`7 2 1234 ${GOOD | F.voided}`,
					`8 3 34 ${GOOD}`,
					`9 5 1234 ${GOOD}`,
				],
			);
			assert.deepEqual([entries[0].rrn, entries[2].rrn, more], ["112200000001", "            ", false]);
		});

		it("gives pages of 40, each from where the last one ended, and says when there is more", () => {
			const { host, terminal } = rig();
			const stans = Array.from({ length: 85 }, (_, n) => 3 * n + 1);
			sell(host, stans);
			const seen: number[] = [];
			const pages: string[] = [];
			for (let from = 1, more = true; more; ) {
				const page = terminal.list(1, from, STAN_MAX);
				seen.push(...page.entries.map(({ stan }) => stan));
				pages.push(`${page.entries.length} ${page.more}`);
				more = page.more;
				from = seen[seen.length - 1] + 1;
			}
			assert.deepEqual(seen, stans);
			assert.deepEqual(pages, ["40 true", "40 true", "5 false"]);
			// Exactly a page: there is nothing more.
			assert.equal(terminal.list(1, 1, stans[39]).more, false);
			assert.deepEqual(terminal.list(1, 2, 3), { entries: [], more: false });
		});

		it("takes a range over 999999 in one, in the order of selling, and in two", () => {
			const { host, terminal } = rig();
			sell(host, [1, 2, 999_998, 999_999, 500]);
			const stans = (from: number, to: number): number[] => terminal.list(1, from, to).entries.map(({ stan }) => stan);
			assert.deepEqual(stans(999_998, 500), [999_998, 999_999, 1, 2, 500]);
			assert.deepEqual(stans(999_999, 1), [999_999, 1]);
			assert.deepEqual(stans(600, STAN_MAX), [999_998, 999_999]);
			assert.deepEqual(stans(1, 599), [1, 2, 500]);
		});

		it("changes an entry, or bytes of the page, by fault, for this once: asked again it is as it is", () => {
			const { host, terminal } = rig();
			sell(host, [2, 3, 4]);
			const whole = terminal.list(1, 1, 9);
			host.faults.arm("entryChanges");
			const changed = terminal.list(1, 1, 9);
			assert.equal(changed.entries.filter(({ amountMinor }) => amountMinor !== 1).length, 1);
			assert.deepEqual(terminal.list(1, 1, 9), whole);
			const range = bcd(1, 6) + bcd(1, 6) + bcd(9, 6);
			const right = terminal.ask("401", range, 1)?.data;
			host.faults.arm("pageGarbled");
			const garbled = terminal.ask("401", range, 1);
			assert.equal(garbled?.macRight, true);
			assert.equal(garbled?.data.length, right?.length);
			assert.notEqual(garbled?.data, right);
			assert.equal(terminal.ask("401", range, 1)?.data, right);
		});
	});

	describe("406", () => {
		it("is SHA-256 over what stands, STAN ascending; sums of recorded, posted, pending and refused", () => {
			const { host, terminal } = rig();
			host.sale({ stan: 3, amountMinor: 300 });
			host.sale({ stan: 2, amountMinor: 200 });
			host.sale({ stan: 4, amountMinor: 400 });
			host.reversal({ stan: 4, amountMinor: 400 });
			host.faults.arm("postingLost");
			host.sale({ stan: 5, amountMinor: 500 });
			host.faults.arm("postingRefused");
			host.sale({ stan: 6, amountMinor: 600 });
			host.faults.arm("recordLost");
			host.sale({ stan: 7, amountMinor: 700 });
			host.ask("refund", { stan: 8, amountMinor: 80, original: originalOf(1, 3) });
			assert.deepEqual(terminal.digest(1, 9), {
				digest: digestOf([
					[2, 1, 200],
					[3, 1, 300],
					[5, 1, 500],
					[6, 1, 600],
					[7, 1, 700],
					[8, 3, 80],
				]),
				sums: ["5/1680", "3/580", "1/500", "1/600"],
			});
			assert.equal(terminal.digest(1, 2).digest, digestOf([[2, 1, 200]]));
			assert.deepEqual(terminal.digest(2, 9), { digest: digestOf([]), sums: ["0/0", "0/0", "0/0", "0/0"] });
		});

		it("runs over 999999 in the order of selling, up to any STAN of it", () => {
			const { host, terminal } = rig();
			sell(host, [999_998, 999_999, 1, 2]);
			const all = [999_998, 999_999, 1, 2].map((stan) => [stan, 1, 1] as const);
			for (const [place, [to]] of all.entries()) {
				const { digest, sums } = terminal.digest(1, to);
				assert.equal(digest, digestOf(all.slice(0, place + 1)), `up to ${to}`);
				assert.equal(sums[0], `${place + 1}/${place + 1}`);
			}
			// Beyond the newest and before the oldest.
			assert.equal(terminal.digest(1, 9).sums[0], "4/4");
			assert.equal(terminal.digest(1, 999_000).sums[0], "0/0");
		});

		it("changes with each number, kind and amount, and with what is taken back", () => {
			const seen = new Set<string>();
			for (const act of [
				(host: HostUnderTest) => host.sale({ stan: 2 }),
				(host: HostUnderTest) => host.sale({ stan: 3 }),
				(host: HostUnderTest) => host.sale({ stan: 2, amountMinor: 1235 }),
				(host: HostUnderTest) => host.ask("offlineSale", { stan: 2 }),
				(host: HostUnderTest) => [host.sale({ stan: 2 }), host.reversal({ stan: 2 })],
			]) {
				const { host, terminal } = rig();
				act(host);
				seen.add(terminal.digest(1, 9).digest);
			}
			assert.equal(seen.size, 5);
		});
	});

	it("402 says nothing but zeros of what nobody has heard of, and of a decline that it is recorded", () => {
		const { host, terminal } = rig();
		assert.equal(terminal.transaction(1, 2), undefined);
		host.sale({ stan: 2, amountMinor: 0 });
		host.reversal({ stan: 3 });
		assert.equal(terminal.brief(2), `${F.recorded} 0 0`);
		// A reversal of what never came: there is a record, and nothing that stands.
		assert.equal(terminal.brief(3), `${F.reversed} 0 0`);
		assert.equal(terminal.transaction(2, 2), undefined);
	});

	it("402 of a sale that the desk has given back in part says what is left, and of all of it what it was", () => {
		const { host, terminal } = rig();
		host.sale({ stan: 2 });
		terminal.credit(idOf(1), 2, 234);
		assert.equal(terminal.brief(2), `${GOOD} 0 1000`);
		assert.equal(terminal.digest(1, 2).digest, digestOf([[2, 1, 1000]]));
		terminal.credit(idOf(2), 2, 1000);
		assert.equal(terminal.brief(2), `${F.recorded | F.debited | F.reversed} 0 1234`);
		assert.equal(terminal.digest(1, 2).digest, digestOf([]));
	});

	it("lost or with a wrong MAC, by fault, are carried out all the same", () => {
		const { host, terminal } = rig();
		host.faults.arm("postingLost");
		host.sale();
		const data = `${idOf(1)}000001000002000000001234${EVIDENCE}`;
		host.faults.arm("syncAnswerLost");
		assert.equal(terminal.ask("403", data, 1), undefined);
		host.faults.arm("syncBadMac");
		const answer = terminal.ask("403", data, 1);
		assert.equal(answer?.macRight, false);
		assert.equal(terminal.ask("403", data, 1)?.data, answer?.data);
		assert.equal(host.entry().merchantNetMinor, 1234);
	});

	it("that write what the store does not take are not answered, and the host starts anew from its store", () => {
		const { host, store, terminal } = rig();
		host.sale();
		store.cutAt(1, false);
		assert.equal(terminal.ask("406", bcd(1, 6) + bcd(2, 6) + EVIDENCE, 1), undefined);
		assert.deepEqual([host.crashes, host.acquirer.dead], [1, true]);
		assert.equal(terminal.digest(1, 2, EVIDENCE).sums[0], "1/1234");
	});
});

describe("host: hostile requests to the office", () => {
	/** Everything that is written down anywhere. */
	function written({ load }: { load: CutStore["load"] }): string {
		return JSON.stringify(LEDGER_NAMES.map((name) => load(name)));
	}

	function busy() {
		const made = rig();
		const { host, terminal, store } = made;
		host.faults.arm("postingLost");
		host.sale({ stan: 2 });
		host.sale({ stan: 3 });
		terminal.claim(idOf(1), 2, 1000);
		return { ...made, before: written({ load: (name) => store.load(name) }) };
	}

	function unchanged(store: CutStore, before: string, what: string): void {
		assert.ok(written({ load: (name) => store.load(name) }) === before, what);
	}

	const claim = (stan: number, amount = bcd(234, 12), id = idOf(2), batch = 1): string =>
		id + bcd(batch, 6) + bcd(stan, 6) + amount + EVIDENCE;

	it("under a wrong MAC, or none: A0, and nothing is changed", () => {
		const { store, terminal, before } = busy();
		for (const mac of ["wrong", "none"] as const) {
			for (const [code, data] of [
				["403", claim(2)],
				["404", claim(3)],
				["407", idOf(3) + bcd(1, 6) + bcd(2, 6)],
				["406", bcd(1, 6) + bcd(2, 6) + EVIDENCE],
			]) {
				assert.equal(terminal.ask(code, data, 1, { mac })?.code, "A0");
			}
		}
		unchanged(store, before, "nothing is written");
	});

	it("under another terminal's name, or for another terminal's number: refused, and nothing moves", () => {
		const other = { ...TEST_TERMINAL, terminalId: "12345679", hak: "000102030405060708090A0B0C0D0E0F" };
		const store = new CutStore();
		const host = new HostUnderTest({ store, terminals: [TEST_TERMINAL, other] });
		const [mine, thief] = [new OfficeTerminal(host), new OfficeTerminal(host, other)];
		host.faults.arm("postingLost");
		host.sale();
		// With the name of the other one, under his own key.
		assert.equal(thief.ask("403", claim(2), 1, { terminalId: TEST_TERMINAL.terminalId })?.code, "A0");
		// Under his own name nobody has heard of it.
		assert.equal(thief.claim(idOf(2), 2, 1234).reason, Reason.unknown);
		assert.equal(thief.credit(idOf(3), 2, 1234).reason, Reason.unknown);
		assert.equal(thief.transaction(1, 2), undefined);
		assert.deepEqual(thief.list(1, 1, STAN_MAX).entries, []);
		assert.equal(thief.digest(1, 9).sums[0], "0/0");
		assert.deepEqual([host.entry().cardNetMinor, host.entry().merchantNetMinor], [1234, 0]);
		assert.equal(mine.claim(idOf(2), 2, 1234).state, S.done);
	});

	const lying: [string, string, string, number][] = [
		["a batch that is not DE 60.2's", "403", claim(2), 2],
		["batch 000000", "403", claim(2, bcd(234, 12), idOf(2), 0), 0],
		["STAN 000000", "403", claim(0), 1],
		["STAN 000000 of a credit", "404", claim(0), 1],
		["amount 0", "403", claim(2, bcd(0, 12)), 1],
		["a batch that is no BCD", "403", `${idOf(2)}0000A1${claim(2).slice(38)}`, 1],
		["a STAN that is no BCD", "404", `${idOf(2)}0000010000F2${claim(2).slice(44)}`, 1],
		["an amount that is no BCD", "404", claim(2, "00000000023D"), 1],
		["a byte too few", "403", claim(2).slice(0, -2), 1],
		["a byte too many", "403", `${claim(2)}00`, 1],
		["no data", "403", "", 1],
		["the data of a 407", "403", claim(2).slice(0, 44), 1],
		["the data of a 403", "407", claim(2), 1],
		["a list from STAN 000000", "401", bcd(1, 6) + bcd(0, 6) + bcd(9, 6), 1],
		["a list to STAN 000000", "401", bcd(1, 6) + bcd(1, 6) + bcd(0, 6), 1],
		["a list that is no BCD", "401", `000001FFFFFF${bcd(9, 6)}`, 1],
		["a digest up to 000000", "406", bcd(1, 6) + bcd(0, 6) + EVIDENCE, 1],
		["a digest without a head", "406", bcd(1, 6) + bcd(2, 6), 1],
		["half a request id", "405", idOf(1).slice(16), 1],
	];
	for (const [what, code, data, batch] of lying) {
		it(`${code} with ${what}: 30 with the nonce alone, and nothing is changed`, () => {
			const { store, terminal, before } = busy();
			const answer = terminal.ask(code, data, batch);
			assert.deepEqual([answer?.code, answer?.macRight, answer?.data], ["30", true, NONCE]);
			unchanged(store, before, what);
		});
	}

	it("without a whole nonce: 30 without data; with a 60.1 or a 60.3 of something else: 30, 40", () => {
		const { store, terminal, before } = busy();
		for (const data of ["", "00", NONCE.slice(2)]) {
			const answer = terminal.send(terminal.syncFrame("402", data, 1));
			assert.deepEqual([answer?.code, answer?.data], ["30", ""]);
		}
		assert.equal(terminal.ask("402", bcd(1, 6) + bcd(2, 6), 1, { type: "22" })?.code, "30");
		for (const code of ["400", "408", "201", "003", "999"]) {
			assert.deepEqual([terminal.ask(code, claim(2), 1)?.code], ["40"], code);
		}
		unchanged(store, before, "nothing is written");
	});

	it("any bytes at all, under a right MAC: a clean answer, and money only for what is owed", () => {
		const { host, terminal } = busy();
		const codes = ["401", "402", "403", "404", "405", "406", "407"];
		const number = fc.oneof(fc.constantFrom(0, 1, 2, 3, 999_999), fc.integer({ min: 0, max: 999_999 }));
		const hex = fc.uint8Array({ maxLength: 90 }).map((bytes) => toHex(bytes));
		const shaped = fc
			.tuple(fc.integer({ min: 0, max: 5 }), number, number, number, fc.boolean())
			.map(([id, batch, stan, amount, whole]) => {
				return idOf(id) + bcd(batch % 3, 6) + bcd(stan, 6) + (whole ? bcd(amount, 12) + NO_EVIDENCE : "");
			});
		fc.assert(
			fc.property(
				fc.constantFrom(...codes),
				fc.oneof(hex, shaped),
				fc.integer({ min: 0, max: 2 }),
				(code, data, batch) => {
					const answer = terminal.ask(code, data, batch);
					assert.ok(answer?.macRight);
					assert.ok(["00", "30"].includes(answer.code), answer.code);
					for (const { cardNetMinor, merchantNetMinor, key } of host.acquirer.statement().entries) {
						assert.ok(cardNetMinor >= 0 && merchantNetMinor >= 0 && merchantNetMinor <= cardNetMinor, key);
					}
				},
			),
			{ numRuns: 1000 },
		);
		assert.equal(host.crashes, 0);
	});
});

describe("host: without sync messages", () => {
	it("answers all of them 40 with the nonce alone, draws nothing for them, and writes nothing", () => {
		const { host, store, terminal } = rig(false);
		host.faults.arm("postingLost");
		host.sale();
		const before = store.appended;
		for (const code of ["401", "402", "403", "404", "405", "406", "407", "499"]) {
			const answer = terminal.ask(code, `${idOf(1)}000001000002000000001234${EVIDENCE}`, 1);
			assert.deepEqual([answer?.code, answer?.data], ["40", NONCE], code);
		}
		assert.equal(store.appended, before);
		assert.deepEqual([host.entry().cardNetMinor, host.entry().merchantNetMinor], [1234, 0]);
	});
});
