import { equal, throws } from "node:assert/strict";
import { fromHex } from "../../src/core/bytes";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { maskedField, maskPan, renderMasked } from "../../src/iso8583/mask";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import file from "../vectors/unionpay.json";
import { coded, type Vector } from "./vector-helpers";

const VECTORS = file.vectors as unknown as Vector[];

function render(name: string): string {
	const frame = fromHex((VECTORS.find((v) => v.name === name) as Vector).frame);
	const message = new MessageDecoder(UNIONPAY);
	message.decode(frame, frame.length);
	return renderMasked(message);
}

describe("iso8583 masking", () => {
	it("shows first 6 and last 4 of a card number, less of a short one", () => {
		equal(maskPan("6212345678901232"), "621234******1232");
		equal(maskPan("6221234567890123450"), "622123*********3450");
		equal(maskPan("4111111111111"), "411111***1111");
		equal(maskPan("411111111111"), "********1111");
		equal(maskPan("1234"), "****");
		equal(maskPan(""), "");
	});

	it("renders a sale on one line without card number, expiry, track, PIN block or EMV data", () => {
		equal(
			render("sale-chip-no-pin"),
			"0200 2=621234******1232 3=000000 4=000000001234 11=000002 14=<4> 22=052 23=001 25=00 35=<33> 41=12345678 " +
				"42=123456789012345 49=156 55=<91> 60=2200000100060 64=4132414232414130",
		);
	});

	it("hides working keys, the card numbers of an upload and the card or phone to be paid", () => {
		equal(render("sign-on-response").includes(" 62=<40>"), true);
		equal(render("batch-upload").includes(" 48=<82>"), true);
		equal(render("top-up").includes(" 103=*******8000 "), true);
	});

	it("shows no secret of any vector: card numbers, tracks, PIN blocks, keys, EMV data, expiry", () => {
		for (const vector of VECTORS) {
			const line = render(vector.name);
			for (const de of [2, 35, 36, 52, 55, 62, 103]) {
				const secret = vector.fields[de];
				if (secret !== undefined) equal(line.includes(secret), false, `${vector.name} DE ${de}`);
			}
			for (const pan of ["6212345678901232", "6221234567890123450"]) equal(line.includes(pan), false, vector.name);
			equal(/ 14=[^<]/.test(line), false);
		}
	});

	it("has a masking rule that hides for every field that may carry secrets", () => {
		for (const de of [14, 35, 36, 48, 52, 54, 55, 62]) equal(UNIONPAY.fields[de]?.masking, "hide", `DE ${de}`);
		equal(UNIONPAY.fields[2]?.masking, "pan");
		equal(UNIONPAY.fields[103]?.masking, "last4");
	});

	it("says none of a decoder that holds nothing", () => {
		const message = new MessageDecoder(UNIONPAY);
		equal(renderMasked(message), "none");
		throws(() => maskedField(message, 2), coded("missing"));
	});
});
