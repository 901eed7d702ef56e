/**
 * What the block headers say, on one copy or two: which journal this is, if it is one, and which of its blocks stand
 * where. The answers are those of the recovery table in DESIGN.md, cases A to D and K.
 * @module
 */
import { BOTH, type Copies } from "./copies";
import { type BlockHeader, BlockKind, isLater } from "./format";
import type { LogReader } from "./log-reader";
import type { Ring } from "./ring";

/** "rebuilt": one of two copies held nothing of the journal; the other one was read, and the first is made anew. */
export type MountStatus = "ok" | "rebuilt" | "unprovisioned" | "foreign" | "newer";

/** What the headers of one copy say. */
interface CopySummary {
	/** A header of a log was found; its greatest generation, and the id that goes with it. */
	found: boolean;
	generation: number;
	id: number;
	/** Two journals of that generation, or one of another geometry that is not older. */
	conflict: boolean;
	/** Greatest generation of a header of another geometry, −1 without one. */
	otherGeneration: number;
	/** Greatest generation of a provisioning header, −1 without one. */
	provisioning: number;
	newer: boolean;
}

const SEQUENCE_SPREAD_MAX = 0x4000_0000;

export class Headers {
	readonly #copies: Copies;
	readonly #ring: Ring;
	readonly #reader: LogReader;
	readonly #header: BlockHeader;
	readonly #blockShift: number;
	readonly #alignShift: number;
	readonly #valid: Uint8Array; // One bit a block: header of this journal.
	readonly #summaries: CopySummary[] = [];

	status: MountStatus = "unprovisioned";
	interrupted = false;
	/** A header of a log stood on some copy. */
	found = false;
	/** There are two copies, and only one of them holds headers of a log. */
	onOneCopy = false;
	/** The sequences have no order. */
	unordered = false;
	id = 0;
	generation = 0;
	/** Greatest generation of a provisioning header, −1 without one. */
	provisioning = -1;

