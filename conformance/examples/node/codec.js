// Frames, written and read as `frames.toml` says, field by field.

import { isUtf8 } from "node:buffer";
import { C, FRAMES, UNITS } from "./tables.js";

/** @import { FrameName } from "../../../spec/v1/export/tunnel.js" */
/** @import { Field, Found, Role, Shape, Values } from "./types.js" */

/** @typedef {Record<string, any>} Raw what nobody has checked yet */

const RECORDS = new Map(FRAMES.records.map((record) => [record.name, record]));
/** @type {Map<string, Shape>} */
const KINDS = new Map(FRAMES.frames.map((frame) => [frame.name, frame]));
const TAG = FRAMES.tag_field;

/**
 * A frame as text: the fields in the order of the table, without blanks (WIRE-10).
 *
 * @template {FrameName} N
 * @param {N} name
 * @param {Values<N>} values
 */
export function encode(name, values) {
  return JSON.stringify({ [TAG]: name, ...write(fieldsOf(KINDS, name), values) });
}

/** @type {(shapes: Map<string, Shape>, name: string) => Field[]} */
const fieldsOf = (shapes, name) => shapes.get(name)?.fields ?? [];

/** @type {(fields: Field[], values: Raw) => Raw} */
function write(fields, values) {
  return Object.fromEntries(fields.map((field) => [field.name, writeField(field, values[field.name])]));
}

/** @type {(field: Field, value: any) => unknown} */
function writeField(field, value) {
  if (field.type === "const") return field.value;
  if (field.type === "message list") return value.map((/** @type {Raw} */ message) => write(fieldsOf(RECORDS, "message"), message));
  if (RECORDS.has(field.type)) return write(fieldsOf(RECORDS, field.type), value);
  return value;
}

/**
 * What a message holds: null when it is no frame at all (WIRE-4), else its name and its fields.
 * The fields are null when the frame is malformed, or not one that `sender` sends.
 *
 * @template {Role} S
 * @param {string | Buffer} data a text, or the bytes of a message: text and binary messages count alike (WIRE-2)
 * @param {S} sender
 * @returns {Found<S> | null}
 */
export function decode(data, sender) {
  if (typeof data !== "string") {
    if (!isUtf8(data)) return null;
    data = data.toString("utf8");
  }
  let value;
  try {
    value = JSON.parse(data);
  } catch {
    return null;
  }
  if (!isObject(value) || !Object.hasOwn(value, TAG)) return null;
  const name = value[TAG];
  if (typeof name !== "string" || name === "" || tooDeep(value, C.FRAME_DEPTH)) return null;
  const kind = KINDS.get(name);
  const fields = kind?.sender === sender && isWhole(value) ? read(kind.fields, value) : null;
  // The table has told what TypeScript cannot see: that these are the fields of this frame.
  return /** @type {Found<S>} */ ({ name, fields });
}

/**
 * The fields that the table knows, and no others (WIRE-3); null when one is missing or wrong.
 *
 * @type {(fields: Field[], value: unknown) => Raw | null}
 */
function read(fields, value) {
  if (!isObject(value)) return null;
  /** @type {Raw} */
  const found = {};
  for (const field of fields) {
    if (field.type === "const") continue;
    const raw = Object.hasOwn(value, field.name) ? value[field.name] : undefined;
    const good = readField(field, raw);
    if (good === undefined || good === null) return null;
    found[field.name] = good;
  }
  return found;
}

/**
 * The value, or nothing.
 *
 * @type {(field: Field, value: unknown) => unknown}
 */
function readField(field, value) {
  const { type } = field;
  if (type === "any") return value ?? field.default;
  if (type === "string") return typeof value === "string" && fits(value, field.max) ? value : null;
  if (type === "number") return Number.isFinite(value) ? value : null;
  if (type === "integer") return isBetween(value, field.min ?? 0, field.max ? C[field.max] : 0) ? value : null;
  if (type.startsWith("one of ")) return type.split(" ").slice(2).some((word) => word === value) ? value : null;
  if (type === "message list") return readList(value);
  return read(fieldsOf(RECORDS, type), value);
}

/** @type {(value: unknown) => Raw[] | null} */
function readList(value) {
  if (!Array.isArray(value)) return null;
  const messages = value.map((message) => read(fieldsOf(RECORDS, "message"), message));
  return messages.some((message) => message === null) ? null : /** @type {Raw[]} */ (messages);
}

/** @type {(value: unknown, least: number, most: number) => boolean} */
const isBetween = (value, least, most) => typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;

/** @type {(text: string, max: Field["max"]) => boolean} */
function fits(text, max) {
  if (max === undefined) return true;
  return (UNITS[max] === "bytes" ? Buffer.byteLength(text) : [...text].length) <= C[max];
}

/**
 * @param {unknown} value
 * @returns {value is Raw}
 */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Whether objects and arrays nest deeper than so many levels; never goes deeper than that itself (SIZE-4).
 *
 * @type {(value: unknown, levels: number) => boolean}
 */
function tooDeep(value, levels) {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => tooDeep(inner, levels - 1));
}

/**
 * Whether no string in it, and no name of a field, holds half of a surrogate pair (WIRE-6).
 *
 * @type {(value: unknown) => boolean}
 */
function isWhole(value) {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([name, inner]) => name.isWellFormed() && isWhole(inner));
}
