/** Cases as tests begin them. */
import type { NewCase } from "../../src/settlement/case-change";
import { Cause, CauseFact } from "../../src/settlement/cause";
import type { CaseRow } from "../../src/settlement/finding";

export function someCase(stan: number, row: CaseRow = "notFound", batch = 7): NewCase {
	return {
		row,
		cause: Cause.systemFault,
		facts: CauseFact.notFound,
		batch,
		stan,
		kind: 1,
		amountMinor: 12_345,
		hostMinor: 0,
		hostFlags: 0,
		rrn: "112200000001",
		panFirst: "621234",
		panLast: "1232",
		panDigits: 16,
		transactionId: 1_000 + stan,
		dueS: 0,
	};
}

/** Request ids that differ. */
export function requestId(n: number): Uint8Array {
	const bytes = new Uint8Array(16).fill(0xa5);
	bytes[15] = n;
	return bytes;
}
