"""Reads the tables of the spec, looks for faults in them, and derives from them what is generated."""
