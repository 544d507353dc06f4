"""Makes the relay reachable from everywhere by a quick tunnel of Cloudflare: no account, no open port, a name for one tunnel."""

import asyncio
import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from rich.console import Console

from tunnel.io.internet import CLOUDFLARED_URL
from tunnel.io.lookup import Resolver
from tunnel.io.trust import tls_context
from tunnel.transport.asset import Machine, NoCloudflaredError, Release, by_hand, shown
from tunnel.transport.base import TransportError
from tunnel.transport.child import Child
from tunnel.transport.diagnosis import answers_like_cloudflared, next_step
from tunnel.transport.download import TAKEN_PROXIES, Limits, proxy_to
from tunnel.transport.program import find_program
from tunnel.transport.published import LONGEST_SECONDS, Pause, Seconds, until_published
from tunnel.transport.setup import Setup
from tunnel.transport.threads import in_thread
from tunnel.transport.urls import NoUrlError, NoUrlInTimeError, ended, first_url

ATTEMPTS: Final = 3
URL_SECONDS: Final = 30.0
"""How long one attempt may take to name the public URL."""

OPENING_SECONDS: Final = 53.0
"""How long all attempts may take together, with the wait for the DNS: some clients give up on a tool call after a minute."""

SHORTEST_SECONDS: Final = 3.0
"""An attempt that has less than this left is not begun."""

RETRY_SECONDS: Final = 1.0
"""Between two attempts."""

UNASKED_SECONDS: Final = 1.0
"""Waited for the DNS when it may not be asked."""

KEPT: Final = frozenset({"TUNNEL_TRANSPORT_PROTOCOL", "TUNNEL_EDGE_IP_VERSION", "TUNNEL_EDGE_BIND_ADDRESS"})
"""How cloudflared reaches Cloudflare from this machine's network, which its person knows best."""

_PUBLIC_URL: Final = re.compile(CLOUDFLARED_URL)

# A configuration of the person's own (~/.cloudflared/config.yml) answers quick tunnels with its own rules, mostly with 404.
# Behind --url: whoever stands in for cloudflared finds it where it has always been.
_OPTIONS: Final = ("--no-autoupdate", "--config", os.devnull)


