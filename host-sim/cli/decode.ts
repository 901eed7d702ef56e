/**
 * `npm run decode`: a frame field by field, masked, with the meaning of codes; of a bad one, exactly where it breaks.
 * @module
 */
import { fromHex } from "../../src/core/bytes";
import type { Dialect } from "../../src/iso8583/dialect";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { UNIONPAY_DUKPT } from "../../src/iso8583/unionpay-dukpt";
import { endOnClosedOutput, failCli, parseCli, splitWords } from "./args";
import { framePlaces, INPUT_BYTES_MAX, readInput } from "./decode-input";
import { type ReportOptions, reportFrame } from "./decode-report";

const DIALECTS: Readonly<Record<string, Dialect>> = {
	[UNIONPAY.name]: UNIONPAY,
	[UNIONPAY_DUKPT.name]: UNIONPAY_DUKPT,
};

const USAGE = `npm run decode -- HEX|FILE|- [options]

Shows frames field by field, with the meaning of codes, and says of a bad one exactly where it breaks.

  HEX              frames in hex, one behind the other; spaces and 0x are allowed
  FILE             raw bytes, or hex as text; told apart
  -                the same from standard input; each at most ${INPUT_BYTES_MAX >> 20} MiB

  --language L     en or zh (en)
  --dialect D      ${Object.keys(DIALECTS).join(" or ")} (${UNIONPAY.name})
  --mac-key HEX    a test key: says whether the MAC fits
  --unmask         shows card numbers, tracks, PIN blocks and keys too: for test cards only
  --json           the last line is one JSON object: of one frame
                   {mti, message, tpdu, header, fields: [{de, name, value, meaning?, parts?}], note?, shape?, mac?,
                   error?: {code, de?, offset, expected, found, excerpt}}, of several {frames: [...]}
  --help           this text

A frame begins with its length; one without is recognised where that length could not be one.

Exit codes: 0 every frame decodes, 1 one is bad, or its MAC does not fit, 2 bad option or input.`;

const OPTIONS = {
	language: { type: "text", default: "en", oneOf: ["en", "zh"] },
	dialect: { type: "text", default: UNIONPAY.name, oneOf: Object.keys(DIALECTS) },
	"mac-key": { type: "text" },
	unmask: { type: "flag" },
	json: { type: "flag" },
} as const;

const { words, options: argv } = splitWords(OPTIONS, process.argv.slice(2));
const values = parseCli({ usage: USAGE, options: OPTIONS, argv });

endOnClosedOutput();

/** @returns whether every frame is good. @throws {UsageError} */
function main(): boolean {
	const macKey = values["mac-key"];
	const options: ReportOptions = {
		dialect: DIALECTS[values.dialect],
		language: values.language === "zh" ? "zh" : "en",
		unmask: values.unmask,
		macKey: macKey === undefined ? undefined : fromHex(macKey, "--mac-key"),
	};
	const bytes = readInput(words);
	const places = framePlaces(bytes, options.dialect);
	const reports = places.map((place) => reportFrame(bytes, place, options));
	for (const [n, { lines }] of reports.entries()) {
		if (places.length > 1) console.log(`${n === 0 ? "" : "\n"}${frameTitle(n + 1, places[n].start, options.language)}`);
		console.log(lines.join("\n"));
	}
	if (values.json) {
		const frames = reports.map(({ report }) => report);
		console.log(JSON.stringify(frames.length === 1 ? frames[0] : { frames }));
	}
	return reports.every(({ good }) => good);
}

function frameTitle(number: number, start: number, language: "zh" | "en"): string {
	return language === "zh" ? `第 ${number} 个报文，位置 ${start}` : `frame ${number}, byte ${start} of the input`;
}

try {
	process.exitCode = main() ? 0 : 1;
} catch (error) {
	failCli(error);
}
