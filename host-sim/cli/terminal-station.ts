/**
 * One terminal in one process: a board over a file of flash or two, a link over TCP or TLS, real time, and a till whose
 * notes outlive the process. The process is the power supply: its end, by whatever means, is a power cut, and the next
 * process is the next boot.
 * @module
 */
import { randomInt } from "node:crypto";
import * as fs from "node:fs";
import type { Config } from "../../src/config";
import { AssertionError } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import type { MountStatus } from "../../src/journal/headers";
import { type Device, KEY_BYTES_MAX, type Link, type LogSink, type Screen, type Slip } from "../../src/ports";
import { Terminal } from "../../src/terminal";
import { createDevice } from "../board/device";
import { Power, PowerLost } from "../board/power";
import { ScriptedKeypad } from "../board/scripted-keypad";
import { ScriptedReader } from "../board/scripted-reader";
import { SeededRandom } from "../board/seeded-random";
import { Till } from "../board/till";
import { FileFlash, isThere } from "../node/file-flash";
import { FileKeys, keysPath } from "../node/file-keys";
import { evidencePath, FlashFiles, flashExists } from "../node/flash-files";
import { ScaledClock } from "../node/scaled-clock";
import { TcpLink } from "../node/tcp-link";
import type { TlsIdentity } from "../node/tls-identity";
import { TlsLink } from "../node/tls-link";
import { type KeyToLoad, testKeys } from "./key-file";
import { NotesFile, notesPath } from "./terminal-notes";

export interface StationOptions {
	flashPath: string;
	/** Keep a second copy of the journal in a file beside it. */
	mirror?: boolean;
	/** Create the file with so many blocks where there is none, and make it a journal; absent: it must be one. */
	provision?: { blocks: number };
	/** Keys that a technician loads; absent: with `provision` the test keys, else none. */
	keys?: readonly KeyToLoad[];
	host: string;
	port: number;
	/** Absent: plain TCP. */
	tls?: TlsIdentity;
	speed: number;
	config: Config;
	log: LogSink;
	/** After the note of it is on disk. */
	onScreen(screen: Screen): void;
	/** A whole slip, after the note of it is on disk. */
	onSlip(slip: Slip): void;
	/** The firmware asked for a restart: nothing works any more, the process should end. */
	onRestart(reason: string): void;
}

/** At a higher speed, time that the process could not use does not pass. */
const STALL_MS = 20;

/** Twice the blocks of the largest flash that can be made here. */
const MENDING_STEPS_MAX = 2 * 16_384;

/** 64 KiB: the frames of about 100 sales. */
const EVIDENCE_BLOCKS = 16;

/** Why a flash file is not a journal to sell from, for the person at the command line. */
const MOUNT_TEXTS = {
	unprovisioned: "erased, or its provisioning was interrupted; --provision makes it a journal",
	foreign: "holds something that is no journal, or its mirror is another one's; all is left as it is",
	newer: "written by a newer firmware; it is left as it is",
} as const;

export class Station {
	readonly till = new Till();
	readonly notes: NotesFile;
	readonly clock: ScaledClock;
	readonly reader: ScriptedReader;
	readonly keypad: ScriptedKeypad;
	readonly terminal: Terminal;
	/** Journal begun in this process. */
	readonly provisioned: boolean;
	/** What the flash was when it was opened. */
	readonly mount: MountStatus;
	readonly #flash: FlashFiles;
	/** Masked frames. A terminal works without them: an empty file is as good as an old one. */
	readonly #evidence: FileFlash;
	readonly #device: Device;

