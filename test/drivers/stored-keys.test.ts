/**
 * Goal: a key that is replaced is there whole, the old one or the new one, wherever the power is cut; and of a key that
 * was replaced nothing is left in the store.
 * Method: a storage that does what the SDK's do, in steps; every sequence of writes is cut at every step and opened
 * anew.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type KeyValueClass, type KeyValueIo, StoredKeys } from "../../drivers/stored-keys/stored-keys";
import { CodedError } from "../../src/core/errors";
import { KEY_BYTES_MAX, type KeyName, type KeyStore } from "../../src/ports";

type Kind = "nvs" | "flash";

/**
 * What the chip holds, and when it dies. Source: Moddable SDK 8.2, modules/io/storage: NVS (esp32) replaces an entry
 * whole; on flash an entry is first zeroed, then appended piece by piece.
 */
class Chip {
	readonly entries = new Map<string, Uint8Array>();
	steps = 0;
	cutAt = Number.POSITIVE_INFINITY;
	readonly kind: Kind;
	/** Writes are reported as done and change nothing. */
	deaf = false;
	/** What a read gives is a copy, which this may change. */
	onRead: ((key: string, bytes: Uint8Array) => void) | undefined;

	constructor(kind: Kind) {
		this.kind = kind;
	}

	step(action: () => void): void {
		if (this.steps++ >= this.cutAt) throw new Error("cut");
		action();
	}

	write(key: string, value: Uint8Array): void {
		if (this.deaf) return;
		const whole = value.slice();
		if (this.kind === "nvs") {
			this.step(() => this.entries.set(key, whole));
			return;
		}
		this.step(() => this.entries.get(key)?.fill(0));
		const torn = new Uint8Array(whole.length).fill(0xff);
		this.step(() => this.entries.set(key, torn));
		for (let at = 0; at < whole.length; at += 16) this.step(() => torn.set(whole.subarray(at, at + 16), at));
	}

	delete(key: string): void {
		this.step(() => this.entries.delete(key));
	}
}

function storage(chip: Chip): { io: KeyValueClass; path: string } {
	const open = (): KeyValueIo => ({
		read: (key) => {
			const bytes = chip.entries.get(key)?.slice();
			if (bytes !== undefined) chip.onRead?.(key, bytes);
			return bytes?.buffer as ArrayBuffer | undefined;
		},
		write: (key, value) => chip.write(key, value),
		delete: (key) => chip.delete(key),
		close: () => {},
	});
	return { io: { open }, path: "keys" };
}

const opened = (chip: Chip): StoredKeys => new StoredKeys({ storage: storage(chip) });

function read(keys: KeyStore, name: KeyName): number[] | undefined {
	const out = new Uint8Array(KEY_BYTES_MAX);
	const length = keys.read(name, out);
	return length === 0 ? undefined : [...out.subarray(0, length)];
}

const KEY = (byteLength: number, value: number): Uint8Array => new Uint8Array(byteLength).fill(value);

/** Whether the chip holds this key anywhere, in whatever slot. */
function holds(chip: Chip, key: Uint8Array): boolean {
	const [wanted] = key;
	return [...chip.entries.values()].some((entry) => entry.filter((value) => value === wanted).length >= key.length);
}

for (const kind of ["nvs", "flash"] as const) {
	describe(`stored keys over ${kind}`, () => {
		it("hold what was written through any number of openings, each name for itself", () => {
			const chip = new Chip(kind);
			assert.equal(read(opened(chip), "TMK"), undefined);
			opened(chip).write("TMK", KEY(16, 0x11));
			opened(chip).write("DUKPT", KEY(KEY_BYTES_MAX, 0x22));
			opened(chip).write("TMK", KEY(24, 0x33));
			const keys = opened(chip);
			assert.deepEqual(read(keys, "TMK"), [...KEY(24, 0x33)]);
			assert.deepEqual(read(keys, "DUKPT"), [...KEY(KEY_BYTES_MAX, 0x22)]);
			assert.equal(read(keys, "HAK"), undefined);
		});

		it("cut at every step of every write, are the old key or the new one, and take the next", () => {
			const versions = [1, 2, 3, 4].map((value) => KEY(40, value));
			for (let cutAt = 0; ; cutAt++) {
				const chip = new Chip(kind);
				chip.cutAt = cutAt;
				let done = 0;
				try {
					const keys = opened(chip);
					for (const key of versions) {
						keys.write("DUKPT", key);
						done++;
					}
				} catch (error) {
					assert.ok(error instanceof CodedError && error.code === "flash", `${error}`);
				}
				if (done === versions.length) break;
				chip.cutAt = Number.POSITIVE_INFINITY;
				const found = read(opened(chip), "DUKPT");
				const candidates = [versions[done - 1], versions[done]].map((key) => key && [...key]);
				assert.ok(
					candidates.some((candidate) => JSON.stringify(candidate) === JSON.stringify(found)),
					`cut at ${cutAt}: ${found?.[0]} after ${done}`,
				);
				const next = opened(chip);
				next.write("DUKPT", KEY(40, 9));
				assert.deepEqual(read(opened(chip), "DUKPT"), [...KEY(40, 9)]);
				for (const key of versions) assert.equal(holds(chip, key), false, `cut at ${cutAt}: ${key[0]} is still there`);
			}
		});

		it("a read after a cut chooses once and for all", () => {
			const chip = new Chip(kind);
			opened(chip).write("TMK", KEY(16, 1));
			const before = chip.steps;
			opened(chip).write("TMK", KEY(16, 2));
			const steps = chip.steps - before;
			const again = new Chip(kind);
			opened(again).write("TMK", KEY(16, 1));
			again.cutAt = again.steps + steps - 1; // Only the deletion of the old slot is missing.
			opened(again).write("TMK", KEY(16, 2));
			again.cutAt = Number.POSITIVE_INFINITY;
			assert.equal(again.entries.size, 2);
			assert.deepEqual(read(opened(again), "TMK"), [...KEY(16, 2)]);
			assert.equal(again.entries.size, 1);
			assert.equal(holds(again, KEY(16, 1)), false);
		});
	});
}

