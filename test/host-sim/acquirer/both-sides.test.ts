/**
 * Goal: what the terminal computes the host believes, and the other way round, although neither knows the other's code.
 * Method: the terminal's own key schemes on one side, the host's on the other; then its session over a link on which the
 * host loses and changes keys.
 */
import * as assert from "node:assert/strict";
import { Acquirer } from "../../../host-sim/acquirer/acquirer";
import { cmac8 } from "../../../host-sim/acquirer/ciphers";
import { initialKey } from "../../../host-sim/acquirer/dukpt";
import { DukptKeys } from "../../../host-sim/acquirer/dukpt-keys";
import { FaultPlan, SESSION_FAULT_NAMES, SIGN_ON_FAULT_NAMES } from "../../../host-sim/acquirer/faults";
import { type HostKeyScheme, HostSyncMac, SessionKeys } from "../../../host-sim/acquirer/host-keys";
import { MemoryLedgerStore } from "../../../host-sim/acquirer/ledger-store";
import { TEST_BDK, TEST_KEYS, TEST_TERMINAL } from "../../../host-sim/acquirer/test-keys";
import { MemoryKeys } from "../../../host-sim/board/memory-keys";
import { MemoryLink } from "../../../host-sim/board/memory-link";
import { MemoryLog } from "../../../host-sim/board/memory-log";
import { Power } from "../../../host-sim/board/power";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { VirtualTime } from "../../../host-sim/board/virtual-clock";
import { makeConfig } from "../../../src/config";
import { fromHex } from "../../../src/core/bytes";
import { HostExchange } from "../../../src/host/host-exchange";
import { Session, type SignOnStore } from "../../../src/host/session";
import { SignOnMessages } from "../../../src/host/sign-on-messages";
import { MessageDecoder } from "../../../src/iso8583/decoder";
import type { Dialect, MacName } from "../../../src/iso8583/dialect";
import { MessageEncoder } from "../../../src/iso8583/encoder";
import { UNIONPAY } from "../../../src/iso8583/unionpay";
import { UNIONPAY_DUKPT } from "../../../src/iso8583/unionpay-dukpt";
import { loadDukpt } from "../../../src/security/dukpt-loading";
import { DukptScheme } from "../../../src/security/dukpt-scheme";
import { type KeyScheme, WorkingKeyScheme } from "../../../src/security/key-scheme";
import { SyncMac } from "../../../src/security/sync-mac";
import { card, NOW } from "./host-under-test";

const PAN = card("magstripe-19").pan;

/** A sale with a PIN under the keys of `ticket`. @returns its bytes */
function saleFrame(out: Uint8Array, dialect: Dialect, scheme: KeyScheme, ticket: number, stan: number): number {
	const { expiry } = card("magstripe-19");
	const encoder = new MessageEncoder(dialect, out);
	assert.equal(scheme.use(ticket), true);
	const block = new Uint8Array(scheme.pinBlockBytes);
	scheme.pinBlock(Uint8Array.from(Buffer.from("1234")), PAN, block);
	encoder.begin("0200");
	encoder.digits(2, PAN);
	encoder.digits(3, "000000");
	encoder.number(4, 100);
	encoder.number(11, stan);
	encoder.digits(14, expiry);
	encoder.digits(22, "021");
	encoder.digits(25, "00");
	encoder.digits(26, "06");
	encoder.ascii(41, TEST_TERMINAL.terminalId);
	encoder.ascii(42, TEST_TERMINAL.merchantId);
	encoder.ascii(49, "156");
	encoder.bytes(52, block);
	const control = scheme.securityControl(true);
	if (typeof control === "string") encoder.digits(53, control);
	else if (control !== undefined) encoder.bytes(53, control);
	encoder.digits(60, "2200000100050");
	return encoder.finishWithMac(scheme);
}

