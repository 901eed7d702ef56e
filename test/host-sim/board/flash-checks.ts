/** What the tests of damaged and lost flash share. */
import { NorFlash } from "../../../host-sim/board/nor-flash";
import { CodedError } from "../../../src/core/errors";

export const bytes = (...values: number[]) => Uint8Array.from(values);
export const flashError = (text: string) => (error: unknown) =>
	error instanceof CodedError && error.code === "flash" && error.message.includes(text);
export const readBlock = (flash: NorFlash, block: number) => new Uint8Array(flash.read(4096, block * 4096));
export const isAll = (cells: Uint8Array, value: number) => cells.every((cell) => cell === value);

/** A flash each of whose blocks was 0x11, erased, and holds 0x22 in its first half. */
export function worked(options: { writeAlign?: number } = {}): NorFlash {
	const flash = new NorFlash({ blocks: 4, ...options });
	for (let block = 0; block < 4; block++) {
		flash.write(new Uint8Array(4096).fill(0x11), block * 4096);
		flash.eraseBlock(block);
		flash.write(new Uint8Array(2048).fill(0x22), block * 4096);
	}
	return flash;
}
