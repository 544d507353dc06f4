// The host: a session that admits one guest, numbers messages and ends, as `session.toml` says.

import { Timeline } from "./clock.js";
import { encode } from "./codec.js";
import { Seals, randomBytes } from "./crypto.js";
import { cannotSay } from "./failure.js";
import { Inbox } from "./inbox.js";
import { mint, pathOf } from "./link.js";
import { Machine } from "./machine.js";
import { Relay } from "./relay.js";
import { C, CAUSES, CLOSINGS, MACHINES, NOTICES, REFUSALS, fill } from "./tables.js";
import { bytes, cut, guestName, visible } from "./text.js";

/** @import { Auth, CauseId, ClosingId, FailureId, Message, NoticeId, ReadDraft, RefusalId } from "../../../spec/v1/export/tunnel.js" */
/** @import { Connection } from "./relay.js" */
/** @import { End, Event, Facts, Fields } from "./types.js" */

/** @typedef {{ id: string, from: Message["from"], body: string, text?: string, seq?: number, failure?: FailureId }} Said */
/** @typedef {{ connection: Connection, auth: Fields<Auth> }} Asked who wants to be let in */

const STATES = { opening: "opening", waiting: "waiting_for_guest", locked: "connected", vacated: "peer_left", closed: "closed" };

/** @implements {End} */
export class Host {
  /** @type {"host"} */
  role = "host";
  /** @type {string | null} */
  peer = null;
  /** @type {CauseId | null} */
  endedBecause = null;
  openedAt = Date.now();
  link = "";
  publicUrl = "";
  /** Resolved when the last socket is gone. @type {Promise<void> | undefined} */
  gone;
  /** Every message as the guest gets it: the one with number n is at n - 1. @type {Message[]} */
  #transcript = [];
  #bodies = 0;
  /** @type {Connection | null} */
  #guest = null;
  /** How many messages the guest's connection was given, and whether it has got all that there were. */
  #sent = 0;
  #caughtUp = false;

  /**
   * @param {string} goal
   * @param {string} name
   * @param {{ clock?: () => number }} options
   */
  constructor(goal, name, { clock } = {}) {
    this.goal = goal;
    this.name = cut(name, C.NAME_BYTES);
    this.tunnelId = randomBytes(C.TUNNEL_ID_BYTES).toString("hex");
    this.key = randomBytes(C.KEY_BYTES);
    this.seals = new Seals(this.key);
    this.inbox = new Inbox();
    this.timeline = new Timeline(clock);
    this.session = new Machine(MACHINES.session, this, this.timeline.moment);
    this.timeline.add(this.session);
    this.relay = new Relay(pathOf(this.tunnelId), this.key, this.timeline, this);
  }

  // What the host's own agent does.

  /** Start the relay and hand out the link. Nothing but the loopback address is needed to reach it. */
  async open() {
    const port = await this.relay.listen();
    this.publicUrl = `http://127.0.0.1:${port}`;
    this.#input("reachable");
    return this.link;
  }

  /** @param {string} text */
  async say(text) {
    const fits = bytes(text) <= C.TEXT_BYTES;
    /** @type {Said} */
    const said = { id: newId(), from: "host", body: fits ? this.seals.write(text) : "", text };
    this.#input("say", { fits, has_room: this.#hasRoom(said.body) }, said);
    if (said.failure) throw cannotSay(said.failure);
    return /** @type {number} */ (said.seq);
  }

  /** @param {string} summary */
  close(summary) {
    this.#input("close", { has_summary: summary !== "" }, { summary });
  }

  exit() {
    this.#input("exit", {}, { summary: CLOSINGS.process_exit.reason });
  }

  get state() {
    return STATES[this.session.state];
  }

  get lastSeq() {
    return this.#transcript.length;
  }

  /** While nothing more can come, nobody needs to wait for it (LOCK-3). */
  get live() {
    return !this.session.final && this.session.state !== "vacated";
  }

  get closedBecause() {
    return this.session.state === "vacated" ? "peer_left" : this.endedBecause;
  }

  // What a connection tells the session.

  /**
   * @param {Connection} connection
   * @param {Fields<Auth> | null} auth null when it is malformed
   * @param {Facts<"session", "auth">} facts
   */
  auth(connection, auth, facts) {
    this.timeline.tell(this.session, "auth", facts, { connection, auth });
  }

