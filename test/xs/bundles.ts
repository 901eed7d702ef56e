/**
 * Scripts for an engine without modules: everything below an entry in one, in memory, under one global name. And the
 * realm they run in: the language alone. What a platform adds is removed first, on Node as on XS, so that whoever names
 * it fails at once, on both.
 */
import { readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { type BuildOptions, build, buildSync, type Loader } from "esbuild";
import ts from "typescript";

export const ROOT = join(__dirname, "..", "..");

/** The global that holds an entry's exports. */
export const GLOBAL_NAME = "unsettled";

/** Of a platform, or not the same on all engines. */
const REMOVED = [
	...["console", "print", "process", "Buffer", "require", "harden", "lockdown", "Base64", "Compartment"],
	...["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate", "queueMicrotask"],
	...["TextDecoder", "TextEncoder", "URL", "fetch", "performance", "structuredClone", "Intl", "WebAssembly"],
	...["WeakRef", "FinalizationRegistry", "issueCommand", "gc", "resetMeter", "currentMeterLimit"],
];

/** @param entry - file name in this folder. @throws {Error} when it is no program */
export function bundleScript(entry: string): string {
	const { outputFiles } = buildSync(buildOptions(entry));
	return outputFiles[0].text;
}

/** A function of the realm that a script of {@link bundlePointed} calls again and again; `globalThis` has it. */
export const POINT_NAME = "measurePoint";

/**
 * The same, with a call of {@link POINT_NAME} at the beginning of each function and of each turn of a loop, in the
 * firmware and in the libraries that it takes along: places between which next to nothing is made.
 */
export async function bundlePointed(entry: string): Promise<string> {
	const { outputFiles } = await build({
		...buildOptions(entry),
		banner: { js: `globalThis.${POINT_NAME} ??= () => {};` },
		plugins: [
			{
				name: "points",
				setup: ({ onLoad }) => {
					onLoad({ filter: /\.[jt]s$/ }, ({ path }) => {
						if (UNPOINTED.some((folder) => path.startsWith(folder))) return undefined;
						const loader: Loader = path.endsWith(".ts") ? "ts" : "js";
						return { contents: withPoints(path, readFileSync(path, "utf8")), loader };
					});
				},
			},
		],
	});
	return outputFiles[0].text;
}

/** The board and its scenes are what measures. */
const UNPOINTED = ["test", "host-sim"].map((folder) => join(ROOT, folder) + sep);

function withPoints(path: string, text: string): string {
	const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022);
	const places: number[] = [];
	const visit = (node: ts.Node): void => {
		const body = ts.isFunctionLike(node) || ts.isIterationStatement(node, false) ? bodyOf(node) : undefined;
		if (body !== undefined && ts.isBlock(body)) places.push(body.getStart(source) + 1);
		ts.forEachChild(node, visit);
	};
	visit(source);
	let pointed = "";
	let from = 0;
	for (const place of places.sort((a, b) => a - b)) {
		pointed += `${text.slice(from, place)}${POINT_NAME}();`;
		from = place;
	}
	return pointed + text.slice(from);
}

function bodyOf(node: ts.SignatureDeclaration | ts.IterationStatement): ts.Node | undefined {
	if (ts.isIterationStatement(node, false)) return node.statement;
	return "body" in node ? node.body : undefined;
}

function buildOptions(entry: string): BuildOptions & { write: false } {
	return {
		entryPoints: [join(__dirname, entry)],
		bundle: true,
		write: false,
		format: "iife",
		globalName: GLOBAL_NAME,
		// XS evaluates, and what strict code declares in an eval is gone after it.
		footer: { js: `globalThis.${GLOBAL_NAME} = ${GLOBAL_NAME};` },
		platform: "browser",
		target: "es2022",
		logLevel: "silent",
	};
}

/** Leaves the language alone; to be run before anything else. */
export const BARE_REALM = `for (const name of ${JSON.stringify(REMOVED)}) delete globalThis[name];`;

/**
 * The same on XS, with a way to talk: `handleCommand` turns the bytes of a command into text, calls `answer`, and its
 * text into bytes again. `tell` sends a text and waits for its answer; `collect` is a full collection.
 * @param answer - a function of one text, as source
 */
export function xsRealm(answer: string): string {
	return `(() => {
	const issue = globalThis.issueCommand;
	const collect = globalThis.gc;
	${BARE_REALM}
	const toText = (buffer) => {
		const bytes = new Uint8Array(buffer);
		const pieces = [];
		for (let at = 0; at < bytes.length; at += 1024) {
			pieces.push(String.fromCharCode.apply(undefined, bytes.subarray(at, at + 1024)));
		}
		return pieces.join("");
	};
	const toBytes = (text) => {
		const bytes = new Uint8Array(text.length);
		for (let at = 0; at < bytes.length; at++) bytes[at] = text.charCodeAt(at);
		return bytes.buffer;
	};
	const tell = (text) => toText(issue(toBytes(text)));
	const answer = ${answer};
	globalThis.handleCommand = (buffer) => toBytes(answer(toText(buffer)));
})();`;
}
