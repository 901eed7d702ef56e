/**
 * `npm run board:prepare`: what the SDK's tools cannot do by themselves before `mcconfig` builds the firmware. Libraries
 * in CommonJS become one ES module each, in .tsbuild/board/, where manifest.json looks for them.
 * @module
 */
import * as path from "node:path";
import { buildSync } from "esbuild";
import { failCli, parseCli } from "./args";

const USAGE = `npm run board:prepare

Writes the libraries that the firmware needs as ES modules to .tsbuild/board/. Run it once before mcconfig, and after
each change of dependencies.

  --help     this text

Exit codes: 0 written, 1 a library cannot be bundled, 2 bad option.`;

const ROOT = path.join(__dirname, "..", "..");

/** The module's name on the board, and the little program that is bundled for it. */
const BUNDLES: readonly { name: string; source: string }[] = [
	// Of the library only DES itself; src/security/des.ts makes the rest of it.
	{ name: "des", source: 'import DES from "des.js/lib/des/des.js"; export default { DES };' },
];

function bundle(name: string, source: string): void {
	const outfile = path.join(ROOT, ".tsbuild", "board", `${name}.js`);
	const { metafile } = buildSync({
		stdin: { contents: source, resolveDir: ROOT, sourcefile: `${name}-entry.mjs` },
		outfile,
		bundle: true,
		format: "esm",
		platform: "browser",
		target: "es2022",
		metafile: true,
		logLevel: "silent",
	});
	const [output] = Object.values(metafile.outputs);
	console.log(`${path.relative(process.cwd(), outfile)}: ${output.bytes} bytes`);
}

parseCli({ usage: USAGE, options: {} });
try {
	for (const { name, source } of BUNDLES) bundle(name, source);
} catch (error) {
	failCli(error);
}
