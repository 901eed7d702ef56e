/** What the searches count as a failure, by itself: a reading is compared with what was acknowledged. */
import { strict as assert } from "node:assert";
import { writeU16, writeU32 } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import type { Journal } from "../../src/journal/journal";
import { BATCH_AT, Client, MARK_BYTES_MIN } from "./client";
import { Failure } from "./failure";
import { Model } from "./model";

const MARK = new Uint8Array(MARK_BYTES_MIN);

function thing(id: number, content = 0, batch = 1): Uint8Array {
	const bytes = new Uint8Array(12).fill(content);
	writeU32(bytes, 0, id);
	writeU16(bytes, BATCH_AT, batch);
	return bytes;
}

function mark(number: number, batch: number): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(MARK_BYTES_MIN);
	writeU32(bytes, 0, number);
	writeU16(bytes, 4, batch);
	return bytes;
}

/** A model of these things. */
function modelOf(...things: Uint8Array[]): Model {
	const model = new Model(MARK);
	for (const bytes of things) {
		model.opensPut(bytes[3], bytes);
		model.done();
	}
	return model;
}

/** A boot that reads these things: undefined can not be read. */
function reads(model: Model, pinned: boolean, things: (Uint8Array | number)[], markRead = MARK): void {
	const client = new Client();
	client.mark = markRead.slice();
	for (const [position, read] of things.entries()) {
		client.put(typeof read === "number" ? read : read[3], 1, position);
	}
	const journal = {
		read(position: number, out: Uint8Array): number {
			const read = things[position];
			if (typeof read === "number") throw new CodedError("damaged", "here");
			out.set(read);
			return read.length;
		},
	} as unknown as Journal;
	model.compare(journal, client, pinned);
}

function fails(kind: string, work: () => void): void {
	assert.throws(work, (error) => error instanceof Failure && error.kind === kind);
}

describe("powercuts, the model", () => {
	it("takes what was acknowledged, byte for byte, and nothing else", () => {
		const model = modelOf(thing(1), thing(2, 7));
		for (const pinned of [false, true]) {
			reads(model, pinned, [thing(1), thing(2, 7)]);
			fails("lost", () => reads(model, pinned, [thing(1)]));
			fails("lost", () => reads(model, pinned, [thing(1), 2]));
			fails("changed", () => reads(model, pinned, [thing(1), thing(2, 8)]));
			fails("changed", () => reads(model, pinned, [thing(1), thing(2, 7).subarray(0, 11)]));
			fails("resurrected", () => reads(model, pinned, [thing(1), thing(2, 7), thing(3)]));
			fails("changed", () => reads(model, pinned, [thing(1), thing(2, 7)], mark(1, 0)));
		}
	});

	it("takes what was cut either way until a pinned boot has decided it", () => {
		const both = [thing(1), thing(2)];
		for (const taken of [true, false]) {
			const model = modelOf(thing(1));
			model.opensPut(2, thing(2));
			for (const now of [true, false, true]) reads(model, false, now ? both : [thing(1)]);
			reads(model, false, [thing(1), 2]);
			fails("changed", () => reads(model, false, [thing(1), thing(2, 1)]));
			fails("changed", () => reads(model, true, [thing(1), 2]));
			reads(model, true, taken ? both : [thing(1)]);
			if (taken) fails("lost", () => reads(model, false, [thing(1)]));
			else fails("resurrected", () => reads(model, false, both));
		}
	});

	it("takes an update that was cut as the old version or the new one", () => {
		const model = modelOf(thing(1, 5));
		model.opensPut(1, thing(1, 6));
		reads(model, false, [thing(1, 6)]);
		reads(model, false, [thing(1, 5)]);
		fails("changed", () => reads(model, false, [thing(1, 7)]));
		fails("lost", () => reads(model, false, []));
		reads(model, true, [thing(1, 6)]);
		fails("changed", () => reads(model, true, [thing(1, 5)]));
	});

	it("takes an end that was cut as either, and what has ended never comes back", () => {
		const model = modelOf(thing(1), thing(2));
		model.opensEnd(1);
		reads(model, false, [thing(2)]);
		reads(model, false, [thing(1), thing(2)]);
		reads(model, true, [thing(2)]);
		fails("resurrected", () => reads(model, true, [thing(1), thing(2)]));
	});

	it("takes a settlement that was cut whole or not at all", () => {
		const before = [thing(1), thing(2), thing(3, 0, 2)];
		const model = modelOf(...before);
		const settled = mark(1, 1);
		model.opensSettle(settled);
		reads(model, false, before);
		reads(model, false, [thing(3, 0, 2)], settled);
		fails("resurrected", () => reads(model, false, [thing(2), thing(3, 0, 2)], settled));
		fails("lost", () => reads(model, false, [thing(3, 0, 2)]));
		fails("lost", () => reads(model, false, [], settled));
		reads(model, true, [thing(3, 0, 2)], settled);
		fails("changed", () => reads(model, true, [thing(3, 0, 2)]));
	});

	it("what was refused has not happened", () => {
		const model = modelOf(thing(1));
		model.opensEnd(1);
		model.refused();
		fails("lost", () => reads(model, false, []));
	});
});
