/**
 * `npm run verify`: what an evidence pack proves, for somebody who has neither our firmware nor reason to trust it.
 * @module
 */
import { endOnClosedOutput, failCli, parseCli, splitWords, UsageError } from "./args";
import { checkPack, PACK_FORMAT } from "./verify-checks";
import type { Finding, ToldHead, Verdict, VerifyOptions } from "./verify-findings";
import { readBounded } from "./verify-input";
import { PACK_BYTES_MAX, type PackObject, PackSyntaxError, type ParsedPack, parsePack } from "./verify-json";
import { findingText, LABELS, type Language, syntaxText } from "./verify-words";

const FULL_BYTES_MAX = 16 << 20;
const FULL_FRAMES_MAX = 10_000;
/** Full frames times frames of the pack: each may have to be tried with each. Some 20 s. */
const COMPARISONS_MAX = 4_000_000;
const SHOWN_MAX = 40;
const EXIT_ALTERED = 1;

const USAGE = `npm run verify -- FILE|- [options]

Checks an evidence pack of a terminal: says what is proven, what is not, and where it was altered. Needs nothing of the
terminal's firmware; the format is in src/settlement/EVIDENCE.md.

  FILE             the pack, at most ${PACK_BYTES_MAX >> 20} MiB; - is standard input

  --key HEX        the device's public key, 32 bytes, from elsewhere than the pack; without it anybody may have signed
  --head HEX[@T]   a chain head that the acquirer says it was told, and when: T is YYYYMMDDhhmmss by its clock (the
                   simulated host has both in office.anchors of npm run host -- --json: head, hostTime). Without T the
                   time is the pack's word alone. May be given many times
  --salt HEX       the pack's salt, 16 bytes, from the acquirer
  --full FILE      full frames in hex, one a line: are they the pack's? Needs --salt
  --language L     en or zh (en)
  --json           the last line is one JSON object: {proven, altered, signature, signer, scope, device,
                   transactions: [{id, begun, ended}], findings: [{verdict, code, path?, facts?}]}; proven only when
                   nothing is altered and --key is the signer's. For bytes that are no canonical JSON {proven, altered,
                   syntax: {problem, path, offset}}, with exit code 2 {proven, error}
  --help           this text

Exit code: 0 the pack is what the holder of its key signed (whose key it is, only --key tells), 1 it was altered,
contradicts itself, or a key, head, salt or frame that was given does not belong to it, 2 bad option, or no evidence
pack.`;

const OPTIONS = {
	key: { type: "text" },
	head: { type: "list" },
	salt: { type: "text" },
	full: { type: "text" },
	language: { type: "text", default: "en", oneOf: ["en", "zh"] },
	json: { type: "flag" },
} as const;

const { words, options: argv } = splitWords(OPTIONS, process.argv.slice(2));
const values = parseCli({ usage: USAGE, options: OPTIONS, argv });
const language: Language = values.language === "zh" ? "zh" : "en";

endOnClosedOutput();

/** @returns exit code. @throws {UsageError} */
function main(): number {
	if (words.length !== 1) throw new UsageError("give one file, or - for standard input");
	if (values.full === "-" && words[0] === "-")
		throw new UsageError("--full and the pack cannot both be standard input");
	const options: VerifyOptions = {
		key: values.key === undefined ? undefined : hexBytes("--key", values.key, 32),
		heads: values.head.map(toldHead),
		salt: values.salt === undefined ? undefined : hexBytes("--salt", values.salt, 16),
		full: values.full === undefined ? [] : fullFrames(values.full),
	};
	if (values.full !== undefined && options.salt === undefined) throw new UsageError("--full needs --salt");
	const bytes = readBounded(words[0], PACK_BYTES_MAX);
	if (bytes.length === 0) throw new UsageError(`no evidence pack: ${words[0]} is empty`);
	let parsed: ParsedPack;
	try {
		parsed = parsePack(bytes);
	} catch (error) {
		if (!(error instanceof PackSyntaxError)) throw error;
		return reportSyntax(bytes, error);
	}
	const format = (parsed.value as PackObject).format;
	if (format !== PACK_FORMAT) {
		throw new UsageError(`no evidence pack: its format is not "${PACK_FORMAT}"`);
	}
	checkEffort(parsed.value as PackObject, options);
	return report(checkPack(bytes, parsed, options));
}

/** @throws {UsageError} when to find each full frame among those of the pack would take too long */
function checkEffort(pack: PackObject, { full = [] }: VerifyOptions): void {
	const frames = (pack.body as PackObject | undefined)?.frames;
	if (!Array.isArray(frames) || frames.length * full.length <= COMPARISONS_MAX) return;
	throw new UsageError(
		`--full: ${full.length} frames are too many for a pack of ${frames.length}; give a part of them`,
	);
}

