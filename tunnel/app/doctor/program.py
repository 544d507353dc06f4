"""Which cloudflared would be run, and whether it is one. What a program says of itself is input from outside."""

from functools import partial

from tunnel.app.doctor.aside import aside
from tunnel.app.doctor.findings import Finding, note, ok, problem
from tunnel.app.doctor.surroundings import Surroundings
from tunnel.io.internet import CLOUDFLARED_MANUAL
from tunnel.transport.asset import NAME, NoCloudflaredError, Release, asset_for, by_hand, shown
from tunnel.transport.diagnosis import cloudflared_version
from tunnel.transport.program import installed


async def cloudflared(at: Surroundings) -> list[Finding]:
    """The program on PATH, else the one at home, else the one that would be downloaded."""
    passed_over: list[str] = []
    setup = at.settings.setup(at.environment, passed_over.append)
    try:
        program = await aside(partial(installed, setup))
        if program is None:
            found = _downloaded_later(at)
        elif version := await cloudflared_version(program, _for_child(at), at.version_seconds):
            found = ok(f"{shown(program)}, version {version}")
        else:
            found = problem(
                f"{shown(program)} does not answer like cloudflared when it is asked for its version",
                f"Remove it, or put the real one before it on PATH. {by_hand()}",
            )
    except NoCloudflaredError as error:
        found = problem(str(error))
    return [found, *(note(line.rstrip(".")) for line in passed_over)]


def _downloaded_later(at: Surroundings) -> Finding:
    release = Release()
    asset_for(at.machine, release)
    if at.settings.home is None:
        return problem("none is on PATH, and HOME names no folder to download it to", f"Set HOME. {by_hand()}")
    return note(
        f"none is installed; version {release.version} is downloaded to ~/.tunnel/bin/{NAME} for the first tunnel, once",
        f"Nothing; or, where github.com cannot be reached, install it by hand: {CLOUDFLARED_MANUAL}",
    )


def _for_child(at: Surroundings) -> dict[str, str]:
    """Without the variables that cloudflared takes for its own; some are named as ours."""
    return {name: value for name, value in at.environment.items() if not name.startswith("TUNNEL_")}
