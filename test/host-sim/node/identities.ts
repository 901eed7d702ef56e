/**
 * Certificates for tests, good ones and bad ones, made once in a test run: three pairs of keys serve for all, as
 * making keys is what takes the time.
 */
import { type Issued, makeKeys, TestCa } from "../../../host-sim/node/test-ca";
import type { TlsIdentity } from "../../../host-sim/node/tls-identity";

const DAY_MS = 86_400_000;

/** What is wrong with a certificate. "foreign": of a CA of the same name with another key. */
export const FLAWS = ["expired", "early", "foreign", "purpose"] as const;
export type Flaw = (typeof FLAWS)[number];

export interface Identities {
	readonly host: TlsIdentity;
	readonly terminal: TlsIdentity;
	/** A good certificate of another terminal. */
	readonly other: TlsIdentity;
	readonly badHost: Readonly<Record<Flaw | "name", TlsIdentity>>;
	readonly badTerminal: Readonly<Record<Flaw | "name", TlsIdentity>>;
}

export const TERMINAL_ID = "12345678";

let made: Promise<Identities> | undefined;

export function identities(): Promise<Identities> {
	made ??= make();
	return made;
}

async function make(): Promise<Identities> {
	const [caKeys, foreignKeys, keys] = await Promise.all([makeKeys(), makeKeys(), makeKeys()]);
	const nowMs = Date.now();
	const long = { fromMs: nowMs - 9 * DAY_MS, untilMs: nowMs + 9 * DAY_MS };
	const ca = await TestCa.create({ ...long, keys: caKeys });
	const foreign = await TestCa.create({ ...long, keys: foreignKeys });
	const expired = { keys, fromMs: nowMs - 2 * DAY_MS, untilMs: nowMs - 60_000 };
	const early = { keys, fromMs: nowMs + 60_000 };
	const identity = async (issued: Promise<Issued>): Promise<TlsIdentity> => {
		const { key, cert } = await issued;
		return { key, cert, ca: ca.pem };
	};
	return {
		host: await identity(ca.issueHost({ keys })),
		terminal: await identity(ca.issueTerminal(TERMINAL_ID, { keys })),
		other: await identity(ca.issueTerminal("87654321", { keys })),
		badHost: {
			expired: await identity(ca.issueHost(expired)),
			early: await identity(ca.issueHost(early)),
			foreign: await identity(foreign.issueHost({ keys })),
			purpose: await identity(ca.issueHost({ keys, purpose: "terminal" })),
			name: await identity(ca.issueHost({ keys, names: ["elsewhere.example", "127.0.0.9"] })),
		},
		badTerminal: {
			expired: await identity(ca.issueTerminal(TERMINAL_ID, expired)),
			early: await identity(ca.issueTerminal(TERMINAL_ID, early)),
			foreign: await identity(foreign.issueTerminal(TERMINAL_ID, { keys })),
			purpose: await identity(ca.issueTerminal(TERMINAL_ID, { keys, purpose: "host" })),
			name: await identity(ca.issueTerminal("no terminal", { keys })),
		},
	};
}
