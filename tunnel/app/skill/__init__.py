"""How an agent behaves in a tunnel, as a skill that it can be given before any tunnel is open."""
