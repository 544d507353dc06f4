// Every claim of spec/v1/vectors holds here, word for word.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import * as codec from "../codec.js";
import * as crypto from "../crypto.js";
import { LinkError, mint, parse } from "../link.js";
import * as text from "../text.js";

const folder = new URL("../../../../spec/v1/vectors/", import.meta.url);

const bytesOf = (text) => crypto.decode(text);
const stricter = ({ verdict }) => verdict === "stricter";
const dialled = (link) => {
  try {
    return parse(link);
  } catch (error) {
    assert.ok(error instanceof LinkError);
    assert.ok(!link || !error.message.includes(link), "the text of an error holds no link");
    return null;
  }
};

const CLAIMS = {
  base64url: (v) => assert.equal(crypto.decode(v.text)?.toString("hex") ?? null, v.bytes),
  challenge: (v) => assert.equal(crypto.prove(bytesOf(v.key), v.challenge), v.response),
  challenge_rejected: (v) => assert.ok(!crypto.proves(bytesOf(v.key), v.challenge, v.response)),
  seal: (v) => assert.equal(crypto.seal(bytesOf(v.key), v.text, bytesOf(v.nonce)), v.sealed),
  open: (v) => assert.equal(crypto.open(bytesOf(v.key), v.sealed), stricter(v) ? null : v.released),
  shown: (v) => assert.equal(text.visible(text.cut(v.text, v.limit)), v.shown),
  names: (v) => assert.equal(text.guestName(v.guest, v.host), v.shown),
  mint: (v) => assert.equal(mint(v.public_url, v.tunnel_id, bytesOf(v.key)), v.ours ?? v.released),
  links_own: (v) => assert.equal(dialled(v.link)?.url ?? null, v.url),
  links(v) {
    const found = dialled(v.link);
    if (v.released === null || stricter(v)) return assert.equal(found, null);
    assert.deepEqual([found.tunnelId, crypto.encode(found.key)], [v.released.tunnel_id, v.released.key]);
    assert.equal(found.url, v.released.url.trim());
  },
  links_later(v) {
    let named = null;
    assert.throws(() => parse(v.link), (error) => ((named = error.message.includes("later wire version")), error instanceof LinkError));
    assert.equal(named, v.named);
  },
  decode(v) {
    const name = v.released === null || stricter(v) ? null : JSON.parse(v.released).t;
    assert.equal(codec.decode(v.text, "host")?.name ?? null, name);
    assert.equal(codec.decode(Buffer.from(v.text), "guest")?.name ?? null, name);
  },
  encode(v) {
    const frame = codec.decode(v.text, v.from);
    if (stricter(v)) return assert.equal(frame.fields, null);
    assert.equal(codec.encode(frame.name, frame.fields), v.text);
  },
  frames(v) {
    const frame = codec.decode(v.text, v.from);
    assert.equal(frame?.fields ? frame.name : null, v.read);
    if (v.read === null) assert.equal(frame?.name ?? "", v.as);
  },
};

for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
  const { claim, vectors } = JSON.parse(readFileSync(new URL(file, folder), "utf8"));
  test(`${file}: ${claim}`, () => {
    const check = CLAIMS[file.replace(".json", "")];
    assert.ok(check, "nobody checks this file");
    for (const vector of vectors) {
      try {
        check(vector);
      } catch (error) {
        error.message = `${vector.name}: ${error.message}`;
        throw error;
      }
    }
  });
}
