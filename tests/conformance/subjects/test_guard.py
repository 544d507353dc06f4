"""What the guard sees of other processes. What it does is shown in `test_process.py`, where it runs as a program of its own."""

import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from tunnel_conformance.subjects import guard

Listing = Callable[[], dict[int, tuple[int, int]]]

LISTINGS: list[Listing] = [guard._processes, *([guard._listed_by_ps] if Path("/bin/ps").exists() else [])]


@pytest.mark.parametrize("listing", LISTINGS)
def test_every_living_process_is_listed_with_its_parent_and_group(listing: Listing) -> None:
    with psutil.Popen(["sleep", "60"], start_new_session=True) as child:
        listed = listing()
        child.kill()

        # Dead, and not yet waited for.
        while child.status() != psutil.STATUS_ZOMBIE:
            pass
        later = listing()

    assert listed[os.getpid()] == (os.getppid(), os.getpgrp())
    assert listed[child.pid] == (os.getpid(), child.pid)
    assert child.pid not in later
