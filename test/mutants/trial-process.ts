/**
 * A process that runs test files over mutated sources, told over its channel which. The texts take the place of the files
 * as ts-node compiles them; threads and processes that a test starts for itself see the files.
 */
import { resolve } from "node:path";
import Mocha from "mocha";
import { ROOT } from "./mutate";

export interface TrialTask {
	/** Absolute path and text. */
	readonly sources: readonly (readonly [path: string, text: string])[];
	/** From the root of the repository. */
	readonly files: readonly string[];
	/** False: all tests, whatever fails. */
	readonly stopAtFailure: boolean;
	/** Titles of tests whose failure says nothing. */
	readonly ignored: readonly string[];
}

export interface FailedTest {
	readonly title: string;
	readonly error: string;
}

export type TrialMessage =
	/** The tests are there. */
	| { readonly kind: "loaded"; readonly tests: number }
	| { readonly kind: "failed"; readonly test: FailedTest }
	| { readonly kind: "done" }
	/** A file does not even load. */
	| { readonly kind: "broken"; readonly error: string };

const TEST_MS_MAX = 30_000;

interface Compiler {
	compile(code: string, path: string, line?: number): string;
}

function takeSources(sources: TrialTask["sources"]): void {
	const texts = new Map(sources);
	const compiler = (process as unknown as Record<symbol, Compiler>)[Symbol.for("ts-node.register.instance")];
	const compile = compiler.compile.bind(compiler);
	compiler.compile = (code, path, line) => compile(texts.get(path) ?? code, path, line);
}

async function run({ sources, files, stopAtFailure, ignored }: TrialTask): Promise<void> {
	takeSources(sources);
	const mocha = new Mocha({ timeout: TEST_MS_MAX, reporter: Mocha.reporters.Base });
	for (const file of files) mocha.addFile(resolve(ROOT, file));
	try {
		await mocha.loadFilesAsync();
	} catch (error) {
		tell({ kind: "broken", error: firstLine(error) }, () => process.exit(1));
		return;
	}
	tell({ kind: "loaded", tests: mocha.suite.total() });
	const end = () => tell({ kind: "done" }, () => process.exit(0));
	mocha
		.run(() => end())
		.on(Mocha.Runner.constants.EVENT_TEST_FAIL, (test, error) => {
			const title = test.fullTitle();
			if (ignored.includes(title)) return;
			tell({ kind: "failed", test: { title, error: firstLine(error) } });
			if (stopAtFailure) end();
		});
}

function firstLine(error: unknown): string {
	return String((error as Error)?.message ?? error).split("\n")[0];
}

function tell(message: TrialMessage, then: () => void = () => {}): void {
	process.send?.(message, then);
}

// The hunt was killed: nobody waits for this any more.
process.once("disconnect", () => process.exit(1));
process.once("message", (task: TrialTask) => void run(task));
