/** Goal: certificates are written whole or not at all, and what is read fits together, or one line says what does not. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type KeyPair, makeKeys, TestCa } from "../../../host-sim/node/test-ca";
import { readTlsFiles, writeTlsFiles } from "../../../host-sim/node/tls-files";
import { CodedError, type ErrorCode } from "../../../src/core/errors";

const DAY_MS = 86_400_000;

type Set = Parameters<typeof writeTlsFiles>[1];

const SECRETS = ["host.key", "terminal.key", "terminal.pk8"];
const FILES = ["ca.der", "ca.pem", "host.der", "host.pem", "terminal.der", "terminal.pem", ...SECRETS];

describe("certificates in files", () => {
	let keys: KeyPair;
	let otherKeys: KeyPair;
	let set: Set;
	let other: Set;
	let directory: string;

	async function makeSet(caKeys: KeyPair): Promise<Set> {
		const ca = await TestCa.create({ keys: caKeys });
		return {
			ca,
			host: await ca.issueHost({ keys: caKeys }),
			terminal: await ca.issueTerminal("12345678", { keys: caKeys }),
		};
	}

	before(async function () {
		this.timeout(30_000); // Keys take their time.
		[keys, otherKeys] = await Promise.all([makeKeys(), makeKeys()]);
		set = await makeSet(keys);
		other = await makeSet(otherKeys);
	});

	beforeEach(() => {
		directory = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "tls-files-")), "deep", "certs");
	});

	afterEach(() => {
		fs.rmSync(path.dirname(path.dirname(directory)), { recursive: true });
	});

	const listed = () => fs.readdirSync(directory).sort();
	const at = (name: string) => path.join(directory, name);

	function refuses(action: () => unknown, code: ErrorCode, words: RegExp): void {
		assert.throws(action, (error) => {
			assert.ok(error instanceof CodedError, String(error));
			assert.equal(error.code, code);
			assert.match(error.message, words);
			assert.doesNotMatch(error.message, /\n|BEGIN/);
			return true;
		});
	}

	it("writes what both ends and a board need, keys for their owner only, and reads it back", () => {
		assert.deepEqual(writeTlsFiles(directory, set, false).sort(), [...FILES].sort());
		assert.deepEqual(listed(), [...FILES].sort());
		for (const name of SECRETS) assert.equal(fs.statSync(at(name)).mode & 0o777, 0o600, name);
		for (const role of ["host", "terminal"] as const) {
			const { identity, name, untilMs } = readTlsFiles(directory, role, Date.now());
			assert.deepEqual(identity, { key: set[role].key, cert: set[role].cert, ca: set.ca.pem });
			assert.equal(name, role === "host" ? "unsettled test host" : "12345678");
			assert.ok(untilMs > Date.now());
		}
		assert.ok(fs.readFileSync(at("terminal.pk8")).equals(set.terminal.keyDer));
		assert.ok(fs.readFileSync(at("ca.der")).equals(set.ca.der));
	});

	it("keeps what is there unless forced, and then replaces all of it, modes too", () => {
		fs.mkdirSync(directory, { recursive: true });
		fs.writeFileSync(at("terminal.key"), "precious", { mode: 0o644 });
		fs.writeFileSync(at("host.pem.new"), "left by a run that was cut short");
		refuses(() => writeTlsFiles(directory, set, false), "state", /terminal\.key: state, is there already$/);
		assert.deepEqual(listed(), ["host.pem.new", "terminal.key"]);
		writeTlsFiles(directory, set, true);
		assert.deepEqual(listed(), [...FILES].sort());
		assert.equal(fs.statSync(at("terminal.key")).mode & 0o777, 0o600);
		assert.equal(readTlsFiles(directory, "terminal", Date.now()).identity.key, set.terminal.key);
	});

	it("says why a directory cannot be written", () => {
		fs.mkdirSync(path.dirname(directory), { recursive: true });
		fs.writeFileSync(directory, "a file");
		refuses(() => writeTlsFiles(directory, set, false), "state", /cannot be written \(EEXIST\)$/);
	});

	it("says which file is missing and how it is made", () => {
		refuses(
			() => readTlsFiles(directory, "host", Date.now()),
			"missing",
			/host\.key: missing, .* npm run certs -- --out/,
		);
		writeTlsFiles(directory, set, false);
		fs.rmSync(at("ca.pem"));
		refuses(() => readTlsFiles(directory, "terminal", Date.now()), "missing", /ca\.pem: missing, does not exist/);
	});

	it("refuses what is no certificate and what is no key, without showing any of it", () => {
		for (const [name, words] of [
			["terminal.key", /terminal\.key: format, is no private key/],
			["terminal.pem", /terminal\.pem: format, is no certificate/],
			["ca.pem", /ca\.pem: format, is no certificate/],
		] as const) {
			for (const content of [
				"",
				"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
				"x".repeat(70_000),
			]) {
				writeTlsFiles(directory, set, true);
				fs.writeFileSync(at(name), content);
				const expected = content.length > 60_000 ? /format, is too large/ : words;
				refuses(() => readTlsFiles(directory, "terminal", Date.now()), "format", expected);
			}
		}
	});

	it("refuses a mixture of two sets", () => {
		for (const [name, content, words] of [
			["host.key", other.host.key, /host\.key: mismatch, is the key of another certificate/],
			["ca.pem", other.ca.pem, /host\.pem: mismatch, is not of .*ca\.pem/],
		] as const) {
			writeTlsFiles(directory, set, true);
			fs.writeFileSync(at(name), content);
			refuses(() => readTlsFiles(directory, "host", Date.now()), "mismatch", words);
		}
	});

	it("refuses a certificate for the other end, and a leaf in the CA's place", () => {
		writeTlsFiles(directory, set, false);
		fs.writeFileSync(at("host.pem"), set.terminal.cert);
		refuses(() => readTlsFiles(directory, "host", Date.now()), "mismatch", /is not for a host/);
		fs.writeFileSync(at("ca.pem"), set.host.cert);
		refuses(() => readTlsFiles(directory, "terminal", Date.now()), "mismatch", /is not of/);
	});

	it("refuses one that has expired or is not valid yet, and the day is in the message", () => {
		writeTlsFiles(directory, set, false);
		for (const role of ["host", "terminal"] as const) {
			const late = Date.now() + 40 * DAY_MS;
			refuses(() => readTlsFiles(directory, role, late), "state", /has expired on \d{4}-\d\d-\d\dT/);
			refuses(() => readTlsFiles(directory, role, Date.now() - 2 * DAY_MS), "state", /is not valid before \d{4}-/);
		}
	});
});
