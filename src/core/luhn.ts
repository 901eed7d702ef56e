/**
 * Check digit of card numbers. Source: ISO/IEC 7812-1, annex B (Luhn formula).
 * @module
 */

/** True for 12–19 digits whose last is the right check digit. */
export function luhnValid(digits: string): boolean {
	if (!/^\d{12,19}$/.test(digits)) return false;
	let sum = 0;
	for (let i = 0; i < digits.length; i++) {
		const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
		const doubled = (i & 1) === 1 ? digit * 2 : digit;
		sum += doubled > 9 ? doubled - 9 : doubled;
	}
	return sum % 10 === 0;
}
