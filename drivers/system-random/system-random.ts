/**
 * Random bytes of the system's own generator, through system-random.c: the kernel's on a desktop, the hardware's on an
 * ESP32. The SDK's `Math.random` and "rng" draw from `rand()`, which on a desktop starts from the same seed each time.
 * @module
 */
import type { RandomSource } from "../../src/ports";

export class SystemRandom implements RandomSource {
	/** @throws when the generator fails; `bytes` is of no use then */
	fill(bytes: Uint8Array): void {
		native("xs_system_random_fill").call(this, bytes);
	}
}
