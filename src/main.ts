/**
 * The device's entry, and the only file of src/ that imports drivers/: takes the board that the manifest selects,
 * composes a Terminal and boots it. What the manifest's `config` says is checked before anything begins (I11).
 * @module
 */
import { Board } from "drivers/boards/selected/board";
import settings from "mc/config";
import { makeConfig } from "./config";
import { AssertionError } from "./core/assert";
import { CodedError } from "./core/errors";
import { formatAmount } from "./core/money";
import { Terminal } from "./terminal";

/** A number of the manifest, or of mcconfig's command line, where it is a text. */
function setting(name: string, least: number, greatest: number): number {
	const value = Number(settings[name]);
	if (!Number.isInteger(value) || value < least || value > greatest) {
		throw new CodedError("range", `config ${name}`, `${least} to ${greatest}`);
	}
	return value;
}

function start(): void {
	const board = new Board({
		...{ address: String(settings.hostAddress), port: setting("hostPort", 1, 65_535) },
		...{ hostName: String(settings.hostName), tlsFolder: String(settings.tlsDir) },
	});
	const config = makeConfig({
		terminalId: String(settings.terminalId),
		merchantId: String(settings.merchantId),
		plainLinks: String(settings.plainLinks) === "true",
	});
	const selfTestMinor = setting("selfTestMinor", 0, config.saleMinorMax);
	let blank: boolean = board.flashIsBlank;

	const boot = (): void => {
		const device = board.powerUp(() => attempt(boot));
		const { clock } = device;
		const log = (level: "E" | "W" | "I", text: string) => device.log.write(level, clock.monotonic(), "main", text);
		/** What goes wrong outside the terminal's own guard takes the same way out. */
		const guarded = (action: () => void): void => {
			try {
				action();
			} catch (error) {
				device.restart(messageOf(error));
			}
		};
		guarded(() => {
			log("I", `firmware ${settings.version} on ${board.name}, terminal ${config.terminalId}`);
			const terminal = new Terminal(device, config);
			const first = blank;
			if (first) {
				log("W", "the flash is blank at each start: it is provisioned now");
				terminal.provision(); // The host gives the batch, one that it never gave before (I4).
				blank = false; // From here on the journal knows more than nothing.
			}
			const status = terminal.start();
			if (status !== "ok") {
				log("E", `journal ${status}: out of service`);
				return;
			}
			const { freeBlocks, doubts, copies } = terminal.summary();
			const where = `${freeBlocks} blocks free, ${copies} ${copies === 1 ? "copy" : "copies"}`;
			log("I", `journal mounted, ready after ${clock.monotonic()} ms: ${where}, ${doubts} doubts`);
			if (first && selfTestMinor > 0) {
				terminal.onSignedOn = () => {
					terminal.onSignedOn = undefined;
					// A turn later: this is deep inside the sign-on's answer.
					clock.setTimer(0, () => guarded(() => selfTest(board, terminal, selfTestMinor, log)));
				};
			}
		});
	};
	boot();
}

/** One sale of the board's test card: shows that card, flash, link and host work together. */
function selfTest(
	board: Board,
	terminal: Terminal,
	amountMinor: number,
	log: (level: "W" | "I", text: string) => void,
) {
	log("I", `self-test: a sale of ${formatAmount(amountMinor)}`);
	terminal.onSaleEnd = () => {
		terminal.onSaleEnd = undefined;
		const { charged, chargedMinor, doubts } = terminal.summary();
		const passed = charged === 1 && chargedMinor === amountMinor;
		log(passed ? "I" : "W", `self-test ${passed ? "passed" : "failed"}: ${charged} charged, ${doubts} doubts`);
	};
	board.holdTestCard();
	terminal.sale(amountMinor);
}

function messageOf(error: unknown): string {
	if (error instanceof AssertionError || error instanceof CodedError) return error.message;
	return `unexpected ${error instanceof Error ? error.name : "value"}`;
}

/** The engine says nothing of an error that nobody caught; this is the last place to say it. */
function attempt(action: () => void): void {
	try {
		action();
	} catch (error) {
		trace(`E (0) main: cannot start: ${messageOf(error)}\n`);
		throw error;
	}
}

attempt(start);
