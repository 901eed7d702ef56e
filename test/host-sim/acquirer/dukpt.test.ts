/**
 * Goal: a host of the DUKPT dialect takes each key once and answers under it. Method: a terminal whose keys are derived
 * from the published initial key, in this file, by the host's derivation (known answers: ciphers.test.ts).
 */
import * as assert from "node:assert/strict";
import { Acquirer } from "../../../host-sim/acquirer/acquirer";
import { aesEncryptBlock, cmac8 } from "../../../host-sim/acquirer/ciphers";
import { USAGE_MAC_ANSWER, USAGE_MAC_REQUEST, USAGE_PIN, workingKey } from "../../../host-sim/acquirer/dukpt";
import { COUNTER_WINDOW } from "../../../host-sim/acquirer/dukpt-keys";
import { MemoryLedgerStore } from "../../../host-sim/acquirer/ledger-store";
import { TEST_TERMINAL } from "../../../host-sim/acquirer/test-keys";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { VirtualTime } from "../../../host-sim/board/virtual-clock";
import { fromHex, toHex, writeU32 } from "../../../src/core/bytes";
import { CodedError } from "../../../src/core/errors";
import { MessageDecoder } from "../../../src/iso8583/decoder";
import { MessageEncoder } from "../../../src/iso8583/encoder";
import { UNIONPAY_DUKPT } from "../../../src/iso8583/unionpay-dukpt";
import { card, NOW, TestLine } from "./host-under-test";

const INITIAL = fromHex("1273671EA26AC29AFA4D1084127652A1");
const KEY_ID = fromHex("1234567890123456");

interface Options {
	counter: number;
	stan?: number;
	pin?: string;
	keyId?: Uint8Array;
	control?: boolean;
	flip?: boolean;
}

function frame(options: Options): Uint8Array {
	const { pan, expiry, track2 } = card("magstripe-19");
	const { counter, stan = 2, pin = "1234", keyId = KEY_ID } = options;
	const out = new Uint8Array(1500);
	const encoder = new MessageEncoder(UNIONPAY_DUKPT, out);
	encoder.begin("0200");
	encoder.digits(2, pan);
	encoder.digits(3, "000000");
	encoder.number(4, 1234);
	encoder.number(11, stan);
	encoder.digits(14, expiry);
	encoder.digits(22, "021");
	encoder.digits(25, "00");
	encoder.digits(26, "06");
	encoder.digits(35, track2 ?? "");
	encoder.ascii(41, TEST_TERMINAL.terminalId);
	encoder.ascii(42, TEST_TERMINAL.merchantId);
	encoder.ascii(49, "156");
	const key = workingKey(INITIAL, KEY_ID, Math.max(1, counter), USAGE_PIN);
	const clear = fromHex(`4${pin.length.toString(16)}${pin.padEnd(14, "A")}0011223344556677`);
	const panField = fromHex(`${pan.length - 12}${pan}`.padEnd(32, "0"));
	const middle = aesEncryptBlock(key, clear).map((byte, i) => byte ^ panField[i]);
	encoder.bytes(52, aesEncryptBlock(key, middle));
	const control = new Uint8Array(12);
	control.set(keyId);
	writeU32(control, 8, counter);
	if (options.control !== false) encoder.bytes(53, control);
	encoder.digits(60, "2200000100050");
	const length = encoder.finishWithMac({
		mac: (bytes, start, end, to, at) =>
			to.set(cmac8(workingKey(INITIAL, KEY_ID, Math.max(1, counter), USAGE_MAC_REQUEST), bytes.slice(start, end)), at),
	});
	if (options.flip === true) out[length - 1] ^= 1;
	return out.slice(0, length);
}

class DukptHost {
	readonly store = new MemoryLedgerStore();
	readonly time = new VirtualTime(NOW);
	acquirer = this.#boot();

	#boot(): Acquirer {
		return new Acquirer({
			clock: this.time.clock(),
			random: new SeededRandom(1),
			store: this.store,
			dialect: UNIONPAY_DUKPT,
		});
	}

	restart(): void {
		this.acquirer.kill();
		this.acquirer = this.#boot();
	}

	/** DE 39, with whether the answer's MAC is right under `counter`. */
	send(bytes: Uint8Array, counter: number): string {
		const line = new TestLine(this.acquirer);
		line.connection?.receive(bytes);
		line.connection?.end();
		const answer = line.pieces[0];
		const decoder = new MessageDecoder(UNIONPAY_DUKPT);
		decoder.decode(answer, answer.length);
		if (decoder.macDe === 0) return `${decoder.text(39)} no MAC`;
		const key = workingKey(INITIAL, KEY_ID, counter, USAGE_MAC_ANSWER);
		const right = decoder.verify({
			verify: (all, start, end, at) => toHex(cmac8(key, all.slice(start, end))) === toHex(all, at, at + 8),
		});
		return `${decoder.text(39)} ${right ? "right" : "wrong"}`;
	}

	get entries(): number {
		return this.acquirer.statement().entries.length;
	}
}

