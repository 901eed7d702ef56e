import * as assert from "node:assert/strict";
import { RESPONSE_CODES, responseText } from "../../src/iso8583/response-codes";
import type { Screen, ScreenName } from "../../src/ports";
import { columnsOf } from "../../src/ui/columns";
import { type Language, SCREEN_COLUMNS, SCREEN_TEXTS, screenLines, screenTitle } from "../../src/ui/texts";

const LANGUAGES: Language[] = ["zh", "en"];
const NAMES = Object.keys(SCREEN_TEXTS) as ScreenName[];
const LINES_MAX = 8;
/** The widest values a screen may carry. */
const WIDEST = {
	stan: 999_999,
	amountMinor: 999_999_999_999,
	card: "622123*********3450",
	printed: false,
	count: 64,
	plain: true,
	signedOff: true,
	caseId: 4_294_967_295,
	cases: 64,
	reference: "ABCDEFGHIJKL",
	expectedAt: Date.UTC(2026, 11, 31, 15, 59),
	batch: 999_999,
	result: "unbalanced",
	hold: "differences",
	local: "approved",
	host: "undebited",
	alarm: "settleWaits",
	alarms: 16,
	link: "cellular",
} as const;
/** What a line may ask for. */
const VALUES = [
	...["amount", "stan", "card", "code", "count", "printed", "plain", "signedOff", "case", "cases", "reference"],
	...["until", "batch", "result", "hold", "local", "host", "alarm", "alarms", "advice", "link"],
];

function eachScreen(check: (name: ScreenName, language: Language) => void): void {
	for (const name of NAMES) for (const language of LANGUAGES) check(name, language);
}

describe("ui screens", () => {
	it("every screen has words in both languages, each in its own script", () => {
		assert.equal(NAMES.length, 76);
		eachScreen((name, language) => {
			const lines = screenLines({ name, ...WIDEST, code: "51" }, language);
			assert.ok(lines.length >= (name === "signedOff" ? 1 : 2), name);
			const chinese = /[\u4e00-\u9fff]/.test(lines.join(""));
			assert.equal(chinese, language === "zh", `${name} ${language}`);
			assert.equal(screenTitle(name, language), lines.length > 0 ? SCREEN_TEXTS[name][language][0] : "");
		});
	});

	it("no line is wider than the smallest display, whatever is filled in; only words of codes and advices are broken", () => {
		eachScreen((name, language) => {
			if (name === "alarm") return; // What to do is broken into lines: alarm-texts.test.ts.
			const withoutCode = screenLines({ name, ...WIDEST }, language);
			const templates = SCREEN_TEXTS[name][language].filter((line) => !line.includes("{code}"));
			const broken = templates.includes("{advice}") ? withoutCode.length - templates.length : 0;
			assert.equal(withoutCode.length, templates.length + broken, `${name} ${language} breaks a line`);
			assert.ok(broken >= 0);
			for (const code of [...Object.keys(RESPONSE_CODES), "ZZ"]) {
				const lines = screenLines({ name, ...WIDEST, code }, language);
				for (const line of lines) assert.ok(columnsOf(line) <= SCREEN_COLUMNS, `${name} ${language}: "${line}"`);
				assert.ok(lines.length <= LINES_MAX, `${name} ${language} ${code}: ${lines.length} lines`);
			}
		});
	});

	it("no placeholder is left, with all values and with none: a line without its value is left out", () => {
		eachScreen((name, language) => {
			for (const screen of [{ name }, { name, ...WIDEST, code: "A0" }, { name, count: 0 }] as Screen[]) {
				const text = screenLines(screen, language).join("\n");
				assert.doesNotMatch(text, /[{}]|undefined|null|NaN/, `${name} ${language}`);
			}
		});
		assert.deepEqual(screenLines({ name: "ready", count: 0 }, "zh"), ["欢迎光临", "请输入金额"]);
		assert.deepEqual(screenLines({ name: "ready", count: 3 }, "zh").at(-1), "待冲正 3 笔");
	});

	it("no line of the table asks for a value that does not exist", () => {
		eachScreen((name, language) => {
			for (const line of SCREEN_TEXTS[name][language]) {
				for (const [, value] of line.matchAll(/\{(.*?)\}/g)) {
					assert.ok(VALUES.includes(value), `${name}: ${line}`);
				}
			}
		});
	});

	it("whoever is told not charged reads so in plain words, with the trace number as reference", () => {
		const told: ScreenName[] = ["declined", "cardRefused", "notSent", "noAnswer", "interrupted"];
		for (const name of [...told, "reversalStarted", "reversalDone"] as ScreenName[]) {
			const screen: Screen = { name, ...WIDEST, stan: 12, told: "notCharged" };
			assert.match(screenLines(screen, "zh").join(""), /未扣款.*流水号 000012/s, name);
			assert.match(screenLines(screen, "en").join(" "), /[Nn]ot charged.*Trace 000012/s, name);
		}
		for (const name of ["noAnswer", "interrupted", "cardRefused", "reversalStarted", "reversalDone"] as ScreenName[]) {
			assert.match(screenLines({ name }, "zh").join(""), /退回/, name);
			assert.match(screenLines({ name }, "en").join(" "), /debit (is|was) returned/, name);
		}
	});

	it("whoever is told paid reads charged, and never not charged", () => {
		for (const name of ["approved", "approvedNoPaper", "deliveredNoted"] as ScreenName[]) {
			assert.match(screenLines({ name, ...WIDEST }, "zh").join(""), /(?<!未)已扣款/);
			assert.doesNotMatch(screenLines({ name, ...WIDEST }, "zh").join(""), /未扣款/);
			assert.match(screenLines({ name, ...WIDEST }, "en").join(" "), /[Cc]harged/);
			assert.doesNotMatch(screenLines({ name, ...WIDEST }, "en").join(" "), /[Nn]ot charged/);
		}
	});

	it("a code comes with its plain text in the language", () => {
		for (const language of LANGUAGES) {
			const text = screenLines({ name: "declined", code: "51" }, language).join(" ");
			assert.ok(text.includes(`51 ${responseText("51")[language]}`), text);
		}
	});

	it("a card number that was not masked is masked here (I9)", () => {
		for (const name of NAMES) {
			for (const language of LANGUAGES) {
				const text = screenLines({ name, ...WIDEST, card: "6212345678901232" }, language).join("\n");
				assert.doesNotMatch(text, /345678901232/, name);
			}
		}
		assert.ok(screenLines({ name: "approved", card: "6212345678901232" }, "en").includes("621234******1232"));
	});
});
