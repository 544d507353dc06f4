// The guest keeps its rules, whatever a host does to it. Every test names the rules that it looks at.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { open, prove, seal } from "../crypto.js";
import { isNear } from "../dialer.js";
import { Guest } from "../guest.js";
import { C } from "../tables.js";
import { heard, serve, served, sleep } from "./wire.js";

const ended = async (guest, cause) => {
  for (let i = 0; guest.live && i < 500; i++) await sleep(2);
  assert.equal(guest.closedBecause, cause);
};

test("one challenge is answered, the first (AUTH-5)", async (t) => {
  const { host, key, join } = await serve(t);
  host.challenge("first");
  host.challenge("second");
  assert.equal((await host.frame("auth")).response, prove(key, "first"));
  host.admit();
  await join;
  host.challenge("third");
  await sleep(20);
  assert.equal(host.frames.filter(({ t }) => t === "auth").length, 1);
});

test("a join that fails says why, at once (AUTH-9 to AUTH-12)", async (t) => {
  const cases = [
    [({ host }) => host.admit(), /bad_host/, "bad_host", 1002],
    [({ host }) => host.send({ t: "challenge" }), /bad_host/, "bad_host", 1002],
    [({ host }) => host.send({ t: "auth_fail", reason: "join link expired" }), /join link expired/, "refused", 1000],
    [({ host }) => host.socket.terminate(), /host_hung_up/, "host_hung_up", 1006],
    [({ wait }) => wait(C.JOIN_SECONDS), /join_timeout/, "join_timeout", 1001],
  ];
  for (const [act, sentence, cause, code] of cases) {
    const all = await serve(t);
    while (all.guest.machine.state === "dialing") await sleep(1);
    act(all);
    await assert.rejects(all.join, sentence);
    assert.equal(all.guest.closedBecause, cause);
    assert.equal((await all.host.hungUp()).code, code);
  }
});

test("numbers are taken in order, none twice, and a hole ends the tunnel (SEQ-4, SEQ-5)", async (t) => {
  const { guest, host } = await served(t, []);
  host.tell(1);
  host.tell(1, { body: "again" });
  host.tell(2);
  host.tell(4);
  await ended(guest, "missing_messages");
  assert.deepEqual(await heard(guest), ["text 1", "text 2"]);
  assert.deepEqual(await host.hungUp(), { code: 1002, reason: "protocol error" });
});

test("only the unchanged echo confirms, and nothing else is shown as ours (SEQ-3, SEQ-6)", async (t) => {
  const { guest, host, key } = await served(t, []);
  const saying = guest.say("hello");
  const { msg } = await host.frame("send");
  host.tell(1, { from: "guest" });
  host.tell(2, { from: "guest", id: msg.id, body: seal(key, "changed") });
  await sleep(20);
  assert.deepEqual(await heard(guest), []);
  host.tell(3, { from: "guest", id: msg.id, body: msg.body });
  assert.equal(await saying, 3);
  host.tell(4, { from: "guest", id: msg.id, body: msg.body });
  host.tell(5, { body: msg.body });
  host.tell(6, { body: "garbage" });
  host.tell(7, { kind: "system", body: "a\u202eb" });
  while (guest.lastSeq < 7) await sleep(2);
  assert.deepEqual(await heard(guest), ["hello", "[replayed]", "[unreadable]", "a\\u202eb"]);
});

test("what is said and not confirmed fails when the tunnel ends (CLOSE-3, CLOSE-5)", async (t) => {
  const { guest, host } = await served(t, []);
  const saying = guest.say("hello");
  const listening = guest.inbox.listen(0, 5000, () => guest.live);
  await host.frame("send");
  host.socket.terminate();
  await assert.rejects(saying, /unconfirmed/);
  assert.deepEqual((await listening).messages, []);
  assert.equal(guest.closedBecause, "host_gone");
  await assert.rejects(guest.say("late"), /ended/);
  await assert.rejects(async () => (await served(t, [])).guest.say("x".repeat(C.TEXT_BYTES + 1)), /text_too_long/);
});

test("the cause is what the host told (CLOSE-5)", async (t) => {
  const cases = [
    [(host) => host.socket.close(1000, "closed by host"), "closed_by_host"],
    [(host) => host.socket.close(1000, "idle timeout"), "idle"],
    [(host) => host.socket.close(1001, "transport lost"), "transport_lost"],
    [(host) => host.socket.close(1008, "peer does not read"), "dropped"],
    [(host) => host.socket.close(), "host_gone"],
    [(host) => (host.tell(1, { kind: "system", body: "closed — bye" }), host.socket.close()), "closed_by_host"],
    [(host) => (host.tell(1, { kind: "system", body: "closed — process exit" }), host.socket.close()), "process_exit"],
    [(host) => (host.tell(1, { kind: "system", body: "idle timeout — closing tunnel" }), host.socket.close()), "idle"],
  ];
  for (const [act, cause] of cases) {
    const { guest, host } = await served(t, []);
    act(host);
    await ended(guest, cause);
  }
});

test("a dead host is noticed, and a large frame is not taken (KEEP-1 to KEEP-3, SIZE-3)", async (t) => {
  const silent = await served(t, []);
  silent.wait(C.PING_SECONDS);
  await silent.host.until(({ pings }) => pings === 1);
  await sleep(20);
  silent.host.socket._socket.pause();
  silent.wait(C.SILENCE_SECONDS);
  assert.equal(silent.guest.closedBecause, "host_silent");

  const { guest, host } = await served(t, []);
  host.send("x".repeat(C.HOST_FRAME_BYTES + 1));
  assert.deepEqual(await host.hungUp(), { code: 1009, reason: "frame too big" });
  await ended(guest, "host_too_big");
});

test("a guest leaves with its summary as the last chat (CLOSE-6)", async (t) => {
  const { guest, host, key } = await served(t, []);
  guest.close("thank you");
  assert.equal(open(key, (await host.frame("send")).msg.body), "thank you");
  assert.deepEqual(await host.hungUp(), { code: 1000, reason: "guest left" });
});

test("without TLS only near addresses are dialled, and no redirect is followed (LINK-10, LINK-11)", async (t) => {
  for (const near of ["127.9.9.9", "10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "169.254.1.1", "::1", "fe80::1", "fd00::1"]) assert.ok(isNear(near), near);
  for (const far of ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:db8::1", "::ffff:8.8.8.8", "0.0.0.0"]) assert.ok(!isNear(far), far);
  await assert.rejects(new Guest({ url: "ws://8.8.8.8/t/ab", key: Buffer.alloc(32) }, "Bob").join(), /must be wss/);

  let dialled = 0;
  const away = createServer().on("upgrade", (_, socket) => (dialled++, socket.destroy())).listen(0, "127.0.0.1");
  await once(away, "listening");
  const redirect = createServer().listen(0, "127.0.0.1");
  redirect.on("upgrade", (_, socket) => socket.end(`HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:${away.address().port}/t/ab\r\n\r\n`));
  await once(redirect, "listening");
  t.after(() => (away.close(), redirect.close()));
  const guest = new Guest({ url: `ws://127.0.0.1:${redirect.address().port}/t/ab`, key: Buffer.alloc(32) }, "Bob");
  await assert.rejects(guest.join(), /not_connected/);
  assert.equal(dialled, 0);
});
