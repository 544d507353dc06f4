// Time, and its order: a timer that is due takes effect before any input that is handled later (TIME-1).

import { uptime } from "node:os";

/** @import { Machine } from "./machine.js" */
/** @import { Event, Facts, MachineName } from "./types.js" */

// Node's own clock stands still while a Linux machine sleeps; the uptime does not (TIME-2). Neither follows wall time.
// The two begin together, so whichever is ahead has counted the sleep.
const asleep = process.platform === "linux" ? () => uptime() * 1000 : () => 0;
const origin = { awake: performance.now(), asleep: asleep() };

/** Milliseconds since this process began, sleep included. */
export const now = () => Math.max(performance.now() - origin.awake, asleep() - origin.asleep);

// Nobody wakes a timer of Node when the machine wakes, so none is trusted for longer than this.
const NAP_MS = 1000;

/** The machines of one end, and the one order in which all that happens to them takes effect. */
export class Timeline {
  /**
   * Ours first: of the timers that are due at one moment, the one of the machine that was added first fires first.
   *
   * @type {Machine<any>[]}
   */
  #machines = [];
  /** @type {NodeJS.Timeout | undefined} */
  #nap;
  #busy = false;

  constructor(clock = now) {
    this.clock = clock;
    /** The moment that is being handled. */
    this.moment = clock();
  }

  /** @param {Machine<any>} machine */
  add(machine) {
    this.#machines.push(machine);
  }

  /**
   * Let something happen to a machine. What comes from outside is told within `input`.
   *
   * @template {MachineName} M
   * @template {Event<M>} E
   * @param {Machine<M>} machine
   * @param {E} event
   * @param {Facts<M, E>} facts none are needed by many events; one that is missing is an error of the condition that asks for it
   * @param {any} payload
   */
  tell(machine, event, facts = /** @type {any} */ ({}), payload = {}) {
    machine.handle(event, facts, payload, this.moment);
  }

  /**
   * Take an input from outside: first all timers that are due, each as of its deadline, then the input.
   *
   * @param {() => void} act
   */
  input(act = () => {}) {
    if (this.#busy) return act();
    this.#busy = true;
    try {
      this.#expire(this.clock());
      return act();
    } finally {
      this.#machines = this.#machines.filter((machine) => !machine.final);
      this.#busy = false;
      this.#sleep();
    }
  }

  /** @param {number} moment */
  #expire(moment) {
    for (;;) {
      const due = this.#first();
      if (!due || !due.machine.passed(due.timer, moment)) break;
      this.moment = due.at;
      this.tell(due.machine, due.event);
    }
    this.moment = moment;
  }

  #first() {
    /** @type {{ machine: Machine<any>, timer: string, event: string, at: number } | undefined} */
    let first;
    for (const machine of this.#machines) {
      const next = machine.next();
      if (next && (!first || next.at < first.at)) first = { machine, ...next };
    }
    return first;
  }

  #sleep() {
    clearTimeout(this.#nap);
    const first = this.#first();
    if (!first) return;
    const left = Math.ceil(first.at - this.clock());
    this.#nap = setTimeout(() => this.input(), Math.min(Math.max(left, 1), NAP_MS));
    this.#nap.unref();
  }
}
