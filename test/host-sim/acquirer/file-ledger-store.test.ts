import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { readStatement } from "../../../host-sim/acquirer/statement";
import { FileLedgerStore } from "../../../host-sim/node/file-ledger-store";
import { TEST_CARDS } from "../../../host-sim/test-cards";
import { CodedError, type ErrorCode } from "../../../src/core/errors";
import { HostUnderTest } from "./host-under-test";

describe("host: ledgers in a directory", () => {
	let root = "";
	let directory = "";

	beforeEach(() => {
		root = fs.mkdtempSync(path.join(os.tmpdir(), "host-ledgers-"));
		directory = path.join(root, "data");
	});

	afterEach(() => fs.rmSync(root, { recursive: true }));

	/** Two sales and a reversal, then the end of the process: nothing is closed in order but the lock. */
	function fill(): void {
		const store = new FileLedgerStore(directory);
		const host = new HostUnderTest({ store });
		host.sale({ stan: 1 });
		host.sale({ stan: 2 });
		host.reversal({ stan: 2 });
		store.close();
	}

	function file(name: string): string {
		return path.join(directory, name);
	}

	function refused(code: ErrorCode, options: { readOnly?: boolean } = {}): void {
		assert.throws(
			() => new FileLedgerStore(directory, options),
			(error) => error instanceof CodedError && error.code === code && !error.message.includes("\n"),
		);
	}

	it("a host opened over them again knows every debit, record and posting", () => {
		fill();
		const store = new FileLedgerStore(directory);
		const host = new HostUnderTest({ store });
		const { totals } = host.acquirer.statement();
		assert.deepEqual([totals.cardNetMinor, totals.merchantNetMinor, totals.reversed], [1234, 1234, 1]);
		assert.equal(host.sale({ stan: 2 }).code, "12");
		assert.equal(host.sale({ stan: 1 }).code, "00");
		assert.equal(host.acquirer.statement().totals.debitedMinor, 2468, "the repeat debited nothing");
		store.close();
	});

	it("a directory of before there were offices and far sides still opens: what has no file has held nothing", () => {
		fill();
		for (const name of ["postings", "batches", "desk", "farSides"]) fs.rmSync(file(`${name}.jsonl`));
		const seen = new FileLedgerStore(directory, { readOnly: true });
		assert.equal(readStatement(seen, TEST_CARDS).totals.cardNetMinor, 1234);
		assert.deepEqual(fs.existsSync(file("farSides.jsonl")), false, "and reading makes none");
		seen.close();
		const store = new FileLedgerStore(directory);
		const host = new HostUnderTest({ store });
		assert.equal(host.ask("topUp", { stan: 9, payee: "13800138000" }).code, "00");
		assert.equal(host.acquirer.statement().totals.farSidesNetMinor, 1234);
		store.close();
		assert.match(fs.readFileSync(file("farSides.jsonl"), "utf8"), /^\{"n":1,.*"kind":"credit".*\}\n$/);
	});

	it("a last line torn anywhere is cut off and reported; the lines before it stand", () => {
		fill();
		const whole = fs.readFileSync(file("issuer.jsonl"));
		const start = whole.lastIndexOf(0x0a, whole.length - 2) + 1;
		for (const keep of [start + 1, start + 9, whole.length - 2, whole.length - 1]) {
			fs.writeFileSync(file("issuer.jsonl"), whole.subarray(0, keep));
			const torn: [string, number][] = [];
			const store = new FileLedgerStore(directory, { onTornLine: (...args) => torn.push(args) });
			assert.deepEqual(torn, [["issuer", keep - start]]);
			assert.equal(store.load("issuer").length, 2);
			store.append("issuer", {
				kind: "tombstone",
				key: { merchantId: "m", terminalId: "t", batch: 9, stan: 9 },
				at: 0,
			});
			assert.equal(store.load("issuer").length, 3, "and the next line is whole");
			store.close();
		}
	});

	it("a tail of zeros, as a file system may leave it, is a torn line", () => {
		fill();
		fs.appendFileSync(file("merchant.jsonl"), Buffer.alloc(100));
		const torn: number[] = [];
		new FileLedgerStore(directory, { onTornLine: (_ledger, byteCount) => torn.push(byteCount) }).close();
		assert.deepEqual(torn, [100]);
	});

	it("a torn line longer than the next one leaves nothing behind it", () => {
		fill();
		fs.appendFileSync(file("merchant.jsonl"), `{"n":4,"crc":"${"x".repeat(1000)}`);
		const store = new FileLedgerStore(directory);
		store.append("merchant", { kind: "short" });
		store.close();
		const torn: number[] = [];
		const again = new FileLedgerStore(directory, { onTornLine: (_ledger, byteCount) => torn.push(byteCount) });
		assert.deepEqual(again.load("merchant").at(-1), { kind: "short" });
		assert.deepEqual(torn, []);
		again.close();
	});

	it("a changed byte, a missing line or a doubled line is damage with its line number, and nothing is touched", () => {
		fill();
		const whole = fs.readFileSync(file("acquirer.jsonl"), "utf8");
		const lines = whole.split("\n");
		for (const bad of [
			whole.replace('"amountMinor":1234', '"amountMinor":1235'),
			[lines[0], ...lines.slice(2)].join("\n"),
			[lines[0], ...lines].join("\n"),
			`\n${whole}`,
			`${whole}{}\n`,
		]) {
			fs.writeFileSync(file("acquirer.jsonl"), bad);
			refused("damaged");
			assert.equal(fs.readFileSync(file("acquirer.jsonl"), "utf8"), bad);
		}
		fs.writeFileSync(file("acquirer.jsonl"), whole);
		new FileLedgerStore(directory).close();
	});

	it("lines that are whole but cannot be a ledger's history are damage, not an assertion", () => {
		fill();
		const store = new FileLedgerStore(directory);
		store.append("issuer", store.load("issuer")[0]); // The first debit a second time.
		assert.throws(
			() => new HostUnderTest({ store }),
			(error) => error instanceof CodedError && error.code === "damaged" && error.message.includes("entry 4"),
		);
		store.close();
	});

	it("a directory of something else is refused and left as it was", () => {
		fs.mkdirSync(directory);
		fs.writeFileSync(file("holiday.txt"), "photos");
		refused("foreign");
		refused("foreign", { readOnly: true });
		assert.deepEqual(fs.readdirSync(directory), ["holiday.txt"]);
	});

	it("a file in its place, a foreign, damaged or newer marker are refused", () => {
		fs.writeFileSync(directory, "");
		refused("missing");
		fs.rmSync(directory);
		fill();
		const marker = file("unsettled-host.json");
		fs.writeFileSync(marker, '{"format":"other","version":1}');
		refused("foreign");
		fs.writeFileSync(marker, '{"format":');
		refused("damaged");
		fs.writeFileSync(marker, '{"format":"unsettled-host-ledgers","version":2}');
		refused("newer");
	});

	it("a directory whose claiming was interrupted is claimed again", () => {
		fs.mkdirSync(directory);
		fs.writeFileSync(file("unsettled-host.json.new"), "{");
		new FileLedgerStore(directory).close();
		fill();
	});

	it("a second writer is refused while the first is there, a reader is not", () => {
		fill();
		const store = new FileLedgerStore(directory);
		refused("state");
		const reader = new FileLedgerStore(directory, { readOnly: true });
		assert.equal(reader.load("issuer").length, 3);
		assert.throws(() => reader.append("issuer", {}), CodedError);
		reader.close();
		store.close();
		new FileLedgerStore(directory).close();
	});

	it("reading only changes nothing: a torn line stays, a directory that is not there is not made", () => {
		refused("missing", { readOnly: true });
		assert.equal(fs.existsSync(directory), false);
		fill();
		fs.appendFileSync(file("issuer.jsonl"), '{"n":4');
		const before = fs.readFileSync(file("issuer.jsonl"), "utf8");
		const torn: string[] = [];
		const reader = new FileLedgerStore(directory, { readOnly: true, onTornLine: (ledger) => torn.push(ledger) });
		assert.equal(reader.load("issuer").length, 3);
		reader.close();
		assert.deepEqual(torn, ["issuer"]);
		assert.equal(fs.readFileSync(file("issuer.jsonl"), "utf8"), before);
	});

	it("after its close it takes and gives nothing", () => {
		const store = new FileLedgerStore(directory);
		store.close();
		store.close();
		assert.throws(() => store.append("issuer", {}), CodedError);
		assert.throws(() => store.load("issuer"), CodedError);
	});
});
