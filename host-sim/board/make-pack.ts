/**
 * An evidence pack in one piece, for whoever has memory enough: scenarios, checkers, the command line.
 * @module
 */
import type { EvidenceWanted } from "../../src/settlement/evidence";
import type { Terminal } from "../../src/terminal";

/**
 * Pulls a whole pack.
 * @throws {CodedError} as Terminal.evidence and EvidencePack.step; then there is no pack
 */
export function makePack(terminal: Terminal, wanted: EvidenceWanted): Uint8Array {
	const pieces: Uint8Array[] = [];
	let byteLength = 0;
	const pack = terminal.evidence(wanted, (bytes, count) => {
		pieces.push(bytes.slice(0, count));
		byteLength += count;
	});
	while (pack.step());
	const whole = new Uint8Array(byteLength);
	let at = 0;
	for (const piece of pieces) {
		whole.set(piece, at);
		at += piece.length;
	}
	return whole;
}
