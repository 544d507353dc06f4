// Shows what the server tells, as text and never as markup, and presses its buttons with a token that stays in memory.
"use strict";

const KEPT = 2000; // so many lines stay on the page
const LONG = 2000; // a longer text scrolls by itself
const STATES = {
  none: ["No tunnel yet", ""],
  opening: ["Opening", "warn"],
  joining: ["Joining", "warn"],
  waiting_for_guest: ["Waiting for the guest", "warn"],
  connected: ["Connected", "good"],
  peer_left: ["The guest has left", "warn"],
  closed: ["Closed", "bad"],
};
const OPEN = new Set(["opening", "joining", "waiting_for_guest", "connected", "peer_left"]);

const at = (id) => document.getElementById(id);
let view = null; // what the server said last
let heardAt = 0; // when, on this page's clock
let token = "";
let follows = true; // whether the newest line is to stay in sight

// --- Showing

function show(next) {
  if (next.fresh) {
    at("lines").replaceChildren();
  }
  view = next;
  heardAt = performance.now();
  const [words, tone] = STATES[next.state] ?? [next.state, ""];
  put("state", next.paused && OPEN.has(next.state) ? `${words}, your agent is paused` : words);
  at("state").dataset.tone = next.paused && OPEN.has(next.state) ? "warn" : tone;
  document.title = `${words}: Tunnel`;
  put("goal", next.goal ? `Goal: ${next.goal_by ? quoted(next.goal) : next.goal}` : "Your agent has not opened or joined a tunnel yet.");
  by("goal", next.goal && next.goal_by);
  put("me", next.role === "none" ? next.me : `${next.me} (${next.role})`);
  put("peer", peer(next));
  by("peer", next.peer && next.peer_by);
  shown("end", next.ended !== "");
  put("ended", next.ended);
  shown("detail", next.detail !== "");
  put("detail", next.detail_by ? quoted(next.detail) : next.detail);
  by("detail", next.detail && next.detail_by);
  put("refused", String(next.refused));
  shown("refused-fact", next.refused > 0);
  put("budget", next.limit ? `${next.said} of ${next.limit} messages` : `${next.said} messages (no limit)`);
  shown("budget-bar", next.limit > 0);
  at("budget-bar").max = Math.max(1, next.limit);
  at("budget-bar").value = next.said;
  add(next.lines, next.fresh);
  if (next.fresh) {
    shown("skipped", next.skipped > 0);
    put("skipped", `${next.skipped} earlier messages are not shown.`);
  }
  shown("empty", at("lines").childElementCount === 0);
  put("pause", next.paused ? "Let my agent go on" : "Pause my agent");
  put("allow", next.limit ? `Allow ${next.limit} more` : "Allow more");
  at("allow").disabled = next.limit === 0;
  at("close").disabled = !OPEN.has(next.state);
  if (!OPEN.has(next.state)) {
    ask(false);
  }
  tick();
  reach();
  settle();
}

// What is too long to be shown whole can be scrolled with the keyboard, too.
function reach() {
  for (const id of ["goal", "detail", "me", "peer"]) {
    if (at(id).scrollHeight > at(id).clientHeight) {
      at(id).setAttribute("tabindex", "0");
    } else {
      at(id).removeAttribute("tabindex");
    }
  }
}

function by(id, who) {
  shown(`${id}-by`, Boolean(who));
  put(`${id}-by`, who ? `(${who})` : "");
}

function quoted(text) {
  return `"${text.replaceAll('"', "'")}"`;
}

function peer(next) {
  if (next.peer) {
    return `${quoted(next.peer)} (${next.state === "connected" ? "here" : "not here"})`;
  }
  return next.state === "waiting_for_guest" ? "nobody yet" : "nobody";
}

function add(lines, fresh) {
  const log = at("log");
  const list = at("lines");
  follows ||= fresh;
  log.setAttribute("aria-busy", String(fresh)); // what was there before is not read out
  list.append(...lines.map(item));
  while (list.childElementCount > KEPT) {
    list.firstElementChild.remove();
  }
  if (follows) {
    newest();
  } else if (lines.length > 0) {
    shown("newest", true);
  }
  requestAnimationFrame(() => log.setAttribute("aria-busy", "false"));
}

