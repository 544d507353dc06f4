// The host's local port: takes WebSockets at the path of the tunnel, and lets every connection live as `connection.toml` says.

import { STATUS_CODES, createServer } from "node:http";
import { WebSocketServer } from "ws";
import { encode } from "./codec.js";
import { encode as base64url, proves, randomBytes } from "./crypto.js";
import { Machine } from "./machine.js";
import { OPTIONS, Socket } from "./socket.js";
import { C, MACHINES } from "./tables.js";

/** @import { IncomingMessage } from "node:http" */
/** @import { AddressInfo } from "node:net" */
/** @import { Duplex } from "node:stream" */
/** @import { Auth, ClosingId, ReadDraft } from "../../../spec/v1/export/tunnel.js" */
/** @import { Timeline } from "./clock.js" */
/** @import { Host } from "./host.js" */
/** @import { Event, Facts, Fields, Found } from "./types.js" */

export class Relay {
  /**
   * @param {string} path the one path that is a WebSocket
   * @param {Uint8Array} key the key of the join link
   * @param {Timeline} timeline where the machines live
   * @param {Pick<Host, "auth" | "send" | "left">} session what a connection tells it
   */
  constructor(path, key, timeline, session) {
    this.path = path;
    this.key = key;
    this.timeline = timeline;
    this.session = session;
    /** By their TCP stream, in the order of their acceptance. @type {Map<Duplex, Connection>} */
    this.connections = new Map();
    this.http = createServer({ maxHeaderSize: C.HTTP_HEAD_BYTES, requireHostHeader: false });
    // No header is left out of the count of the head.
    this.http.maxHeadersCount = 0;
    this.http.on("connection", (stream) => this.#accept(stream));
    this.http.on("request", (request, response) => {
      response.writeHead(this.#refusal(request) ?? 426, { Connection: "close", "Content-Length": 0 }).end();
    });
    this.http.on("upgrade", (request, stream, head) => this.#upgrade(request, stream, head));
    this.websockets = new WebSocketServer({
      ...OPTIONS,
      noServer: true,
      clientTracking: false,
      WebSocket: Socket,
      maxPayload: C.STRANGER_FRAME_BYTES,
      handleProtocols: () => false,
    });
  }

  async listen() {
    /** @type {Promise<void>} */
    const listening = new Promise((resolve, reject) => {
      this.http.once("error", reject);
      this.http.listen(0, "127.0.0.1", resolve);
    });
    await listening;
    return /** @type {AddressInfo} */ (this.http.address()).port;
  }

  /** Everybody is told and closed; resolves when the last socket is gone (CLOSE-2). @param {ClosingId} closing */
  async end(closing) {
    const gone = new Promise((resolve) => this.http.close(resolve));
    for (const connection of this.connections.values()) connection.tell("end", {}, { closing });
    await gone;
  }

  /** @param {Duplex} stream */
  #accept(stream) {
    this.timeline.input(() => {
      this.connections.set(stream, new Connection(this, stream));
      const strangers = [...this.connections.values()].filter((connection) => connection.machine.in("stranger"));
      if (strangers.length > C.STRANGER_CONNECTIONS) strangers[0].tell("evict");
    });
  }

  /** @type {(request: IncomingMessage, stream: Duplex, head: Buffer) => void} */
  #upgrade(request, stream, head) {
    const status = this.#refusal(request) ?? (request.headers.upgrade?.toLowerCase() === "websocket" ? undefined : 426);
    if (status) {
      stream.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => stream.destroy());
      return;
    }
    this.websockets.handleUpgrade(request, stream, head, (socket) => this.connections.get(stream)?.upgraded(socket));
  }

  /** The status for a request that is refused, if it is. @param {IncomingMessage} request */
  #refusal(request) {
    if (headBytes(request) > C.HTTP_HEAD_BYTES) return 431;
    if (request.url?.split("?")[0] !== this.path) return 404;
    if (request.headers.origin !== undefined) return 403;
    return undefined;
  }
}

/**
 * How long a request head is. Node's own bound, which ends an endless one, counts names and values only (SIZE-12).
 *
 * @param {IncomingMessage} request
 */
function headBytes({ method, url, rawHeaders }) {
  const line = `${method} ${url} HTTP/1.1\r\n\r\n`.length;
  return rawHeaders.reduce((sum, text) => sum + text.length + 2, line);
}

