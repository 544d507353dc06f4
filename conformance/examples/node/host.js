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

const STATES = { opening: "opening", waiting: "waiting_for_guest", locked: "connected", vacated: "peer_left", closed: "closed" };

export class Host {
  role = "host";
  peer = null;
  endedBecause = null;
  openedAt = Date.now();
  /** Every message as the guest gets it: the one with number n is at n - 1. */
  #transcript = [];
  #bodies = 0;
  #guest = null;
  /** How many messages the guest's connection was given, and whether it has got all that there were. */
  #sent = 0;
  #caughtUp = false;

  constructor(goal, name, { clock } = {}) {
    Object.assign(this, { goal, name: cut(name, C.NAME_BYTES) });
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

  async say(text) {
    const fits = bytes(text) <= C.TEXT_BYTES;
    const said = { id: newId(), from: "host", body: fits ? this.seals.write(text) : "", text };
    this.#input("say", { fits, has_room: this.#hasRoom(said.body) }, said);
    if (said.failure) throw cannotSay(said.failure);
    return said.seq;
  }

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

  auth(connection, auth, facts) {
    this.timeline.tell(this.session, "auth", facts, { connection, auth });
  }

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

  refuse(id, { connection }) {
    connection.tell("refuse", {}, { reason: REFUSALS[id].text });
  }

  admit(_, { connection, auth }) {
    this.#guest = connection;
    this.peer = guestName(auth.name, this.name);
    connection.tell("admit", {}, { frame: this.#admission(auth.sinceSeq) });
  }

  number(notice, { summary = "" }) {
    const values = { goal: visible(this.goal), name: this.peer, summary: visible(summary) };
    const text = fill(NOTICES[notice].text, values);
    this.#append({ id: newId(), from: "host", kind: "system", body: text }, text);
  }

  number_chat(_, said) {
    said.seq = this.#append({ ...said, kind: "chat" }, said.text ?? this.seals.read(said.body));
  }

  drop(closing) {
    this.#guest.tell("drop", {}, { closing });
  }

  fail(id, said) {
    said.failure = id;
  }

  end(cause) {
    this.endedBecause = cause;
    this.#deliver(C.OUTBOX_BYTES);
    this.gone = this.relay.end(CAUSES[cause].closings[0]);
    this.inbox.wake();
  }

  // The transcript, and how the guest gets it.

  #input(event, facts, payload) {
    this.timeline.input(() => this.timeline.tell(this.session, event, facts, payload));
  }

  #hasRoom(body) {
    return this.#transcript.length < C.TRANSCRIPT_MESSAGES && this.#bodies + bytes(body) <= C.TRANSCRIPT_BYTES;
  }

  #append({ id, from, kind, body }, text) {
    const message = { id, seq: this.#transcript.length + 1, from, kind, body, ts: Date.now() };
    this.#transcript.push(message);
    this.#bodies += bytes(body);
    this.inbox.add(message, text);
    this.#deliver();
    return message.seq;
  }

  /** `auth_ok` with as much of the backlog as fits; what does not follows as `msg` (SIZE-11). */
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

  /** What the guest has not got goes out: the rest of the backlog as fast as it is read, what is new at once. */
  #deliver(bound = C.BACKLOG_FRAME_BYTES) {
    if (this.#guest?.machine.state !== "admitted") return;
    while (this.#sent < this.lastSeq) {
      if (!this.#caughtUp && this.#guest.waiting >= bound) return;
      const message = this.#transcript[this.#sent++];
      const next = this.#caughtUp ? undefined : () => this.timeline.input(() => this.#deliver());
      this.#guest.send(encode("msg", { msg: message }), next);
    }
    this.#caughtUp = true;
  }
}

const newId = () => randomBytes(C.MESSAGE_ID_BYTES).toString("hex");
