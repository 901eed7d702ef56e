/**
 * Answers that say nothing of the transaction, only of whoever should have dealt with it: they pass, and what was sent is
 * sent again as if nobody had answered. Source: ISO 8583:1987, Table A9 (response codes).
 * @module
 */

/** The issuer is away: this one again later, others go on. */
export const ISSUER_AWAY: readonly string[] = ["68", "91", "92", "98"];

/** The host has a fault or closes its day, or keys differ, which a sign-on mends: all of them again later. */
export const HOST_AWAY: readonly string[] = ["90", "96", "97", "99", "A0"];
