// The join link: SCHEME://HOST[:PORT]/t/TUNNELID#KEY, checked from end to end before anybody dials (LINK-6 to LINK-8).

import { isIPv6 } from "node:net";
import { decode, encode } from "./crypto.js";
import { C } from "./tables.js";

const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
const ADDRESS = new RegExp(
  `^(?<url>wss?://(?:\\[(?<ipv6>[0-9A-Fa-f:.]+)\\]|${LABEL}(?:\\.${LABEL})*\\.?)(?::(?<port>[0-9]{1,5}))?/t/(?<id>[0-9a-f]+))$`,
);

/** A link cannot be used; the message says why, and never what the link was (LINK-9). */
export class LinkError extends Error {}

/** @param {string} tunnelId */
export const pathOf = (tunnelId) => `/t/${tunnelId}`;

/**
 * The link of a tunnel at this public URL.
 *
 * @param {string} publicUrl
 * @param {string} tunnelId
 * @param {Uint8Array} key
 */
export function mint(publicUrl, tunnelId, key) {
  const base = publicUrl.replace(/^http/, "ws").replace(/\/+$/, "");
  return `${base}${pathOf(tunnelId)}#${encode(key)}`;
}

/** What a link says: `url`, `tunnelId`, `key`. @param {string} text */
export function parse(text) {
  const link = text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  if ([...link].length > C.LINK_CHARS) throw new LinkError("The join link is too long to be one.");
  const [, address, fragment] = /^([^#]*)#(.*)$/s.exec(link) ?? [];
  if (fragment === undefined) throw new LinkError("The join link has no # with the key behind it. Copy the whole link.");
  const found = matchAddress(address);
  if (!found) throw new LinkError("The join link is not of the form wss://HOST/t/TUNNEL-ID#KEY. Copy it once more.");
  if (/^[!-~]*$/.test(fragment) && fragment.includes(".")) {
    throw new LinkError("The join link is of a later wire version. Ask the host for one of wire version 1, or use a later program.");
  }
  const key = decode(fragment);
  if (key?.length !== C.KEY_BYTES) throw new LinkError("The key of the join link is damaged. Copy the link to its last character.");
  return { url: found.url, tunnelId: found.id, key };
}

/** @param {string} address */
function matchAddress(address) {
  // The scheme may be in either case; nothing else may.
  const scheme = /^wss?(?=:)/i.exec(address)?.[0] ?? "";
  const found = ADDRESS.exec(scheme.toLowerCase() + address.slice(scheme.length))?.groups;
  if (!found) return null;
  if (found.ipv6 !== undefined && !isIPv6(found.ipv6)) return null;
  if (found.port !== undefined && !(Number(found.port) >= 1 && Number(found.port) <= 65535)) return null;
  return found;
}
