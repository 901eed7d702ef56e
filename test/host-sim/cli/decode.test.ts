/**
 * Goal: `npm run decode` takes hex, files and streams as people have them, shows every golden frame without its secrets,
 * and says of a bad frame where it breaks. Method: the parts are called directly; a few runs of the command check what
 * only a process has: exit codes, streams, the last line of JSON.
 */
import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { splitWords, UsageError } from "../../../host-sim/cli/args";
import { framePlaces, INPUT_BYTES_MAX, readInput } from "../../../host-sim/cli/decode-input";
import { type Report, type ReportOptions, reportFrame } from "../../../host-sim/cli/decode-report";
import { fromHex, toHex } from "../../../src/core/bytes";
import { UNIONPAY } from "../../../src/iso8583/unionpay";
import type { Vector } from "../../iso8583/vector-helpers";
import file from "../../vectors/unionpay.json";

const VECTORS = file.vectors as unknown as Vector[];
const OPTIONS: ReportOptions = { dialect: UNIONPAY, language: "en", unmask: false, macKey: undefined };

function vector(name: string): Vector {
	return VECTORS.find((candidate) => candidate.name === name) as Vector;
}

const SALE = vector("sale-chip-no-pin").frame;
const STRIPE = vector("sale-magstripe-pin").frame;
const SIGN_OFF = vector("sign-off").frame;

/** What becomes of the first frame in these bytes. */
function report(bytes: Uint8Array | string, options: Partial<ReportOptions> = {}): Report {
	const input = typeof bytes === "string" ? fromHex(bytes) : bytes;
	return reportFrame(input, framePlaces(input, UNIONPAY)[0], { ...OPTIONS, ...options });
}

/** The frame with other bytes at an offset. */
function changed(frame: string, offset: number, hex: string): string {
	return frame.slice(0, 2 * offset) + hex + frame.slice(2 * offset + hex.length);
}

function run(args: readonly string[], input?: Uint8Array | string) {
	const script = path.join(__dirname, "../../../host-sim/cli/decode.ts");
	const command = ["-r", "ts-node/register", script, ...args];
	const { status, stdout, stderr } = spawnSync(process.execPath, command, { input: input ?? "", encoding: "utf8" });
	return { status, stdout, stderr, last: stdout.trimEnd().split("\n").at(-1) as string };
}

