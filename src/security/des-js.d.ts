/**
 * What is used of des.js 1.1.0, which has no typings. The underscored members are its block interface: `update()`
 * buffers and pads, and leaves the key schedule in memory. The version is pinned; the vectors in test/security/ would
 * notice a change.
 */
declare module "des.js" {
	interface Des {
		/** One block from `input[inputOffset]` to `output[outputOffset]`; they may be the same. */
		_update(input: Uint8Array, inputOffset: number, output: Uint8Array, outputOffset: number): void;
		/** Round keys and scratch. */
		readonly _desState: { readonly keys: number[]; readonly tmp: number[] };
	}
	const library: {
		DES: { create(options: { type: "encrypt" | "decrypt"; key: Uint8Array }): Des };
	};
	export default library;
}
