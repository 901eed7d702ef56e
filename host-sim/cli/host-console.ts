/**
 * What a person at the host's office may order, a line each: the merchant's account refused and mended, requests of the
 * desk granted and denied, faults struck by hand. Whatever is no order is told so, and nothing is done (I11).
 * @module
 */
import { CodedError } from "../../src/core/errors";
import type { BackOffice } from "../acquirer/back-office";
import { type FaultPlan, parseFault } from "../acquirer/faults";
import { Reason, reasonText } from "../acquirer/posting-reasons";
import { TEST_TERMINAL } from "../acquirer/test-keys";

/** Who has the orders carried out; undefined: the host is down. */
export interface Office {
	byHand<T>(act: (office: BackOffice, now: number) => T): T | undefined;
}

const HELP =
	"show: the ledgers and the office's books. refuse [REASON]: the merchant's account takes no postings, REASON 1 to 255. " +
	"mend: it is in order again, and what was refused is posted. grant REFERENCE, deny REFERENCE: a request of the desk " +
	"that is open. fault NAME [N]: that fault strikes the next N occasions it is a fault of, 1 to 999 (1). rate NAME=RATE: " +
	"from now on it strikes at that rate, 0 to 1. heal: no fault strikes any more. faults: their names. help: this text";
const DOWN = "the host is down: nothing was done";
const NO_ORDER = "no such order, help lists them: nothing was done";

/** @returns what has been done, one line */
export function carryOut(office: Office, faults: FaultPlan, line: string): string {
	const words = line.trim().split(/\s+/);
	const [order, word = "", ...more] = words;
	if (order === "fault") return more.length > 1 ? NO_ORDER : strike(faults, word, more[0] ?? "1");
	if (more.length > 0) return NO_ORDER;
	switch (order) {
		case "help":
			return HELP;
		case "refuse":
			return refuse(office, word === "" ? `${Reason.merchantAccount}` : word);
		case "mend":
			if (word !== "") break;
			return office.byHand((back, now) => mend(back, now)) ?? DOWN;
		case "rate":
			return setRate(faults, word);
		case "heal":
			if (word !== "") break;
			faults.clear();
			return "no fault strikes any more";
		case "faults":
			return word === "" ? faults.names.join(" ") : NO_ORDER;
		case "grant":
		case "deny":
			return office.byHand((back, now) => decide(back, word.toUpperCase(), order === "grant", now)) ?? DOWN;
	}
	return NO_ORDER;
}

/** Also while the host is down: the plan outlives it. */
function strike(faults: FaultPlan, word: string, times: string): string {
	const name = faults.names.find((known) => known === word);
	if (name === undefined) return "no such fault, faults lists them: nothing was done";
	if (!/^[1-9]\d{0,2}$/.test(times)) return "N is a number from 1 to 999: nothing was done";
	faults.arm(name, Number(times));
	return times === "1" ? `${name} strikes once` : `${name} strikes ${times} times`;
}

function setRate(faults: FaultPlan, word: string): string {
	try {
		const { name, rate } = parseFault(word);
		faults.setRate(name, rate);
		return `${name} strikes at a rate of ${rate}`;
	} catch (error) {
		if (!(error instanceof CodedError)) throw error;
		return "NAME=RATE with a rate from 0 to 1, faults lists the names: nothing was done";
	}
}

function refuse(office: Office, word: string): string {
	const reason = /^\d{1,3}$/.test(word) ? Number(word) : 0;
	if (reason < 1 || reason > 255) return "REASON is a number from 1 to 255: nothing was done";
	const done = office.byHand((back, now) => {
		back.refuseAccount(TEST_TERMINAL, now, reason);
		return `the merchant's account takes no postings: ${reasonText(reason)}`;
	});
	return done ?? DOWN;
}

function mend(back: BackOffice, now: number): string {
	const refused = back.report(now).refusedAccounts.length;
	const waiting = back.mendAccount(TEST_TERMINAL, now);
	if (refused === 0 && waiting === 0) return "the merchant's account is in order, and nothing was refused for it";
	return `the merchant's account is in order again: ${waiting} postings that were refused are due again`;
}

function decide(back: BackOffice, reference: string, grant: boolean, now: number): string {
	const found = back.report(now).requests.find((request) => request.reference === reference);
	if (found === undefined) return "the desk has no request with that reference: nothing was done";
	const { key, id } = found.fact;
	if (!back.desk.decide(key, id, grant, now)) return `${reference} is closed: nothing was done`;
	return `${reference} ${grant ? "granted" : "denied"}`;
}
