/**
 * Goal: the second key scheme is one more class, nothing else: a whole terminal with AES-DUKPT sells, reverses, forwards
 * and restarts against a host that derives the keys from its base key by itself. No key is ever used for two messages
 * (I4): the counter in DE 53 is on the wire once, across restarts.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { testTerminalKeys } from "../../host-sim/board/test-terminal-keys";
import { findTestCard } from "../../host-sim/test-cards";
import { toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { UNIONPAY_DUKPT } from "../../src/iso8583/unionpay-dukpt";
import { KIND_OFFLINE_SALE } from "../../src/transactions/records";
import { Rig } from "../host-sim/world/rig";
import { storm } from "../host-sim/world/storm";

const config = { keyScheme: "dukpt" } as const;

function decode(bytes: Uint8Array): MessageDecoder {
	const message = new MessageDecoder(UNIONPAY_DUKPT);
	message.decode(bytes.slice(), bytes.length);
	return message;
}

describe("terminal with AES-DUKPT", () => {
	it("sells with and without PIN, and reverses, under keys of each exchange's own", () => {
		const requests: MessageDecoder[] = [];
		const rig = new Rig({ config, beforeWrite: (bytes) => requests.push(decode(bytes)) });
		for (const card of ["chip", "chip-pin", "magstripe-pin", "contactless"]) {
			equal(rig.sell(1_000, card).screens.at(-1), "approved", card);
		}
		equal(rig.sell(1_000, "wrong-pin").screens.at(-1), "declined");
		rig.faults.arm("answerLost");
		equal(rig.sell(2_000, "chip-pin").screens.at(-1), "noAnswer");
		rig.settle();
		ok(rig.money().conserved);
		equal(rig.money().paid, 4);
		const signOns = requests.filter(({ mti }) => mti === "0800");
		ok(signOns.length > 0 && signOns.every((request) => !request.has(53) && !request.has(64)));
		// What a comparison asks for carries the MAC of the host authentication key, which DUKPT does not change.
		const syncs = requests.filter(({ mti }) => mti === "0300");
		ok(syncs.length > 0 && syncs.every((request) => !request.has(53) && request.has(64)));
		const others = requests.filter(({ mti }) => mti !== "0800" && mti !== "0300");
		for (const request of others) ok(request.has(53) && request.has(64));
		const withPin = others.filter((request) => request.has(52));
		equal(withPin.length, 4);
		for (const request of withPin) equal(request.bytes(52).length, 16, "PIN block format 4");
		const serials = others.map((request) => toHex(request.bytes(53)));
		equal(new Set(serials).size, serials.length, "no key twice");
		ok(serials.every((serial) => serial.startsWith("1234567890123456")));
	});

	it("uses no counter twice across restarts and power cuts, and the money is where people were told (I4, I6)", () => {
		for (let seed = 1; seed <= 4; seed++) {
			const serials: string[] = [];
			const beforeWrite = (bytes: Uint8Array) => {
				const message = decode(bytes);
				if (message.has(53)) serials.push(toHex(message.bytes(53)));
			};
			const report = storm(seed, { sales: 40, config, rig: { beforeWrite } });
			deepEqual(
				report.money.rows.filter(({ wrong }) => wrong !== undefined),
				[],
			);
			equal(report.restarts, 0);
			ok(report.rig.shop.boots > 3 && serials.length > 30, `${report.rig.shop.boots} ${serials.length}`);
			equal(new Set(serials).size, serials.length);
		}
	});

	it("a key store that refuses a counter stops no terminal: it says so, tries again, and hammers nobody", () => {
		const keys = testTerminalKeys();
		let refuses = false;
		const rig = new Rig({
			config,
			keys: {
				read: (name, out) => keys.read(name, out),
				write: (name, key) => {
					if (refuses) throw new CodedError("flash", `key ${name}`, "the storage refuses");
					keys.write(name, key);
				},
			},
		});
		rig.faults.arm("answerLost");
		equal(rig.sell(1_000).screens.at(-1), "noAnswer");
		rig.setLink(false);
		const card = findTestCard("contactless");
		ok(card !== undefined);
		const advice = {
			kind: KIND_OFFLINE_SALE,
			amountMinor: 700,
			timeS: 1_795_000_000,
			entryMode: "072",
			condition: "00",
		};
		const stored = { pan: card.pan, expiry: card.expiry };
		equal(typeof rig.shop.terminal.forward({ ...advice, field60Rest: "00060" }, stored), "number");
		refuses = true;
		rig.setLink(true);
		rig.shop.pullPlug();
		rig.time.advance(3_600_000);
		equal(rig.shop.restarts, 0);
		ok(rig.shop.signOns < 30, `${rig.shop.signOns}`);
		ok(/no keys for advice/.test(rig.logText()) && /no keys for the reversal/.test(rig.logText()));
		equal(rig.sell(1_000).screens.at(-1), "keysWrong");
		refuses = false;
		rig.time.advance(3_600_000);
		equal(rig.shop.terminal.summary().advices, 0);
		equal(rig.sell(1_000).screens.at(-1), "approved");
		rig.settle();
		equal(rig.shop.restarts, 0);
		ok(rig.shop.terminal.atRest);
	});

	it("sells nothing without an initial key", () => {
		const rig = new Rig({ config, keys: { read: () => 0, write: () => {} } });
		equal(rig.shop.terminal.sale(1_000), "refusedKeys");
	});
});
