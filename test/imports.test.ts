/**
 * Goal: the house stays in order. Imports point one way, the platform is named only where it may be, and what
 * differs between engines, or reads the world behind the ports' back, is not used at all.
 * Method: every .ts file is parsed (so comments and texts do not count) and compared with the tables below.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import ts from "typescript";

const ROOT = path.join(__dirname, "..");

/** A part of src/ may import what lies below it: core, ports ← journal … ← main. Same height: only itself. */
const HEIGHT: Readonly<Record<string, number>> = {
	core: 0,
	ports: 1,
	config: 2,
	"guarded-device": 2,
	journal: 3,
	iso8583: 3,
	security: 3,
	transactions: 4,
	host: 4,
	settlement: 5,
	console: 6,
	ui: 6,
	terminal: 7,
	main: 8,
};

/** Runs on XS as well as on Node: no platform, no chance, nothing that differs between engines. */
const PLATFORM_FREE = [
	"src/",
	"host-sim/acquirer/",
	"host-sim/board/",
	"host-sim/world/",
	"host-sim/scenario/",
	"host-sim/test-cards.ts",
];
const NODE_ALLOWED = ["host-sim/node/", "host-sim/cli/", "test/"];
/** What a platform-free file may import beside files: it is part of the firmware, so it is in "dependencies". */
const PACKAGES = /^(@noble\/(hashes|ciphers)|des\.js|tweetnacl)(\/|$)/;

const MATH_ALLOWED = ["floor", "ceil", "trunc", "min", "max", "abs", "imul", "clz32"];
/** Globals of a platform; neither firmware nor drivers name them. */
const PLATFORM_GLOBALS = [
	...["process", "Buffer", "setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval"],
	...["require", "globalThis", "performance"],
];
/** Globals that XS lacks or that behave otherwise there. */
const ENGINE_GLOBALS = ["WeakRef", "FinalizationRegistry", "structuredClone", "queueMicrotask", "Intl", "BigInt"];
const ENGINE_METHODS = /^(toFixed|toPrecision|toExponential|toLocale\w*|localeCompare)$/;
const LOCAL_TIME = /^(get|set)(FullYear|Month|Date|Day|Hours|Minutes|Seconds|Milliseconds|TimezoneOffset)$/;

/** All .ts files below `folder`, as paths from the root with forward slashes. */
function sourceFiles(folder: string): string[] {
	const full = path.join(ROOT, folder);
	if (!fs.existsSync(full)) return [];
	return fs
		.readdirSync(full, { recursive: true, encoding: "utf8" })
		.filter((name) => name.endsWith(".ts"))
		.map((name) => `${folder}/${name.split(path.sep).join("/")}`);
}

const under = (file: string, folders: readonly string[]) => folders.some((folder) => file.startsWith(folder));

/** The part of src/ a file belongs to: its folder, or its own name at the top. */
function partOf(file: string): string {
	return file.split("/")[1].replace(/\.ts$/, "");
}

/** Why `file` may not import `target`, itself a path from the root without extension; undefined when it may. */
function checkDirection(file: string, target: string): string | undefined {
	const [from, to] = [file.split("/")[0], target.split("/")[0]];
	if (from === "test") return undefined;
	if (to === "test") return "only tests import tests";
	if (from === "drivers" && to === "host-sim") return "drivers do not import the simulator";
	if (from === "src") {
		if (to === "drivers") return file === "src/main.ts" ? undefined : "only main.ts imports drivers";
		if (to !== "src") return "src/ imports nothing outside src/";
		const [lower, upper] = [HEIGHT[partOf(target)], HEIGHT[partOf(file)]];
		if (lower === undefined || upper === undefined) return "a part of src/ that the table of heights does not know";
		if (partOf(target) !== partOf(file) && lower >= upper) return `${partOf(file)} does not import ${partOf(target)}`;
	}
	if (under(file, PLATFORM_FREE) && under(target, NODE_ALLOWED))
		return "platform-free code does not import Node's part";
	return undefined;
}

function checkImport(file: string, specifier: string): string | undefined {
	if (specifier.startsWith(".")) {
		if (/\.(ts|js)$/.test(specifier)) return "relative imports have no extension";
		return checkDirection(file, path.posix.join(path.posix.dirname(file), specifier));
	}
	if (specifier.startsWith("node:")) return under(file, NODE_ALLOWED) ? undefined : "node: is for host-sim's Node part";
	if (file === "src/main.ts") return undefined; // The device's own modules.
	if (under(file, PLATFORM_FREE) && !PACKAGES.test(specifier)) return "a package that is no part of the firmware";
	return undefined;
}