	constructor(copies: Copies, ring: Ring, reader: LogReader) {
		this.#copies = copies;
		this.#ring = ring;
		this.#reader = reader;
		this.#header = reader.header;
		this.#blockShift = 31 - Math.clz32(copies.blockLength);
		this.#alignShift = 31 - Math.clz32(copies.align);
		this.#valid = new Uint8Array((ring.blocks + 7) >> 3);
		for (let copy = 0; copy < copies.count; copy++) {
			this.#summaries.push({
				found: false,
				generation: 0,
				id: 0,
				conflict: false,
				otherGeneration: -1,
				provisioning: -1,
				newer: false,
			});
		}
	}

	get ramBytes(): number {
		return this.#valid.byteLength;
	}

	/** Greatest generation in any header, whatever journal it belongs to. */
	generationMax(): number {
		let generation = 0;
		for (let copy = 0; copy < this.#copies.count; copy++) {
			for (let block = 0; block < this.#ring.blocks; block++) {
				const read = this.#reader.readHeaderOf(copy, block);
				if (read === "valid" || read === "newer") generation = Math.max(generation, this.#header.generation);
			}
		}
		return generation;
	}

	/** Reads every header. Sets `status`, and for ok and rebuilt the ring's sequences and which blocks are valid. */
	read(): void {
		const [first, second = first] = this.#summaries;
		for (let copy = 0; copy < this.#copies.count; copy++) this.summarize(copy, this.#summaries[copy]);
		this.generation = Math.max(first.generation, second.generation);
		this.id = first.found ? first.id : second.id;
		this.provisioning = Math.max(first.provisioning, second.provisioning);
		this.interrupted = false;
		this.found = first.found || second.found;
		this.onOneCopy = first.found !== second.found;
		this.unordered = false;
		this.status = this.answer(first, second);
		if (this.status !== "ok" && this.status !== "rebuilt") return;
		this.findValid();
		this.unordered = !this.isOrdered();
		if (this.unordered) this.status = "foreign";
	}

	/** Sequences further apart than any journal's have no order: they are not of one journal. */
	private isOrdered(): boolean {
		const newest = this.newest();
		for (let block = 0; block < this.#ring.blocks; block++) {
			const behind = (this.#ring.sequence(newest) - this.#ring.sequence(block)) >>> 0;
			if (newest >= 0 && this.isValid(block) && behind >= SEQUENCE_SPREAD_MAX) return false;
		}
		return true;
	}

	private answer(first: CopySummary, second: CopySummary): MountStatus {
		const { found } = this;
		if (first.newer || second.newer) return "newer";
		if (this.provisioning >= 0 && (!found || this.provisioning > this.generation)) {
			this.interrupted = true;
			return "unprovisioned";
		}
		if (!found) {
			return this.allBlank() ? "unprovisioned" : "foreign";
		}
		if (first.conflict || second.conflict) return "foreign";
		if (!first.found || !second.found) return this.#copies.lost < 0 ? "rebuilt" : "ok";
		// Two journals are never made one, however alike they look.
		return first.id === second.id && first.generation === second.generation ? "ok" : "foreign";
	}

	/** What is neither a journal nor erased flash may be somebody's: then it is foreign. */
	private allBlank(): boolean {
		for (let copy = 0; copy < this.#copies.count; copy++) if (!this.#copies.isBlank(copy)) return false;
		return true;
	}

	private summarize(copy: number, summary: CopySummary): void {
		const header = this.#header;
		summary.found = summary.conflict = summary.newer = false;
		summary.generation = summary.id = 0;
		summary.provisioning = summary.otherGeneration = -1;
		for (let block = 0; block < this.#ring.blocks; block++) {
			const read = this.#reader.readHeaderOf(copy, block);
			if (read === "newer") summary.newer = true;
			if (read !== "valid") continue;
			const { generation, id, kind } = header;
			if (!this.fits()) {
				summary.otherGeneration = Math.max(summary.otherGeneration, generation);
				continue;
			}
			if (kind === BlockKind.provisioning) {
				summary.provisioning = Math.max(summary.provisioning, generation);
				continue;
			}
			if (summary.found && generation < summary.generation) continue;
			if (!summary.found || generation > summary.generation) {
				summary.found = true;
				summary.conflict = false;
				summary.generation = generation;
				summary.id = id;
				this.#valid.fill(0);
			} else if (id !== summary.id) {
				summary.conflict = true;
				continue;
			}
			this.setValid(block);
		}
		// What an older journal has left in a block that cannot be erased does not count; a whole one is somebody's.
		if (summary.otherGeneration >= summary.generation) summary.conflict = true;
	}

	/** Other geometry is another journal: its records can not be found with this one's. */
	private fits(): boolean {
		return this.#header.blockShift === this.#blockShift && this.#header.alignShift === this.#alignShift;
	}

	/** The blocks of this journal, and their sequences: the later one where the copies differ. */
	private findValid(): void {
		const reader = this.#reader;
		reader.id = this.id;
		reader.generation = this.generation;
		reader.clearConflict();
		if (this.#copies.count === 1) return; // The headers have just been read.
		this.#valid.fill(0);
		for (let block = 0; block < this.#ring.blocks; block++) {
			const copies = reader.readHeader(block);
			if (copies === 0 || this.#header.kind === BlockKind.provisioning || !this.fits()) continue;
			this.setValid(block);
			if (copies !== BOTH) this.#copies.note(block, BOTH);
		}
	}

	private setValid(block: number): void {
		this.#valid[block >> 3] |= 1 << (block & 7);
		this.#ring.setSequence(block, this.#header.sequence);
	}

	isValid(block: number): boolean {
		return (this.#valid[block >> 3] & (1 << (block & 7))) !== 0;
	}

	/** The block does not count (cases E and F). */
	dismiss(block: number): void {
		this.#valid[block >> 3] &= ~(1 << (block & 7));
	}

	/** The valid block of the highest sequence, −1 when none is left: marginal headers may read otherwise by now. */
	newest(): number {
		let newest = -1;
		for (let block = 0; block < this.#ring.blocks; block++) {
			if (!this.isValid(block)) continue;
			if (newest < 0 || isLater(this.#ring.sequence(block), this.#ring.sequence(newest))) newest = block;
		}
		return newest;
	}
}
