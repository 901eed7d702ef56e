/**
 * Goal: nobody gets `npm run verify` to call proven what is not, nor to hang, to fill memory or to fall over. Method:
 * packs signed with a key of the attacker's own, whose parts contradict each other one at a time; one content spelled in
 * many ways; files made to cost much; and the command, bundled into one file without any module of the firmware, run on
 * each kind of thing that a name can stand for.
 */
import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { buildSync } from "esbuild";
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import { UsageError } from "../../host-sim/cli/args";
import { checkPack, type Verdict, type VerifyOptions } from "../../host-sim/cli/verify-checks";
import { readBounded } from "../../host-sim/cli/verify-input";
import { PACK_BYTES_MAX, PackSyntaxError, parsePack } from "../../host-sim/cli/verify-json";
import { fromHex } from "../../src/core/bytes";
import type { EvidenceScope } from "../../src/settlement/evidence-facts";
import { packSalt } from "../security/evidence-acquirer";
import { aCase, EvidenceBench, START_MS, vectorFrame } from "./evidence-bench";
import { FORGER_KEY, forged, type Mutable, type MutableValue, sealed } from "./forged-pack";

const CASE: EvidenceScope = { kind: "case", case: aCase(), ids: [2] };
const DAY: EvidenceScope = { kind: "day", fromMs: 0, toMs: 9e14 };
const TOLD_AT = "20261123130000";

const bench = new EvidenceBench().sell();
const HEAD = bench.anchor(TOLD_AT);
const PACK = bench.pack(CASE);
const DAY_PACK = bench.pack(DAY);
const TEXT = PACK.toString("utf8");
const KEY = fromHex(bench.publicKey());

const check = (bytes: Uint8Array, options: VerifyOptions = {}): Verdict => checkPack(bytes, parsePack(bytes), options);

/** "code path" of what is wrong. */
const wrongs = (bytes: Uint8Array, options: VerifyOptions = {}): string[] =>
	check(bytes, options)
		.findings.filter(({ verdict }) => verdict === "altered")
		.map(({ code, path: place = "" }) => `${code} ${place}`);

/** Where a file stops being canonical JSON; −1 when it does not. */
function stopsAt(bytes: Uint8Array): number {
	try {
		parsePack(bytes);
		return -1;
	} catch (error) {
		if (!(error instanceof PackSyntaxError)) throw error;
		return error.offset;
	}
}

const isRefused = (bytes: Uint8Array): boolean => stopsAt(bytes) >= 0 || wrongs(bytes).length > 0;

function member(value: unknown, ...names: (string | number)[]): Mutable {
	let at = value as Record<string | number, unknown>;
	for (const name of names) at = at[name] as Record<string | number, unknown>;
	return at as unknown as Mutable;
}

function set(value: Mutable, to: MutableValue, ...names: (string | number)[]): void {
	member(value, ...names.slice(0, -1))[names[names.length - 1]] = to;
}

