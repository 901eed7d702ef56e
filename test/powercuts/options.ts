/** What is asked of a search, by the command line or by a test. */

/** What a life may draw by its seed, and what not. */
export interface Wishes {
	/** Write unit. */
	readonly align?: number | undefined;
	readonly blocks?: number | undefined;
	/** Two copies. */
	readonly mirror: boolean;
}

export interface SearchOptions extends Wishes {
	readonly mode: string;
	readonly seed: number;
	/** Cuts, or what else the mode counts. */
	readonly amount: number;
	/** Name of a journal that is broken on purpose. */
	readonly broken?: string | undefined;
}

/** A piece of a search that runs by itself. */
export interface Task {
	/** Seed of a life, or name of a day. */
	readonly life: string;
	/** Exhaustive only: the operation that is cut, and its length. */
	readonly operation?: number;
	readonly byteLength?: number;
	/** Exhaustive only, to be replayed: names of the cuts. */
	readonly cuts?: string;
}
