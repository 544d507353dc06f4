"""The presets that are shipped find the URL in what their programs really write, and nothing else; a wrong table is refused."""

import pytest
from msgspec import ValidationError

from tunnel.transport.presets import PORT, PRESETS, read_presets

OUTPUT = {
    "ngrok": (
        't=2025-06-02T06:17:40+0000 lvl=info msg="no configuration paths supplied"',
        't=2025-06-02T06:17:40+0000 lvl=info msg="starting web service" obj=web addr=127.0.0.1:4040 allow_hosts=[]',
        't=2025-06-02T06:17:41+0000 lvl=info msg="update available" obj=updater url=https://dl.example/ngrok',
        't=2025-06-02T06:17:41+0000 lvl=info msg="started tunnel" obj=tunnels name=command_line addr=http://127.0.0.1:4711 url=https://4d11-198-51-100-7.ngrok-free.app',
    ),
    "ssh": (
        "Welcome to localhost.run!",
        "Follow your favourite reverse tunnel at [https://twitter.com/localhost_run].",
        "To set up and manage custom domains go to https://admin.localhost.run/",
        "** your connection id is 26493725-4c74-4375-94c1-293a63b33a18, please mention it if you send me a message. **",
        "authenticated as anonymous user",
        "8beaa541ba3dc2.lhr.life tunneled with tls termination, https://8beaa541ba3dc2.lhr.life",
    ),
    "tailscale": (
        "Funnel is not enabled on your tailnet. To enable, visit:",
        "https://login.tailscale.com/f/funnel?node=nABCDEF",
        "Available on the internet:",
        "https://laptop.tail1234.ts.net/",
    ),
    "devtunnel": (
        "Hosting port: 4711",
        "Inspect network activity: https://bskw8blx-4711-inspect.inc1.devtunnels.ms",
        "Connect via browser: https://bskw8blx.inc1.devtunnels.ms:4711, https://bskw8blx-4711.inc1.devtunnels.ms",
    ),
}
"""What each program writes; the URL stands in the last line."""

URL = {
    "ngrok": "https://4d11-198-51-100-7.ngrok-free.app",
    "ssh": "https://8beaa541ba3dc2.lhr.life",
    "tailscale": "https://laptop.tail1234.ts.net",
    "devtunnel": "https://bskw8blx-4711.inc1.devtunnels.ms",
}

EVERY = pytest.mark.parametrize("name", list(PRESETS))

GOOD = """
[[preset]]
name = "a"
command = ["b", "{port}"]
needs = "b"
url = "https://c"
seconds = 1
privacy = "d"
install = "e"
notes = "f"
"""


def match(name: str, line: str) -> str | None:
    found = PRESETS[name].url.search(line)
    return found[1] if found else None


def test_these_programs_are_known() -> None:
    assert set(PRESETS) == {"ngrok", "ssh", "tailscale", "devtunnel"}


@EVERY
def test_the_url_is_found_in_its_line_and_in_no_other(name: str) -> None:
    *others, line = OUTPUT[name]

    assert match(name, line) == URL[name]
    assert [match(name, other) for other in others] == [None] * len(others)


@EVERY
def test_a_url_that_is_not_https_is_not_taken(name: str) -> None:
    line = OUTPUT[name][-1]

    assert match(name, line.replace("https://", "http://")) is None


@EVERY
@pytest.mark.parametrize("tail", ["@evil.example", "\\evil", "\u0430", ".evil\u0430", "%2e"])
def test_a_url_that_goes_on_in_another_way_is_not_taken(name: str, tail: str) -> None:
    *_, line = OUTPUT[name]

    assert match(name, line.replace(URL[name], URL[name] + tail).rstrip("/")) is None


def test_dev_tunnels_other_form_is_found() -> None:
    assert match("devtunnel", "Connect via browser: https://7m667npm-8790.usw2.devtunnels.ms") == (
        "https://7m667npm-8790.usw2.devtunnels.ms"
    )


def test_tailscales_other_port_is_found() -> None:
    assert match("tailscale", "https://laptop.tail1234.ts.net:8443/") == "https://laptop.tail1234.ts.net:8443"


@EVERY
def test_a_preset_leads_to_the_port_and_says_what_a_person_needs(name: str) -> None:
    preset = PRESETS[name]

    assert preset.name == name
    assert preset.command[0] == preset.needs
    assert sum(PORT in word for word in preset.command) == 1
    for sentence in (preset.privacy, preset.install, preset.notes):
        assert sentence.endswith(".")
        assert sentence.isprintable()
    assert "TLS" in preset.privacy


def test_ssh_asks_nobody_and_lends_nothing() -> None:
    """A prompt would wait for ever, a shared connection outlive the tunnel, a forwarded agent serve a stranger."""
    command = " ".join(PRESETS["ssh"].command)

    for option in ("BatchMode=yes", "ExitOnForwardFailure=yes", "ControlMaster=no", "ControlPath=none", " -a ", " -x "):
        assert option in command


def test_a_table_of_presets_is_read() -> None:
    preset = read_presets(GOOD)["a"]

    assert preset.command == ("b", "{port}")
    assert preset.url.pattern == "https://c"


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ('name = "a"', 'nane = "a"', "unknown field `nane`"),
        ('notes = "f"', "", "missing required field `notes`"),
        ('"{port}"', '"4711"', "the command of a has no {port}"),
        ('["b", "{port}"]', '"b {port}"', "Expected `array`"),
        ('"https://c"', '"("', "no regular expression"),
        ('"https://c"', "1", "no regular expression"),
        ("seconds = 1", "seconds = 0", "> 0"),
        ("seconds = 1", "seconds = 1000", "<= 120"),
        ('privacy = "d"', 'privacy = ""', "length >= 1"),
        (GOOD, GOOD * 2, "two presets have one name"),
        (GOOD, "[preset]", "Expected `array`"),
    ],
)
def test_a_wrong_table_is_refused(old: str, new: str, finding: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read_presets(GOOD.replace(old, new))

    assert finding in str(caught.value)
