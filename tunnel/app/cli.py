"""The command `tunnel-mcp`. Nothing heavy is imported until a command needs it: help and version answer at once."""

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from difflib import get_close_matches
from pathlib import Path

import click

from tunnel import __version__


def _transports(_context: click.Context, _option: click.Parameter, typed: str) -> list[str]:
    from tunnel.transport.choose import TRANSPORTS

    return [name for name in TRANSPORTS if name.startswith(typed)]


def _clients(_context: click.Context, _argument: click.Parameter, typed: str) -> list[str]:
    from tunnel.app.registration import CLIENTS

    return [client.id for client in CLIENTS if client.id.startswith(typed)]


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-v", "--version", message="%(version)s")
@click.pass_context
def commands(context: click.Context) -> None:
    """Let your AI agent talk with the agent of another person, through a throwaway, end-to-end encrypted tunnel.

    Without a command it serves MCP on stdin and stdout, which your agent starts: `tunnel-mcp config CLIENT` prints how it
    is registered.
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


@commands.command()
@click.option("--open", "goal", metavar="GOAL", help="Open a tunnel for this goal, and show its join link.")
@click.option(
    "--transport",
    metavar="NAME",
    default="",
    shell_complete=_transports,
    help="How the guest reaches this machine, for --open.",
)
@click.option("--name", metavar="NAME", default="", help="By which name the other side knows you.")
@click.argument("arguments", nargs=-1, metavar="", type=click.UNPROCESSED)
def chat(goal: str | None, transport: str, name: str, arguments: tuple[str, ...]) -> None:
    """Take one end of a tunnel yourself. Without --open it joins, and asks for the join link, or reads it from stdin.

    Without a terminal, every line of stdin is a message, after the link, and every message is a line of stdout.
    """
    if arguments:
        click.echo(
            "tunnel-mcp: chat takes no argument, and never a join link: others on this machine could read it there. Run "
            "`tunnel-mcp chat` and paste the link when it asks. If it was one, ask for a new one.",
            err=True,
        )
        sys.exit(2)
    from tunnel.app import signals

    signals.leave_at_once()
    from tunnel.app.chat.command import Wishes, run

    run(Wishes(goal=goal, transport=transport, name=name))


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


_BROWSER = "Open it in your browser, too. Others on this machine can then see its address in the list of processes, and look on."


@commands.command()
@_PID
@click.option("--browser", is_flag=True, help=_BROWSER)
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


@commands.command()
@click.option("--json", "as_json", is_flag=True, help="A list of objects, for programs.")
def doctor(as_json: bool) -> None:  # noqa: FBT001 - as click passes a flag
    """Look at everything that a tunnel needs on this machine, and say what to do. Its status is 1 if there is a problem."""
    from tunnel.app.doctor.command import run

    sys.exit(run(json=as_json))


@commands.command()
@click.argument("client", required=False, default="", shell_complete=_clients)
@click.option("--transport", shell_complete=_transports, help="The transport that the server is to use.")
@click.option("--env", "variables", multiple=True, metavar="NAME=VALUE", help="A variable for the server; repeatable.")
def config(client: str, transport: str | None, variables: tuple[str, ...]) -> None:
    """Print how CLIENT is told of this program: claude-code, codex, cursor, gemini, opencode, vscode or zed."""
    from tunnel.app import registration
    from tunnel.transport.choose import TRANSPORTS

    program = registration.this_program(sys.argv[0])
    try:
        found = registration.register(
            client,
            variables,
            transport,
            list(TRANSPORTS),
            os.environ,
            program,
            is_installed=registration.is_installed(),
        )
    except registration.BadRegistrationError as error:
        click.echo(f"tunnel-mcp: {error}", err=True)
        sys.exit(2)
    click.echo(found.advice, err=True)
    click.echo(found.snippet.encode("utf-8"))


@commands.command("install-skill")
@click.option("--dir", "folder", help="The folder of your agent's skills; ~/.claude/skills if it is not given.")
@click.option("--force", is_flag=True, help="Replace another text that is there.")
def install_skill(folder: str | None, force: bool) -> None:  # noqa: FBT001 - as click passes a flag
    """Give your agent a skill that tells it how to behave in a tunnel."""
    from tunnel.app.settings import read_settings
    from tunnel.app.skill.install import install_as_asked

    _tell(lambda: install_as_asked(read_settings(os.environ), folder, force=force))


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
        near = get_close_matches(" ".join(sys.argv[1:2]), commands.commands, n=1)
        meant = f" Did you mean {near[0]}?" if near and near != sys.argv[1:2] else ""
        click.echo(
            f"tunnel-mcp: no such command or option.{meant} The commands are: {known}. `tunnel-mcp --help` says more.",
            err=True,
        )
        sys.exit(error.exit_code)
