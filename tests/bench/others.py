"""How much of the machine others use meanwhile: what all cores worked, without what this process and its children did.

The system's load would count the measuring itself, and for minutes what was before it.
"""

import os
import time
from typing import Final

import psutil
from msgspec import Struct

LOOK_SECONDS: Final = 2.0
"""How long is looked before anything begins."""

IDLE: Final = ("idle", "iowait", "guest", "guest_nice")
"""What is no work, or is counted elsewhere; what a hypervisor steals is work of others."""


class Moment(Struct, frozen=True, kw_only=True):
    """What has been worked until now, in seconds."""

    ticks: float
    all: float
    """By all cores."""
    own: float
    """By this process and the children that it has seen end."""


def moment() -> Moment:
    """Now."""
    times = psutil.cpu_times()._asdict()
    worked = sum(seconds for kind, seconds in times.items() if kind not in IDLE)
    return Moment(ticks=time.monotonic(), all=worked, own=sum(os.times()[:4]))


def cores(began: Moment, ended: Moment) -> float:
    """How many cores others kept busy between, on the average."""
    worked = (ended.all - began.all) - (ended.own - began.own)
    return max(0.0, worked / (ended.ticks - began.ticks))


def now() -> float:
    """How many cores others keep busy while nothing is measured."""
    began = moment()
    time.sleep(LOOK_SECONDS)
    return cores(began, moment())
