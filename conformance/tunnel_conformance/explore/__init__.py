"""Searches for conversations in which an implementation and the tables differ: no case is needed for that, and each find becomes one."""
