/** Goal: whoever talks to the XS engine gets its answer or learns in plain words why there is none. */
import assert from "node:assert/strict";
import { BARE_REALM, xsRealm } from "./bundles";
import { type XsTrouble, XsWorker, type XsWorkerOptions } from "./xs-worker";

describe("the client of the XS engine", function () {
	this.timeout(60_000);
	const workers: XsWorker[] = [];

	function start(options: XsWorkerOptions = {}): XsWorker {
		const worker = new XsWorker(options);
		workers.push(worker);
		return worker;
	}

	afterEach(async () => {
		await Promise.all(workers.splice(0).map((worker) => worker.close()));
	});

	const rejects = (promise: Promise<unknown>, trouble: XsTrouble, message: RegExp) =>
		assert.rejects(promise, (error: Error & { trouble?: XsTrouble }) => {
			assert.equal(error.trouble, trouble);
			assert.match(error.message, message);
			return true;
		});

	it("carries commands in, questions out and their answers back", async () => {
		const asked: string[] = [];
		const worker = start({
			onMessage: (message) => {
				asked.push(message.toString("latin1"));
				return `${message.length}`;
			},
		});
		await worker.evaluate(xsRealm('(text) => text + "=" + tell("first " + text) + "," + tell("second")'));
		const { bytes } = await worker.command("abc");
		assert.equal(bytes.toString("latin1"), "abc=9,6");
		assert.deepEqual(asked, ["first abc", "second"]);
	});

	it("reports the same byte codes and slots in each run", async () => {
		const meters: number[][] = [];
		for (let run = 0; run < 2; run++) {
			const worker = start();
			await worker.evaluate(
				xsRealm("() => { globalThis.kept = [{ a: 1 }, new Uint8Array(4)]; collect(); return ''; }"),
			);
			const { steps, slots } = await worker.command("");
			meters.push([steps, slots]);
		}
		assert.deepEqual(meters[0], meters[1]);
		assert.ok(meters[0][0] > 10 && meters[0][1] > 100);
	});

	it("goes on after an exception of the script", async () => {
		const worker = start();
		await rejects(worker.evaluate("throw new RangeError('too far')"), "threw", /RangeError: too far/);
		await worker.evaluate("1");
	});

	it("goes on from a snapshot where the machine was", async () => {
		const { mkdtempSync, rmSync } = await import("node:fs");
		const { tmpdir } = await import("node:os");
		const folder = mkdtempSync(`${tmpdir()}/xs-snapshot-`);
		try {
			const worker = start();
			await worker.evaluate(xsRealm("() => String(globalThis.count++)"));
			await worker.evaluate("globalThis.count = 7");
			await worker.snapshot(`${folder}/machine`);
			await worker.command("");
			for (let run = 0; run < 2; run++) {
				const again = start({ snapshot: `${folder}/machine` });
				assert.equal((await again.command("")).bytes.toString("latin1"), "7");
			}
		} finally {
			rmSync(folder, { recursive: true });
		}
	});

	it("names what is missing and how to get it when there is no worker", () => {
		assert.throws(() => start({ path: "/nowhere/xsnap-worker" }), { trouble: "absent", message: /npm rebuild/ });
	});

	it("tells out of memory, stack overflow, a dead process and a hang apart", async () => {
		const twice = "new ArrayBuffer(2000000000)";
		await rejects(start().evaluate(`[${twice}, ${twice}]`), "memory", /out of memory/);
		await rejects(start().evaluate("(function f() { f(); f(); })()"), "memory", /stack overflow/);
		await rejects(start({ path: "/bin/false" }).evaluate("1"), "died", /exit code 1|arguments|pipe/);
		await rejects(start({ hangMs: 500 }).evaluate("for (;;);"), "hung", /0\.5 s/);
	});

	it("answers nothing more once the machine has died", async () => {
		const worker = start({ hangMs: 500 });
		await rejects(worker.evaluate("for (;;);"), "hung", /./);
		await rejects(worker.evaluate("1"), "hung", /./);
	});

	it("leaves nothing of a platform in the realm", async () => {
		const worker = start();
		const names = ["console", "TextDecoder", "setTimeout", "performance", "WeakRef", "issueCommand", "Intl"];
		await worker.evaluate(xsRealm(`() => ${JSON.stringify(names)}.filter((name) => name in globalThis).join()`));
		assert.equal((await worker.command("")).bytes.toString("latin1"), "");
		assert.match(BARE_REALM, /TextDecoder/);
	});
});
