"""Judges any implementation of the protocol `tunnel`: it plays the other side, and believes only what it can see."""

__version__ = "0.1.0"
