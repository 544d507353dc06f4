// What an agent can do: one tunnel at a time, as its host or as its guest.

import { Failure } from "./failure.js";
import { Guest } from "./guest.js";
import { Host } from "./host.js";
import { LinkError, parse } from "./link.js";
import { C } from "./tables.js";
import { bytes, visible } from "./text.js";

const NO_TUNNEL = "There is no tunnel yet. Open one with tunnel_open, or join one with tunnel_join.";

/** @import { End } from "./types.js" */

export class Tunnel {
  /** @type {End | null} */
  #end = null;

  /**
   * @param {Record<string, string | undefined>} env
   * @param {{ clock?: () => number }} options
   */
  constructor(env = process.env, options = {}) {
    this.transport = env.TUNNEL_TRANSPORT ?? "loopback";
    this.name = env.TUNNEL_NAME ?? env.USER ?? env.USERNAME ?? "somebody";
    this.options = options;
  }

  /** @param {{ goal: string }} given */
  async open({ goal }) {
    this.#mustBeFree();
    if (this.transport !== "loopback") {
      throw new Failure("This example supports the transport loopback only: both ends are on one machine.");
    }
    if (bytes(goal) > C.GOAL_BYTES) throw new Failure(`The goal is longer than ${C.GOAL_BYTES} bytes of UTF-8.`);
    const host = new Host(goal, this.name, this.options);
    this.#end = host;
    const joinLink = await host.open();
    return { tunnelId: host.tunnelId, joinLink, status: host.state, joinLinkExpiresInSec: C.LINK_SECONDS, state: host.state };
  }

  /** @param {{ joinLink: string }} given */
  async join({ joinLink }) {
    this.#mustBeFree();
    const guest = new Guest(readLink(joinLink), this.name, this.options);
    this.#end = guest;
    await guest.join();
    return { tunnelId: guest.tunnelId, goal: guest.goal, peer: guest.peer, state: guest.state };
  }

  /** @param {{ text: string }} given */
  async say({ text }) {
    const end = this.#mustExist();
    const seq = await end.say(text);
    return { seq, state: end.state };
  }

  /** @param {{ sinceSeq?: number, timeoutMs?: number }} given */
  async listen({ sinceSeq = 0, timeoutMs = 45_000 }) {
    const end = this.#mustExist();
    const { messages, cursor, more } = await end.inbox.listen(sinceSeq, timeoutMs, () => end.live);
    return { messages, status: statusOf(end), cursor, more };
  }

  async status() {
    return statusOf(this.#end);
  }

  /** @param {{ summary?: string }} given */
  async close({ summary = "" }) {
    if (bytes(summary) > C.SUMMARY_BYTES) throw new Failure(`The summary is longer than ${C.SUMMARY_BYTES} bytes of UTF-8.`);
    this.#end?.close(summary);
    const { state, closedBecause } = statusOf(this.#end);
    return { ok: true, state, closedBecause };
  }

  /** The process ends: the peer is told; resolves when the sockets are gone. */
  async exit() {
    this.#end?.exit();
    await this.#end?.gone;
  }

  #mustBeFree() {
    if (this.#end && this.#end.state !== "closed") {
      throw new Failure("A tunnel is already open in this process. Close it with tunnel_close first.");
    }
  }

  #mustExist() {
    if (!this.#end) throw new Failure(NO_TUNNEL);
    return this.#end;
  }
}

/** @param {string} joinLink */
function readLink(joinLink) {
  try {
    return parse(joinLink);
  } catch (error) {
    throw error instanceof LinkError ? new Failure(error.message) : error;
  }
}

/** @param {End | null} end */
function statusOf(end) {
  return {
    role: end?.role ?? "none",
    peerConnected: end?.state === "connected",
    goal: visible(end?.goal ?? ""),
    lastSeq: end?.lastSeq ?? 0,
    openedAt: end?.openedAt ?? null,
    state: end?.state ?? "none",
    peer: end?.peer ?? null,
    closedBecause: end?.closedBecause ?? null,
  };
}
