/**
 * A board of which every port is as small as it can be: all its memory is there from the start and none of it grows, so
 * that what a measurement finds more is the terminal's. Each call of a port counts, and is a place where a measurement
 * can collect garbage or stop.
 */
import { cardData } from "../../host-sim/board/scripted-reader";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { testTerminalKeys } from "../../host-sim/board/test-terminal-keys";
import { findTestCard } from "../../host-sim/test-cards";
import { assert } from "../../src/core/assert";
import { fromHex, toHex } from "../../src/core/bytes";
import type {
	CardData,
	CardReader,
	CardSessionOptions,
	Clock,
	Device,
	Display,
	FlashPartition,
	Keypad,
	KeyStore,
	Link,
	LogSink,
	Printer,
	RandomSource,
	ScreenName,
} from "../../src/ports";

const BLOCK_BYTES = 4_096;
const TIMERS_MAX = 128;
const CARD_MS = 500;
const PIN_MS = 3_000;
const PRINT_MS = 850;
const BEGIN_MS = Date.UTC(2026, 10, 22, 1, 0, 0);

/** What leaves the firmware when a measurement stops; made beforehand. */
export const STOPPED = new Error("the measurement stops here");

/** What a script with points in it calls; see bundlePointed. */
declare global {
	var measurePoint: () => void;
}

const NOTHING = (): void => {};

/** Counts the calls of all ports, and the points of a script that has them. */
export class Probe {
	calls = 0;
	/** The call before which garbage is collected; 0: none. */
	collectAt = 0;
	/** The first call that does not happen; 0: none. */
	stopAt = 0;
	readonly #collect: () => void;
	readonly #point = (): void => this.call();

	constructor(collect: () => void) {
		this.#collect = collect;
	}

	/** Counting begins anew. */
	begin(collectAt: number, stopAt: number): void {
		this.calls = 0;
		this.collectAt = collectAt;
		this.stopAt = stopAt;
		globalThis.measurePoint = this.#point;
	}

	/** Nothing is counted any more, and nothing stops. */
	end(): void {
		globalThis.measurePoint = NOTHING;
		this.stopAt = 0;
	}

	/** @throws STOPPED */
	call(): void {
		this.calls++;
		if (this.calls === this.collectAt) this.#collect();
		if (this.stopAt !== 0 && this.calls >= this.stopAt) throw STOPPED;
	}
}

/** Virtual time; a timer takes a place in fixed arrays. */
export class MeasureClock implements Clock {
	nowMs: number;
	readonly #beginMs: number;
	readonly #probe: Probe;
	readonly #due = new Float64Array(TIMERS_MAX).fill(Number.POSITIVE_INFINITY);
	readonly #ids = new Uint32Array(TIMERS_MAX);
	readonly #arguments = new Int32Array(TIMERS_MAX);
	readonly #callbacks: (((argument: number) => void) | undefined)[] = new Array(TIMERS_MAX).fill(undefined);
	#lastId = 0;

	/** @param beginMs - the time of day at the start */
	constructor(probe: Probe, beginMs: number) {
		this.#probe = probe;
		this.#beginMs = beginMs;
		this.nowMs = beginMs;
	}

	now(): number {
		this.#probe.call();
		return this.nowMs;
	}

	monotonic(): number {
		this.#probe.call();
		return this.nowMs - this.#beginMs;
	}

	setTimer(ms: number, callback: () => void): number {
		this.#probe.call();
		return this.add(ms, callback, 0);
	}

	clearTimer(id: number): void {
		this.#probe.call();
		if (id === 0) return;
		const at = this.#ids.indexOf(id);
		if (at >= 0) this.#free(at);
	}

	/** The board's own: nobody's call. */
	add(ms: number, callback: (argument: number) => void, argument: number): number {
		const at = this.#ids.indexOf(0);
		assert(at >= 0, "I10 timers are bounded");
		this.#lastId++;
		this.#ids[at] = this.#lastId;
		this.#due[at] = this.nowMs + Math.max(0, ms);
		this.#arguments[at] = argument;
		this.#callbacks[at] = callback;
		return this.#lastId;
	}

