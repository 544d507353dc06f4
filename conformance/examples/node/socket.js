// One WebSocket, as both ends use it: what comes in is told as events of the tables, and every close says why (CLOSE-4).

import { WebSocket } from "ws";
import { decode } from "./codec.js";
import { C, CLOSINGS } from "./tables.js";

/** @import { Duplex } from "node:stream" */
/** @import { ClosingId } from "../../../spec/v1/export/tunnel.js" */
/** @import { Role, SocketEvents } from "./types.js" */

/** How long a peer may read the last word and the close before its socket is cut. */
const CUT_MS = C.CLOSE_SECONDS * 1000;

/**
 * What both ends ask of `ws`: no extension (WIRE-9), no wait for a peer that does not answer the close, and no bound of its
 * own on pongs, which would cut a peer that keeps the bound of the tables (SIZE-8).
 */
export const OPTIONS = { perMessageDeflate: false, closeTimeout: CUT_MS, maxPendingAutoPongs: 0 };

// `ws` closes by itself, and without a word, when it reads something that breaks a bound or RFC 6455.
/** @type {Map<number | undefined, string>} */
const REASONS = new Map([CLOSINGS.too_big, CLOSINGS.not_text, CLOSINGS.protocol_error].map(({ code, reason }) => [code, reason]));
/** @type {Map<number | undefined, "oversize" | "not_text">} */
const BROKEN = new Map([
  [CLOSINGS.too_big.code, "oversize"],
  [CLOSINGS.not_text.code, "not_text"],
]);

export class Socket extends WebSocket {
  /** The code of the close frame that this end sent first. @type {number | undefined} */
  closedWith;
  /** @type {SocketEvents<any> | undefined} */
  events;

  /**
   * @override
   * @param {number} [code]
   * @param {string | Buffer} [reason]
   */
  close(code, reason) {
    this.closedWith ??= code;
    super.close(code, reason ?? REASONS.get(code));
  }

  /** @param {ClosingId} closing */
  hangUp(closing) {
    const { code, reason } = CLOSINGS[closing];
    this.close(code, reason);
  }

  /**
   * Send a frame; `overflow` is told when more waits than may (SIZE-9).
   *
   * @param {string} text
   * @param {() => void} [sent]
   */
  transmit(text, sent) {
    if (this.readyState === WebSocket.OPEN) this.send(text, sent);
    this.#measure();
  }

  /**
   * Tell what happens on this socket: `heard()`, `frame(frame)`, `control()`, `oversize()`, `not_text()`, `overflow()`,
   * `lost(code, reason)`. `sender` is the end that speaks on it.
   *
   * @template {Role} S
   * @param {SocketEvents<S>} events
   * @param {S} sender
   * @param {Duplex} [stream]
   */
  tell(events, sender, stream) {
    this.events = events;
    // Before `ws` reads the same bytes: that a peer lives is known before what it says.
    stream?.prependListener("data", () => events.heard());
    this.on("message", (data, isBinary) => {
      const bytes = /** @type {Buffer} */ (data);
      events.frame(decode(isBinary ? bytes : bytes.toString("utf8"), sender));
    });
    for (const name of /** @type {const} */ (["ping", "pong"])) {
      this.on(name, () => {
        events.control();
        this.#measure();
      });
    }
    this.on("error", () => {
      const broken = BROKEN.get(this.closedWith);
      if (broken) events[broken]();
    });
    this.on("close", (code, reason) => events.lost(code, reason.toString("utf8")));
  }

  // Told later, so that the step that sends is over before the step that hangs up begins.
  #measure() {
    if (this.bufferedAmount > C.OUTBOX_BYTES) queueMicrotask(() => this.events?.overflow());
  }
}
