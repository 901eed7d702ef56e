/**
 * Keys: what a technician types, what a sign-on brings, what a key store holds after damage, PIN and card data. Each is
 * taken whole or refused with a coded error that names no digit of it; on a refusal nothing has changed; and what was
 * changed by one bit is never taken for what it was.
 */
import type { SeededRandom } from "../../host-sim/board/seeded-random";
import { equalBytes, fromHex, toHex } from "../../src/core/bytes";
import type { ErrorCode } from "../../src/core/errors";
import type { KeyName, KeyStore } from "../../src/ports";
import { Aes } from "../../src/security/aes";
import { CARD_BYTES, CardSeal, packCard, unpackCard } from "../../src/security/card-seal";
import { desEncryptBlock, tdesEncryptBlock } from "../../src/security/des";
import { loadDukpt } from "../../src/security/dukpt-loading";
import { DukptScheme } from "../../src/security/dukpt-scheme";
import { combineComponents, loadKey } from "../../src/security/key-loading";
import { type KeyScheme, WorkingKeyScheme } from "../../src/security/key-scheme";
import { type CaseInput, must, mustBeCoded, type RunCase, type Target } from "./target";

const TMK = fromHex("0123456789ABCDEFFEDCBA9876543210");
const PROBE = fromHex("0200702404C020C098111962212345678901234500");
const MAC_BYTES = 8;
const UNTOUCHED = 0xa5;
/** Of a random input where a key or a block is expected. */
const BYTES_MAX = 64;
const KEY_BLOCK_BYTES = 40;

export function keysTarget(): Target {
	return {
		name: "keys",
		brief: "key loading, sign-on blocks, DUKPT state, PIN blocks, sealed cards",
		blockCases: 1_000,
		weight: 1,
		make: () => (random, input) => random.pick(KINDS)(random, input),
	};
}

const KINDS: readonly RunCase[] = [
	signOnBlock,
	signOnBlock,
	loading,
	components,
	dukptLoading,
	dukptState,
	pinBlock,
	card,
];

/** A key store in memory that counts what is written. */
class Store implements KeyStore {
	readonly keys = new Map<KeyName, Uint8Array>();
	writes = 0;

	read(name: KeyName, out: Uint8Array): number {
		const key = this.keys.get(name);
		if (key === undefined) return 0;
		out.set(key.subarray(0, out.length));
		return key.length;
	}

	write(name: KeyName, key: Uint8Array): void {
		this.writes++;
		this.keys.set(name, key.slice());
	}

	text(): string {
		return [...this.keys].map(([name, key]) => `${name} ${toHex(key)}`).join();
	}
}

/** @returns true when `action` went through; false when it was refused as it may be */
function taken(action: () => void, allowed: readonly ErrorCode[]): boolean {
	try {
		action();
		return true;
	} catch (error) {
		mustBeCoded(error, allowed);
		return false;
	}
}

function randomBytes(random: SeededRandom, byteLength: number): Uint8Array {
	const bytes = new Uint8Array(byteLength);
	random.fill(bytes);
	return bytes;
}

/** One to three bits, a byte, or the length; never what it was. */
function changed(random: SeededRandom, bytes: Uint8Array): Uint8Array {
	const kind = random.below(4);
	if (kind === 0) return bytes.slice(0, random.below(bytes.length));
	if (kind === 1) return new Uint8Array([...bytes, ...randomBytes(random, 1 + random.below(8))]);
	const copy = bytes.slice();
	const at = random.below(copy.length);
	if (kind === 2) copy[at] ^= 0x80 >> random.below(8);
	else copy[at] ^= 1 + random.below(255);
	return copy;
}

function macOf(scheme: KeyScheme, ticket: number): string {
	must(scheme.use(ticket), "different", "the keys of an exchange are gone");
	const out = new Uint8Array(MAC_BYTES);
	scheme.mac(PROBE, 0, PROBE.length, out, 0);
	return toHex(out);
}