/** A name that refers to a variable or a global, rather than to a property of something. */
function isReference(node: ts.Identifier): boolean {
	const { parent } = node;
	if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
	if (ts.isQualifiedName(parent)) return parent.left === node;
	if (ts.isShorthandPropertyAssignment(parent)) return true;
	const isName = "name" in parent && parent.name === node;
	return !isName || ts.isVariableDeclaration(parent) || ts.isParameter(parent);
}

function checkNode(node: ts.Node, drivers: boolean): string | undefined {
	if (ts.isIdentifier(node) && isReference(node)) {
		if (PLATFORM_GLOBALS.includes(node.text)) return node.text;
		if (!drivers && (ENGINE_GLOBALS.includes(node.text) || node.text === "console")) return node.text;
	}
	if (ts.isPropertyAccessExpression(node)) {
		const name = node.name.text;
		const object = ts.isIdentifier(node.expression) ? node.expression.text : "";
		if (object === "Date" && name === "now") return "Date.now";
		if (object === "Math" && (name === "random" || (!drivers && !MATH_ALLOWED.includes(name)))) return `Math.${name}`;
		if (!drivers && (ENGINE_METHODS.test(name) || LOCAL_TIME.test(name))) return `.${name}`;
	}
	if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === "Date") {
		if ((node.arguments?.length ?? 0) === 0) return "new Date()";
		if ((node.arguments?.length ?? 0) > 1) return "new Date() in local time";
	}
	if (drivers) return undefined;
	if (ts.isBigIntLiteral(node)) return "BigInt";
	if (node.kind === ts.SyntaxKind.AsteriskAsteriskToken || node.kind === ts.SyntaxKind.AsteriskAsteriskEqualsToken) {
		return "**";
	}
	return undefined;
}

/** The module a node imports, in any of the ways TypeScript has; "" when only the run knows. */
function importedModule(node: ts.Node): string | undefined {
	const text = (expression: ts.Node | undefined) =>
		expression !== undefined && ts.isStringLiteralLike(expression) ? expression.text : "";
	if (ts.isImportDeclaration(node)) return text(node.moduleSpecifier);
	if (ts.isExportDeclaration(node)) return node.moduleSpecifier === undefined ? undefined : text(node.moduleSpecifier);
	if (ts.isExternalModuleReference(node)) return text(node.expression);
	if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? text(node.argument.literal) : "";
	if (!ts.isCallExpression(node)) return undefined;
	const isRequire = ts.isIdentifier(node.expression) && node.expression.text === "require";
	return node.expression.kind === ts.SyntaxKind.ImportKeyword || isRequire ? text(node.arguments[0]) : undefined;
}

/** All violations in one file, each with its place. */
function violations(file: string, text: string): string[] {
	const found: string[] = [];
	const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
	const free = under(file, PLATFORM_FREE) && file !== "src/main.ts";
	const drivers = file.startsWith("drivers/") || file === "src/main.ts";
	const report = (node: ts.Node, what: string) => {
		const { line } = source.getLineAndCharacterOfPosition(node.getStart());
		found.push(`${file}:${line + 1} ${what}`);
	};
	const visit = (node: ts.Node): void => {
		const specifier = importedModule(node);
		const wrong = specifier === undefined ? undefined : checkImport(file, specifier);
		if (wrong !== undefined) report(node, `imports ${specifier}: ${wrong}`);
		const used = free || drivers ? checkNode(node, drivers) : undefined;
		if (used !== undefined) report(node, `uses ${used}`);
		ts.forEachChild(node, visit);
	};
	visit(source);
	return found;
}

