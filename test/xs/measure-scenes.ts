/**
 * What is measured: a terminal on a measuring board, brought to where a scene begins, and the scene. The same code runs
 * where the conversation with the host is recorded and where it is played.
 */

import type { FaultName } from "../../host-sim/acquirer/fault-names";
import { cardData } from "../../host-sim/board/scripted-reader";
import { findTestCard } from "../../host-sim/test-cards";
import { type ConfigOptions, makeConfig } from "../../src/config";
import { assert } from "../../src/core/assert";
import type { Link } from "../../src/ports";
import { Terminal } from "../../src/terminal";
import { KIND_OFFLINE_SALE } from "../../src/transactions/records";
import { MeasureBoard, type MeasureClock, Probe, type Remains, STOPPED } from "./measure-board";

const AMOUNT_MINOR = 1_234;
const HOST = { terminalId: "12345678", merchantId: "123456789012345" };
const SIGN_ON_MS = 60_000;
const SALE_MS = 120_000;
const REST_MS = 20_000;
/** The first answers have come, and the next advices have gone. */
const FIRST_ANSWERS_MS = 200;
/** Longer than a lost original may live in a network, and its second reversal. */
const REVERSAL_MS = 1_800_000;

export type KeySchemeName = "session" | "dukpt";

/** One terminal and its board. */
export class Stand {
	readonly board: MeasureBoard;
	readonly #config: ConfigOptions;
	/** Where the recording is, the host's answers can be lost. */
	readonly loseAnswers: (lost: boolean) => void;
	/** And its books can be spoilt: by this, once. */
	readonly strike: (fault: FaultName) => void;
	#terminal: Terminal | undefined;

	constructor(options: {
		readonly scheme: KeySchemeName;
		readonly card: string;
		readonly blocks: number;
		readonly config: ConfigOptions | undefined;
		readonly collect: () => void;
		readonly makeLink: (clock: MeasureClock, probe: Probe) => Link;
		readonly loseAnswers?: (lost: boolean) => void;
		readonly strike?: (fault: FaultName) => void;
		readonly remains?: Remains | undefined;
	}) {
		const probe = new Probe(options.collect);
		const { card, blocks, makeLink, remains } = options;
		this.board = new MeasureBoard({ card, blocks, probe, makeLink: (clock) => makeLink(clock, probe), remains });
		this.#config = { ...HOST, keyScheme: options.scheme, ...options.config };
		this.loseAnswers = options.loseAnswers ?? (() => {});
		this.strike = options.strike ?? (() => {});
	}

