/**
 * Goal: manifest.json says what is there. The SDK's tools build without a word when a module is missing, and the
 * firmware then dies at its start; a module that is not preloaded costs the board some 200 slots of memory.
 * Method: what the manifest names is compared with the files.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { makeConfig } from "../../src/config";

const ROOT = path.join(__dirname, "..", "..");

interface Part {
	modules: Record<string, string | string[]>;
	preload: string[];
	config: Record<string, unknown>;
}

const manifest: Part & { platforms: { lin: Part } } = JSON.parse(
	fs.readFileSync(path.join(ROOT, "manifest.json"), "utf8"),
);
const { lin } = manifest.platforms;

/** Name on the board → file without its extension, as the tools match them: a glob takes one folder. */
function modules(): Map<string, string> {
	const found = new Map<string, string>();
	for (const [name, targets] of Object.entries({ ...manifest.modules, ...lin.modules })) {
		for (const target of [targets].flat()) {
			if (!target.endsWith("/*")) {
				found.set(name.replace(/\*$/, path.basename(target)), path.normalize(target));
				continue;
			}
			const folder = path.normalize(target.slice(0, -2));
			for (const file of fs.readdirSync(path.join(ROOT, folder))) {
				if (!file.endsWith(".ts") || file.endsWith(".d.ts")) continue;
				const base = file.slice(0, -".ts".length);
				found.set(name.replace(/\*$/, base), `${folder}/${base}`);
			}
		}
	}
	return found;
}

const named = modules();

describe("manifest of the firmware", () => {
	it("takes in every file of src/ under its own path, and every driver", () => {
		const files = ["src", "drivers"].flatMap((folder) =>
			fs
				.readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" })
				.filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
				.map((file) => `${folder}/${file.split(path.sep).join("/").slice(0, -".ts".length)}`),
		);
		assert.ok(files.length > 40, "files were found");
		const targets = new Set(named.values());
		assert.deepEqual(
			files.filter((file) => !targets.has(file)),
			[],
		);
		for (const [name, file] of named) if (file.startsWith("src/")) assert.equal(name, file);
	});

	it("preloads every module but the entry, by its name", () => {
		const preloaded = [...manifest.preload, ...lin.preload];
		const wanted = [...named.keys()].filter((name) => name !== "src/main");
		assert.deepEqual([...preloaded].sort(), wanted.sort());
	});

	it("names files that are there, once `npm run board:prepare` has run", () => {
		const prepare = spawnSync(process.execPath, ["-r", "ts-node/register", "host-sim/cli/bundle.ts"], {
			cwd: ROOT,
			encoding: "utf8",
		});
		assert.equal(prepare.status, 0, prepare.stderr);
		for (const file of named.values()) {
			assert.ok(
				[".ts", ".js"].some((extension) => fs.existsSync(path.join(ROOT, file + extension))),
				file,
			);
		}
	});

	it("has the version of package.json and settings the firmware takes", () => {
		const { version } = JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8"));
		const settings = { ...manifest.config, ...lin.config };
		assert.equal(settings.version, version);
		const { terminalId, merchantId, plainLinks } = settings as { [name: string]: never };
		makeConfig({ terminalId, merchantId, plainLinks });
	});

	it("allows links without TLS on the desktop only", () => {
		assert.deepEqual([manifest.config.plainLinks, lin.config.plainLinks], [false, true]);
	});

	it("takes the SDK's TLS without its check of certificates, its random numbers and its suites", () => {
		// Source: Moddable SDK 8.2, modules/crypt/tls_common.json, which has them all.
		const file = path.join(ROOT, "drivers", "tls-link", "sdk", "manifest.json");
		const sdk: Part & { include: string[] } = JSON.parse(fs.readFileSync(file, "utf8"));
		const ours = ["ssl/cert", "ssl/ciphersuites", "rng"];
		for (const name of ours) assert.match(named.get(name) ?? "", /^drivers\/tls-link\/sdk\//);
		assert.ok(sdk.preload.includes("ssl/handshake"));
		assert.deepEqual(
			[...Object.keys(sdk.modules), ...sdk.preload].filter((name) => ours.includes(name)),
			[],
		);
		assert.doesNotMatch(JSON.stringify([manifest, sdk]), /tls_|crypt\/ssl\/(\*|ssl_\*)|crypt\/etc\/\*/);
	});

	it("gives the simulator no more memory than the board has, beside the two flash chips that are memory there", () => {
		const { creation } = lin as unknown as { creation: { chunk: object; heap: object; stack: number; static: number } };
		// Source: Moddable SDK 8.2, build/devices/esp32/targets/esp32s3/manifest.json.
		assert.deepEqual(creation, {
			static: 0,
			chunk: { initial: 78_848 + 2 * 16 * 4_096, incremental: 0 },
			heap: { initial: 4_928, incremental: 0 },
			stack: 512,
		});
	});
});

describe("des.js as the board gets it", () => {
	it("is one ES module without require, and enciphers as the library does", async () => {
		const file = path.join(ROOT, ".tsbuild", "board", "des.js");
		const text = fs.readFileSync(file, "utf8");
		assert.doesNotMatch(text, /\brequire\(["']|^import /m);
		const folder = fs.mkdtempSync(path.join(os.tmpdir(), "unsettled-"));
		fs.writeFileSync(path.join(folder, "des.mjs"), text);
		const { default: bundled } = await import(path.join(folder, "des.mjs"));
		fs.rmSync(folder, { recursive: true });
		const key = Uint8Array.of(0x13, 0x34, 0x57, 0x79, 0x9b, 0xbc, 0xdf, 0xf1);
		const out = new Uint8Array(8);
		bundled.DES.create({ type: "encrypt", key })._update(
			Uint8Array.of(0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef),
			0,
			out,
			0,
		);
		assert.equal(Buffer.from(out).toString("hex"), "85e813540f0ab405");
	});
});
