/**
 * `npm start`: a scenario in virtual time, by default the documents' story told whole; or the trading day.
 * Exit code 0 only if everything is as it should be, 1 if not, 2 for a mistake on the command line.
 * @module
 */
import { ConsoleLog } from "../node/console-log";
import { runScenario } from "../scenario/run-scenario";
import type { Scenario } from "../scenario/scenario";
import { SCENARIOS } from "../scenario/scenarios";
import { endOnClosedOutput, failCli, parseCli } from "./args";
import { runDay } from "./day";
import { scenarioJson } from "./scenario-json";
import { closingLines, type Lang, listLines, timelineText, titleLine } from "./scenario-print";
import { DAY, readStart, START_OPTIONS, START_USAGE, type StartValues } from "./start-options";

const values = parseCli({ usage: START_USAGE, options: START_OPTIONS });
endOnClosedOutput();

const print = (line: string): void => void process.stdout.write(`${line}\n`);

function printList(): void {
	const { lang, json } = values;
	const list = SCENARIOS.map(({ name, row = null, what }) => ({ name, row, what }));
	for (const line of listLines(lang as Lang)) print(line);
	if (json) print(JSON.stringify({ scenarios: [...list.map(({ name }) => name), DAY], list }));
}

function playScenario(scenario: Scenario, language: Lang): boolean {
	const startedMs = performance.now();
	const { seed, log, json } = values;
	const sync = !values["no-sync"];
	print(titleLine(scenario, seed, sync, language));
	let firstMs = 0;
	const result = runScenario({
		scenario,
		seed,
		sync,
		onLine: (line) => {
			firstMs ||= line.timeMs;
			print(timelineText(line, language, firstMs));
		},
		...(log ? { log: new ConsoleLog({ stream: process.stderr }) } : {}),
	});
	for (const line of closingLines(result, language, firstMs)) print(line);
	if (json) print(JSON.stringify(scenarioJson(result, Math.round(performance.now() - startedMs))));
	return result.holds;
}

async function main(options: StartValues): Promise<boolean> {
	const start = readStart(options);
	switch (start.run) {
		case "list":
			printList();
			return true;
		case "day":
			return runDay(options);
		case "scenario":
			return playScenario(start.scenario, start.language);
	}
}

main(values).then(
	// Of a day: sockets in TIME_WAIT and idle timers are nobody's business any more.
	(good) => process.stdout.write("", () => process.exit(good ? 0 : 1)),
	(error) => failCli(error),
);
