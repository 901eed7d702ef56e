/**
 * `npm run certs`: a test CA, and certificates of it for the host and one terminal, as files.
 * @module
 */
import { CodedError } from "../../src/core/errors";
import { TEST_TERMINAL } from "../acquirer/test-keys";
import { refuseOldFiles, writeTlsFiles } from "../node/tls-files";
import { VALID_DAYS } from "../node/tls-identity";
import { endOnClosedOutput, failCli, parseCli, UsageError } from "./args";

const USAGE = `npm run certs -- --out DIR [options]

A test CA, and certificates for the host and one terminal, for npm run host -- --tls DIR and
npm run terminal -- --tls DIR. For tests: the CA's own key is thrown away, so each run makes a CA that the
certificates of earlier runs are not of.

  --out DIR        where to; made if there is none
  --terminal ID    terminal that the certificate speaks for, 8 characters (${TEST_TERMINAL.terminalId})
  --days N         valid from yesterday until N days from now (${VALID_DAYS})
  --force          replace what is there
  --json           one JSON object
  --help           this text

  ca.pem   host.pem host.key   terminal.pem terminal.key     for programs; keys can be read by their owner only
  ca.der   host.der            terminal.der terminal.pk8     the same for boards: DER, the key as PKCS #8

Exit codes: 0 written, 2 bad option, or DIR cannot be written.`;

const DAY_MS = 86_400_000;

const options = parseCli({
	usage: USAGE,
	options: {
		out: { type: "text" },
		terminal: { type: "text", default: TEST_TERMINAL.terminalId },
		days: { type: "number", min: 1, max: 397, default: VALID_DAYS },
		force: { type: "flag" },
		json: { type: "flag" },
	},
});

endOnClosedOutput();

async function main(): Promise<void> {
	const { out, terminal, days, force, json } = options;
	if (out === undefined) throw new UsageError("--out DIR is needed");
	if (!/^[0-9A-Za-z]{8}$/.test(terminal)) throw new UsageError("--terminal is 8 letters or digits");
	if (!force) refuseOldFiles(out); // Before the keys are made, which takes a second.
	const untilMs = Date.now() + days * DAY_MS;
	const { TestCa } = await import("../node/test-ca"); // Only now: it brings a library of its own.
	const ca = await TestCa.create({ untilMs });
	const [hostIssued, terminalIssued] = await Promise.all([ca.issueHost(), ca.issueTerminal(terminal)]);
	const files = writeTlsFiles(out, { ca, host: hostIssued, terminal: terminalIssued }, force);
	const until = new Date(ca.untilMs).toISOString();
	if (json) console.log(JSON.stringify({ directory: out, terminal, until, files }));
	else console.log(`${files.length} files in ${out}, terminal ${terminal}, valid until ${until}: ${files.join(" ")}`);
}

main().catch((error: unknown) => {
	if (error instanceof CodedError && error.code === "state" && error.message.endsWith("is there already")) {
		failCli(new UsageError(`${error.place} is there already; --force replaces it`));
	}
	failCli(error);
});
