// A machine of the tables, run as it stands there: on an event the first row whose condition holds is taken.

import { compile } from "./expressions.js";
import { C } from "./tables.js";

/** @import { Machines } from "../../../spec/v1/export/tunnel.js" */
/** @import { Actions, Condition, Event, Facts, MachineName, Names, State, Table } from "./types.js" */

/**
 * A table with its groups resolved and its conditions compiled.
 *
 * @typedef {object} Prepared
 * @property {string} name
 * @property {Set<string>} events
 * @property {Set<string>} final
 * @property {Record<string, Set<string>>} groups
 * @property {{ id: string, on: string, from: Set<string>, when: Condition, to: string, do: string[][] }[]} rows
 * @property {Map<string, { duration: number, runsIn: Set<string>, passed: Condition, restartsOn: string[], fires: string | undefined }>} timers
 */

/** @template {MachineName} M */
export class Machine {
  /**
   * @param {Table<M>} table a machine as `session.toml` and the like hold it
   * @param {Actions<M>} actions what to do for every action of the table: `refuse(object, payload)`
   * @param {number} now the moment at which it begins, in milliseconds
   */
  constructor(table, actions, now) {
    this.table = prepare(table);
    this.actions = actions;
    for (const { name } of table.actions) {
      if (typeof actions[name] !== "function") throw new TypeError(`${table.machine}: nobody carries out ${name}`);
    }
    /** @type {State<M>} */
    this.state = table.initial;
    /** Since when every running timer runs. @type {Map<string, number>} */
    this.since = new Map();
    /** Told every step, where somebody watches. @type {((step: Names) => void) | undefined} */
    this.watch = undefined;
    this.#run(this.state, new Set(), now);
  }

  get final() {
    return this.table.final.has(this.state);
  }

  /** @param {Machines[M]["group"]} group */
  in(group) {
    return this.table.groups[group].has(this.state);
  }

  /**
   * Take the row for this event. `facts` are what its condition may ask for; `payload` goes to the actions.
   *
   * @template {Event<M>} E
   * @param {E} event
   * @param {Facts<M, E>} facts
   * @param {any} payload
   * @param {number} now
   */
  handle(event, facts, payload, now) {
    const row = this.#row(event, /** @type {Names} */ (facts), now);
    const verbs = row.do.map(([verb]) => verb);
    const before = this.state;
    // First the state, then the actions: what an action causes finds the machine where the row has put it.
    if (row.to !== "=") this.state = /** @type {State<M>} */ (row.to);
    const started = this.#run(this.state, new Set([event, ...verbs]), now);
    this.watch?.({ event, facts, row, before, started, now });
    const actions = /** @type {Record<string, (object: string | undefined, payload: any) => void>} */ (/** @type {unknown} */ (this.actions));
    for (const [verb, object] of row.do) actions[verb](object, payload);
  }

  /**
   * Whether the timer runs and has passed.
   *
   * @param {string} name
   * @param {number} now
   * @returns {boolean}
   */
  passed(name, now) {
    const since = this.since.get(name);
    const { passed, duration } = this.#timer(name);
    return since !== undefined && passed({ elapsed: now - since, duration }, noCalls);
  }

  /** Of the timers that fire, the one that comes first, or came: its event and its deadline. */
  next() {
    /** @type {{ timer: string, event: string, at: number } | undefined} */
    let first;
    for (const [name, since] of this.since) {
      const { fires, duration } = this.#timer(name);
      if (fires && (!first || since + duration < first.at)) first = { timer: name, event: fires, at: since + duration };
    }
    return first;
  }

  /** @param {string} name */
  #timer(name) {
    const timer = this.table.timers.get(name);
    if (!timer) throw new Error(`${this.table.name}: there is no timer ${name}`);
    return timer;
  }

  /** @type {(event: string, facts: Names, now: number) => Prepared["rows"][number]} */
  #row(event, facts, now) {
    if (!this.table.events.has(event)) throw new Error(`${this.table.name}: there is no event ${event}`);
    const names = { ...facts, state: this.state };
    /** @type {(name: string, words: string[]) => boolean} */
    const call = (_, [timer]) => this.passed(timer, now);
    const rows = this.table.rows.filter((row) => row.from.has(this.state));
    const own = rows.filter((row) => row.on === event);
    const taken = (own.length ? own : rows.filter((row) => row.on === "*")).find((row) => row.when(names, call));
    if (!taken) throw new Error(`${this.table.name}: no row for ${event} in ${this.state}`);
    return taken;
  }

  /**
   * Start, set back and stop timers as the state, and what happened in this step, say.
   *
   * @type {(state: string, happened: Set<string>, now: number) => Set<string>}
   */
  #run(state, happened, now) {
    /** @type {Set<string>} */
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

/** How long a timer has run is all that its condition may ask for. @type {(name: string) => never} */
const noCalls = (name) => {
  throw new Error(`${name} has no meaning in the condition of a timer`);
};

/** @type {WeakMap<Table<any>, Prepared>} */
const prepared = new WeakMap();

/**
 * The table, prepared once for all machines that run it.
 *
 * @param {Table<any>} table
 */
function prepare(table) {
  const found = prepared.get(table) ?? compileTable(table);
  prepared.set(table, found);
  return found;
}

/** @type {(table: Table<any>) => Prepared} */
function compileTable(table) {
  /** @type {string[]} */
  const all = table.states.map(({ name }) => name);
  /** @type {string[]} */
  const final = table.states.filter((state) => state.final).map(({ name }) => name);
  /** @type {Record<string, string[]>} */
  const groups = { ...table.groups, "*": all, live: all.filter((name) => !final.includes(name)) };
  /** @type {(names: string[]) => Set<string>} */
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
