/**
 * A key store in which power can go: before a key is replaced, or after it and before the call returns. It outlives
 * boots; a write is whole or it has not happened.
 * @module
 */
import type { KeyName, KeyStore } from "../../src/ports";
import { type Power, PowerLost } from "../board/power";
import type { Strikes } from "./strikes";

export class CuttableKeys implements KeyStore {
	readonly #keys: KeyStore;
	readonly #strikes: Strikes;
	readonly #power: () => Power;
	/** False while a technician provisions: he begins again when power goes. */
	inService = false;

	/** @param power - the board's, as it is now */
	constructor(keys: KeyStore, strikes: Strikes, power: () => Power) {
		this.#keys = keys;
		this.#strikes = strikes;
		this.#power = power;
	}

	read(name: KeyName, out: Uint8Array): number {
		return this.#keys.read(name, out);
	}

	write(name: KeyName, key: Uint8Array): void {
		const cut = this.inService && this.#strikes.strikes("keyCut");
		const before = cut && this.#strikes.random("keyCut").chance(1, 2);
		if (!before) this.#keys.write(name, key);
		if (!cut) return;
		this.#power().cut();
		throw new PowerLost("while a key is written");
	}
}
