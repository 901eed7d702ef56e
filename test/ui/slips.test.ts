import * as assert from "node:assert/strict";
import type { Slip } from "../../src/ports";
import { columnsOf } from "../../src/ui/columns";
import { SLIP_COLUMNS, SLIP_COLUMNS_MIN, slipLines, timeText } from "../../src/ui/slips";

const SALE: Slip = {
	name: "sale",
	copy: "customer",
	reprint: false,
	stan: 12,
	batch: 3,
	amountMinor: 1_234,
	card: "621234******1232",
	rrn: "000000000042",
	authorization: "A12345",
	time: Date.UTC(2026, 10, 22, 16, 30, 5),
	terminalId: "12345678",
	merchantId: "123456789012345",
	told: "paid",
};
const NOT_CHARGED: Slip = { ...SALE, name: "notCharged", told: "notCharged", rrn: "", authorization: "" };
const WIDEST: Slip = { ...SALE, amountMinor: 999_999_999_999, card: "622123*********3450", stan: 999_999 };

describe("ui slips", () => {
	it("a sales slip has everything a bank asks for, in UTC+8", () => {
		assert.deepEqual(slipLines(SALE, "zh"), [
			"             签购单",
			"           持卡人存根",
			"--------------------------------",
			"商户号           123456789012345",
			"终端号                  12345678",
			"卡号            621234******1232",
			"批次号                    000003",
			"凭证号                    000012",
			"授权码                    A12345",
			"检索参考号          000000000042",
			"日期时间     2026/11/23 00:30:05",
			"--------------------------------",
			"金额                      ¥12.34",
			"--------------------------------",
			"交易成功，已扣款。",
		]);
	});

	it("says the same in English", () => {
		const text = slipLines(SALE, "en").join("\n");
		for (const value of [
			SALE.merchantId,
			SALE.terminalId,
			SALE.card,
			SALE.rrn,
			SALE.authorization,
			"¥12.34",
			"000012",
		]) {
			assert.ok(text.includes(value), value);
		}
		assert.match(text, /SALES SLIP.*CARDHOLDER COPY.*your card is charged/s);
		assert.doesNotMatch(text, /[\u4e00-\u9fff]/);
	});

	it("copy and reprint are marked; only the merchant's copy asks for a signature", () => {
		for (const [language, merchant, reprint, signature] of [
			["zh", /商户存根/, /重打印/, /持卡人签名/],
			["en", /MERCHANT COPY/, /REPRINT/, /Cardholder signature/],
		] as const) {
			assert.match(slipLines({ ...SALE, copy: "merchant" }, language).join("\n"), merchant);
			assert.match(slipLines({ ...SALE, copy: "merchant" }, language).join("\n"), signature);
			assert.doesNotMatch(slipLines(SALE, language).join("\n"), signature);
			assert.match(slipLines({ ...SALE, reprint: true }, language).join("\n"), reprint);
			assert.doesNotMatch(slipLines(SALE, language).join("\n"), reprint);
		}
	});

	it("a customer who is not charged reads so, that the money comes back, and what to quote", () => {
		const zh = slipLines(NOT_CHARGED, "zh").join("");
		assert.match(zh, /未扣款通知单.*未扣款。.*自动退回.*凭证号 000012/);
		assert.doesNotMatch(zh, /授权码|检索参考号|undefined/);
		assert.match(slipLines(NOT_CHARGED, "en").join(" "), /not charged.*being returned.*trace 000012/);
	});

	it("no line is wider than the paper, at any width", () => {
		for (const slip of [SALE, NOT_CHARGED, WIDEST, { ...WIDEST, copy: "merchant", reprint: true } as Slip]) {
			for (const language of ["zh", "en"] as const) {
				for (let width = SLIP_COLUMNS_MIN; width <= 48; width++) {
					for (const line of slipLines(slip, language, width)) {
						assert.ok(columnsOf(line) <= width, `${width}: "${line}"`);
					}
				}
			}
		}
		assert.throws(() => slipLines(SALE, "zh", SLIP_COLUMNS_MIN - 1), /20 columns/);
		assert.equal(SLIP_COLUMNS, 32);
	});

	it("a card number that was not masked is masked here (I9)", () => {
		for (const language of ["zh", "en"] as const) {
			const text = slipLines({ ...SALE, card: "6212345678901232" }, language).join("\n");
			assert.ok(text.includes("621234******1232"));
			assert.doesNotMatch(text, /\d{16}/);
		}
	});

	it("time is local to the shop and has two digits each", () => {
		assert.equal(timeText(Date.UTC(2026, 0, 1, 0, 0, 0)), "2026/01/01 08:00:00");
		assert.equal(timeText(Date.UTC(2026, 11, 31, 16, 0, 0)), "2027/01/01 00:00:00");
	});
});
