/**
 * A pack's timeline: beginnings of transactions, frames, and the case's history, merged by their times. Each of the three
 * stays in its own order, also where the clock has jumped.
 * @module
 */
import { CodedError } from "../core/errors";
import type { ChainLog } from "./chain";
import type { EvidenceEvent } from "./evidence-facts";
import type { EvidenceFrameReader } from "./evidence-frame-reader";
import { FrameFlag } from "./evidence-ring-format";

export interface TimelineEvent {
	timeMs: number;
	what: string;
	/** The journal's id, 0 for what is no transaction's beginning. */
	id: number;
	/** Of a frame; 0 for what is none. */
	stan: number;
}

/**
 * @param nextId - the pack's next transaction behind an id, 0 at the end
 * @returns one event at a time, in one object; undefined where there was only something to skip
 */
export function* timeline(
	log: ChainLog,
	nextId: (after: number) => number,
	frames: EvidenceFrameReader | undefined,
	history: readonly EvidenceEvent[],
): Generator<TimelineEvent | undefined, void, undefined> {
	const event: TimelineEvent = { timeMs: 0, what: "", id: 0, stan: 0 };
	let id = nextId(0);
	let begunMs = begunAt(log, id);
	let frame = frames?.next() ?? "end";
	let told = 0;
	for (;;) {
		while (frames !== undefined && frame === "other") {
			yield undefined;
			frame = frames.next();
		}
		const frameMs = frames !== undefined && frame === "frame" ? frames.facts.timeMs : Number.POSITIVE_INFINITY;
		const historyMs = told < history.length ? history[told].timeMs : Number.POSITIVE_INFINITY;
		const timeMs = Math.min(begunMs, frameMs, historyMs);
		if (timeMs === Number.POSITIVE_INFINITY) return;
		event.timeMs = timeMs;
		event.id = 0;
		event.stan = 0;
		if (timeMs === begunMs) {
			event.what = "begun";
			event.id = id;
			yield event;
			id = nextId(id);
			begunMs = begunAt(log, id);
		} else if (frames !== undefined && timeMs === frameMs) {
			event.what = (frames.facts.flags & FrameFlag.received) !== 0 ? "received" : "sent";
			event.stan = frames.facts.stan;
			yield event;
			frame = frames.next();
		} else {
			event.what = history[told++].what;
			yield event;
		}
	}
}

function begunAt(log: ChainLog, id: number): number {
	if (id === 0) return Number.POSITIVE_INFINITY;
	try {
		return log.intent(id).timeS * 1_000;
	} catch (error) {
		if (!(error instanceof CodedError)) throw error;
		return 0; // Its records are lost; that it was there is all that is known.
	}
}
