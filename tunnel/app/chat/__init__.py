"""How a person takes one end of a tunnel, in a terminal or by pipes."""
