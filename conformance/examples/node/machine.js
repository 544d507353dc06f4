// A machine of the tables, run as it stands there: on an event the first row whose condition holds is taken.

import { compile } from "./expressions.js";
import { C } from "./tables.js";

export class Machine {
  /**
   * @param table a machine as `session.toml` and the like hold it
   * @param actions what to do for every action of the table: `refuse(object, payload)`
   * @param now the moment at which it begins, in milliseconds
   */
  constructor(table, actions, now) {
    this.table = prepare(table);
    this.actions = actions;
    for (const { name } of table.actions) {
      if (typeof actions[name] !== "function") throw new TypeError(`${table.machine}: nobody carries out ${name}`);
    }
    this.state = table.initial;
    /** Since when every running timer runs. */
    this.since = new Map();
    this.#run(this.state, new Set(), now);
  }

  get final() {
    return this.table.final.has(this.state);
  }

  in(group) {
    return this.table.groups[group].has(this.state);
  }

  /** Take the row for this event. `facts` are what its condition may ask for; `payload` goes to the actions. */
  handle(event, facts, payload, now) {
    const row = this.#row(event, facts, now);
    const verbs = row.do.map(([verb]) => verb);
    const before = this.state;
    // First the state, then the actions: what an action causes finds the machine where the row has put it.
    if (row.to !== "=") this.state = row.to;
    const started = this.#run(this.state, new Set([event, ...verbs]), now);
    this.watch?.({ event, facts, row, before, started, now });
    for (const [verb, object] of row.do) this.actions[verb](object, payload);
  }

  /** Whether the timer runs and has passed. */
  passed(name, now) {
    const since = this.since.get(name);
    const { passed, duration } = this.table.timers.get(name);
    return since !== undefined && passed({ elapsed: now - since, duration });
  }

  /** Of the timers that fire, the one that comes first, or came: its event and its deadline. */
  next() {
    let first;
    for (const [name, since] of this.since) {
      const { fires, duration } = this.table.timers.get(name);
      if (fires && (!first || since + duration < first.at)) first = { timer: name, event: fires, at: since + duration };
    }
    return first;
  }

  #row(event, facts, now) {
    if (!this.table.events.has(event)) throw new Error(`${this.table.name}: there is no event ${event}`);
    const names = { ...facts, state: this.state };
    const call = (_, [timer]) => this.passed(timer, now);
    const rows = this.table.rows.filter((row) => row.from.has(this.state));
    const own = rows.filter((row) => row.on === event);
    const taken = (own.length ? own : rows.filter((row) => row.on === "*")).find((row) => row.when(names, call));
    if (!taken) throw new Error(`${this.table.name}: no row for ${event} in ${this.state}`);
    return taken;
  }

  /** Start, set back and stop timers as the state, and what happened in this step, say. */
  #run(state, happened, now) {
    const started = new Set();
    for (const [name, { runsIn, restartsOn }] of this.table.timers) {
      if (!runsIn.has(state)) this.since.delete(name);
      else if (!this.since.has(name) || restartsOn.some((cause) => happened.has(cause))) {
        this.since.set(name, now);
        started.add(name);
      }
    }
    return started;
  }
}

const prepared = new WeakMap();

/** The table with its groups resolved and its conditions compiled, once for all machines that run it. */
function prepare(table) {
  if (!prepared.has(table)) prepared.set(table, compileTable(table));
  return prepared.get(table);
}

function compileTable(table) {
  const all = table.states.map(({ name }) => name);
  const final = table.states.filter((state) => state.final).map(({ name }) => name);
  const groups = { ...table.groups, "*": all, live: all.filter((name) => !final.includes(name)) };
  const states = (names) => new Set(names.flatMap((name) => groups[name] ?? [name]));
  return {
    name: table.machine,
    events: new Set(table.events.map(({ name }) => name)),
    final: new Set(final),
    groups: Object.fromEntries(Object.keys(groups).map((name) => [name, states([name])])),
    rows: table.transitions.map((row) => ({
      id: row.id,
      on: row.on,
      from: states(row.from),
      when: row.when ? compile(row.when) : () => true,
      to: row.to,
      do: (row.do ?? []).map((action) => action.split(" ")),
    })),
    timers: new Map(
      table.timers.map((timer) => [
        timer.name,
        {
          duration: C[timer.duration] * 1000,
          runsIn: states(timer.runs_in),
          passed: compile(timer.passed_when),
          restartsOn: timer.restarts_on ?? [],
          fires: timer.fires,
        },
      ]),
    ),
  };
}
