// The host's local port: takes WebSockets at the path of the tunnel, and lets every connection live as `connection.toml` says.

import { STATUS_CODES, createServer } from "node:http";
import { WebSocketServer } from "ws";
import { encode } from "./codec.js";
import { encode as base64url, proves, randomBytes } from "./crypto.js";
import { Machine } from "./machine.js";
import { OPTIONS, Socket } from "./socket.js";
import { C, MACHINES } from "./tables.js";

export class Relay {
  /**
   * @param path the one path that is a WebSocket
   * @param key the key of the join link
   * @param timeline where the machines live
   * @param session what a connection tells the session: `auth`, `send`, `left`
   */
  constructor(path, key, timeline, session) {
    Object.assign(this, { path, key, timeline, session });
    /** By their TCP stream, in the order of their acceptance. */
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
    await new Promise((resolve, reject) => {
      this.http.once("error", reject);
      this.http.listen(0, "127.0.0.1", resolve);
    });
    return this.http.address().port;
  }

  /** Everybody is told and closed; resolves when the last socket is gone (CLOSE-2). */
  async end(closing) {
    const gone = new Promise((resolve) => this.http.close(resolve));
    for (const connection of this.connections.values()) connection.tell("end", {}, { closing });
    await gone;
  }

  #accept(stream) {
    this.timeline.input(() => {
      this.connections.set(stream, new Connection(this, stream));
      const strangers = [...this.connections.values()].filter((connection) => connection.machine.in("stranger"));
      if (strangers.length > C.STRANGER_CONNECTIONS) strangers[0].tell("evict");
    });
  }

  #upgrade(request, stream, head) {
    const status = this.#refusal(request) ?? (request.headers.upgrade.toLowerCase() === "websocket" ? undefined : 426);
    if (status) {
      stream.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => stream.destroy());
      return;
    }
    this.websockets.handleUpgrade(request, stream, head, (socket) => this.connections.get(stream)?.upgraded(socket));
  }

  /** The status for a request that is refused, if it is. */
  #refusal(request) {
    if (headBytes(request) > C.HTTP_HEAD_BYTES) return 431;
    if (request.url.split("?")[0] !== this.path) return 404;
    if (request.headers.origin !== undefined) return 403;
    return undefined;
  }
}

/** How long a request head is. Node's own bound, which ends an endless one, counts names and values only (SIZE-12). */
function headBytes({ method, url, rawHeaders }) {
  const line = `${method} ${url} HTTP/1.1\r\n\r\n`.length;
  return rawHeaders.reduce((sum, text) => sum + text.length + 2, line);
}

class Connection {
  /** When the last control frames came. */
  #controls = [];

  constructor(owner, stream) {
    Object.assign(this, { owner, stream });
    this.machine = new Machine(MACHINES.connection, this, owner.timeline.moment);
    owner.timeline.add(this.machine);
    stream.on("error", () => {});
    // A WebSocket tells it itself, once it has read what came before the end.
    stream.on("close", () => this.socket ?? this.input("lost"));
  }

  /** Something happens to this connection within a step of this end. */
  tell(event, facts, payload) {
    this.owner.timeline.tell(this.machine, event, facts, payload);
    if (this.machine.final) this.owner.connections.delete(this.stream);
  }

  /** Something happens to it from outside. */
  input(event, facts, payload) {
    this.owner.timeline.input(() => this.tell(event, facts, payload));
  }

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

  #frame(frame) {
    if (frame?.name === "auth") this.input("auth", {}, { auth: frame.fields });
    else if (frame?.name === "send" && frame.fields) this.input("send", {}, { draft: frame.fields.msg });
    else this.input("other");
  }

  /** A flood: the frame that came CONTROL_FRAMES ago is not older than PING_SECONDS (SIZE-8). */
  #control() {
    const now = this.owner.timeline.clock();
    this.#controls.push(now);
    const flooding = this.#controls.length > C.CONTROL_FRAMES && now - this.#controls.shift() <= C.PING_SECONDS * 1000;
    this.input("control", { flooding });
  }

  // The actions of connection.toml.

  challenge() {
    this.nonce = base64url(randomBytes(C.CHALLENGE_BYTES));
    this.send(encode("challenge", { nonce: this.nonce }));
  }

  judge(_, { auth }) {
    const proven = auth !== null && proves(this.owner.key, this.nonce, auth.response);
    this.owner.session.auth(this, auth, { well_formed: auth !== null, proof_ok: proven });
  }

  relay(_, { draft }) {
    this.owner.session.send(draft);
  }

  welcome(_, { frame }) {
    // `ws` takes the bound when the socket opens, and has no public way to raise it for the guest (SIZE-2).
    this.socket._receiver._maxPayload = C.GUEST_FRAME_BYTES;
    this.send(frame);
  }

  deny(_, { reason }) {
    this.send(encode("auth_fail", { reason }));
  }

  hang_up(closing) {
    // Before there is a WebSocket, nothing can be said.
    if (this.socket) this.socket.hangUp(closing);
    else this.stream.destroy();
  }

  hang_up_told(_, { closing }) {
    this.hang_up(closing);
  }

  leave() {
    this.owner.session.left();
  }

  ping() {
    this.socket.ping();
  }

  // What the session asks of its guest's connection.

  send(text, sent) {
    this.socket.transmit(text, sent);
  }

  get waiting() {
    return this.socket.bufferedAmount;
  }
}
