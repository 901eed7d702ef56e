/**
 * A simulated board for one boot: all ports of a terminal behind one power supply. The next boot is a new Power, new
 * per-boot parts and a new Device over the same flash medium, till and log.
 * @module
 */
import type {
	CardReader,
	Clock,
	Device,
	Display,
	Keypad,
	KeyStore,
	Link,
	LogSink,
	Printer,
	RandomSource,
} from "../../src/ports";
import { type Power, PowerLost } from "./power";

export interface DeviceOptions {
	power: Power;
	/** These know the power supply themselves. */
	flash: Device["flash"];
	links: Link[];
	clock: Clock;
	reader: CardReader;
	keypad: Keypad;
	display: Display;
	printer: Printer;
	/** These may live longer than one boot: the device guards them. */
	random: RandomSource;
	keys: KeyStore;
	log: LogSink;
	/** The firmware asked for a restart; called once, before power goes. Must not boot from inside the call. */
	onRestart?(reason: string): void;
}

export function createDevice(options: DeviceOptions): Device {
	const { power, flash, links, clock, reader, keypad, display, printer, random, keys, log, onRestart } = options;
	return {
		flash,
		links,
		clock,
		reader,
		keypad,
		display,
		printer,
		random: {
			fill(bytes) {
				power.check();
				random.fill(bytes);
			},
		},
		keys: {
			read(name, out) {
				power.check();
				return keys.read(name, out);
			},
			write(name, key) {
				power.check();
				keys.write(name, key);
			},
		},
		log: {
			write(level, uptimeMs, tag, text) {
				power.check();
				log.write(level, uptimeMs, tag, text);
			},
		},
		// On a board this call does not return.
		restart(reason) {
			power.check();
			onRestart?.(reason);
			power.cut();
			throw new PowerLost(`restart: ${reason}`);
		},
	};
}
