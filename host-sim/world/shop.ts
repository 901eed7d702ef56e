/**
 * A shop: one terminal over flash that outlives power cuts, its till, its cashier and the cards that are held to it.
 * The cashier is honest: asked whether an approval was delivered, she answers by what the till's notebook says, unless
 * the owner has her deny it.
 *
 * Platform-free; time and links come from the owner, so the same shop runs over TCP and in virtual time.
 * @module
 */

import type { Config } from "../../src/config";
import { assert } from "../../src/core/assert";
import type { Clock, KeyStore, Link, LogSink, Screen, ScreenName } from "../../src/ports";
import { Terminal } from "../../src/terminal";
import { createDevice } from "../board/device";
import { FlashCut } from "../board/flash-cut";
import type { FlashMedium } from "../board/flash-medium";
import { NorFlash } from "../board/nor-flash";
import { Power, PowerLost } from "../board/power";
import { ScriptedKeypad } from "../board/scripted-keypad";
import { type Presentation, ScriptedReader } from "../board/scripted-reader";
import type { SeededRandom } from "../board/seeded-random";
import { testTerminalKeys } from "../board/test-terminal-keys";
import { Till } from "../board/till";

export interface ShopOptions {
	medium: FlashMedium;
	/** A second chip for a copy of the journal, on the same supply. */
	mirror?: FlashMedium;
	/** A partition for masked frames. */
	evidence?: FlashMedium;
	/** A clock of one boot. */
	makeClock(power: Power): Clock;
	/** The links of one boot. */
	makeLinks(power: Power, clock: Clock): Link[];
	config: Config;
	log: LogSink;
	random: SeededRandom;
	/** The board's key store; default: the test keys. */
	keys?: KeyStore;
	till?: Till;
	/** How long the cashier takes to answer or to change the paper, this time; default 2,000 ms. */
	cashierMs?: number | (() => number);
	/** She says "not delivered" of what the till has told, this time; default: never. */
	cashierDenies?(): boolean;
	/** The cashier is about to press her answer to whether a sale was delivered. */
	onDeliveryAnswer?(stan: number, delivered: boolean): void;
	/** Power is gone, by a cut or by the firmware's own restart; the owner boots again, not from inside the call. */
	onPowerLost?(reason: string): void;
	/**
	 * The journal's flash of each boot before the firmware sees it: where a cut in the boot itself is set. Its
	 * operations are counted together with those of the mirror.
	 */
	onFlash?(flash: NorFlash): void;
	/** The terminal of each boot before it starts. */
	onTerminal?(terminal: Terminal): void;
	/** Each screen, after the shop has seen it. */
	onScreen?(screen: Screen): void;
	/** The terminal has signed on with its host. */
	onSignedOn?(batch: number): void;
}

/** One customer at the terminal. */
export interface Visit {
	readonly index: number;
	readonly amountMinor: number;
	readonly cardName: string;
	/** Trace number, once there is one. */
	stan: number;
	/** Why the terminal would not begin. */
	refusal: string | undefined;
	/** Screens seen, in order. */
	readonly screens: ScreenName[];
	/** Power went while the customer stood there. */
	cut: boolean;
	ended: boolean;
}

/** What one boot has of its own. */
interface Board {
	readonly clock: Clock;
	readonly flash: NorFlash;
	/** The journal's flash, and the mirror where there is one. */
	readonly copies: readonly NorFlash[];
	readonly reader: ScriptedReader;
	readonly keypad: ScriptedKeypad;
	readonly terminal: Terminal;
}

export class Shop {
	readonly till: Till;
	readonly visits: Visit[] = [];
	readonly #options: ShopOptions;
	readonly #keys: KeyStore;
	#power = new Power();
	#board: Board;
	#visit: Visit | undefined;
	/** The sale whose delivery the cashier thinks about; 0 for none. */
	#askedStan = 0;
	#onVisitEnd: ((visit: Visit) => void) | undefined;
	boots = 0;
	/** In all boots. */
	signOns = 0;
	/** Restarts the firmware asked for. */
	restarts = 0;
	/** Of the boots before this one, on both copies. */
	#pastBytesProgrammed = 0;
	#pastBlocksErased = 0;
	#pastBlocksMended = 0;
	/** Erases between the card being asked for and the end of a sale: a customer waited for them. */
	erasesInSale = 0;
	#erasesAtCard = -1;

