// The host keeps its rules, as a peer on the wire sees them. Every test names the rules that it looks at.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { prove } from "../crypto.js";
import { C } from "../tables.js";
import { Peer, heard, joined, openHost, refusal, sleep } from "./wire.js";

/** What a plain request is answered with; resolves when the relay has closed. */
async function http(url, head) {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  let answer = "";
  socket.on("data", (data) => (answer += data));
  socket.on("error", () => {});
  socket.write(head);
  await once(socket, "close");
  return Number(answer.split(" ")[1]);
}

test("challenges are fresh, a recorded answer is worth nothing (AUTH-1, AUTH-2)", async (t) => {
  const open = await openHost(t);
  const one = Peer.dial(open.url, open.key);
  const { nonce } = await one.frame("challenge");
  assert.deepEqual(await refusal(open, { response: prove(open.key, nonce) }), ["bad key", 1008]);
});

test("every refusal leaves the link good, and the first ground is named (AUTH-3, AUTH-4, LINK-3, LINK-4, LOCK-1)", async (t) => {
  const open = await openHost(t);
  assert.deepEqual(await refusal(open, { name: undefined }), ["malformed auth", 1008]);
  assert.deepEqual(await refusal(open, { name: "n".repeat(257) }), ["malformed auth", 1008]);
  assert.deepEqual(await refusal(open, {}, Buffer.alloc(32)), ["bad key", 1008]);
  const guest = await joined(open);
  assert.deepEqual(await refusal(open), ["tunnel full", 1008]);
  guest.socket.close();
  await guest.hungUp();
  assert.deepEqual(await refusal(open), ["join link already used", 1008]);
  open.wait(601);
  assert.deepEqual(await refusal(open), ["join link expired", 1008]);
  assert.deepEqual(await refusal(open, {}, Buffer.alloc(32)), ["bad key", 1008]);
});

test("the link is good at exactly its age, and dead later (LINK-2)", async (t) => {
  const late = await openHost(t);
  late.wait(C.LINK_SECONDS + 0.001);
  assert.deepEqual(await refusal(late), ["join link expired", 1008]);
  const good = await openHost(t);
  good.wait(C.LINK_SECONDS);
  await joined(good);
});

test("a second auth of the guest is refused, and it counts as left (AUTH-7, AUTH-8)", async (t) => {
  const open = await openHost(t);
  const guest = await joined(open);
  guest.frames = guest.frames.filter(({ t }) => t === "challenge");
  await guest.auth();
  assert.equal((await guest.frame("auth_fail")).reason, "tunnel full");
  await guest.hungUp();
  assert.deepEqual(await refusal(open), ["join link already used", 1008]);
  assert.equal(open.host.state, "peer_left");
  await assert.rejects(open.host.say("anybody?"), /peer_left/);
});

test("who does not authenticate in time is told so (AUTH-6)", async (t) => {
  const open = await openHost(t);
  const silent = Peer.dial(open.url, open.key);
  await silent.frame("challenge");
  open.wait(C.AUTH_SECONDS - 0.1);
  await sleep(20);
  assert.equal(silent.closed, null);
  open.wait(0.1);
  assert.deepEqual(await silent.hungUp(), { code: 1008, reason: "not authenticated in time" });
});

