/**
 * The sales slip (签购单) as data: all that is known of a sale and that the card schemes' slip customarily carries. Not on
 * it: the card's expiry, and more of its number than the mask leaves (I9); nor is any of that kept here to be printed.
 * @module
 */
import type { Config } from "../config";
import type { EntryMode, MoneySlip, SlipCopy, SlipKind } from "../ports";
import { type Intent, KIND_OFFLINE_SALE, KIND_REFUND, maskedCard, type Outcome } from "./records";

/** First two digits of DE 22. Source: PROTOCOL.md, "Formats". */
const ENTRY_MODES: { readonly [Digits in string]?: EntryMode } = {
	"05": "chip",
	"02": "magstripe",
	"07": "contactless",
};
/** Third digit of DE 22: a PIN was entered. */
const WITH_PIN = "1";

/**
 * @param outcome - undefined before the host has answered: an offline sale
 * @param reprint - it says so
 */
export function saleSlip(
	intent: Intent,
	outcome: Outcome | undefined,
	config: Config,
	copy: SlipCopy = "customer",
	reprint = false,
): MoneySlip {
	const kind = slipKind(intent.kind);
	return {
		name: "sale",
		...headOf(intent, outcome, config),
		copy,
		reprint,
		// A refund is no statement about the sale under whose number nobody has bought anything.
		...(kind === "refund" ? {} : { told: "paid" }),
	};
}

/** What a slip has of a transaction, whatever it says about it. */
export function headOf(intent: Intent, outcome: Outcome | undefined, config: Config): Omit<MoneySlip, "name" | "told"> {
	const entryMode = ENTRY_MODES[intent.entryMode.slice(0, 2)];
	return {
		copy: "customer",
		reprint: false,
		stan: intent.stan,
		batch: intent.batch,
		amountMinor: intent.amountMinor,
		card: maskedCard(intent),
		rrn: outcome?.rrn ?? "",
		authorization: outcome?.authorization ?? "",
		time: intent.timeS * 1_000,
		terminalId: config.terminalId,
		merchantId: config.merchantId,
		kind: slipKind(intent.kind),
		...(entryMode === undefined ? {} : { entryMode }),
		operatorId: config.operatorId,
		withPin: intent.entryMode[2] === WITH_PIN,
	};
}

function slipKind(kind: number): SlipKind {
	if (kind === KIND_REFUND) return "refund";
	return kind === KIND_OFFLINE_SALE ? "offlineSale" : "sale";
}
