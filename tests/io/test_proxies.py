"""The proxy on the way is the one that the environment names, and no text repeats a password."""

import pytest
from rich.pretty import pretty_repr

from tunnel.io.proxies import VALUE_CHARS, Proxy, ProxySettingError, choose, process_environment


def chosen(environment: dict[str, str], host: str = "host.example", port: int = 443, *, secure: bool = True) -> str:
    """The URL of the proxy; nothing when the way is direct."""
    proxy = choose(environment, host, port, secure=secure)
    return proxy.url if proxy else ""


@pytest.mark.parametrize(
    ("environment", "secure", "plain"),
    [
        ({}, "", ""),
        ({"HTTPS_PROXY": "http://a:1"}, "http://a:1", "http://a:1"),
        ({"https_proxy": "http://a:1"}, "http://a:1", "http://a:1"),
        ({"Https_Proxy": "http://a:1"}, "http://a:1", "http://a:1"),
        ({"HTTP_PROXY": "http://a:1"}, "", "http://a:1"),
        ({"ALL_PROXY": "http://a:1"}, "http://a:1", "http://a:1"),
        ({"ALL_PROXY": "http://a:1", "HTTP_PROXY": "http://b:2"}, "http://a:1", "http://b:2"),
        ({"ALL_PROXY": "http://a:1", "HTTPS_PROXY": "http://b:2"}, "http://b:2", "http://b:2"),
        ({"HTTP_PROXY": "http://a:1", "HTTPS_PROXY": "http://b:2"}, "http://b:2", "http://b:2"),
        ({"WSS_PROXY": "http://a:1", "HTTPS_PROXY": "http://b:2"}, "http://a:1", "http://b:2"),
        ({"WS_PROXY": "http://a:1", "HTTPS_PROXY": "http://b:2"}, "http://b:2", "http://a:1"),
        ({"SOCKS_PROXY": "http://a:1"}, "socks5h://a:1", "socks5h://a:1"),
        ({"SOCKS_PROXY": "a:1"}, "socks5h://a:1", "socks5h://a:1"),
        ({"HTTPS_PROXY": "http://a:1", "https_proxy": "http://b:2"}, "http://b:2", "http://b:2"),
        ({"HTTPS_PROXY": "http://a:1", "https_proxy": ""}, "", ""),
        ({"HTTPS_PROXY": " "}, "", ""),
        ({"FTP_PROXY": "http://a:1", "MY_PROXY_X": "http://a:1", "_PROXY": "x"}, "", ""),
    ],
)
def test_the_variables_are_read_as_most_programs_read_them(
    environment: dict[str, str], secure: str, plain: str
) -> None:
    assert chosen(environment) == secure
    assert chosen(environment, secure=False) == plain


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("proxy.example", "http://proxy.example:80"),
        ("http://proxy.example/", "http://proxy.example:80"),
        ("https://proxy.example", "https://proxy.example:443"),
        ("HTTP://Proxy.Example", "http://proxy.example:80"),
        ("socks://proxy.example", "socks5h://proxy.example:1080"),
        ("socks5://[::1]:9", "socks5://[::1]:9"),
        ("socks4a://proxy.example", "socks4a://proxy.example:1080"),
        ("http://bob:se%40cret@proxy.example:1", "http://bob:se%40cret@proxy.example:1"),
        ("bob:secret@proxy.example:1", "http://bob:secret@proxy.example:1"),
        ("http://bob@proxy.example:1", "http://bob:@proxy.example:1"),
    ],
)
def test_a_proxy_is_read_as_people_write_it(value: str, url: str) -> None:
    assert chosen({"https_proxy": value}) == url


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("ftp://bob:secret@proxy", "its scheme is none of http, https, socks4, socks4a, socks5, socks5h"),
        ("secret://proxy", "its scheme is none of"),
        ("http://bob:secret@proxy:port", "its host or its port cannot be read"),
        ("http://bob:secret@proxy:99999", "its host or its port cannot be read"),
        ("http://bob:secret@[::1", "its host or its port cannot be read"),
        ("http://bob:secret@proxy:0", "names no host"),
        ("http://bob:secret@:80", "names no host"),
        ("http://", "names no host"),
        ("http://proxy/secret", "something stands behind"),
        ("http://proxy?secret", "something stands behind"),
        ("http://proxy#secret", "something stands behind"),
        ("http://bob:secret@pro xy", "a blank or a control character"),
        ("http://bob:secret@pro\nxy", "a blank or a control character"),
        ("http://bob:secret@pro\udcffxy", "a blank or a control character"),
        ("http://secret" * VALUE_CHARS, "characters, and at most"),
    ],
)
def test_what_is_no_proxy_is_said_without_its_value(value: str, says: str) -> None:
    """LINK-9: whoever set it may have written a password."""
    with pytest.raises(
        ProxySettingError, match=f"^HTTPS_PROXY names no proxy that can be used: .*{says}.*unset it"
    ) as caught:
        chosen({"HTTPS_PROXY": value})

    assert "secret" not in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("host", "exceptions", "direct"),
    [
        ("host.example", "*", True),
        ("host.example", "host.example", True),
        ("host.example", "HOST.Example", True),
        ("HOST.example.", "host.example", True),
        ("host.example", "example", True),
        ("host.example", ".example", True),
        ("host.example", "*.example", True),
        ("host.example", "a,b host.example", True),
        ("host.example", "host.example:443", True),
        ("host.example", "host.example:80", False),
        ("host.example", "ost.example", False),
        ("host.example", "other.example", False),
        ("host.example", "", False),
        ("host.example", " , ,,. .. : [] *. \x00 %", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.3:443", True),
        ("10.1.2.3", "10.1.2.3:80", False),
        ("10.1.2.3", "3", False),
        ("10.1.2.3", ".2.3", False),
        ("10.1.2.3", "*", True),
        ("::ffff:10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "11.0.0.0/8", False),
        ("10.1.2.3", "10.0.0.0/99", False),
        ("host.example", "0.0.0.0/0", False),
        ("fd00::1", "fd00::/8", True),
        ("fd00::1", "[fd00::1]", True),
        ("fd00::1", "10.0.0.0/8", False),
    ],
)
def test_no_proxy_covers_what_it_names(host: str, exceptions: str, direct: bool) -> None:
    assert (chosen({"HTTPS_PROXY": "http://a:1", "NO_PROXY": exceptions}, host) == "") is direct


def test_a_huge_no_proxy_is_said_and_not_searched() -> None:
    with pytest.raises(ProxySettingError, match=r"^NO_PROXY has 200000 characters; at most 4096 are allowed"):
        chosen({"HTTPS_PROXY": "http://a:1", "NO_PROXY": "x," * 100_000})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "127.1", "localhost", "a.localhost.", "::1", "0.0.0.0"])