  /** @param {ReadDraft} draft */
  send({ id, body }) {
    this.timeline.tell(this.session, "send", { has_room: this.#hasRoom(body) }, { id, from: "guest", body });
  }

  left() {
    this.timeline.tell(this.session, "left");
  }

  // The actions of session.toml.

  hand_out_link() {
    this.link = mint(this.publicUrl, this.tunnelId, this.key);
  }

  /** @type {(id: RefusalId, payload: Asked) => void} */
  refuse(id, { connection }) {
    connection.tell("refuse", {}, { reason: REFUSALS[id].text });
  }

  /** @type {(_: undefined, payload: Asked) => void} */
  admit(_, { connection, auth }) {
    this.#guest = connection;
    this.peer = guestName(auth.name, this.name);
    connection.tell("admit", {}, { frame: this.#admission(auth.sinceSeq) });
  }

  /** @type {(notice: NoticeId, payload: { summary?: string }) => void} */
  number(notice, { summary = "" }) {
    const values = { goal: visible(this.goal), name: this.peer, summary: visible(summary) };
    const text = fill(NOTICES[notice].text, values);
    this.#append({ id: newId(), from: "host", kind: "system", body: text }, text);
  }

  /** @type {(_: undefined, said: Said) => void} */
  number_chat(_, said) {
    said.seq = this.#append({ ...said, kind: "chat" }, said.text ?? this.seals.read(said.body));
  }

  /** @param {ClosingId} closing */
  drop(closing) {
    this.#guest?.tell("drop", {}, { closing });
  }

  /** @type {(id: FailureId, said: Said) => void} */
  fail(id, said) {
    said.failure = id;
  }

  /** @param {CauseId} cause */
  end(cause) {
    this.endedBecause = cause;
    this.#deliver(C.OUTBOX_BYTES);
    const [closing] = CAUSES[cause].closings ?? [];
    this.gone = this.relay.end(/** @type {ClosingId} */ (closing));
    this.inbox.wake();
  }

  // The transcript, and how the guest gets it.

  /**
   * @template {Event<"session">} E
   * @param {E} event
   * @param {Facts<"session", E>} [facts]
   * @param {object} [payload]
   */
  #input(event, facts, payload) {
    this.timeline.input(() => this.timeline.tell(this.session, event, facts, payload));
  }

  /** @param {string} body */
  #hasRoom(body) {
    return this.#transcript.length < C.TRANSCRIPT_MESSAGES && this.#bodies + bytes(body) <= C.TRANSCRIPT_BYTES;
  }

  /** @type {(said: Omit<Message, "seq" | "ts">, text: string) => number} */
  #append({ id, from, kind, body }, text) {
    const message = { id, seq: this.#transcript.length + 1, from, kind, body, ts: Date.now() };
    this.#transcript.push(message);
    this.#bodies += bytes(body);
    this.inbox.add(message, text);
    this.#deliver();
    return message.seq;
  }

  /** `auth_ok` with as much of the backlog as fits; what does not follows as `msg` (SIZE-11). @param {unknown} sinceSeq */
  #admission(sinceSeq) {
    const since = typeof sinceSeq === "number" && sinceSeq >= 0 ? Math.min(Math.floor(sinceSeq), this.lastSeq) : 0;
    const welcome = { goal: this.goal, peerName: this.name };
    let room = C.BACKLOG_FRAME_BYTES - bytes(encode("auth_ok", { ...welcome, backlog: [] }));
    let end = since;
    while (end < this.lastSeq) {
      room -= bytes(JSON.stringify(this.#transcript[end])) + 1;
      if (room < 0) break;
      end += 1;
    }
    this.#sent = end;
    return encode("auth_ok", { ...welcome, backlog: this.#transcript.slice(since, end) });
  }

  /**
   * What the guest has not got goes out: the rest of the backlog as fast as it is read, what is new at once.
   *
   * @param {number} bound
   */
  #deliver(bound = C.BACKLOG_FRAME_BYTES) {
    const guest = this.#guest;
    if (guest?.machine.state !== "admitted") return;
    while (this.#sent < this.lastSeq) {
      if (!this.#caughtUp && guest.waiting >= bound) return;
      const message = this.#transcript[this.#sent++];
      const next = this.#caughtUp ? undefined : () => this.timeline.input(() => this.#deliver());
      guest.send(encode("msg", { msg: message }), next);
    }
    this.#caughtUp = true;
  }
}

const newId = () => randomBytes(C.MESSAGE_ID_BYTES).toString("hex");
