/**
 * Goal: only the holder of a certificate that our CA gave to our host is taken for the host.
 * Method: certificates of the test CA, right ones and each kind of wrong one; every single bit of a right one flipped,
 * every length of it cut. RSA and SHA-256 are Node's.
 */
import assert from "node:assert/strict";
import { constants, createHash, publicDecrypt, X509Certificate } from "node:crypto";
import { HostTrust, type TrustPrimitives } from "../../drivers/tls-link/host-trust";
import { type Issued, type KeyPair, makeKeys, TestCa } from "../../host-sim/node/test-ca";
import { CodedError } from "../../src/core/errors";
import type { Clock } from "../../src/ports";

const PRIMITIVES: TrustPrimitives = {
	sha256: (bytes) => new Uint8Array(createHash("sha256").update(bytes).digest()),
	rsaPublic: (certificate, signature) => {
		const key = new X509Certificate(certificate).publicKey;
		return new Uint8Array(publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature));
	},
};

const NOW = Date.now();
const DAY_MS = 86_400_000;

describe("trust in the host", function () {
	this.timeout(30_000);
	let keys: KeyPair[];
	let ca: TestCa;
	let otherCa: TestCa;
	let host: Issued;
	let terminal: Issued;

	before(async () => {
		keys = await Promise.all([makeKeys(), makeKeys(), makeKeys()]);
		ca = await TestCa.create({ keys: keys[0] });
		otherCa = await TestCa.create({ keys: keys[1] });
		host = await ca.issueHost({ keys: keys[2] });
		terminal = await ca.issueTerminal("12345678", { keys: keys[2] });
	});

	const trust = (atMs = NOW, hostName = "localhost", caDer = ca.der) => {
		const clock = { now: () => atMs } as Clock;
		const { certDer: certificate, keyDer: key } = terminal;
		return new HostTrust({ ca: caDer, certificate, key, hostName, clock, primitives: PRIMITIVES });
	};
	const refuses = (chain: readonly Uint8Array[], message: RegExp, atMs = NOW, name = "localhost") =>
		assert.throws(() => trust(atMs, name).check(chain), { name: "CodedError", message });

	it("takes the host's certificate, alone or followed by the CA's, by its name in any case", () => {
		trust().check([host.certDer]);
		trust().check([host.certDer, ca.der]);
		trust(NOW, "LocalHost").check([host.certDer]);
		assert.deepEqual([trust().certificate, trust().key], [terminal.certDer, terminal.keyDer]);
	});

	it("is not taken in by a foreign leaf that our CA's own certificate follows", async () => {
		// The SDK's check takes this for good: the CA's certificate is public, so anybody could be the host.
		const impostor = await otherCa.issueHost({ keys: keys[1] });
		refuses([impostor.certDer, ca.der], /signature/); // Same name of the CA: only the signature tells.
		const named = await TestCa.create({ keys: keys[1], name: "another" });
		refuses([(await named.issueHost({ keys: keys[1] })).certDer, ca.der], /issued by another CA/);
		refuses([impostor.certDer, otherCa.der], /another CA/);
		refuses([impostor.certDer], /signature/);
	});

	it("takes no chain that is empty, longer, the wrong way round or the CA itself", () => {
		refuses([], /missing/);
		refuses([host.certDer, ca.der, ca.der], /another CA/);
		refuses([host.certDer, host.certDer], /another CA/);
		refuses([ca.der, host.certDer], /another CA/);
		refuses([ca.der], /not for a server/);
	});

	it("takes no certificate of a terminal, and none for another name or for an address", async () => {
		refuses([terminal.certDer], /not for a server/);
		const misused = await ca.issueHost({ keys: keys[2], purpose: "terminal" });
		refuses([misused.certDer], /not for a server/);
		refuses([host.certDer], /another name/, NOW, "localhost.test");
		refuses([host.certDer], /another name/, NOW, "127.0.0.1");
		const wild = await ca.issueHost({ keys: keys[2], names: ["*.test", "b.a.test"] });
		refuses([wild.certDer], /another name/, NOW, "a.test");
		trust(NOW, "b.a.test").check([wild.certDer]);
	});

	it("takes no certificate before its time or after it, the CA's included", async () => {
		const [fromMs, untilMs] = [NOW - 2 * DAY_MS, NOW - DAY_MS];
		refuses([(await ca.issueHost({ keys: keys[2], fromMs, untilMs })).certDer], /host certificate: auth, expired/);
		const later = await ca.issueHost({ keys: keys[2], fromMs: NOW + DAY_MS, untilMs: NOW + 2 * DAY_MS });
		refuses([later.certDer], /not valid yet/);
		refuses([host.certDer], /CA: auth, not valid yet/, 0); // A board whose clock was never set.
		refuses([host.certDer], /CA: auth, expired/, NOW + 40 * DAY_MS);
		const notAfter = Date.parse(new X509Certificate(host.certDer).validTo);
		trust(notAfter).check([host.certDer]);
		refuses([host.certDer], /expired/, notAfter + 1);
	});

	it("takes nothing for a CA that is none, and no host without a name", () => {
		assert.throws(() => trust(NOW, "localhost", host.certDer), /no CA/);
		assert.throws(() => trust(NOW, "localhost", new Uint8Array(0)), { name: "CodedError" });
		assert.throws(() => trust(NOW, ""), { code: "missing" });
	});

	it("takes no certificate with a single bit flipped", () => {
		const judge = trust();
		const bytes = host.certDer.slice();
		for (let bit = 0; bit < 8 * bytes.length; bit++) {
			bytes[bit >> 3] ^= 1 << (bit & 7);
			assert.throws(
				() => judge.check([bytes]),
				(error) => error instanceof CodedError,
				`bit ${bit}`,
			);
			bytes[bit >> 3] ^= 1 << (bit & 7);
		}
		judge.check([bytes]);
	});

	it("takes no certificate cut short or with something behind it", () => {
		for (let length = 0; length < host.certDer.length; length++) {
			assert.throws(() => trust().check([host.certDer.subarray(0, length)]), { name: "CodedError" });
		}
		refuses([Uint8Array.of(...host.certDer, 0)], /length/);
	});

	it("compares a signature with the one right encoding, byte for byte", () => {
		const opened = (change: (bytes: Uint8Array) => Uint8Array): HostTrust => {
			const rsaPublic = (certificate: Uint8Array, signature: Uint8Array) =>
				change(PRIMITIVES.rsaPublic(certificate, signature));
			const { certDer: certificate, keyDer: key } = terminal;
			const clock = { now: () => NOW } as Clock;
			return new HostTrust({
				...{ ca: ca.der, certificate, key, hostName: "localhost", clock },
				primitives: { ...PRIMITIVES, rsaPublic },
			});
		};
		opened((bytes) => bytes).check([host.certDer]);
		for (let at = 0; at < 256; at++) {
			const judge = opened((bytes) => {
				bytes[at] ^= 1;
				return bytes;
			});
			assert.throws(() => judge.check([host.certDer]), /signature/, `byte ${at}`);
		}
		assert.throws(() => opened((bytes) => bytes.subarray(1)).check([host.certDer]), /signature/);
	});
});
