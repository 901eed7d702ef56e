/**
 * Goal: a dead line is noticed by silence (DESIGN.md of host, "Connection"), also while nobody but the sync uses it: its
 * questions may go unanswered, as a host may not know them, so that their silence alone hangs up on nobody.
 * Method: a whole terminal; its connection goes deaf, takes each byte and delivers none, and others would stand.
 */
import assert from "node:assert/strict";
import { MemoryLink } from "../../host-sim/board/memory-link";
import type { Connection, ConnectionOptions, Link } from "../../src/ports";
import { Rig } from "../host-sim/world/rig";

const MINUTE_MS = 60_000;

/** Each connection that stands at {@link deafen} is half open from then on: it takes each byte, and says nothing more. */
class DeafeningLink implements Link {
	readonly name = "deafening";
	readonly secure = true;
	readonly #link: Link;
	/** Of connections. */
	made = 0;
	#deafUpTo = 0;

	constructor(link: Link) {
		this.#link = link;
	}

	deafen(): void {
		this.#deafUpTo = this.made;
	}

	connect(options: ConnectionOptions): Connection {
		const number = ++this.made;
		const deaf = () => number <= this.#deafUpTo;
		const connection = this.#link.connect({
			onWritable: (byteLength) => {
				if (!deaf()) options.onWritable(byteLength);
			},
			onReadable: (byteLength) => {
				if (!deaf()) options.onReadable(byteLength);
			},
			onError: () => {
				if (!deaf()) options.onError();
			},
		});
		return {
			read: (buffer) => connection.read(buffer),
			write: (buffer) => deaf() || connection.write(buffer),
			close: () => connection.close(),
		};
	}
}

describe("a line that has gone deaf while only the sync uses it", () => {
	it("is opened anew within minutes, and the difference resolved", () => {
		let link: DeafeningLink | undefined;
		const rig: Rig = new Rig({
			config: { settleAtMinute: -1 },
			makeLinks: (power, clock, { network, host }) => {
				link = new DeafeningLink(new MemoryLink({ power, clock, network, host: () => host }));
				return [link];
			},
		});
		rig.faults.arm("postingLost");
		rig.sell(2_000);
		rig.time.advance(MINUTE_MS);
		assert.ok(link !== undefined);
		link.deafen();
		const before = link.made;
		// Behind the time at which it should be posted there is something to ask, and no end to it without an answer.
		rig.time.advance(60 * MINUTE_MS);
		assert.ok(link.made > before, "a new connection");
		assert.equal(rig.money().oneSided, 0);
		assert.equal(rig.shop.terminal.cases.openCount, 0);
	});
});