/** Bytes that are no canonical JSON: a pack that was altered, or no pack at all. */
function reportSyntax(bytes: Uint8Array, error: PackSyntaxError): number {
	const began = Buffer.from(bytes.subarray(0, 8)).toString("latin1") === '{"body":';
	const where = `${error.path === "" ? "" : `${error.path}, `}byte ${error.offset}`;
	if (!began) throw new UsageError(`no evidence pack: ${error.problem} (${where})`);
	console.log(line("altered", `${where}: ${syntaxText(error.problem, language)}`));
	console.log(line("altered", LABELS.bad[language]));
	if (values.json) {
		const { problem, path, offset } = error;
		console.log(JSON.stringify({ proven: false, altered: true, syntax: { problem, path, offset } }));
	}
	return EXIT_ALTERED;
}

function report(verdict: Verdict): number {
	const { findings, pack, signature, signer } = verdict;
	const altered = findings.some((finding) => finding.verdict === "altered");
	const body = pack.body as PackObject | undefined;
	if (signature === "good" && body !== undefined) console.log(title(body));
	for (const kind of ["altered", "proven", "unproven"] as const) {
		printFindings(findings.filter((finding) => finding.verdict === kind));
	}
	console.log(LABELS[altered ? "bad" : signer === "given" ? "good" : "unknown"][language]);
	if (values.json) {
		const { transactions } = verdict;
		const proven = !altered && signer === "given";
		const about = signature === "good" && body !== undefined ? { scope: body.scope, device: body.device } : {};
		console.log(JSON.stringify({ proven, altered, signature, signer, ...about, transactions, findings }));
	}
	return altered ? EXIT_ALTERED : 0;
}

function printFindings(findings: readonly Finding[]): void {
	for (const finding of findings.slice(0, SHOWN_MAX))
		console.log(line(finding.verdict, findingText(finding, language)));
	const more = findings.length - SHOWN_MAX;
	if (more > 0) console.log(line(findings[0].verdict, language === "zh" ? `另有 ${more} 项` : `${more} more`));
}

function line(verdict: Finding["verdict"], text: string): string {
	const label = LABELS[verdict][language];
	return plain(`${label}${" ".repeat(language === "zh" ? 2 : 12 - label.length)}${text}`);
}

function title(body: PackObject): string {
	const { scope, device, made } = body as { scope: PackObject; device: PackObject; made: number };
	const at = new Date(made).toISOString().slice(0, 19).replace("T", " ");
	const id = scope.case ?? (scope.transactions as readonly number[] | undefined)?.join(", ");
	const number = id === undefined ? "" : ` ${id}`;
	const kinds: Readonly<Record<string, string>> = { case: "差错", day: "当日", transaction: "交易" };
	if (language === "zh") {
		return plain(`${kinds[String(scope.kind)]}${number}，终端 ${device.terminal}，固件 ${device.firmware}，${at} UTC`);
	}
	return plain(`${scope.kind}${number}, terminal ${device.terminal}, firmware ${device.firmware}, made ${at} UTC`);
}

/** A hostile file is not to write to somebody's terminal what it likes. */
function plain(text: string): string {
	return text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu, "?");
}

/** @throws {UsageError} */
function hexBytes(option: string, text: string, byteLength: number): Uint8Array {
	if (text.length !== 2 * byteLength || !/^[0-9a-fA-F]*$/.test(text)) {
		throw new UsageError(`${option} is ${byteLength} bytes in hex`);
	}
	return Buffer.from(text, "hex");
}

/** @throws {UsageError} */
function toldHead(text: string): ToldHead {
	const at = text.indexOf("@");
	const hex = at < 0 ? text : text.slice(0, at);
	const head = Buffer.from(hexBytes("--head", hex, 32)).toString("hex");
	if (at < 0) return { head };
	const time = text.slice(at + 1);
	const [, year, ...rest] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(time) ?? [];
	const [month, day, hour, minute, second] = rest.map(Number);
	const date = new Date(Date.UTC(Number(year), month - 1, day, hour, minute, second));
	const digits = Number.isNaN(date.getTime()) ? "" : date.toISOString().replace(/\D/g, "").slice(0, 14);
	if (digits !== time) throw new UsageError("--head: the time is YYYYMMDDhhmmss");
	return { head, time };
}

function fullFrames(file: string): Uint8Array[] {
	const lines = Buffer.from(readBounded(file, FULL_BYTES_MAX))
		.toString("latin1")
		.split(/\s+/)
		.filter((one) => one !== "");
	if (lines.length === 0) throw new UsageError("--full has no frame");
	if (lines.length > FULL_FRAMES_MAX) throw new UsageError(`--full has more than ${FULL_FRAMES_MAX} frames`);
	return lines.map((text, n) => {
		if (text.length % 2 !== 0 || !/^[0-9a-fA-F]+$/.test(text)) throw new UsageError(`--full: frame ${n + 1} is no hex`);
		return Buffer.from(text, "hex");
	});
}

try {
	process.exitCode = main();
} catch (error) {
	if (values.json && error instanceof UsageError) console.log(JSON.stringify({ proven: false, error: error.message }));
	failCli(error);
}
