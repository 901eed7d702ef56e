/** A terminal's evidence over simulated flash: journal, ring, keys, and packs of them. Frames are the protocol's vectors. */
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import type { FlashCut } from "../../host-sim/board/flash-cut";
import { FlashMedium } from "../../host-sim/board/flash-medium";
import { MemoryKeys } from "../../host-sim/board/memory-keys";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { Power } from "../../host-sim/board/power";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { fromHex } from "../../src/core/bytes";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import type { Clock } from "../../src/ports";
import { DeviceKey, type DeviceKeyStore, PUBLIC_KEY_BYTES } from "../../src/security/device-key";
import { FrameTags } from "../../src/security/device-key-frames";
import { Chain } from "../../src/settlement/chain";
import { ChainHead } from "../../src/settlement/chain-links";
import type { EvidenceCase, EvidenceScope } from "../../src/settlement/evidence-facts";
import { EvidenceFrames } from "../../src/settlement/evidence-frames";
import { EvidencePack, type EvidencePackOptions } from "../../src/settlement/evidence-pack";
import { EvidenceRing } from "../../src/settlement/evidence-ring";
import { SecretHunter } from "../security/secret-hunter";
import { APPROVED, LogBench } from "../transactions/log-bench";
import file from "../vectors/unionpay.json";

export const START_MS = 1_700_000_000_000;
export const DEVICE = { terminalId: "12345678", merchantId: "123456789012345", firmware: "0.4.0" };

/** A frame of the protocol's vectors: STANs 2 and 3 are sales of batch 1, 4 a void of 2, 13 a claim. */
export function vectorFrame(name: string): Uint8Array {
	const vector = file.vectors.find((one) => one.name === name);
	if (vector === undefined) throw new Error(name);
	return fromHex(vector.frame);
}

/** What must never be seen again; no part of it stands in a frame by chance, as one of the vectors' would. */
export const SECRETS = {
	pan: "6283917406258139",
	track2: "6283917406258139D30122201748260935175",
	pinBlock: fromHex("9D3C51E8A07F6B24"),
	emv: fromHex("57136283917406258139D30122201748260935175F5A0862839174062581399F2608C7D1E5A39B2F4860"),
	paidPan: "6274850391628407",
} as const;

/** A sale, or an upload's page, with all of them. */
export function secretFrame(mti: "0200" | "0320", stan: number): Uint8Array {
	const out = new Uint8Array(1_500);
	const encoder = new MessageEncoder(UNIONPAY, out);
	encoder.begin(mti, { secondary: mti === "0200" });
	if (mti === "0200") {
		encoder.digits(2, SECRETS.pan);
		encoder.digits(3, "500000");
		encoder.digits(4, "000000001234");
	}
	encoder.digits(11, String(stan).padStart(6, "0"));
	if (mti === "0200") {
		encoder.digits(14, "3012");
		encoder.digits(22, "051");
		encoder.digits(25, "00");
		encoder.digits(35, SECRETS.track2);
	}
	encoder.ascii(41, DEVICE.terminalId);
	encoder.ascii(42, DEVICE.merchantId);
	if (mti === "0320") encoder.digits(48, `0100${String(stan).padStart(6, "0")}0000${SECRETS.pan}000000001234`);
	else {
		encoder.ascii(49, "156");
		encoder.bytes(52, SECRETS.pinBlock);
		encoder.bytes(55, SECRETS.emv);
	}
	encoder.digits(60, mti === "0320" ? "00000001201" : "5200000100060");
	if (mti === "0320") return out.slice(0, encoder.finish());
	encoder.ascii(63, `op ${SECRETS.pan}`);
	encoder.ascii(103, SECRETS.paidPan);
	return out.slice(0, encoder.finish());
}

/** Looks for all of {@link SECRETS}, and for the bench's keys. */
export function secretHunter(bench: EvidenceBench): SecretHunter {
	const hunter = new SecretHunter();
	hunter.addCardNumber("card", SECRETS.pan);
	hunter.addCardNumber("card to be paid", SECRETS.paidPan);
	hunter.addTrack2("card", SECRETS.track2);
	hunter.addBytes("PIN block", SECRETS.pinBlock);
	hunter.addBytes("chip data", SECRETS.emv.slice(24, 40));
	for (const [name, key] of Object.entries(TEST_KEYS)) hunter.addBytes(name, fromHex(key));
	const seed = new Uint8Array(528);
	if ((bench.keys as DeviceKeyStore).read("DEVICE", seed) > 0) hunter.addBytes("device seed", seed.slice(0, 32));
	return hunter;
}

export class TestClock implements Clock {
	nowMs = START_MS;

	now(): number {
		return this.nowMs++;
	}

	monotonic(): number {
		return this.nowMs - START_MS;
	}

	setTimer(): number {
		return 1;
	}

	clearTimer(): void {}
}