def test_this_machine_is_never_reached_through_a_proxy(host: str) -> None:
    """Also not through one that cannot be used."""
    assert chosen({"HTTPS_PROXY": "http://a:1", "NO_PROXY": "!"}, host) == ""
    assert chosen({"ALL_PROXY": "nonsense://"}, host) == ""


def test_a_proxy_hides_its_password_wherever_it_is_shown() -> None:
    proxy = choose({"HTTPS_PROXY": "http://bob:secret@[fd00::1]:1"}, "host.example", 443, secure=True)

    assert isinstance(proxy, Proxy)
    for shown in (repr(proxy), str(proxy), proxy.shown, pretty_repr(proxy), pretty_repr([proxy])):
        assert "the proxy in HTTPS_PROXY ([fd00::1]:1)" in shown
        assert "secret" not in shown
        assert "bob" not in shown


@pytest.mark.parametrize(
    ("scheme", "here"), [("http", False), ("socks4", True), ("socks4a", False), ("socks5", True), ("socks5h", False)]
)
def test_some_proxies_are_given_addresses(scheme: str, here: bool) -> None:
    proxy = choose({"HTTPS_PROXY": f"{scheme}://a:1"}, "host.example", 443, secure=True)

    assert proxy is not None
    assert proxy.resolves_here is here


def test_the_environment_is_the_processs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://a:1")
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "b.example")

    assert chosen(process_environment()) == "http://a:1"
    assert chosen(process_environment(), "b.example") == ""
