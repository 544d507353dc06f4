// What a host tells a guest about an end, turned into a row of the tables: closes, last words, refusals.

import { C, CAUSES, CLOSINGS, NOTICES, REFUSALS, explain, fill } from "./tables.js";
import { cut, visible } from "./text.js";

/** @import { CauseId } from "../../../spec/v1/export/tunnel.js" */
/** @import { Facts } from "./types.js" */

/**
 * The facts of `lost`: what the host's close frame says, else the system message that was its last word (CLOSE-5).
 *
 * @type {(code: number, reason: string, lastWord: string | null) => Facts<"guest", "lost">}
 */
export function told(code, reason, lastWord) {
  const cause = byClose(code, reason) ?? byLastWord(lastWord);
  return {
    told_closed: cause === "closed_by_host",
    told_idle: cause === "idle",
    told_exit: cause === "process_exit",
    told_transport: cause === "transport_lost",
    told_dropped: cause === "dropped",
  };
}

/** @type {(code: number, reason: string) => CauseId | undefined} */
function byClose(code, reason) {
  const closing = Object.values(CLOSINGS).find((row) => row.code === code && row.reason === reason);
  return Object.values(CAUSES).find(({ closings }) => closings?.some((id) => id === closing?.id))?.id;
}

/**
 * Released hosts drop the connection without a close frame.
 *
 * @type {(word: string | null) => CauseId | undefined}
 */
function byLastWord(word) {
  /** @type {(summary: string) => string} */
  const closed = (summary) => fill(NOTICES.summary.text, { summary });
  if (word === null) return undefined;
  if (word === NOTICES.idle.text) return "idle";
  if (word === closed(CLOSINGS.process_exit.reason)) return "process_exit";
  return word.startsWith(closed("")) ? "closed_by_host" : undefined;
}

/**
 * The reason of an `auth_fail` as a sentence. It is a stranger's text when the tables do not know it.
 *
 * @param {string} reason
 */
export function refusal(reason) {
  const known = Object.values(REFUSALS).find(({ text }) => text === reason);
  return `The host refused the join: ${visible(cut(reason, C.NAME_BYTES))}. ${known ? explain(known) : ""}`.trim();
}
