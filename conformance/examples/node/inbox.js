// What an agent of either end can hear: the messages in their order, and who waits for the next (CLOSE-5, CLOSE-7).

/** One answer of a listen holds no more than this; the rest comes with the next. */
const ANSWER_MESSAGES = 500;
const ANSWER_CHARS = 1_000_000;

/** Node takes no longer time for a timer. */
const LONGEST_MS = 2 ** 31 - 1;

/** @import { Message } from "../../../spec/v1/export/tunnel.js" */
/** @import { Shown } from "./types.js" */

export class Inbox {
  /** @type {Shown[]} */
  #messages = [];
  /** @type {Set<() => void>} */
  #waiting = new Set();

  /**
   * A message as it is shown: id, seq, from, kind, text, ts.
   *
   * @param {Message} message
   * @param {string} text
   */
  add({ id, seq, from, kind, ts }, text) {
    this.#messages.push({ id, seq, from, kind, text, ts });
    this.wake();
  }

  /** Answer everybody who waits. */
  wake() {
    for (const answer of [...this.#waiting]) answer();
  }

  /**
   * The messages behind `since`. When there are none, wait for one, while `live()` and for so long.
   *
   * @param {number} since
   * @param {number} timeoutMs
   * @param {() => boolean} live
   */
  async listen(since, timeoutMs, live) {
    if (!this.#behind(since) && timeoutMs > 0 && live()) await this.#news(timeoutMs);
    return this.#answer(since);
  }

  /** @param {number} since */
  #behind(since) {
    const last = this.#messages.at(-1);
    return last !== undefined && last.seq > since;
  }

  /**
   * @param {number} timeoutMs
   * @returns {Promise<void>}
   */
  #news(timeoutMs) {
    return new Promise((resolve) => {
      const answer = () => {
        clearTimeout(timer);
        this.#waiting.delete(answer);
        resolve();
      };
      const timer = setTimeout(answer, Math.min(timeoutMs, LONGEST_MS));
      this.#waiting.add(answer);
    });
  }

  /** @param {number} since */
  #answer(since) {
    const first = this.#messages.findIndex(({ seq }) => seq > since);
    if (first < 0) return { messages: [], cursor: since, more: false };
    let end = first;
    let chars = 0;
    while (end < this.#messages.length && end - first < ANSWER_MESSAGES && chars < ANSWER_CHARS) {
      chars += this.#messages[end].text.length;
      end += 1;
    }
    const messages = this.#messages.slice(first, end);
    return { messages, cursor: messages[messages.length - 1].seq, more: end < this.#messages.length };
  }
}
