"""The command `tunnel-conformance`. Its exit status is the verdict; nothing heavy is imported until a command needs it."""

import sys
import traceback
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

import click

from tunnel_conformance import __version__

if TYPE_CHECKING:
    from tunnel.spec.model import Case
    from tunnel_conformance.judging import Named, Wish
    from tunnel_conformance.report.expect import Expectations

INVALID: Final = 3
INTERRUPTED: Final = 130

_COMMAND = {"allow_interspersed_args": False, "ignore_unknown_options": False}

# Any: click's decorators take and give back whatever function there is.
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class _Commands(click.Group):
    """Names what is near when there is no such command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            near = get_close_matches(args[0], self.commands, n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise click.UsageError(
                f"No such command {args[0]!r}. {hint}The commands are: {', '.join(self.commands)}.", ctx
            )
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # Any: as click has it
        """Run a command. When nobody reads on, Click would exit with the status of a verdict."""
        try:
            status = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            from tunnel_conformance.ending import UNREAD, forget_stdout

            forget_stdout()
            return UNREAD
        return status


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="%(version)s")
def commands() -> None:
    r"""Judge an implementation of the protocol `tunnel`, wire version 1, in any language, as host and as guest.

    \b
      tunnel-conformance host  -- node server.js
      tunnel-conformance guest -- node server.js
      tunnel-conformance explain LINK-1

    The exit status is the verdict: 0 when nothing counts against it, 1 when something does, 2 for a mistake in the command,
    3 when the kit did not come as far as a verdict.
    """


def _options(*options: Decorator) -> Decorator:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


_file = click.Path(dir_okay=False, path_type=Path)
_folder = click.Path(file_okay=False, path_type=Path)

_reports = _options(
    click.option("--junit", type=_file, metavar="FILE", help="Write JUnit XML, which CI servers read."),
    click.option(
        "--html",
        type=_folder,
        metavar="DIR",
        help="Write pages for people; the folder is made, or holds an earlier report.",
    ),
    click.option(
        "--expect",
        type=_file,
        metavar="FILE",
        help="Failures that are known, with their reasons (TOML). A stale entry fails.",
    ),
)

_judging = _options(
    click.option(
        "--only",
        multiple=True,
        metavar="NAME",
        help="Only these cases: an id, a rule, or a pattern such as 'lock-*'. May be repeated.",
    ),
    click.option(
        "--cases",
        type=_file,
        metavar="FILE",
        help="The cases of this file (TOML, as --explore prints them) in the place of the spec's.",
    ),
    click.option(
        "--control",
        type=click.Choice(["mcp", "line"]),
        default="mcp",
        show_default=True,
        help="How it is told what its agent does.",
    ),
    click.option("--env", multiple=True, metavar="K=V", help="Set in its environment. May be repeated."),
    click.option(
        "--time",
        type=click.Choice(["faketime", "real", "none"]),
        default="faketime",
        show_default=True,
        help="How protocol time passes: sped up, as it is, or not at all, without the cases that need it.",
    ),
    click.option(
        "--time-env",
        default="",
        metavar="NAME",
        help="A variable by which it speeds its own clock up: so many times as fast.",
    ),
    click.option("--slow", is_flag=True, help="Play all time cases at once in real time (about 35 minutes)."),
    click.option(
        "--jobs",
        type=click.IntRange(1, 64),
        default=2,
        show_default=True,
        help="So many processes play the other cases.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(1, 3600),
        default=60.0,
        show_default=True,
        metavar="SECONDS",
        help="Real time for a case, beyond what it lets pass.",
    ),
    _reports,
)

_command = click.argument("command", nargs=-1, type=click.UNPROCESSED, required=True, metavar="-- COMMAND...")
_exploring = _options(
    click.option(
        "--explore",
        type=click.IntRange(1, 1_000_000),
        metavar="N",
        help="Instead of the cases, try N conversations that chance draws, beside the tables; print the shortest one that differs.",
    ),
    click.option(
        "--seed", type=int, default=0, show_default=True, metavar="S", help="With --explore: what chance begins with."
    ),
)
_name = click.option("--name", default="", metavar="NAME", help="What it is called in reports; else its command.")
_records = click.option(
    "--ndjson", type=_file, metavar="FILE", help="Write each record as it falls, a line of JSON each."
)


@commands.command(context_settings=_COMMAND)
@_judging
@_exploring
@_name
@_records
@_command
def host(command: tuple[str, ...], name: str, **wish: Any) -> int:
    """Judge an implementation as host: the kit plays its guests, and strangers."""
    return _judge_one("host", command, name, wish)


@commands.command(context_settings=_COMMAND)
@_judging
@_exploring
@_name
@_records
@_command
def guest(command: tuple[str, ...], name: str, **wish: Any) -> int:
    """Judge an implementation as guest: the kit plays its host."""
    return _judge_one("guest", command, name, wish)


@commands.command()
@_judging
@click.option("--ndjson", type=_folder, metavar="DIR", help="Write a file of records for each run into this folder.")
@click.argument("subjects", nargs=-1, required=True, metavar="NAME=COMMAND...")
def matrix(subjects: tuple[str, ...], **wish: Any) -> int:
    """Judge several implementations, in both roles, and have each talk with each.

    COMMAND is one word for your shell: 'mine=node server.js'.
    """
    from tunnel_conformance.judging import judge

    named = [_named(subject) for subject in subjects]
    twice = sorted({one.name for one in named if [other.name for other in named].count(one.name) > 1})
    if twice:
        raise click.UsageError(f"Two implementations are called {', '.join(twice)}; give each its own name.")
    return judge(named, None, _wish(wish))


@commands.command()
@_reports
@click.argument("runs", nargs=-1, required=True, type=_file, metavar="RUN.ndjson...")
def report(runs: tuple[Path, ...], **wanted: Any) -> int:
    """Report on runs that were written with --ndjson."""
    from tunnel_conformance import judging
    from tunnel_conformance.report.ndjson import InvalidRunError, read

    wish = judging.Wish(wanted=_wanted(wanted))
    judging.check(wish)
    try:
        return judging.report([read(path) for path in runs], wish.wanted)
    except InvalidRunError as error:
        click.echo(f"Not a run: {error}", err=True)
        return INVALID


@commands.command(name="list")
@click.option("--role", type=click.Choice(["host", "guest"]), help="Only cases that judge this role.")
@click.option("--rule", default="", metavar="ID", help="Only cases that prove this rule.")
def list_(role: str | None, rule: str) -> int:
    """List the cases: id, role, rules, and what each shows."""
    from tunnel.spec.model import Role
    from tunnel_conformance.explain import UnknownName, listed
    from tunnel_conformance.spec import rules

    if rule and rule.upper() not in rules():
        near = ", ".join(get_close_matches(rule.upper(), rules(), n=3))
        raise UnknownName(f"No rule is called {rule!r}. {f'Near are: {near}.' if near else ''}".strip())
    found = listed(Role(role) if role else None, rule)
    width = max((len(case.id) for case in found), default=0)
    for case in found:
        timed = "time" if "time" in case.needs else ""
        click.echo(f"{case.id:<{width}}  {case.judges.value:<5}  {timed:<4}  {case.title}  [{', '.join(case.rules)}]")
    return 0


@commands.command()
@click.argument("name", metavar="RULE|CASE")
def explain(name: str) -> int:
    """Say what stands behind a rule or a case: the sentence, what carries it out, how a breach is seen."""
    from tunnel_conformance.explain import explain as lines

    for line in lines(name):
        click.echo(line)
    return 0


@commands.command()
@click.option("--to", type=_folder, metavar="DIR", help="Copy the files into this folder.")
@click.option("--ask", is_flag=True, help="Write each vector without its answer, a line of JSON each.")
@click.option(
    "--check",
    "answers",
    type=click.File("r", encoding="utf-8", errors="replace"),
    metavar="FILE",
    help="Check answers, a line of JSON each; '-' is stdin.",
)
def vectors(to: Path | None, answers: Any, *, ask: bool) -> int:
    r"""List the test vectors of the spec, copy them, or ask and check an implementation.

    \b
    A question is a vector without its answer; an answer repeats its file and name:
      {"file": "seal", "name": "one letter", "answer": "TVRbYmlwd36F..."}
    \b
      tunnel-conformance vectors --ask | ./mine | tunnel-conformance vectors --check -
    """
    from tunnel_conformance import vectors as all_vectors

    if sum((to is not None, ask, answers is not None)) > 1:
        raise click.UsageError("Only one of --to, --ask and --check can be given.")
    if to is not None:
        click.echo(f"{len(all_vectors.copy(to))} files in {to}")
    elif ask:
        for question in all_vectors.questions():
            click.echo(question)
    elif answers is not None:
        checked = all_vectors.check(answers)
        for wrong in checked.wrong:
            click.echo(f"WRONG  {wrong}")
        for file, asked in checked.asked.items():
            click.echo(f"{file:<18}  {checked.right[file]:>3} of {asked:>3} right")
        return 1 if checked.wrong else 0
    else:
        for file, kind in all_vectors.KINDS.items():
            number = sum(name == file for name, _ in all_vectors.vectors())
            click.echo(f"{file}  {number} vectors: {all_vectors.claims()[file]}")
            click.echo(f"  asks {', '.join(kind.asks)}; the answer is {kind.means}")
    return 0


@commands.command(context_settings=_COMMAND)
@click.option("--env", multiple=True, metavar="K=V", help="Set in its environment. May be repeated.")
@_command
def lint_line(command: tuple[str, ...], env: tuple[str, ...]) -> int:
    """Try a program that is to be controlled by lines, and check each line that it writes."""
    import asyncio

    from tunnel_conformance.subjects.lint import lint

    wrong = asyncio.run(lint(command, _environment(env), click.echo))
    click.echo(f"{wrong} wrong" if wrong else "All lines are as they should be.")
    return 1 if wrong else 0


def main() -> None:
    """Run the command line."""
    try:
        sys.exit(commands(prog_name="tunnel-conformance", standalone_mode=False))
    except (KeyboardInterrupt, click.Abort):
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 - the last one there is: its status must not be that of a verdict
        if _is_usage(error):
            click.echo(f"Error: {error}", err=True)
            sys.exit(2)
        # Whatever is wrong with the kit is no verdict on an implementation.
        traceback.print_exc()
        click.echo("The kit itself failed: this says nothing about the implementation.", err=True)
        sys.exit(INVALID)


def _is_usage(error: Exception) -> bool:
    # By name: the modules are imported only by the commands that raise them.
    return type(error).__name__ in ("BadWish", "BadCases", "BadExpectations", "UnknownName") and type(
        error
    ).__module__.startswith("tunnel_conformance.")


def _judge_one(role: str, command: tuple[str, ...], name: str, wish: dict[str, Any]) -> int:
    from tunnel.spec.model import Role
    from tunnel_conformance.judging import Named, judge

    examples, seed = wish.pop("explore"), wish.pop("seed")
    subject = Named(name or name_of(command), command)
    if examples is None:
        return judge([subject], Role(role), _wish(wish))
    told = [option for option in ("only", "cases", "junit", "html", "expect", "ndjson") if wish[option]]
    if told or wish["slow"]:
        raise click.UsageError(
            f"--explore plays no cases and writes no reports: leave out --{told[0] if told else 'slow'}."
        )
    from tunnel_conformance.exploring import search

    return search(subject, Role(role), _wish(wish), examples, seed)


def name_of(command: tuple[str, ...]) -> str:
    """What a command is called in reports: its first two words that are no options, without folders, `node server.js`."""
    words = [PurePath(word).name for word in command if not word.startswith("-") and "=" not in word]
    return " ".join(words[:2]) or "unnamed"


def _named(subject: str) -> "Named":
    import shlex

    from tunnel_conformance.judging import Named

    name, equals, command = subject.partition("=")
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise click.UsageError(f"The command in {subject!r} cannot be split into words: {error}.") from error
    if not (name and equals and words):
        raise click.UsageError(f"{subject!r} is no NAME=COMMAND, such as 'mine=node server.js'.")
    return Named(name, words)


def _environment(pairs: tuple[str, ...]) -> dict[str, str]:
    for pair in pairs:
        if not pair.partition("=")[0] or "=" not in pair or "\0" in pair:
            raise click.UsageError(f"--env {pair!r} is no K=V, such as TUNNEL_TRANSPORT=loopback.")
    return dict(pair.split("=", 1) for pair in pairs)


def _wanted(given: dict[str, Any]) -> Any:
    from tunnel_conformance.judging import Wanted

    return Wanted(junit=given["junit"], html=given["html"], expectations=_expectations(given["expect"]))


def _expectations(path: Path | None) -> "Expectations":
    from tunnel_conformance.report.expect import Expectations, read

    return read(path) if path else Expectations()


def _cases(path: Path | None) -> "tuple[Case, ...] | None":
    from tunnel_conformance.case_file import read

    return read(path) if path else None


def _wish(given: dict[str, Any]) -> "Wish":
    from tunnel_conformance.judging import Wish

    if given["time_env"] and (given["slow"] or given["time"] != "faketime"):
        raise click.UsageError("--time-env speeds time up; it goes with neither --slow nor --time real or none.")
    return Wish(
        only=given["only"],
        cases=_cases(given["cases"]),
        control=given["control"],
        environment=_environment(given["env"]),
        time=given["time"],
        time_env=given["time_env"],
        slow=given["slow"],
        jobs=given["jobs"],
        seconds=given["timeout"],
        records=given["ndjson"],
        wanted=_wanted(given),
    )
