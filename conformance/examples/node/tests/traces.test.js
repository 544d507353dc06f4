// The machines do what the session traces of the specification say, step by step: without a socket, and without a clock.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Machine } from "../machine.js";
import { C, MACHINES } from "../tables.js";

const folder = new URL("../../../../spec/v1/export/traces/", import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8"));

/** A machine that is played on in seconds, and remembers what it did. */
class Played {
  constructor(table) {
    this.done = [];
    const act = (verb) => (object) => this.done.push(object === undefined ? verb : `${verb} ${object}`);
    this.machine = new Machine(table, Object.fromEntries(table.actions.map(({ name }) => [name, act(name)])), 0);
    this.machine.watch = ({ row }) => (this.row = row.id);
    this.durations = Object.fromEntries(table.timers.map(({ name, duration }) => [name, C[duration]]));
  }

  /** The timer that has been due for longest, if any is. */
  due(at) {
    const next = this.machine.next();
    return next && this.machine.passed(next.timer, at * 1000) ? { at: next.at / 1000, timer: next.event } : undefined;
  }

  handle(event, facts, at) {
    this.done = [];
    this.machine.handle(event, facts, {}, at * 1000);
  }

  get deadlines() {
    return Object.fromEntries([...this.machine.since].map(([name, since]) => [name, since / 1000 + this.durations[name]]));
  }
}

/** Play all traces of a file, each life on a fresh machine; how many lines were played. */
function replay(traces, table) {
  let lines = 0;
  for (const { name, steps, ends = [[]] } of traces.traces) {
    for (const [end, last] of ends.entries()) {
      const played = new Played(table);
      let timers = traces.start.timers;
      assert.deepEqual([played.machine.state, played.deadlines], [traces.start.state, timers]);
      for (const [number, line] of [...steps, ...last].entries()) {
        timers = line.timers ?? timers;
        const what = line.row ? `row ${line.row}` : `second ${line.at}`;
        play(played, line, timers, traces.events, `${name}, end ${end + 1}, line ${number + 1}, ${what}`);
        lines += 1;
      }
    }
  }
  return lines;
}

function play(played, { at, event, facts = [], timer, row, state, do: actions = [] }, timers, events, where) {
  assert.deepEqual(played.due(at), timer && { at, timer }, `${where}: another timer is due, or none`);
  if (row) {
    const known = events[event ?? timer];
    played.handle(event ?? timer, Object.fromEntries(known.map((fact) => [fact, facts.includes(fact)])), at);
    assert.equal(played.row, row, `${where}: row ${played.row} is taken`);
    assert.deepEqual(played.done, actions, `${where}: it does ${played.done}`);
  }
  assert.equal(played.machine.state, state, `${where}: the state is ${played.machine.state}`);
  assert.deepEqual(played.deadlines, timers, `${where}: the timers are ${JSON.stringify(played.deadlines)}`);
}

for (const [name, table] of Object.entries(MACHINES)) {
  test(`${name}: every trace is played as it stands there`, (t) => {
    const traces = read(name);
    const began = performance.now();
    const lines = replay(traces, table);
    t.diagnostic(`${lines} lines in ${Math.round(performance.now() - began)} ms`);
    assert.ok(lines > traces.covers.steps);
  });
}

/** A table with one row, or one timer, that is another. */
const changed = (machine, part, key, id, change) => ({
  ...MACHINES[machine],
  [part]: MACHINES[machine][part].map((each) => (each[key] === id ? { ...each, ...change } : each)),
});

for (const [what, machine, table, said] of [
  ["a row that leads elsewhere", "session", changed("session", "transitions", "id", "guest-left", { to: "waiting" }), /row guest-left: the state is waiting/],
  ["a row that does nothing", "guest", changed("guest", "transitions", "id", "say-ended", { do: [] }), /row say-ended: it does $/m],
  ["a boundary", "session", changed("session", "timers", "name", "link", { passed_when: "elapsed >= duration" }), /row auth-\w+: row auth-expired is taken/],
  ["a deadline", "connection", changed("connection", "timers", "name", "silence", { passed_when: "elapsed > duration" }), /row silence: another timer is due, or none/],
  ["a timer that is not set back", "guest", changed("guest", "timers", "name", "silence", { restarts_on: [] }), /row heard: the timers are/],
]) {
  test(`${what} is noticed, and named with its row`, () => {
    assert.throws(() => replay(read(machine), table), said);
  });
}