describe("npm run verify, attacked", () => {
	// Each byte changed into another that may stand there: test/host-sim/cli/verify.test.ts.
	it("refuses a pack with a byte whose high bit is set, one left out, or one doubled", () => {
		for (let at = 0; at < PACK.length; at += 2) {
			const changed = Buffer.from(PACK);
			changed[at] ^= 0x80;
			const without = Buffer.concat([PACK.subarray(0, at), PACK.subarray(at + 1)]);
			const doubled = Buffer.concat([PACK.subarray(0, at + 1), PACK.subarray(at)]);
			ok(isRefused([changed, without, doubled][at % 3]), `byte ${at}`);
		}
	}).timeout(20_000);

	it("takes one spelling of a content and no other", () => {
		const swapped = (from: string, to: string): Buffer => {
			ok(TEXT.includes(from), from);
			return Buffer.from(TEXT.replace(from, to));
		};
		const spellings: Readonly<Record<string, Uint8Array>> = {
			"white space": Buffer.from(JSON.stringify(JSON.parse(TEXT), null, 1)),
			"space behind a colon": swapped('"ring":1', '"ring": 1'),
			"line end": swapped(",", ",\r\n"),
			"line end behind it": Buffer.from(`${TEXT}\r\n`),
			"byte order mark": Buffer.from(`\ufeff${TEXT}`),
			"UTF-16": Buffer.from(TEXT, "utf16le"),
			"other order of keys": swapped('"begun":', '"z":0,"begun":'),
			"a key twice": swapped('"ring":1', '"ring":1,"ring":1'),
			"a fraction": swapped('"ring":1', '"ring":1.0'),
			"an exponent": swapped('"ring":1', '"ring":1e0'),
			"a leading zero": swapped('"ring":1', '"ring":01'),
			"a plus": swapped('"ring":1', '"ring":+1'),
			"a text for a number": swapped('"ring":1', '"ring":"1"'),
			true: swapped('"ring":1', '"ring":true'),
			"an escaped letter": swapped('"overdue"', '"\\u006fverdue"'),
			"an escaped slash": swapped('"overdue"', '"over\\/due"'),
			"hex in capitals": swapped(bench.publicKey(), bench.publicKey().toUpperCase()),
			"single quotes": swapped('"overdue"', "'overdue'"),
			"a comma too many": swapped('"salt":{', '"salt":{,'),
			"a comment": swapped('"ring":1', '"ring":/**/1'),
			"no UTF-8": Buffer.concat([PACK.subarray(0, 40), Buffer.of(0xff), PACK.subarray(41)]),
		};
		for (const [name, bytes] of Object.entries(spellings)) ok(isRefused(bytes), name);
	});

	it("stops early in a file that is made to cost much", () => {
		const million = 1_000_000;
		const costly: Readonly<Record<string, [file: string, stop: number]>> = {
			numbers: [`{"body":[${"0,".repeat(2 * million)}`, 2_000_010],
			"a long text": [`{"body":"${"x".repeat(2 * million)}"}`, 10],
			"a text of escapes": [`{"body":"${"\\n".repeat(million)}"}`, 10],
			"a long key": [`{"${"x".repeat(2 * million)}":0}`, 10],
			"a long number": [`{"body":${"9".repeat(million)}}`, 10],
			nesting: [`{"body":${"[".repeat(million)}`, 20],
		};
		for (const [name, [file, stop]] of Object.entries(costly)) {
			const at = stopsAt(Buffer.from(file, "latin1"));
			ok(at >= 0 && at <= stop, `${name}: ${at}`);
		}
	}).timeout(20_000);

	it("takes the longest text and as many values as a pack may have", () => {
		equal(stopsAt(Buffer.from(`{"a":"${"\\u0001".repeat(900)}"}`)), -1);
		equal(stopsAt(Buffer.from(`{"a":[0${",0".repeat(999_000)}]}`)), -1);
	});

	describe("with a key of the attacker's own", () => {
		const mine = forged(PACK, () => {});

		it("does not say whose key it is, and proves nothing when the device's is given", () => {
			const verdict = check(mine);
			deepEqual([verdict.signature, verdict.signer], ["good", "unknown"]);
			ok(verdict.findings.some(({ code, verdict: said }) => code === "keyUnknown" && said === "unproven"));
			const against = check(mine, { key: KEY, heads: [{ head: HEAD, time: TOLD_AT }] });
			deepEqual([against.signature, against.signer, against.transactions], ["good", "other", []]);
			deepEqual(
				against.findings.map(({ verdict: said, code }) => `${said} ${code}`),
				["altered keyOther"],
			);
			equal(check(mine, { key: fromHex(FORGER_KEY) }).signer, "given");
		});

		it("does not pass for the device by taking over its key, or another device's", () => {
			const other = new EvidenceBench({ seed: 2 }).sell();
			ok(other.publicKey() !== bench.publicKey());
			const pack = other.pack(CASE).toString("utf8");
			deepEqual(wrongs(Buffer.from(pack), { key: KEY }), ["keyOther key"]);
			const worn = Buffer.from(pack.replace(other.publicKey(), bench.publicKey()));
			deepEqual(wrongs(worn, { key: KEY }), ["badSignature signature"]);
			const swapped = Buffer.from(mine.toString("utf8").replace(FORGER_KEY, bench.publicKey()));
			deepEqual(wrongs(swapped), ["badSignature signature"]);
			const verdict = check(swapped, { heads: [{ head: HEAD, time: TOLD_AT }] });
			deepEqual(verdict.transactions, []);
			ok(verdict.findings.every(({ verdict: said }) => said === "altered"));
		});

		it("refuses keys under which one signature fits every content", () => {
			const weak = [
				`01${"00".repeat(31)}`,
				`01${"00".repeat(30)}80`,
				`ee${"ff".repeat(30)}7f`,
				"00".repeat(32),
				`ec${"ff".repeat(30)}7f`,
				"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
				"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
			];
			// R is the neutral point, S is 0.
			const anySignature = Buffer.concat([Buffer.of(1), Buffer.alloc(63)]);
			for (const key of weak) {
				const bytes = sealed(
					PACK,
					() => {},
					key,
					() => anySignature,
				);
				deepEqual(wrongs(bytes), ["weakKey key"], key);
			}
			equal(check(PACK).signature, "good");
		});

		const contradictions: [name: string, pack: Buffer, change: (body: Mutable) => unknown, wanted: string[]][] = [
			[
				"the amount of a transaction",
				DAY_PACK,
				(b) => set(b, 9, "transactions", 1, "amountMinor"),
				["facts body.transactions[1]"],
			],
			[
				"the state of a transaction",
				DAY_PACK,
				(b) => set(b, 8, "transactions", 1, "ended", "state"),
				["facts body.transactions[1].ended", "stateName body.transactions[1].ended.stateName"],
			],
			[
				"the name of a state, which the chain does not link",
				DAY_PACK,
				(b) => set(b, "reversed", "transactions", 1, "ended", "stateName"),
				["stateName body.transactions[1].ended.stateName"],
			],
			[
				"a transaction told twice",
				DAY_PACK,
				(b) => {
					const list = member(b, "transactions") as unknown as Mutable[];
					list.splice(1, 0, list[1]);
				},
				["order body.transactions[2]"],
			],
			[
				"more of a transaction than its leaf says, as its records are lost",
				DAY_PACK,
				(b) => set(b, 1, "transactions", 1, "lost"),
				["facts body.transactions[1]", "lostFacts body.transactions[1]"],
			],
			[
				"a kind that needs an original",
				DAY_PACK,
				(b) => set(b, 3, "transactions", 1, "kind"),
				["facts body.transactions[1]", "kind body.transactions[1].kind"],
			],
			["a number of lost transactions", DAY_PACK, (b) => set(b, 1, "chain", "lost"), ["lostCount body.chain.lost"]],
			["a chain of another journal", DAY_PACK, (b) => set(b, 1, "device", "journal"), ["chainStart body.chain.from"]],
			[
				"frames in another order",
				DAY_PACK,
				(b) => void (b.frames as Mutable[]).reverse(),
				[1, 2, 3, 4].map(frameOrder),
			],
			[
				"a frame between others twice",
				DAY_PACK,
				(b) => void (b.frames as Mutable[]).push((b.frames as Mutable[])[0]),
				[frameOrder(5)],
			],
			[
				"two frames of one number",
				DAY_PACK,
				(b) => set(b, member(b, "frames", 0).id, "frames", 1, "id"),
				[frameOrder(1)],
			],
			[
				"a frame twice, of which one is another",
				DAY_PACK,
				(b) => (b.frames as Mutable[]).splice(1, 0, { ...member(b, "frames", 0), hmac: "00".repeat(32) }),
				[frameOrder(1)],
			],
			["a session that comes again", DAY_PACK, (b) => set(b, "00".repeat(12), "frames", 2, "id"), [frameOrder(3)]],
			[
				"the case's amount",
				PACK,
				(b) => set(b, 200_000, "case", "transaction", "amountMinor"),
				["caseOther body.case.transaction.amountMinor"],
			],
			[
				"the case's trace number and batch",
				PACK,
				(b) => Object.assign(member(b, "case", "transaction"), { stan: 3, batch: 2 }),
				["caseOther body.case.transaction.batch", "caseOther body.case.transaction.stan"],
			],
			[
				"the case's card",
				PACK,
				(b) => set(b, "0000", "case", "transaction", "card", "last"),
				["caseOther body.case.transaction.card.last"],
			],
			["the case's number", PACK, (b) => set(b, 8, "scope", "case"), ["scope body.scope.case"]],
			[
				"a scope without the transaction",
				PACK,
				(b) => set(b, [3], "scope", "transactions"),
				["scope body.transactions[0]"],
			],
			[
				"a case in a pack of a transaction",
				PACK,
				(b) => set(b, { kind: "transaction", transactions: [2] }, "scope"),
				["scope body.case"],
			],
			["a case pack without its case", PACK, (b) => void delete b.case, ["scope body.scope.case"]],
			[
				"a day that is over before the transactions",
				DAY_PACK,
				(b) => set(b, 1, "scope", "to"),
				[
					...[0, 1, 2].map((n) => `scope body.transactions[${n}]`),
					...[0, 1, 2, 3, 4].map((n) => `scope body.frames[${n}]`),
				],
			],
			[
				"a day with a list of transactions",
				DAY_PACK,
				(b) => set(b, { from: 0, kind: "day", to: START_MS * 2, transactions: [1] }, "scope"),
				["scope body.scope.transactions"],
			],
			[
				"a day without an end",
				DAY_PACK,
				(b) => set(b, { from: 0, kind: "day" }, "scope"),
				[
					"scope body.scope.from",
					...[0, 1, 2].map((n) => `scope body.transactions[${n}]`),
					...[0, 1, 2, 3, 4].map((n) => `scope body.frames[${n}]`),
				],
			],
		];

		for (const [name, pack, change, wanted] of contradictions) {
			it(`finds what was signed and contradicts itself: ${name}`, () => {
				deepEqual(wrongs(forged(pack, () => {})), [], "as it was");
				deepEqual(wrongs(forged(pack, change)), wanted);
			});
		}

		it("says of a frame that stands twice that it does, as flash may have taken it at the second time", () => {
			const { findings } = check(
				forged(DAY_PACK, (b) => void (b.frames as Mutable[]).splice(1, 0, member(b, "frames", 0))),
			);
			ok(findings.every(({ verdict }) => verdict !== "altered"));
			ok(findings.some(({ code, facts }) => code === "frameTwice" && facts?.count === 1));
		});
	});

	describe("over the time of an anchor", () => {
		const EARLY = "20010101000000";
		const moved = forged(DAY_PACK, (b) => set(b, EARLY, "chain", "anchors", 0, "hostTime"));
		const anchored = (bytes: Uint8Array, time?: string): string[] =>
			check(bytes, { heads: [time === undefined ? { head: HEAD } : { head: HEAD, time }] })
				.findings.filter(({ code }) => /^(anchored|headTime)/.test(code))
				.map(({ verdict, code, facts }) => `${verdict} ${code} ${facts?.begun ?? facts?.hostTime}`);

		it("takes the acquirer's word and not the pack's, as nothing binds a time to a head", () => {
			deepEqual(anchored(moved), [...Array(3).fill(`unproven anchored ${EARLY}`), `unproven headTime ${EARLY}`]);
			deepEqual(anchored(moved, TOLD_AT), [
				...Array(3).fill(`proven anchored ${TOLD_AT}`),
				`unproven headTimeOther ${EARLY}`,
			]);
			deepEqual(anchored(DAY_PACK, TOLD_AT), Array(3).fill(`proven anchored ${TOLD_AT}`));
		});

		it("refuses a head that was moved to another transaction", () => {
			const elsewhere = forged(DAY_PACK, (b) => set(b, 2, "chain", "anchors", 0, "id"));
			deepEqual(wrongs(elsewhere, { heads: [{ head: HEAD, time: TOLD_AT }] }), ["headOther "]);
			deepEqual(
				check(elsewhere).transactions.map(({ begun }) => begun),
				["", "", ""],
			);
		});
	});

	describe("as a command in one file, with nothing of the firmware", () => {
		let folder = "";
		let command = "";
		const file = (name: string, content: Uint8Array | string): string => {
			const full = path.join(folder, name);
			fs.writeFileSync(full, content);
			return full;
		};

		before(() => {
			folder = fs.mkdtempSync(path.join(os.tmpdir(), "verify-attacked-"));
			command = path.join(folder, "verify.cjs");
			const root = path.join(__dirname, "../..");
			const { metafile } = buildSync({
				absWorkingDir: root,
				entryPoints: ["host-sim/cli/verify.ts"],
				outfile: command,
				...{ bundle: true, platform: "node", metafile: true, logLevel: "silent" },
			});
			const foreign = Object.keys(metafile.inputs).filter(
				(name) => !/^host-sim\/cli\/(verify[-\w]*|args)\.ts$/.test(name),
			);
			deepEqual(foreign, []);
		});
		after(() => fs.rmSync(folder, { recursive: true, force: true }));

		interface Ran {
			readonly status: number | null;
			readonly stdout: string;
			readonly stderr: string;
		}

		function run(args: readonly string[], input: Uint8Array | string = ""): Promise<Ran> {
			return new Promise((resolve) => {
				const child = spawn(process.execPath, ["--max-old-space-size=512", command, ...args], { cwd: folder });
				let stdout = "";
				let stderr = "";
				child.stdout.on("data", (text) => (stdout += text));
				child.stderr.on("data", (text) => (stderr += text));
				child.stdin.on("error", () => {}); // It may have ended before it has read all.
				child.on("close", (status) => resolve({ status, stdout, stderr }));
				child.stdin.end(input);
			});
		}

		const lastOf = ({ stdout }: Ran): Record<string, unknown> =>
			JSON.parse(stdout.trimEnd().split("\n").at(-1) as string);

		it("ends with one JSON object, one clear line and the right exit code, whatever a name stands for", async () => {
			const pack = file("pack.json", PACK);
			const pipe = path.join(folder, "pipe");
			equal(spawnSync("mkfifo", [pipe]).status, 0);
			const sparse = file("sparse", "");
			fs.truncateSync(sparse, 100 << 20);
			const secret = file("secret", PACK);
			fs.chmodSync(secret, 0);
			const mayReadAll = process.getuid?.() === 0;
			const runs: [args: string[], status: number, said: RegExp][] = [
				[[path.join(folder, "none")], 2, /cannot be read: there is no such file$/],
				[[folder], 2, /cannot be read: it is a directory$/],
				[[pipe], 2, /pipe is empty$/],
				[[secret], mayReadAll ? 0 : 2, mayReadAll ? /^$/ : /cannot be read: it may not be read$/],
				[[sparse], 2, /longer than 64 MiB$/],
				[["/dev/zero"], 2, /longer than 64 MiB$/],
				[[file("empty", "")], 2, /empty is empty$/],
				[[file("text", "hello")], 2, /no evidence pack: no JSON value \(byte 0\)$/],
				[[file("other", '{"hello":1}')], 2, /no evidence pack: its format is not/],
				[[file("null", "null")], 2, /no evidence pack: no JSON value/],
				[[file("objects", `{"body":[${"{},".repeat(1_100_000)}`)], 1, /^$/],
				[[file("cut", PACK.subarray(0, -1))], 1, /^$/],
				[[pack, "--key", "00"], 2, /--key is 32 bytes in hex$/],
				[[pack, "--head", `${HEAD}@20261323130000`], 2, /--head: the time is YYYYMMDDhhmmss$/],
				[[pack, "--salt", "00".repeat(16), "--full", file("none.hex", "\n")], 2, /--full has no frame$/],
				[["-", "--salt", "00".repeat(16), "--full", "-"], 2, /cannot both be standard input$/],
				[[pack, "--key", FORGER_KEY], 1, /^$/],
				[[pack], 0, /^$/],
			];
			const results = await Promise.all(runs.map(([args]) => run([...args, "--json"])));
			for (const [n, [args, status, said]] of runs.entries()) {
				const ran = results[n];
				const name = args.join(" ");
				equal(ran.status, status, `${name}: ${ran.stderr}`);
				match(ran.stderr.trimEnd().replace(/^error: /, ""), said, name);
				ok(ran.stderr.split("\n").length <= 2 && !/\n\s+at /.test(ran.stderr), name);
				const json = lastOf(ran);
				equal(json.proven, false, name);
				if (status === 2) match(`${json.error}`, said, name);
				else equal(json.altered, status === 1, name);
			}
		}).timeout(30_000);

		it("says plainly that it does not know whose key it is, and lets it be given", async () => {
			const mine = file(
				"mine.json",
				forged(PACK, () => {}),
			);
			const [unknown, other, given, chinese] = await Promise.all([
				run([mine, "--json"]),
				run([mine, "--key", bench.publicKey(), "--json"]),
				run([file("pack.json", PACK), "--key", bench.publicKey(), "--json"]),
				run([mine, "--language", "zh"]),
			]);
			equal(unknown.status, 0);
			match(unknown.stdout, /\nnot proven +whose key it is: anybody can sign with a key of their own; .*--key\n/);
			match(unknown.stdout, /\nthe pack is what the holder of its key signed; whose key that is, is not proven\n/);
			ok(!/the device signed/.test(unknown.stdout));
			deepEqual([lastOf(unknown).proven, lastOf(unknown).signer], [false, "unknown"]);
			match(chinese.stdout, /公钥属于谁未证明\n$/);
			equal(other.status, 1);
			match(other.stdout, /ALTERED +key: signed with another key than the one that was given\n/);
			ok(!/^proven/m.test(other.stdout));
			equal(lastOf(other).signer, "other");
			equal(given.status, 0);
			match(given.stdout, /\nthe pack is what the device signed\n/);
			deepEqual([lastOf(given).proven, lastOf(given).signer], [true, "given"]);
		}).timeout(30_000);

		it("reads standard input and prints its help", async () => {
			const [input, help] = await Promise.all([run(["-"], PACK), run(["--help"])]);
			deepEqual([input.status, input.stderr], [0, ""]);
			deepEqual([help.status, help.stderr], [0, ""]);
			match(help.stdout, /--head HEX\[@T\].*Exit code: 0 .*1 .*2/s);
		}).timeout(30_000);

		it("refuses more full frames than can be compared, before it begins", async () => {
			const many = forged(DAY_PACK, (b) => {
				const [frame] = b.frames as Mutable[];
				b.frames = Array.from({ length: 1_000 }, (_, n) => ({ ...frame, id: n.toString(16).padStart(24, "0") }));
			});
			const nonce = fromHex(`${member(JSON.parse(TEXT), "body", "salt").nonce}`);
			const salt = Buffer.from(packSalt(fromHex(TEST_KEYS.HAK), nonce)).toString("hex");
			const copies = `${Buffer.from(vectorFrame("void")).toString("hex")}\n`.repeat(5_000);
			const args = [file("many.json", many), "--salt", salt, "--full", file("copies.hex", copies)];
			const { status, stderr } = await run(args);
			equal(status, 2);
			match(stderr, /--full: 5000 frames are too many for a pack of 1000/);
		}).timeout(30_000);
	});

	it("gives up a pipe whose writer says nothing", () => {
		const folder = fs.mkdtempSync(path.join(os.tmpdir(), "verify-silent-"));
		const pipe = path.join(folder, "pipe");
		equal(spawnSync("mkfifo", [pipe]).status, 0);
		const writer = fs.openSync(pipe, fs.constants.O_RDWR);
		try {
			throws(
				() => readBounded(pipe, PACK_BYTES_MAX, 60),
				(error: unknown) => error instanceof UsageError && /nothing came for 0.06 s/.test(error.message),
			);
			fs.writeSync(writer, "abc");
			throws(() => readBounded(pipe, 2, 60), /longer than/);
		} finally {
			fs.closeSync(writer);
			fs.rmSync(folder, { recursive: true });
		}
	});
});

function frameOrder(n: number): string {
	return `frameOrder body.frames[${n}]`;
}
