import * as assert from "node:assert/strict";
import type { CaseSlip, MoneySlip, SettlementSlip, Slip } from "../../src/ports";
import { columnsOf } from "../../src/ui/columns";
import { SLIP_COLUMNS, SLIP_COLUMNS_MIN, slipLines, timeText } from "../../src/ui/slips";

const SALE: MoneySlip = {
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
	kind: "sale",
	entryMode: "chip",
	operatorId: "01",
	withPin: true,
};
const NOT_CHARGED: MoneySlip = { ...SALE, name: "notCharged", told: "notCharged", rrn: "", authorization: "" };
const WIDEST: MoneySlip = { ...SALE, amountMinor: 999_999_999_999, card: "622123*********3450", stan: 999_999 };

const RETURNING: MoneySlip = {
	...{ ...NOT_CHARGED, name: "returning", caseId: 7, reference: "REF000000042" },
	expectedAt: Date.UTC(2026, 10, 23, 4, 0),
};
const GIVING_BACK: MoneySlip = { ...RETURNING, told: "paid", returnMinor: 100 };
const CASE: CaseSlip = {
	...{ name: "case", copy: "merchant", reprint: false, terminalId: "12345678", merchantId: "123456789012345" },
	...{ time: Date.UTC(2026, 10, 22, 16, 30, 5), caseId: 7, row: "overdue", cause: "bankDelay", facts: ["unposted"] },
	...{ state: "granted", outcome: "open", mover: "host", batch: 3, stan: 12, card: "621234******1232" },
	...{ rrn: "000000000042", amountMinor: 68_800, hostMinor: 68_800, openedAt: Date.UTC(2026, 10, 22, 9, 0, 0) },
	request: {
		...{ what: "claim", amountMinor: 68_800, askedAt: Date.UTC(2026, 10, 22, 9, 0, 2), answer: "granted", reason: 0 },
		...{
			answeredAt: Date.UTC(2026, 10, 22, 9, 0, 3),
			reference: "REF000000042",
			expectedAt: Date.UTC(2026, 10, 23, 9),
		},
	},
	nextAt: Date.UTC(2026, 10, 23, 9, 0, 0),
};
const SETTLEMENT: SettlementSlip = {
	...{ name: "settlement", copy: "merchant", reprint: false, terminalId: "12345678", merchantId: "123456789012345" },
	...{ time: Date.UTC(2026, 10, 22, 15, 30, 0), batch: 3, result: "unbalanced" },
	sales: { count: 12, sumMinor: 123_456 },
	offlineSales: { count: 1, sumMinor: 500 },
	refunds: { count: 2, sumMinor: 1_000 },
	hostDebits: { count: 12, sumMinor: 55_156 },
	hostCredits: { count: 2, sumMinor: 1_000 },
	carried: [{ stan: 9, amountMinor: 4_000, what: "reversing", caseId: 0, state: "" }],
	carriedCount: 1,
	differences: [
		{ stan: 12, amountMinor: 68_800, what: "notFound", caseId: 7, state: "asking" },
		{ stan: 14, amountMinor: 200, what: "overdue", caseId: 0, state: "" },
	],
	differencesCount: 40,
	openCases: 1,
	watched: 3,
};
/** One of each kind, in both copies, and the widest values. */
const ALL: Slip[] = [
	...[SALE, { ...SALE, copy: "merchant", reprint: true } as Slip, NOT_CHARGED, { ...NOT_CHARGED, code: "51" } as Slip],
	...[
		WIDEST,
		{ ...WIDEST, copy: "merchant" } as Slip,
		RETURNING,
		GIVING_BACK,
		{ ...RETURNING, name: "returned" } as Slip,
	],
	...[{ ...SALE, kind: "refund" } as Slip, { ...SALE, kind: "offlineSale" } as Slip, CASE, SETTLEMENT],
	{ ...GIVING_BACK, name: "returned" },
	{ ...CASE, caseId: 4_294_967_295, amountMinor: 999_999_999_999, facts: ["contradicted", "noAnswer"] },
];

