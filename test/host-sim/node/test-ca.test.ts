/** Goal: the test CA's certificates are what both ends and the board's own check of a chain ask for. */
import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { type Issued, TestCa } from "../../../host-sim/node/test-ca";

const DAY_MS = 86_400_000;

const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
/** Object identifiers in DER, RFC 5280 §4.2.1.1 and §4.2.1.2. */
const AUTHORITY_KEY_ID = Buffer.from("0603551d23", "hex");
const SUBJECT_KEY_ID = Buffer.from("0603551d0e", "hex");

describe("the test CA", () => {
	let ca: TestCa;
	let host: Issued;
	let terminal: Issued;

	before(async function () {
		this.timeout(30_000); // Keys take their time.
		ca = await TestCa.create({ untilMs: Date.now() + 5 * DAY_MS });
		[host, terminal] = await Promise.all([ca.issueHost(), ca.issueTerminal("12345678")]);
	});

	it("signs itself, a host for its names, and a terminal by its id, each for one purpose", () => {
		const root = new X509Certificate(ca.pem);
		assert.deepEqual([root.ca, root.verify(root.publicKey)], [true, true]);
		const server = new X509Certificate(host.cert);
		const client = new X509Certificate(terminal.cert);
		for (const leaf of [server, client]) {
			assert.deepEqual([leaf.ca, leaf.verify(root.publicKey), leaf.checkIssued(root)], [false, true, true]);
		}
		assert.deepEqual([server.keyUsage, client.keyUsage], [[SERVER_AUTH], [CLIENT_AUTH]]);
		assert.equal(server.subjectAltName, "DNS:localhost, IP Address:127.0.0.1");
		assert.equal(client.subjectAltName, undefined);
		assert.match(client.subject, /^CN=12345678$/m);
	});

	it("uses RSA-2048 with e = 65537 and SHA-256, and key identifiers in each certificate, as the board's TLS needs", () => {
		for (const der of [ca.der, host.certDer, terminal.certDer]) {
			const { publicKey } = new X509Certificate(der);
			assert.deepEqual(
				[publicKey.asymmetricKeyType, publicKey.asymmetricKeyDetails],
				["rsa", { modulusLength: 2048, publicExponent: 65537n }],
			);
			// sha256WithRSAEncryption, RFC 4055 §5.
			assert.ok(Buffer.from(der).includes(Buffer.from("06092a864886f70d01010b", "hex")));
			for (const identifier of [AUTHORITY_KEY_ID, SUBJECT_KEY_ID]) assert.ok(Buffer.from(der).includes(identifier));
		}
	});

	it("gives certificate and CA in one PEM, the same certificate in DER, and its key as PEM and PKCS #8", () => {
		for (const issued of [host, terminal]) {
			const parts = issued.cert.split(/(?<=-----END CERTIFICATE-----\n)/);
			assert.equal(parts.length, 2);
			assert.equal(parts[1], ca.pem);
			const leaf = new X509Certificate(parts[0]);
			assert.ok(leaf.raw.equals(issued.certDer));
			assert.ok(leaf.checkPrivateKey(createPrivateKey(issued.key)));
			const key = createPrivateKey({ key: Buffer.from(issued.keyDer), format: "der", type: "pkcs8" });
			assert.ok(leaf.checkPrivateKey(key));
		}
		assert.ok(new X509Certificate(ca.pem).raw.equals(ca.der));
	});

	it("is valid from yesterday, as clocks differ, and no certificate outlives its CA", () => {
		for (const der of [ca.der, host.certDer, terminal.certDer]) {
			const { validFrom, validTo } = new X509Certificate(der);
			const [fromMs, untilMs] = [Date.parse(validFrom), Date.parse(validTo)];
			assert.ok(Math.abs(Date.now() - DAY_MS - fromMs) < 60_000, validFrom);
			assert.ok(Math.abs(ca.untilMs - untilMs) < 1_000, validTo);
		}
	});
});
