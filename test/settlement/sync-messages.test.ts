/**
 * Goal: what the terminal asks in a sync message is what the host reads, what the host answers is what the terminal reads,
 * and an answer that is not whole, not about what was asked, or not to this request is refused with its place.
 * Method: the golden vectors byte for byte; the acquirer's own reader and writer as the other side; each bit of each answer
 * flipped, each answer cut at every length. The MAC is the line's business and left out where answers are bent.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { HostEntry } from "../../host-sim/acquirer/batch-view";
import {
	readSync,
	writeDigest,
	writePage,
	writeRequest,
	writeTransaction,
} from "../../host-sim/acquirer/sync-messages";
import { makeConfig } from "../../src/config";
import { fromHex, toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import type { RandomSource } from "../../src/ports";
import { SyncMac } from "../../src/security/sync-mac";
import { DigestAnswer, Entry, EntryPage, RequestAnswer } from "../../src/settlement/sync-answers";
import { EntryFlag, EntryKind, SyncCode, SyncMessages } from "../../src/settlement/sync-messages";
import { coded, type Vector } from "../iso8583/vector-helpers";
import file from "../vectors/unionpay.json";

const VECTORS = file.vectors as unknown as Vector[];
const HAK = fromHex("2B7E151628AED2A6ABF7158809CF4F3C");
const NONCE = fromHex("0102030405060708");
const PLACE = "sync DE 62";
const KEYS = {
	read: (_name: string, out: Uint8Array): number => {
		out.set(HAK);
		return HAK.length;
	},
	write: () => assert.fail("nobody writes keys here"),
};
const AT = Date.UTC(2026, 10, 22, 14, 5, 32);

function vectorOf(name: string): Vector {
	const vector = VECTORS.find((candidate) => candidate.name === name);
	assert(vector !== undefined);
	return vector;
}

const fixedNonce: RandomSource = { fill: (bytes) => bytes.set(NONCE) };

/** Each nonce another. */
function countingNonce(): RandomSource {
	let count = 0;
	return { fill: (bytes) => bytes.fill(++count) };
}

const makeMessages = (random = fixedNonce) => new SyncMessages(UNIONPAY, makeConfig(), new SyncMac(KEYS), random);

function decoded(frame: Uint8Array, byteLength = frame.length): MessageDecoder {
	const message = new MessageDecoder(UNIONPAY);
	message.decode(frame, byteLength);
	return message;
}

const decodedVector = (name: string) => decoded(fromHex(vectorOf(name).frame));

/** An answer with this DE 39 and 62; undefined: none. */
function answerOf(data: Uint8Array | undefined, code = "00"): MessageDecoder {
	const out = new Uint8Array(1462);
	const encoder = new MessageEncoder(UNIONPAY, out);
	encoder.begin("0310");
	encoder.digits(11, "000011");
	encoder.ascii(39, code);
	encoder.ascii(41, "12345678");
	encoder.ascii(42, "123456789012345");
	encoder.digits(60, "00000001401");
	if (data !== undefined) encoder.bytes(62, data);
	return decoded(out, encoder.finishWithMac(new SyncMac(KEYS)));
}

function withNonce(rest: Uint8Array, nonce = NONCE): Uint8Array {
	const bytes = new Uint8Array(nonce.length + rest.length);
	bytes.set(nonce);
	bytes.set(rest, nonce.length);
	return bytes;
}

const ID = fromHex("00112233445566778899AABBCCDDEEFF");
const EVIDENCE = new Uint8Array(32).fill(0xbb);
const KEY = { batch: 1, stan: 3 };

/** One host entry; what a test does not care about is in order. */
function hostEntry(entry: Partial<HostEntry>): HostEntry {
	return {
		stan: 3,
		kind: 1,
		amountMinor: 1234,
		flags: 11,
		reason: 0,
		rrn: "112209311201",
		recordedAt: AT,
		postedAt: AT + 1000,
		stands: true,
		...entry,
	};
}

