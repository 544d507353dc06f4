// Every claim of the specification's vectors holds here, word for word, in the shape in which Wycheproof's come.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import * as codec from "../codec.js";
import * as crypto from "../crypto.js";
import { LinkError, mint, parse } from "../link.js";
import * as text from "../text.js";

const folder = new URL("../../../../spec/v1/export/vectors/", import.meta.url);

const bytesOf = (text) => crypto.decode(text);
const dialled = (link) => {
  try {
    return parse(link);
  } catch (error) {
    assert.ok(error instanceof LinkError);
    assert.ok(!link || !error.message.includes(link), "the text of an error holds no link");
    return null;
  }
};

/** For each type of test the answer: null is no. */
const ANSWERS = {
  Base64UrlDecode: (v) => answer(crypto.decode(v.text), (bytes) => ({ bytes: bytes.toString("hex") })),
  ChallengeProve: (v) => ({ response: crypto.prove(bytesOf(v.key), v.challenge) }),
  ChallengeVerify: (v) => (crypto.proves(bytesOf(v.key), v.challenge, v.response) ? {} : null),
  FrameRead(v) {
    const frame = codec.decode(v.text, v.from);
    assert.equal(frame?.fields ? "" : (frame?.name ?? ""), v.as);
    return frame?.fields ? { frame: frame.name } : null;
  },
  FrameWrite(v) {
    const frame = codec.decode(v.text, v.from);
    return frame?.fields ? { text: codec.encode(frame.name, frame.fields) } : null;
  },
  FrameName(v) {
    const name = codec.decode(v.text, "host")?.name ?? null;
    assert.equal(codec.decode(Buffer.from(v.text), "guest")?.name ?? null, name);
    return name === null ? null : { frame: name };
  },
  LaterLinkParse(v) {
    let named = null;
    assert.throws(() => parse(v.link), (error) => ((named = error.message.includes("later wire version")), error instanceof LinkError));
    assert.equal(named, v.named);
    return null;
  },
  LinkGrammar: (v) => answer(dialled(v.link), ({ url }) => ({ url })),
  LinkMint: (v) => ({ link: mint(v.public_url, v.tunnel_id, bytesOf(v.key)) }),
  LinkParse: (v) => answer(dialled(v.link), ({ url, tunnelId, key }) => ({ url, tunnel_id: tunnelId, key: crypto.encode(key) })),
  NameShow: (v) => ({ shown: text.guestName(v.guest, v.host) }),
  SealOpen: (v) => answer(crypto.open(bytesOf(v.key), v.sealed), (text) => ({ text })),
  SealWrite: (v) => ({ sealed: crypto.seal(bytesOf(v.key), v.text, bytesOf(v.nonce)) }),
  TextShow: (v) => ({ shown: text.visible(text.cut(v.text, v.limit)) }),
};

const answer = (found, told) => (found === null || found === undefined ? null : told(found));

for (const file of readdirSync(folder).filter((name) => name.endsWith(".json") && name !== "schema.json")) {
  const { header, notes, testGroups } = JSON.parse(readFileSync(new URL(file, folder), "utf8"));
  test(`${file}: ${header[0]}`, () => {
    for (const { type, tests } of testGroups) {
      assert.ok(ANSWERS[type], `nobody answers ${type}`);
      for (const vector of tests) {
        try {
          check(vector, ANSWERS[type](vector));
        } catch (error) {
          const bugs = vector.flags.map((flag) => `${flag}: ${notes[flag].description}`);
          error.message = [`${vector.comment}: ${error.message}`, ...bugs].join("\n");
          throw error;
        }
      }
    }
  });
}

function check(vector, found) {
  if (vector.result === "invalid") return assert.equal(found, null);
  assert.notEqual(found, null, "a good one is refused");
  // What is to be answered stands in the test, under the same names.
  for (const [field, value] of Object.entries(found)) assert.equal(value, vector[field], field);
}