/** Request, PIN and answer of one exchange agree on both sides. */
function checkExchange(dialect: Dialect, terminal: KeyScheme, host: HostKeyScheme, stan: number): void {
	const out = new Uint8Array(1500);
	const ticket = terminal.open();
	const length = saleFrame(out, dialect, terminal, ticket, stan);
	const message = new MessageDecoder(dialect);
	message.decode(out, length);
	const { verdict, keys } = host.check(TEST_TERMINAL, message);
	assert.equal(verdict, "right", `stan ${stan}`);
	assert.ok(keys);
	assert.equal(keys.decryptPin(message.bytes(52), PAN), "1234");
	// The answer: any bytes under the host's keys.
	const answer = new Uint8Array(40).fill(stan & 0xff);
	keys.mac(answer, 0, 32, answer, 32);
	assert.equal(terminal.use(ticket), true);
	assert.equal(terminal.verify(answer, 0, 32, 32), true);
	answer[5] ^= 1;
	assert.equal(terminal.verify(answer, 0, 32, 32), false);
	terminal.close(ticket);
}

describe("host and terminal agree", () => {
	const cases: [MacName, 8 | 16][] = [
		["unionpay", 8],
		["unionpay", 16],
		["x9.19", 16],
		["cmac", 16],
	];
	for (const [mac, makBytes] of cases) {
		it(`on working keys: ${mac} under ${makBytes} bytes, over a hundred sign-ons`, () => {
			const dialect: Dialect = { ...UNIONPAY, mac };
			const time = new VirtualTime(NOW);
			const random = new SeededRandom(1);
			const host = new SessionKeys({ mac, clock: time.clock(), random, makBytes, workingKeys: undefined });
			const terminal = new WorkingKeyScheme(new MemoryKeys(TEST_KEYS), mac);
			for (let n = 1; n <= 100; n++) {
				time.advance(1_000);
				terminal.install(host.signOn(TEST_TERMINAL));
				checkExchange(dialect, terminal, host, n);
			}
		});
	}

	it("on AES-DUKPT over three chunks of counters and a boot", () => {
		const keyId = fromHex(TEST_TERMINAL.keyId ?? "");
		const initial = initialKey(fromHex(TEST_BDK), keyId);
		const keys = new MemoryKeys();
		loadDukpt(keys, initial, keyId, cmac8(initial, new Uint8Array(16)).slice(0, 5));
		const host = new DukptKeys([TEST_TERMINAL], TEST_BDK);
		let terminal = new DukptScheme(keys, new SeededRandom(1));
		for (let n = 1; n <= 200; n++) {
			if (n === 100) terminal = new DukptScheme(keys, new SeededRandom(2));
			checkExchange(UNIONPAY_DUKPT, terminal, host, n);
		}
	});

	it("on the MAC of sync messages", () => {
		const terminal = new SyncMac(new MemoryKeys(TEST_KEYS));
		const host = new HostSyncMac(TEST_TERMINAL);
		const bytes = Uint8Array.from({ length: 90 }, (_, i) => i);
		host.mac(bytes, 3, 80, bytes, 80);
		assert.equal(terminal.verify(bytes, 3, 80, 80), true);
		terminal.mac(bytes, 4, 81, bytes, 81);
		assert.equal(host.verify(bytes, 4, 81, 81), true);
		bytes[20] ^= 1;
		assert.equal(host.verify(bytes, 4, 81, 81), false);
	});
});

class FakeStore implements SignOnStore {
	batch = 0;
	#stan = 0;

	takeStan(): number {
		return ++this.#stan;
	}

	adoptBatch(batch: number): "adopted" | "same" | "refused" {
		const taken = this.batch === batch ? "same" : "adopted";
		this.batch = batch;
		return taken;
	}
}

/** The terminal's session over a link of 50 ms to a host with faults. */
class Line {
	readonly time = new VirtualTime(NOW);
	readonly random = new SeededRandom(7);
	readonly faults = new FaultPlan(this.random.fork("faults"));
	readonly store = new MemoryLedgerStore();
	readonly log = new MemoryLog(500);
	readonly signOnStore = new FakeStore();
	readonly scheme: WorkingKeyScheme;
	readonly session: Session;
	host: Acquirer;
	#out = new Uint8Array(1500);

