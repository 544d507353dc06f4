// Names, goals and summaries come from outside and are shown: what could mislead an eye or a terminal is made visible (NAME-1).

import { C } from "./tables.js";

// The set of tunnel.md, section 5: controls, formats, separators, halves of surrogate pairs, what has no glyph. The one
// selector that people type is left: it asks for the coloured form of the symbol in front of it.
const HIDDEN = /(?!(?<=\p{So})\ufe0f)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;
const ELLIPSIS = "\u2026";
/** @type {Record<string, string>} */
const SHORT = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * The text with every character that would not be seen as a visible escape: `\n`, `\u202e`, `\U000e0001`.
 *
 * @param {string} text
 */
export function visible(text) {
  return text.replace(HIDDEN, (character) => SHORT[character] ?? escape(/** @type {number} */ (character.codePointAt(0)).toString(16)));
}

/** @param {string} hex */
const escape = (hex) => (hex.length > 4 ? `\\U${hex.padStart(8, "0")}` : `\\u${hex.padStart(4, "0")}`);

/** @param {string} text */
export const bytes = (text) => Buffer.byteLength(text, "utf8");

/**
 * The text within so many bytes: in whole characters, and with an ellipsis where something was cut off.
 *
 * @param {string} text
 * @param {number} bound
 */
export function cut(text, bound) {
  if (bytes(text) <= bound) return text;
  let kept = "";
  let size = bytes(ELLIPSIS);
  for (const character of text) {
    size += bytes(character);
    if (size > bound) break;
    kept += character;
  }
  return kept + ELLIPSIS;
}

/** A name as it is shown (NAME-1, NAME-2, SIZE-6). @param {string} name */
export function shownName(name) {
  return visible(cut(name, C.NAME_BYTES)).trim() || "anonymous";
}

/**
 * The guest's name as the host shows it: never the host's own (NAME-3).
 *
 * @param {string} name
 * @param {string} host
 */
export function guestName(name, host) {
  const shown = shownName(name);
  return looks(shown) === looks(shownName(host)) ? `${shown} (guest)` : shown;
}

// What reads alike: in any case and width. JavaScript has no case folding; upper case first brings sharp s to ss.
/** @param {string} name */
const looks = (name) => name.normalize("NFKC").toUpperCase().toLowerCase();
