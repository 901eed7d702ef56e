/**
 * `npm run board:prepare`: what the SDK's tools cannot do by themselves before `mcconfig` builds the firmware. Libraries
 * in CommonJS become one ES module each, in .tsbuild/board/, where manifest.json looks for them.
 * @module
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { buildSync } from "esbuild";
import { CodedError } from "../../src/core/errors";
import { failCli, parseCli } from "./args";

const USAGE = `npm run board:prepare -- [options]

Writes the libraries that the firmware needs as ES modules to .tsbuild/board/. Run it once before mcconfig, and after
each change of dependencies.

  --json     the last line is one JSON object {libraries: [{file, bytes}]}
  --help     this text

Exit codes: 0 written, 1 a library cannot be bundled, 2 bad option.`;

const ROOT = path.join(__dirname, "..", "..");

interface Bundle {
	/** The module's name on the board. */
	readonly name: string;
	/** The little program that is bundled for it. */
	readonly source: string;
	/** Its types, where the SDK's compiler does not find them by itself. */
	readonly types?: string;
	/** What has to be changed in it, each exactly once. */
	readonly changes?: readonly (readonly [from: string, to: string])[];
}

const BUNDLES: readonly Bundle[] = [
	// Of the library only DES itself; src/security/des.ts makes the rest of it.
	{ name: "des", source: 'import DES from "des.js/lib/des/des.js"; export default { DES };' },
	{
		name: "tweetnacl",
		source: 'import nacl from "tweetnacl"; export default nacl;',
		types: 'import nacl from "../../node_modules/tweetnacl/nacl.js";\nexport default nacl;\n',
	},
	{
		name: "hmac",
		source: 'export { hmac } from "@noble/hashes/hmac.js";',
		types: 'export { hmac } from "../../node_modules/@noble/hashes/hmac.js";\n',
	},
	// A module that is preloaded is in flash, and its arrays cannot be written: the scratch belongs to each hash instead.
	{
		name: "sha2",
		source: 'export { sha256 } from "@noble/hashes/sha2.js";',
		types: 'export { sha256 } from "../../node_modules/@noble/hashes/sha2.js";\n',
		changes: [
			["process(view, offset) {", "process(view, offset) { const SHA256_W = (this.scratch ??= new Uint32Array(64));"],
			["clean(SHA256_W);", "clean(this.scratch);"],
		],
	},
];

interface Written {
	readonly file: string;
	readonly bytes: number;
}

function bundle({ name, source, types, changes = [] }: Bundle): Written {
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
	let text = fs.readFileSync(outfile, "utf8");
	for (const [from, to] of changes) {
		if (text.split(from).length !== 2) throw new CodedError("mismatch", `library ${name}`, "its source has changed");
		text = text.replace(from, to);
	}
	fs.writeFileSync(outfile, text);
	if (types !== undefined) fs.writeFileSync(outfile.replace(/\.js$/, ".d.ts"), types);
	const [output] = Object.values(metafile.outputs);
	const written = { file: path.relative(process.cwd(), outfile), bytes: output.bytes };
	console.log(`${written.file}: ${written.bytes} bytes`);
	return written;
}

const options = parseCli({ usage: USAGE, options: { json: { type: "flag" } } });
try {
	const libraries = BUNDLES.map(bundle);
	if (options.json) console.log(JSON.stringify({ libraries }));
} catch (error) {
	failCli(error);
}
