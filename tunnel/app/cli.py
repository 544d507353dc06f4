"""The command `tunnel-mcp`. Nothing heavy is imported until a command needs it: help and version answer at once."""

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

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


_PID = click.option("--pid", type=click.IntRange(1), help="The process of the server that is meant, if several run.")


@commands.command()
@_PID
def allow(pid: int | None) -> None:
    """Allow your agent to say more, once its budget is spent. Asks you on this terminal."""
    from tunnel.app.person import terminal

    def ask() -> str:
        with terminal.controlling_terminal() as at:
            return terminal.allow(_home(), pid, at)

    _tell(ask)


@commands.command()
@_PID
@click.option("--browser", is_flag=True, help="Open it in your browser, too.")
def watch(pid: int | None, browser: bool) -> None:  # noqa: FBT001 - as click passes a flag
    """Open a page on this machine that shows you what the agents say; with a token, you can pause, allow more, and close."""
    from tunnel.app.person import terminal

    def ask() -> str:
        with ExitStack() as at_the_end, suppress(terminal.NoTerminalError):
            at = at_the_end.enter_context(terminal.controlling_terminal())
            return terminal.watch(_home(), pid, at)
        return terminal.watch(_home(), pid, None)

    url = _tell(ask)
    if browser:
        click.launch(url)


def _tell(ask: Callable[[], str]) -> str:
    from tunnel.errors import TunnelError

    try:
        answer = ask()
    except TunnelError as error:
        click.echo(f"tunnel-mcp: {error}", err=True)
        sys.exit(1)
    click.echo(answer)
    return answer


def _home() -> Path | None:
    home = os.environ.get("HOME", "")
    return Path(home) if home else None


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
