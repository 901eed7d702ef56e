/**
 * One sale request of 16 fields, and the two codecs that are measured on it. Both are given the same texts, both hand
 * back all 16 as texts in an object by field number, and neither computes the MAC: it is a field like any other.
 * Each takes the values in the form its own interface wants: bytes (52, 64) are hex for the peer and bytes for ours.
 * The frames differ: ours packs two digits a byte and has TPDU and header, the peer has ASCII digits and always a
 * secondary bitmap.
 */
/// <reference path="./iso-8583.d.ts" />
import Peer from "iso_8583";
import { fromHex } from "../../src/core/bytes";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { LENGTH_BYTES } from "../../src/iso8583/dialect";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";

export const MTI = "0200";

/** Magnetic stripe with PIN: golden vector "sale-magstripe-pin". Test card. */
export const SALE: Readonly<Record<number, string>> = {
	2: "6221234567890123450",
	3: "000000",
	4: "000000990000",
	11: "000003",
	14: "3012",
	22: "021",
	25: "00",
	26: "06",
	35: "6221234567890123450D30122201196301",
	41: "12345678",
	42: "123456789012345",
	49: "156",
	52: "978C5DA363D4956D",
	53: "2600000000000000",
	60: "2200000100050",
	64: "3942303333343038",
};

export const FIELDS: readonly number[] = Object.keys(SALE).map(Number);

/** Values by field number, as the peer hands them out. */
export type Values = Record<number, string>;

/** What is measured of each: everything the same work on both sides. */
export interface Codec {
	readonly name: string;
	/** Length of the frame it makes. */
	readonly frameBytes: number;
	/** @returns bytes written */
	encode(): number;
	/** Decodes the frame that was made first, and reads all its values. */
	decode(): Values;
	/** Encodes, and decodes what was encoded. */
	roundTrip(): Values;
}

export class OurCodec implements Codec {
	readonly name = "ours";
	readonly frameBytes: number;
	readonly #out = new Uint8Array(LENGTH_BYTES + UNIONPAY.frameBytesMax);
	readonly #encoder = new MessageEncoder(UNIONPAY, this.#out);
	readonly #decoder = new MessageDecoder(UNIONPAY);
	readonly #frame: Uint8Array;
	readonly #pinBlock = fromHex(SALE[52]);
	readonly #mac = fromHex(SALE[64]);

	constructor() {
		this.frameBytes = this.encode();
		this.#frame = this.#out.slice(0, this.frameBytes);
	}

	encode(): number {
		const encoder = this.#encoder;
		encoder.begin(MTI);
		encoder.digits(2, SALE[2]);
		encoder.digits(3, SALE[3]);
		encoder.digits(4, SALE[4]);
		encoder.digits(11, SALE[11]);
		encoder.digits(14, SALE[14]);
		encoder.digits(22, SALE[22]);
		encoder.digits(25, SALE[25]);
		encoder.digits(26, SALE[26]);
		encoder.digits(35, SALE[35]);
		encoder.ascii(41, SALE[41]);
		encoder.ascii(42, SALE[42]);
		encoder.ascii(49, SALE[49]);
		encoder.bytes(52, this.#pinBlock);
		encoder.digits(53, SALE[53]);
		encoder.digits(60, SALE[60]);
		encoder.bytes(64, this.#mac);
		return encoder.finish();
	}

	/** Everything is checked and found; no value is made. */
	decodeOffsets(): void {
		this.#decoder.decode(this.#frame, this.#frame.length);
	}

	/** Decodes, and asks for what a terminal compares and counts with. @returns their sum */
	decodeNumbers(): number {
		const decoder = this.#decoder;
		decoder.decode(this.#frame, this.#frame.length);
		let sum = decoder.number(4) + decoder.number(11) + decoder.numberAt(60, 2, 6);
		if (decoder.equals(2, SALE[2])) sum++;
		if (decoder.equals(41, SALE[41])) sum++;
		if (decoder.equals(42, SALE[42])) sum++;
		if (decoder.equalsAt(60, 0, "22")) sum++;
		if (decoder.has(64)) sum++;
		return sum;
	}

	decode(): Values {
		return this.#values(this.#frame, this.#frame.length);
	}

	roundTrip(): Values {
		return this.#values(this.#out, this.encode());
	}

	#values(frame: Uint8Array, byteLength: number): Values {
		const decoder = this.#decoder;
		decoder.decode(frame, byteLength);
		return {
			2: decoder.text(2),
			3: decoder.text(3),
			4: decoder.text(4),
			11: decoder.text(11),
			14: decoder.text(14),
			22: decoder.text(22),
			25: decoder.text(25),
			26: decoder.text(26),
			35: decoder.text(35),
			41: decoder.text(41),
			42: decoder.text(42),
			49: decoder.text(49),
			52: decoder.text(52),
			53: decoder.text(53),
			60: decoder.text(60),
			64: decoder.text(64),
		};
	}
}

/** Its defaults have 53 and 64 otherwise, and 60 as text. */
const PEER_FORMATS = {
	53: { ContentType: "n", Label: "Security related control information", LenType: "fixed", MaxLen: 16 },
	60: { ContentType: "n", Label: "Reserved national", LenType: "lllvar", MaxLen: 17 },
	64: { ContentType: "b", Label: "Message authentication code (MAC)", LenType: "fixed", MaxLen: 16 },
};

export class PeerCodec implements Codec {
	readonly name = "iso_8583";
	readonly frameBytes: number;
	readonly #message: Record<string, string> = { 0: MTI, ...SALE };
	readonly #frame: Buffer;

	constructor() {
		this.#frame = this.#encoded();
		this.frameBytes = this.#frame.length;
	}

	encode(): number {
		return this.#encoded().length;
	}

	decode(): Values {
		return new Peer(undefined, PEER_FORMATS).getIsoJSON(this.#frame);
	}

	roundTrip(): Values {
		return new Peer(undefined, PEER_FORMATS).getIsoJSON(this.#encoded());
	}

	#encoded(): Buffer {
		const frame = new Peer(this.#message, PEER_FORMATS).getBufferMessage();
		if (!Buffer.isBuffer(frame)) throw new Error(`iso_8583 refuses the message: ${frame.error}`);
		return frame;
	}
}

/**
 * A figure is worth something only when the work was done.
 * @throws {Error} when a value that came back is not the one that went in
 */
export function checkValues(codec: string, values: Values): void {
	for (const de of FIELDS) {
		// The peer spells bytes in lower case.
		if (values[de]?.toUpperCase() !== SALE[de]) throw new Error(`${codec}: DE ${de} came back otherwise`);
	}
}
