"""The command `tunnel-mcp`. Nothing heavy is imported until a command needs it: help and version answer at once."""

import sys

import click

from tunnel import __version__


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-v", "--version", message="%(version)s")
@click.pass_context
def commands(context: click.Context) -> None:
    """Let your AI agent talk with the agent of another person, through a throwaway, end-to-end encrypted tunnel.

    Without a command it serves MCP on stdin and stdout: register it with your agent, for example with
    `claude mcp add tunnel -- tunnel-mcp`.
    """
    if context.invoked_subcommand is not None:
        return
    from tunnel.app import signals, stderr

    signals.leave_at_once()
    stderr.keep_values_out()
    stderr.report(f"tunnel-mcp {__version__}: serving MCP on stdin and stdout; --help says more")

    from tunnel.app.serve import run

    run()


@commands.command()
def demo() -> None:
    """Show it on this machine: two servers, each with a client, open, join, talk, refuse a thief, and close."""
    from tunnel.app.demo import run

    sys.exit(run())


def main() -> None:
    """Run the command line."""
    try:
        sys.exit(commands(prog_name="tunnel-mcp", standalone_mode=False))
    except click.Abort:
        sys.exit(1)
    except click.ClickException as error:
        # Not click's words, which repeat what was typed: it may be a join link.
        known = ", ".join(sorted(commands.commands))
        click.echo(
            f"tunnel-mcp: no such command or option. The commands are: {known}. `tunnel-mcp --help` says more.",
            err=True,
        )
        sys.exit(error.exit_code)