/** DE 62 of a sign-on answer that is right. */
function makeBlock(random: SeededRandom, tmk: Uint8Array): Uint8Array {
	const block = new Uint8Array(KEY_BLOCK_BYTES);
	const pik = randomBytes(random, 16);
	const mak = randomBytes(random, 16);
	const single = random.chance(1, 2);
	if (single) mak.fill(0, 8);
	for (const [key, at] of [
		[pik, 0],
		[mak, 20],
	] as const) {
		for (let i = 0; i < 16; i += 8) tdesEncryptBlock(tmk, key, i, block, at + i);
		const check = new Uint8Array(8);
		if (key === mak && single) desEncryptBlock(mak.subarray(0, 8), check, 0, check, 0);
		else tdesEncryptBlock(key, check, 0, check, 0);
		block.set(check.subarray(0, 4), at + 16);
	}
	return block;
}

/** A block with anything wrong changes nothing: the keys before it go on. */
function signOnBlock(random: SeededRandom, input: CaseInput): void {
	const store = new Store();
	const provisioned = random.chance(7, 8);
	if (provisioned) store.keys.set("TMK", TMK);
	const scheme = new WorkingKeyScheme(store, "unionpay");
	const before = provisioned && random.chance(3, 4) ? makeBlock(random, TMK) : undefined;
	if (before !== undefined) scheme.install(before);
	const ticket = before === undefined ? 0 : scheme.open();
	const mac = ticket === 0 ? "" : macOf(scheme, ticket);
	const right = makeBlock(random, TMK);
	const wrong = random.chance(3, 4);
	const block = wrong
		? random.chance(1, 3)
			? randomBytes(random, random.below(BYTES_MAX))
			: changed(random, right)
		: right;
	input.bytes(provisioned ? "block" : "block without a TMK", block);
	const sure = taken(() => scheme.install(block), ["auth", "length", "unprovisioned"]);
	must(sure === (provisioned && !wrong), "different", sure ? "a wrong block was taken" : "a right block was refused");
	must(store.writes === 0, "different", "a sign-on wrote to the key store");
	must(scheme.ready() === (sure || ticket !== 0), "different", "ready() says otherwise");
	if (ticket !== 0) must(macOf(scheme, ticket) === mac, "different", "the keys of an open exchange have changed");
	if (ticket !== 0 && !sure) must(scheme.open() === ticket, "different", "a refused block has a ticket");
}

/** What a technician types. */
function loading(random: SeededRandom, input: CaseInput): void {
	const store = new Store();
	store.keys.set("TMK", TMK);
	const name = random.pick(["TMK", "HAK"] as const);
	const right = randomBytes(random, random.pick(name === "TMK" ? [16, 24] : [16, 24, 32]));
	const checkBytes = 3 + random.below(name === "TMK" ? 2 : 3);
	const key = random.chance(1, 3) ? changed(random, right) : right;
	const check = random.chance(1, 3)
		? changed(random, checkOf(name, right, checkBytes))
		: checkOf(name, right, checkBytes);
	input.bytes(`${name} key`, key);
	input.bytes("check value", check);
	const before = store.text();
	const sure = taken(() => loadKey(store, name, key, check), ["auth", "length"]);
	if (!sure) must(store.text() === before, "different", "a refused key was stored");
	else {
		must(toHex(store.keys.get(name) ?? check) === toHex(key), "different", "another key was stored");
		must(equalBytes(check, checkOf(name, key, check.length)), "different", "a check value that does not fit was taken");
	}
	if (key === right && equalBytes(check, checkOf(name, right, checkBytes)))
		must(sure, "different", "a right key was refused");
}

function checkOf(name: "TMK" | "HAK", key: Uint8Array, byteLength: number): Uint8Array {
	const block = new Uint8Array(16);
	if (name === "TMK") tdesEncryptBlock(key, block, 0, block, 0);
	else new Aes().cmac(key, block, 0, 16, block, 0, 16);
	return block.slice(0, byteLength);
}

