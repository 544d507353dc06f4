// The tables of wire version 1 are the program: numbers, texts, frames and machines are read from them, and stand nowhere else.
// Their types are generated from the same tables, so a name that is in none of them is found before anything runs.

import { readFileSync } from "node:fs";
import { parse } from "smol-toml";

/** @import { Causes, Closings, Constants, Failures, Notices, Refusals } from "../../../spec/v1/export/tunnel.js" */
/** @import { MachineName, Table, Tables } from "./types.js" */

const folder = new URL("../../../spec/v1/", import.meta.url);

/** A table. Nothing checks it here: the compiler of the tables has. @type {(name: string) => any} */
const read = (name) => parse(readFileSync(new URL(`${name}.toml`, folder), "utf8"));

/** @type {(rows: { id: string }[]) => any} */
const byId = (rows) => Object.fromEntries(rows.map((row) => [row.id, row]));

/** @type {Tables["constants"]} */
const constants = read("protocol").constants;

/** Every number of the protocol: `C.LINK_SECONDS`. @type {Constants} */
export const C = /** @type {any} */ (Object.fromEntries(constants.map(({ name, value }) => [name, value])));

/** The unit of every number: some bounds count bytes, others characters. */
export const UNITS = Object.fromEntries(constants.map(({ name, unit }) => [name, unit]));

/** @type {Tables["refusals"]} */
const answers = read("refusals");
/** @type {Refusals} */
export const REFUSALS = byId(answers.refusals);
/** @type {Closings} */
export const CLOSINGS = byId(answers.closings);
/** @type {Causes} */
export const CAUSES = byId(answers.causes);
/** @type {Failures} */
export const FAILURES = byId(answers.failures);
/** @type {Notices} */
export const NOTICES = byId(answers.notices);

/** @type {Tables["frames"]} */
export const FRAMES = read("frames");
/** @type {{ [M in MachineName]: Table<M> }} */
export const MACHINES = { session: read("session"), connection: read("connection"), guest: read("guest") };

/**
 * A text of the tables with its blanks filled in: first `values`, then the constants.
 *
 * @param {string} text
 * @param {Record<string, string | null>} values
 */
export function fill(text, values = {}) {
  /** @type {Record<string, unknown>} */
  const known = { ...C, ...values };
  return text.replace(/\{(\w+)\}/g, (_, name) => String(known[name]));
}

/**
 * What a row of `refusals.toml` means, and what to do next, as a sentence for a person.
 *
 * @param {{ doc: string, next: string }} row
 */
export const explain = (row) => fill(`${row.doc} ${row.next}`);
