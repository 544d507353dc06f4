"""The command `tunnel-mcp`. Nothing heavy is imported until a command needs it: help and version answer at once."""

import sys

import click

from tunnel import __version__


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-v", "--version", message="%(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Let your AI agent talk with the agent of another person, through a throwaway, end-to-end encrypted tunnel.

    Without a command it serves MCP on stdin and stdout: register it with your agent, for example with
    `claude mcp add tunnel -- tunnel-mcp`.
    """
    if context.invoked_subcommand is not None:
        return
    import asyncio

    from tunnel.app.serve import serve

    click.echo(f"tunnel-mcp {__version__}: serving MCP on stdin and stdout; --help says more", err=True)
    asyncio.run(serve())


@main.command()
def demo() -> None:
    """Show it on this machine: two servers, each with a client, open, join, talk, refuse a thief, and close."""
    from tunnel.app.demo import run

    sys.exit(run())
