// Two servers over MCP, as two agents use them: a whole conversation, and an end that leaves nothing behind.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const SERVER = fileURLToPath(new URL("../server.js", import.meta.url));

/** One agent with its server. Whatever is on stdout has to be MCP. */
class Agent {
  #answers = new Map();
  #id = 0;

  constructor(t, env) {
    this.child = spawn(process.execPath, [SERVER], { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "inherit"] });
    this.exited = once(this.child, "exit");
    t.after(() => this.child.kill("SIGKILL"));
    createInterface({ input: this.child.stdout }).on("line", (line) => {
      const message = JSON.parse(line);
      this.#answers.get(message.id)?.(message);
    });
  }

  static async start(t, env = {}) {
    const agent = new Agent(t, { TUNNEL_TRANSPORT: "loopback", ...env });
    await agent.request("initialize", { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "0" } });
    agent.child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
    return agent;
  }

  request(method, params) {
    const id = ++this.#id;
    this.child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    return new Promise((resolve) => this.#answers.set(id, resolve));
  }

  /** The result of a tool; its sentence, when it fails. */
  async call(name, given = {}) {
    const { result, error } = await this.request("tools/call", { name, arguments: given });
    if (error) return error.message;
    if (result.isError) return result.content[0].text;
    assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
    return result.structuredContent;
  }
}

test("two agents talk, and the guest is told the end", async (t) => {
  const host = await Agent.start(t, { TUNNEL_NAME: "Ann" });
  const guest = await Agent.start(t, { TUNNEL_NAME: "Bob" });
  const { role, state, goal, lastSeq } = await host.call("tunnel_status");
  assert.deepEqual([role, state, goal, lastSeq], ["none", "none", "", 0]);
  const opened = await host.call("tunnel_open", { goal: "pair on checkout" });
  assert.deepEqual([opened.status, opened.joinLinkExpiresInSec], ["waiting_for_guest", 600]);
  assert.match(await host.call("tunnel_open", { goal: "another" }), /already open/);
  const joined = await guest.call("tunnel_join", { joinLink: ` ${opened.joinLink}\n` });
  assert.deepEqual(joined, { tunnelId: opened.tunnelId, goal: "pair on checkout", peer: "Ann", state: "connected" });
  assert.equal((await guest.call("tunnel_say", { text: "hello" })).seq, 3);
  assert.equal((await host.call("tunnel_say", { text: "welcome" })).seq, 4);
  const heard = await host.call("tunnel_listen", { sinceSeq: 2 });
  assert.deepEqual(heard.messages.map(({ from, kind, text }) => [from, kind, text]), [["guest", "chat", "hello"], ["host", "chat", "welcome"]]);
  assert.deepEqual([heard.cursor, heard.more, heard.status.peer], [4, false, "Bob"]);
  const listening = guest.call("tunnel_listen", { sinceSeq: 4, timeoutMs: 5000 });
  assert.deepEqual(await host.call("tunnel_close", { summary: "done" }), { ok: true, state: "closed", closedBecause: "closed_by_host" });
  assert.equal((await listening).messages[0].text, "closed — done");
  const end = await guest.call("tunnel_listen", { sinceSeq: 5, timeoutMs: 5000 });
  assert.deepEqual([end.status.state, end.status.closedBecause], ["closed", "closed_by_host"]);
});

test("a process that ends tells its peer, and ends", async (t) => {
  for (const stop of [(child) => child.kill("SIGTERM"), (child) => child.stdin.end()]) {
    const host = await Agent.start(t);
    const guest = await Agent.start(t);
    const { joinLink } = await host.call("tunnel_open", { goal: "g" });
    await guest.call("tunnel_join", { joinLink });
    const began = Date.now();
    stop(host.child);
    assert.deepEqual(await host.exited, [0, null]);
    assert.ok(Date.now() - began < 2000);
    const end = await guest.call("tunnel_listen", { sinceSeq: 3, timeoutMs: 3000 });
    assert.equal(end.status.closedBecause, "process_exit");
    stop(guest.child);
    assert.deepEqual(await guest.exited, [0, null]);
  }
});

test("errors are sentences, and never hold the link (LINK-9)", async (t) => {
  const agent = await Agent.start(t, { TUNNEL_TRANSPORT: "cloudflared" });
  const secret = "AAcOFRwjKjE4P0ZNVFtiaXB3foWMk5qhqK-2vcTL0tk";
  for (const link of [`http://h/t/ab#${secret}`, `ws://8.8.8.8/t/ab#${secret}`, `ws://127.0.0.1:1/t/ab#${secret}`, `ws://999.1.1.1/t/ab#${secret}`, `wss://h/t/ab#${secret}.x`]) {
    const sentence = await agent.call("tunnel_join", { joinLink: link });
    assert.equal(typeof sentence, "string");
    assert.ok(!sentence.includes(secret) && !sentence.includes("/t/ab#A"), sentence);
  }
  assert.match(await agent.call("tunnel_open", { goal: "g" }), /loopback only/);
  assert.match(await agent.call("tunnel_say", {}), /text/);
  assert.match(await agent.call("no_such_tool"), /not found/);
});