describe("imports and forbidden names", () => {
	it("all files of the project keep the direction of imports and name no platform where they may not", () => {
		const files = ["src", "drivers", "host-sim", "test"].flatMap(sourceFiles).filter((file) => !file.endsWith(".d.ts"));
		assert.ok(files.length > 20, "files were found");
		const found = files.flatMap((file) => violations(file, fs.readFileSync(path.join(ROOT, file), "utf8")));
		assert.deepEqual(found, []);
	});

	it("the height of every part of src/ is known", () => {
		const parts = fs.readdirSync(path.join(ROOT, "src")).filter((name) => !/\.(md|json)$/.test(name));
		for (const part of parts) assert.ok(HEIGHT[part.replace(/\.ts$/, "")] !== undefined, part);
	});

	it("what is imported by name only as a package of the firmware is among its dependencies", () => {
		const { dependencies } = JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8"));
		for (const name of Object.keys(dependencies)) assert.match(name, PACKAGES);
	});

	const planted: [why: string, file: string, text: string][] = [
		["a lower part imports a higher one", "src/journal/x.ts", 'import { a } from "../transactions/a";'],
		["a type counts as well", "src/core/x.ts", 'import type { A } from "../ports";'],
		["so does a type written in place", "src/core/x.ts", 'let a: import("../ports").Clock;'],
		["parts of the same height do not know each other", "src/iso8583/x.ts", 'export * from "../security/mac";'],
		["src/ does not import the simulator", "src/terminal.ts", 'import { a } from "../host-sim/board/power";'],
		["only main.ts imports drivers", "src/terminal.ts", 'import { a } from "../drivers/a";'],
		["src/ does not import tests", "src/core/x.ts", 'import { a } from "../../test/a";'],
		["the simulator does not import tests", "host-sim/cli/x.ts", 'import { a } from "../../test/a";'],
		["Node stays out of the board", "host-sim/board/x.ts", 'import * as net from "node:net";'],
		["also when required", "host-sim/board/x.ts", 'const net = require("node:net");'],
		["also when imported late", "src/core/x.ts", 'void import("node:fs");'],
		["the acquirer does not import Node's part", "host-sim/acquirer/x.ts", 'import { a } from "../node/tcp-link";'],
		["a package that the firmware does not carry", "host-sim/world/x.ts", 'import pc from "picocolors";'],
		["an import the table cannot judge", "src/core/x.ts", "void import(name);"],
		["a part that nobody placed", "src/extras/x.ts", 'import { a } from "../core/assert";'],
		["the desktop's time", "src/core/x.ts", "const t = Date.now();"],
		["the desktop's time by another door", "src/core/x.ts", "const t = new Date();"],
		["local time", "host-sim/acquirer/x.ts", "const h = new Date(0).getHours();"],
		["chance", "drivers/x.ts", "const r = Math.random();"],
		["a function that differs between engines", "src/core/x.ts", "const r = Math.pow(2, 3);"],
		["the same as an operator", "src/core/x.ts", "const r = 2 ** 3;"],
		["the platform's timers", "drivers/x.ts", "setTimeout(() => {}, 1);"],
		["the process", "host-sim/board/x.ts", "const p = process.pid;"],
		["Node's buffers", "host-sim/acquirer/x.ts", "const b = Buffer.alloc(1);"],
		["BigInt", "src/core/x.ts", "const b = 1n;"],
		["locale", "src/ui/x.ts", "const t = (1).toFixed(2);"],
		["a console", "src/ui/x.ts", 'console.log("x");'],
	];
	for (const [why, file, text] of planted) {
		it(`finds a planted violation: ${why}`, () => {
			assert.equal(violations(file, text).length > 0, true, text);
		});
	}

	it("finds nothing in comments, texts, properties and what is allowed", () => {
		const fine = [
			[
				"src/transactions/x.ts",
				'import { a } from "../journal/a"; import { b } from "../core/b"; // setTimeout, Buffer',
			],
			["src/transactions/x.ts", 'import { limits } from "../config"; import { states } from "./states";'],
			["src/terminal.ts", 'import { zh } from "./ui/texts"; const t = "Date.now() and 2 ** 3";'],
			["src/main.ts", 'import Timer from "timer"; import { Flash } from "../drivers/flash";'],
			["src/security/x.ts", 'import { sha256 } from "@noble/hashes/sha2.js"; new Date(0).getUTCHours();'],
			["src/host/x.ts", "const x = { process: 1, setTimer(ms: number) { return ms; } }; x.process; Math.floor(1);"],
			["drivers/x.ts", 'import Flash from "embedded:storage/flash"; console.log(2 ** 3);'],
			["host-sim/board/x.ts", 'import { assert } from "../../src/core/assert"; import { p } from "./power";'],
			["host-sim/node/x.ts", 'import * as net from "node:net"; setTimeout(() => Date.now(), process.pid);'],
			["test/x.test.ts", 'import { a } from "../src/core/a"; import * as fs from "node:fs"; Buffer.alloc(1);'],
		];
		for (const [file, text] of fine) assert.deepEqual(violations(file, text), []);
	});
});
