"""Reads the tables and writes what follows from them. Nothing of it is shipped."""