export interface BenchOptions {
	readonly blocks?: number;
	readonly blockLength?: number;
	readonly writeAlign?: number;
	readonly keys?: MemoryKeys;
	readonly seed?: number;
}

export class EvidenceBench {
	readonly journal = new LogBench({ blocks: 16, capacity: 256 }).provision(1);
	readonly clock = new TestClock();
	readonly random: SeededRandom;
	readonly keys: MemoryKeys;
	readonly medium: FlashMedium;
	readonly key: DeviceKey;
	flash!: NorFlash;
	ring!: EvidenceRing;
	tags!: FrameTags;
	frames!: EvidenceFrames;
	chain!: Chain;

	constructor(options: BenchOptions = {}) {
		this.keys = options.keys ?? new MemoryKeys(TEST_KEYS);
		this.random = new SeededRandom(options.seed ?? 1);
		const { blocks = 4, blockLength = 4_096, writeAlign = 1 } = options;
		this.medium = new FlashMedium({ blocks, blockLength, writeAlign });
		this.key = new DeviceKey(this.keys, this.random);
		this.boot();
	}

	/** A boot of the ring's side; the journal's own is `journal.boot()`, before it. */
	boot(cut?: FlashCut): this {
		const power = new Power();
		const random = this.random.fork("flash");
		this.flash = new NorFlash({ medium: this.medium, power, random, ...(cut === undefined ? {} : { cut }) });
		this.ring = new EvidenceRing(this.flash);
		this.ring.mount();
		this.tags = new FrameTags(this.keys, this.random);
		this.frames = new EvidenceFrames({ ring: this.ring, tags: this.tags, dialect: UNIONPAY, clock: this.clock });
		this.chain = new Chain(this.journal.log);
		this.chain.start();
		return this;
	}

	capture(name: string, direction: "sent" | "received" = "sent"): Uint8Array {
		const frame = vectorFrame(name);
		this.frames.capture(direction, frame, frame.length);
		return frame;
	}

	/** All that waits goes to flash. */
	settle(): void {
		for (let n = 0; n < 4; n++) this.frames.idle();
	}

	/** The host acknowledges the head behind all that there is. @returns what it was told, in hex */
	anchor(hostTime: string, code = 406): string {
		const head = new ChainHead();
		head.copy(this.chain.headUpTo(0xffff_ffff));
		this.frames.anchored(this.chain, head, code, hostTime);
		this.settle();
		const digest = new Uint8Array(32);
		head.digest(digest);
		return Buffer.from(digest).toString("hex");
	}

	/** Three delivered sales, STANs 1 to 3, the frames of two of them and of a void. */
	sell(): this {
		for (let n = 0; n < 3; n++) this.journal.deliver(1_000 * (n + 1));
		this.capture("sale-chip-no-pin");
		this.capture("sale-response-approved", "received");
		this.capture("sale-magstripe-pin");
		this.capture("sale-response-declined", "received");
		this.capture("void");
		this.settle();
		return this;
	}

	options(): EvidencePackOptions {
		const { chain, ring, tags, key, clock } = this;
		return { chain, ring, tags, key, clock, device: DEVICE };
	}

	pack(scope: EvidenceScope, onChunk: (byteLength: number) => void = () => {}): Buffer {
		const pieces: Buffer[] = [];
		const pack = new EvidencePack(this.options(), scope, (bytes, byteLength) => {
			pieces.push(Buffer.from(bytes.slice(0, byteLength)));
			onChunk(byteLength);
		});
		while (pack.step());
		return Buffer.concat(pieces);
	}

	publicKey(): string {
		const out = new Uint8Array(PUBLIC_KEY_BYTES);
		this.key.publicKey(out);
		return Buffer.from(out).toString("hex");
	}
}

export function aCase(changes: Partial<EvidenceCase> = {}): EvidenceCase {
	return {
		id: 7,
		row: "overdue",
		cause: "bankDelay",
		facts: ["postingPending", "hostReason=3"],
		state: "asking",
		step: "claim",
		turn: "terminal",
		transaction: {
			id: 2,
			batch: 1,
			stan: 2,
			amountMinor: 2_000,
			panFirst: "621234",
			panLast: "1232",
			rrn: APPROVED.rrn,
		},
		hostAmountMinor: 2_000,
		hostFlags: 3,
		openedMs: START_MS,
		dueMs: START_MS + 86_400_000,
		requests: [
			{
				id: new Uint8Array(16).fill(0xab),
				code: 403,
				batch: 1,
				stan: 2,
				amountMinor: 2_000,
				timeMs: START_MS + 5,
				state: 3,
				reason: 0,
				reference: "REF000000001",
				expected: "261231120000",
				answeredMs: START_MS + 9,
			},
		],
		history: [
			{ timeMs: START_MS, what: "found" },
			{ timeMs: START_MS + 60_000, what: "asked 补入账" },
		],
		...changes,
	};
}
