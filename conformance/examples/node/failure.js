// A tool cannot do what it was asked for: the sentence is for the agent, and never holds a link (LINK-9).

import { CAUSES, FAILURES, explain } from "./tables.js";

/** @import { CauseId, FailureId } from "../../../spec/v1/export/tunnel.js" */

export class Failure extends Error {}

/** Why something cannot be said. @param {FailureId} id */
export const cannotSay = (id) => new Failure(`${id}: ${explain(FAILURES[id])}`);

/** Why a tunnel has ended. @param {CauseId} id */
export const hasEnded = (id) => new Failure(`${id}: ${explain(CAUSES[id])}`);