	/**
	 * Opens everything; nothing is sold yet, and nothing is written unless provisioning was asked for.
	 * @throws {CodedError} with one line that says what is wrong with the flash file or the notebook
	 */
	constructor(options: StationOptions) {
		const { flashPath, mirror = false, provision, speed, config, log } = options;
		if (provision !== undefined && !flashExists(flashPath, mirror)) refuseOldNotes(flashPath);
		const create = provision === undefined ? {} : { createBlocks: provision.blocks };
		this.#flash = FlashFiles.open({ path: flashPath, mirror, ...create });
		const frames = evidencePath(flashPath);
		const hadFrames = isThere(frames);
		try {
			this.#evidence = FileFlash.open(frames, { createBlocks: EVIDENCE_BLOCKS });
		} catch (error) {
			this.#flash.close();
			throw error;
		}
		try {
			// Chance of the firmware's own: a seed would repeat it in every process. `--seed` is for the customers.
			const random = new SeededRandom(randomInt(2 ** 47));
			const keys = new FileKeys(keysPath(flashPath));
			const power = new Power();
			this.clock = new ScaledClock({ scale: speed, power, ...(speed > 1 ? { stallMs: STALL_MS } : {}) });
			this.reader = new ScriptedReader({ power, clock: this.clock });
			this.keypad = new ScriptedKeypad({ power, clock: this.clock });
			this.till.onScreen = (screen) => {
				this.notes.screen(screen, this.clock.now());
				options.onScreen(screen);
			};
			this.till.onSlip = (slip, paper) => {
				if (paper !== "whole") return;
				this.notes.slip(slip, this.clock.now());
				options.onSlip(slip);
			};
			const { display, printer } = this.till.attach(power, this.clock);
			this.#device = createDevice({
				power,
				flash: {
					...this.#flash.boot(power, random.fork("flash")),
					evidence: this.#evidence.boot(power, random.fork("ring")),
				},
				links: [this.#makeLink(options, power)],
				clock: this.clock,
				reader: this.reader,
				keypad: this.keypad,
				display,
				printer,
				random: random.fork("firmware"),
				keys,
				log,
				onRestart: (reason) => options.onRestart(reason),
			});
			this.terminal = new Terminal(this.#device, config);
			this.mount = this.terminal.log.mount().status;
			this.provisioned = this.#makeJournal(flashPath, provision !== undefined);
			this.#loadKeys(options.keys ?? (this.provisioned ? testKeysFor(keys) : []));
			this.notes = NotesFile.open(notesPath(flashPath), this.terminal.log.mount().id);
		} catch (error) {
			this.#flash.close();
			this.#evidence.close();
			// No terminal was there to fill it: nothing is left behind where there was nothing.
			if (!hadFrames) fs.rmSync(frames, { force: true });
			throw error;
		}
	}

	#makeLink({ host, port, tls, log }: StationOptions, power: Power): Link {
		const onFailed = (reason: string) => log.write("W", this.clock.monotonic(), "link", `no host: ${reason}`);
		const options = { host, port, power, onFailed };
		return tls === undefined ? new TcpLink(options) : new TlsLink({ ...options, tls });
	}

	/** Boots the terminal: open ends of earlier processes show now. */
	boot(): void {
		this.attempt(() => this.terminal.start());
	}

	/** Calls into the firmware from outside a device; an error that comes out of it restarts the terminal. */
	attempt(action: () => void): void {
		try {
			action();
		} catch (error) {
			if (error instanceof PowerLost) return;
			const ours = error instanceof AssertionError || error instanceof CodedError;
			try {
				this.#device.restart(ours ? error.message : "unexpected error");
			} catch (lost) {
				if (!(lost instanceof PowerLost)) throw lost;
			}
			if (!ours) throw error;
		}
	}

	/** A timer of the people around the terminal. */
	later(ms: number, action: () => void): void {
		this.clock.setTimer(ms, () => this.attempt(action));
	}

	wait(ms: number): Promise<void> {
		return new Promise((resolve) => {
			this.clock.setTimer(ms, resolve);
		});
	}

	/** An orderly end; the files can be opened by another process. */
	close(): void {
		this.attempt(() => {
			if (this.terminal.phase === "idle") this.#mend();
			this.terminal.stop();
		});
		this.clock.close();
		this.notes.close();
		this.#flash.close();
		this.#evidence.close();
	}

	/** A terminal stays on over night and finds the time; a process that ends takes it now. */
	#mend(): void {
		const { journal } = this.terminal.log;
		for (let steps = 0; steps < MENDING_STEPS_MAX && journal.idle(); steps++);
	}

	/** @returns whether a journal was begun */
	#makeJournal(flashPath: string, wanted: boolean): boolean {
		const place = `flash file ${flashPath}`;
		const status = this.mount;
		if (status === "ok" || status === "rebuilt") {
			if (!wanted) return false;
			throw new CodedError("state", place, "is provisioned already; without --provision it is used as it is");
		}
		if (status !== "unprovisioned" || !wanted) throw new CodedError(status, place, MOUNT_TEXTS[status]);
		refuseOldNotes(flashPath);
		this.terminal.provision();
		return true;
	}

	#loadKeys(keys: readonly KeyToLoad[]): void {
		for (const { name, key, check, id } of keys) {
			try {
				if (name !== "DUKPT") this.terminal.loadKey(name, key, check);
				else if (id !== undefined) this.terminal.loadDukptKey(key, id, check);
			} finally {
				key.fill(0);
			}
		}
	}
}

/** A notebook of an earlier journal would speak of trace numbers that are about to be used again. */
function refuseOldNotes(flashPath: string): void {
	const path = notesPath(flashPath);
	if (fs.existsSync(path))
		throw new CodedError("state", `till notes ${path}`, "of an earlier journal; move it away first");
}

/** The test keys; not those of DUKPT once more, whose counter would begin anew (I4). */
function testKeysFor(store: FileKeys): KeyToLoad[] {
	const known = store.read("DUKPT", new Uint8Array(KEY_BYTES_MAX)) > 0;
	return testKeys().filter(({ name }) => !known || name !== "DUKPT");
}
