/**
 * Evidence packs. Goal: what a pack says is proven by `verify`, of which the firmware shares no line; nothing secret is in
 * it; it is made in bounded memory, and the same however it is pulled; a journal that moves on spoils no pack unseen.
 */
import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import { MemoryKeys } from "../../host-sim/board/memory-keys";
import { checkPack, type Verdict, type VerifyOptions } from "../../host-sim/cli/verify-checks";
import { type PackObject, parsePack } from "../../host-sim/cli/verify-json";
import { fromHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import type { EvidenceScope } from "../../src/settlement/evidence-facts";
import { EvidencePack } from "../../src/settlement/evidence-pack";
import { Flag } from "../../src/transactions/records";
import { packSalt } from "../security/evidence-acquirer";
import { DECLINED } from "../transactions/log-bench";
import { aCase, EvidenceBench, SECRETS, START_MS, secretFrame, secretHunter, vectorFrame } from "./evidence-bench";

const TRANSACTION: EvidenceScope = { kind: "transaction", ids: [2] };
const DAY: EvidenceScope = { kind: "day", fromMs: START_MS - 1_000, toMs: START_MS + 86_400_000 };
const HAK = fromHex(TEST_KEYS.HAK);

function checked(bytes: Uint8Array, options: VerifyOptions = {}): Verdict {
	const verdict = checkPack(bytes, parsePack(bytes), options);
	equal(verdict.signature, "good");
	return verdict;
}

const codes = (verdict: Verdict, of: "proven" | "unproven" | "altered"): string[] =>
	verdict.findings.filter((finding) => finding.verdict === of).map(({ code }) => code);

const bodyOf = (bytes: Uint8Array): PackObject => (parsePack(bytes).value as { body: PackObject }).body;

describe("settlement: evidence packs", () => {
	for (const [name, scope] of [
		["a transaction", TRANSACTION],
		["a case", { kind: "case", case: aCase(), ids: [2] }],
		["a day", DAY],
	] as const) {
		it(`of ${name} are proven by verify, anchored where the acquirer confirms the head`, () => {
			const bench = new EvidenceBench().sell();
			const time = "20261123130000";
			const head = bench.anchor(time);
			const pack = bench.pack(scope);
			const verdict = checked(pack, { key: fromHex(bench.publicKey()), heads: [{ head, time }] });
			deepEqual(codes(verdict, "altered"), []);
			const proven = codes(verdict, "proven");
			for (const code of ["signed", "keyGiven", "lines", "links", "headGiven", "anchored"])
				ok(proven.includes(code), code);
			deepEqual(codes(verdict, "unproven"), ["fullUnknown"]);
			const ids = scope.kind === "day" ? [1, 2, 3] : [2];
			deepEqual(
				verdict.transactions,
				ids.map((id) => ({ id, begun: "20261123130000", ended: "20261123130000" })),
			);
		});
	}

	it("hold the facts, the frames and the timeline of their subject, and of nothing else", () => {
		const bench = new EvidenceBench().sell();
		const body = bodyOf(bench.pack({ kind: "case", case: aCase(), ids: [2] }));
		deepEqual(
			(body.transactions as PackObject[]).map(({ id, stan }) => [id, stan]),
			[[2, 2]],
		);
		deepEqual(
			(body.frames as PackObject[]).map(({ stan, direction }) => [stan, direction]),
			[
				[2, "sent"],
				[2, "received"],
				[4, "sent"],
			],
		);
		deepEqual(
			(body.timeline as PackObject[]).map(({ what }) => what),
			[...["begun", "sent", "found", "received", "sent", "asked 补入账"]],
		);
		equal((body.case as PackObject).row, "overdue");
		const [transaction] = body.transactions as PackObject[];
		deepEqual(Object.keys(transaction.positions as PackObject), ["intent", "outcome", "step"]);
	});

	it("let the acquirer find its own frames in them, and nobody else's", () => {
		const bench = new EvidenceBench().sell();
		const pack = bench.pack(TRANSACTION);
		const nonce = fromHex(String((bodyOf(pack).salt as PackObject).nonce));
		const salt = packSalt(HAK, nonce);
		const full = ["sale-response-approved", "void", "sale-magstripe-pin"].map(vectorFrame);
		const findings = checked(pack, { salt, full }).findings.filter(({ code }) => code.startsWith("full"));
		deepEqual(
			findings.map(({ code, path }) => [code, path]),
			[
				["full", "body.frames[1]"],
				["full", "body.frames[2]"],
				["fullNone", undefined],
			],
		);
		const other = full[0].slice();
		other[40] ^= 1;
		ok(codes(checked(pack, { salt, full: [other] }), "altered").includes("fullNone"));
		ok(codes(checked(pack, { salt: salt.map((byte) => byte ^ 1), full }), "altered").includes("saltOther"));
	});

	it("are the same pulled in steps as made at once, in pieces of at most 512 bytes", () => {
		const whole = new EvidenceBench().sell();
		const stepwise = new EvidenceBench().sell();
		const sizes: number[] = [];
		const made = whole.pack(DAY, (byteLength) => sizes.push(byteLength));
		ok(Math.max(...sizes) <= 512);
		const pieces: Buffer[] = [];
		const pack: EvidencePack = new EvidencePack(stepwise.options(), DAY, (bytes, byteLength) =>
			pieces.push(Buffer.from(bytes.slice(0, byteLength))),
		);
		let steps = 0;
		for (; pack.step(); steps++) equal(stepwise.frames.waiting, false);
		ok(steps > 15, `${steps}`);
		deepEqual(Buffer.concat(pieces), made);
		equal(pack.step(), false);
	});

	it("read the journal once for each of their passes, whatever the number of transactions", () => {
		const bench = new EvidenceBench();
		for (let n = 0; n < 150; n++) bench.journal.deliver();
		const before = bench.journal.flash.bytesRead;
		const pack = bench.pack({ kind: "transaction", ids: [150] });
		const read = bench.journal.flash.bytesRead - before;
		ok(read < 150 * 2 * 300, `${read}`);
		ok(pack.length < 4_000, `${pack.length}: links only from the transaction on`);
	});

	it("end when a transaction changes meanwhile: a pack does not contradict itself", () => {
		const bench = new EvidenceBench().sell();
		for (const stop of [1, 4, 8, 12]) {
			const doubt = bench.journal.doubt();
			const pack: EvidencePack = new EvidencePack(bench.options(), DAY, () => {});
			for (let n = 0; n < stop; n++) ok(pack.step());
			bench.journal.log.apply(doubt, "reversalAccepted");
			throws(
				() => {
					while (pack.step());
				},
				(error: unknown) => error instanceof CodedError && error.code === "state",
			);
			equal(pack.step(), false);
		}
		checked(bench.pack(DAY));
	});

	it("are not spoiled by what is sold and told meanwhile: that is not in them", () => {
		for (let stop = 0; stop < 20; stop += 2) {
			const bench = new EvidenceBench().sell();
			bench.anchor("20261123130000");
			const pieces: Buffer[] = [];
			const pack: EvidencePack = new EvidencePack(bench.options(), DAY, (bytes, byteLength) =>
				pieces.push(Buffer.from(bytes.slice(0, byteLength))),
			);
			for (let n = 0; n < stop; n++) ok(pack.step());
			bench.journal.deliver();
			bench.anchor("20261123140000");
			while (pack.step());
			const verdict = checked(Buffer.concat(pieces));
			deepEqual(codes(verdict, "altered"), []);
			deepEqual(
				verdict.transactions.map(({ id, ended }) => `${id} ${ended}`),
				["1 20261123130000", "2 20261123130000", "3 20261123130000"],
			);
		}
	});

	it("say what an anchor proves after an outcome has changed: the beginning, until the next anchor", () => {
		const bench = new EvidenceBench();
		const { journal } = bench;
		const doubt = journal.doubt();
		journal.deliver();
		bench.anchor("20261123130000");
		journal.log.apply(doubt, "reversalAccepted");
		const scope: EvidenceScope = { kind: "transaction", ids: [doubt] };
		deepEqual(checked(bench.pack(scope)).transactions, [{ id: doubt, begun: "20261123130000", ended: "" }]);
		bench.anchor("20261123140000");
		deepEqual(checked(bench.pack(scope)).transactions, [
			{ id: doubt, begun: "20261123130000", ended: "20261123140000" },
		]);
	});

	it("state every kind of transaction as it was linked", () => {
		const bench = new EvidenceBench();
		const { journal } = bench;
		const { log } = journal;
		const ids = [journal.begin(), journal.deliver(), journal.doubt(), journal.offlineSale(), journal.refund(3, 7)];
		log.setFlags(ids[2], Flag.reversalRefused);
		const declined = journal.begin();
		log.apply(declined, "decline", { outcome: DECLINED });
		const unsent = journal.begin();
		log.apply(unsent, "unsent");
		const verdict = checked(bench.pack({ kind: "transaction", ids: [...ids, declined, unsent] }));
		deepEqual(codes(verdict, "altered"), []);
		equal(verdict.transactions.length, 7);
	});

	it("say of what is not anchored that it is not", () => {
		const bench = new EvidenceBench().sell();
		bench.anchor("20261123130000");
		const later = bench.journal.deliver();
		const verdict = checked(bench.pack({ kind: "transaction", ids: [later] }));
		deepEqual(verdict.transactions, [{ id: later, begun: "", ended: "" }]);
		ok(codes(verdict, "unproven").includes("notAnchored"));
	});

	it("of a case whose transaction has left with its batch, or a board without a ring or a shared key, say so", () => {
		const bench = new EvidenceBench();
		const settled = { ...aCase().transaction, id: 99, batch: 9, stan: 900 };
		const released = checked(bench.pack({ kind: "case", case: aCase({ transaction: settled }), ids: [99] }));
		deepEqual(codes(released, "altered"), []);
		ok(codes(released, "unproven").includes("released"));
		const { TMK, STORE } = TEST_KEYS;
		const unkeyed = new EvidenceBench({ keys: new MemoryKeys({ TMK, STORE }) }).sell();
		equal(bodyOf(unkeyed.pack(TRANSACTION)).salt, undefined);
		checked(unkeyed.pack(TRANSACTION));
		const bare = new EvidenceBench().sell();
		bare.ring.broken = true;
		ok(codes(checked(bare.pack(TRANSACTION)), "unproven").includes("noRing"));
	});

	it("hold nothing secret, whatever a case or a host says (I9)", () => {
		const bench = new EvidenceBench().sell();
		for (const stan of [2, 3]) {
			const frame = secretFrame("0200", stan);
			bench.frames.capture("sent", frame, frame.length);
		}
		bench.settle();
		const { pan } = SECRETS;
		const grouped = "6283 9174 0625 8139";
		const says = { cause: `card ${pan}`, row: pan, facts: [grouped], history: [{ timeMs: 1, what: `${pan}!` }] };
		const pack = bench.pack({ kind: "case", case: aCase(says), ids: [2] });
		const hunter = secretHunter(bench);
		ok((bodyOf(pack).frames as PackObject[]).length >= 4);
		hunter.scanBytes("pack", pack);
		hunter.scanText("pack without spaces", pack.toString("utf8").replaceAll(" ", ""));
		hunter.scanBytes("day", bench.pack(DAY));
		hunter.scanBytes("ring", bench.medium.image);
		deepEqual(hunter.hits, []);
		match(pack.toString("utf8"), /card 628391\*{6}8139/);
	});

	it("refuse more transactions than they follow", () => {
		const ids = Array.from({ length: 17 }, (_, n) => n + 1);
		const bench = new EvidenceBench();
		throws(() => bench.pack({ kind: "transaction", ids }), CodedError);
	});
});
