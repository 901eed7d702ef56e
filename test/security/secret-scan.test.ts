/**
 * I9: nothing a terminal leaves behind holds a secret of a card or key. Goal: a day with all faults, in which cards,
 * PINs, track data and keys are drawn, and every byte that was ever written, shown or printed is searched for them, as
 * text, as BCD at either nibble, raw and in hex. Method for the search itself: it must find what is planted.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { type SecretDay, secretDay } from "./secret-day";

const SALES = 40;

describe("secrets of a day with all faults (I9)", () => {
	for (const [seed, mirror] of [
		[1, false],
		[2, false],
		[3, true],
	] as const) {
		it(`seed ${seed}${mirror ? ", two copies" : ""}: none is found anywhere`, () => {
			const { hunter, report, workingKeys, pinBlocks, traces } = secretDay(seed, { sales: SALES, mirror });
			deepEqual(hunter.hits, []);
			ok(report.money.conserved);
			// The day was worth searching.
			ok(report.cuts > 0 && workingKeys.length >= 4 && pinBlocks.length >= 3);
			for (const where of ["flash write", "flash image", "log", "screen", "till", "host's log", "ledger"]) {
				ok((traces.get(where)?.length ?? 0) > 0, where);
			}
			ok(hunter.patterns > 100 && hunter.bytesScanned > 60_000, `${hunter.patterns} in ${hunter.bytesScanned}`);
		});
	}

	const packed = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));
	const ascii = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
	const card = (day: SecretDay) => day.cards.find(({ name }) => name === "chip-pin") ?? day.cards[0];
	const plants: Record<string, (day: SecretDay) => Uint8Array> = {
		"card number in BCD": (day) => packed(`${card(day).pan.slice(0, 16)}`),
		"card number in BCD at the other nibble": (day) => packed(`0${card(day).pan.slice(0, 16)}0`),
		"card number in a text": (day) => ascii(`card ${card(day).pan} read`),
		"first ten digits of a card number": (day) => ascii(`card ${card(day).pan.slice(0, 10)}...`),
		"track 2": (day) => ascii(card(day).track2 ?? ""),
		"a PIN": (day) => ascii(`pin=${card(day).pin}`),
		"chip data": (day) => packed(card(day).emv ?? ""),
		"a working key": (day) => day.workingKeys[0],
		"half a working key in hex": (day) => ascii(Buffer.from(day.workingKeys[0]).toString("hex").slice(0, 16)),
		"a PIN block": (day) => day.pinBlocks[0],
	};
	for (const [name, plant] of Object.entries(plants)) {
		it(`would be found: ${name}`, () => {
			const day = secretDay(1, { sales: 15, cuts: false }, (self, leave) => leave("planted", plant(self)));
			ok(day.hunter.hits.length > 0);
			equal(new Set(day.hunter.hits.map(({ where }) => where)).size, 1);
			equal(day.hunter.hits[0].where, "planted");
		});
	}
});
