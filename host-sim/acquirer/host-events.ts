/**
 * What the host says of itself, to a log or a screen. Texts are made only when somebody listens.
 * @module
 */
import type { Clock } from "../../src/ports";
import { describe } from "./answers";
import type { FaultName } from "./faults";
import type { Outcome } from "./outcome";
import type { EchoFields, RequestFields } from "./requests";

/** What a log or a screen may say; nothing in it is secret. */
export interface HostEvent {
	/**
	 * message: a request and its answer. session: a sign-on or sign-off. fault: struck. refused: not carried out. posting:
	 * one that was not made with its record, or was refused. sync: a sync message. The others: what they say.
	 */
	readonly kind:
		| "message"
		| "session"
		| "fault"
		| "refused"
		| "connection"
		| "crash"
		| "posting"
		| "settlement"
		| "sync"
		| "desk";
	/** One line, masked. */
	readonly text: string;
	readonly at: number;
	/** Movement, where there is one. */
	readonly batch?: number;
	readonly stan?: number;
	readonly amountMinor?: number;
	/** DE 39 of the answer. */
	readonly code?: string;
}

export interface HostVoiceOptions {
	readonly clock: Clock;
	/** Who listens. */
	onEvent?(event: HostEvent): void;
}

export class HostVoice {
	readonly #options: HostVoiceOptions;

	constructor(options: HostVoiceOptions) {
		this.#options = options;
	}

	say(kind: HostEvent["kind"], text: string, details?: Partial<HostEvent>): void {
		this.#options.onEvent?.({ kind, text, at: this.#options.clock.now(), ...details });
	}

	/** A request was carried out. */
	message(request: RequestFields, outcome: Outcome): void {
		if (this.#options.onEvent === undefined) return;
		const { key, amountMinor } = request;
		const { batch, stan } = key;
		this.say("message", describe(request, outcome), { batch, stan, amountMinor, code: outcome.code });
	}

	/** A request was refused. @param place - of what is wrong with it, with a space before it; or empty */
	refused({ mti, stan }: EchoFields, place: string, code: string): void {
		if (this.#options.onEvent === undefined) return;
		this.say("refused", `${mti} stan ${stan ?? "?"} refused${place} -> ${code}`, { code });
	}

	/** @param what - is struck */
	faults(what: () => string, faults: Readonly<Partial<Record<FaultName, boolean>>>): void {
		if (this.#options.onEvent === undefined) return;
		const struck = (Object.keys(faults) as FaultName[]).filter((name) => faults[name] === true);
		if (struck.length > 0) this.say("fault", `${what()} fault ${struck.join(" ")}`);
	}
}
