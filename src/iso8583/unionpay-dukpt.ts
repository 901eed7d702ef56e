/**
 * The first dialect for an acquirer with AES-DUKPT: each transaction has keys of its own, so DE 53 names them and no
 * sign-on brings any. What differs are two rows and the MAC. Source: ANSI X9.24-3:2017, §6 (key serial number);
 * ISO 9564-1:2017, §9.4.2 (PIN block format 4).
 * @module
 */
import type { Dialect, FieldRule } from "./dialect";
import { fieldRule } from "./dialect";
import { UNIONPAY } from "./unionpay";

const FIELDS: (FieldRule | undefined)[] = UNIONPAY.fields.slice();
FIELDS[52] = fieldRule({ format: "b", coding: "binary", lengthMax: 16, masking: "hide" }); // PIN block, one AES block.
FIELDS[53] = fieldRule({ format: "b", coding: "binary", lengthMax: 12 }); // Initial key id 8, transaction counter 4.

export const UNIONPAY_DUKPT: Dialect = { ...UNIONPAY, name: "unionpay-dukpt", fields: FIELDS, mac: "cmac" };
