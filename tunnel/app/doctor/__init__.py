"""Looks at everything that a tunnel needs on this machine, and says what is missing and what to do."""
