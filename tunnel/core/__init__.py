"""The protocol without I/O, clock, randomness, files or logging: inputs with a moment in, effects out."""
