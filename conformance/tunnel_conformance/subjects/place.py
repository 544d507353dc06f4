"""Where an implementation runs: in an environment without the tester's own settings, with folders of its own that go with it."""

import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from tunnel_conformance.subjects.cloudflared import StandIn, path_with
from tunnel_conformance.subjects.process import MARK

SETTINGS: Final = {
    "TUNNEL_TRANSPORT": "loopback",
    "TUNNEL_DOH": "off",
    "TUNNEL_SKIP_REACHABILITY_CHECK": "1",
    "TUNNEL_REACHABILITY": "off",
    "TUNNEL_SKIP_SKILL_INSTALL": "1",
    "TUNNEL_BUDGET": "0",
}
"""What implementations are told: that nothing leaves this machine, and that no person bounds what an agent says. Who does not know a variable ignores it."""

SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - libfaketime puts its files there
_LEFT_OVERS: Final = ("faketime_shm_", "sem.faketime_sem_", "faketime_sem_")
_PROXIES: Final = frozenset({"http_proxy", "https_proxy", "ws_proxy", "wss_proxy", "all_proxy"})
_OURS: Final = ("TUNNEL_", "FAKETIME")


class Place:
    """Private folders, the stand-in for cloudflared, and an environment that names them.

    Args:
        inherited: the kit's own environment.
        given: what the user says; it goes before everything else, except that the stand-in stays first on PATH.
        shared_memory: where libfaketime leaves its files.
    """

    def __init__(
        self, inherited: Mapping[str, str], given: Mapping[str, str], shared_memory: Path = SHARED_MEMORY
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tunnel-conformance-"))
        self._shared_memory = shared_memory
        self._began = time.time()
        home, temporary, programs = (self.folder / name for name in ("home", "tmp", "bin"))
        for folder in (home, temporary, programs):
            folder.mkdir()
        self.stand_in = StandIn(programs, self.folder / "port")
        places = dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(temporary)) | {"HOME": str(home)}
        wanted = {**_without_settings(inherited), **places, **SETTINGS, **given}
        self.environment: dict[str, str] = {
            **wanted,
            "PATH": path_with(programs, wanted.get("PATH", os.defpath)),
            MARK: secrets.token_hex(16),
        }

    def remove(self) -> None:
        """Remove the folders, and what libfaketime has left in shared memory; nothing raises."""
        # Some make their folders read-only.
        for path, folders, _ in os.walk(self.folder):
            for folder in (Path(path, name) for name in folders):
                with suppress(OSError):
                    # A link may lead out of here.
                    if not folder.is_symlink():
                        folder.chmod(stat.S_IRWXU)
        shutil.rmtree(self.folder, ignore_errors=True)
        self._clear_shared_memory()

    def _clear_shared_memory(self) -> None:
        """Files of processes that are dead and began after us: whoever gets such a number next would fail on them."""
        with suppress(OSError):
            for path in self._shared_memory.iterdir():
                number = next((path.name.removeprefix(kind) for kind in _LEFT_OVERS if path.name.startswith(kind)), "")
                with suppress(OSError):
                    if number.isdecimal() and self._is_left_over(path.stat(), int(number)):
                        path.unlink()

    def _is_left_over(self, file: os.stat_result, pid: int) -> bool:
        # A file system's time stamps may lag behind by a tick.
        is_new = file.st_mtime >= self._began - 1
        return is_new and file.st_uid == os.getuid() and not psutil.pid_exists(pid)


def _without_settings(inherited: Mapping[str, str]) -> dict[str, str]:
    """Without what would make a verdict depend on who asks for it: settings of tunnels, proxies, folders, another clock."""
    return {
        name: value
        for name, value in inherited.items()
        if not (name.startswith(_OURS) or name.lower() in _PROXIES or name == "LD_PRELOAD" or _is_home(name))
    }


def _is_home(name: str) -> bool:
    """Whether it names a folder of the tester's that would be used in place of one below HOME."""
    return name.startswith("XDG_") and name.endswith("_HOME")
