/**
 * Goal: `npm run verify` refuses an evidence pack of which any byte was altered, says where, and is not led astray by a
 * hostile file. Method: every byte of a small pack is changed in turn, in several ways; packs are altered by hand and
 * sealed again with a key of their own; a few runs of the command check what only a process has.
 */
import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as fc from "fast-check";
import { checkPack, PACK_FORMAT, type Verdict, type VerifyOptions } from "../../../host-sim/cli/verify-checks";
import { type PackObject, PackSyntaxError, parsePack } from "../../../host-sim/cli/verify-json";
import { findingText, hostTimeText } from "../../../host-sim/cli/verify-words";
import { fromHex } from "../../../src/core/bytes";
import type { EvidenceScope } from "../../../src/settlement/evidence-facts";
import { aCase, EvidenceBench } from "../../settlement/evidence-bench";
import { forged, type Mutable, type MutableValue } from "../../settlement/forged-pack";

const CASE: EvidenceScope = { kind: "case", case: aCase(), ids: [2] };

const bench = new EvidenceBench().sell();
const TOLD_AT = "20261123130000";
const HEAD = bench.anchor(TOLD_AT);
const PACK = bench.pack(CASE);
const DAY = bench.pack({ kind: "day", fromMs: 0, toMs: 9e14 });

/** What the command would say of these bytes. */
function judge(bytes: Uint8Array, options: VerifyOptions = {}): "proven" | "altered" | "refused" {
	try {
		const parsed = parsePack(bytes);
		if ((parsed.value as PackObject).format !== PACK_FORMAT) return "refused";
		return checkPack(bytes, parsed, options).findings.some(({ verdict }) => verdict === "altered")
			? "altered"
			: "proven";
	} catch (error) {
		if (!(error instanceof PackSyntaxError)) throw error;
		return "refused";
	}
}

const check = (bytes: Uint8Array): Verdict => checkPack(bytes, parsePack(bytes), {});
const alteredAt = (bytes: Uint8Array): (string | undefined)[] =>
	check(bytes)
		.findings.filter(({ verdict }) => verdict === "altered")
		.map(({ path: place }) => place);

/** The text with the first `from` replaced, which must be there. */
function replaced(bytes: Uint8Array, from: string | RegExp, to: string): Buffer {
	const text = Buffer.from(bytes).toString("utf8");
	const changed = text.replace(from, to);
	ok(changed !== text, String(from));
	return Buffer.from(changed, "utf8");
}

function set(object: MutableValue, name: string, value: MutableValue): void {
	(object as Mutable)[name] = value;
}