function components(random: SeededRandom, input: CaseInput): void {
	const length = random.pick([8, 16, 24, 32]);
	const parts: Uint8Array[] = [];
	for (let n = random.below(5); n > 0; n--) {
		const part = random.chance(1, 8) ? new Uint8Array(length) : randomBytes(random, length);
		parts.push(random.chance(1, 8) ? changed(random, part) : part);
	}
	for (const part of parts) input.bytes("component", part);
	const out = randomBytes(random, length);
	const sure = taken(() => combineComponents(parts, out), ["length", "range"]);
	for (let i = 0; i < length; i++) {
		const expected = sure ? parts.reduce((sum, part) => sum ^ part[i], 0) : 0;
		must(out[i] === expected, "different", sure ? "not the XOR" : "half a key was left");
	}
}

function dukptLoading(random: SeededRandom, input: CaseInput): void {
	const store = new Store();
	const id = randomBytes(random, 8);
	const key = randomBytes(random, 16);
	const check = checkOf("HAK", key, 3 + random.below(3));
	const given = random.chance(1, 3) ? changed(random, key) : key;
	const givenId = random.chance(1, 6) ? changed(random, id) : id;
	const givenCheck = random.chance(1, 4) ? changed(random, check) : check;
	for (const [what, bytes] of [
		["key", given] as const,
		["id", givenId] as const,
		["check value", givenCheck] as const,
	]) {
		input.bytes(what, bytes);
	}
	const load = () => loadDukpt(store, given, givenId, givenCheck);
	const sure = taken(load, ["auth", "length"]);
	must(store.keys.has("DUKPT") === sure, "different", "a refused initial key was stored");
	if (!sure) return;
	const scheme = new DukptScheme(store, random);
	const ticket = scheme.open();
	must(macOf(scheme, ticket) !== "", "different", "no MAC under a loaded key");
	// Loaded again its counter would begin anew, and keys be used twice.
	const state = store.text();
	must(!taken(load, ["duplicate"]) && store.text() === state, "different", "an initial key was loaded twice");
}

/** What a key store gives back after damage: it is that state, or none. */
function dukptState(random: SeededRandom, input: CaseInput): void {
	const store = new Store();
	const key = randomBytes(random, 16);
	loadDukpt(store, key, randomBytes(random, 8), checkOf("HAK", key, 5));
	for (let n = random.below(3); n > 0; n--) new DukptScheme(store, random).open();
	const right = store.keys.get("DUKPT") ?? key;
	const bytes = random.chance(1, 8)
		? right
		: random.chance(1, 4)
			? randomBytes(random, random.below(600))
			: changed(random, right);
	input.bytes("state", bytes);
	store.keys.set("DUKPT", bytes);
	const writes = store.writes;
	const scheme = new DukptScheme(store, random);
	const [provisioned, ready] = [scheme.provisioned(), scheme.ready()];
	let ticket = 0;
	const sure = taken(() => {
		ticket = scheme.open();
	}, ["unprovisioned", "damaged", "overflow"]);
	must(
		sure === equalBytes(bytes, right),
		"different",
		sure ? "a damaged state was taken" : "a whole state was refused",
	);
	must(!sure || (provisioned && ready && ticket >= 1), "different", "ready() says otherwise");
	must(sure || (!provisioned && !ready && store.writes === writes), "different", "a damaged state was written over");
	const second = store.text();
	must(taken(() => scheme.install(bytes), ["format"]) === (bytes.length === 0), "different", "install() of DUKPT");
	must(store.text() === second, "different", "install() of DUKPT changed something");
}

