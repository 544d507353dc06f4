"""`python -m tunnel` is the command `tunnel-mcp`."""

from tunnel.app.cli import main

main()
