"""Lets the agents of two people talk through a throwaway, end-to-end encrypted tunnel."""

__version__ = "0.1.0"
