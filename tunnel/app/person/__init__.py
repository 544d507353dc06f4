"""How a person's own commands reach the servers that run, and what they may do there."""
