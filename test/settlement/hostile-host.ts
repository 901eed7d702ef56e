/**
 * A host that says what a test wants: the whole acquirer, whose answers to sync messages are bent between its books and
 * its MAC, so that each of them is an answer of the host's as far as any key can tell.
 */
import type { HostEntry } from "../../host-sim/acquirer/batch-view";
import type { SyncReply } from "../../host-sim/acquirer/office-messages";
import { OfficeMessages } from "../../host-sim/acquirer/office-messages";
import { writePage, writeRequest, writeTransaction } from "../../host-sim/acquirer/sync-messages";
import { makeConfig } from "../../src/config";
import type { MessageDecoder } from "../../src/iso8583/decoder";
import { caseStateName } from "../../src/settlement/case-states";
import { rowName } from "../../src/settlement/finding";
import { Rig, type RigOptions } from "../host-sim/world/rig";

export { writePage, writeRequest, writeTransaction };
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** A request of the sync, and the honest answer to it. */
export interface Asked {
	/** DE 60.3. */
	readonly code: string;
	/** DE 62 of the request. */
	readonly sent: Uint8Array;
	readonly reply: SyncReply;
	/** The same answer with other bytes behind its nonce. */
	with(body: Uint8Array): SyncReply;
	/** Refused with this DE 39. */
	refused(code: string): SyncReply;
	/** The STAN that a 402, 403, 404 or 407 is about, else 0. */
	readonly stan: number;
}

export type Bend = (asked: Asked) => SyncReply | undefined;

let current: HostileHost | undefined;
const { sync: honest, settlement: honestSettlement } = OfficeMessages.prototype;

OfficeMessages.prototype.sync = function (message, terminal, now) {
	const code = message.text(60).slice(8);
	const isForgotten = current?.forgetsDesk === true && ["403", "404", "407"].includes(code);
	const reply: SyncReply = isForgotten
		? { code: "00", data: message.bytes(62).slice(0, 8), what: `sync ${code}`, lost: false }
		: honest.call(this, message, terminal, now);
	return current === undefined ? reply : current.answer(message, reply);
};

OfficeMessages.prototype.settlement = function (message, terminal, now, newRrn) {
	const what = `${message.mti} ${message.text(60).slice(8)}`;
	const answer = honestSettlement.call(this, message, terminal, now, newRrn);
	if (current === undefined) return answer;
	current.said.push(what);
	current.onSettlement?.(what);
	if (current.totals === undefined || answer.totals === "") return answer;
	return { ...answer, totals: `${answer.totals.slice(0, 30)}2${answer.totals.slice(31)}` };
};

function stanOf(code: string, sent: Uint8Array): number {
	const at = code === "402" ? 8 + 3 : 8 + 16 + 3;
	if (!["402", "403", "404", "407"].includes(code)) return 0;
	let value = 0;
	for (let n = 0; n < 3; n++) value = value * 100 + (sent[at + n] >> 4) * 10 + (sent[at + n] & 15);
	return value;
}

/** The last one made is the one that answers. */
export class HostileHost {
	readonly rig: Rig;
	/** What was asked since {@link count} was last cleared: the first words of each request. */
	readonly said: string[] = [];
	bend: Bend | undefined;
	/** What its books show of a movement, in lists and single answers alike. */
	shows: ((entry: HostEntry | undefined, stan: number, code: string) => HostEntry | undefined) | undefined;
	/** A 0500 or 0320 has come: its MTI and DE 60.3. */
	onSettlement: ((what: string) => void) | undefined;
	/** Nothing that is asked of the desk is done: it does not even hear of it. */
	forgetsDesk = false;
	/** The result of each settlement, whatever the books say. */
	totals: "unbalanced" | undefined;

	constructor(options: RigOptions = {}) {
		current = this;
		this.rig = new Rig({ ...options, config: { settleAtMinute: -1, ...options.config } });
	}

	static done(): void {
		current = undefined;
	}

	answer(message: MessageDecoder, honestReply: SyncReply): SyncReply {
		const code = message.text(60).slice(8);
		const sent = message.bytes(62).slice();
		const stan = stanOf(code, sent);
		this.said.push(`${code} ${Number(message.text(60).slice(2, 8))}/${stan}`);
		let reply = honestReply;
		const nonce = sent.slice(0, 8);
		const body = (bytes: Uint8Array): SyncReply => ({ ...reply, code: "00", data: join(nonce, bytes) });
		if (this.shows !== undefined && reply.code === "00") {
			const batch = this.batchKey(Number(message.text(60).slice(2, 8)));
			const { backOffice } = this.rig.host!;
			if (code === "402") reply = body(writeTransaction(this.shows(backOffice.entry({ ...batch, stan }), stan, code)));
			else if (code === "401") {
				const list = backOffice.entries(batch, 1, 999_999);
				const shown: HostEntry[] = [];
				for (const entry of list) {
					const as = this.shows(entry, entry.stan, code);
					if (as !== undefined) shown.push(as);
				}
				const from = bcd(sent, 11);
				const rest = shown.filter(({ stan: at }) => at >= from);
				reply = body(writePage(rest.slice(0, 40), rest.length > 40));
			} else if (code === "406") reply = { ...reply, data: reply.data.map((byte, at) => (at === 8 ? byte ^ 1 : byte)) };
		}
		const refused = (as: string): SyncReply => ({ ...reply, code: as, data: nonce });
		return this.bend?.({ code, sent, reply, stan, with: body, refused }) ?? reply;
	}

	batchKey(batch: number): { merchantId: string; terminalId: string; batch: number } {
		const { merchantId, terminalId } = makeConfig();
		return { merchantId, terminalId, batch };
	}

	/** How often something was asked since the last call. */
	count(): number {
		const { length } = this.said;
		this.said.length = 0;
		return length;
	}

	/** The greatest number of requests in one of so many hours. */
	busiestHour(hours: number): number {
		let most = 0;
		this.count();
		for (let hour = 0; hour < hours; hour++) {
			this.rig.time.advance(HOUR_MS);
			most = Math.max(most, this.count());
		}
		return most;
	}

	cases(): string[] {
		const { cases } = this.rig.shop.terminal;
		const known: string[] = [];
		for (let id = cases.next(0); id !== 0; id = cases.next(id)) {
			const { row, state, stan } = cases.get(id);
			known.push(`${stan} ${rowName(row)} ${caseStateName(state)}`);
		}
		return known;
	}
}

function bcd(bytes: Uint8Array, at: number): number {
	let value = 0;
	for (let n = 0; n < 3; n++) value = value * 100 + (bytes[at + n] >> 4) * 10 + (bytes[at + n] & 15);
	return value;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
	const bytes = new Uint8Array(a.length + b.length);
	bytes.set(a);
	bytes.set(b, a.length);
	return bytes;
}
