"""The other side of the wire, played by the kit: real sockets, raw JSON, crypto of its own, and no mercy."""
