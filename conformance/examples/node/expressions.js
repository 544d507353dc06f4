// The conditions of the tables, compiled once into functions.
//
//     not, and, or, ==, !=, <=, >=, <, >   over names, whole numbers and calls such as passed(link)
//
// A name is a fact. To the right of `state`, `old_state` or `event` it is a word to compare with.

/** @import { Call, Condition, Names } from "./types.js" */

const TOKEN = /\s*(?:([A-Za-z_]\w*)|(\d+)|(==|!=|<=|>=|[<>(),]))/y;
const SPECIAL = new Set(["state", "old_state", "event"]);
/** @type {Record<string, (a: any, b: any) => boolean>} */
const COMPARE = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<=": (a, b) => a <= b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  ">": (a, b) => a > b,
};

/**
 * A condition as a function `(names, call) => value`: `names` are the facts, `call(name, words)` is worth what a call is worth.
 * A fact that is missing is an error, never false.
 *
 * @type {(text: string) => Condition}
 */
export function compile(text) {
  const tokens = tokenize(text);
  let at = 0;
  /** @type {(token: string) => boolean} */
  const take = (token) => tokens[at] === token && ++at > 0;
  /** @type {(token: string) => void} */
  const expect = (token) => {
    if (!take(token)) throw new SyntaxError(`${text}: ${token} expected, found ${tokens[at]}`);
  };

  /** @returns {Condition} */
  function any() {
    const parts = [all()];
    while (take("or")) parts.push(all());
    return parts.length === 1 ? parts[0] : (names, call) => parts.some((part) => part(names, call));
  }
  /** @returns {Condition} */
  function all() {
    const parts = [negated()];
    while (take("and")) parts.push(negated());
    return parts.length === 1 ? parts[0] : (names, call) => parts.every((part) => part(names, call));
  }
  /** @returns {Condition} */
  function negated() {
    if (!take("not")) return comparison();
    const inner = negated();
    return (names, call) => !inner(names, call);
  }
  /** @returns {Condition} */
  function comparison() {
    const special = SPECIAL.has(tokens[at]);
    const left = atom();
    const compare = COMPARE[tokens[at]];
    if (!compare) return left;
    at += 1;
    const right = special && !SPECIAL.has(tokens[at]) ? word() : atom();
    return (names, call) => compare(left(names, call), right(names, call));
  }
  /** @returns {Condition} */
  function word() {
    const name = tokens[at++];
    return () => name;
  }
  /** @returns {Condition} */
  function atom() {
    if (take("(")) {
      const inner = any();
      expect(")");
      return inner;
    }
    const token = tokens[at++];
    if (/^\d/.test(token)) return () => Number(token);
    if (!/^\w/.test(token ?? "")) throw new SyntaxError(`${text}: a name expected, found ${token}`);
    if (!take("(")) return (names) => fact(names, token, text);
    const words = [tokens[at++]];
    while (take(",")) words.push(tokens[at++]);
    expect(")");
    return (_, call) => call(token, words);
  }

  const compiled = any();
  if (at !== tokens.length) throw new SyntaxError(`${text}: nothing may follow, found ${tokens[at]}`);
  return compiled;
}

/** @type {(names: Names, name: string, text: string) => any} */
function fact(names, name, text) {
  if (!Object.hasOwn(names, name)) throw new ReferenceError(`${text}: the fact ${name} is missing`);
  return names[name];
}

/** @type {(text: string) => string[]} */
function tokenize(text) {
  /** @type {string[]} */
  const tokens = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const found = TOKEN.exec(text);
    if (!found) throw new SyntaxError(`cannot be read: ${text}`);
    tokens.push(found[1] ?? found[2] ?? found[3]);
  }
  return tokens;
}
