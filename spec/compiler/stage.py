"""`python -m spec.compiler.stage`: plays scripts with the core that lies in the working directory, again and again.

For every line on stdin, scripts as JSON, a child of this process imports the core afresh, as it then lies there, and plays
them until one is not heard as written. The answer is a line of JSON: `null`, or what went wrong in which script.
"""

import json
import os
import signal
import sys
from importlib import import_module
from typing import Any

AT_HAND = ("hashlib", "msgspec", "nacl.secret", "nacl.bindings", "transitions")
"""What every child needs and no table changes."""

SECONDS = 0.25
SECONDS_A_SCRIPT = 0.01
"""Processor time after which a core that does not come back is given up: many times what it takes to play."""


def main() -> None:
    """Answer every line."""
    for module in AT_HAND:
        import_module(module)
    assert "tunnel" not in sys.modules
    for line in sys.stdin:
        child = os.fork()
        if not child:
            answer(play(json.loads(line)))
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            answer("it does not come back")


def play(scripts: Any) -> str | None:  # what JSON holds
    """What is not heard as written first, if anything is."""
    try:
        host, guest = import_module("spec.compiler.host_actor"), import_module("spec.compiler.guest_actor")
        actors = {"host": host.HostActor, "guest": guest.GuestActor}
    except Exception as error:  # noqa: BLE001 - whatever a broken table does to the core counts as noticed
        return f"the core cannot be imported: {error!r}"
    signal.setitimer(signal.ITIMER_PROF, SECONDS + SECONDS_A_SCRIPT * len(scripts))
    for role, turns in scripts:
        lines = [line for line, _ in turns]
        try:
            actor = actors[role]()
            for at, (line, heard) in enumerate(turns, 1):
                if (found := actor.play(line)) != heard:
                    return f"{role} {lines[:at]}: heard {found} for {heard}"
        except Exception as error:  # noqa: BLE001 - as above
            return f"{role} {lines}: {error!r}"
    return None


def answer(found: str | None) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
