/** Golden vectors as the tests use them. */
import { fromHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import type { MessageDecoder } from "../../src/iso8583/decoder";
import type { Dialect } from "../../src/iso8583/dialect";
import type { MacWriter, MessageEncoder } from "../../src/iso8583/encoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";

export interface Vector {
	name: string;
	mti: string;
	tpdu: string;
	header: string;
	frame: string;
	fields: Record<string, string>;
	mac?: { algorithm: string; key: string; value: string };
}

/** Encodes a vector's fields; its MAC as a field, or computed by `scheme`. @returns bytes written */
export function encodeVector(encoder: MessageEncoder, vector: Vector, scheme?: MacWriter): number {
	encoder.begin(vector.mti, {
		tpdu: fromHex(vector.tpdu),
		header: fromHex(vector.header),
		secondary: "1" in vector.fields,
	});
	const fields = { ...vector.fields };
	if (fields[22] !== undefined) fields[22] = fields[22].slice(0, 3);
	if (fields[23] !== undefined) fields[23] = fields[23].slice(1);
	putFields(encoder, UNIONPAY, fields, scheme !== undefined);
	return scheme === undefined ? encoder.finish() : encoder.finishWithMac(scheme);
}

/** Writes values as `text()` has them, DE 1 left out. @param macLater - leaves the MAC out as well */
export function putFields(
	encoder: MessageEncoder,
	dialect: Dialect,
	fields: Readonly<Record<number, string>>,
	macLater = false,
): void {
	for (let de = 2; de <= 128; de++) {
		const value = fields[de];
		if (value === undefined || (macLater && (de === 64 || de === 128))) continue;
		const format = dialect.fields[de]?.format;
		if (format === "b") encoder.bytes(de, fromHex(value));
		else if (format === "n" || format === "z") encoder.digits(de, value);
		else encoder.ascii(de, value);
	}
}

/** For `throws`: a coded error with this code and, where given, this place. */
export function coded(code: string, place?: string): (error: unknown) => boolean {
	return (error) =>
		error instanceof CodedError && error.code === code && (place === undefined || error.place === place);
}

/** Writes what a decoder holds back through an encoder. @returns bytes written */
export function encodeAgain(encoder: MessageEncoder, message: MessageDecoder): number {
	encoder.begin(message.mti, { tpdu: message.tpdu(), header: message.header(), secondary: message.has(1) });
	for (let de = 2; de <= 128; de++) {
		if (!message.has(de)) continue;
		const format = message.dialect.fields[de]?.format;
		if (format === "n" || format === "z") encoder.digits(de, message.text(de));
		else encoder.bytes(de, message.bytes(de));
	}
	return encoder.finish();
}

/**
 * A view of `bytes` that throws when anything at or past `limit` is read, though its length says there is more.
 * It shows reads past the end, which a plain typed array answers with undefined.
 */
export function guarded(bytes: Uint8Array, limit: number): Uint8Array {
	return new Proxy(bytes, {
		get(target, property) {
			if (typeof property === "string" && Number(property) >= limit) {
				throw new RangeError(`read at ${property}, limit ${limit}`);
			}
			const value = Reflect.get(target, property, target);
			return typeof value === "function" ? value.bind(target) : value;
		},
	});
}
