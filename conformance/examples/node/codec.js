// Frames, written and read as `frames.toml` says, field by field.

import { isUtf8 } from "node:buffer";
import { C, FRAMES, UNITS } from "./tables.js";

const RECORDS = new Map(FRAMES.records.map((record) => [record.name, record]));
const KINDS = new Map(FRAMES.frames.map((frame) => [frame.name, frame]));
const TAG = FRAMES.tag_field;

/** A frame as text: the fields in the order of the table, without blanks (WIRE-10). */
export function encode(name, values) {
  return JSON.stringify({ [TAG]: name, ...write(KINDS.get(name).fields, values) });
}

function write(fields, values) {
  return Object.fromEntries(fields.map((field) => [field.name, writeField(field, values[field.name])]));
}

function writeField(field, value) {
  if (field.type === "const") return field.value;
  if (field.type === "message list") return value.map((message) => write(RECORDS.get("message").fields, message));
  if (RECORDS.has(field.type)) return write(RECORDS.get(field.type).fields, value);
  return value;
}

/**
 * What a message holds: null when it is no frame at all (WIRE-4), else its name and its fields.
 * The fields are null when the frame is malformed, or not one that `sender` sends.
 *
 * @param data a text, or the bytes of a message: text and binary messages count alike (WIRE-2)
 * @param sender `host` or `guest`
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
  const readable = kind?.sender === sender && isWhole(value);
  return { name, fields: readable ? read(kind.fields, value) : null };
}

/** The fields that the table knows, and no others (WIRE-3); null when one is missing or wrong. */
function read(fields, value) {
  if (!isObject(value)) return null;
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

/** The value, or nothing. */
function readField(field, value) {
  const { type } = field;
  if (type === "any") return value ?? field.default;
  if (type === "string") return typeof value === "string" && fits(value, field.max) ? value : null;
  if (type === "number") return Number.isFinite(value) ? value : null;
  if (type === "integer") return Number.isInteger(value) && value >= field.min && value <= C[field.max] ? value : null;
  if (type.startsWith("one of ")) return type.split(" ").slice(2).includes(value) ? value : null;
  if (type === "message list") return readList(value);
  return read(RECORDS.get(type).fields, value);
}

function readList(value) {
  if (!Array.isArray(value)) return null;
  const messages = value.map((message) => read(RECORDS.get("message").fields, message));
  return messages.includes(null) ? null : messages;
}

function fits(text, max) {
  if (max === undefined) return true;
  return (UNITS[max] === "bytes" ? Buffer.byteLength(text) : [...text].length) <= C[max];
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether objects and arrays nest deeper than so many levels; never goes deeper than that itself (SIZE-4). */
function tooDeep(value, levels) {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => tooDeep(inner, levels - 1));
}

/** Whether no string in it, and no name of a field, holds half of a surrogate pair (WIRE-6). */
function isWhole(value) {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([name, inner]) => name.isWellFormed() && isWhole(inner));
}
