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

/** @import { AuthOk, CauseId, Challenge, ClosingId, FailureId, Message, Msg } from "../../../spec/v1/export/tunnel.js" */
/** @import { Duplex } from "node:stream" */
/** @import { End, Event, Facts, Fields, Found, SocketEvents } from "./types.js" */
/** @import { Socket } from "./socket.js" */

/** @typedef {{ resolve?: (seq: number) => void, reject?: (error: Error) => void }} Waiter who said something */
/** @typedef {{ text: string } & Waiter} Saying */

/** The frames without which there is no join: malformed, they end it (AUTH-12). */
/** @type {Set<string>} */
const HANDSHAKE = new Set(["challenge", "auth_ok", "auth_fail"]);

/** @implements {End} */
export class Guest {
  /** @type {"guest"} */
  role = "guest";
  /** @type {string | null} */
  peer = null;
  /** @type {string | null} */
  goal = null;
  /** @type {CauseId | null} */
  endedBecause = null;
  openedAt = Date.now();
  lastSeq = 0;
  /** @type {Promise<unknown>} */
  gone = Promise.resolve();
  /** @type {Socket | undefined} */
  #socket;
  /** Who waits for the end of the join. @type {{ resolve: () => void, reject: (error: Error) => void } | undefined} */
  #joining;
  /** What was said and has no number yet, by its id. @type {Map<string, Saying & { body: string }>} */
  #unconfirmed = new Map();
  #bodies = 0;
  /** The last message, if it was the system's. @type {string | null} */
  #lastWord = null;

  /**
   * @param {{ url: string, tunnelId: string, key: Uint8Array }} link
   * @param {string} name
   * @param {{ clock?: () => number }} options
   */
  constructor({ url, tunnelId, key }, name, { clock } = {}) {
    this.url = url;
    this.tunnelId = tunnelId;
    this.key = key;
    this.name = cut(name, C.NAME_BYTES);
    this.seals = new Seals(key);
    this.inbox = new Inbox();
    this.timeline = new Timeline(clock);
    this.machine = new Machine(MACHINES.guest, this, this.timeline.moment);
    this.timeline.add(this.machine);
  }

  // What the guest's own agent does.

  /** Dial, and resolve when the host has let this side in. */
  join() {
    /** @type {Promise<void>} */
    const joined = new Promise((resolve, reject) => (this.#joining = { resolve, reject }));
    /** @type {Socket} */
    let socket;
    try {
      socket = dial(this.url);
    } catch (error) {
      this.#unreachable(error);
      return joined;
    }
    this.#socket = socket;
    /** @type {Duplex} */
    let stream;
    this.gone = new Promise((resolve) => socket.once("close", resolve));
    socket.once("error", (error) => this.#unreachable(error));
    socket.once("upgrade", (response) => (stream = response.socket));
    socket.once("open", () => this.#listen(socket, stream));
    this.timeline.input();
    return joined;
  }

  /**
   * @param {string} text
   * @returns {Promise<number>}
   */
  say(text) {
    return new Promise((resolve, reject) => {
      const fits = bytes(text) <= C.TEXT_BYTES;
      const hasRoom = this.lastSeq + this.#unconfirmed.size < C.TRANSCRIPT_MESSAGES;
      this.#input("say", { fits, has_room: hasRoom }, { text, resolve, reject });
    });
  }

  /** @param {string} summary */
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

  /** @type {(socket: Socket, stream: Duplex) => void} */
  #listen(socket, stream) {
    socket.removeAllListeners("error");
    /** @type {SocketEvents<"host">} */
    const events = {
      heard: () => this.#input("heard"),
      frame: (frame) => this.#frame(frame),
      control: () => {},
      oversize: () => this.#input("oversize"),
      not_text: () => this.#input("not_text"),
      overflow: () => this.#input("overflow"),
      lost: (code, reason) => this.#input("lost", told(code, reason, this.#lastWord)),
    };
    socket.tell(events, "host", stream);
    this.#input("connected");
  }

  /** @param {unknown} error */
  #unreachable(error) {
    this.#input("unreachable", {}, { detail: error instanceof DialError ? error.message : undefined });
  }

  /** @param {Found<"host"> | null} frame */
  #frame(frame) {
    if (!frame) this.#input("other");
    else if (!frame.fields) this.#input(HANDSHAKE.has(frame.name) ? "malformed" : "other");
    else if (frame.name === "auth_ok") this.#input(frame.name, this.#judgeBacklog(frame.fields), frame.fields);
    else if (frame.name === "msg") this.#input(frame.name, this.#judge(frame.fields.msg), frame.fields);
    else this.#input(frame.name, {}, frame.fields);
  }

  /** @type {(msg: Message) => Facts<"guest", "msg">} */
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

  /** @type {(fields: Fields<AuthOk>) => Facts<"guest", "auth_ok">} */
  #judgeBacklog({ backlog }) {
    const bodies = backlog.reduce((sum, message) => sum + chatBytes(message), 0);
    return { in_order: backlog.every(({ seq }, index) => seq === index + 1), overfull: isOverfull(backlog.length, bodies) };
  }