describe("stored keys", () => {
	it("believe no slot with a bit flipped, cut short, or written for another name", () => {
		const chip = new Chip("nvs");
		opened(chip).write("TMK", KEY(16, 7));
		const [[name, good]] = [...chip.entries];
		for (let bit = 0; bit < 8 * good.length; bit++) {
			const bad = good.slice();
			bad[bit >> 3] ^= 1 << (bit & 7);
			chip.entries.set(name, bad);
			assert.equal(read(opened(chip), "TMK"), undefined, `bit ${bit}`);
		}
		for (let length = 0; length < good.length; length++) {
			chip.entries.set(name, good.slice(0, length));
			assert.equal(read(opened(chip), "TMK"), undefined, `${length} bytes`);
		}
		chip.entries.set(name, good);
		chip.entries.set(name.replace("TMK", "HAK"), good.slice());
		assert.deepEqual(read(opened(chip), "TMK"), [...KEY(16, 7)]);
		assert.equal(read(opened(chip), "HAK"), undefined);
	});

	it("take any content for none, and throw no error that is not coded", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 600 }), fc.uint8Array({ maxLength: 600 }), (a, b) => {
				const chip = new Chip("nvs");
				chip.entries.set("STORE.a", a);
				chip.entries.set("STORE.b", b);
				assert.equal(read(opened(chip), "STORE"), undefined);
			}),
			{ numRuns: 500, seed: 4 },
		);
	});

	it("give out nothing of a write that was cut before it is written anew: its cells may read otherwise later", () => {
		for (const reads of [0, 1, 2, 3, 4]) {
			const chip = new Chip("nvs");
			opened(chip).write("DUKPT", KEY(40, 1));
			const marginal = KEY(40, 2);
			chip.cutAt = chip.steps + 1; // The new slot is there; the old one was not deleted.
			opened(chip).write("DUKPT", marginal);
			chip.cutAt = Number.POSITIVE_INFINITY;
			const [torn] = [...chip.entries.keys()].slice(1);
			let left = reads;
			chip.onRead = (key, bytes) => {
				if (key === torn && left-- <= 0) bytes[bytes.length - 1] ^= 1;
			};
			const first = read(opened(chip), "DUKPT");
			assert.ok(first?.[0] === 1 || first?.[0] === 2, `${reads} good reads: ${first}`);
			// Whatever it was, it stays that.
			for (let n = 0; n < 4; n++) assert.deepEqual(read(opened(chip), "DUKPT"), first, `${reads} good reads`);
		}
	});

	it("say that a write did not come to be stored, and keep the old key", () => {
		const chip = new Chip("nvs");
		const keys = opened(chip);
		keys.write("HAK", KEY(16, 1));
		chip.deaf = true;
		assert.throws(() => keys.write("HAK", KEY(16, 2)), { code: "flash", message: /^((?!2, ?2).)*$/ });
		assert.deepEqual(read(keys, "HAK"), [...KEY(16, 1)]);
		chip.deaf = false;
		keys.write("HAK", KEY(16, 3));
		assert.deepEqual(read(keys, "HAK"), [...KEY(16, 3)]);
	});

	it("refuse keys of no length or too long, a room that is too small, and everything after close", () => {
		const keys = opened(new Chip("nvs"));
		for (const length of [0, KEY_BYTES_MAX + 1]) {
			assert.throws(() => keys.write("TMK", new Uint8Array(length)), { code: "length" });
		}
		keys.write("TMK", KEY(16, 5));
		const out = new Uint8Array(15);
		assert.throws(() => keys.read("TMK", out), { code: "length" });
		assert.deepEqual([...out], [...new Uint8Array(15)]);
		keys.close();
		keys.close();
		assert.throws(() => keys.read("TMK", new Uint8Array(16)), { code: "state" });
		assert.throws(
			() => keys.write("TMK", KEY(16, 1)),
			(error) => error instanceof CodedError && error.code === "state",
		);
	});
});