class Cloudflared:
    """One quick tunnel.

    Args:
        setup: this machine and its person's wishes.
        pause: `asyncio.sleep`, except in tests.
        clock: the time of the event loop, except in tests.
        url_seconds: how long one attempt may take to name the public URL.
        opening_seconds: how long all attempts may take together; a download is not counted.
        release: what is downloaded where no cloudflared is installed.
        machine: what it is downloaded for; this one.
        limits: what the download may cost.
        console: where its progress is shown; standard error.
    """

    name = "cloudflared"
    privacy = (
        "Cloudflare ends TLS for this tunnel, so it can read the goal, the names, the system messages and a host's summary, and could answer "
        "in the host's place; what is said in chat is sealed end to end, and it cannot read that."
    )
    listens_at: tuple[str, int] = ("127.0.0.1", 0)

    def __init__(
        self,
        setup: Setup,
        *,
        pause: Pause = asyncio.sleep,
        clock: Seconds | None = None,
        url_seconds: float = URL_SECONDS,
        opening_seconds: float = OPENING_SECONDS,
        release: Release | None = None,
        machine: Machine | None = None,
        limits: Limits | None = None,
        console: Console | None = None,
    ) -> None:
        self._setup = setup
        self._pause = pause
        self._clock = clock or asyncio.get_running_loop().time
        self._url_seconds = url_seconds
        self._opening_seconds = opening_seconds
        self._deadline = 0.0
        self._release = release or Release()
        self._machine = machine or Machine(platform.system(), platform.machine())
        self._limits = limits or Limits()
        self._console = console or Console(stderr=True)
        self._lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._starting: asyncio.Future[str] | None = None
        self._child: Child | None = None
        self._is_stopped = False

    @property
    def lost(self) -> asyncio.Future[str]:
        """Done, with a sentence why, when cloudflared has ended by itself."""
        return self._lost

    async def start(self, port: int) -> str:
        """The public URL of the port, once its name is in the DNS.

        Raises:
            TransportError: there is no cloudflared, or it names no URL, or it was stopped meanwhile.
            TunnelError: TUNNEL_CA_FILE cannot be used.
        """
        if self._is_stopped:
            raise _stopped()
        self._starting = asyncio.ensure_future(self._start(port))
        # Whoever is cancelled here cancels that task too, and goes on when it has given everything back.
        try:
            return await self._starting
        except asyncio.CancelledError:
            if self._is_stopped and not _is_cancelled():
                raise _stopped() from None
            raise

    async def stop(self) -> None:
        """Give everything back, also in the middle of a download or of the wait for the DNS."""
        self._is_stopped = True
        if self._starting:
            self._starting.cancel()
            await asyncio.wait([self._starting])
        if self._child:
            await self._child.stop()

    async def _start(self, port: int) -> str:
        program = await find_program(self._setup, self._machine, self._release, self._limits, self._console)
        resolver = await self._resolver()
        self._deadline = self._clock() + self._opening_seconds
        is_cloudflared: bool | None = None
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._attempt(program, port, resolver)
            except NoUrlError as error:
                failure = error
            self._setup.report(f"Attempt {attempt} of {ATTEMPTS}: cloudflared {failure}.")
            is_last = attempt == ATTEMPTS or self._left < RETRY_SECONDS + SHORTEST_SECONDS
            # What waits in vain once waits in vain thrice, if it is another program.
            if is_cloudflared is None and (is_last or isinstance(failure, NoUrlInTimeError)):
                is_cloudflared = await answers_like_cloudflared(program, _for_child(self._setup.environment))
            if is_last or is_cloudflared is False:
                raise self._failed(program, attempt, failure, is_cloudflared=bool(is_cloudflared))
            await self._pause(RETRY_SECONDS)

    def _failed(self, program: Path, attempt: int, failure: NoUrlError, *, is_cloudflared: bool) -> TransportError:
        attempts = "1 attempt" if attempt == 1 else f"{attempt} attempts"
        return TransportError(
            f"could not establish a cloudflared tunnel after {attempts} in {self._opening_seconds - self._left:.0f} s: "
            f"{shown(program)} {failure}. {next_step(program, is_cloudflared=is_cloudflared)}"
        )

    @property
    def _left(self) -> float:
        return max(0.0, self._deadline - self._clock())

    async def _resolver(self) -> Resolver | None:
        """Before anything is started: if TUNNEL_CA_FILE is unusable, this is where it is said."""
        servers = self._setup.doh_servers
        if not servers or not self._setup.checks_reachability:
            return None
        tls = await in_thread(lambda: tls_context(self._setup.ca_file))
        proxy = proxy_to(servers[0], self._setup.environment)
        if proxy and proxy.scheme not in TAKEN_PROXIES:
            self._setup.report(
                f"DNS over HTTPS cannot be asked through {proxy.shown}, whose scheme is {proxy.scheme}; use socks5h, or "
                "set TUNNEL_DOH to off."
            )
        from tunnel.io.doh import Doh

        return Doh(servers, tls, proxy.url if proxy else None)

    async def _attempt(self, program: Path, port: int, resolver: Resolver | None) -> str:
        command = [str(program), "tunnel", "--url", f"http://127.0.0.1:{port}", *_OPTIONS]
        child = self._child = await self._run(command)
        try:
            url = await first_url(child, _PUBLIC_URL, min(self._url_seconds, self._left))
            await self._until_reachable(child, urlsplit(url).hostname or "", resolver)
        except BaseException:
            await child.stop()
            raise
        child.exited.add_done_callback(self._child_ended)
        return url

    async def _run(self, command: list[str]) -> Child:
        try:
            return await Child.start(command, _for_child(self._setup.environment))
        except TransportError as error:
            raise NoCloudflaredError(
                f"{shown(Path(command[0]))} cannot be run as cloudflared. {error} Remove that file. {by_hand()}"
            ) from None

    async def _until_reachable(self, child: Child, name: str, resolver: Resolver | None) -> None:
        waiting = asyncio.ensure_future(self._in_dns(name, resolver))
        try:
            await asyncio.wait([waiting, child.exited], return_when=asyncio.FIRST_COMPLETED)
            if child.exited.done():
                status = child.exited.result()
                raise NoUrlError(f"{ended(status)} before its name was in the DNS", status)
        finally:
            waiting.cancel()
            await asyncio.wait([waiting])
        waiting.result()

    async def _in_dns(self, name: str, resolver: Resolver | None) -> None:
        if resolver:
            longest = min(LONGEST_SECONDS, self._left)
            await until_published(name, resolver, self._setup.report, self._pause, self._clock, longest)
        elif self._setup.checks_reachability:
            await self._pause(UNASKED_SECONDS)

    def _child_ended(self, exited: asyncio.Future[int]) -> None:
        if not (self._is_stopped or self._lost.done()):
            self._lost.set_result(
                f"cloudflared {ended(exited.result())}; its address leads nowhere now. Open a new tunnel."
            )


def cloudflared(setup: Setup) -> Cloudflared:
    """The transport for this machine."""
    return Cloudflared(setup)


def _for_child(environment: Mapping[str, str]) -> dict[str, str]:
    """Without the variables by which cloudflared would make another kind of tunnel, or stay silent; some are named as ours."""
    return {name: value for name, value in environment.items() if not name.startswith("TUNNEL_") or name in KEPT}


def _stopped() -> TransportError:
    return TransportError(
        "cloudflared was stopped while it was being started. Open the tunnel again if it is still wanted."
    )


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
