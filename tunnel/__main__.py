"""`python -m tunnel` is `tunnel-mcp`."""

from tunnel.app.cli import main

main()
