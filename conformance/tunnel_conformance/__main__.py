"""`python -m tunnel_conformance`."""

from tunnel_conformance.cli import main

main()