	constructor(options: ShopOptions) {
		this.#options = options;
		this.#keys = options.keys ?? testTerminalKeys();
		this.till = options.till ?? new Till();
		this.till.onScreen = (screen) => this.#onScreen(screen);
		this.#board = this.#assemble();
	}

	get terminal(): Terminal {
		return this.#board.terminal;
	}

	/** The journal's flash of this boot; the mirror shares its cuts and its count of operations. */
	get flash(): NorFlash {
		return this.#board.flash;
	}

	/** Both copies' silicon, or the one. */
	get media(): readonly FlashMedium[] {
		return this.#board.copies.map((copy) => copy.medium);
	}

	/** In all boots, on both copies. */
	get bytesProgrammed(): number {
		return this.#pastBytesProgrammed + sum(this.#board.copies, (copy) => copy.bytesProgrammed);
	}

	/** In all boots, on both copies. */
	get blocksErased(): number {
		return this.#pastBlocksErased + this.#erases;
	}

	/** Blocks of a copy that were written anew from the other one, in all boots. */
	get blocksMended(): number {
		return this.#pastBlocksMended + this.#board.terminal.log.journal.mendedBlocks;
	}

	get power(): Power {
		return this.#power;
	}

	get clock(): Clock {
		return this.#board.clock;
	}

	/** A card is in the reader. */
	get cardLeft(): boolean {
		return this.#board.reader.cardInside();
	}

	get keypad(): ScriptedKeypad {
		return this.#board.keypad;
	}

	/** The visit under way. */
	get visit(): Visit | undefined {
		return this.#visit;
	}

	/** Formats the flash of the first boot. @param batch - default 0: the host gives it */
	provision(batch = 0): void {
		this.#board.terminal.provision(batch);
	}

