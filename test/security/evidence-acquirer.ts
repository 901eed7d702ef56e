/** The acquirer's side of tagged frames, from EVIDENCE.md alone, with node:crypto. */
import { createCipheriv, createHmac } from "node:crypto";

export function hmac(key: Uint8Array, ...parts: (Uint8Array | string)[]): Buffer {
	const mac = createHmac("sha256", key);
	for (const part of parts) mac.update(part);
	return mac.digest();
}

/** RFC 4493, with AES of any key length. */
export function aesCmac(key: Uint8Array, message: Uint8Array): Buffer {
	const aes = (block: Buffer): Buffer => {
		const cipher = createCipheriv(`aes-${8 * key.length}-ecb`, key, null).setAutoPadding(false);
		return Buffer.concat([cipher.update(block), cipher.final()]);
	};
	const doubled = (block: Buffer): Buffer => {
		const out = Buffer.alloc(16);
		for (let i = 0; i < 16; i++) out[i] = (block[i] << 1) | (i < 15 ? block[i + 1] >> 7 : 0);
		if ((block[0] & 0x80) !== 0) out[15] ^= 0x87;
		return out;
	};
	const k1 = doubled(aes(Buffer.alloc(16)));
	const count = Math.max(1, Math.ceil(message.length / 16));
	const whole = message.length === 16 * count;
	const last = Buffer.alloc(16);
	last.set(message.subarray(16 * (count - 1)));
	if (!whole) last[message.length % 16] = 0x80;
	const mask = whole ? k1 : doubled(k1);
	let state = Buffer.alloc(16);
	for (let n = 0; n < count; n++) {
		const block = n === count - 1 ? last : Buffer.from(message.subarray(16 * n, 16 * n + 16));
		for (let i = 0; i < 16; i++) state[i] ^= block[i] ^ (n === count - 1 ? mask[i] : 0);
		state = aes(state) as Buffer<ArrayBuffer>;
	}
	return state;
}

export function packSalt(hak: Uint8Array, nonce: Uint8Array): Buffer {
	return aesCmac(hak, Buffer.concat([Buffer.from("unsettled evidence salt"), nonce]));
}

export function openSalt(salt: Uint8Array, id: Uint8Array, sealed: Uint8Array): Buffer {
	const mask = hmac(salt, "frame", id);
	return Buffer.from(sealed.map((byte, n) => byte ^ mask[n]));
}
