/**
 * I9: no full card number, track data, PIN block or chip data on flash or in the log. Method: a day with every test
 * card, with reversals, declines and a power cut; then everything secret is looked for in the image as ASCII, as
 * digits at any nibble (BCD of either alignment) and as raw bytes.
 */
import { strict as assert } from "node:assert";
import { TEST_CARDS } from "../../host-sim/test-cards";
import { bytesToText } from "../host/scripted-link";
import { Rig } from "../host-sim/world/rig";
import { decodeFrame } from "./flash-witness";

function hexOf(bytes: Uint8Array): string {
	return Buffer.from(bytes).toString("hex").toUpperCase();
}

/** What of `secrets` (digits, or hex of bytes) can be found in `image`, in any of the usual clothes. */
function findSecrets(image: Uint8Array, secrets: ReadonlyMap<string, string>): string[] {
	const nibbles = hexOf(image);
	const text = bytesToText(image).toUpperCase();
	const found: string[] = [];
	for (const [what, secret] of secrets) {
		const needle = secret.toUpperCase();
		if (nibbles.includes(needle)) found.push(`${what} as nibbles`);
		if (text.includes(needle)) found.push(`${what} as text`);
		if (text.includes(hexOf(Buffer.from(needle, "latin1")))) found.push(`${what} as hex of text`);
	}
	return found;
}

/** A day that touches everything; @returns the rig and the enciphered PIN blocks that went over the line. */
function day(): { rig: Rig; secrets: Map<string, string> } {
	const secrets = new Map<string, string>();
	let pins = 0;
	const rig = new Rig({
		config: { doubtsMax: 40, doubtSumMinorMax: 10_000_000 },
		beforeWrite: (bytes) => {
			const message = decodeFrame(bytes);
			if (message.has(52)) secrets.set(`PIN block ${++pins}`, hexOf(message.bytes(52)));
			if (message.has(55)) secrets.set(`EMV ${hexOf(message.bytes(55)).slice(0, 8)}`, hexOf(message.bytes(55)));
		},
	});
	for (const card of TEST_CARDS) {
		secrets.set(`PAN of ${card.name}`, card.pan);
		if (card.track2 !== undefined) secrets.set(`track 2 of ${card.name}`, card.track2);
		if (card.track2 !== undefined) secrets.set(`discretionary data of ${card.name}`, card.track2.slice(-13));
		if (card.emv !== undefined) secrets.set(`cryptogram of ${card.name}`, card.emv.slice(0, 22));
		rig.sell(1_000, card.name);
		rig.faults.arm("answerLost");
		rig.sell(2_000, card.name, {}, true);
	}
	rig.come(3_000, "chip-pin");
	rig.runUntil(() => rig.shop.terminal.phase === "host");
	rig.shop.pullPlug();
	return { rig, secrets };
}

describe("transactions: secrets on flash (I9)", () => {
	it("are never there, whatever the card and however the sale ended", () => {
		const { rig, secrets } = day();
		assert.ok([...secrets.keys()].filter((what) => what.startsWith("PIN block")).length >= 5);
		assert.deepEqual(findSecrets(rig.medium.image, secrets), [], "with doubts waiting");
		rig.settle();
		assert.deepEqual(findSecrets(rig.medium.image, secrets), [], "at rest");
	});

	it("are never in the log nor on a screen or slip", () => {
		const { rig, secrets } = day();
		rig.settle();
		const said = `${rig.logText()}${JSON.stringify(rig.shop.till.notes)}`;
		for (const [what, secret] of secrets) assert.ok(!said.includes(secret), what);
	});

	it("would be found: in ASCII, in BCD at either nibble, in hex", () => {
		const pan = "6212345678901232";
		const secrets = new Map([["PAN", pan]]);
		const clothes: Record<string, Uint8Array> = {
			ascii: Buffer.from(pan, "latin1"),
			bcd: Buffer.from(pan, "hex"),
			shifted: Buffer.from(`0${pan}0`, "hex"),
			hexText: Buffer.from(hexOf(Buffer.from(pan, "latin1")), "latin1"),
		};
		for (const [name, bytes] of Object.entries(clothes)) {
			const image = new Uint8Array(512).fill(0xff);
			image.set(bytes, 100);
			assert.notDeepEqual(findSecrets(image, secrets), [], name);
		}
	});
});