	get terminal(): Terminal {
		assert(this.#terminal !== undefined, "the stand has a terminal");
		return this.#terminal;
	}

	construct(): void {
		this.#terminal = new Terminal(this.board, makeConfig(this.#config));
	}

	/** What comes after another life. */
	startAgain(): void {
		this.construct();
		assert(this.terminal.start() === "ok", "the journal mounts");
		assert(
			this.board.runUntil(() => this.terminal.signedOn, SIGN_ON_MS),
			"the terminal signs on",
		);
	}

	/** A blank board's first start. */
	start(): void {
		this.construct();
		this.terminal.provision();
		assert(this.terminal.start() === "ok", "a provisioned terminal starts");
	}

	signOn(): void {
		assert(
			this.board.runUntil(() => this.terminal.signedOn, SIGN_ON_MS),
			"the terminal signs on",
		);
		this.board.run(REST_MS);
	}

	/** A sale until nobody waits for anything any more. @param end - the screen that it ends with */
	sell(end: "approved" | "noAnswer", amountMinor = AMOUNT_MINOR): void {
		assert(this.terminal.sale(amountMinor) === undefined, "the sale begins");
		assert(
			this.board.runUntil(() => this.board.screen === end, SALE_MS),
			`a sale ends ${end}`,
		);
		this.board.runUntil(() => this.terminal.phase === "idle", SALE_MS);
	}

	/** An offline sale for the queue. */
	forward(): void {
		const card = findTestCard("contactless");
		assert(card !== undefined, "there is a contactless test card");
		const { pan, expiry, sequence } = cardData(card);
		const advice = {
			kind: KIND_OFFLINE_SALE,
			amountMinor: AMOUNT_MINOR,
			timeS: Math.floor(this.board.clock.nowMs / 1_000),
			entryMode: "072",
			condition: "00",
			field60Rest: "00060",
		};
		const id = this.terminal.forward(advice, { pan, expiry, ...(sequence === undefined ? {} : { sequence }) });
		assert(typeof id === "number", `the advice is taken, not ${id}`);
	}
}

export interface Scene {
	readonly name: string;
	readonly what: string;
	readonly scheme: KeySchemeName;
	readonly card: string;
	/** Of the journal's partition. */
	readonly blocks: number;
	readonly config?: ConfigOptions;
	/** In a comparison with the host's books, this many transactions are compared. */
	readonly compared?: number;
	/** The life of an earlier boot, of which the board remains. */
	earlier?(stand: Stand): void;
	/** Up to where the measurement begins. */
	prepare(stand: Stand): void;
	act(stand: Stand): void;
}

/** Signed on, and one sale done: what is made when it is first needed is there. */
function warm(stand: Stand): void {
	stand.start();
	stand.signOn();
	stand.sell("approved");
	stand.board.run(REST_MS);
}

const LIVE_AT_BOOT = 1_000;
const COMPARED = 500;
const BLOCKS_FEW = 64;
/** 1,000 advices find room. */
const BLOCKS_MANY = 512;

const SALE_SCENES: readonly Scene[] = (["session", "dukpt"] as const).flatMap((scheme) =>
	["contactless", "chip-pin"].map((card) => ({
		name: `sale, ${card}, ${scheme}`,
		what: `a sale by ${card}, from the amount to the ready screen; ${scheme} keys`,
		scheme,
		card,
		blocks: BLOCKS_FEW,
		prepare: warm,
		act: (stand: Stand) => {
			stand.sell("approved");
			stand.board.run(REST_MS);
		},
	})),
);

/** Where as many transactions as the journal takes become live. */
export const LIVE_SCENE: Scene = { ...SALE_SCENES[0], name: "live", blocks: BLOCKS_MANY };

const SHOP_SCENES: readonly Scene[] = [
	...SALE_SCENES,
	{
		name: "sale without an answer",
		what: "its time-out, the reversal, and the second one ten minutes later",
		scheme: "session",
		card: "chip-pin",
		blocks: BLOCKS_FEW,
		prepare: warm,
		act: (stand) => {
			stand.loseAnswers(true);
			stand.sell("noAnswer");
			stand.loseAnswers(false);
			stand.board.runUntil(() => stand.terminal.atRest, REVERSAL_MS);
			assert(stand.terminal.atRest, "the doubt is settled");
		},
	},
	{
		name: "advice",
		what: "taken, sent and answered",
		scheme: "session",
		card: "contactless",
		blocks: BLOCKS_FEW,
		prepare: warm,
		act: (stand) => {
			stand.forward();
			assert(
				stand.board.runUntil(() => stand.terminal.summary().advices === 0, SALE_MS),
				"the host takes the advice",
			);
			stand.board.run(REST_MS);
		},
	},
	...[0, LIVE_AT_BOOT].map((live) => ({
		name: `boot, ${live} live`,
		what: `construction, mount with ${live} live transactions, sign-on${live === 0 ? "" : ", the first advices answered"}`,
		scheme: "session" as const,
		card: "contactless",
		blocks: BLOCKS_MANY,
		earlier: (stand: Stand) => {
			stand.start();
			stand.signOn();
			stand.loseAnswers(true);
			for (let n = 0; n < live; n++) stand.forward();
		},
		prepare: () => {},
		act: (stand: Stand) => {
			stand.startAgain();
			stand.board.run(FIRST_ANSWERS_MS);
		},
	})),
];

/** Where the host's books are spoilt, sale by sale, so that each calls for another remedy. */
const SPOILT: Readonly<Record<number, FaultName>> = { 50: "recordLost", 250: "reversedWrongly", 400: "amountAltered" };
const SYNC_MS = 600_000;
/** Nothing is compared before its time. */
const SELDOM: ConfigOptions = { syncEveryMs: 86_400_000 };

function sellMany(stand: Stand, spoilt: Readonly<Record<number, FaultName>>): void {
	stand.start();
	stand.signOn();
	for (let n = 0; n < COMPARED; n++) {
		const fault = spoilt[n];
		if (fault !== undefined) stand.strike(fault);
		stand.sell("approved", AMOUNT_MINOR + n); // One card, one amount: that would be asked about.
	}
}

function compareToEnd(stand: Stand): void {
	assert(
		stand.board.runUntil(() => !stand.terminal.comparing, SYNC_MS),
		"the comparison goes through",
	);
}

/** Begins with the whole list, as the first comparison since a start is; what comes of it follows. */
const SYNC_BASE = { scheme: "session", card: "contactless", blocks: BLOCKS_MANY, config: SELDOM } as const;

export const SYNC_SCENES: readonly Scene[] = [
	{
		...SYNC_BASE,
		name: `sync of ${COMPARED}, list`,
		what: "the first comparison since a start: the host's whole list, which agrees",
		compared: COMPARED,
		earlier: (stand) => sellMany(stand, {}),
		prepare: (stand) => stand.startAgain(),
		act: (stand) => {
			compareToEnd(stand);
			assert(stand.terminal.cases.count === 0, "the books agree");
		},
	},
	{
		...SYNC_BASE,
		name: `sync of ${COMPARED}, digest`,
		what: "a later comparison, which agrees: one digest of all, one of what should be posted",
		compared: COMPARED,
		earlier: (stand) => sellMany(stand, {}),
		prepare: (stand) => {
			stand.startAgain();
			compareToEnd(stand);
			stand.board.run(REST_MS);
		},
		act: (stand) => {
			stand.terminal.sync();
			compareToEnd(stand);
			assert(stand.terminal.cases.count === 0, "the books agree");
		},
	},
	{
		...SYNC_BASE,
		name: `sync of ${COMPARED}, 3 differ`,
		what: "three sales are lost, reversed and altered in the host's books: cases, their remedies, and agreement",
		compared: COMPARED,
		earlier: (stand) => sellMany(stand, SPOILT),
		prepare: (stand) => stand.startAgain(),
		act: (stand) => {
			const { cases } = stand.terminal;
			assert(
				stand.board.runUntil(() => cases.count === 3 && cases.openCount === 0, SYNC_MS),
				"each difference is found and resolved",
			);
			stand.board.run(REST_MS);
		},
	},
];

export const SCENES: readonly Scene[] = [...SHOP_SCENES, ...SYNC_SCENES];

/** @returns whether it came to its end, and was not stopped before */
export function runScene(scene: Scene, stand: Stand): boolean {
	try {
		scene.act(stand);
	} catch (error) {
		if (error !== STOPPED) throw error;
		if (stand.board.restarted !== undefined && stand.board.probe.stopAt === 0) {
			assert(false, `the terminal restarts: ${stand.board.restarted}`);
		}
		return false;
	}
	return true;
}
