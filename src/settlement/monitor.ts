/**
 * Notices while the shop is open what would come out at month's end (MISSION S10): goes through the rules
 * (monitor-rules.ts) every so often and after each sale, raises what is at its limit, and ends what is well again.
 *
 * Invariants: at most one alarm for each rule and link, in arrays made once (I10). It decides nothing but what people are
 * told: no sale waits for it, nothing is written to flash. A restart forgets it and finds it again: what it reads comes
 * from the journal, or happens anew.
 * @module
 */
import type { Config } from "../config";
import type { AlarmName, Clock, Link } from "../ports";
import { endOf, limitOf, RULES, type Rule, type Severity } from "./monitor-rules";
import type { MonitorSigns } from "./monitor-signs";

/** One that is raised, or is over just now. */
export interface Alarm {
	readonly name: AlarmName;
	readonly severity: Severity;
	/** Name of the link, where the rule is one of links; else empty. */
	readonly link: string;
	/** What the rule has read, and its limit; in the unit of its setting. */
	readonly value: number;
	readonly limit: number;
	/** Uptime at which it was raised. */
	readonly raisedMs: number;
}

export interface MonitorOptions {
	signs: MonitorSigns;
	links: readonly Link[];
	clock: Clock;
	config: Config;
	/** An alarm is raised, or over. */
	onAlarm(raised: boolean, alarm: Alarm): void;
	/** It has looked at everything because it was time to. */
	onLooked(): void;
}

/** Bits of a place. */
const RAISED = 1;
/** Nobody has seen it on the screen yet. */
const UNTOLD = 2;
/** Its number is on the other side of its limit, and has not stood there long enough. */
const TURNING = 4;
/** Numbers of a place: what was read last, since when it is turning, when it was raised. */
const NUMBERS = 3;
const VALUE = 0;
const SINCE = 1;
const RAISED_AT = 2;

export class Monitor {
	readonly #o: MonitorOptions;
	/** Places: one a rule, and of a rule of links one a link. */
	readonly #flags: Uint8Array;
	readonly #numbers: Float64Array;
	#timer = 0;
	#count = 0;

	constructor(options: MonitorOptions) {
		this.#o = options;
		let places = 0;
		for (const rule of RULES) places += this.subjects(rule);
		this.#flags = new Uint8Array(places);
		this.#numbers = new Float64Array(NUMBERS * places);
	}

	/** Alarms that are raised. */
	get count(): number {
		return this.#count;
	}

	/** The host has answered a sale. @param code - DE 39 */
	answered(code: string): void {
		this.#o.signs.declines.answered(code);
	}

	/** Looks now, and from then on every `monitorEveryMs`. */
	start(): void {
		this.look();
		this.wait();
	}

	stop(): void {
		this.#o.clock.clearTimer(this.#timer);
		this.#timer = 0;
	}

	/** Goes through all rules. */
	look(): void {
		const { signs, clock } = this.#o;
		const nowMs = clock.monotonic();
		signs.look(nowMs);
		let place = 0;
		for (const rule of RULES) {
			const subjects = this.subjects(rule);
			for (let link = 0; link < subjects; link++) this.judge(place++, rule, link, nowMs);
		}
	}

	/** Those that are raised, the most severe first. */
	list(): Alarm[] {
		const alarms: Alarm[] = [];
		let place = 0;
		for (const rule of RULES) {
			for (let link = 0; link < this.subjects(rule); link++, place++) {
				if ((this.#flags[place] & RAISED) !== 0) alarms.push(this.alarm(place, rule, link));
			}
		}
		return alarms;
	}

	/** The most severe alarm; undefined while there is none. */
	worst(): Alarm | undefined {
		return this.first(RAISED, 0);
	}

	/** The next one that is raised and was not shown yet; from here on it was. */
	takeUntold(): Alarm | undefined {
		return this.first(UNTOLD, UNTOLD);
	}

	/** Somebody wants to see all of them once more. */
	tellAgain(): void {
		const flags = this.#flags;
		for (let place = 0; place < flags.length; place++) if ((flags[place] & RAISED) !== 0) flags[place] |= UNTOLD;
	}

	/** @param bit - of the place looked for; @param off - bits it loses */
	private first(bit: number, off: number): Alarm | undefined {
		let place = 0;
		for (const rule of RULES) {
			for (let link = 0; link < this.subjects(rule); link++, place++) {
				if ((this.#flags[place] & bit) === 0) continue;
				this.#flags[place] &= ~off;
				return this.alarm(place, rule, link);
			}
		}
		return undefined;
	}

	private judge(place: number, rule: Rule, link: number, nowMs: number): void {
		const { signs, config, onAlarm } = this.#o;
		const flags = this.#flags;
		const numbers = this.#numbers;
		const at = NUMBERS * place;
		const value = rule.reads(signs, link);
		const raised = (flags[place] & RAISED) !== 0;
		numbers[at + VALUE] = value;
		if (raised ? value > endOf(rule, config) : value < limitOf(rule, config)) {
			flags[place] &= ~TURNING;
			return;
		}
		if ((flags[place] & TURNING) === 0) {
			flags[place] |= TURNING;
			numbers[at + SINCE] = nowMs;
		}
		const standsMs = raised ? config.alarmQuietMs : rule.held === undefined ? 0 : config[rule.held];
		if (nowMs - numbers[at + SINCE] < standsMs) return;
		if (!raised) numbers[at + RAISED_AT] = nowMs;
		flags[place] = raised ? 0 : RAISED | UNTOLD;
		this.#count += raised ? -1 : 1;
		onAlarm(!raised, this.alarm(place, rule, link));
	}

	private alarm(place: number, rule: Rule, link: number): Alarm {
		const { name, severity } = rule;
		const at = NUMBERS * place;
		return {
			name,
			severity,
			link: rule.ofLink === true ? this.#o.links[link].name : "",
			value: this.#numbers[at + VALUE],
			limit: limitOf(rule, this.#o.config),
			raisedMs: this.#numbers[at + RAISED_AT],
		};
	}

	private subjects(rule: Rule): number {
		return rule.ofLink === true ? this.#o.links.length : 1;
	}

	private wait(): void {
		const { clock, config, onLooked } = this.#o;
		this.#timer = clock.setTimer(config.monitorEveryMs, () => {
			this.wait();
			this.look();
			onLooked();
		});
	}
}
