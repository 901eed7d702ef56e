/**
 * Makes a partition an empty journal, whatever it held (DESIGN.md, "Provisioning"). Cut anywhere it is not begun,
 * recognised as interrupted, or done; repeating it always works.
 * @module
 */
import { writeU16 } from "../core/bytes";
import { CodedError } from "../core/errors";
import { BlockKind, HEADER_BYTES, RecordType, recordHead } from "./format";
import { type LogWriter, PAYLOAD_AT, WRITE_TRIES_MAX } from "./log-writer";
import { markOwnBytesNow, sealMark } from "./reclaimer";
import type { Ring } from "./ring";

const GENERATION_MAX = 0xffff;
const FIRST_SEQUENCE = 1;

/**
 * @param generationMax - greatest generation that any header shows now
 * @param data - the first mark's client bytes
 * @throws {CodedError} "overflow" of the generation, "flash" when the partition does not take it
 */
export function provision(ring: Ring, writer: LogWriter, id: number, generationMax: number, data: Uint8Array): void {
	if (generationMax >= GENERATION_MAX) throw new CodedError("overflow", "journal generation");
	ring.clear();
	writer.reset();
	writer.id = id >>> 0;
	writer.generation = generationMax + 1;
	// The header that says "begun" stands in the first block that takes it.
	let begun = 0;
	while (!writer.erase(begun) || !writer.programHeader(begun, BlockKind.provisioning, FIRST_SEQUENCE, HEADER_BYTES)) {
		ring.retire(begun);
		begun++;
		if (begun === WRITE_TRIES_MAX) throw new CodedError("flash", "journal", "no block takes a header");
	}
	refuseLostCopy(writer);
	ring.head = begun; // So that the block after it is the next free one.
	writer.eraseAhead();
	// A block that can not be erased keeps a header of an earlier generation at most, which no mount follows.
	for (let block = begun + 1; block < ring.blocks; block++) if (block !== writer.ready) writer.erase(block);
	refuseLostCopy(writer);
	ring.sequenceMax = FIRST_SEQUENCE - 1;
	ring.tailSequence = ring.visitSequence = FIRST_SEQUENCE;
	ring.tailOffset = ring.visitOffset = HEADER_BYTES;
	const own = markOwnBytesNow(ring);
	sealMark(writer.buffer, FIRST_SEQUENCE, HEADER_BYTES, ring, own);
	writer.buffer.set(data, PAYLOAD_AT + own);
	writeU16(writer.buffer, HEADER_BYTES, recordHead(RecordType.markRetired, data.length + own, false));
	writer.openBlock(BlockKind.log, 0, 0, begun);
	writer.append(RecordType.confirm, 0, false, 0);
	refuseLostCopy(writer);
	ring.remembered();
}

/** A terminal may go on with one copy of two, but is not put to work with one. */
function refuseLostCopy(writer: LogWriter): void {
	if (writer.lostCopy >= 0)
		throw new CodedError("flash", writer.lostCopy === 0 ? "journal" : "mirror", "does not work");
}
