"""Finds cloudflared: on PATH, else in ~/.tunnel/bin, else it is downloaded to there, where it is found the next time."""

import os
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from rich.console import Console

from tunnel.io.trust import tls_context
from tunnel.transport.asset import NAME, Machine, NoCloudflaredError, Release, asset_for, by_hand, shown
from tunnel.transport.download import DownloadError, Limits, Way, download
from tunnel.transport.progress import Advance, progress
from tunnel.transport.scratch import scratch, sweep
from tunnel.transport.setup import Setup
from tunnel.transport.threads import in_thread
from tunnel.transport.unpack import ArchiveError, unpack


async def find_program(setup: Setup, machine: Machine, release: Release, limits: Limits, console: Console) -> Path:
    """The program that is to be run.

    Raises:
        NoCloudflaredError: there is none, and it cannot be downloaded.
        TunnelError: TUNNEL_CA_FILE cannot be used.
    """
    found = await in_thread(partial(installed, setup))
    if found:
        return found
    if setup.home is None:
        raise NoCloudflaredError(
            f"No cloudflared is on PATH, and HOME names no folder to download it to. Set HOME. {by_hand()}"
        )
    asset = asset_for(machine, release)
    url = f"{setup.downloads}/{release.version}/{asset}"
    tls = await in_thread(partial(tls_context, setup.ca_file))
    way = Way(tls=tls, environment=setup.environment, limits=limits)
    program = _remembered(setup.home)
    try:
        with progress(f"Downloading cloudflared {release.version}", setup.report, console) as advance:
            await _fetched(url, release.sha256[asset], program, way, advance)
    except (DownloadError, ArchiveError) as error:
        raise NoCloudflaredError(f"cloudflared could not be downloaded from {url}: {error}. {by_hand()}") from None
    except OSError as error:
        raise NoCloudflaredError(
            f"cloudflared could not be stored as {shown(program)} ({_why(error)}). "
            f"That folder must be writable, with 100 MB free. {by_hand()}"
        ) from None
    setup.report(
        f"cloudflared {release.version} is downloaded, its SHA-256 is right, and it is stored as {shown(program)}."
    )
    return program


async def _fetched(url: str, sha256: str, program: Path, way: Way, advance: Advance) -> None:
    """Make the program of what is downloaded, or leave nothing."""
    with ExitStack() as used:
        folder = await in_thread(partial(_made, used, program.parent))
        asset = folder / url.rpartition("/")[2]
        await download(url, sha256, asset, way, advance)
        await in_thread(partial(_install, asset, program, way.limits.size))


def _remembered(home: Path) -> Path:
    return home / ".tunnel" / "bin" / NAME


def installed(setup: Setup) -> Path | None:
    """The program that is there already, if there is one.

    Raises:
        NoCloudflaredError: what is there cannot be run, and is not ours to replace.
    """
    if setup.home:
        sweep(_remembered(setup.home).parent)
    return _on_path(setup) or (_at_home(_remembered(setup.home)) if setup.home else None)


def _on_path(setup: Setup) -> Path | None:
    """As a shell finds it, except that the working folder is never looked into: it may be a stranger's project."""
    for folder in setup.environment.get("PATH", "").split(os.pathsep):
        program = Path(folder, NAME)
        if program.is_absolute() and _exists(program):
            if _is_program(program):
                return program
            setup.report(f"{shown(program)} is on PATH and is no executable file; it is passed over.")
    return None


def _at_home(program: Path) -> Path | None:
    """What is there is run as it is, and not hashed again.

    Either it was verified before it got its name, or its person put it there, in a version of their choice; and whoever
    else can write to that folder can write to the files that a shell runs. On macOS the known checksum is the archive's.

    Raises:
        NoCloudflaredError: what is there is not ours to replace, and cannot be run.
    """
    if _is_program(program):
        return program
    if _exists(program):
        raise NoCloudflaredError(
            f"{shown(program)} is no executable file. Remove it, then it is downloaded; or make it executable (chmod u+x). "
            f"{by_hand()}"
        )
    return None


def _exists(program: Path) -> bool:
    """Whether there is anything of that name. A folder on the way that may not be entered, or is none, holds nothing."""
    return os.path.lexists(program)


def _is_program(program: Path) -> bool:
    try:
        return program.is_file() and os.access(program, os.X_OK)
    except OSError:  # a link to what may not be seen, or cannot be named
        return False


def _made(used: ExitStack, parent: Path) -> Path:
    """A folder for one download, on the same file system as its goal: two processes never meet, and the last step is atomic."""
    parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    parent.mkdir(mode=0o700, exist_ok=True)
    return used.enter_context(scratch(parent))


def _install(asset: Path, program: Path, most: int) -> None:
    """Make a verified file the program."""
    new = asset
    if asset.suffix == ".tgz":
        new = asset.with_name(NAME)
        unpack(asset, new, most)
    new.chmod(0o700)
    new.replace(program)


def _why(error: OSError) -> str:
    where = f": {shown(Path(error.filename))}" if isinstance(error.filename, str) else ""
    return f"{error.strerror or type(error).__name__}{where}"
