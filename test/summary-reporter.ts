/**
 * Mocha's spec of failures, and a last line of our own that counts: `N passed, N failed`. Mocha's own closing line is
 * not understood everywhere. A skipped test is counted and named, so that it cannot hide.
 */
import Mocha from "mocha";

module.exports = class SummaryReporter extends Mocha.reporters.Dot {
	constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
		super(runner, options);
		const skipped: string[] = [];
		runner.on(Mocha.Runner.constants.EVENT_TEST_PENDING, (test) => skipped.push(test.fullTitle()));
		runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
			const { passes = 0, failures = 0 } = runner.stats ?? {};
			for (const title of skipped) process.stdout.write(`skipped: ${title}\n`);
			const pending = skipped.length > 0 ? `, ${skipped.length} skipped` : "";
			process.stdout.write(`${passes} passed, ${failures} failed${pending}\n`);
		});
	}
};