describe("ui slips", () => {
	it("a sales slip has everything a bank asks for, in UTC+8", () => {
		assert.deepEqual(slipLines(SALE, "zh"), [
			"             签购单",
			"           持卡人存根",
			"--------------------------------",
			"商户号           123456789012345",
			"终端号                  12345678",
			"操作员号                      01",
			"卡号         621234******1232 /I",
			"交易类型                    消费",
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

	it("the merchant's copy says how the card was confirmed, what is signed, and leaves room for it", () => {
		assert.deepEqual(slipLines({ ...SALE, copy: "merchant" }, "zh").slice(-7), [
			"交易成功，已扣款。",
			"已凭密码确认",
			"本人确认以上交易，同意将其记入本",
			"卡账户。",
			"持卡人签名",
			"",
			"--------------------------------",
		]);
		const unsigned = { ...SALE, copy: "merchant", withPin: false } as const;
		assert.doesNotMatch(slipLines(unsigned, "zh").join(""), /密码/);
	});

	it("a card is marked by how it was read, and its expiry is on no slip", () => {
		for (const [entryMode, letter] of [
			["chip", "I"],
			["magstripe", "S"],
			["contactless", "C"],
		] as const) {
			assert.match(slipLines({ ...SALE, entryMode }, "en").join("\n"), new RegExp(`621234\\*{6}1232 /${letter}`));
		}
	});

	it("a refund says that the money goes back, an offline sale that it is sent later, and neither what a sale says", () => {
		const refund = slipLines({ ...SALE, kind: "refund" }, "zh").join("");
		assert.match(refund, /退货.*退回原卡/);
		const offline = slipLines({ ...SALE, kind: "offlineSale" }, "en").join(" ");
		assert.match(offline, /OFFLINE SALE.*sent to the host later/);
		for (const text of [refund, offline]) assert.doesNotMatch(text, /交易成功，已扣款|your card is charged/);
	});

	it("money on its way back: not charged, the reference, until when; what is still charged is never called otherwise", () => {
		const zh = slipLines(RETURNING, "zh").join("");
		assert.match(zh, /退款处理通知单.*未扣款.*退回.*差错编号 +7.*受理编号 +REF000000042.*预计 +2026\/11\/23 12:00:00/);
		assert.match(slipLines(RETURNING, "en").join(" "), /not charged.*on its way back.*REF000000042.*by +2026\/11\/23/);
		const owed = slipLines({ ...RETURNING, told: "paid" }, "en").join(" ");
		assert.match(owed, /your card stays charged/);
		assert.doesNotMatch(owed, /not charged/);
		const difference = slipLines(GIVING_BACK, "zh").join("");
		assert.match(difference, /退回差额 +¥1\.00.*多扣的差额已申请退回/);
		assert.doesNotMatch(difference, /未扣款/);
		assert.match(slipLines({ ...RETURNING, name: "returned" }, "zh").join(""), /未扣款.*款项已退回原卡/);
		const unknown = { ...RETURNING, expectedAt: 0, reference: "", caseId: 0 };
		assert.doesNotMatch(slipLines(unknown, "zh").join(""), /预计|受理编号|差错编号|1970/);
	});

	it("a case slip has number, cause, facts, what was asked and when, the answer, the reference, and the next step", () => {
		assert.deepEqual(slipLines(CASE, "zh").slice(0, 8), [
			"           差错处理单",
			"            商户存根",
			"--------------------------------",
			"商户号           123456789012345",
			"终端号                  12345678",
			"差错编号                       7",
			"立案时间     2026/11/22 17:00:00",
			"--------------------------------",
		]);
		const zh = slipLines(CASE, "zh").join("\n");
		for (const line of [
			/原因 +银行处理延迟/,
			/依据 +已记录 未入账/,
			/已请求 +请款（手动入账）/,
			/请求时间 +2026\/11\/22 17:00:02/,
			/答复 +已同意/,
			/受理编号 +REF000000042/,
			/预计 +2026\/11\/23 17:00:00/,
			/下一步 +等待收单机构处理/,
			/下次核对 +2026\/11\/23 17:00:00/,
		]) {
			assert.match(zh, line);
		}
		const { request: _, hostMinor: __, ...without } = CASE;
		const none = slipLines({ ...without, amountMinor: 0, facts: [], cause: "notKnown", nextAt: 0 }, "en").join("\n");
		assert.match(none, /Cause +not known\nFacts +none recorded/);
		assert.match(none, /Terminal has +no record\nHost has +no record/);
		assert.match(none, /Nothing asked of the host yet/);
		assert.doesNotMatch(none, /undefined|1970/);
	});

	it("a shop whose account takes nothing reads whom to call", () => {
		const slip = { ...CASE, row: "merchantAccount", cause: "merchantAccount", state: "waiting", mover: "merchant" };
		assert.match(slipLines(slip as CaseSlip, "zh").join("\n"), /原因 +商户账户异常.*请商户联系开户行/s);
		assert.match(slipLines(slip as CaseSlip, "en").join(" "), /Next +the shop: call your bank about +the account/);
	});

	it("a settlement slip has totals by kind, the host's, the result, and what differs or is carried line by line", () => {
		const zh = slipLines(SETTLEMENT, "zh").join("\n");
		assert.match(zh, /消费 +12 {2}¥1234\.56\n脱机消费 +1 {2}¥5\.00\n退货 +2 {2}¥10\.00\n主机借记 +12 {2}¥551\.56/);
		assert.match(zh, /对账结果 +不平\n待入账 +3\n未结差错 +1\n-+\n差异明细 +40/);
		assert.match(
			zh,
			/000012 +¥688\.00\n {2}主机无此笔\n {2}差错编号 7 已请求主机\n000014 +¥2\.00\n {2}逾期未入账 \(核对中\)\n另有 +38/,
		);
		assert.match(zh, /转下批次 +1\n000009 +¥40\.00\n {2}正在冲正 未扣款/);
		const even = {
			...SETTLEMENT,
			result: "balanced",
			differences: [],
			differencesCount: 0,
			carried: [],
			carriedCount: 0,
		};
		assert.match(slipLines(even as SettlementSlip, "zh").join("\n"), /对账结果 +平\n(?!.*差异明细|.*转下批次)/s);
		assert.match(slipLines({ ...even, result: "error" } as SettlementSlip, "zh").join("\n"), /对账结果 +错/);
	});

	it("no line is wider than the paper, at any width, and each slip has words of one language", () => {
		for (const slip of ALL) {
			for (const language of ["zh", "en"] as const) {
				for (let width = SLIP_COLUMNS_MIN; width <= 48; width++) {
					const lines = slipLines(slip, language, width);
					for (const line of lines) assert.ok(columnsOf(line) <= width, `${slip.name} ${width}: "${line}"`);
					assert.doesNotMatch(lines.join("\n"), /undefined|null|NaN|\{|\}/);
					assert.equal(/[\u4e00-\u9fff]/.test(lines.join("")), language === "zh", `${slip.name} ${language}`);
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