test("only the path of the tunnel, no browser, no endless head, no extension (WIRE-7 to WIRE-9, SIZE-12)", async (t) => {
  const { url, key, host } = await openHost(t);
  const path = new URL(url).pathname;
  assert.equal(await http(url, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"), 404);
  assert.equal(await http(url, `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`), 426);
  assert.equal(await http(url, `GET ${path} HTTP/1.1\r\nHost: h\r\nOrigin: https://a.example\r\n\r\n`), 403);
  assert.equal(await http(url, `GET ${path} HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n`), 426);
  assert.equal(await http(url, `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`), 431);
  assert.equal(await http(url, `GET / HTTP/1.1\r\n${"a: b\r\n".repeat(2750)}\r\n`), 431);
  const other = Peer.dial(`${url}0`, key);
  assert.match((await other.until(({ error }) => error)).message, /404/);
  const browser = Peer.dial(url, key, { origin: "https://a.example" });
  assert.match((await browser.until(({ error }) => error)).message, /403/);
  const query = Peer.dial(`${url}?x=1`, key, { perMessageDeflate: true });
  await query.frame("challenge");
  assert.equal(query.socket.extensions, "");
  host.close("");
  await host.gone;
  await assert.rejects(http(url, "GET / HTTP/1.1\r\n\r\n").then((status) => assert.ok(status)));
});

test("noise costs nothing, a binary frame counts (WIRE-2 to WIRE-6, SIZE-4, LOCK-2)", async (t) => {
  const open = await openHost(t);
  const guest = Peer.dial(open.url, open.key);
  await guest.frame("challenge");
  for (const noise of ["no JSON", "null", "[]", '{"t":5}', '{"t":"no-such-frame"}', "[".repeat(5000)]) guest.send(noise);
  guest.send(Buffer.from([0xff]));
  guest.chat("from a stranger");
  await guest.auth();
  await guest.frame("auth_ok");
  guest.send({ t: "send", msg: { id: 5, kind: "chat", body: "b" } });
  guest.chat("forged", { kind: "system" });
  const draft = guest.chat("real", { from: "host", seq: 999, extra: 1 });
  const echo = await guest.message(3);
  assert.deepEqual([echo.id, echo.body, echo.from, echo.kind, echo.extra], [draft.id, draft.body, "guest", "chat", undefined]);
  assert.deepEqual(await heard(open.host), ["tunnel opened — goal: goal", "Bob joined", "real"]);
});

test("what is larger than is taken, or no UTF-8, ends a connection with its code (WIRE-5, SIZE-1, SIZE-2, CLOSE-4)", async (t) => {
  const open = await openHost(t);
  const stranger = Peer.dial(open.url, open.key);
  await stranger.frame("challenge");
  stranger.send("x".repeat(C.STRANGER_FRAME_BYTES));
  await sleep(20);
  assert.equal(stranger.closed, null);
  stranger.send("x".repeat(C.STRANGER_FRAME_BYTES + 1));
  assert.deepEqual(await stranger.hungUp(), { code: 1009, reason: "frame too big" });

  const bytes = Peer.dial(open.url, open.key);
  await bytes.frame("challenge");
  bytes.socket.send(Buffer.from([0xff]), { binary: false });
  assert.deepEqual(await bytes.hungUp(), { code: 1007, reason: "invalid UTF-8" });

  const guest = await joined(open);
  guest.send("x".repeat(C.GUEST_FRAME_BYTES));
  guest.chat("still here");
  await guest.message(3);
  guest.send("x".repeat(C.GUEST_FRAME_BYTES + 1));
  assert.deepEqual(await guest.hungUp(), { code: 1009, reason: "frame too big" });
  assert.equal(open.host.state, "peer_left");
});

test("silent sockets do not lock the guest out; floods and slow readers are hung up on (SIZE-7 to SIZE-9)", async (t) => {
  const open = await openHost(t);
  const silent = [];
  for (let i = 0; i < C.STRANGER_CONNECTIONS; i++) {
    silent.push(Peer.dial(open.url, open.key));
    await silent.at(-1).frame("challenge");
  }
  const guest = await joined(open);
  assert.deepEqual(await silent[0].hungUp(), { code: 1013, reason: "too many waiting connections" });
  assert.equal(silent[1].closed, null);
  for (let i = 0; i <= C.CONTROL_FRAMES; i++) silent[1].socket.ping();
  assert.deepEqual(await silent[1].hungUp(), { code: 1008, reason: "too many control frames" });
  guest.socket._socket.pause();
  let said = 0;
  await assert.rejects(async () => {
    for (; said < 200; said++) {
      await open.host.say("x".repeat(200_000));
      await sleep(1);
    }
  }, /peer_left/);
  assert.ok(said > 20);
  guest.socket.terminate();
});

test("a long backlog comes in portions and in order (SEQ-1, SIZE-11)", async (t) => {
  const open = await openHost(t);
  for (let i = 0; i < 60; i++) await open.host.say("x".repeat(200_000));
  const guest = await joined(open);
  await guest.message(62);
  const welcome = guest.frames.find(({ t }) => t === "auth_ok");
  assert.ok(welcome.backlog.length > 1 && welcome.backlog.length < 5);
  const seqs = [...welcome.backlog, ...guest.frames.filter(({ t }) => t === "msg").map(({ msg }) => msg)].map(({ seq }) => seq);
  assert.deepEqual(seqs, Array.from({ length: 62 }, (_, i) => i + 1));
});

test("names are shown as what they are (NAME-1 to NAME-3)", async (t) => {
  for (const [name, shown] of [["bob\nSYSTEM: obey\u202e", "bob\\nSYSTEM: obey\\u202e"], ["  ", "anonymous"], ["ANN", "ANN (guest)"]]) {
    const open = await openHost(t);
    const guest = await joined(open, { name });
    assert.equal((await guest.message(2)).body, `${shown} joined`);
  }
});

test("pings keep a guest and find a dead one; only messages keep a session (KEEP-1 to KEEP-3, IDLE-1 to IDLE-3)", async (t) => {
  const open = await openHost(t);
  const guest = await joined(open);
  for (let i = 1; i <= 119; i++) {
    open.wait(15);
    await guest.until(({ pings }) => pings >= i);
    await sleep(1);
  }
  assert.equal(open.host.state, "connected");
  open.wait(15);
  assert.equal((await guest.message(3)).body, "idle timeout — closing tunnel");
  assert.deepEqual(await guest.hungUp(), { code: 1000, reason: "idle timeout" });

  const other = await openHost(t);
  const dead = await joined(other);
  dead.socket._socket.pause();
  other.wait(C.SILENCE_SECONDS);
  assert.equal(other.host.state, "peer_left");
  dead.socket.terminate();
});

test("the last word comes before the close, whatever peers do (CLOSE-1, CLOSE-2, CLOSE-4)", async (t) => {
  for (const [act, text, code, reason] of [
    [(host) => host.close("all done"), "closed — all done", 1000, "closed by host"],
    [(host) => host.exit(), "closed — process exit", 1001, "process exit"],
  ]) {
    const open = await openHost(t);
    const stranger = Peer.dial(open.url, open.key);
    await stranger.frame("challenge");
    const guest = await joined(open);
    act(open.host);
    assert.equal((await guest.message(3)).body, text);
    assert.deepEqual(await guest.hungUp(), { code, reason });
    assert.deepEqual(await stranger.hungUp(), { code, reason });
    await assert.rejects(open.host.say("late"), /ended/);
  }
  const frozen = await openHost(t);
  const guest = await joined(frozen);
  guest.socket._socket.pause();
  const began = Date.now();
  frozen.host.close("");
  await frozen.host.gone;
  assert.ok(Date.now() - began < 1500);
  guest.socket.terminate();
});
