/**
 * A day in bad weather whose cards, PINs and keys are all drawn, and everything it leaves behind: each byte ever written
 * to flash, what both chips hold in the end, the log, screens and slips, the host's words and ledgers.
 */
import { createDecipheriv } from "node:crypto";
import { LEDGER_NAMES } from "../../host-sim/acquirer/ledger-store";
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import { MemoryKeys } from "../../host-sim/board/memory-keys";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { TEST_CARDS, type TestCard } from "../../host-sim/test-cards";
import { fromHex } from "../../src/core/bytes";
import { luhnValid } from "../../src/core/luhn";
import { KEY_BYTES_MAX } from "../../src/ports";
import { type StormOptions, type StormReport, storm } from "../host-sim/world/storm";
import { decodeFrame } from "../transactions/flash-witness";
import { SecretHunter } from "./secret-hunter";

export interface SecretDay {
	readonly report: StormReport;
	readonly hunter: SecretHunter;
	readonly cards: readonly TestCard[];
	/** What was left behind, by where. */
	readonly traces: Map<string, Uint8Array[]>;
	/** Working keys that the host gave out. */
	readonly workingKeys: Uint8Array[];
	/** Enciphered PIN blocks that went over the line. */
	readonly pinBlocks: Uint8Array[];
}

/** The test cards, each with a number, track, chip data and PIN of its own: nothing that could stand there by chance. */
export function drawnCards(random: SeededRandom): TestCard[] {
	return TEST_CARDS.map((card) => {
		const pan = drawPan(random, card.pan.length, card.name === "bad-check-digit");
		const discretionary = digits(random, 13);
		const pin = digits(random, 8);
		const changes: Partial<Record<"track2" | "pin" | "issuerPin", string>> = {};
		if (card.track2 !== undefined)
			changes.track2 = `${pan}D${card.expiry}220${discretionary.slice(0, 34 - pan.length - 8)}`;
		if (card.pin !== undefined) changes.pin = pin;
		if (card.issuerPin !== undefined) changes.issuerPin = digits(random, 8);
		return { ...card, ...changes, pan };
	});
}

function digits(random: SeededRandom, count: number): string {
	let text = "";
	for (let n = 0; n < count; n++) text += random.below(10);
	return text;
}

function drawPan(random: SeededRandom, length: number, broken: boolean): string {
	const body = `62${digits(random, length - 3)}`;
	for (let check = 0; check < 10; check++) if (luhnValid(`${body}${check}`) !== broken) return `${body}${check}`;
	throw new Error("no check digit");
}

/** Runs the day. `plant` may leave something behind at its end. */
export function secretDay(
	seed: number,
	options: StormOptions = {},
	plant: (day: SecretDay, leave: (where: string, bytes: Uint8Array) => void) => void = () => {},
): SecretDay {
	const random = new SeededRandom(seed).fork("secrets");
	const cards = drawnCards(random);
	const keys = new MemoryKeys(TEST_KEYS);
	const hunter = new SecretHunter();
	const traces = new Map<string, Uint8Array[]>();
	const workingKeys: Uint8Array[] = [];
	const pinBlocks: Uint8Array[] = [];
	const leave = (where: string, bytes: Uint8Array) => {
		const list = traces.get(where) ?? [];
		list.push(bytes.slice());
		traces.set(where, list);
	};
	const say = (where: string, text: string) => leave(where, Buffer.from(text, "utf8"));
	const report = storm(seed, {
		...options,
		rig: {
			...options.rig,
			cards,
			keys,
			onLog: (text) => say("log", text),
			onScreen: (screen) => say("screen", JSON.stringify(screen)),
			onHostEvent: (text) => say("host's log", text),
			onFlash: (flash) => {
				const write = flash.write.bind(flash);
				flash.write = (buffer, offset) => {
					leave("flash write", buffer);
					write(buffer, offset);
				};
			},
			beforeWrite: (bytes) => {
				const message = decodeFrame(bytes);
				if (message.has(52)) pinBlocks.push(message.bytes(52).slice());
			},
			onArrival: (bytes) => {
				const block = signOnBlock(bytes);
				if (block !== undefined) workingKeys.push(unwrap(block.subarray(0, 16)), unwrap(block.subarray(20, 36)));
			},
		},
	});
	const { shop, store } = report.rig;
	for (const medium of shop.media) leave("flash image", medium.image);
	for (const note of shop.till.notes) say("till", JSON.stringify(note));
	for (const ledger of LEDGER_NAMES) for (const fact of store.load(ledger)) say("ledger", JSON.stringify(fact));

	for (const card of cards) {
		hunter.addCardNumber(card.name, card.pan);
		if (card.track2 !== undefined) hunter.addTrack2(card.name, card.track2);
		if (card.pin !== undefined) hunter.addDigits(`PIN of ${card.name}`, card.pin);
		if (card.issuerPin !== undefined) hunter.addDigits(`PIN of ${card.name}`, card.issuerPin);
		if (card.emv !== undefined) hunter.addBytes(`chip data of ${card.name}`, fromHex(card.emv).slice(0, 32));
	}
	for (const name of ["TMK", "HAK", "STORE"] as const) {
		const key = new Uint8Array(KEY_BYTES_MAX);
		hunter.addBytes(`key ${name}`, key.slice(0, keys.read(name, key)));
	}
	for (const [n, key] of workingKeys.entries()) hunter.addBytes(`working key ${n}`, key);
	for (const [n, block] of pinBlocks.entries()) hunter.addBytes(`PIN block ${n}`, block);

	const day = { report, hunter, cards, traces, workingKeys, pinBlocks };
	plant(day, leave);
	for (const [where, pieces] of traces) for (const piece of pieces) hunter.scanBytes(where, piece);
	return day;
}

/** DE 62 of a sign-on answer, if these bytes are one. */
function signOnBlock(bytes: Uint8Array): Uint8Array | undefined {
	try {
		const message = decodeFrame(bytes);
		return message.mti === "0810" && message.has(62) ? message.bytes(62).slice() : undefined;
	} catch {
		return undefined; // A piece of an answer that comes in pieces: not of a sign-on, or its keys are never used.
	}
}

/** Under the test TMK, by another implementation than the terminal's. */
function unwrap(wrapped: Uint8Array): Uint8Array {
	const cipher = createDecipheriv("des-ede", Buffer.from(TEST_KEYS.TMK, "hex"), null).setAutoPadding(false);
	return new Uint8Array(Buffer.concat([cipher.update(wrapped), cipher.final()]));
}
