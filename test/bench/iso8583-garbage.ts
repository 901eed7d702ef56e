/**
 * What encoding and decoding allocate, a message. Measured in a process of its own (`iso8583-garbage-process.ts`), as the
 * heap has to be set up for it.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { bytesPerCall, NODE_FLAGS } from "./heap-meter";
import { FIELDS, OurCodec, PeerCodec, SALE, type Values } from "./iso8583-codecs";

/** Bytes a message. */
export interface Garbage {
	readonly encode: number;
	/** Offsets only: nothing is asked for. */
	readonly decode: number;
	/** Decode, and what a terminal compares and counts with: has, equals, number. */
	readonly decodeNumbers: number;
	/** Decode, and all 16 values as texts in an object. */
	readonly decodeValues: number;
	/** Those 16 texts and their object by themselves. */
	readonly values: number;
	/** {@link decode} with one object of one number planted in each call: the measurement has to show it. */
	readonly planted: number;
	readonly peerEncode: number;
	readonly peerDecode: number;
}

/** A planted object of one field: header of three words, and the field. */
const PLANTED_BYTES_MIN = 12;
const PLANTED_BYTES_MAX = 64;

/** @throws {Error} when the measurement does not show an object that was planted */
export function measureGarbage(): Garbage {
	const script = join(__dirname, "iso8583-garbage-process.ts");
	const { status, stdout, stderr } = spawnSync(process.execPath, [...NODE_FLAGS, "-r", "ts-node/register", script], {
		encoding: "utf8",
	});
	if (status !== 0) throw new Error(`measuring allocations failed: ${stderr.trim()}`);
	const garbage = JSON.parse(stdout) as Garbage;
	checkPlanted(garbage);
	return garbage;
}

/** @throws {Error} when planting an object makes no difference of an object's size */
export function checkPlanted({ decode, planted }: Pick<Garbage, "decode" | "planted">): void {
	const shown = planted - decode;
	if (!(shown >= PLANTED_BYTES_MIN && shown <= PLANTED_BYTES_MAX)) {
		throw new Error(`an object planted in each decode shows as ${shown} bytes: the measurement is worth nothing`);
	}
}

/** In the process that is set up for it. */
export function garbageHere(): Garbage {
	const ours = new OurCodec();
	const peer = new PeerCodec();
	const text = Buffer.from(FIELDS.map((de) => SALE[de]).join(""), "latin1");
	let count = 0;
	return {
		encode: bytesPerCall(() => ours.encode()),
		decode: bytesPerCall(() => ours.decodeOffsets()),
		decodeNumbers: bytesPerCall(() => ours.decodeNumbers()),
		decodeValues: bytesPerCall(() => ours.decode()),
		values: bytesPerCall(() => valuesOf(text)),
		planted: bytesPerCall(() => {
			ours.decodeOffsets();
			return { count: count++ & 0xff };
		}),
		peerEncode: bytesPerCall(() => peer.encode()),
		peerDecode: bytesPerCall(() => peer.decode()),
	};
}

/** The 16 texts, each made at once by the engine, in an object as the codec's adapter makes it. */
function valuesOf(text: Buffer): Values {
	return {
		2: text.toString("latin1", 0, 19),
		3: text.toString("latin1", 19, 25),
		4: text.toString("latin1", 25, 37),
		11: text.toString("latin1", 37, 43),
		14: text.toString("latin1", 43, 47),
		22: text.toString("latin1", 47, 50),
		25: text.toString("latin1", 50, 52),
		26: text.toString("latin1", 52, 54),
		35: text.toString("latin1", 54, 88),
		41: text.toString("latin1", 88, 96),
		42: text.toString("latin1", 96, 111),
		49: text.toString("latin1", 111, 114),
		52: text.toString("latin1", 114, 130),
		53: text.toString("latin1", 130, 146),
		60: text.toString("latin1", 146, 159),
		64: text.toString("latin1", 159, 175),
	};
}
