"""The environment is input from outside too: whatever it holds, the server starts."""

import os
from pathlib import Path

import pytest

from tunnel.app.settings import SHOWN_BYTES, VALUE_CHARS, BadSettingsError, Settings, read_settings
from tunnel.io.internet import DOH_SERVERS


def test_without_the_variable_the_default_transport_is_meant() -> None:
    assert read_settings({}).transport == ""


def test_a_name_is_taken_as_it_stands() -> None:
    assert read_settings({"TUNNEL_TRANSPORT": "loopback"}).transport == "loopback"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("loop\nback", "loop\\nback"),
        ("\u202eloopback", "\\u202eloopback"),
        ("loopback\ufe0f", "loopback\\ufe0f"),
    ],
    ids=["a line break", "a change of direction", "an invisible mark"],
)
def test_a_hostile_value_becomes_visible_and_is_no_name_any_more(value: str, shown: str) -> None:
    assert read_settings({"TUNNEL_TRANSPORT": value}).transport == shown


def test_bytes_that_are_no_text_become_one() -> None:
    shown = read_settings({"TUNNEL_TRANSPORT": os.fsdecode(b"loop\xff\xed\xa0\x80")}).transport

    assert shown.startswith("loop")
    assert shown.encode("utf-8").decode("utf-8").isprintable()


def test_a_long_value_is_cut() -> None:
    assert len(read_settings({"TUNNEL_TRANSPORT": "x" * VALUE_CHARS}).transport.encode()) == SHOWN_BYTES


@pytest.mark.parametrize(
    "name",
    [
        "TUNNEL_BUDGET",
        "TUNNEL_TRANSPORT",
        "TUNNEL_NAME",
        "TUNNEL_COMMAND",
        "TUNNEL_URL",
        "TUNNEL_PORT",
        "TUNNEL_DOH",
        "TUNNEL_CA_FILE",
        "HOME",
    ],
)
def test_a_huge_value_is_left_out_and_said(name: str) -> None:
    settings = read_settings({name: "x" * 1_000_000})

    assert settings.problems[0] == f"{name} has 1000000 characters; at most 4096 are allowed. It is left out."
    assert len(repr(settings)) < 1000


@pytest.mark.parametrize("value", ["", "0", "false", "NO", " off "])
def test_a_switch_is_off(value: str) -> None:
    settings = read_settings(
        {"TUNNEL_DOH": value, "TUNNEL_SESSION_LOG": value, "TUNNEL_SKIP_REACHABILITY_CHECK": value}
    )

    assert (settings.doh_servers, settings.keeps_log, settings.checks_reachability) == ((), False, True)
    assert settings.problems == ()


@pytest.mark.parametrize("value", ["1", "true", "Yes", " on"])
def test_a_switch_is_on(value: str) -> None:
    settings = read_settings(
        {"TUNNEL_DOH": value, "TUNNEL_SESSION_LOG": value, "TUNNEL_SKIP_REACHABILITY_CHECK": value}
    )

    assert (settings.doh_servers, settings.keeps_log, settings.checks_reachability) == (DOH_SERVERS, True, False)
    assert settings.problems == ()


def test_without_the_switches_dns_over_https_and_the_check_are_on_and_the_log_is_off() -> None:
    settings = read_settings({})

    assert (settings.doh_servers, settings.keeps_log, settings.checks_reachability) == (DOH_SERVERS, False, True)


@pytest.mark.parametrize(("value", "budget"), [("", 40), (" 3 ", 3), ("0", 0), ("1000000", 1_000_000)])
def test_a_budget_is_a_number_of_messages(value: str, budget: int) -> None:
    settings = read_settings({"TUNNEL_BUDGET": value})

    assert (settings.budget, settings.problems) == (budget, ())


@pytest.mark.parametrize(("value", "shows"), [("", False), ("0", False), ("1", True)])
def test_a_window_is_there_from_the_start_if_it_is_wanted(value: str, *, shows: bool) -> None:
    assert read_settings({"TUNNEL_WATCH": value}).shows_window is shows


@pytest.mark.parametrize(
    ("variables", "skills", "installs"),
    [
        ({}, None, True),
        ({"TUNNEL_SKILLS_DIR": "/my/skills"}, Path("/my/skills"), True),
        ({"TUNNEL_SKIP_SKILL_INSTALL": "1"}, None, False),
    ],
)
def test_a_skill_is_added_unless_it_is_not_wanted(
    variables: dict[str, str], skills: Path | None, *, installs: bool
) -> None:
    settings = read_settings(variables)

    assert (settings.skills, settings.installs_skill) == (skills, installs)