function item(line) {
  const names = {
    me: `Your agent (${view.me})`,
    peer: "Other agent, ",
    broken: "Unreadable or replayed: nobody's word",
    system: "Notice of your side",
    notice: "Notice of the host's side, not authenticated",
    refused: "Refused",
  };
  const from = element("span", "from");
  const when = new Date(line.unix_ms);
  const time = element("time", "when", Number.isNaN(when.getTime()) ? "" : when.toLocaleTimeString());
  const who = element("span", "who", names[line.who] ?? line.who);
  if (line.who === "peer") {
    who.append(element("bdi", "name", quoted(view.peer)));
  }
  from.append(who, time);
  const text = element("div", "text");
  text.dir = "auto";
  // What the server has set apart reads the same in a text of any direction.
  for (const [kind, piece] of line.pieces) {
    text.append(kind === "text" ? piece : element("bdi", kind, piece));
  }
  if (text.textContent.length > LONG) {
    text.classList.add("long");
    text.tabIndex = 0;
    text.setAttribute("role", "group");
    text.setAttribute("aria-label", `Long text, ${who.textContent}`);
  }
  const entry = element("li", "");
  entry.dataset.who = line.who;
  entry.append(from, text);
  return entry;
}

function element(name, kind, text = "") {
  const made = document.createElement(name);
  made.className = kind;
  made.textContent = text;
  return made;
}

function put(id, text) {
  // What has not changed is not read out again.
  if (at(id).textContent !== text) {
    at(id).textContent = text;
  }
}

function shown(id, is) {
  at(id).hidden = !is;
}

function newest() {
  follows = true;
  at("log").scrollTop = at("log").scrollHeight;
  shown("newest", false);
  settle();
}

function tick() {
  if (view === null) {
    return;
  }
  const gone = Math.floor((performance.now() - heardAt) / 1000);
  for (const [id, left] of [["link", view.link_left], ["idle", view.idle_left]]) {
    shown(`${id}-fact`, left !== null);
    put(id, left === null ? "" : duration(Math.max(0, left - gone)));
  }
}

function duration(seconds) {
  if (seconds === 0) {
    return "over";
  }
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${String(seconds % 60).padStart(2, "0")} min`;
}

// --- Stepping in

async function press(button, secret = token) {
  try {
    const answer = await fetch(button, {
      method: "POST",
      headers: { "content-type": "application/json", "tunnel-token": secret },
      body: JSON.stringify({ round: view === null ? 0 : view.round }),
      credentials: "omit",
    });
    if (answer.status === 401) {
      lock();
    }
    return [answer.ok, await answer.text()];
  } catch {
    return [false, "The server did not answer."];
  }
}

async function step(button, done) {
  const [ok, text] = await press(button);
  put("answer", ok ? done : text);
}

function lock() {
  token = "";
  shown("unlock", true);
  ask(false);
  at("token").focus();
}

function ask(is) {
  const had = at("sure").contains(document.activeElement);
  shown("sure", is);
  shown("buttons", !is && token !== "");
  if (is) {
    at("no").focus();
  } else if (had) {
    at("close").focus();
  }
  settle();
}

// Where the focus was may be gone: then it is not lost.
function settle() {
  const on = document.activeElement;
  if (on?.disabled || on?.closest("[hidden]")) {
    at("log").focus();
  }
}

at("unlock").addEventListener("submit", async (event) => {
  event.preventDefault();
  const typed = at("token").value.replace(/[^\x21-\x7e]/g, "");
  at("token").value = "";
  const [ok, text] = await press("check", typed);
  put("answer", ok ? "Unlocked, until this page is closed." : text);
  if (ok) {
    token = typed;
    shown("unlock", false);
    shown("buttons", true);
    at("pause").focus();
  }
});
at("pause").addEventListener("click", () =>
  view.paused ? step("resume", "Your agent may go on.") : step("pause", "Your agent is paused: it can listen, and says nothing."),
);
at("allow").addEventListener("click", () => step("allow", `Your agent may say ${view.limit} more messages.`));
at("close").addEventListener("click", () => ask(true));
at("no").addEventListener("click", () => ask(false));
at("yes").addEventListener("click", () => {
  ask(false);
  step("close", "The tunnel is closed. Both agents are told.");
});
at("newest").addEventListener("click", newest);
at("log").addEventListener("scroll", () => {
  const log = at("log");
  follows = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  if (follows) {
    shown("newest", false);
  }
});
// What stands around the log grows and shrinks.
new ResizeObserver(() => follows && newest()).observe(at("log"));
addEventListener("resize", reach);

// --- Hearing

const events = new EventSource("events");
events.addEventListener("message", (event) => {
  shown("lost", false);
  show(JSON.parse(event.data));
});
events.addEventListener("error", () => {
  shown("lost", true);
  put("lost", "The server does not answer. Its agent may have been closed; then nothing of the tunnel is left. Trying again.");
});
setInterval(tick, 1000);
