/**
 * Goal: the host's time is known from its answers, in the right year, whatever the terminal's clock says; and nothing is ever
 * taken for older than it is, whatever the host's clock does.
 * Method: answers with chosen DE 12 and 13 over a clock that moves when the test says so; random lives in which the host's
 * clock is set ahead and back while things happen at known moments.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { hostDate, hostStamp, hostTime } from "../../host-sim/acquirer/host-time";
import { fromHex } from "../../src/core/bytes";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import type { Clock } from "../../src/ports";
import { HostTime, readStamp } from "../../src/settlement/host-time";
import { coded } from "../iso8583/vector-helpers";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Less a few days, for what passes meanwhile. */
const HALF_YEAR = 180 * DAY;
const YEAR = 365 * DAY;

/** ms since 1970 of a local time. */
const local = (text: string) => Date.parse(`${text}+08:00`);

/** The terminal's clocks. */
class Clocks implements Clock {
	wallMs: number;
	uptimeMs = 5_000;

	constructor(wallMs: number) {
		this.wallMs = wallMs;
	}

	now(): number {
		return this.wallMs;
	}

	monotonic(): number {
		return this.uptimeMs;
	}

	advance(ms: number): void {
		this.wallMs += ms;
		this.uptimeMs += ms;
	}

	setTimer(): number {
		assert.fail("no timer is needed");
	}

	clearTimer(): void {}
}

/** An answer with these DE 12 and 13; undefined: without. */
function answer(time: string | undefined, date: string | undefined, mti = "0210"): MessageDecoder {
	const out = new Uint8Array(256);
	const encoder = new MessageEncoder(UNIONPAY, out);
	encoder.begin(mti);
	encoder.digits(11, "000001");
	if (time !== undefined) encoder.digits(12, time);
	if (date !== undefined) encoder.digits(13, date);
	encoder.ascii(39, "00");
	const message = new MessageDecoder(UNIONPAY);
	message.decode(out, encoder.finish());
	return message;
}

const answerAt = (atMs: number) => answer(hostTime(atMs), hostDate(atMs));
/** hhmmssMMDD, as an outcome has it. */
const textOf = (atMs: number) => hostTime(atMs) + hostDate(atMs);

function learned(wallMs: number, hostMs: number): { clocks: Clocks; host: HostTime } {
	const clocks = new Clocks(wallMs);
	const host = new HostTime(clocks);
	assert(host.learn(answerAt(hostMs)));
	return { clocks, host };
}