/** A PIN and a card number of any kind; what is refused leaves no trace, in the text or the memory. */
function pinBlock(random: SeededRandom, input: CaseInput): void {
	const store = new Store();
	store.keys.set("TMK", TMK);
	let scheme: KeyScheme;
	if (random.chance(1, 2)) {
		scheme = new WorkingKeyScheme(store, "unionpay");
		scheme.install(makeBlock(random, TMK));
	} else {
		const key = randomBytes(random, 16);
		loadDukpt(store, key, randomBytes(random, 8), checkOf("HAK", key, 5));
		scheme = new DukptScheme(store, random);
	}
	scheme.use(scheme.open());
	const pin = digits(random, random.below(16));
	const pan = digits(random, random.pick([0, 11, 12, 13, 16, 19, 20, random.below(40)]));
	const wrongPin = random.chance(1, 4);
	const pinBytes = Uint8Array.from(pin, (digit) => digit.charCodeAt(0));
	if (wrongPin && pinBytes.length > 0) pinBytes[random.below(pinBytes.length)] = random.pick([0, 47, 58, 255]);
	const wrongPan = random.chance(1, 4) ? pan.replace(/.$/, random.pick(["D", " ", "é", "\u0664"])) : pan;
	input.bytes("PIN", pinBytes);
	input.text(`card number ${JSON.stringify(wrongPan)}`);
	const out = new Uint8Array(scheme.pinBlockBytes + random.below(4)).fill(UNTOUCHED);
	const sure = taken(() => scheme.pinBlock(pinBytes, wrongPan, out), ["length", "charset"]);
	const right =
		pin.length >= 4 && pin.length <= 12 && toHex(pinBytes) === toHex(Uint8Array.from(pin, (d) => d.charCodeAt(0)));
	must(!sure || (right && wrongPan === pan), "different", "a PIN or a card number that is none was taken");
	const touched = out.some((byte, at) => byte !== UNTOUCHED && (!sure || at >= scheme.pinBlockBytes));
	must(!touched, "overwrite", "a refused PIN has left something");
}

function digits(random: SeededRandom, count: number): string {
	let text = "";
	for (let i = 0; i < count; i++) text += `${random.below(10)}`;
	return text;
}

/** Card data at rest. */
function card(random: SeededRandom, input: CaseInput): void {
	if (random.chance(1, 2)) {
		const bytes = randomBytes(random, random.chance(7, 8) ? CARD_BYTES : random.below(BYTES_MAX));
		// Digits more often than chance has them.
		if (random.chance(3, 4))
			for (let i = 0; i < bytes.length; i++) bytes[i] = (random.below(10) << 4) | random.below(10);
		if (random.chance(3, 4) && bytes.length > 0) bytes[0] = 12 + random.below(9);
		if (random.chance(1, 2)) bytes.fill(0, 1 + ((bytes[0] + 1) >> 1), 11);
		input.bytes("card", bytes);
		let text = "";
		const sure = taken(() => {
			text = toHex(packCard(unpackCard(bytes)));
		}, ["length", "charset", "format"]);
		must(!sure || text === toHex(bytes), "different", "unpacks, and packs to something else");
		return;
	}
	const store = new Store();
	store.keys.set("STORE", randomBytes(random, 32));
	const seal = new CardSeal(store);
	const nonce = randomBytes(random, 12);
	const aad = randomBytes(random, random.below(BYTES_MAX));
	const plain = randomBytes(random, random.below(BYTES_MAX));
	const sealed = seal.seal(plain, nonce, aad);
	const which = random.below(5);
	const wrong = which < 3 && !(which === 2 && aad.length === 0);
	const given = [sealed, nonce, aad].map((bytes, n) => (wrong && n === which ? changed(random, bytes) : bytes));
	if (which === 3) store.keys.delete("STORE");
	for (const [n, bytes] of given.entries()) input.bytes(["sealed", "nonce", "with"][n], bytes);
	let opened = plain;
	const sure = taken(() => {
		opened = seal.open(given[0], given[1], given[2]);
	}, [which === 3 ? "unprovisioned" : "auth"]);
	must(sure === (!wrong && which !== 3), "different", sure ? "a changed card was opened" : "a whole card was refused");
	must(equalBytes(opened, plain), "different", "another card was opened");
}
