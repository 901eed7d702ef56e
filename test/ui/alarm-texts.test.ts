import * as assert from "node:assert/strict";
import type { AlarmName } from "../../src/ports";
import { RULES } from "../../src/settlement/monitor-rules";
import { ALARM_TEXTS } from "../../src/ui/alarm-texts";
import { columnsOf } from "../../src/ui/columns";
import { SCREEN_COLUMNS, screenLines } from "../../src/ui/texts";

const NAMES = Object.keys(ALARM_TEXTS) as AlarmName[];
const LINES_MAX = 8;

describe("ui alarms", () => {
	it("every rule of the monitor has words, and nothing else has", () => {
		assert.deepEqual([...NAMES].sort(), RULES.map(({ name }) => name).sort());
	});

	for (const language of ["zh", "en"] as const) {
		it(`each says what it is in one line, and what to do, within the smallest display (${language})`, () => {
			for (const alarm of NAMES) {
				const [title, advice] = ALARM_TEXTS[alarm][language];
				assert.ok(columnsOf(title) <= SCREEN_COLUMNS, `${alarm}: ${title}`);
				const lines = screenLines({ name: "alarm", alarm, link: "cellular" }, language);
				assert.equal(lines[1], title);
				assert.equal(lines[2], "cellular");
				assert.equal(lines.slice(3).join("").replaceAll(" ", ""), advice.replaceAll(" ", ""), "nothing is lost");
				assert.ok(lines.length > 3 && lines.length <= LINES_MAX, `${alarm}: ${lines.length} lines`);
				for (const line of lines) assert.ok(columnsOf(line) <= SCREEN_COLUMNS, `${alarm}: ${line}`);
				assert.equal(/[\u4e00-\u9fff]/.test(title + advice), language === "zh", alarm);
			}
		});
	}

	it("the ready screen names the most severe one, and how many there are", () => {
		const screen = { name: "ready", alarms: 2, alarm: "declines" } as const;
		assert.deepEqual(screenLines(screen, "zh").slice(2), ["报警 2 项", "连续被拒 原因相同"]);
		assert.deepEqual(screenLines(screen, "en").slice(2), ["Alarms: 2", "Declined in a row"]);
	});
});