describe("the host's time", () => {
	it("is not known before the first answer, and then nothing has an age", () => {
		const host = new HostTime(new Clocks(local("2026-11-22T12:00:00")));
		assert.equal(host.known, false);
		assert.equal(host.now(), undefined);
		assert.equal(host.offMs, 0);
		assert.equal(host.at("1200001122"), undefined);
		assert.equal(host.ageMs(1), undefined);
		assert.equal(host.ageOf("1200001122"), undefined);
		assert.equal(host.isOlder(1, 0), false);
		assert.equal(host.learn(answer(undefined, "1122")), false);
		assert.equal(host.learn(answer("120000", undefined)), false);
		for (const [time, date] of [
			["240000", "1122"],
			["126000", "1122"],
			["120060", "1122"],
			["120000", "0000"],
			["120000", "1301"],
			["120000", "1131"],
			["120000", "0230"],
		]) {
			assert.equal(host.learn(answer(time, date)), false, `${date} ${time}`);
		}
		assert.equal(host.known, false);
	});

	it("is that of the answer, and goes on with the uptime", () => {
		const { clocks, host } = learned(local("2026-11-22T12:00:10"), local("2026-11-22T12:00:00"));
		assert.equal(host.now(), local("2026-11-22T12:00:00"));
		assert.equal(host.offMs, -10 * SECOND);
		clocks.advance(HOUR);
		assert.equal(host.now(), local("2026-11-22T13:00:00"));
		clocks.wallMs += 7 * YEAR; // Somebody sets the terminal's clock.
		assert.equal(host.now(), local("2026-11-22T13:00:00"));
		assert.equal(host.offMs, -10 * SECOND - 7 * YEAR);
	});

	it("keeps what it knew when an answer says no time", () => {
		const { host } = learned(local("2026-11-22T12:00:00"), local("2026-11-22T12:00:00"));
		assert.equal(host.learn(answer("129900", "1122")), false);
		assert.equal(host.now(), local("2026-11-22T12:00:00"));
	});

	it("is not that of an answer which may come from the host's store", () => {
		const host = new HostTime(new Clocks(local("2026-11-22T12:00:00")));
		for (const mti of ["0230", "0330", "0410", "0510", "0810"]) {
			assert.equal(host.learn(answer("110000", "1121", mti)), false, mti);
		}
		assert.equal(host.learn(answer("110000", "1121", "0310")), true);
	});

	it("is in the nearest year on both sides of New Year", () => {
		const late = learned(local("2027-01-01T00:00:05"), local("2026-12-31T23:59:58"));
		assert.equal(late.host.now(), local("2026-12-31T23:59:58"));
		const early = learned(local("2026-12-31T23:59:58"), local("2027-01-01T00:00:05"));
		assert.equal(early.host.now(), local("2027-01-01T00:00:05"));
		assert.equal(early.host.ageOf("2359301231"), 35 * SECOND);
	});

	it("knows 29 February, and the days around it", () => {
		const { clocks, host } = learned(local("2028-02-28T23:59:00"), local("2028-02-28T23:59:00"));
		clocks.advance(2 * MINUTE);
		host.learn(answer("000100", "0229"));
		assert.equal(host.now(), local("2028-02-29T00:01:00"));
		assert.equal(host.ageOf("2359000228"), 2 * MINUTE);
		clocks.advance(DAY);
		host.learn(answer("000100", "0301"));
		assert.equal(host.now(), local("2028-03-01T00:01:00"));
		assert.equal(host.ageOf("0001000229"), DAY);
	});

	it("has no summer time", () => {
		const { host } = learned(local("2026-07-01T12:00:00"), local("2026-07-01T12:00:00"));
		assert.equal(host.now(), Date.UTC(2026, 6, 1, 4));
	});

	it("is in the terminal's own years when its clock is years off; ages are right all the same", () => {
		const real = local("2028-02-28T10:00:00");
		for (const wall of ["1970-01-01T08:00:00", "1970-06-30T00:00:00", "2021-08-01T00:00:00", "2055-01-01T00:00:00"]) {
			const { clocks, host } = learned(local(wall), real);
			assert(Math.abs(host.offMs) <= 184 * DAY || wall.startsWith("1970"), `${wall} ${host.offMs / DAY}`);
			let nowMs = real;
			const soldMs = real;
			// Over 29 February and New Year, an answer each 13 hours.
			for (let n = 0; n < 600; n++) {
				clocks.advance(13 * HOUR);
				nowMs += 13 * HOUR;
				host.learn(answerAt(nowMs));
				assert.equal(host.ageOf(textOf(nowMs - 20 * MINUTE)), 20 * MINUTE, `${wall} ${hostStamp(nowMs)}`);
				assert.equal(host.ageMs(nowMs - 20 * MINUTE), 20 * MINUTE, "a stamp with its own year");
				if (n === 3) assert.equal(host.ageOf(textOf(soldMs)), 4 * 13 * HOUR);
			}
		}
	});

	it("is never before 1970", () => {
		const { host } = learned(0, local("2026-11-23T12:00:00"));
		assert.equal(host.now(), local("1970-11-23T12:00:00"));
		const negative = learned(-5 * YEAR, local("2026-11-23T12:00:00"));
		assert.equal(negative.host.now(), local("1970-11-23T12:00:00"));
	});

	it("takes an outcome's time for what it is, or for none", () => {
		const { host } = learned(local("2026-11-22T12:00:00"), local("2026-11-22T12:00:00"));
		assert.equal(host.at("1150001122"), local("2026-11-22T11:50:00"));
		for (const text of ["", "0000000000", "115000112", "11500011223", "1150-01122", "2500001122", "1150000230"]) {
			assert.equal(host.at(text), undefined, text);
			assert.equal(host.ageOf(text), undefined, text);
		}
	});
});

