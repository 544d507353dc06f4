// What AsyncAPI's own parser says about documents: a list of them as JSON on stdin, and as many answers on stdout.

import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const parser = new Parser();

/** What the parser found, and what it read: nothing where it refuses the document. */
async function parsed(given) {
  const { document, diagnostics } = await parser.parse(JSON.stringify(given));
  const found = diagnostics.map(({ severity, code, message, path }) => ({ severity, code, message, path: path.join(".") }));
  const operations = document?.operations().all() ?? [];
  const read = operations.map((operation) => ({
    action: operation.action(),
    address: operation.channels().all().map((channel) => channel.address()),
    messages: operation.messages().all().map((message) => message.name()),
  }));
  return { found, version: document?.version() ?? null, read };
}

const answers = [];
for (const given of JSON.parse(readFileSync(0, "utf8"))) answers.push(await parsed(given));
process.stdout.write(JSON.stringify(answers));
