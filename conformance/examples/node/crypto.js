// Keys, proofs and seals: HMAC-SHA256 over the challenge's text, and the secretbox of NaCl over every chat.

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import nacl from "tweetnacl";
import { C } from "./tables.js";

export { randomBytes };

/** @param {Uint8Array} bytes */
export const encode = (bytes) => Buffer.from(bytes).toString("base64url");

/**
 * The bytes of a text in base64url, or null: one run of bytes has one spelling (SEAL-4).
 *
 * @param {string} text
 */
export function decode(text) {
  const bytes = Buffer.from(text, "base64url");
  // Node skips what it does not know; what is written back in the same way had nothing to skip.
  return encode(bytes) === text ? bytes : null;
}

/**
 * The answer to a challenge: over its text as it stands, not over the bytes that it spells (AUTH-2).
 *
 * @param {Uint8Array} key
 * @param {string} challenge
 */
export function prove(key, challenge) {
  return createHmac("sha256", key).update(challenge, "utf8").digest("base64url");
}

/**
 * Whether the response is exactly the right text, compared in constant time (AUTH-4).
 *
 * @param {Uint8Array} key
 * @param {string} challenge
 * @param {string} response
 */
export function proves(key, challenge, response) {
  const right = Buffer.from(prove(key, challenge));
  const given = Buffer.from(response);
  return given.length === right.length && timingSafeEqual(given, right);
}

/**
 * A text, sealed: base64url of nonce, tag and ciphertext (SEAL-1).
 *
 * @param {Uint8Array} key
 * @param {string} text
 * @param {Uint8Array} nonce
 */
export function seal(key, text, nonce = randomBytes(C.SEAL_NONCE_BYTES)) {
  return encode(Buffer.concat([nonce, nacl.secretbox(Buffer.from(text, "utf8"), nonce, key)]));
}

/**
 * The text of a body, or null. What is sealed and not UTF-8 is shown with U+FFFD in it.
 *
 * @param {Uint8Array} key
 * @param {string} body
 */
export function open(key, body) {
  const bytes = decode(body);
  if (!bytes || bytes.length < C.SEAL_NONCE_BYTES + C.SEAL_TAG_BYTES) return null;
  const nonce = bytes.subarray(0, C.SEAL_NONCE_BYTES);
  const plain = nacl.secretbox.open(bytes.subarray(C.SEAL_NONCE_BYTES), nonce, key);
  return plain && new TextDecoder("utf-8", { ignoreBOM: true }).decode(plain);
}

/** The seals of one session, in both directions: what comes a second time is not shown as new (SEAL-3). */
export class Seals {
  #key;
  /** @type {Set<string>} */
  #seen = new Set();

  /** @param {Uint8Array} key */
  constructor(key) {
    this.#key = key;
  }

  /** @param {string} text */
  write(text) {
    const body = seal(this.#key, text);
    this.#seen.add(nonceOf(body));
    return body;
  }

  /** What an agent is shown for this body. @param {string} body */
  read(body) {
    const nonce = nonceOf(body);
    if (this.#seen.has(nonce)) return "[replayed]";
    this.#seen.add(nonce);
    return open(this.#key, body) ?? "[unreadable]";
  }
}

// Three bytes are four characters, so the nonce is the first characters of the one spelling that a body has.
/** @param {string} body */
const nonceOf = (body) => body.slice(0, (C.SEAL_NONCE_BYTES / 3) * 4);
