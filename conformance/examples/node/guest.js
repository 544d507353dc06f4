// The guest: proves that it holds the link, once, then takes the host's messages in their order, as `guest.toml` says.

import { Timeline } from "./clock.js";
import { encode } from "./codec.js";
import { Seals, prove, randomBytes } from "./crypto.js";
import { DialError, dial } from "./dialer.js";
import { Failure, cannotSay, hasEnded } from "./failure.js";
import { Inbox } from "./inbox.js";
import { Machine } from "./machine.js";
import { C, MACHINES } from "./tables.js";
import { bytes, cut, shownName, visible } from "./text.js";
import { refusal, told } from "./told.js";

/** The frames without which there is no join: malformed, they end it (AUTH-12). */
const HANDSHAKE = new Set(["challenge", "auth_ok", "auth_fail"]);

export class Guest {
  role = "guest";
  peer = null;
  goal = null;
  endedBecause = null;
  openedAt = Date.now();
  lastSeq = 0;
  gone = Promise.resolve();
  /** What was said and has no number yet, by its id. */
  #unconfirmed = new Map();
  #bodies = 0;
  /** The last message, if it was the system's. */
  #lastWord = null;

  constructor({ url, tunnelId, key }, name, { clock } = {}) {
    Object.assign(this, { url, tunnelId, key, name: cut(name, C.NAME_BYTES) });
    this.seals = new Seals(key);
    this.inbox = new Inbox();
    this.timeline = new Timeline(clock);
    this.machine = new Machine(MACHINES.guest, this, this.timeline.moment);
    this.timeline.add(this.machine);
  }

  // What the guest's own agent does.

  /** Dial, and resolve when the host has let this side in. */
  join() {
    const joined = new Promise((resolve, reject) => (this.joining = { resolve, reject }));
    try {
      this.socket = dial(this.url);
    } catch (error) {
      this.#unreachable(error);
      return joined;
    }
    let stream;
    this.gone = new Promise((resolve) => this.socket.once("close", resolve));
    this.socket.once("error", (error) => this.#unreachable(error));
    this.socket.once("upgrade", (response) => (stream = response.socket));
    this.socket.once("open", () => this.#listen(stream));
    this.timeline.input();
    return joined;
  }

  say(text) {
    return new Promise((resolve, reject) => {
      const fits = bytes(text) <= C.TEXT_BYTES;
      const hasRoom = this.lastSeq + this.#unconfirmed.size < C.TRANSCRIPT_MESSAGES;
      this.#input("say", { fits, has_room: hasRoom }, { text, resolve, reject });
    });
  }

  close(summary) {
    this.#input("close", { has_summary: summary !== "" }, { text: summary });
  }

  exit() {
    this.#input("exit");
  }

  get state() {
    if (this.machine.final) return "closed";
    return this.machine.state === "joined" ? "connected" : "joining";
  }

  get live() {
    return !this.machine.final;
  }

  get closedBecause() {
    return this.endedBecause;
  }

  // What the host does.

  #listen(stream) {
    this.socket.removeAllListeners("error");
    const events = {
      heard: () => this.#input("heard"),
      frame: (frame) => this.#frame(frame),
      control: () => {},
      oversize: () => this.#input("oversize"),
      not_text: () => this.#input("not_text"),
      overflow: () => this.#input("overflow"),
      lost: (code, reason) => this.#input("lost", told(code, reason, this.#lastWord)),
    };
    this.socket.tell(events, "host", stream);
    this.#input("connected");
  }

  #unreachable(error) {
    this.#input("unreachable", {}, { detail: error instanceof DialError ? error.message : undefined });
  }

  #frame(frame) {
    const { name, fields } = frame ?? {};
    if (HANDSHAKE.has(name) && !fields) this.#input("malformed");
    else if (name === "auth_ok") this.#input(name, this.#judgeBacklog(fields), fields);
    else if (name === "msg" && fields) this.#input(name, this.#judge(fields.msg), fields);
    else if (HANDSHAKE.has(name)) this.#input(name, {}, fields);
    else this.#input("other");
  }

  #judge({ seq, from, kind, id, body }) {
    const ours = this.#unconfirmed.get(id);
    return {
      stale: seq <= this.lastSeq,
      in_order: seq === this.lastSeq + 1,
      overfull: isOverfull(seq, this.#bodies + chatBytes({ kind, body })),
      claims_ours: from === "guest",
      echo: from === "guest" && kind === "chat" && ours?.body === body,
    };
  }

  #judgeBacklog({ backlog }) {
    const bodies = backlog.reduce((sum, message) => sum + chatBytes(message), 0);
    return { in_order: backlog.every(({ seq }, index) => seq === index + 1), overfull: isOverfull(backlog.length, bodies) };
  }

  // The actions of guest.toml.

  answer(_, { nonce }) {
    this.socket.transmit(encode("auth", { response: prove(this.key, nonce), name: this.name, sinceSeq: 0 }));
  }

  enter(_, { goal, peerName, backlog }) {
    this.goal = visible(cut(goal, C.GOAL_BYTES));
    this.peer = shownName(peerName);
    // Nobody but a forger can have said something as the guest before it was let in (SEQ-6).
    for (const msg of backlog) msg.from === "guest" ? this.conceal(null, { msg }) : this.take(null, { msg });
    this.joining.resolve();
  }

  take(_, { msg }) {
    this.#count(msg);
    const ours = msg.from === "guest" ? this.#unconfirmed.get(msg.id).text : null;
    this.inbox.add(msg, ours ?? (msg.kind === "system" ? visible(msg.body) : this.seals.read(msg.body)));
  }

  confirm(_, { msg }) {
    this.#unconfirmed.get(msg.id).resolve?.(msg.seq);
    this.#unconfirmed.delete(msg.id);
  }

  conceal(_, { msg }) {
    this.#count(msg);
  }

  send(_, { text, resolve, reject }) {
    const draft = { id: randomBytes(C.MESSAGE_ID_BYTES).toString("hex"), kind: "chat", body: this.seals.write(text) };
    this.#unconfirmed.set(draft.id, { text, body: draft.body, resolve, reject });
    this.socket.transmit(encode("send", { msg: draft }));
  }

  send_summary(_, { text }) {
    this.send(null, { text });
  }

  fail(id, { reject }) {
    reject(cannotSay(id));
  }

  hang_up(closing) {
    this.socket.hangUp(closing);
  }

  ping() {
    this.socket.ping();
  }

  end(cause, { reason, detail }) {
    this.endedBecause = cause;
    this.joining.reject(cause === "refused" ? new Failure(refusal(reason)) : detail ? new Failure(detail) : hasEnded(cause));
    for (const { reject } of this.#unconfirmed.values()) reject?.(cannotSay("unconfirmed"));
    this.#unconfirmed.clear();
    this.inbox.wake();
  }

  #input(event, facts, payload) {
    this.timeline.input(() => this.timeline.tell(this.machine, event, facts, payload));
  }

  #count(msg) {
    this.lastSeq = msg.seq;
    this.#bodies += chatBytes(msg);
    this.#lastWord = msg.kind === "system" ? msg.body : null;
  }
}

const chatBytes = ({ kind, body }) => (kind === "chat" ? bytes(body) : 0);

// System messages are numbered also when a transcript is full, so a few more than it holds are taken (SIZE-10).
const isOverfull = (messages, bodies) => messages > C.TRANSCRIPT_MESSAGES + C.SYSTEM_MESSAGES || bodies > C.TRANSCRIPT_BYTES;
