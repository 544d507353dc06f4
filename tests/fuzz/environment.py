"""Whatever stands in an environment, the server starts, says what is wrong in sentences, and shows no proxy's password.

Each line is a variable and its value, as `NAME=value`. The word PASSWORD stands for one.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from tests.fuzz.looping import run
from tests.fuzz.showing import hidden, leak
from tests.fuzz.target import Target, text
from tunnel.app.settings import LARGEST_PORT, LONGEST_LISTEN_SECONDS, BadSettingsError, Settings, read_settings
from tunnel.io.proxies import ProxySettingError, choose
from tunnel.transport.base import TransportError
from tunnel.transport.command import command
from tunnel.transport.direct import direct

SECRET: Final = "hunter2hunter2hunter2"
"""What must not be shown."""

LONGEST_SENTENCE: Final = 400
"""More characters than any sentence about one variable has."""


def check(data: bytes, read: Callable[[Mapping[str, str]], Settings] = read_settings) -> None:
    """LINK-6, LINK-10."""
    lines = (line.partition("=") for line in text(data).replace("PASSWORD", SECRET).split("\n"))
    environment = {name: value for name, _, value in lines if name}
    settings = read(environment)
    said = [*settings.problems, *settings.warnings]
    assert 0 <= settings.port <= LARGEST_PORT
    assert settings.listen_seconds is None or 1 <= settings.listen_seconds <= LONGEST_LISTEN_SECONDS
    assert all(path is None or path.is_absolute() for path in (settings.ca_file, settings.home, settings.skills))
    try:
        settings.check()
    except BadSettingsError:
        assert settings.problems
    said += _about_proxies(environment) + run(_about_transports(settings, environment))
    for sentence in said:
        assert not hidden(sentence), f"a sentence that cannot be shown: {sentence!r}"
        assert len(sentence) <= LONGEST_SENTENCE, f"{len(sentence)} characters about one variable: {sentence!r}"


def _about_proxies(environment: Mapping[str, str]) -> list[str]:
    """What is said of the proxies on the two kinds of ways."""
    said: list[str] = []
    for secure in (False, True):
        try:
            proxy = choose(environment, "host.example", 443, secure=secure)
        except ProxySettingError as error:
            said.append(str(error))
        else:
            said += [proxy.shown, repr(proxy)] if proxy else []
    if all(_is_password(name, value) for name, value in environment.items()):
        assert not leak(SECRET, "\n".join(said)), f"a password is in {said}"
    return said


def _is_password(name: str, value: str) -> bool:
    """Whether the word stands for a password wherever it stands: in the name of a variable, or as a host, everybody sees it."""
    return SECRET not in name and value.count(SECRET) == value.count(f":{SECRET}@")


async def _about_transports(settings: Settings, environment: Mapping[str, str]) -> list[str]:
    """What is said of a command and of an address of one's own, when they are used."""
    setup = settings.setup(environment, lambda _said: None)
    said: list[str] = []
    for make in (command, direct):
        try:
            make(setup)
        except TransportError as error:
            said.append(str(error))
    return said


def seeds() -> Iterator[bytes]:
    """Environments, good and bad."""
    yield b"TUNNEL_PORT=4711\nTUNNEL_URL=http://192.168.0.7:4711\nTUNNEL_TRANSPORT=direct"
    yield b"TUNNEL_URL=https://bob:PASSWORD@host.example\nTUNNEL_PORT=0"
    yield b"TUNNEL_URL=https://host.example/\nTUNNEL_PORT=65536\nTUNNEL_BUDGET=1000001"
    yield b"TUNNEL_COMMAND=ssh -R 80:127.0.0.1:{port} 'nokey@localhost.run\nTUNNEL_LISTEN_SECONDS=0"
    yield b'TUNNEL_COMMAND="" {port}\nTUNNEL_WATCH=perhaps\nTUNNEL_SESSION_LOG=on'
    yield b"TUNNEL_DOH=https://[::1 https://1.1.1.1/dns-query\nHOME=relative\nTUNNEL_CA_FILE=/etc/\0"
    yield b"tunnel_prot=1\nTUNNEL_PROT=1\nTUNEL_PORT=2\nMY_TUNNEL=3"
    yield b"HTTPS_PROXY=http://bob:PASSWORD@proxy.example:8080\nNO_PROXY=.example, 10.0.0.0/8"
    yield b"all_proxy=socks5h://bob:PASSWORD@[::1]:99999\nno_proxy="
    yield b"http_proxy=ftp://bob:PASSWORD@h/p?q\nHTTPS_PROXY=bob:PASSWORD@ proxy"
    yield b"socks_proxy=http://10.0.0.1:1080\nno_proxy=*"


WORDS: Final = (
    *("TUNNEL_PORT=", "TUNNEL_URL=", "TUNNEL_COMMAND=", "TUNNEL_DOH=", "TUNNEL_BUDGET=", "TUNNEL_LISTEN_SECONDS="),
    *("TUNNEL_CA_FILE=", "TUNNEL_WATCH=", "TUNNEL_SKILLS_DIR=", "TUNNEL_NAME=", "HOME=", "HTTPS_PROXY=", "no_proxy="),
    *(
        "all_proxy=",
        "wss_proxy=",
        "http://",
        "https://",
        "socks4a://",
        "socks5h://",
        "bob:PASSWORD@",
        "[::1]",
        "{port}",
    ),
    *(":8080", "*", "10.0.0.0/8", "host.example", "on", "off", b"\n", "127.0.0.1", "localhost"),
)

TARGET: Final = Target(check=check, seeds=seeds, words=WORDS, longest=512)
