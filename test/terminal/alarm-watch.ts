/** A whole shop, and what its monitor raises and ends, in all of its boots. */
import { strict as assert } from "node:assert";
import type { AlarmName } from "../../src/ports";
import { Rig, type RigOptions } from "../host-sim/world/rig";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
/** The monitor looks twice a minute; what is well again has to stand for a minute. */
export const OVER_MS = 2 * MINUTE_MS;

export class AlarmWatch {
	readonly rig: Rig;
	/** In the order of the log, with the link's name: "linkDown wifi". */
	readonly raised: string[] = [];
	readonly over: string[] = [];

	constructor(options: RigOptions = {}) {
		this.rig = new Rig({
			...options,
			onLog: (text) => {
				options.onLog?.(text);
				const match = /^([EWI]) terminal: alarm (.+?)(?: is over)?: \d+/.exec(text);
				if (match === null) return;
				if (match[1] === "I") this.over.push(match[2]);
				else this.raised.push(match[2]);
			},
		});
	}

	/** Names of what is raised now, the most severe first. */
	get now(): AlarmName[] {
		return this.rig.shop.terminal.alarms.map(({ name }) => name);
	}

	/** Nothing but `name` is raised within `ms`; the screen has shown it, and the ready screen names it. */
	raisedBy(name: AlarmName, ms: number): void {
		const { rig } = this;
		assert.ok(
			rig.runUntil(() => this.now.includes(name), ms),
			`${name} is not raised; ${this.raised.join(", ")}`,
		);
		assert.deepEqual(this.now, [name]);
		rig.time.advance(10_000);
		assert.equal(rig.shop.till.screen?.name, "ready");
		assert.deepEqual([rig.shop.till.screen?.alarm, rig.shop.till.screen?.alarms], [name, 1]);
	}

	/** It is over within `ms`, was raised once, and the ready screen says nothing of it any more. */
	overBy(name: AlarmName, ms: number): void {
		const { rig } = this;
		assert.ok(
			rig.runUntil(() => !this.now.includes(name), ms),
			`${name} is not over`,
		);
		rig.time.advance(10_000);
		assert.deepEqual(this.now, []);
		assert.deepEqual([rig.shop.till.screen?.name, rig.shop.till.screen?.alarms], ["ready", undefined]);
		assert.deepEqual(this.raised.map(withoutLink), [name]);
		assert.deepEqual(this.over.map(withoutLink), [name]);
	}

	/** Sales of different amounts, one after another, approved or not. */
	sales(count: number, cardName = "contactless"): void {
		for (let n = 0; n < count; n++) {
			this.rig.sell(1_000 + this.rig.shop.visits.length, cardName);
			this.rig.time.advance(5_000);
		}
	}
}

function withoutLink(text: string): string {
	return text.split(" ")[0];
}
