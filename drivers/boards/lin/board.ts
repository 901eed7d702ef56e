/**
 * The board that is none: the SDK's simulator on a Linux desktop. Flash is memory, two chips of it, screen and printer
 * are lines of the log, cards and PINs come from the program; clock, random bytes and the TCP link to the host are real.
 *
 * The board outlives restarts of the firmware, and so does what its flash holds. One boot is one Device; when the
 * firmware asks for a restart its Device goes dead, and the board calls back a moment later for the next boot.
 * @module
 */
import TCP from "embedded:io/socket/tcp";
import TLS from "embedded:io/socket/tcp/tls";
import Time from "time";
import Timer from "timer";
import { fromHex } from "../../../src/core/bytes";
import type { Clock, Device, Link, LogSink } from "../../../src/ports";
import { DeviceClock } from "../../device-clock/device-clock";
import { LogDisplay } from "../../log-display/log-display";
import { LogPrinter } from "../../log-printer/log-printer";
import { blankMemory, MemoryFlash } from "../../memory-flash/memory-flash";
import { MemoryKeypad } from "../../memory-keypad/memory-keypad";
import { filledMemory, MemoryKeys } from "../../memory-keys/memory-keys";
import { MemoryReader } from "../../memory-reader/memory-reader";
import { SystemRandom } from "../../system-random/system-random";
import { TcpLink } from "../../tcp-link/tcp-link";
import { HostTrust } from "../../tls-link/host-trust";
import { sdkPrimitives } from "../../tls-link/sdk/primitives";
import { type TlsIoClass, TlsLink } from "../../tls-link/tls-link";
import { TraceLog } from "../../trace-log/trace-log";
import { TEST_CARD, TEST_CARD_EMV, TEST_KEYS } from "./test-keys";
import { readTlsFiles } from "./tls-files";

export interface BoardOptions {
	/** The host: IPv4 address in digits, and port. */
	address: string;
	port: number;
	/** Folder with the certificates that `npm run certs` wrote; "" for plain TCP. */
	tlsFolder: string;
	/** The host's name in its certificate. */
	hostName: string;
}

const BLOCK_BYTES = 4096;
const BLOCKS = 16;
/** What a reset takes on a board; also keeps a firmware that fails at each boot from spinning. */
const RESET_MS = 1000;

export class Board {
	readonly name = "lin";
	/** The flash is blank when the program starts, so whoever starts it must provision. */
	readonly flashIsBlank = true;
	/** Lines may also come before the first boot. */
	readonly log: LogSink = new TraceLog({ trace: (text) => trace(text) });
	readonly #options: BoardOptions;
	/** The chip of the journal, and that of its mirror. */
	readonly #chips = [blankMemory(BLOCKS * BLOCK_BYTES), blankMemory(BLOCKS * BLOCK_BYTES)] as const;
	readonly #keyMemory = filledMemory(TEST_KEYS);
	#reader: MemoryReader | undefined;
	#resetting = false;

	constructor(options: BoardOptions) {
		this.#options = options;
	}

	/** All ports for one boot. @param onReset - the board is ready for the next boot; called from a timer */
	powerUp(onReset: () => void): Device {
		this.#resetting = false;
		const { log } = this;
		const clock = new DeviceClock({ timer: Timer, time: Time, wall: Date });
		const journal = new MemoryFlash({ memory: this.#chips[0], blockLength: BLOCK_BYTES });
		const mirror = new MemoryFlash({ memory: this.#chips[1], blockLength: BLOCK_BYTES });
		const link = this.#makeLink(clock);
		const keys = new MemoryKeys({ memory: this.#keyMemory });
		const reader = new MemoryReader({ clock });
		const keypad = new MemoryKeypad({ clock });
		this.#reader = reader;
		const uptimeMs = clock.monotonic();
		log.write("W", uptimeMs, "board", "TEST KEYS: they are public, nothing here is secret or real");
		log.write(
			"W",
			uptimeMs,
			"board",
			`flash is memory, twice ${BLOCKS} blocks of ${BLOCK_BYTES}: gone when the program ends`,
		);
		return {
			flash: { journal, mirror },
			links: [link],
			clock,
			random: new SystemRandom(),
			keys,
			reader,
			keypad,
			display: new LogDisplay({ log, clock }),
			printer: new LogPrinter({ log, clock }),
			log,
			restart: (reason) => {
				if (this.#resetting) return; // What still runs on a dead board fails, and asks again.
				this.#resetting = true;
				log.write("E", clock.monotonic(), "board", `reset: ${reason}`);
				for (const part of [reader, keypad, link, journal, mirror, keys, clock]) part.close();
				Timer.set(onReset, RESET_MS);
			},
		};
	}

	/** @throws {CodedError} when certificates are wanted and cannot be had: better no link than a plain one */
	#makeLink(clock: Clock): Link & { close(): void } {
		const { address, port, tlsFolder, hostName } = this.#options;
		if (tlsFolder === "") return new TcpLink({ socket: { io: TCP, address, port }, clock });
		const trust = new HostTrust({ ...readTlsFiles(tlsFolder), hostName, clock, primitives: sdkPrimitives });
		const io = TLS as unknown as TlsIoClass; // Its typing knows ArrayBuffers only, and no option but two.
		return new TlsLink({ socket: { io, tcp: TCP, address, port }, trust, clock, log: this.log });
	}

	/** Somebody holds the test card to the reader. */
	holdTestCard(): void {
		this.#reader?.hold({ data: { ...TEST_CARD, emv: fromHex(TEST_CARD_EMV, "test card") } });
	}
}
