/**
 * Stands on the board in the place of the SDK's module "rng", which is RC4 from 16 bytes of `rand()`: on a desktop the
 * same keys at each start. Here the system's own generator.
 * @module
 */
import { SystemRandom } from "drivers/system-random/system-random";

export default Object.freeze({
	get(byteLength: number): ArrayBuffer {
		const bytes = new Uint8Array(byteLength);
		new SystemRandom().fill(bytes);
		return bytes.buffer;
	},
});