	/** The first boot, or the next one after power was lost. */
	boot(): void {
		if (!this.#power.on) {
			this.#pastBytesProgrammed = this.bytesProgrammed;
			this.#pastBlocksErased = this.blocksErased;
			this.#pastBlocksMended = this.blocksMended;
			this.#power = new Power();
			this.#board = this.#assemble();
		}
		this.boots++;
		this.#attempt(() => {
			const status = this.#board.terminal.start();
			assert(status === "ok", `I7 a provisioned journal mounts, not ${status}`);
		});
	}

	/** The plug is pulled. */
	pullPlug(): void {
		this.#power.cut();
	}

	/** A customer pays; `onEnd` comes once, also when power goes meanwhile or the terminal refuses. */
	sell(amountMinor: number, presentation: Presentation, onEnd: (visit: Visit) => void, managerApproves = false): Visit {
		assert(this.#visit === undefined, "one customer at a time");
		const visit: Visit = {
			index: this.visits.length,
			amountMinor,
			cardName: presentation.card.name,
			stan: 0,
			refusal: undefined,
			screens: [],
			cut: false,
			ended: false,
		};
		this.visits.push(visit);
		this.#visit = visit;
		this.#onVisitEnd = onEnd;
		this.#attempt(() => {
			this.#board.reader.present(presentation);
			const { pin } = presentation.card;
			if (presentation.card.pinWanted && pin !== undefined) this.#board.keypad.enter({ pin, delayMs: 3_000 });
			visit.refusal = this.#board.terminal.sale(amountMinor, managerApproves);
		});
		if (visit.refusal !== undefined) this.#endVisit();
		return visit;
	}

	#assemble(): Board {
		const { medium, mirror, evidence, makeClock, makeLinks, config, log, random } = this.#options;
		const power = this.#power;
		this.#askedStan = 0;
		const clock = makeClock(power);
		const chip = { power, cut: new FlashCut(), random: random.fork(`flash ${this.boots}`) };
		const flash = new NorFlash({ ...chip, medium });
		const second = mirror === undefined ? undefined : new NorFlash({ ...chip, medium: mirror });
		// Of its own cuts, so that operations of the journal keep their numbers.
		const third =
			evidence === undefined
				? undefined
				: new NorFlash({ power, random: random.fork(`evidence ${this.boots}`), medium: evidence });
		this.#options.onFlash?.(flash);
		const reader = new ScriptedReader({ power, clock });
		const keypad = new ScriptedKeypad({ power, clock });
		const { display, printer } = this.till.attach(power, clock);
		const device = createDevice({
			power,
			flash: {
				journal: flash,
				...(second === undefined ? {} : { mirror: second }),
				...(third === undefined ? {} : { evidence: third }),
			},
			links: makeLinks(power, clock),
			clock,
			reader,
			keypad,
			display,
			printer,
			random: random.fork(`firmware ${this.boots}`),
			keys: this.#keys,
			log,
			onRestart: (reason) => {
				this.restarts++;
				this.#reason = `restart: ${reason}`;
			},
		});
		this.#reason = "power cut";
		power.onCut(() => this.#onCut());
		const terminal = new Terminal(device, config);
		this.#options.onTerminal?.(terminal);
		terminal.onSaleEnd = () => this.#endVisit();
		terminal.onSignedOn = () => {
			this.signOns++;
			this.#options.onSignedOn?.(terminal.log.batch);
		};
		return { clock, flash, copies: second === undefined ? [flash] : [flash, second], reader, keypad, terminal };
	}

	#reason = "power cut";

	/** In this boot, on both copies. */
	get #erases(): number {
		return sum(this.#board.copies, (copy) => copy.blocksErased);
	}

	#onCut(): void {
		if (this.#visit !== undefined) {
			this.#visit.cut = true;
			this.#endVisit();
		}
		this.#options.onPowerLost?.(this.#reason);
	}

	#endVisit(): void {
		const visit = this.#visit;
		const onEnd = this.#onVisitEnd;
		this.#visit = undefined;
		this.#onVisitEnd = undefined;
		if (visit === undefined) return;
		visit.ended = true;
		if (this.#erasesAtCard >= 0) this.erasesInSale += this.#erases - this.#erasesAtCard;
		this.#erasesAtCard = -1;
		this.#board.reader.withdraw();
		this.#board.keypad.withdraw();
		onEnd?.(visit);
	}

	#onScreen(screen: Screen): void {
		if (this.#visit !== undefined) {
			this.#visit.screens.push(screen.name);
			if (screen.name === "presentCard") this.#erasesAtCard = this.#erases;
			if (screen.name === "waitForHost" && screen.stan !== undefined) this.#visit.stan = screen.stan;
		}
		this.#options.onScreen?.(screen);
		if (screen.name === "askDelivered" && screen.stan !== undefined) {
			const { stan } = screen;
			if (stan === this.#askedStan) return; // Asked again: one question has one answer.
			this.#askedStan = stan;
			this.#board.clock.setTimer(this.#cashierMs, () => {
				this.#askedStan = 0;
				const delivered = this.till.told(stan) === "paid" && this.#options.cashierDenies?.() !== true;
				this.#options.onDeliveryAnswer?.(stan, delivered);
				this.#board.terminal.answerDelivery(delivered);
			});
		}
		if (screen.name === "approvedNoPaper") {
			this.#board.clock.setTimer(this.#cashierMs, () => {
				this.till.paperSlips = 100;
				this.#board.terminal.acknowledge();
			});
		}
	}

	get #cashierMs(): number {
		const { cashierMs = 2_000 } = this.#options;
		return typeof cashierMs === "number" ? cashierMs : cashierMs();
	}

	/** Runs what may lose power inside. */
	#attempt(action: () => void): void {
		try {
			action();
		} catch (error) {
			if (!(error instanceof PowerLost)) throw error;
		}
	}
}

function sum(copies: readonly NorFlash[], count: (copy: NorFlash) => number): number {
	return copies.reduce((total, copy) => total + count(copy), 0);
}
