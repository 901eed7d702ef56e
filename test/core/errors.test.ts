import { doesNotThrow, equal, throws } from "node:assert/strict";
import { AssertionError, assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";

describe("core errors", () => {
	it("carry code, place and a message made of both", () => {
		const error = new CodedError("length", "journal block 7", "3 bytes");
		equal(error.code, "length");
		equal(error.place, "journal block 7");
		equal(error.message, "journal block 7: length, 3 bytes");
		equal(error.name, "CodedError");
		equal(new CodedError("full", "journal").message, "journal: full");
		equal(error instanceof Error, true);
	});

	it("keep bad input and our own bugs apart", () => {
		throws(
			() => assert(false, "I3 stan=12 has no owner"),
			(error: Error) => {
				return error instanceof AssertionError && !(error instanceof CodedError) && error.message.startsWith("I3 ");
			},
		);
		doesNotThrow(() => assert(true, "I3"));
	});
});
