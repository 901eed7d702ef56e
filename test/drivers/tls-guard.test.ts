/**
 * Goal: a handshake in which anything is missing, added, reordered or weaker than it must be does not come to its end,
 * and not a byte of data passes before.
 * Method: a real handshake of `node:tls`, recorded, then told to the guard as it was and with one thing changed. The
 * attacks are those that the SDK's TLS falls for (see the guard's header).
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { FRAGMENT_BYTES_MAX, HandshakeGuard } from "../../drivers/tls-link/handshake-guard";
import { CodedError } from "../../src/core/errors";
import { recordHandshake, type Spoken } from "./tls-transcript";

const [CHANGE, ALERT, HANDSHAKE, DATA] = [20, 21, 22, 23];

interface Message {
	type: number;
	body: Uint8Array;
}

function record(type: number, ...parts: ArrayLike<number>[]): Uint8Array {
	const bytes = parts.flatMap((part) => Array.from(part));
	return Uint8Array.of(type, 3, 3, bytes.length >> 8, bytes.length & 255, ...bytes);
}

function messageBytes({ type, body }: Message): Uint8Array {
	return Uint8Array.of(type, body.length >> 16, (body.length >> 8) & 255, body.length & 255, ...body);
}

/** The host's messages in the clear, one by one however they were packed. */
function messagesOf(spoken: readonly Spoken[]): Message[] {
	const found: Message[] = [];
	for (const { from, record: bytes } of spoken) {
		if (from !== "host") continue;
		if (bytes[0] !== HANDSHAKE) break;
		for (let at = 5; at < bytes.length; ) {
			const end = at + 4 + ((bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]);
			found.push({ type: bytes[at], body: bytes.slice(at + 4, end) });
			at = end;
		}
	}
	return found;
}

/** Tells the guard everything; bytes of the host in pieces of at most `piece`. */
function tell(
	spoken: readonly Spoken[],
	piece = Number.POSITIVE_INFINITY,
	guard = new HandshakeGuard(),
): HandshakeGuard {
	for (const { from, record: bytes } of spoken) {
		if (from === "terminal") guard.toHost(bytes);
		else for (let at = 0; at < bytes.length; at += piece) guard.fromHost(bytes.subarray(at, at + piece));
	}
	return guard;
}