describe("ages by the host's time", () => {
	it("are what has passed, and at least 0", () => {
		const { clocks, host } = learned(local("2026-11-22T12:00:00"), local("2026-11-22T12:00:00"));
		const soldMs = local("2026-11-22T11:45:00");
		assert.equal(host.ageMs(soldMs), 15 * MINUTE);
		assert.equal(host.isOlder(soldMs, 30 * MINUTE), false);
		clocks.advance(15 * MINUTE);
		assert.equal(host.isOlder(soldMs, 30 * MINUTE), true);
		assert.equal(host.ageMs(soldMs + DAY), 0);
	});

	it("grow no faster when the host's clock leaps back", () => {
		for (const backMs of [HOUR, DAY, 90 * DAY, 182 * DAY]) {
			const nowMs = local("2026-11-22T12:00:00");
			const { clocks, host } = learned(nowMs, nowMs);
			clocks.advance(MINUTE);
			host.learn(answerAt(nowMs + MINUTE - backMs));
			assert.equal(host.ageMs(nowMs), 0);
			assert.equal(host.ageMs(nowMs - 10 * MINUTE), Math.max(0, 11 * MINUTE - backMs));
			// What is sold now carries the clock as it is now.
			assert.equal(host.ageMs(nowMs + MINUTE - backMs), 0);
		}
	});

	it("grow no faster when it is reset to January, which looks like a leap ahead", () => {
		const nowMs = local("2026-11-22T12:00:00");
		const { clocks, host } = learned(nowMs, nowMs);
		clocks.advance(MINUTE);
		host.learn(answer("000000", "0101"));
		assert.equal(host.now(), local("2027-01-01T00:00:00"));
		assert.equal(host.ageMs(nowMs), MINUTE);
		assert.equal(host.ageOf(textOf(nowMs - 20 * MINUTE)), 21 * MINUTE);
		clocks.advance(10 * MINUTE);
		assert.equal(host.ageOf("0005000101"), 5 * MINUTE, "sold since: by the clock as it is now");
		assert.equal(host.ageMs(nowMs), 11 * MINUTE);
		host.learn(answerAt(nowMs + 11 * MINUTE)); // It is put right.
		assert.equal(host.ageMs(nowMs), 11 * MINUTE);
		clocks.advance(DAY);
		assert.equal(host.ageMs(nowMs), DAY + 11 * MINUTE);
	});

	it("do not count what the first answer after a start leaps over", () => {
		// The terminal's clock has lost its battery: nobody can tell how long it was off.
		const nowMs = local("2026-11-22T12:00:00");
		const { clocks, host } = learned(0, nowMs);
		assert.equal(host.ageOf(textOf(nowMs - 10 * MINUTE)), 0);
		clocks.advance(30 * MINUTE);
		assert.equal(host.ageOf(textOf(nowMs - 10 * MINUTE)), 30 * MINUTE);
		assert.equal(host.ageOf(textOf(nowMs + 10 * MINUTE)), 20 * MINUTE);
	});

	it("remember the great leaps rather than the small ones", () => {
		const soldMs = local("2026-11-22T12:00:00");
		const { clocks, host } = learned(soldMs, soldMs);
		let hostMs = soldMs;
		for (const leapMs of [DAY, DAY, DAY, DAY, 2 * MINUTE, 3 * MINUTE]) {
			clocks.advance(MINUTE);
			hostMs += MINUTE + leapMs;
			host.learn(answerAt(hostMs));
		}
		assert.equal(host.ageMs(soldMs), 6 * MINUTE);
	});

	it("are right on 29 February for what was sold before a leap, in years that have no such day", () => {
		const soldMs = local("2027-02-20T12:00:00");
		const { clocks, host } = learned(soldMs, soldMs);
		clocks.advance(MINUTE);
		host.learn(answerAt(soldMs + 3 * DAY));
		clocks.advance(6 * DAY);
		host.learn(answer("120000", "0229"));
		assert.equal(host.now(), local("2028-02-29T12:00:00"));
		assert.equal(host.ageOf(textOf(soldMs)), 6 * DAY + MINUTE);
	});

	it("pass over the small steps of two clocks", () => {
		const nowMs = local("2026-11-22T12:00:00");
		const { clocks, host } = learned(nowMs, nowMs);
		for (let n = 1; n <= 100; n++) {
			clocks.advance(10 * SECOND);
			host.learn(answerAt(nowMs + n * 11 * SECOND));
		}
		assert.equal(host.ageMs(nowMs), 1_100 * SECOND);
	});

	it("are never more than what has passed, whatever the host's clock does", () => {
		const step = fc.record({
			passMs: fc.integer({ min: 0, max: 3 * 3600 }).map((s) => s * SECOND),
			leapMs: fc.oneof(
				{ weight: 3, arbitrary: fc.constant(0) },
				fc.integer({ min: -2 * 86_400, max: 2 * 86_400 }).map((s) => s * SECOND),
				fc.constantFrom(-170 * DAY, -90 * DAY, 40 * DAY, 100 * DAY),
			),
			sells: fc.boolean(),
		});
		const wall = fc.constantFrom(
			0,
			local("2026-11-22T12:00:00"),
			local("2026-11-20T12:00:00"),
			local("2031-01-01T00:00:00"),
		);
		fc.assert(
			fc.property(wall, fc.array(step, { minLength: 1, maxLength: 12 }), (wallMs, steps) => {
				const clocks = new Clocks(wallMs);
				const host = new HostTime(clocks);
				let hostMs = local("2026-11-22T12:00:00");
				let leaps = 0;
				let offMs = 0;
				const offsMs = [0];
				const sold: { text: string; uptimeMs: number }[] = [];
				for (const { passMs, leapMs, sells } of steps) {
					clocks.advance(passMs);
					hostMs += passMs;
					// More leaps ahead than are remembered may be mistaken: the smallest are. And a clock that is half a year off
					// is another year's: nothing that the host sends has one.
					const most = Math.max(...offsMs, offMs + leapMs) - Math.min(...offsMs, offMs + leapMs);
					if (leaps < 3 && leapMs !== 0 && most < HALF_YEAR) {
						offMs += leapMs;
						offsMs.push(offMs);
						hostMs += leapMs;
						leaps++;
					}
					assert(host.learn(answerAt(hostMs)));
					if (sells) sold.push({ text: textOf(hostMs), uptimeMs: clocks.uptimeMs });
					for (const { text, uptimeMs } of sold) {
						const ageMs = host.ageOf(text);
						assert(ageMs !== undefined && ageMs >= 0);
						const passedMs = clocks.uptimeMs - uptimeMs;
						assert(ageMs <= passedMs + leaps * MINUTE, `${ageMs} of ${passedMs}`);
					}
				}
			}),
			{ numRuns: 400 },
		);
	});
});

describe("stamps of sync answers", () => {
	const read = (hex: string) => readStamp(fromHex(hex), 0, "stamp");

	it("are what the host writes, and zeros are none", () => {
		for (const at of ["2026-11-22T22:05:32", "2028-02-29T00:00:00", "2026-12-31T23:59:59", "2099-01-01T00:00:00"]) {
			assert.equal(read(hostStamp(local(at))), local(at));
		}
		assert.equal(read("000000000000"), 0);
	});

	it("are refused where there is no such time", () => {
		for (const hex of [
			"261322000000",
			"260022000000",
			"261100000000",
			"261131000000",
			"270229000000",
			"000000000001",
		]) {
			assert.throws(() => read(hex), coded("range", "stamp"), hex);
		}
		for (const hex of ["261122240000", "261122006000", "261122000060"]) {
			assert.throws(() => read(hex), coded("range", "stamp"), hex);
		}
		assert.throws(() => read("26112A000000"), coded("charset", "stamp"));
		assert.throws(() => read("2611220000"), coded("length", "stamp"));
	});
});
