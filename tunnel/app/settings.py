"""What this program reads from its environment, and the numbers that are its own and not the protocol's."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from tunnel.app.misspelt import misspelt
from tunnel.core.text import visible
from tunnel.errors import TheirFault
from tunnel.io.internet import DOH_SERVERS
from tunnel.io.way import Way
from tunnel.transport.setup import Setup

MILLISECONDS_PER_SECOND: Final = 1000

LISTEN_SECONDS: Final = 45.0
"""How long a listen waits when it is not told: below the shortest limit of a tool call that is common among clients."""

LONGEST_LISTEN_SECONDS: Final = 24 * 3600.0
"""A listen never waits longer, whatever number it is given."""

SAY_SECONDS: Final = 60.0
"""How long a say waits for the host's echo, where its client lets it."""

ANSWER_MESSAGES: Final = 500
"""How many messages one answer holds."""

ANSWER_BYTES: Final = 100_000
"""How many bytes of messages one answer holds, as JSON; a single longer message comes in parts."""

SHOWN_BYTES: Final = 40
"""So much of a wrong value is shown."""

VALUE_CHARS: Final = 4096
"""No variable of ours needs to be longer."""

LARGEST_PORT: Final = 65_535

BUDGET: Final = 40
"""How many messages an agent says before its person is asked."""

LARGEST_BUDGET: Final = 1_000_000

_OFF: Final = frozenset({"", "0", "false", "no", "off"})
_ON: Final = frozenset({"1", "true", "yes", "on"})

_MEND: Final = "Mend the environment of this server and restart it; until then only joining works."


class BadSettingsError(TheirFault):
    """The environment of this server is wrong; the text says what, what is allowed, and what to do."""


