"""Every run, in the order in which they are run and shown."""

from typing import Final

from tests.endurance import (
    a_day,
    crowd,
    cut_frames,
    cycles,
    cycles_of_servers,
    dropped_connections,
    full_disk,
    hostile_guest,
    late_packets,
    long_sleep,
    lost_packets,
    messages,
    own_clock,
    stopped_process,
    stopped_reader,
    wall_clock,
)
from tests.endurance.results import Run

RUNS: Final[dict[str, Run]] = {
    module.RUN.name: module.RUN
    for module in (
        cycles,
        cycles_of_servers,
        messages,
        crowd,
        hostile_guest,
        stopped_reader,
        cut_frames,
        dropped_connections,
        lost_packets,
        late_packets,
        wall_clock,
        own_clock,
        a_day,
        stopped_process,
        long_sleep,
        full_disk,
    )
}