describe("npm run verify", () => {
	it("proves a pack as the device made it", () => {
		for (const bytes of [PACK, DAY])
			equal(judge(bytes, { key: fromHex(bench.publicKey()), heads: [{ head: HEAD }] }), "proven");
	});

	it("refuses a pack of which any byte was altered", () => {
		for (let at = 0; at < PACK.length; at++) {
			for (const change of [0x01, 0x20]) {
				const bytes = Buffer.from(PACK);
				bytes[at] ^= change;
				ok(judge(bytes) !== "proven", `byte ${at} ^ ${change}`);
			}
		}
	}).timeout(60_000);

	it("refuses a pack that was cut short anywhere, or to which anything was added", () => {
		for (let length = 0; length < PACK.length; length++) equal(judge(PACK.subarray(0, length)), "refused", `${length}`);
		for (const more of [" ", "\n", "}", "0", PACK.toString("utf8")]) {
			equal(judge(Buffer.concat([PACK, Buffer.from(more)])), "refused");
		}
		equal(judge(Buffer.concat([Buffer.from("\ufeff"), PACK])), "refused");
	});

	it("refuses whatever else is done to a pack: bytes put in, left out, moved", () => {
		const edit = fc.record({
			at: fc.nat(PACK.length - 1),
			out: fc.nat(40),
			put: fc.uint8Array({ maxLength: 40 }),
		});
		fc.assert(
			fc.property(edit, ({ at, out, put }) => {
				const bytes = Buffer.concat([PACK.subarray(0, at), put, PACK.subarray(at + out)]);
				fc.pre(!bytes.equals(PACK));
				ok(judge(bytes) !== "proven");
			}),
			{ numRuns: 2_000 },
		);
	}).timeout(30_000);

	it("says where it was altered", () => {
		deepEqual(
			alteredAt(
				replaced(
					PACK,
					'"amountMinor":2000,"batch":1,"card":{"first":"621234","last":"1232"},"cardDigits"',
					'"amountMinor":3000,"batch":1,"card":{"first":"621234","last":"1232"},"cardDigits"',
				),
			),
			["signature", "body.transactions", "body.transactions[0]"],
		);
		deepEqual(alteredAt(replaced(PACK, '"code":"00"', '"code":"05"')), [
			"signature",
			"body.transactions",
			"body.transactions[0].ended",
		]);
		deepEqual(alteredAt(replaced(PACK, "39=00", "39=05")), ["signature", "body.frames", "body.frames[1].text"]);
		deepEqual(alteredAt(replaced(PACK, '"row":"overdue"', '"row":"agree"')), ["signature", "body.case"]);
		deepEqual(alteredAt(replaced(PACK, '"firmware":"0.4.0"', '"firmware":"0.4.1"')), ["signature", "body.device"]);
		deepEqual(alteredAt(replaced(PACK, '"ring":1', '"ring":0')), ["signature", "body.ring"]);
		deepEqual(alteredAt(replaced(PACK, /"signature":"./, '"signature":"')).length, 1);
		const link = /"links":\[\{"begun":"(.)/;
		const digit = link.exec(PACK.toString("utf8"))?.[1] === "0" ? "1" : "0";
		const relinked = alteredAt(replaced(PACK, link, `"links":[{"begun":"${digit}`));
		deepEqual(relinked, ["signature", "body.chain", "body.transactions[0]"]);
	});

	it("is not led astray by digests and a signature made to fit: the key is not the device's", () => {
		const bytes = forged(PACK, (body) => {
			(body.case as Mutable).cause = "operatorError";
		});
		equal(judge(bytes), "proven", "by whoever has this key, and it says whose it is");
		equal(judge(bytes, { key: fromHex(bench.publicKey()) }), "altered");
	});

	it("finds contradictions also in what was signed", () => {
		const places = (change: (body: Mutable) => void): (string | undefined)[] => alteredAt(forged(DAY, change));
		const links = (body: Mutable): Mutable[] => (body.chain as Mutable).links as Mutable[];
		deepEqual(
			places(() => {}),
			[],
		);
		deepEqual(
			places((body) => void links(body).splice(1, 1)),
			["body.transactions[1]"],
		);
		deepEqual(
			places((body) => void links(body).reverse()),
			["body.chain.links[1]", "body.chain.links[2]"],
		);
		deepEqual(
			places((body) => {
				((body.transactions as Mutable[])[2] as Mutable).amountMinor = 1;
			}),
			["body.transactions[2]"],
		);
		deepEqual(
			places((body) => {
				((body.frames as Mutable[])[0] as Mutable).text = "";
			}),
			["body.frames[0].text"],
		);
	});

	it("sees that an anchor is another one, and never calls it a proof", () => {
		const bytes = forged(DAY, (body) => {
			const [anchor] = (body.chain as Mutable).anchors as Mutable[];
			anchor.begun = "00".repeat(32);
		});
		const verdict = check(bytes);
		deepEqual(
			verdict.transactions.map(({ begun }) => begun),
			["", "", ""],
		);
		ok(verdict.findings.some(({ code, verdict: said }) => code === "anchorMisfit" && said === "unproven"));
		ok(
			checkPack(bytes, parsePack(bytes), { heads: [{ head: HEAD }] }).findings.some(({ code }) => code === "headOther"),
		);
	});

	it("without the acquirer's word for a head nothing is proven to be anchored", () => {
		const said = (options: VerifyOptions): string[] =>
			checkPack(PACK, parsePack(PACK), options)
				.findings.filter(({ code }) => code === "anchored" || code === "headUnknown" || code === "headTime")
				.map(({ code, verdict }) => `${code} ${verdict}`);
		deepEqual(said({}), ["anchored unproven", "headUnknown unproven"]);
		deepEqual(said({ heads: [{ head: HEAD }] }), ["anchored unproven", "headTime unproven"]);
		deepEqual(said({ heads: [{ head: HEAD, time: TOLD_AT }] }), ["anchored proven"]);
	});

	it("refuses hostile files with the place, and reads none of them twice", () => {
		const deep = (text: string, count: number): string => text.repeat(count);
		const files: [string, RegExp][] = [
			["", /^ends early at byte 0/],
			["null", /^no JSON value at byte 0/],
			["{} ", /^goes on behind its end at byte 2/],
			[deep("[", 100_000), /^too deep at byte 9/],
			[deep('{"a":', 100_000), /^too deep at byte 45/],
			['{"b":1,"a":2}', /^keys not ascending at byte 7/],
			['{"a":1,"a":2}', /^a key given twice at byte 7/],
			['{"a":{"b":1,"b":2}}', /^a key given twice at byte 12, a/],
			['{"__proto__":1}', /^no such key at byte 1/],
			['{"a" :1}', /^white space or another character at byte 4/],
			['{"a":01}', /^number not as it should be written at byte 5, a/],
			['{"a":-0}', /^number not as it should be written/],
			['{"a":1.0}', /^number not as it should be written/],
			['{"a":1e3}', /^number not as it should be written/],
			['{"a":1234567890123456}', /^number not as it should be written/],
			['{"a":"\\u0041"}', /^text not as it should be written at byte 6, a/],
			['{"a":"\\u000a"}', /^text not as it should be written/],
			['{"a":"\\/"}', /^text not as it should be written/],
			['{"a":"\n"}', /^text not as it should be written/],
			[`{"a":"${"x".repeat(100)}`, /^ends early at byte 106, a/],
			['{"a":true}', /^no JSON value at byte 5, a/],
			[
				`{${Array.from({ length: 65 }, (_, n) => `"k${String(n).padStart(3, "0")}":0`).join(",")}}`,
				/^too many members/,
			],
		];
		for (const [text, wanted] of files) {
			throws(
				() => parsePack(Buffer.from(text)),
				(error: unknown) => error instanceof PackSyntaxError && wanted.test(error.message),
				text.slice(0, 30),
			);
		}
		throws(() => parsePack(Buffer.from([0x22, 0xc3, 0x22])), /no UTF-8/);
		throws(() => parsePack(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])), /no UTF-8/);
	});

	it("never fails but by its own errors, whatever the bytes", () => {
		const json = fc.json({ maxDepth: 6 }).map((text) => Buffer.from(text));
		fc.assert(
			fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), json), (bytes) => {
				ok(judge(bytes) !== "proven");
			}),
			{ numRuns: 1_000 },
		);
	});

	it("refuses what is canonical, and no pack, by the member that is wrong", () => {
		const place = (change: (body: Mutable) => void): string | undefined => alteredAt(forged(PACK, change))[0];
		const cases: [string, (body: Mutable) => void][] = [
			["body.chain.mark", (body) => set(body.chain, "mark", "0")],
			["body.frames", (body) => set(body, "frames", {})],
			["body.made", (body) => set(body, "made", -1)],
			["body.frames[0].hmac", (body) => set((body.frames as Mutable[])[0], "hmac", "AB".repeat(32))],
			["body.salt.nonce", (body) => set(body.salt, "nonce", "00")],
			["body.scope.kind", (body) => set(body.scope, "kind", "year")],
			["body.zone", (body) => set(body, "zone", 1)],
		];
		for (const [wanted, change] of cases) equal(place(change), wanted);
		const missing = forged(PACK, (body) => void delete body.device);
		equal(alteredAt(missing)[0], "body.device");
		equal(judge(Buffer.from('{"format":"unsettled evidence 1"}')), "altered");
	});

	it("has words for everything, in both languages", () => {
		const verdicts = [
			check(PACK),
			check(replaced(PACK, "39=00", "39=05")),
			check(forged(PACK, (body) => set(body, "made", -1))),
		];
		for (const finding of verdicts.flatMap(({ findings }) => findings)) {
			match(findingText(finding, "en"), /^[\x20-\x7e]+$/);
			match(findingText(finding, "zh"), /[\u4e00-\u9fff]/);
			ok(!/[{}]|undefined/.test(findingText(finding, "en") + findingText(finding, "zh")));
		}
		equal(hostTimeText("20261123130000", "en"), "2026-11-23 13:00:00");
		equal(hostTimeText("00000000000000", "zh"), "未知时间");
	});

	describe("as a command", () => {
		let folder = "";
		const file = (name: string, content: Uint8Array | string): string => {
			const full = path.join(folder, name);
			fs.writeFileSync(full, content);
			return full;
		};
		before(() => {
			folder = fs.mkdtempSync(path.join(os.tmpdir(), "verify-"));
		});
		after(() => fs.rmSync(folder, { recursive: true, force: true }));

		function run(args: readonly string[], input?: Uint8Array) {
			const script = path.join(__dirname, "../../../host-sim/cli/verify.ts");
			const command = ["-r", "ts-node/register", script, ...args];
			const { status, stdout, stderr } = spawnSync(process.execPath, command, { input: input ?? "", encoding: "utf8" });
			return { status, stdout, stderr, last: stdout.trimEnd().split("\n").at(-1) as string };
		}

		it("exits 0 for what is proven, with all of it as JSON in the last line", () => {
			const key = bench.publicKey();
			const { status, stdout, stderr, last } = run([
				file("case.json", PACK),
				"--key",
				key,
				"--head",
				`${HEAD}@${TOLD_AT}`,
				"--json",
			]);
			deepEqual([status, stderr], [0, ""]);
			match(stdout, /^case 7, terminal 12345678, firmware 0\.4\.0, made 20\d\d-/);
			match(stdout, /\nproven +transaction 2: anchored, begun before 2026-11-23 13:00:00, ended as stated before 2026/);
			const { proven, signature, transactions } = JSON.parse(last);
			deepEqual([proven, signature], [true, "good"]);
			deepEqual(transactions, [{ id: 2, begun: "20261123130000", ended: "20261123130000" }]);
		}).timeout(20_000);

		it("exits 1 for what was altered, in Chinese where it is wanted, and from standard input", () => {
			const { status, stdout } = run(["-", "--language", "zh"], replaced(PACK, "39=00", "39=05"));
			equal(status, 1);
			match(stdout, /被改动 +body\.frames\[1\]\.text: 文本与摘要不符\n/);
			match(stdout, /证据包不可采信\n$/);
			ok(!/已证明/.test(stdout));
			const cut = run([file("cut.json", PACK.subarray(0, 1_000)), "--json"]);
			equal(cut.status, 1);
			match(cut.stdout, /ALTERED +body\.chain.*byte 1000: ends early/);
			equal(JSON.parse(cut.last).syntax.offset, 1_000);
		}).timeout(20_000);

		it("exits 2 with one line for a mistake, or a file that is no pack", () => {
			const pack = file("pack.json", PACK);
			const mistakes: string[][] = [
				[],
				[pack, pack],
				[path.join(folder, "none")],
				[folder],
				[pack, "--key", "00"],
				[pack, "--full", pack],
				[file("empty", "")],
				[file("other.json", '{"hello":1}')],
			];
			for (const args of mistakes) {
				const { status, stdout, stderr } = run(args);
				equal(status, 2, args.join(" "));
				equal(stdout, "");
				match(stderr, /^error: [^\n]+\n$/);
			}
			const help = run(["--help"]);
			equal(help.status, 0);
			match(help.stdout, /Exit code: 0 .*1 .*2/s);
		}).timeout(60_000);
	});
});
