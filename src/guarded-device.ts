/**
 * What turns an error of the firmware into a restart: a failed assertion, a flash that gives up, anything unforeseen.
 * Production keeps its assertions; the journal knows the rest (I7).
 * @module
 */
import { AssertionError } from "./core/assert";
import { CodedError } from "./core/errors";
import type { ConnectionOptions, Device } from "./ports";

/** Logs and restarts. On a dead board the log throws, and there is nothing left to do. */
export function failDevice(device: Device, error: unknown): void {
	const ours = error instanceof AssertionError || error instanceof CodedError;
	const what = ours ? error.message : `unexpected ${(error as Error).name}`; // Engines differ in their texts (I12).
	device.log.write("E", device.clock.monotonic(), "terminal", `restart: ${what}`);
	device.restart(what);
}

/**
 * The device, with every callback into the firmware guarded: an error that reaches the outside is logged and restarts
 * the terminal.
 */
export function guardDevice(device: Device): Device {
	const guarded =
		<A extends unknown[]>(callback: (...args: A) => void): ((...args: A) => void) =>
		(...args) => {
			try {
				callback(...args);
			} catch (error) {
				failDevice(device, error);
			}
		};
	const { clock, reader, keypad, printer } = device;
	return {
		...device,
		clock: {
			now: () => clock.now(),
			monotonic: () => clock.monotonic(),
			setTimer: (ms, callback) => clock.setTimer(ms, guarded(callback)),
			clearTimer: (id) => clock.clearTimer(id),
		},
		links: device.links.map((link) => ({
			name: link.name,
			secure: link.secure,
			why: () => link.why?.(),
			connect: (options: ConnectionOptions) =>
				link.connect({
					onReadable: guarded(options.onReadable),
					onWritable: guarded(options.onWritable),
					onError: guarded(options.onError),
				}),
		})),
		reader: {
			start: (options) =>
				reader.start({ ...options, onCard: guarded(options.onCard), onError: guarded(options.onError) }),
			complete: (issuerData, onVerdict) => reader.complete(issuerData, guarded(onVerdict)),
			stop: () => reader.stop(),
			cardInside: () => reader.cardInside?.() === true,
		},
		keypad: {
			requestPin: (amountMinor, onPin) => keypad.requestPin(amountMinor, guarded(onPin)),
			cancelPin: () => keypad.cancelPin(),
		},
		printer: { print: (slip, onDone) => printer.print(slip, guarded(onDone)) },
	};
}