/** Entries as a page has them, for comparison. */
function rowsOf(page: EntryPage): unknown[] {
	const rows: unknown[] = [];
	for (let n = 0; n < page.count; n++) {
		rows.push([page.stans[n], page.kinds[n], page.amounts[n], page.flags[n], page.reasons[n], page.rrn(n)]);
	}
	return rows;
}

describe("sync requests", () => {
	it("are the golden frames, byte for byte", () => {
		const messages = makeMessages();
		const frame = (byteLength: number) => toHex(messages.frame, 0, byteLength);
		assert.equal(frame(messages.list(11, 1, 2, 10)), vectorOf("sync-list-request").frame);
		const head = new Uint8Array(32).fill(0xaa);
		assert.equal(frame(messages.digest(12, 1, 10, head)), vectorOf("sync-digest-request").frame);
		assert.equal(frame(messages.claim(13, KEY, ID, 990_000, EVIDENCE)), vectorOf("sync-claim-request").frame);
	});

	it("are what the host reads", () => {
		const six = fc.integer({ min: 1, max: 999_999 });
		const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
		const messages = makeMessages();
		fc.assert(
			fc.property(
				six,
				six,
				six,
				fc.integer({ min: 0, max: 999_999_999_999 }),
				bytes(16),
				bytes(32),
				(batch, a, b, amountMinor, id, digest) => {
					const [from, to] = [Math.min(a, b), Math.max(a, b)];
					const key = { batch, stan: a };
					const nothing = { batch: 0, stan: 0, toStan: 0, amountMinor: 0, id: "", digest: "" };
					const [idText, digestText] = [toHex(id), toHex(digest)];
					const all = { batch, stan: a, amountMinor, id: idText, digest: digestText };
					const cases: [SyncCode, () => number, object][] = [
						[SyncCode.list, () => messages.list(7, batch, from, to), { batch, stan: from, toStan: to }],
						[SyncCode.transaction, () => messages.transaction(7, key), key],
						[SyncCode.claim, () => messages.claim(7, key, id, amountMinor, digest), all],
						[SyncCode.credit, () => messages.credit(7, key, id, amountMinor, digest), all],
						[SyncCode.requestState, () => messages.requestState(7, batch, id), { id: idText }],
						[SyncCode.digest, () => messages.digest(7, batch, a, digest), { ...key, digest: digestText }],
						[SyncCode.farSide, () => messages.farSide(7, key, id), { ...key, id: idText }],
					];
					for (const [code, build, fields] of cases) {
						const request = decoded(messages.frame, build());
						assert.equal(request.rule?.name, "sync");
						assert.equal(request.textAt(60, 8, 3), code);
						assert.equal(request.numberAt(60, 2, 6), batch);
						assert(request.verify(new SyncMac(KEYS)));
						assert.deepEqual(readSync(code, request.bytes(62)), { ...nothing, ...fields });
						assert.deepEqual(messages.expected, {
							mti: "0310",
							stan: 7,
							messageType: "00",
							batch,
							networkCode: code,
							ticket: 0,
							mac: "sync",
						});
					}
				},
			),
			{ numRuns: 40 },
		);
	});

	it("have a nonce and an expected answer of their own each", () => {
		const messages = makeMessages(countingNonce());
		const nonces = [1, 2].map(() => {
			const message = decoded(messages.frame, messages.transaction(5, KEY));
			return message.textAt(62, 0, 8);
		});
		assert.notEqual(nonces[0], nonces[1]);
		const before = messages.expected;
		messages.transaction(6, KEY);
		assert.equal(before.stan, 5, "the exchange keeps what it was given");
	});

	it("are not built without a key, nor with an amount that does not fit", () => {
		const none = { read: () => 0, write: () => undefined };
		const keyless = new SyncMessages(UNIONPAY, makeConfig(), new SyncMac(none), fixedNonce);
		assert.throws(() => keyless.transaction(1, KEY), coded("unprovisioned"));
		const messages = makeMessages();
		messages.transaction(1, KEY);
		assert.throws(() => messages.claim(1, KEY, ID, 1e12, EVIDENCE), coded("range", "sync amount"));
		assert.throws(() => messages.expected, /built before it is sent/, "not that of the one before");
	});
});