describe("host: AES-DUKPT session", () => {
	it("a sale with PIN needs no sign-on; the answer is under the answer key of the same counter", () => {
		const host = new DukptHost();
		assert.equal(host.send(frame({ counter: 1 }), 1), "00 right");
		assert.equal(host.send(frame({ counter: 2, stan: 3, pin: "9999" }), 2), "55 right");
		assert.equal(host.send(frame({ counter: 0xffff0000, stan: 4 }), 0xffff0000), "00 right");
	});

	it("a sign-on answers with the batch and without keys", () => {
		const host = new DukptHost();
		const out = new Uint8Array(200);
		const own = new MessageEncoder(UNIONPAY_DUKPT, out);
		own.begin("0800");
		own.number(11, 1);
		own.ascii(41, TEST_TERMINAL.terminalId);
		own.ascii(42, TEST_TERMINAL.merchantId);
		own.digits(60, "00000000003");
		const line = new TestLine(host.acquirer);
		line.connection?.receive(out.slice(0, own.finish()));
		const decoder = new MessageDecoder(UNIONPAY_DUKPT);
		decoder.decode(line.pieces[0], line.pieces[0].length);
		assert.deepEqual([decoder.text(39), decoder.text(60), decoder.has(62)], ["00", "00000001003", false]);
	});

	it("the same message again gets the same answer; another one under its counter is refused", () => {
		const host = new DukptHost();
		assert.equal(host.send(frame({ counter: 5 }), 5), "00 right");
		assert.equal(host.send(frame({ counter: 5 }), 5), "00 right");
		assert.equal(host.send(frame({ counter: 5, stan: 3 }), 5), "A0 right");
		assert.equal(host.entries, 1);
	});

	it("counters may come out of order within the window, and not behind it", () => {
		const host = new DukptHost();
		assert.equal(host.send(frame({ counter: 100, stan: 1 }), 100), "00 right");
		assert.equal(host.send(frame({ counter: 98, stan: 2 }), 98), "00 right");
		const last = 100 - COUNTER_WINDOW;
		assert.equal(host.send(frame({ counter: last + 1, stan: 3 }), last + 1), "00 right");
		assert.equal(host.send(frame({ counter: last, stan: 4 }), last), "A0 right");
		// The window moves, and what fell out of it is not believed again.
		assert.equal(host.send(frame({ counter: 200, stan: 5 }), 200), "00 right");
		assert.equal(host.send(frame({ counter: 100, stan: 1 }), 100), "A0 right");
		assert.equal(host.entries, 4);
	});

	it("A0: a wrong MAC, another key id, no counter, counter 0; what was refused uses no counter up", () => {
		const host = new DukptHost();
		assert.equal(host.send(frame({ counter: 7, flip: true }), 7), "A0 right");
		assert.equal(host.send(frame({ counter: 7, keyId: fromHex("1234567890123457") }), 7), "A0 no MAC");
		assert.equal(host.send(frame({ counter: 7, control: false }), 7), "A0 no MAC");
		assert.equal(host.send(frame({ counter: 0 }), 1), "A0 no MAC");
		assert.equal(host.entries, 0);
		assert.equal(host.send(frame({ counter: 7 }), 7), "00 right");
	});

	it("a host that comes back believes a counter once more, and the movement's key makes that harmless", () => {
		const host = new DukptHost();
		host.send(frame({ counter: 9 }), 9);
		host.restart();
		assert.equal(host.send(frame({ counter: 9 }), 9), "00 right");
		assert.equal(host.acquirer.statement().totals.debitedMinor, 1234);
	});

	it("two terminals with one key id, or one without, are an error at the start", () => {
		const make = (terminals: readonly { terminalId: string; merchantId: string; keyId?: string }[]) =>
			new Acquirer({
				clock: new VirtualTime(NOW).clock(),
				random: new SeededRandom(1),
				store: new MemoryLedgerStore(),
				dialect: UNIONPAY_DUKPT,
				terminals,
			});
		assert.throws(() => make([TEST_TERMINAL, { ...TEST_TERMINAL, terminalId: "87654321" }]), CodedError);
		assert.throws(() => make([{ terminalId: "1", merchantId: "2" }]), CodedError);
	});
});
