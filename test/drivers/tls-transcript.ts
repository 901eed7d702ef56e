/**
 * What two ends say in a handshake of the kind the board makes, recorded from `node:tls`: TLS 1.2, both certificates,
 * ECDHE-RSA-AES128-GCM-SHA256. For tests of what listens in.
 */
import { constants } from "node:crypto";
import { Duplex } from "node:stream";
import * as tls from "node:tls";
import { TestCa } from "../../host-sim/node/test-ca";

export interface Spoken {
	from: "host" | "terminal";
	/** A record, whole. */
	record: Uint8Array;
}

/** One end of a wire in memory; what is written comes out at the other. */
class WireEnd extends Duplex {
	other: WireEnd | undefined;
	onBytes: (bytes: Buffer) => void = () => {};

	override _read(): void {}

	override _write(bytes: Buffer, _encoding: string, done: () => void): void {
		this.onBytes(bytes);
		this.other?.push(bytes);
		done();
	}
}

/** Takes whole records out of what has come so far. */
function takeRecords(bytes: Buffer): [records: Uint8Array[], rest: Buffer] {
	const records: Uint8Array[] = [];
	let at = 0;
	while (bytes.length - at >= 5 && bytes.length - at >= 5 + bytes.readUInt16BE(at + 3)) {
		const end = at + 5 + bytes.readUInt16BE(at + 3);
		records.push(new Uint8Array(bytes.subarray(at, end)));
		at = end;
	}
	return [records, bytes.subarray(at)];
}

/** The handshake, record by record in the order spoken, and one record of data from each end after it. */
export async function recordHandshake(): Promise<Spoken[]> {
	const ca = await TestCa.create();
	const [host, terminal] = await Promise.all([ca.issueHost(), ca.issueTerminal("12345678")]);
	const [hostEnd, terminalEnd] = [new WireEnd(), new WireEnd()];
	[hostEnd.other, terminalEnd.other] = [terminalEnd, hostEnd];
	const spoken: Spoken[] = [];
	const listen = (end: WireEnd, from: Spoken["from"]) => {
		let rest: Buffer = Buffer.alloc(0);
		end.onBytes = (bytes) => {
			const [records, left] = takeRecords(Buffer.concat([rest, bytes]));
			rest = left;
			for (const record of records) spoken.push({ from, record });
		};
	};
	listen(hostEnd, "host");
	listen(terminalEnd, "terminal");
	const rules: tls.SecureContextOptions = {
		...{ minVersion: "TLSv1.2", maxVersion: "TLSv1.2", ciphers: "ECDHE-RSA-AES128-GCM-SHA256" },
		...{ ecdhCurve: "P-256", secureOptions: constants.SSL_OP_NO_TICKET, sigalgs: "RSA+SHA256" },
	};
	const server = new tls.TLSSocket(hostEnd, {
		...{ isServer: true, requestCert: true, rejectUnauthorized: true },
		secureContext: tls.createSecureContext({ ...rules, cert: host.cert, key: host.key, ca: ca.pem }),
	});
	const client = tls.connect({
		...{ ...rules, socket: terminalEnd, servername: "localhost" },
		...{ cert: terminal.cert, key: terminal.key, ca: ca.pem },
	});
	await new Promise<void>((resolve, reject) => {
		for (const end of [server, client]) end.on("error", reject);
		server.on("data", () => server.write("answer"));
		client.on("data", () => resolve());
		client.on("secureConnect", () => client.write("request"));
	});
	client.destroy();
	server.destroy();
	return spoken;
}