describe("sync answers", () => {
	it("read the golden frames", () => {
		const messages = makeMessages();
		messages.list(11, 1, 2, 10);
		const page = new EntryPage();
		assert.equal(messages.readPage(decodedVector("sync-list-response"), page), "taken");
		assert.deepEqual(rowsOf(page), [
			[2, 1, 1234, 0x0b, 0, "112209311201"],
			[3, 1, 990_000, 0x03, 0, "112209315802"],
		]);
		assert.equal(page.more, false);
		assert.equal(page.nextStan, 4);
		assert.equal(page.flags[0], EntryFlag.recorded | EntryFlag.debited | EntryFlag.posted);
		assert.equal(page.kinds[0], EntryKind.sale);

		messages.digest(12, 1, 10, EVIDENCE);
		const digest = new DigestAnswer();
		assert.equal(messages.readDigest(decodedVector("sync-digest-response"), digest), "taken");
		assert.equal(toHex(digest.digest), "F9E70790FC27B2005F37F1B3C32B6C73FAE02004895C9C9B09DBFFB90769EAB0");
		assert.deepEqual(digest.recorded, { count: 2, sumMinor: 991_234 });
		assert.deepEqual(digest.posted, { count: 1, sumMinor: 1_234 });
		assert.deepEqual(digest.pending, { count: 1, sumMinor: 990_000 });
		assert.deepEqual(digest.refused, { count: 0, sumMinor: 0 });

		messages.claim(13, KEY, ID, 990_000, EVIDENCE);
		const request = new RequestAnswer();
		assert.equal(messages.readRequest(decodedVector("sync-claim-response"), request), "taken");
		const expectedAt = Date.UTC(2026, 10, 24, 4);
		assert.deepEqual({ ...request }, { reference: "CLM000000042", state: 1, reason: 0, expectedAt });
	});

	it("read what the host writes: a page", () => {
		const entries = fc
			.uniqueArray(fc.integer({ min: 1, max: 999_999 }), { maxLength: 40 })
			.map((stans) => stans.sort((a, b) => a - b))
			.chain((stans) =>
				fc.tuple(
					...stans.map((stan) =>
						fc.record({
							stan: fc.constant(stan),
							kind: fc.constantFrom(1, 2, 3, 5),
							amountMinor: fc.integer({ min: 0, max: 999_999_999_999 }),
							flags: fc.integer({ min: 0, max: 255 }),
							reason: fc.integer({ min: 0, max: 255 }),
							rrn: fc.constantFrom("112209311201", "            "),
						}),
					),
				),
			);
		const messages = makeMessages();
		const page = new EntryPage();
		messages.list(11, 1, 1, 999_999);
		fc.assert(
			fc.property(entries, (list) => {
				const more = list.length > 0 && list[list.length - 1].stan < 999_999;
				const data = writePage(list.map(hostEntry), more);
				assert.equal(messages.readPage(answerOf(withNonce(data)), page), "taken");
				const rows = list.map((e) => [e.stan, e.kind, e.amountMinor, e.flags, e.reason, e.rrn.trim()]);
				assert.deepEqual(rowsOf(page), rows);
				assert.equal(page.more, more);
			}),
			{ numRuns: 60 },
		);
	});

	it("are each read as the answer to its own request while two are on the line, in any order", () => {
		const messages = makeMessages(countingNonce());
		const entry = new Entry();
		const answerTo = (nonce: number, stan: number) =>
			answerOf(withNonce(writeTransaction(hostEntry({ stan })), new Uint8Array(NONCE.length).fill(nonce)));
		messages.transaction(11, { batch: 1, stan: 3 });
		const first = messages.sent();
		messages.transaction(12, { batch: 1, stan: 4 });
		const second = messages.sent();
		assert.throws(() => messages.transaction(13, KEY), /I10/);
		messages.ended(second);
		assert.throws(() => messages.readEntry(answerTo(1, 3), entry), coded("mismatch"));
		assert.equal(messages.readEntry(answerTo(2, 4), entry), "taken");
		// Its place is free; the first one's is not.
		messages.transaction(13, { batch: 1, stan: 5 });
		const third = messages.sent();
		messages.ended(first);
		assert.throws(() => messages.readEntry(answerTo(1, 4), entry), coded("mismatch"));
		assert.equal(messages.readEntry(answerTo(1, 3), entry), "taken");
		messages.ended(third);
		assert.equal(messages.readEntry(answerTo(3, 5), entry), "taken");
	});

	it("read what the host writes: a transaction, a request, a digest", () => {
		const messages = makeMessages();
		messages.transaction(11, KEY);
		const entry = new Entry();
		const data = writeTransaction(hostEntry({ kind: 3, reason: 7 }));
		assert.equal(messages.readEntry(answerOf(withNonce(data)), entry), "taken");
		assert.deepEqual(
			{ ...entry },
			{
				found: true,
				kind: 3,
				amountMinor: 1234,
				flags: 11,
				reason: 7,
				rrn: "112209311201",
				recordedAt: AT,
				postedAt: AT + 1000,
			},
		);
		assert.equal(messages.readEntry(answerOf(withNonce(writeTransaction(undefined))), entry), "taken");
		assert.deepEqual({ ...entry }, { ...new Entry() }, "nothing is left of the answer before");
		const unposted = writeTransaction(hostEntry({ postedAt: 0 }));
		messages.readEntry(answerOf(withNonce(unposted)), entry);
		assert.equal(entry.postedAt, 0);

		for (const build of [
			() => messages.claim(1, KEY, ID, 1, EVIDENCE),
			() => messages.credit(1, KEY, ID, 1, EVIDENCE),
			() => messages.requestState(1, 1, ID),
			() => messages.farSide(1, KEY, ID),
		]) {
			build();
			const told = { reference: "CRD000000001", state: 5, reason: 12, expectedAt: AT };
			const request = new RequestAnswer();
			assert.equal(messages.readRequest(answerOf(withNonce(writeRequest(told))), request), "taken");
			assert.deepEqual({ ...request }, told);
		}

		messages.digest(1, 1, 9, EVIDENCE);
		const sum = (count: number) => ({ count, sumMinor: count * 100 });
		const sums = { recorded: sum(990), posted: sum(900), pending: sum(89), refused: sum(1) };
		const digest = new DigestAnswer();
		messages.readDigest(answerOf(withNonce(writeDigest({ digest: EVIDENCE, ...sums }))), digest);
		const { recorded, posted, pending, refused } = digest;
		assert.deepEqual({ recorded, posted, pending, refused }, sums);
	});

	it("say who does not know the messages, and who refuses", () => {
		const messages = makeMessages();
		const page = new EntryPage();
		messages.list(11, 1, 2, 10);
		for (const code of ["12", "30", "40"]) {
			assert.equal(messages.readPage(answerOf(undefined, code), page), "unsupported");
			assert.equal(messages.readPage(answerOf(NONCE, code), page), "unsupported");
		}
		for (const code of ["03", "25", "94", "96"]) {
			assert.equal(messages.readPage(answerOf(undefined, code), page), "refused");
			assert.equal(messages.readPage(answerOf(withNonce(new Uint8Array(9)), code), page), "refused");
		}
	});

	it("are not believed under another nonce, whatever they say", () => {
		const messages = makeMessages(countingNonce());
		const page = new EntryPage();
		messages.list(11, 1, 2, 10);
		messages.list(12, 1, 2, 10);
		const data = writePage([hostEntry({})], false);
		const old = withNonce(data, new Uint8Array(8).fill(1));
		assert.throws(() => messages.readPage(answerOf(old), page), coded("mismatch", `${PLACE} nonce`));
		for (const code of ["40", "25"]) {
			assert.throws(() => messages.readPage(answerOf(old, code), page), coded("mismatch", `${PLACE} nonce`));
		}
		assert.equal(messages.readPage(answerOf(withNonce(data, new Uint8Array(8).fill(2))), page), "taken");
	});

	it("are refused without DE 62", () => {
		const messages = makeMessages();
		messages.list(11, 1, 2, 10);
		assert.throws(() => messages.readPage(answerOf(undefined), new EntryPage()), coded("missing", PLACE));
	});

	const page = (stans: number[], more = false) =>
		writePage(
			stans.map((stan) => hostEntry({ stan })),
			more,
		);
	/** A page of one entry with one byte changed. */
	const bent = (at: number, value: number) => {
		const data = page([3]);
		data[at] = value;
		return data;
	};
	const LYING_PAGES: readonly [string, Uint8Array, string, string][] = [
		["nothing behind the nonce", new Uint8Array(0), "length", PLACE],
		["a count without its entries", bent(0, 2), "length", PLACE],
		["entries beyond the count", bent(0, 0), "length", PLACE],
		["half an entry", page([3]).subarray(0, 14), "length", PLACE],
		["41 entries", page(Array.from({ length: 41 }, (_, n) => n + 2)), "range", `${PLACE} count`],
		["more that is neither 0 nor 1", bent(1, 2), "range", `${PLACE} more`],
		["more behind nothing", page([], true), "format", `${PLACE} more`],
		["more behind the last one asked for", page([10], true), "format", `${PLACE} more`],
		["an entry twice", page([3, 3]), "order", `${PLACE} entry 1`],
		["entries that descend", page([4, 3]), "order", `${PLACE} entry 1`],
		["an entry before the range", page([1]), "order", `${PLACE} entry 0`],
		["an entry behind the range", page([3, 11]), "order", `${PLACE} entry 1`],
		["a STAN that is no number", bent(4, 0x0a), "charset", `${PLACE} entry STAN`],
		["an amount that is no number", bent(11, 0xf4), "charset", `${PLACE} entry amount`],
		["no kind", bent(5, 0), "range", `${PLACE} entry kind`],
		["an RRN with a control character", bent(14, 0x07), "charset", `${PLACE} entry RRN`],
	];
	for (const [what, data, code, place] of LYING_PAGES) {
		it(`refuse a page with ${what}, and leave none`, () => {
			const messages = makeMessages();
			messages.list(11, 1, 2, 10);
			const read = new EntryPage();
			messages.readPage(answerOf(withNonce(writePage([hostEntry({})], true))), read);
			assert.throws(() => messages.readPage(answerOf(withNonce(data)), read), coded(code, place));
			assert.equal(read.count, 0);
			assert.equal(read.more, false);
		});
	}

	it("refuse a transaction that is another one, half there, or at no time", () => {
		const messages = makeMessages();
		messages.transaction(11, KEY);
		const entry = new Entry();
		const read = (data: Uint8Array) => () => messages.readEntry(answerOf(withNonce(data)), entry);
		const changed = (at: number, value: number) => {
			const data = writeTransaction(hostEntry({}));
			data[at] = value;
			return data;
		};
		assert.throws(read(writeTransaction(hostEntry({ stan: 4 }))), coded("mismatch", `${PLACE} entry STAN`));
		assert.throws(read(changed(0, 2)), coded("range", `${PLACE} found`));
		assert.throws(read(changed(0, 0)), coded("format", `${PLACE} found`));
		assert.throws(read(changed(26, 0x13)), coded("range", `${PLACE} recorded at`)); // Month 13.
		assert.throws(read(changed(32, 0x00)), coded("range", `${PLACE} posted at`));
		assert.throws(read(changed(30, 0x61)), coded("range", `${PLACE} recorded at`));
		assert.throws(read(changed(30, 0x5f)), coded("charset", `${PLACE} recorded at`));
		assert.throws(read(new Uint8Array(36)), coded("length", PLACE));
		assert.equal(entry.found, false);
	});

	it("refuse a request without a state, and a sum of nothing", () => {
		const messages = makeMessages();
		messages.requestState(11, 1, ID);
		for (const state of [0, 6]) {
			const data = writeRequest({ reference: "CLM000000001", state, reason: 0, expectedAt: 0 });
			const read = () => messages.readRequest(answerOf(withNonce(data)), new RequestAnswer());
			assert.throws(read, coded("range", `${PLACE} state`));
		}
		const unprintable = writeRequest({ reference: "CLM000000001", state: 1, reason: 0, expectedAt: 0 });
		unprintable[0] = 0;
		assert.throws(
			() => messages.readRequest(answerOf(withNonce(unprintable)), new RequestAnswer()),
			coded("charset", `${PLACE} reference`),
		);
		messages.digest(11, 1, 9, EVIDENCE);
		const data = new Uint8Array(64);
		data[63 - 8] = 1; // The sum of the pending.
		assert.throws(
			() => messages.readDigest(answerOf(withNonce(data)), new DigestAnswer()),
			coded("format", `${PLACE} sum`),
		);
	});

	/** What each golden answer is read by; the fields of what was read. */
	const READERS: readonly [string, (messages: SyncMessages) => (answer: MessageDecoder) => string][] = [
		[
			"sync-list-response",
			(messages) => {
				messages.list(11, 1, 2, 10);
				const into = new EntryPage();
				return (answer) => messages.readPage(answer, into) + JSON.stringify([rowsOf(into), into.more]);
			},
		],
		[
			"sync-digest-response",
			(messages) => {
				messages.digest(12, 1, 10, EVIDENCE);
				const into = new DigestAnswer();
				return (answer) => messages.readDigest(answer, into) + toHex(into.digest) + JSON.stringify(into.sums);
			},
		],
		[
			"sync-claim-response",
			(messages) => {
				messages.claim(13, KEY, ID, 990_000, EVIDENCE);
				const into = new RequestAnswer();
				return (answer) => messages.readRequest(answer, into) + JSON.stringify(into);
			},
		],
	];
	for (const [name, makeReader] of READERS) {
		it(`are refused with a code, or read as what they say: ${name}, each bit flipped, cut at each length`, () => {
			const read = makeReader(makeMessages());
			const whole = read(decodedVector(name));
			const data = fromHex(vectorOf(name).fields[62]);
			for (let bit = 0; bit < data.length * 8; bit++) {
				const flipped = data.slice();
				flipped[bit >> 3] ^= 0x80 >> (bit & 7);
				const got = resultOf(() => read(answerOf(flipped)));
				assert.notEqual(got, whole, `bit ${bit} of DE 62 is seen`);
				if (bit < 64) assert.equal(got, "mismatch");
			}
			for (let length = 0; length < data.length; length++) {
				const got = resultOf(() => read(answerOf(data.subarray(0, length))));
				assert.equal(got, "length", `cut at ${length}`);
			}
			const frame = fromHex(vectorOf(name).frame);
			for (let bit = 0; bit < frame.length * 8; bit++) {
				const flipped = frame.slice();
				flipped[bit >> 3] ^= 0x80 >> (bit & 7);
				resultOf(() => read(decoded(flipped))); // Nothing but coded errors comes out.
			}
		});
	}

	it("never bring anything but a coded error, whatever DE 62 holds", () => {
		const readers = READERS.map(([, makeReader]) => makeReader(makeMessages()));
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
				for (const read of readers) resultOf(() => read(answerOf(withNonce(bytes))));
			}),
			{ numRuns: 200 },
		);
	});
});

/** What was read, or the code of the error. */
function resultOf(read: () => string): string {
	try {
		return read();
	} catch (error) {
		assert(error instanceof CodedError, `${error}`);
		assert(!/[0-9]{12}/.test(error.message), "an error names no value");
		return error.code;
	}
}