	constructor() {
		this.host = this.boot();
		const keys = new MemoryKeys(TEST_KEYS);
		const config = makeConfig();
		const clock = this.time.clock();
		const scheme = new WorkingKeyScheme(keys, UNIONPAY.mac);
		this.scheme = scheme;
		const link = new MemoryLink({ power: new Power(), clock, network: this.time.clock(), host: () => this.host });
		const exchange = new HostExchange({
			links: [link],
			clock,
			log: this.log,
			config,
			dialect: UNIONPAY,
			scheme,
			syncMac: new SyncMac(keys),
			onStray: () => {},
			onKeyTrouble: () => this.session.keyTrouble(),
			onQuiet: () => this.session.quiet(),
		});
		this.session = new Session({
			exchange,
			scheme,
			store: this.signOnStore,
			messages: new SignOnMessages(UNIONPAY, config),
			config,
			clock,
			random: this.random.fork("terminal"),
			log: this.log,
			onSignedOn: () => {},
			onFailed: () => {},
		});
		this.session.start();
		this.time.advance(5_000);
	}

	boot(): Acquirer {
		return new Acquirer({
			clock: this.time.clock(),
			random: this.random.fork("host"),
			store: this.store,
			faults: this.faults,
		});
	}

	/** One sale without a retry; runs until its end. */
	sell(stan: number): string {
		let result = "";
		this.session.connect((connected) => {
			if (!connected) {
				result = "not connected";
				return;
			}
			const ticket = this.scheme.open();
			const length = saleFrame(this.#out, UNIONPAY, this.scheme, ticket, stan);
			const expected = {
				mti: "0210",
				processingCode: "000000",
				amountMinor: 100,
				stan,
				messageType: "22",
				batch: 1,
				ticket,
				mac: "session",
			} as const;
			this.session.request(this.#out, length, expected, 60_000, (end, answer) => {
				result = end === "answer" ? answer.text(39) : end;
			});
		});
		for (let s = 0; s < 200 && result === ""; s++) this.time.advance(1_000);
		return result;
	}
}

describe("host and terminal: a session", () => {
	it("signs on, gets the batch, sells", () => {
		const line = new Line();
		assert.deepEqual([line.session.ready, line.signOnStore.batch], [true, 1]);
		assert.equal(line.sell(500), "00");
	});

	it("a host that comes back without keys answers 97: no outcome, a sign-on, and the next sale goes", () => {
		const line = new Line();
		line.host.kill();
		line.host = line.boot();
		line.time.advance(1_000); // The terminal notices that the connection is gone.
		assert.equal(line.sell(500), "noAnswer");
		assert.match(line.log.texts().join("\n"), /39=97/);
		line.time.advance(70_000);
		assert.equal(line.sell(501), "00");
		assert.equal(line.host.statement().entries.length, 1);
	});

	it("each fault of keys and answers leaves the line usable within five minutes of the last one", () => {
		for (const name of [...SESSION_FAULT_NAMES, ...SIGN_ON_FAULT_NAMES]) {
			const line = new Line();
			line.faults.arm(name, 2);
			if (SIGN_ON_FAULT_NAMES.some((known) => known === name)) line.session.signOn();
			for (let n = 0; n < 3; n++) line.sell(500 + n);
			line.time.advance(300_000);
			assert.equal(line.sell(510), "00", name);
			assert.equal(line.session.ready, true, name);
		}
	});

	it("under all of them at once money is taken by sales that the terminal may doubt, never by half a sale", () => {
		const line = new Line();
		for (const name of [...SESSION_FAULT_NAMES, ...SIGN_ON_FAULT_NAMES]) line.faults.setRate(name, 0.2);
		const ends = new Set<string>();
		for (let stan = 500; stan < 560; stan++) {
			ends.add(line.sell(stan));
			line.time.advance(20_000);
		}
		assert.ok(ends.has("00") && ends.has("noAnswer"));
		assert.equal(line.host.statement().totals.conserved, true);
		line.faults.clear();
		line.time.advance(600_000);
		assert.equal(line.sell(600), "00");
	});
});
