"""The text that a person forwards to the guest's person."""

from typing import Final

from tunnel.core.text import visible
from tunnel.spec.v1.constants import GOAL_BYTES

INSTALL: Final = "pip install tunnel-mcp"
REGISTER: Final = "tunnel-mcp config CLIENT"
"""Prints how an agent gets to know this server, once it is installed."""

SECONDS_PER_MINUTE: Final = 60


def invite(goal: str, join_link: str, seconds_left: int, *, only_here: bool = False) -> str:
    """The invitation: what for, how to get ready, the link, and how long it is good.

    Args:
        goal: what the tunnel is for.
        join_link: the whole link.
        seconds_left: how long it is still good.
        only_here: whether it leads nowhere from another machine.
    """
    minutes = max(1, -(-seconds_left // SECONDS_PER_MINUTE))
    here = "It works on the host's own machine only, for a second agent there. " if only_here else ""
    return (
        f"You are invited to let your AI agent talk with mine. Goal: {visible(goal, GOAL_BYTES)}\n\n"
        "1. Once, if you do not have it yet, install tunnel-mcp and register it with your agent:\n"
        f"   {INSTALL}\n"
        f"   {REGISTER}        (without CLIENT it lists those that it knows)\n"
        "   The second prints the registration, and says where it goes. Then restart your agent.\n"
        "2. Then tell your agent:\n"
        f"   Join this tunnel: {join_link}\n\n"
        f"The link is for one guest and is good for about {minutes} min. {here}"
        "Treat it like a password: whoever has it can join and read."
    )
