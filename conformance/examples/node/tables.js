// The tables of wire version 1 are the program: numbers, texts, frames and machines are read from them, and stand nowhere else.

import { readFileSync } from "node:fs";
import { parse } from "smol-toml";

const folder = new URL("../../../spec/v1/", import.meta.url);
const read = (name) => parse(readFileSync(new URL(`${name}.toml`, folder), "utf8"));
const byId = (rows) => Object.fromEntries(rows.map((row) => [row.id, row]));

const constants = read("protocol").constants;

/** Every number of the protocol: `C.LINK_SECONDS`. */
export const C = Object.fromEntries(constants.map(({ name, value }) => [name, value]));

/** The unit of every number: some bounds count bytes, others characters. */
export const UNITS = Object.fromEntries(constants.map(({ name, unit }) => [name, unit]));

const answers = read("refusals");
export const REFUSALS = byId(answers.refusals);
export const CLOSINGS = byId(answers.closings);
export const CAUSES = byId(answers.causes);
export const FAILURES = byId(answers.failures);
export const NOTICES = byId(answers.notices);

export const FRAMES = read("frames");
export const MACHINES = { session: read("session"), connection: read("connection"), guest: read("guest") };

/** A text of the tables with its blanks filled in: first `values`, then the constants. */
export function fill(text, values = {}) {
  return text.replace(/\{(\w+)\}/g, (_, name) => String(Object.hasOwn(values, name) ? values[name] : C[name]));
}

/** What a row of `refusals.toml` means, and what to do next, as a sentence for a person. */
export const explain = (row) => fill(`${row.doc} ${row.next}`);