describe("guard of the TLS handshake", function () {
	this.timeout(20_000);
	let spoken: Spoken[];
	let messages: Message[];
	/** From the terminal's key exchange on. */
	let tail: Spoken[];

	before(async () => {
		spoken = await recordHandshake();
		messages = messagesOf(spoken);
		const second = spoken.findIndex(({ from }, i) => from === "terminal" && i > 0);
		tail = spoken.slice(second);
	});

	/** The handshake with these messages of the host, each in a record of its own. */
	const withMessages = (list: readonly Message[]): Spoken[] => [
		spoken[0],
		...list.map((message) => ({ from: "host" as const, record: record(HANDSHAKE, messageBytes(message)) })),
		...tail,
	];
	const changed = (type: number, change: (body: Uint8Array) => void): Spoken[] =>
		withMessages(
			messages.map((message) => {
				if (message.type !== type) return message;
				const body = message.body.slice();
				change(body);
				return { type, body };
			}),
		);
	const refuses = (what: readonly Spoken[], code: string | RegExp) =>
		assert.throws(() => tell(what), typeof code === "string" ? { name: "CodedError", code } : code);

	it("lets a true handshake pass in pieces of any size, and is open from the host's Finished on", () => {
		assert.deepEqual(
			messages.map(({ type }) => type),
			[2, 11, 12, 13, 14],
		);
		for (const piece of [1, 2, 3, 7, 64, Number.POSITIVE_INFINITY]) {
			assert.equal(tell(spoken.slice(0, -3), piece).open, false);
			assert.equal(tell(spoken.slice(0, -2), piece).open, true);
			assert.equal(tell(spoken, piece).open, true);
		}
		assert.equal(tell(withMessages(messages)).open, true);
		const packed = record(HANDSHAKE, ...messages.map(messageBytes));
		assert.equal(tell([spoken[0], { from: "host", record: packed }, ...tail], 5).open, true);
	});

	it("says how much may pass so that one record at a time is under way", () => {
		const guard = new HandshakeGuard();
		assert.equal(guard.wanted, 5);
		guard.fromHost(Uint8Array.of(HANDSHAKE, 3));
		assert.equal(guard.wanted, 3);
		guard.fromHost(Uint8Array.of(3, 0, 100));
		assert.equal(guard.wanted, 100);
	});

	it("misses no message of the host, and takes none twice or in another order", () => {
		for (let i = 0; i < messages.length; i++) {
			refuses(withMessages(messages.filter((_, k) => k !== i)), "order");
			refuses(withMessages([...messages.slice(0, i), messages[i], ...messages.slice(i)]), "order");
			if (i > 0) {
				const swapped = [...messages];
				[swapped[i - 1], swapped[i]] = [swapped[i], swapped[i - 1]];
				refuses(withMessages(swapped), "order");
			}
		}
	});

	it("wants the key exchange signed by RSA with SHA-256, over a point of P-256", () => {
		for (const [hash, signature] of [
			[0, 0],
			[4, 0],
			[0, 1],
			[2, 1],
			[4, 3],
			[5, 1],
		]) {
			refuses(
				changed(12, (body) => body.set([hash, signature], 69)),
				"auth",
			);
		}
		for (const at of [0, 1, 2, 3, 4])
			refuses(
				changed(12, (body) => body[at]++),
				"format",
			);
	});

	it("wants TLS 1.2 with the one suite that was offered", () => {
		const suiteAt = 35 + messages[0].body[34];
		for (const at of [0, 1, suiteAt, suiteAt + 1, suiteAt + 2])
			refuses(
				changed(2, (body) => body[at]++),
				"format",
			);
		refuses(
			changed(2, (body) => body.fill(33, 34, 35)),
			"length",
		);
		refuses([spoken[0], { from: "host", record: Uint8Array.of(HANDSHAKE, 3, 1, 0, 4, 2, 0, 0, 0) }], "format");
	});

	it("wants a message whole in one record, and nothing behind the last", () => {
		const bytes = messageBytes(messages[0]);
		for (const cut of [1, 4, 20, bytes.length - 1]) {
			const halves = [bytes.slice(0, cut), bytes.slice(cut)].map((part) => ({
				from: "host" as const,
				record: record(HANDSHAKE, part),
			}));
			refuses([spoken[0], ...halves], "length");
		}
		const packed = record(HANDSHAKE, ...messages.map(messageBytes), messageBytes(messages[2]));
		for (const piece of [1, 50, packed.length - 80, Number.POSITIVE_INFINITY]) {
			assert.throws(() => tell([spoken[0], { from: "host", record: packed }], piece), { code: "order" });
		}
	});

	it("takes no change of cipher before the terminal's own, and none out of its place", () => {
		const change = { from: "host" as const, record: record(CHANGE, [1]) };
		const clear = withMessages(messages).slice(0, 1 + messages.length);
		for (let i = 1; i <= clear.length; i++) refuses([...clear.slice(0, i), change], "order");
		const changedAt = spoken.findIndex(({ from, record: bytes }) => from === "host" && bytes[0] === CHANGE);
		refuses([...spoken.slice(0, changedAt + 1), change], "order");
		refuses([...spoken.slice(0, changedAt), { from: "host", record: record(CHANGE, [1, 1]) }], "length");
	});

	it("believes no alert before the end, close notify least of all", () => {
		for (let i = 1; i < spoken.length - 2; i++) {
			refuses([...spoken.slice(0, i), { from: "host", record: record(ALERT, [1, 0]) }], /alert 0|length|ends/);
		}
		refuses([spoken[0], { from: "host", record: record(ALERT, [2, 48]) }], /alert 48/);
		refuses([spoken[0], { from: "host", record: record(ALERT, [1]) }], "length");
	});

	it("passes no data before the end, either way", () => {
		const data = record(DATA, new Uint8Array(40));
		for (let i = 0; i < spoken.length - 2; i++) {
			refuses([...spoken.slice(0, i), { from: "host", record: data }], "order");
			refuses([...spoken.slice(0, i), { from: "terminal", record: data }], "order");
		}
	});

	it("takes no second handshake, and no Finished that holds more", () => {
		refuses([...spoken, { from: "host", record: record(HANDSHAKE, new Uint8Array(40)) }], "order");
		const finishedAt = spoken.length - 3;
		assert.equal(spoken[finishedAt].record[0], HANDSHAKE);
		refuses(
			[...spoken.slice(0, finishedAt), { from: "host", record: record(HANDSHAKE, new Uint8Array(44)) }],
			"length",
		);
	});

	it("takes no record longer than it asked for, and says so before it comes", () => {
		const long = (type: number, length: number) => Uint8Array.of(type, 3, 3, length >> 8, length & 255);
		refuses([spoken[0], { from: "host", record: long(HANDSHAKE, FRAGMENT_BYTES_MAX + 1) }], "length");
		refuses([...spoken, { from: "host", record: long(DATA, FRAGMENT_BYTES_MAX + 25) }], "length");
		tell([...spoken, { from: "host", record: long(DATA, FRAGMENT_BYTES_MAX + 24) }]);
		refuses([...spoken, { from: "host", record: long(DATA, 23) }], "length");
	});

	it("is never open when the host's Finished is cut short, and throws nothing but coded errors", () => {
		const hostBytes = spoken.filter(({ from }) => from === "host").flatMap(({ record: bytes }) => [...bytes]);
		const random = fc.uint8Array({ maxLength: 200 });
		fc.assert(
			fc.property(fc.nat(hostBytes.length - 1), random, (cut, noise) => {
				const guard = new HandshakeGuard();
				guard.toHost(record(CHANGE, [1]));
				try {
					guard.fromHost(Uint8Array.from([...hostBytes.slice(0, cut), ...noise]));
				} catch (error) {
					assert.ok(error instanceof CodedError, String(error));
				}
			}),
			{ numRuns: 2_000, seed: 4 },
		);
		const { record: finished } = spoken[spoken.length - 3];
		for (let cut = 0; cut < finished.length; cut++) {
			const guard = tell(spoken.slice(0, -3));
			guard.fromHost(finished.subarray(0, cut));
			assert.equal(guard.open, false);
		}
	});
});
