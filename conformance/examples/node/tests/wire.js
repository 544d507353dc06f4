// What the tests share: a peer that speaks the wire by hand, and clocks that are set.

import { once } from "node:events";
import { WebSocket, WebSocketServer } from "ws";
import { prove, seal } from "../crypto.js";
import { Guest } from "../guest.js";
import { Host } from "../host.js";
import { parse } from "../link.js";

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A clock that a test moves by hand. */
export function clock() {
  const read = () => read.now;
  read.now = 0;
  return read;
}

/** An opened host, and the way to move its time. */
export async function openHost(t, { goal = "goal", name = "Ann" } = {}) {
  const time = clock();
  const host = new Host(goal, name, { clock: time });
  await host.open();
  t.after(() => host.close(""));
  const wait = (seconds) => {
    time.now += seconds * 1000;
    host.timeline.input();
  };
  return { host, wait, ...parse(host.link) };
}

/** One WebSocket, by hand: `frames` and `closed` as they come in. */
export class Peer {
  frames = [];
  pings = 0;
  closed = null;

  constructor(socket, key) {
    Object.assign(this, { socket, key });
    socket.on("message", (data) => this.frames.push(JSON.parse(data)));
    socket.on("ping", () => this.pings++);
    socket.on("close", (code, reason) => (this.closed = { code, reason: String(reason) }));
    socket.on("error", (error) => (this.error = error));
  }

  static dial(url, key, options = {}) {
    return new Peer(new WebSocket(url, { perMessageDeflate: false, ...options }), key);
  }

  /** Wait until this is so. */
  async until(what, ms = 3000) {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(2)) if (what(this)) return what(this);
    throw new Error(`not seen: ${what}; seen: ${JSON.stringify([this.frames, this.closed, this.error?.message])}`);
  }

  frame(name) {
    return this.until(({ frames }) => frames.find(({ t }) => t === name));
  }

  message(seq) {
    return this.until(({ frames }) => frames.find(({ t, msg }) => t === "msg" && msg.seq === seq)?.msg);
  }

  hungUp() {
    return this.until(({ closed }) => closed);
  }

  send(frame) {
    this.socket.send(typeof frame === "string" || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
  }

  async auth(fields = {}) {
    const { nonce } = await this.frame("challenge");
    this.send({ t: "auth", response: prove(this.key, nonce), name: "Bob", sinceSeq: 0, ...fields });
  }

  chat(text, fields = {}) {
    const msg = { id: "0011223344556677", seq: -1, from: "guest", kind: "chat", body: seal(this.key, text), ts: 0, ...fields };
    this.send({ t: "send", msg });
    return msg;
  }
}

/** A peer that the host has let in. */
export async function joined(open, fields) {
  const peer = Peer.dial(open.url, open.key);
  await peer.auth(fields);
  await peer.frame("auth_ok");
  return peer;
}

/** A peer that is refused with this reason. */
export async function refusal(open, fields, key = open.key) {
  const peer = Peer.dial(open.url, key);
  await peer.auth(fields);
  const { code } = await peer.hungUp();
  return [peer.frames.at(-1).reason, code];
}

/** A host that is played by hand, and a guest that has dialled it. */
export async function serve(t) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const key = Buffer.alloc(32, 7);
  const time = clock();
  const guest = new Guest({ url: `ws://127.0.0.1:${server.address().port}/t/ab`, tunnelId: "ab", key }, "Bob", { clock: time });
  const join = guest.join();
  join.catch(() => {});
  const [socket] = await once(server, "connection");
  t.after(() => {
    guest.close("");
    socket.terminate();
    server.close();
  });
  const host = new Peer(socket, key);
  host.challenge = (nonce = "N") => host.send({ t: "challenge", nonce });
  host.admit = (backlog = []) => host.send({ t: "auth_ok", goal: "g", peerName: "Ann", backlog });
  host.tell = (seq, fields) => {
    const msg = { id: `id${seq}`, seq, from: "host", kind: "chat", body: seal(key, `text ${seq}`), ts: 0, ...fields };
    host.send({ t: "msg", msg });
    return msg;
  };
  const wait = (seconds) => {
    time.now += seconds * 1000;
    guest.timeline.input();
  };
  return { guest, host, join, key, wait };
}

/** The same, joined. */
export async function served(t, backlog) {
  const all = await serve(t);
  all.host.challenge();
  await all.host.frame("auth");
  all.host.admit(backlog);
  await all.join;
  return all;
}

/** What an agent can hear by now. */
export const heard = async (end) => (await end.inbox.listen(0, 0, () => false)).messages.map(({ text }) => text);
