/**
 * The parts of a pack that are plain facts: case, device, frame, transaction. Keys in ascending order, as the canonical
 * form wants them. What comes from people or the host is masked once more: it may hold anything (I9).
 * @module
 */
import { maskNumbers } from "../iso8583/mask";
import { stateName } from "../transactions/states";
import { NOWHERE } from "../transactions/transaction-index";
import { type ChainFacts, type ChainLog, readFacts } from "./chain";
import type { EvidenceCase, EvidenceDevice, EvidenceRequest } from "./evidence-facts";
import type { EvidenceFrameReader } from "./evidence-frame-reader";
import type { JsonWriter } from "./evidence-json";
import { FrameFlag } from "./evidence-ring-format";

function text(json: JsonWriter, key: string, value: string): void {
	json.key(key);
	json.string(maskNumbers(value));
}

function integer(json: JsonWriter, key: string, value: number): void {
	json.key(key);
	json.integer(value);
}

export function writeDevice(
	json: JsonWriter,
	device: EvidenceDevice,
	journal: { id: number; generation: number },
): void {
	json.beginObject();
	text(json, "firmware", device.firmware);
	integer(json, "generation", journal.generation);
	integer(json, "journal", journal.id);
	// The merchant's number has 15 digits and is public: it is no card number, and not masked as one.
	json.key("merchant");
	json.string(device.merchantId);
	json.key("terminal");
	json.string(device.terminalId);
	json.endObject();
}

export function writeCase(json: JsonWriter, found: EvidenceCase): void {
	const { transaction } = found;
	json.beginObject();
	text(json, "cause", found.cause);
	integer(json, "due", found.dueMs);
	json.key("facts");
	json.beginArray();
	for (const fact of found.facts) json.string(maskNumbers(fact));
	json.endArray();
	json.key("history");
	json.beginArray();
	for (const event of found.history) {
		json.beginObject();
		integer(json, "at", event.timeMs);
		text(json, "what", event.what);
		json.endObject();
	}
	json.endArray();
	integer(json, "hostAmountMinor", found.hostAmountMinor);
	integer(json, "hostFlags", found.hostFlags);
	integer(json, "id", found.id);
	integer(json, "opened", found.openedMs);
	json.key("requests");
	json.beginArray();
	for (const request of found.requests) writeRequest(json, request);
	json.endArray();
	text(json, "row", found.row);
	text(json, "state", found.state);
	text(json, "step", found.step);
	json.key("transaction");
	json.beginObject();
	integer(json, "amountMinor", transaction.amountMinor);
	integer(json, "batch", transaction.batch);
	writeCard(json, transaction.panFirst, transaction.panLast);
	integer(json, "id", transaction.id);
	text(json, "rrn", transaction.rrn);
	integer(json, "stan", transaction.stan);
	json.endObject();
	text(json, "turn", found.turn);
	json.endObject();
}

function writeRequest(json: JsonWriter, request: EvidenceRequest): void {
	json.beginObject();
	integer(json, "amountMinor", request.amountMinor);
	integer(json, "answered", request.answeredMs);
	integer(json, "at", request.timeMs);
	integer(json, "batch", request.batch);
	integer(json, "code", request.code);
	text(json, "expected", request.expected);
	json.key("id");
	json.hex(request.id);
	integer(json, "reason", request.reason);
	text(json, "reference", request.reference);
	integer(json, "stan", request.stan);
	integer(json, "state", request.state);
	json.endObject();
}

function writeCard(json: JsonWriter, first: string, last: string): void {
	json.key("card");
	json.beginObject();
	json.key("first");
	json.string(first);
	json.key("last");
	json.string(last);
	json.endObject();
}

/** @param salt - sealed; undefined in a pack without a salt */
export function writeFrame(json: JsonWriter, frame: EvidenceFrameReader, salt: Uint8Array | undefined): void {
	const { facts } = frame;
	json.beginObject();
	integer(json, "at", facts.timeMs);
	integer(json, "batch", facts.batch);
	integer(json, "bytes", facts.frameBytes);
	if ((facts.flags & FrameFlag.cut) !== 0) integer(json, "cut", 1);
	json.key("direction");
	json.string((facts.flags & FrameFlag.received) !== 0 ? "received" : "sent");
	json.key("hmac");
	json.hex(frame.tag);
	json.key("id");
	json.hex(frame.id);
	if (facts.lost > 0) integer(json, "lost", facts.lost);
	if (salt !== undefined) {
		json.key("salt");
		json.hex(salt);
	}
	json.key("sha256");
	json.hex(frame.digest);
	integer(json, "stan", facts.stan);
	json.key("text");
	json.string(frame.line);
	json.endObject();
}

/** A transaction as the journal has it; of one whose records are lost, that they are. */
export function writeTransaction(json: JsonWriter, log: ChainLog, id: number): void {
	const facts = readFacts(log, id);
	json.beginObject();
	if (facts === undefined) {
		integer(json, "id", id);
		integer(json, "lost", 1);
	} else writeFacts(json, facts, log);
	json.endObject();
}

function writeFacts(json: JsonWriter, facts: ChainFacts, log: ChainLog): void {
	const { intent, advice } = facts;
	if (advice !== undefined) {
		json.key("advice");
		json.beginObject();
		exact(json, "authorization", advice.authorization);
		integer(json, "originalBatch", advice.originalBatch);
		exact(json, "originalDate", advice.originalDate);
		integer(json, "originalStan", advice.originalStan);
		exact(json, "rrn", advice.rrn);
		json.endObject();
	}
	integer(json, "amountMinor", intent.amountMinor);
	integer(json, "batch", intent.batch);
	writeCard(json, intent.panFirst, intent.panLast);
	integer(json, "cardDigits", intent.panDigits);
	exact(json, "condition", intent.condition);
	json.key("ended");
	writeEnded(json, facts);
	exact(json, "entryMode", intent.entryMode);
	exact(json, "field60", intent.field60Rest);
	integer(json, "id", intent.id);
	integer(json, "kind", intent.kind);
	json.key("positions");
	writePositions(json, log, intent.id);
	integer(json, "stan", intent.stan);
	integer(json, "time", intent.timeS);
}

function writeEnded(json: JsonWriter, facts: ChainFacts): void {
	const { state, flags, reason, outcome } = facts.ended;
	json.beginObject();
	if (outcome !== undefined) exact(json, "authorization", outcome.authorization);
	if (outcome !== undefined) exact(json, "code", outcome.code);
	integer(json, "flags", flags);
	if (outcome !== undefined) exact(json, "hostTime", outcome.hostTime);
	exact(json, "reason", reason.trim());
	if (outcome !== undefined) exact(json, "rrn", outcome.rrn);
	integer(json, "state", state);
	exact(json, "stateName", stateName(state) ?? "");
	json.endObject();
}

/** Of lengths that hold no card number, and part of a leaf: as they are. */
function exact(json: JsonWriter, key: string, value: string): void {
	json.key(key);
	json.string(value);
}

/** Where the records stand in the journal's partition. */
function writePositions(json: JsonWriter, log: ChainLog, id: number): void {
	const { index } = log;
	const slot = index.find(id);
	json.beginObject();
	if (index.intentAt[slot] !== NOWHERE) integer(json, "intent", index.intentAt[slot]);
	if (index.outcomeAt[slot] !== NOWHERE) integer(json, "outcome", index.outcomeAt[slot]);
	if (index.stepAt[slot] !== NOWHERE) integer(json, "step", index.stepAt[slot]);
	json.endObject();
}