def test_resolvers_of_ones_own_are_taken() -> None:
    servers = ("https://10.0.0.1/dns-query", "https://[::1]:8443/q")

    assert read_settings({"TUNNEL_DOH": " ".join(servers)}).doh_servers == servers


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("TUNNEL_DOH", "http://1.1.1.1/", "https:// URLs"),
        ("TUNNEL_DOH", "https://1.1.1.1/ https://[", "https:// URLs"),
        ("TUNNEL_PORT", "0", "from 1 to 65535"),
        ("TUNNEL_PORT", "65536", "from 1 to 65535"),
        ("TUNNEL_PORT", "-1", "from 1 to 65535"),
        ("TUNNEL_PORT", "\u0663", "from 1 to 65535"),
        ("TUNNEL_PORT", "\u00b2", "from 1 to 65535"),
        ("TUNNEL_SESSION_LOG", "perhaps", "1 for on, or 0 for off"),
        ("TUNNEL_CA_FILE", "ca.pem", "an absolute path"),
        ("TUNNEL_SKILLS_DIR", "skills", "an absolute path"),
        ("TUNNEL_SKIP_SKILL_INSTALL", "perhaps", "1 for on, or 0 for off"),
        ("HOME", "/home\0", "an absolute path"),
        ("TUNNEL_BUDGET", "-1", "up to 1000000, or 0 for any number. A join takes it as 40."),
        ("TUNNEL_BUDGET", "many", "up to 1000000"),
        ("TUNNEL_BUDGET", "1000001", "up to 1000000"),
        ("TUNNEL_BUDGET", "\u0663", "up to 1000000"),
        ("TUNNEL_WATCH", "perhaps", "1 for on, or 0 for off"),
    ],
)
def test_a_wrong_value_is_said_with_what_is_allowed(name: str, value: str, allowed: str) -> None:
    problems = read_settings({name: value}).problems

    assert len(problems) == 1
    assert problems[0].startswith(f"{name} is ")
    assert allowed in problems[0]


@pytest.mark.parametrize("name", ["TUNNEL_BUDGET", "TUNNEL_DOH", "TUNNEL_WATCH"])
def test_an_open_that_fails_does_not_say_what_it_would_do_with_a_wrong_value(name: str) -> None:
    with pytest.raises(BadSettingsError) as caught:
        read_settings({name: "x"}).check()

    assert "It is taken as" not in str(caught.value)
    assert ". A join takes it as " in str(caught.value)


def test_a_name_is_kept_as_it_stands() -> None:
    assert read_settings({"TUNNEL_NAME": " A. N. Other "}).name == "A. N. Other"


def test_a_hostile_value_is_shown_visible_and_cut() -> None:
    problem = read_settings({"TUNNEL_PORT": "\u202e\x1b[2J" + "9" * 1000}).problems[0]

    assert problem.isprintable()
    assert len(problem) < 200


def test_what_is_wrong_stops_an_open_with_every_sentence_and_the_next_step() -> None:
    settings = read_settings({"TUNNEL_PORT": "0", "TUNNEL_CA_FILE": "ca.pem"})

    with pytest.raises(BadSettingsError) as caught:
        settings.check()

    said = str(caught.value)
    assert [said.count(problem) for problem in settings.problems] == [1, 1]
    assert said.endswith(" Mend the environment of this server and restart it; until then only joining works.")


def test_what_is_right_stops_nothing() -> None:
    read_settings({"TUNNEL_PORT": "8000"}).check()


def test_a_misspelt_variable_is_said_and_stops_nothing() -> None:
    settings = read_settings({"TUNNEL_BUDGETT": "3"})
    settings.check()

    assert (settings.budget, settings.problems) == (40, ())
    assert "Did you mean TUNNEL_BUDGET?" in settings.warnings[0]


def test_a_transport_and_a_guest_are_told_what_the_environment_says() -> None:
    told: list[str] = []
    values = {
        "TUNNEL_COMMAND": "carry {port}",
        "TUNNEL_URL": "http://10.0.0.1:8000",
        "TUNNEL_PORT": "8000",
        "TUNNEL_DOH": "https://10.0.0.1/q",
        "TUNNEL_CA_FILE": "/etc/ca.pem",
        "TUNNEL_SKIP_REACHABILITY_CHECK": "1",
        "HOME": "/home/alice",
    }
    settings = read_settings(values)
    setup, way = settings.setup({"PATH": "/bin"}, told.append), settings.way()
    setup.report("half way")

    assert (setup.command, setup.url, setup.port) == ("carry {port}", "http://10.0.0.1:8000", 8000)
    assert setup.doh_servers == way.doh_servers == ("https://10.0.0.1/q",)
    assert setup.ca_file == way.ca_file == Path("/etc/ca.pem")
    assert (setup.checks_reachability, setup.home, setup.environment) == (False, Path("/home/alice"), {"PATH": "/bin"})
    assert told == ["half way"]


def test_what_the_environment_leaves_open_is_as_everywhere() -> None:
    assert read_settings({}) == Settings()


@pytest.mark.parametrize(("value", "seconds"), [("", None), ("1", 1.0), (" 20 ", 20.0), ("86400", 86_400.0)])
def test_how_long_a_listen_waits_can_be_set(value: str, seconds: float | None) -> None:
    settings = read_settings({"TUNNEL_LISTEN_SECONDS": value})

    assert settings.listen_seconds == seconds
    assert settings.problems == ()


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "86401", "forever", "\u0661", "9" * 4000])
def test_a_wait_that_is_none_is_said_and_left_out(value: str) -> None:
    settings = read_settings({"TUNNEL_LISTEN_SECONDS": value})

    assert settings.listen_seconds is None
    assert "it is a number of seconds from 1 to 86400. It is left out." in settings.problems[0]
