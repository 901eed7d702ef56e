/**
 * A decoded message as one line for the log, masked by the field table: nothing of it needs to stay secret (I9).
 * @module
 */
import type { MessageDecoder } from "./decoder";
import { DE_MAX } from "./dialect";

/** Below this length first 6 and last 4 would show too much of a number. Source: PCI DSS 4.0, §3.4.1. */
const PAN_DIGITS_MIN = 13;

/** First 6 and last 4 digits; the last 4 only where the number is too short for that. */
export function maskPan(pan: string): string {
	if (pan.length < PAN_DIGITS_MIN) return maskLast4(pan);
	return `${pan.slice(0, 6)}${"*".repeat(pan.length - 10)}${pan.slice(-4)}`;
}

/** The last 4 characters, none of a text of 4 or less. */
export function maskLast4(text: string): string {
	if (text.length <= 4) return "*".repeat(text.length);
	return `${"*".repeat(text.length - 4)}${text.slice(-4)}`;
}

/**
 * A text of people, in which nobody can say what stands: what is long enough for a card number is masked as one, also
 * where it is written in groups.
 */
export function maskNumbers(text: string): string {
	return text.replace(/\d(?:[ .-]?\d){12,}/g, maskGroups);
}

/** As {@link maskPan}, with what stands between the digits. */
function maskGroups(text: string): string {
	const masked = maskPan(text.replace(/\D/g, ""));
	let digits = 0;
	return text.replace(/\d/g, () => masked[digits++]);
}

/** "0210 2=621234******1232 4=000000001234 55=<91>": hidden fields show their length. Nothing decoded: "none". */
export function renderMasked(message: MessageDecoder): string {
	if (message.mti === "") return "none";
	let line = message.mti;
	for (let de = 2; de <= DE_MAX; de++) {
		if (message.has(de)) line += ` ${de}=${maskedField(message, de)}`;
	}
	return line;
}

/** One field as the log may show it. @throws {CodedError} "missing" */
export function maskedField(message: MessageDecoder, de: number): string {
	const rule = message.dialect.fields[de];
	switch (rule?.masking) {
		case "show":
			return rule.wide ? maskNumbers(message.text(de)) : message.text(de);
		case "pan":
			return maskPan(message.text(de));
		case "last4":
			return maskLast4(message.text(de));
		default:
			return `<${message.count(de)}>`;
	}
}