	/** Fires the next timer, if it is due by `endMs`. @returns false when none is */
	step(endMs: number): boolean {
		let next = -1;
		for (let at = 0; at < TIMERS_MAX; at++) {
			if (this.#ids[at] === 0 || this.#due[at] > endMs) continue;
			const sooner = next < 0 || this.#due[at] < this.#due[next];
			if (sooner || (this.#due[at] === this.#due[next] && this.#ids[at] < this.#ids[next])) next = at;
		}
		if (next < 0) return false;
		const callback = this.#callbacks[next];
		const argument = this.#arguments[next];
		this.nowMs = Math.max(this.nowMs, this.#due[next]);
		this.#free(next);
		callback?.(argument);
		return true;
	}

	#free(at: number): void {
		this.#ids[at] = 0;
		this.#due[at] = Number.POSITIVE_INFINITY;
		this.#callbacks[at] = undefined;
	}
}

class MeasureFlash implements FlashPartition {
	readonly image: Uint8Array;
	readonly #probe: Probe;

	constructor(blocks: number, probe: Probe) {
		this.image = new Uint8Array(blocks * BLOCK_BYTES).fill(0xff);
		this.#probe = probe;
	}

	status() {
		this.#probe.call();
		return { size: this.image.length, blockLength: BLOCK_BYTES, blocks: this.image.length / BLOCK_BYTES };
	}

	read(byteLength: number, byteOffset: number): ArrayBuffer;
	read(buffer: Uint8Array, byteOffset: number): number;
	read(into: number | Uint8Array, byteOffset: number): ArrayBuffer | number {
		this.#probe.call();
		if (typeof into === "number") return this.image.slice(byteOffset, byteOffset + into).buffer;
		for (let i = 0; i < into.length; i++) into[i] = this.image[byteOffset + i];
		return into.length;
	}

	write(buffer: Uint8Array, byteOffset: number): void {
		this.#probe.call();
		for (let i = 0; i < buffer.length; i++) this.image[byteOffset + i] &= buffer[i];
	}

	eraseBlock(start: number, end = start + 1): void {
		this.#probe.call();
		this.image.fill(0xff, start * BLOCK_BYTES, end * BLOCK_BYTES);
	}

	close(): void {
		this.#probe.call();
	}
}

/** A customer who holds one card to the reader whenever it asks, and types its PIN. */
class MeasureCustomer implements CardReader, Keypad {
	readonly #card: CardData;
	readonly #pin: string;
	readonly #probe: Probe;
	readonly #clock: MeasureClock;
	#session: CardSessionOptions | undefined;
	#onVerdict: ((verdict: "TC") => void) | undefined;
	#onPin: ((pin: Uint8Array) => void) | undefined;
	readonly #typed: Uint8Array;
	readonly #present = () => this.#session?.onCard(this.#card);
	readonly #consent = () => this.#onVerdict?.("TC");
	readonly #type = () => {
		for (let i = 0; i < this.#pin.length; i++) this.#typed[i] = this.#pin.charCodeAt(i);
		this.#onPin?.(this.#typed);
	};

	constructor(cardName: string, probe: Probe, clock: MeasureClock) {
		const card = findTestCard(cardName);
		assert(card !== undefined, `there is a test card ${cardName}`);
		this.#card = cardData(card);
		this.#pin = card.pin ?? "";
		this.#typed = new Uint8Array(this.#pin.length);
		this.#probe = probe;
		this.#clock = clock;
	}

	start(options: CardSessionOptions): void {
		this.#probe.call();
		this.#session = options;
		this.#clock.add(CARD_MS, this.#present, 0);
	}

	complete(_issuerData: Uint8Array, onVerdict: (verdict: "TC") => void): void {
		this.#probe.call();
		this.#onVerdict = onVerdict;
		this.#clock.add(0, this.#consent, 0);
	}

	stop(): void {
		this.#probe.call();
		this.#session = undefined;
		this.#onVerdict = undefined;
		this.#onPin = undefined;
	}

	requestPin(_amountMinor: number, onPin: (pin: Uint8Array | undefined) => void): void {
		this.#probe.call();
		this.#onPin = onPin;
		this.#clock.add(PIN_MS, this.#type, 0);
	}

	cancelPin(): void {
		this.#probe.call();
		this.#onPin = undefined;
	}
}

class MeasurePrinter implements Printer {
	readonly #probe: Probe;
	readonly #clock: MeasureClock;
	#onDone: ((printed: boolean) => void) | undefined;
	readonly #report = () => {
		const onDone = this.#onDone;
		this.#onDone = undefined;
		onDone?.(true);
	};

	constructor(probe: Probe, clock: MeasureClock) {
		this.#probe = probe;
		this.#clock = clock;
	}

	print(_slip: unknown, onDone: (printed: boolean) => void): void {
		this.#probe.call();
		this.#onDone = onDone;
		this.#clock.add(PRINT_MS, this.#report, 0);
	}
}

/** What a board keeps without power, and the test keys do not say; in hex. */
export interface Remains {
	/**
	 * The journal's partition up to where nothing but erased cells follows, by block: XS counts a text's characters from its
	 * beginning, so that a long one takes long.
	 */
	readonly image: readonly string[];
	readonly storeKey: string;
	/** When it was switched off. */
	readonly nowMs: number;
}

/** For so long a board with an earlier life was off: what was sold before is no longer young. */
const OFF_MS = 3_600_000;

const STORE_KEY_BYTES = 32;

export class MeasureBoard implements Device {
	readonly probe: Probe;
	readonly clock: MeasureClock;
	readonly flash: { journal: MeasureFlash };
	readonly links: Link[];
	readonly random: RandomSource;
	readonly keys: KeyStore;
	readonly reader: CardReader;
	readonly keypad: Keypad;
	readonly printer: Printer;
	readonly display: Display;
	readonly log: LogSink;
	/** The screen that people see. */
	screen: ScreenName | undefined;
	/** Why the firmware wanted to begin anew. */
	restarted: string | undefined;

	constructor(options: {
		/** Of the journal's partition. */
		readonly blocks: number;
		/** What the customer holds. */
		readonly card: string;
		readonly probe: Probe;
		readonly makeLink: (clock: MeasureClock) => Link;
		/** Of an earlier life; undefined: a blank board. */
		readonly remains: Remains | undefined;
	}) {
		const { blocks, card, probe, makeLink, remains } = options;
		this.probe = probe;
		this.clock = new MeasureClock(probe, remains === undefined ? BEGIN_MS : remains.nowMs + OFF_MS);
		this.flash = { journal: new MeasureFlash(blocks, probe) };
		this.links = [makeLink(this.clock)];
		const random = new SeededRandom(1).fork("measure");
		this.random = {
			fill: (bytes) => {
				probe.call();
				random.fill(bytes);
			},
		};
		const keys = testTerminalKeys();
		if (remains !== undefined) {
			for (const [block, hex] of remains.image.entries()) {
				this.flash.journal.image.set(fromHex(hex), block * BLOCK_BYTES);
			}
			keys.write("STORE", fromHex(remains.storeKey));
		}
		this.keys = {
			read: (name, out) => {
				probe.call();
				return keys.read(name, out);
			},
			write: (name, key) => {
				probe.call();
				keys.write(name, key);
			},
		};
		const customer = new MeasureCustomer(card, probe, this.clock);
		this.reader = customer;
		this.keypad = customer;
		this.printer = new MeasurePrinter(probe, this.clock);
		this.display = {
			show: (screen) => {
				probe.call();
				this.screen = screen.name;
			},
		};
		this.log = { write: () => probe.call() };
	}

	restart(reason: string): void {
		this.probe.call();
		this.restarted = reason;
		throw STOPPED;
	}

	/** What is left when power goes. */
	remains(): Remains {
		const { image } = this.flash.journal;
		let used = image.length;
		while (used > 0 && image[used - 1] === 0xff) used--;
		const key = new Uint8Array(STORE_KEY_BYTES);
		this.keys.read("STORE", key);
		const blocks = Array.from({ length: Math.ceil(used / BLOCK_BYTES) }, (_, block) =>
			toHex(image, block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES),
		);
		return { image: blocks, storeKey: toHex(key), nowMs: this.clock.nowMs };
	}

	/** Moves on until `reached`, at most `ms`. @returns whether it was */
	runUntil(reached: () => boolean, ms: number): boolean {
		const end = this.clock.nowMs + ms;
		while (!reached()) if (!this.clock.step(end)) return false;
		return true;
	}

	/** Moves on by `ms`. */
	run(ms: number): void {
		const end = this.clock.nowMs + ms;
		while (this.clock.step(end));
		this.clock.nowMs = end;
	}
}
