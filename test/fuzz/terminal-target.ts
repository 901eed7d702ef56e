/**
 * A whole terminal on virtual time, its host, and somebody on the line between them who has no keys (hostile-link.ts).
 * The firmware never restarts; nobody is told "paid" without an approval that the host has sent for that very sale;
 * when he has gone, what was left open is settled and money is where people were told it is; no card number stands in
 * the log; one connection at a time, and no timers that nobody needs.
 */
import { desDecrypt } from "../../host-sim/acquirer/ciphers";
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import type { SeededRandom } from "../../host-sim/board/seeded-random";
import { checkMoney } from "../../host-sim/world/check-money";
import { equalBytes, fromHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { MessageDecoder } from "../../src/iso8583/decoder";
import type { Dialect } from "../../src/iso8583/dialect";
import { layoutOf } from "../../src/iso8583/layout";
import { responseText } from "../../src/iso8583/response-codes";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { UNIONPAY_DUKPT } from "../../src/iso8583/unionpay-dukpt";
import { createMac } from "../../src/security/mac";
import { KIND_OFFLINE_SALE } from "../../src/transactions/records";
import { Rig } from "../host-sim/world/rig";
import { drawnCards } from "../security/secret-day";
import file from "../vectors/unionpay.json";
import { framesOf } from "./decoder-target";
import { type Attack, HostileLink, Wire } from "./hostile-link";
import { Mutator } from "./mutations";
import { cardWindows, showsCard } from "./secrets";
import { type CaseInput, must, type Target } from "./target";

const SALES_MAX = 3;
const CARDS = ["contactless", "chip", "chip-pin", "magstripe-pin"];
/** Longer than anything of his takes. */
const LATE_MS = 600_000;
/** Timers of terminal and host at rest, all together. */
const TIMERS_MAX = 64;
const TMK = fromHex(TEST_KEYS.TMK);

export function terminalTarget(): Target {
	return {
		name: "terminal",
		brief: "a terminal at work, and somebody without keys on the line",
		blockCases: 20,
		weight: 4,
		make: () => {
			const corpus = framesOf(file.vectors);
			const mutators = { session: new Mutator(UNIONPAY, corpus), dukpt: new Mutator(UNIONPAY_DUKPT, corpus) };
			return (random, input) => {
				const keyScheme = random.chance(1, 4) ? "dukpt" : "session";
				new TerminalCase(random, input, keyScheme, mutators[keyScheme]).run();
			};
		},
	};
}

class TerminalCase {
	readonly #random: SeededRandom;
	readonly #input: CaseInput;
	readonly #dialect: Dialect;
	readonly #wire = new Wire();
	readonly #attack: Attack;
	readonly #rig: Rig;
	readonly #restarts: string[] = [];
	/** Trace numbers of advices. */
	readonly #advices = new Set<number>();
	readonly #leaks: string[] = [];

	constructor(random: SeededRandom, input: CaseInput, keyScheme: "session" | "dukpt", mutator: Mutator) {
		this.#random = random;
		this.#input = input;
		this.#dialect = keyScheme === "dukpt" ? UNIONPAY_DUKPT : UNIONPAY;
		const cards = drawnCards(random);
		const windows = cardWindows(cards);
		const attack: Partial<Attack> & Pick<Attack, "calm"> = { calm: random.chance(1, 2) };
		this.#rig = new Rig({
			seed: random.below(1_000_000),
			config: { keyScheme },
			cards,
			onLog: (text) => {
				// Not thrown here: the firmware would take it for its own.
				if (showsCard(windows, text)) this.#leaks.push(text);
				if (text.includes("restart:")) this.#restarts.push(text);
				this.#input.text(text);
			},
			makeLinks: (power, _clock, rig) => {
				Object.assign(attack, {
					random: random.fork("attack"),
					network: rig.network,
					dialect: this.#dialect,
					mutator,
					input,
					host: () => rig.host,
				});
				return [new HostileLink(attack as Attack, this.#wire, power)];
			},
		});
		this.#attack = attack as Attack;
	}

	run(): void {
		const random = this.#random;
		const rig = this.#rig;
		// Signs on undisturbed, or not.
		rig.time.advance(random.below(20_000));
		this.#attack.calm = false;
		if (random.chance(1, 3)) this.#forward();
		for (let sales = 1 + random.below(SALES_MAX); sales > 0; sales--) {
			const amountMinor = 1 + random.below(100_000);
			this.#input.text(`sale ${amountMinor}`);
			const visit = rig.sell(amountMinor, random.pick(CARDS));
			must(visit.ended, "endless", "a customer waits for ten minutes");
			if (random.chance(1, 4)) rig.time.advance(random.below(200_000));
		}
		this.#check();
		this.#attack.calm = true;
		this.#input.text("from here on undisturbed");
		rig.settle();
		this.#check();
		rig.time.advance(LATE_MS); // What he has sent on its way before.
		this.#check();
		must(rig.time.pending <= TIMERS_MAX, "memory", `${rig.time.pending} timers at rest`);
		// A MAC that XORs blocks is met by two changes that cancel out, also by chance: then his word is the host's, and
		// no terminal can know better. That is what TLS is for.
		if (this.#forgeries() > 0) return;
		must(rig.shop.terminal.atRest || this.#otherAmount(), "endless", "something is left open for ever");
		const entries = rig.entries();
		const uneven = entries.find((entry) => entry.cardNetMinor !== entry.merchantNetMinor);
		must(uneven === undefined, "money", `stan ${uneven?.stan}: card and merchant differ`);
		must(rig.shop.terminal.summary().advices === 0, "money", "an advice was never told to the host");
		const money = checkMoney(
			entries.filter(({ stan }) => !this.#advices.has(stan)),
			rig.shop.till,
		);
		const wrong = money.rows.find((row) => row.wrong !== undefined);
		must(money.conserved, "money", `stan ${wrong?.stan}: ${wrong?.wrong}`);
	}

	/** Offline sales that wait for the line: nobody is told anything of them here. */
	#forward(): void {
		const { terminal } = this.#rig.shop;
		const { pan, expiry, sequence } = this.#rig.cards.find(({ name }) => name === "contactless") ?? this.#rig.cards[0];
		for (let advices = 1 + this.#random.below(20); advices > 0; advices--) {
			const amountMinor = 1 + this.#random.below(10_000);
			const timeS = Math.floor(this.#rig.time.nowMs / 1_000);
			const advice = { kind: KIND_OFFLINE_SALE, amountMinor, timeS, entryMode: "072", condition: "00" };
			const id = terminal.forward({ ...advice, field60Rest: "00060" }, { pan, expiry, sequence });
			// Not signed on yet: there is no batch.
			if (typeof id === "number") this.#advices.add(terminal.log.intent(id).stan);
		}
		this.#input.text(`${this.#advices.size} advices`);
	}

	/** What holds at any time. */
	#check(): void {
		const { shop } = this.#rig;
		must(shop.restarts === 0, "restart", this.#restarts.join("; "));
		must(this.#leaks.length === 0, "secret", `a card number in the log: ${this.#leaks[0]}`);
		must(this.#wire.openMost <= 1, "memory", `${this.#wire.openMost} connections at a time`);
		for (const visit of shop.visits) {
			const told = shop.till.notesOf(visit.stan).some((note) => note.told === "paid");
			if (visit.stan === 0 || !told) continue;
			must(
				this.#approved(visit.stan, visit.amountMinor),
				"money",
				`stan ${visit.stan}: told paid, and nobody approved it`,
			);
		}
	}

	/** An approval of this sale has arrived that the host has sent, or that has a right MAC. */
	#approved(stan: number, amountMinor: number): boolean {
		return this.#wire.arrived.some((frame) => {
			const message = this.#decoded(frame);
			if (message?.mti !== "0210" || !message.has(11) || message.number(11) !== stan || !message.has(39)) return false;
			if (responseText(message.text(39)).class !== "approved") return false;
			if (message.has(4) && message.number(4) !== amountMinor) return false;
			return this.#sentByHost(frame) || this.#rightMac(message);
		});
	}

	/**
	 * The host itself has named another amount, having got a request that was changed on the line: by PROTOCOL a doubt that
	 * only a person ends.
	 */
	#otherAmount(): boolean {
		return this.#wire.arrived.some((frame) => {
			const message = this.#decoded(frame);
			if (message === undefined || !message.has(4) || !message.has(11) || !this.#sentByHost(frame)) return false;
			const visit = this.#rig.shop.visits.find(({ stan }) => stan === message.number(11));
			return visit !== undefined && message.number(4) !== visit.amountMinor;
		});
	}

	/** Answers that the host has not sent so, and that are under a right MAC all the same. */
	#forgeries(): number {
		return this.#wire.arrived.filter((frame) => {
			if (this.#sentByHost(frame)) return false;
			const message = this.#decoded(frame);
			return message !== undefined && this.#rightMac(message);
		}).length;
	}

	#sentByHost(frame: Uint8Array): boolean {
		return this.#wire.isSent(frame, layoutOf(this.#dialect).mtiOffset);
	}

	#decoded(frame: Uint8Array): MessageDecoder | undefined {
		const message = new MessageDecoder(this.#dialect);
		try {
			message.decode(frame, frame.length);
			return message;
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			return undefined;
		}
	}

	/** Under any keys that the host has given out. A CMAC is not met by chance. */
	#rightMac(message: MessageDecoder): boolean {
		if (this.#dialect.mac === "cmac" || message.macDe === 0) return false;
		const algorithm = createMac(this.#dialect.mac);
		return this.#maks().some((mak) =>
			message.verify({
				verify: (bytes, start, end, macOffset) => {
					const expected = new Uint8Array(8);
					algorithm.compute(mak, bytes, start, end, expected, 0);
					return equalBytes(expected, bytes.subarray(macOffset, macOffset + 8));
				},
			}),
		);
	}

	#maks(): Uint8Array[] {
		return this.#wire.keyBlocks
			.filter((block) => block.length === 40)
			.map((block) => {
				const mak = block.slice(20, 36);
				desDecrypt(TMK, mak);
				return mak.subarray(8).every((byte) => byte === 0) ? mak.slice(0, 8) : mak;
			});
	}
}
