/**
 * What people read of a case: the screen of the step that it is in, or of how it ended. Whose move it is, what was asked of
 * the host, its reference and by when it means to have done it.
 * @module
 */
import type { Screen, ScreenName } from "../ports";
import { type CaseRecord, RequestType } from "./case-records";
import { CaseState, Outcome } from "./case-states";
import { isCaseRow, rowName } from "./finding";
import { stepAt } from "./remedies";

/** Of a case that is over. */
const ENDS: { readonly [O in number]: ScreenName } = {
	[Outcome.agreed]: "caseResolved",
	[Outcome.stands]: "caseStands",
	[Outcome.byHand]: "caseByHand",
	[Outcome.loss]: "caseLoss",
};

export function caseScreen(record: CaseRecord): Screen {
	const { id, batch, stan, panFirst, panLast, panDigits, reference, expectedS, requestType, requestMinor } = record;
	const asked = requestType !== RequestType.none;
	const card = panDigits === 0 ? "" : `${panFirst}${"*".repeat(Math.max(0, panDigits - 10))}${panLast}`;
	return {
		name: screenName(record),
		caseId: id,
		// A whole batch has no trace number.
		...(stan === 0 ? { batch } : { stan }),
		amountMinor: asked ? requestMinor : record.amountMinor || record.hostMinor,
		...(card === "" ? {} : { card }),
		...(reference === "" ? {} : { reference }),
		...(expectedS === 0 ? {} : { expectedAt: expectedS * 1_000 }),
	};
}

function screenName(record: CaseRecord): ScreenName {
	const ended = ENDS[record.outcome];
	if (ended !== undefined) return ended;
	const row = rowName(record.row);
	if (row === undefined || !isCaseRow(row) || record.state === CaseState.found) return "caseFound";
	return stepAt(row, record.step)?.text ?? "caseFound";
}
