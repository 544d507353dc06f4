// Dialling a link: without TLS only where the traffic stays on the machine or in a private network, and nowhere but there.

import { lookup } from "node:dns";
import { BlockList, isIP } from "node:net";
import { OPTIONS, Socket } from "./socket.js";
import { C } from "./tables.js";

/** @import { LookupAllOptions } from "node:dns" */
/** @import { LookupFunction } from "node:net" */
/** @import { ClientOptions } from "ws" */

/** @typedef {[net: string, prefix: number]} Net */

/** Loopback, link-local, private (RFC 1918, RFC 4193) and shared (RFC 6598) addresses (LINK-10). */
const NEAR = new BlockList();
/** @type {Net[]} */
const NETS = [["127.0.0.0", 8], ["169.254.0.0", 16], ["10.0.0.0", 8], ["172.16.0.0", 12], ["192.168.0.0", 16], ["100.64.0.0", 10]];
for (const [net, prefix] of NETS) NEAR.addSubnet(net, prefix, "ipv4");
NEAR.addAddress("::1", "ipv6");
/** @type {Net[]} */
const NETS_6 = [["fe80::", 10], ["fc00::", 7]];
for (const [net, prefix] of NETS_6) NEAR.addSubnet(net, prefix, "ipv6");

/**
 * Whether traffic to this address stays on the machine or in a private network.
 *
 * @param {string} address
 */
export const isNear = (address) => NEAR.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");

/** An address is not dialled; the message says why, and never what it was (LINK-9). */
export class DialError extends Error {}

const TOO_FAR = "A ws link is dialled only on this machine or in a private network; anywhere else the scheme must be wss.";

/**
 * Dial the part of a link before the `#`. The socket tells the rest; a redirect is not followed (LINK-11).
 * Throws when the address is not one to dial.
 *
 * @param {string} url
 */
export function dial(url) {
  const { protocol, hostname } = parseUrl(url);
  /** @type {ClientOptions & typeof OPTIONS & { lookup?: LookupFunction }} */
  const options = { ...OPTIONS, maxPayload: C.HOST_FRAME_BYTES, followRedirects: false };
  if (protocol === "ws:") {
    const address = hostname.replace(/^\[|\]$/g, "");
    if (isIP(address) && !isNear(address)) throw new DialError(TOO_FAR);
    options.lookup = lookupNear;
  }
  return new Socket(url, options);
}

/** @param {string} url */
function parseUrl(url) {
  try {
    return new URL(url);
  } catch {
    throw new DialError("The host of the join link is no address. Copy the whole link once more.");
  }
}

/**
 * As `dns.lookup`; an error when any address of the name is far. What is checked is what is dialled.
 *
 * @param {string} name
 * @param {Omit<LookupAllOptions, "all"> & { all?: boolean }} options
 * @param {(error: Error | null, found?: any, family?: number) => void} answer
 */
function lookupNear(name, options, answer) {
  lookup(name, { ...options, all: true }, (error, found) => {
    if (!error && !found.every(({ address }) => isNear(address))) error = new DialError(TOO_FAR);
    if (error) answer(error);
    else if (options.all) answer(null, found);
    else answer(null, found[0].address, found[0].family);
  });
}
