/**
 * A rig with a witness beside its terminal, wired as a world wires it, but for the order of a boot: a rig has no moment
 * between a terminal that is assembled and one that starts, so that its first words in the log stand for that moment.
 */
import { MemoryLink } from "../../../host-sim/board/memory-link";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { testTerminalKeys } from "../../../host-sim/board/test-terminal-keys";
import { Till } from "../../../host-sim/board/till";
import { TEST_CARDS } from "../../../host-sim/test-cards";
import { Witness } from "../../../host-sim/world/witness";
import { makeConfig } from "../../../src/config";
import type { Link, LogLevel } from "../../../src/ports";
import type { RigOptions } from "./rig";

export interface Broken {
	readonly invariant: string;
	readonly text: string;
}

export class Watch {
	readonly broken: Broken[] = [];
	readonly counts = new Map<string, number>();
	/** What the rig is to be made with. */
	readonly options: RigOptions;
	#witness: Witness | undefined;
	#connections = 0;
	/** The terminal of this boot is about to start. */
	#attach: (() => void) | undefined;

	constructor(seed: number, options: RigOptions = {}) {
		const keys = options.keys ?? testTerminalKeys();
		const till = options.till ?? new Till(options.paperSlips === undefined ? {} : { paperSlips: options.paperSlips });
		till.onSlip = (slip, paper) => this.witness.slip(slip, paper);
		const config = makeConfig({ doubtsMax: 12, doubtSumMinorMax: 5_000_000, ...options.config });
		this.options = {
			seed,
			...options,
			keys,
			till,
			onFlash: (flash, rig) => {
				this.#witness ??= new Witness({
					fail: (invariant, text) => this.broken.push({ invariant, text }),
					terminalId: config.terminalId,
					config,
					media: rig.mirror === undefined ? [rig.medium] : [rig.medium, rig.mirror],
					keys,
					cards: TEST_CARDS,
					random: new SeededRandom(seed).fork("witness"),
					count: (key) => this.counts.set(key, (this.counts.get(key) ?? 0) + 1),
				});
				this.#attach = () => this.witness.attach(rig.shop.terminal);
				options.onFlash?.(flash, rig);
			},
			onScreen: (screen, rig) => {
				options.onScreen?.(screen, rig);
				this.witness.screen(screen);
			},
			makeLinks: (power, clock, rig) => {
				power.onCut(() => this.witness.powerLost());
				clock.setTimer(1, () => this.witness.booted(rig.shop.terminal));
				const link = new MemoryLink({
					power,
					clock,
					network: rig.network,
					host: () => rig.host,
					onArrival: (bytes) => this.witness.frameArrived(bytes, this.#connections),
				});
				link.up = rig.linkUp;
				link.beforeWrite = (bytes) => {
					options.beforeWrite?.(bytes, rig);
					this.witness.frameWritten(bytes, this.#connections);
				};
				rig.link = link;
				const counted: Link = {
					name: link.name,
					secure: link.secure,
					connect: (callbacks) => {
						this.#connections++;
						return link.connect(callbacks);
					},
				};
				return [counted];
			},
			onLog: (text) => {
				options.onLog?.(text);
				const [, level, tag, words] = /^(\w) ([^:]*): (.*)$/s.exec(text) ?? [];
				if (words.startsWith("journal mounted")) this.#attach?.();
				this.witness.logLine(level as LogLevel, tag, words);
			},
		};
	}

	get witness(): Witness {
		if (this.#witness === undefined) throw new Error("the rig has not been made");
		return this.#witness;
	}

	texts(): string {
		return this.broken.map(({ invariant, text }) => `${invariant} ${text}`).join("\n");
	}
}