class Settings(Struct, frozen=True, kw_only=True):
    """The environment, read once at the start."""

    transport: str = ""
    """TUNNEL_TRANSPORT: the transport's name; empty for the default."""
    name: str = ""
    """TUNNEL_NAME: by which the peer knows this side, as it stands; empty for git's user name or the system's."""
    command: str = ""
    """TUNNEL_COMMAND: what the transport `command` runs."""
    url: str = ""
    """TUNNEL_URL: where the transport `direct` is reached from outside."""
    port: int = 0
    """TUNNEL_PORT: the local port behind that URL; 0 lets the system choose."""
    doh_servers: tuple[str, ...] = DOH_SERVERS
    """TUNNEL_DOH: resolvers of DNS over HTTPS; none when it is off."""
    ca_file: Path | None = None
    """TUNNEL_CA_FILE: certificates that are trusted beside the system's."""
    checks_reachability: bool = True
    """TUNNEL_SKIP_REACHABILITY_CHECK: whether a public name is waited for."""
    keeps_log: bool = False
    """TUNNEL_SESSION_LOG: whether a log is kept for the life of the session."""
    listen_seconds: float | None = None
    """TUNNEL_LISTEN_SECONDS: how long a listen waits, and the longest that any call waits; None lets its client decide."""
    budget: int = BUDGET
    """TUNNEL_BUDGET: how many messages an agent may say before its person allows more; 0 for any number."""
    shows_window: bool = False
    """TUNNEL_WATCH: whether the person's window is there from the start."""
    skills: Path | None = None
    """TUNNEL_SKILLS_DIR: the folder of skills into which ours is put; None for the one below HOME, if there is one."""
    installs_skill: bool = True
    """TUNNEL_SKIP_SKILL_INSTALL: whether ours is put there at the start."""
    home: Path | None = None
    """HOME: where programs and logs are kept, and where a person's commands find this process."""
    problems: tuple[str, ...] = ()
    """What is wrong with the environment, in sentences: it is said at the start, and by whatever would need it."""
    warnings: tuple[str, ...] = ()
    """Which variables are likely meant for this program and are none of its own: it is said, and stops nothing."""

    def check(self) -> None:
        """Nothing is opened in surroundings that are not what their person meant.

        Raises:
            BadSettingsError: something is wrong with the environment.
        """
        if self.problems:
            raise BadSettingsError(" ".join([*self.problems, _MEND]))

    def setup(self, environment: Mapping[str, str], report: Callable[[str], None]) -> Setup:
        """What a transport is told.

        Args:
            environment: for what it starts.
            report: says something to the person.
        """
        return Setup(
            command=self.command,
            url=self.url,
            port=self.port,
            doh_servers=self.doh_servers,
            ca_file=self.ca_file,
            checks_reachability=self.checks_reachability,
            home=self.home,
            environment=environment,
            report=report,
        )

    def way(self) -> Way:
        """What a guest may use on its way to a host."""
        return Way(ca_file=self.ca_file, doh_servers=self.doh_servers)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in an environment. Whatever it holds, the server starts: what is wrong is kept as a sentence."""
    problems: list[str] = []
    return Settings(
        transport=visible(_text(environment, "TUNNEL_TRANSPORT", problems).strip().lower(), SHOWN_BYTES),
        name=_text(environment, "TUNNEL_NAME", problems).strip(),
        command=_text(environment, "TUNNEL_COMMAND", problems),
        url=_text(environment, "TUNNEL_URL", problems).strip(),
        port=_port(_text(environment, "TUNNEL_PORT", problems).strip(), problems),
        doh_servers=_doh(environment, problems),
        ca_file=_path(_text(environment, "TUNNEL_CA_FILE", problems), "TUNNEL_CA_FILE", problems),
        checks_reachability=not _switch(environment, "TUNNEL_SKIP_REACHABILITY_CHECK", problems),
        keeps_log=_switch(environment, "TUNNEL_SESSION_LOG", problems),
        listen_seconds=_listen_seconds(_text(environment, "TUNNEL_LISTEN_SECONDS", problems).strip(), problems),
        budget=_budget(_text(environment, "TUNNEL_BUDGET", problems).strip(), problems),
        shows_window=_switch(environment, "TUNNEL_WATCH", problems),
        skills=_path(_text(environment, "TUNNEL_SKILLS_DIR", problems), "TUNNEL_SKILLS_DIR", problems),
        installs_skill=not _switch(environment, "TUNNEL_SKIP_SKILL_INSTALL", problems),
        home=_path(_text(environment, "HOME", problems), "HOME", problems),
        problems=tuple(problems),
        warnings=misspelt(environment),
    )


def _text(environment: Mapping[str, str], name: str, problems: list[str]) -> str:
    value = environment.get(name, "")
    if len(value) > VALUE_CHARS:
        problems.append(f"{name} has {len(value)} characters; at most {VALUE_CHARS} are allowed. It is left out.")
        return ""
    return value


def _switch(environment: Mapping[str, str], name: str, problems: list[str]) -> bool:
    value = _text(environment, name, problems).strip().lower()
    if value not in _OFF | _ON:
        problems.append(f"{name} is {_shown(value)}; it is 1 for on, or 0 for off. A join takes it as on.")
    return value not in _OFF


def _port(value: str, problems: list[str]) -> int:
    if value and not (value.isascii() and value.isdigit() and 1 <= int(value) <= LARGEST_PORT):
        problems.append(f"TUNNEL_PORT is {_shown(value)}; a port is a number from 1 to {LARGEST_PORT}. It is left out.")
        return 0
    return int(value or 0)


def _listen_seconds(value: str, problems: list[str]) -> float | None:
    if value and not (value.isascii() and value.isdigit() and 1 <= int(value) <= LONGEST_LISTEN_SECONDS):
        problems.append(
            f"TUNNEL_LISTEN_SECONDS is {_shown(value)}; it is a number of seconds from 1 to {LONGEST_LISTEN_SECONDS:g}. "
            "It is left out."
        )
        return None
    return float(value) if value else None


def _budget(value: str, problems: list[str]) -> int:
    if value and not (value.isascii() and value.isdigit() and int(value) <= LARGEST_BUDGET):
        problems.append(
            f"TUNNEL_BUDGET is {_shown(value)}; it is a number of messages up to {LARGEST_BUDGET}, or 0 for any number. "
            f"A join takes it as {BUDGET}."
        )
        return BUDGET
    return int(value or BUDGET)


def _doh(environment: Mapping[str, str], problems: list[str]) -> tuple[str, ...]:
    """On when it is not set; an empty text is off, as in the released implementation."""
    if "TUNNEL_DOH" not in environment or (value := _text(environment, "TUNNEL_DOH", problems).strip()).lower() in _ON:
        return DOH_SERVERS
    if value.lower() in _OFF:
        return ()
    servers = tuple(value.split())
    if all(_is_https(server) for server in servers):
        return servers
    problems.append(
        f"TUNNEL_DOH is {_shown(value)}; it is on, off, or one or more https:// URLs of resolvers. A join takes it as on."
    )
    return DOH_SERVERS


def _path(value: str, name: str, problems: list[str]) -> Path | None:
    if not value:
        return None
    path = Path(value)
    if "\0" in value or not path.is_absolute():
        problems.append(f"{name} is {_shown(value)}; it must be an absolute path. It is left out.")
        return None
    return path


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _shown(value: str) -> str:
    return repr(visible(value, SHOWN_BYTES))