  // The actions of guest.toml.

  /** @type {(_: undefined, payload: Fields<Challenge>) => void} */
  answer(_, { nonce }) {
    this.#socket?.transmit(encode("auth", { response: prove(this.key, nonce), name: this.name, sinceSeq: 0 }));
  }

  /** @type {(_: undefined, payload: Fields<AuthOk>) => void} */
  enter(_, { goal, peerName, backlog }) {
    this.goal = visible(cut(goal, C.GOAL_BYTES));
    this.peer = shownName(peerName);
    // Nobody but a forger can have said something as the guest before it was let in (SEQ-6).
    for (const msg of backlog) msg.from === "guest" ? this.conceal(undefined, { msg }) : this.take(undefined, { msg });
    this.#joining?.resolve();
  }

  /** @type {(_: undefined, payload: Fields<Msg>) => void} */
  take(_, { msg }) {
    this.#count(msg);
    const ours = msg.from === "guest" ? this.#unconfirmed.get(msg.id)?.text : null;
    this.inbox.add(msg, ours ?? (msg.kind === "system" ? visible(msg.body) : this.seals.read(msg.body)));
  }

  /** @type {(_: undefined, payload: Fields<Msg>) => void} */
  confirm(_, { msg }) {
    this.#unconfirmed.get(msg.id)?.resolve?.(msg.seq);
    this.#unconfirmed.delete(msg.id);
  }

  /** @type {(_: undefined, payload: Fields<Msg>) => void} */
  conceal(_, { msg }) {
    this.#count(msg);
  }

  /** @type {(_: undefined, payload: Saying) => void} */
  send(_, { text, resolve, reject }) {
    const [id, body] = [randomBytes(C.MESSAGE_ID_BYTES).toString("hex"), this.seals.write(text)];
    this.#unconfirmed.set(id, { text, body, resolve, reject });
    this.#socket?.transmit(encode("send", { msg: { id, kind: "chat", body } }));
  }

  /** @type {(_: undefined, payload: { text: string }) => void} */
  send_summary(_, { text }) {
    this.send(undefined, { text });
  }

  /** @type {(id: FailureId, payload: Saying) => void} */
  fail(id, { reject }) {
    reject?.(cannotSay(id));
  }

  /** @param {ClosingId} closing */
  hang_up(closing) {
    this.#socket?.hangUp(closing);
  }

  ping() {
    this.#socket?.ping();
  }

  /** @type {(cause: CauseId, payload: { reason?: string, detail?: string }) => void} */
  end(cause, { reason, detail }) {
    this.endedBecause = cause;
    const why = cause === "refused" ? refusal(reason ?? "") : detail;
    this.#joining?.reject(why ? new Failure(why) : hasEnded(cause));
    for (const { reject } of this.#unconfirmed.values()) reject?.(cannotSay("unconfirmed"));
    this.#unconfirmed.clear();
    this.inbox.wake();
  }

  /**
   * @template {Event<"guest">} E
   * @param {E} event
   * @param {Facts<"guest", E>} [facts]
   * @param {object} [payload]
   */
  #input(event, facts, payload) {
    this.timeline.input(() => this.timeline.tell(this.machine, event, facts, payload));
  }

  /** @param {Message} msg */
  #count(msg) {
    this.lastSeq = msg.seq;
    this.#bodies += chatBytes(msg);
    this.#lastWord = msg.kind === "system" ? msg.body : null;
  }
}

/** @param {Pick<Message, "kind" | "body">} message */
const chatBytes = ({ kind, body }) => (kind === "chat" ? bytes(body) : 0);

// System messages are numbered also when a transcript is full, so a few more than it holds are taken (SIZE-10).
/** @type {(messages: number, bodies: number) => boolean} */
const isOverfull = (messages, bodies) => messages > C.TRANSCRIPT_MESSAGES + C.SYSTEM_MESSAGES || bodies > C.TRANSCRIPT_BYTES;
