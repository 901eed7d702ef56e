import assert from "node:assert/strict";
import { NetstringReader, netstring } from "./netstring";

function read(pieces: readonly Buffer[]): string[] {
	const messages: string[] = [];
	const reader = new NetstringReader((message) => messages.push(message.toString("utf8")));
	for (const piece of pieces) reader.push(piece);
	return messages;
}

describe("netstrings", () => {
	it("come out as they went in, wherever the stream is cut", () => {
		const texts = ["", "a", "12:34,", "ü", "x".repeat(1_000)];
		const stream = Buffer.concat(texts.map(netstring));
		assert.deepEqual(read([stream]), texts);
		assert.deepEqual(read(Array.from(stream, (byte) => Buffer.of(byte))), texts);
		for (let cut = 1; cut < 40; cut++) assert.deepEqual(read([stream.subarray(0, cut), stream.subarray(cut)]), texts);
	});

	it("without a length, a colon or a comma are refused", () => {
		for (const text of [":,", "a", "1x:a,", "1234567890:", "12345678901", "1:ab", "-1:a,"]) {
			assert.throws(() => read([Buffer.from(text)]), /no netstring/, text);
		}
	});
});