export class Connection {
  /** When the last control frames came. @type {number[]} */
  #controls = [];
  /** @type {Socket | undefined} */
  socket;
  nonce = "";

  /**
   * @param {Relay} owner
   * @param {Duplex} stream
   */
  constructor(owner, stream) {
    this.owner = owner;
    this.stream = stream;
    this.machine = new Machine(MACHINES.connection, this, owner.timeline.moment);
    owner.timeline.add(this.machine);
    stream.on("error", () => {});
    // A WebSocket tells it itself, once it has read what came before the end.
    stream.on("close", () => this.socket ?? this.input("lost"));
  }

  /**
   * Something happens to this connection within a step of this end.
   *
   * @template {Event<"connection">} E
   * @param {E} event
   * @param {Facts<"connection", E>} [facts]
   * @param {object} [payload]
   */
  tell(event, facts, payload) {
    this.owner.timeline.tell(this.machine, event, facts, payload);
    if (this.machine.final) this.owner.connections.delete(this.stream);
  }

  /**
   * Something happens to it from outside.
   *
   * @template {Event<"connection">} E
   * @param {E} event
   * @param {Facts<"connection", E>} [facts]
   * @param {object} [payload]
   */
  input(event, facts, payload) {
    this.owner.timeline.input(() => this.tell(event, facts, payload));
  }

  /** @param {Socket} socket */
  upgraded(socket) {
    this.socket = socket;
    socket.tell(
      {
        heard: () => this.input("heard"),
        frame: (frame) => this.#frame(frame),
        control: () => this.#control(),
        oversize: () => this.input("oversize"),
        not_text: () => this.input("not_text"),
        overflow: () => this.input("overflow"),
        lost: () => this.input("lost"),
      },
      "guest",
      this.stream,
    );
    this.input("upgraded");
  }

  /** @param {Found<"guest"> | null} frame */
  #frame(frame) {
    if (frame?.name === "auth") this.input("auth", {}, { auth: frame.fields });
    else if (frame?.name === "send" && frame.fields) this.input("send", {}, { draft: frame.fields.msg });
    else this.input("other");
  }

  /** A flood: the frame that came CONTROL_FRAMES ago is not older than PING_SECONDS (SIZE-8). */
  #control() {
    const now = this.owner.timeline.clock();
    this.#controls.push(now);
    const flooding = this.#controls.length > C.CONTROL_FRAMES && now - (this.#controls.shift() ?? now) <= C.PING_SECONDS * 1000;
    this.input("control", { flooding });
  }

  // The actions of connection.toml.

  challenge() {
    this.nonce = base64url(randomBytes(C.CHALLENGE_BYTES));
    this.send(encode("challenge", { nonce: this.nonce }));
  }

  /** @type {(_: undefined, payload: { auth: Fields<Auth> | null }) => void} */
  judge(_, { auth }) {
    const proven = auth !== null && proves(this.owner.key, this.nonce, auth.response);
    this.owner.session.auth(this, auth, { well_formed: auth !== null, proof_ok: proven });
  }

  /** @type {(_: undefined, payload: { draft: ReadDraft }) => void} */
  relay(_, { draft }) {
    this.owner.session.send(draft);
  }

  /** @type {(_: undefined, payload: { frame: string }) => void} */
  welcome(_, { frame }) {
    // `ws` takes the bound when the socket opens, and has no public way to raise it for the guest (SIZE-2).
    /** @type {any} */ (this.socket)._receiver._maxPayload = C.GUEST_FRAME_BYTES;
    this.send(frame);
  }

  /** @type {(_: undefined, payload: { reason: string }) => void} */
  deny(_, { reason }) {
    this.send(encode("auth_fail", { reason }));
  }

  /** @param {ClosingId} closing */
  hang_up(closing) {
    // Before there is a WebSocket, nothing can be said.
    if (this.socket) this.socket.hangUp(closing);
    else this.stream.destroy();
  }

  /** @type {(_: undefined, payload: { closing: ClosingId }) => void} */
  hang_up_told(_, { closing }) {
    this.hang_up(closing);
  }

  leave() {
    this.owner.session.left();
  }

  ping() {
    this.socket?.ping();
  }

  // What the session asks of its guest's connection.

  /** @type {(text: string, sent?: () => void) => void} */
  send(text, sent) {
    this.socket?.transmit(text, sent);
  }

  get waiting() {
    return this.socket?.bufferedAmount ?? 0;
  }
}