describe("npm run decode", () => {
	describe("given its input", () => {
		let folder = "";
		before(() => {
			folder = fs.mkdtempSync(path.join(os.tmpdir(), "decode-"));
		});
		after(() => fs.rmSync(folder, { recursive: true }));

		function saved(name: string, content: string | Uint8Array): string {
			const full = path.join(folder, name);
			fs.writeFileSync(full, content);
			return full;
		}

		it("takes hex in one word or many, in either case, with 0x and line ends", () => {
			const wanted = SIGN_OFF;
			const pairs = wanted.match(/../g) as string[];
			for (const words of [
				[wanted],
				[wanted.toLowerCase()],
				pairs,
				[pairs.map((pair) => `0x${pair}`).join(" ")],
				[`0X${wanted}`],
				[`${pairs.join("\n")}\r\n`],
			]) {
				equal(toHex(readInput(words)), wanted);
			}
		});

		it("tells a file of hex from a file of raw bytes", () => {
			equal(toHex(readInput([saved("hex.txt", `${SIGN_OFF.replace(/(.{16})/g, "$1\n")}\n`)])), SIGN_OFF);
			equal(toHex(readInput([saved("raw.bin", fromHex(SIGN_OFF))])), SIGN_OFF);
		});

		it("refuses what is neither, odd hex, nothing, a folder, and more than a MiB", () => {
			throws(() => readInput([]), /give a frame/);
			throws(() => readInput(["no-such-file"]), /neither a file nor hex/);
			throws(() => readInput(["00", "5"]), /odd number of hex digits: 3/);
			throws(() => readInput([folder]), /cannot be read: EISDIR/);
			throws(() => readInput([saved("empty", "")]), /nothing to decode/);
			throws(() => readInput([saved("long", new Uint8Array(INPUT_BYTES_MAX + 1))]), /more than 1048576 bytes/);
			throws(() => readInput(["x".repeat(5000)]), UsageError);
			equal(readInput([saved("longest", new Uint8Array(INPUT_BYTES_MAX))]).length, INPUT_BYTES_MAX);
		});

		it("tells words from options, wherever they stand", () => {
			const specs = { language: { type: "text" }, json: { type: "flag" } } as const;
			deepEqual(splitWords(specs, ["00", "--language", "zh", "-", "--json", "5E", "--", "--x"]), {
				words: ["00", "-", "5E", "--x"],
				options: ["--language", "zh", "--json"],
			});
			deepEqual(splitWords(specs, ["--language=zh", "00", "--bad"]).options, ["--language=zh", "--bad"]);
		});

		it("cuts frames one behind the other, and ends at a length that cannot be or is not all there", () => {
			const places = (hex: string) => framePlaces(fromHex(hex), UNIONPAY).map((place) => Object.values(place));
			deepEqual(places(SIGN_OFF + SALE), [
				[0, 57, "none"],
				[57, 262, "none"],
			]);
			deepEqual(places(`${SIGN_OFF}0000AA`).at(-1), [57, 60, "noLength"]);
			deepEqual(places(`${SIGN_OFF}FF`).at(-1), [57, 58, "noLength"]);
			deepEqual(places(`${SIGN_OFF}${SALE.slice(0, 40)}`).at(-1), [57, 77, "cut"]);
			const all = VECTORS.map(({ frame }) => frame).join("");
			equal(places(all).length, 22);
		});
	});

	describe("given a good frame", () => {
		it("shows all of its fields, by name, for every golden vector", () => {
			for (const { frame, fields, mti, name } of VECTORS) {
				const { report: result, good } = report(frame);
				ok(good, name);
				equal(result.mti, mti);
				deepEqual(
					result.fields.map(({ de }) => String(de)),
					Object.keys(fields),
				);
				equal(result.error ?? result.shape ?? result.note, undefined, name);
			}
		});

		it("says the message and its codes in both languages", () => {
			const en = report(vector("sale-response-declined").frame).report;
			equal(en.message, "sale answer");
			equal(en.fields.find(({ de }) => de === 39)?.meaning, "Insufficient funds");
			const zh = report(vector("sale-response-declined").frame, { language: "zh" });
			equal(zh.report.message, "消费应答");
			ok(zh.lines.some((line) => line.includes("余额不足")));
		});

		it("recognises a frame without its length, and says so", () => {
			const { report: result, good } = report(SALE.slice(4));
			ok(good);
			match(result.note ?? "", /without its length of 2 bytes/);
			equal(result.fields.length, 15);
			// This TPDU could be a length of 256 bytes: what decides is that it decodes.
			equal(report(changed(SALE, 2, "0100").slice(4)).good, true);
		});

		it("says what a message lacks, without calling the frame bad", () => {
			const frame = fromHex(`001860000300006031003111080200${"0020000000000000"}000009`);
			const { report: result, good } = report(frame);
			ok(good);
			match(result.shape ?? "", /iso8583 message: unknown/);
		});

		it("checks the MAC with a key: session, sync, none, and one that is of no use", () => {
			const mac = (name: string, key: string) => report(vector(name).frame, { macKey: fromHex(key) }).report.mac;
			for (const { name, mac: known } of VECTORS)
				equal(mac(name, known?.key ?? "CB3DAB9DA8C7D3B6"), known ? "fits" : "none");
			equal(mac("sale-chip-no-pin", "0123456789ABCDEF"), "differs");
			equal(report(SALE, { macKey: fromHex("0123456789ABCDEF") }).good, false);
			throws(() => mac("sale-chip-no-pin", "00"), /no key for the MAC "unionpay"/);
		});
	});

	describe("given a bad frame", () => {
		/** Field, offset, code, expected, found. */
		function broken(frame: string, options: Partial<ReportOptions> = {}): unknown[] {
			const { report: result, good } = report(frame, options);
			equal(good, false);
			const { de, offset, code, expected, found } = result.error ?? {};
			return [de, offset, code, expected, found];
		}

		it("names the field, the offset, and what was expected and found", () => {
			const hidden = "hidden, --unmask shows it";
			deepEqual(broken(changed(SALE, 35, "1A")), [4, 35, "charset", "digits", "1A"]);
			deepEqual(broken(changed(SALE, 23, "20")), [2, 23, "length", "a length of at most 19 digits", "20"]);
			deepEqual(broken(changed(SALE, 23, "1F")), [2, 23, "charset", "digits of a length", "1F"]);
			deepEqual(broken(changed(SALE, 25, "AB")), [2, 25, "charset", "digits", hidden]);
			deepEqual(broken(changed(SALE, 25, "AB"), { unmask: true }), [2, 25, "charset", "digits", "AB"]);
			deepEqual(broken(changed(SALE, 47, "21")), [22, 47, "format", "padding of 0", "21"]);
		});

		it("names an unknown MTI, a bit for no field, bytes left over and a length that is not the frame's", () => {
			deepEqual(broken(changed(SIGN_OFF, 13, "0999")).slice(0, 3), [undefined, 13, "unknown"]);
			equal(broken(changed(SIGN_OFF, 13, "0999"))[4], "09 99");
			deepEqual(broken(changed(SIGN_OFF, 15, "08")).slice(0, 3), [5, 23, "unknown"]);
			deepEqual(broken(`0038${SIGN_OFF.slice(4)}AA`), [undefined, 57, "length", "the end of the frame", "1 byte more"]);
			deepEqual(broken("00"), [undefined, 1, "length", "23 bytes at least", "1 byte in all"]);
		});

		it("shows of a frame that was cut off where it ends, and the fields before", () => {
			const { report: result } = report(STRIPE.slice(0, 2 * 60));
			equal(result.error?.de, 35);
			match(result.note ?? "", /its length says 127 bytes, 58 are there/);
			deepEqual(
				result.fields.map(({ de }) => de),
				[2, 3, 4, 11, 14, 22, 25, 26],
			);
		});

		it("marks the place in the bytes around it, and hides what is secret there", () => {
			const { report: result } = report(changed(SALE, 35, "1A"));
			const [line, mark] = result.error?.excerpt ?? ["", ""];
			equal(line.slice(mark.length - 2, mark.length), "1A");
			equal(line, "+23   … 16 ** ** ** ** ** ** ** ** 00 00 00 1A ** ** ** ** ** ** ** …");
			const open = report(changed(SALE, 35, "1A"), { unmask: true }).report.error?.excerpt ?? ["", ""];
			ok(open[0].includes("16 62 12 34 56 78 90 12 32 00 00 00 1A 00"), open[0]);
		});

		it("shows no secret of any vector with any bit flipped, or cut anywhere", () => {
			let looked = 0;
			for (const { frame, fields } of VECTORS) {
				const bytes = fromHex(frame);
				const secrets = [fields[2], fields[35]?.slice(0, 20), fields[52]].filter((text) => text !== undefined);
				if (secrets.length === 0) continue;
				for (let bit = 8 * 13; bit < 8 * bytes.length; bit += 3) {
					bytes[bit >> 3] ^= 0x80 >> (bit & 7);
					const shown = report(bytes)
						.lines.join("")
						.replace(/[^0-9A-FD]/g, "");
					for (const secret of secrets) equal(shown.includes(secret), false, `bit ${bit}`);
					bytes[bit >> 3] ^= 0x80 >> (bit & 7);
					looked++;
				}
				for (let end = 3; end < bytes.length; end++) {
					const shown = report(bytes.slice(0, end))
						.lines.join("")
						.replace(/[^0-9A-FD]/g, "");
					for (const secret of secrets) equal(shown.includes(secret), false, `cut at ${end}`);
				}
			}
			ok(looked > 1000, String(looked));
		}).timeout(20_000);

		it("hides a card number that a lying bitmap gives to other fields", () => {
			const { report: result } = report(changed(SALE, 15, "30"));
			ok(result.fields.length > 1);
			equal(result.fields.find(({ de }) => de === 3)?.value, "<6>");
			const open = report(changed(SALE, 15, "30"), { unmask: true });
			equal(open.report.fields.find(({ de }) => de === 3)?.value, "166212");
		});

		it("hides a track that a lying bitmap gives to another field", () => {
			const lying = changed(STRIPE, 19, "00000800"); // DE 53 where 35, 41, 42, 49 and 52 stand.
			const value = (options: Partial<ReportOptions>) =>
				report(lying, options).report.fields.find(({ de }) => de === 53)?.value;
			equal(value({ unmask: true }), "3462212345678901");
			equal(value({}), "<16>");
		});
	});

	describe("as a command", () => {
		it("prints a frame, ends with its JSON, and exits 0", () => {
			const { status, stdout, last } = run([SALE, "--json"]);
			equal(status, 0);
			match(stdout, /^0200 sale request/);
			const result = JSON.parse(last);
			equal(result.mti, "0200");
			equal(result.message, "sale request");
			deepEqual(result.fields[0], { de: 2, name: "card number", value: "621234******1232" });
		}).timeout(20_000);

		it("takes several frames from standard input, and exits 1 when one is bad", () => {
			const { status, stdout, last } = run(
				["-", "--json", "--language", "zh"],
				fromHex(SIGN_OFF + changed(SALE, 35, "1A")),
			);
			equal(status, 1);
			match(stdout, /第 2 个报文，位置 57/);
			const { frames } = JSON.parse(last);
			equal(frames.length, 2);
			equal(frames[0].error, undefined);
			equal(frames[1].error.de, 4);
		}).timeout(20_000);

		it("exits 2 with one line for a mistake, and shows its help", () => {
			const mistake = run(["--language", "fr", SALE]);
			equal(mistake.status, 2);
			equal(mistake.stderr.trim().split("\n").length, 1);
			const help = run(["--help"]);
			equal(help.status, 0);
			match(help.stdout, /--unmask/);
		}).timeout(20_000);
	});
});
