// The machines run as the tables say: on long random walks no invariant of theirs breaks, and every row is taken.

import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "../expressions.js";
import { Machine } from "../machine.js";
import { C, MACHINES } from "../tables.js";

const WALKS = 1500;
const STEPS = 25;

/** How things go when they go well: a walk follows this for a while, so that it also comes far. */
const WELL = {
  session: [["reachable"], ["auth", { well_formed: true, proof_ok: true }], ["left"]],
  connection: [["upgraded"], ["admit"]],
  guest: [["connected"], ["challenge"], ["auth_ok", { in_order: true, overfull: false }]],
};

/** Small, seeded, good enough for walks that are the same every time (mulberry32). */
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const milliseconds = Object.fromEntries(Object.entries(C).map(([name, value]) => [name, value * 1000]));

for (const table of Object.values(MACHINES)) {
  const invariants = table.invariants.map(({ id, holds }) => [id, compile(holds)]);
  const noFacts = Object.fromEntries(table.events.flatMap(({ facts = [] }) => facts.map((fact) => [fact, false])));

  const walk = (next, taken) => {
    const counts = {};
    const machine = new Machine(table, Object.fromEntries(table.actions.map(({ name }) => [name, () => {}])), 0);
    let sinceBefore;
    machine.watch = ({ event, facts, row, before, started, now }) => {
      taken.add(row.id);
      for (const [verb] of row.do) counts[verb] = (counts[verb] ?? 0) + 1;
      const verbs = row.do.map(([verb]) => verb);
      const functions = {
        passed: () => assert.fail("an invariant asks for elapsed"),
        elapsed: (timer) => now - (sinceBefore.get(timer) ?? now),
        started: (timer) => started.has(timer),
        running: (timer) => machine.since.has(timer),
        before: (a, b) => verbs.includes(a) && verbs.indexOf(b, verbs.indexOf(a) + 1) > 0,
        count: (verb) => counts[verb] ?? 0,
        did: (...words) => row.do.some((action) => words.every((word, index) => action[index] === word)),
      };
      const names = { ...milliseconds, ...noFacts, ...facts, state: machine.state, old_state: before, event };
      for (const [id, holds] of invariants) {
        assert.ok(holds(names, (name, words) => functions[name](...words)), `${id} after ${row.id} with ${JSON.stringify(facts)}`);
      }
    };
    const handle = (event, facts, now) => {
      sinceBefore = new Map(machine.since);
      machine.handle(event, facts, {}, now);
    };
    // Every row is an entry, so that an event with many rows comes often.
    const inputs = table.events
      .filter(({ source }) => source !== "timer")
      .flatMap((event) => table.transitions.filter(({ on }) => on === event.name).map(() => event));
    const well = WELL[table.machine].slice(0, Math.floor(next() * 8));
    for (const [event, facts = {}] of well) handle(event, facts, 0);
    let now = 0;
    for (let step = 0; step < STEPS; step++) {
      now += [0, 0, 1, 1000, 14_999, 600_000][Math.floor(next() * 6)];
      for (let due = machine.next(); due && machine.passed(due.timer, now); due = machine.next()) handle(due.event, {}, due.at);
      const { name, facts = [] } = inputs[Math.floor(next() * inputs.length)];
      const often = [0.2, 0.5, 0.8][Math.floor(next() * 3)];
      handle(name, Object.fromEntries(facts.map((fact) => [fact, next() < often])), now);
    }
  };

  test(`${table.machine}: invariants hold on every walk`, () => {
    const taken = new Set();
    for (let seed = 0; seed < WALKS; seed++) walk(random(seed), taken);
    // No timer fires in a state in which it does not run: rows for that are for a reader, not for a machine.
    const unreachable = table.transitions.filter(({ on }) => table.events.find(({ name }) => name === on)?.source === "timer");
    const missed = table.transitions.filter((row) => !taken.has(row.id) && !unreachable.includes(row));
    assert.ok(missed.length === 0, `never taken: ${missed.map(({ id }) => id)}`);
  });
}

test("a condition that is not in the language is an error", () => {
  for (const text of ["a +", "(a", "a b", "not", "f(a"]) assert.throws(() => compile(text)({ a: true }, () => true), text);
  assert.throws(() => compile("missing")({}, () => true), ReferenceError);
  assert.equal(compile("not a or b and 2 >= 1")({ a: true, b: true }), true);
  assert.equal(compile("state == open")({ state: "open" }), true);
});
