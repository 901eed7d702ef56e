import assert from "node:assert/strict";
import { Power, PowerLost } from "../../../host-sim/board/power";
import { Till } from "../../../host-sim/board/till";
import { VirtualTime } from "../../../host-sim/board/virtual-clock";
import { AssertionError } from "../../../src/core/assert";
import type { MoneySlip } from "../../../src/ports";

const slip = (stan: number, name: MoneySlip["name"] = "sale"): MoneySlip => ({
	name,
	copy: "customer",
	reprint: false,
	stan,
	batch: 1,
	amountMinor: 1234,
	card: "621234******1232",
	rrn: "000000000001",
	authorization: "123456",
	time: 0,
	terminalId: "12345678",
	merchantId: "123456789012345",
	told: name === "sale" ? "paid" : "notCharged",
});

function fixture(options = {}) {
	const till = new Till({ printMs: 100, reportMs: 10, ...options });
	const time = new VirtualTime();
	const boot = () => {
		const power = new Power();
		return { power, ...till.attach(power, time.clock(power)) };
	};
	return { till, time, boot };
}

describe("the till's notebook", () => {
	it("writes down what screen and slip say of a sale; the latest counts, all stay in order", () => {
		const { till, time, boot } = fixture();
		const { display, printer } = boot();
		display.show({ name: "connecting", stan: 7 });
		assert.equal(till.told(7), undefined);
		display.show({ name: "approved", stan: 7, amountMinor: 1234, told: "paid" });
		assert.equal(till.told(7), "paid");
		printer.print(slip(7, "notCharged"), () => {});
		assert.equal(till.told(7), "paid");
		time.advance(100);
		assert.equal(till.told(7), "notCharged");
		assert.deepEqual(
			till.notesOf(7).map((note) => [note.index, note.source, note.name, note.told, note.paper]),
			[
				[0, "screen", "approved", "paid", undefined],
				[1, "slip", "notCharged", "notCharged", "whole"],
			],
		);
		assert.deepEqual(till.stans(), [7]);
		assert.equal(till.screen?.name, "approved");
	});

	it("printing takes time, and the terminal hears of it a little after the slip is out", () => {
		const { till, time, boot } = fixture();
		const { printer } = boot();
		const done: boolean[] = [];
		printer.print(slip(1), (printed) => done.push(printed));
		time.advance(99);
		assert.deepEqual([till.slipOut(1), done], [false, []]);
		time.advance(1);
		assert.deepEqual([till.slipOut(1), done], [true, []]);
		time.advance(10);
		assert.deepEqual(done, [true]);
		assert.deepEqual([till.slipOut(1, "sale"), till.slipOut(1, "notCharged")], [true, false]);
	});

	it("a cut while printing leaves half a slip, which tells nobody anything", () => {
		const { till, time, boot } = fixture();
		const { power, printer } = boot();
		printer.print(slip(1), () => assert.fail("called back on a dead board"));
		time.advance(50);
		power.cut();
		time.advance(1000);
		assert.deepEqual([till.notes[0].paper, till.slipOut(1), till.told(1)], ["half", false, undefined]);
	});

	it("a cut after the slip is out and before the terminal heard of it: the customer has the slip", () => {
		const { till, time, boot } = fixture();
		const { power, printer } = boot();
		printer.print(slip(1), () => assert.fail("called back on a dead board"));
		time.advance(105);
		power.cut();
		time.advance(1000);
		assert.deepEqual([till.slipOut(1), till.told(1)], [true, "paid"]);
	});

	it("outlives the board: the next boot writes into the same book, the dead one cannot", () => {
		const { till, boot } = fixture();
		const first = boot();
		first.display.show({ name: "approved", stan: 1, told: "paid" });
		first.power.cut();
		assert.throws(() => first.display.show({ name: "declined", stan: 1, told: "notCharged" }), PowerLost);
		assert.throws(() => first.printer.print(slip(1), () => {}), PowerLost);
		boot().display.show({ name: "declined", stan: 2, told: "notCharged" });
		assert.deepEqual([till.told(1), till.told(2), till.notes.length], ["paid", "notCharged", 2]);
	});

	it("without paper the terminal is told so, nobody is told anything, and a new roll helps", () => {
		const { till, time, boot } = fixture({ paperSlips: 1 });
		const { printer } = boot();
		const done: boolean[] = [];
		for (let i = 0; i < 2; i++) {
			printer.print(slip(i), (printed) => done.push(printed));
			time.advance(200);
		}
		assert.deepEqual([done, till.told(1), till.notes[1].paper], [[true, false], undefined, "none"]);
		till.paperSlips = 5;
		printer.print(slip(1), (printed) => done.push(printed));
		time.advance(200);
		assert.deepEqual([done, till.told(1)], [[true, false, true], "paid"]);
	});

	it("a slip asked for while another is printing is not printed, and nobody is told anything by it", () => {
		const { time, boot, till } = fixture();
		const { printer } = boot();
		const done: string[] = [];
		printer.print(slip(1), (printed) => done.push(`1 ${printed}`));
		printer.print(slip(2), (printed) => done.push(`2 ${printed}`));
		assert.deepEqual(done, []);
		time.advance(5_000);
		assert.deepEqual(done, ["2 false", "1 true"]);
		assert.deepEqual([till.told(1), till.told(2)], ["paid", undefined]);
	});

	it("a statement about money without a sale, or a full book, are bugs", () => {
		const { boot } = fixture({ notesMax: 1 });
		const { display, printer } = boot();
		assert.throws(() => display.show({ name: "approved", told: "paid" }), AssertionError);
		printer.print(slip(1), () => {});
		assert.throws(() => display.show({ name: "approved", stan: 1, told: "paid" }), AssertionError);
	});
});
