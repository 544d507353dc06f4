"""The command line as people and CI use it: quick answers, plain refusals, and an exit status that is the verdict."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tunnel_conformance import __version__
from tunnel_conformance.cli import name_of
from tunnel_conformance.records import Outcome, Run
from tunnel_conformance.report.html.pages import MARKER
from tunnel_conformance.report.ndjson import encode, read
from tunnel_conformance.vectors import KINDS, PAPERS, vectors

from tests.app.processes import COMMAND
from tests.conformance.report.samples import run, verdict

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "conformance")])}
KIT = [sys.executable, "-m", "tunnel_conformance"]
IN_THE_FOREGROUND = (
    sys.executable,
    "-c",
    (
        "import os, signal, sys; [signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGHUP)]; "
        "os.execv(sys.argv[1], sys.argv[1:])"
    ),
)
"""A shell starts background jobs with SIGINT ignored, and `nohup` what it starts with SIGHUP ignored: so perhaps all of us."""

BY_LINES = [sys.executable, "-m", "tunnel_conformance.broken"]
"""Our own implementation, controlled by lines: it starts faster."""
OURS = ["--env", "TUNNEL_TRANSPORT=loopback", "--name", "ours"]
HEAVY = {"mcp", "websockets", "msgspec", "nacl", "rich", "jinja2", "hypothesis", "asyncio", "tunnel"}


def kit(*arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*KIT, *arguments], input=stdin, capture_output=True, text=True, check=False, env=ENVIRONMENT, encoding="utf-8"
    )


def written(folder: Path, made: Run, name: str = "run.ndjson") -> str:
    path = folder / name
    path.write_bytes(b"".join(encode(record) + b"\n" for record in (made.header, *made.verdicts, made.footer)))
    return str(path)


# --- Quick answers ---------------------------------------------------------------------------------------------------


def test_the_version_is_a_bare_number() -> None:
    assert kit("--version").stdout == f"{__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["host", "--help"], ["--version"]])
def test_a_quick_answer_imports_nothing_heavy(arguments: list[str]) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "tunnel_conformance", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if "|" in line}

    assert "click" in imported
    assert imported & HEAVY == set()


def test_help_names_every_command() -> None:
    told = kit("--help").stdout

    for command in ("host", "guest", "matrix", "report", "list", "explain", "vectors", "lint-line"):
        assert re.search(rf"^  {command} ", told, re.MULTILINE)


# --- Mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "Usage: tunnel-conformance"),
        (["hots"], "Did you mean 'host'? The commands are: host, guest, matrix,"),
        (["zzz"], "No such command 'zzz'. The commands are: "),
        (["host"], "Missing argument"),
        (["host", "--"], "Missing argument"),
        (["host", "--cntrol", "line", "x"], "No such option"),
        (["host", "--control", "tcp", "x"], "'mcp', 'line'"),
        (["host", "--jobs", "0", "x"], "range"),
        (["host", "--env", "TUNNEL", "x"], "--env 'TUNNEL' is no K=V"),
        (["host", "--only", "lokc-*", "x"], "--only 'lokc-*' means no case of a host"),
        (["host", "--only", "lock-rac", "x"], "Near are: lock-race"),
        (["guest", "--only", "lock-race", "x"], "means no case of a guest"),
        (["host", "--only", "link-expires", "--time", "none", "x"], "needs time, and --time none leaves those out"),
        (["host", "--time-env", "SPEED", "--slow", "x"], "goes with neither"),
        (["host", "--expect", "/none.toml", "x"], "/none.toml: cannot be read"),
        (["host", "--ndjson", "/none/x", "x"], "there is no folder /none"),
        (["host", "--html", "/proc", "x"], "holds something that is no report"),
        (["matrix", "x"], "'x' is no NAME=COMMAND"),
        (["matrix", "a="], "'a=' is no NAME=COMMAND"),
        (["matrix", "a='"], "cannot be split into words"),
        (["matrix", "a=x", "a=y"], "Two implementations are called a"),
        (["report", "x", "--junit", "/none/x"], "there is no folder /none"),
        (["explain", "LIKN-1"], "Near are: LINK-1"),
        (["list", "--rule", "LIKN-1"], "Near are: LINK-1"),
        (["vectors", "--ask", "--to", "x"], "Only one of"),
    ],
    ids=" ".join,
)
def test_a_mistake_is_named_with_what_is_allowed_and_nothing_runs(arguments: list[str], complaint: str) -> None:
    done = kit(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


# --- Looking things up -----------------------------------------------------------------------------------------------


def test_cases_are_listed() -> None:
    lines = kit("list", "--role", "host", "--rule", "LINK-2").stdout.splitlines()

    assert any(re.match(r"link-expires +host +time +an unused link", line) for line in lines)
    assert all("LINK-2" in line for line in lines)


def test_a_rule_is_explained() -> None:
    done = kit("explain", "lock-1")

    assert done.returncode == 0
    assert done.stdout.startswith("LOCK-1  MUST, binds host\n")


def test_vectors_are_listed_copied_asked_and_checked(tmp_path: Path) -> None:
    asked = kit("vectors", "--ask").stdout.splitlines()
    answers = [json.dumps({"file": f, "name": n, "answer": KINDS[f].answer(v)}) for (f, n), v in vectors().items()]
    right = kit("vectors", "--check", "-", stdin="\n".join(answers))
    wrong = kit("vectors", "--check", "-", stdin="\n".join(answers[1:]))

    assert "seal  12 vectors: A text, sealed" in kit("vectors").stdout
    assert kit("vectors", "--to", str(tmp_path)).stdout == f"{len(KINDS) + len(PAPERS)} files in {tmp_path}\n"
    assert len(asked) == len(vectors())
    assert (right.returncode, "WRONG" in right.stdout) == (0, False)
    assert (wrong.returncode, wrong.stdout.count("WRONG")) == (1, 1)


@pytest.mark.parametrize("command", ["list", "explain LOCK-1", "vectors --ask", "report RUN"])
def test_whoever_reads_no_further_gets_no_traceback_and_no_verdict(tmp_path: Path, command: str) -> None:
    words = command.replace("RUN", written(tmp_path, run(verdict()))).split()
    junit = tmp_path / "junit.xml"
    reads, writes = os.pipe()
    os.close(reads)
    if words[0] == "report":
        words += ["--junit", str(junit)]
    done = subprocess.run([*KIT, *words], stdout=writes, stderr=subprocess.PIPE, check=False, env=ENVIRONMENT)
    os.close(writes)

    assert (done.returncode, done.stderr) == (141, b"")
    assert junit.exists() is (words[0] == "report")


def test_who_has_no_terminal_and_nobody_who_reads_gets_no_verdict(tmp_path: Path) -> None:
    """At a terminal Rich writes, which has an exit status of its own for this."""
    told = "from tunnel_conformance.ending import Paper; Paper(force_terminal=True).print('x')"
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run(
        [sys.executable, "-c", told], stdout=writes, stderr=subprocess.PIPE, check=False, env=ENVIRONMENT
    )
    os.close(writes)

    assert b"BrokenPipeError" in done.stderr


EXPLORED = """[[cases]]
id = "explored-a"
title = "a stranger is let in"
judges = "host"
rules = ["LOCK-1"]
steps = [
  { do = "open" },
  { do = "join", expect = "admitted" },
  { do = "join", by = "B", expect = "refused", expects = { reason = "tunnel full" } },
]
"""


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("", "", ""),
        ("[[cases]]", "[[case]]", "Object contains unknown field `case`. A case is a table [[cases]]"),
        ('"LOCK-1"', '"LOCK' + '-99"', "explored-a: no rule is called 'LOCK" + "-99'"),
        ('do = "open"', 'do = "opne"', "explored-a, step 1: 'opne' is no verb; there are "),
        ('expect = "refused"', 'expect = "refsued"', "explored-a, step 3: 'refsued' is no outcome"),
        ("reason", "raeson", "explored-a, step 3: 'refused' takes no 'raeson'; it takes reason"),
        ('do = "open"', 'do = "open", tolerate = ["gnoe"]', "explored-a, step 1: 'gnoe' is no outcome"),
        ('judges = "host"', 'judges = "guest"', "holds no case of a host"),
        (EXPLORED, EXPLORED * 2, "2 cases are called 'explored-a'"),
        (EXPLORED, "cases = []", "it holds no cases"),
        ("[[cases]]", "[[cases", ". A case is a table [[cases]]"),
    ],
    ids=lambda text: text[:30],
)
def test_the_cases_of_a_file_are_played_or_what_is_wrong_with_it_is_named(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    path = tmp_path / "explored.toml"
    path.write_text(EXPLORED.replace(old, new), encoding="utf-8")
    words = BY_LINES if complaint else [*BY_LINES, "host-admits-a-second-guest"]
    done = kit("host", "--cases", str(path), "--control", "line", "--", *words)

    assert done.returncode == (2 if complaint else 1)
    assert complaint in done.stderr
    assert ("fail\t" in done.stdout) is (not complaint)
    if not complaint:
        assert done.stdout.count("\texplored-a\t") == 1


def test_a_file_of_cases_that_is_not_there_is_named() -> None:
    assert "/none.toml: cannot be read: No such file" in kit("host", "--cases", "/none.toml", "x").stderr


# --- Reports on runs that are there ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "status"), [(Outcome.PASS, 0), (Outcome.FAIL, 1), (Outcome.HARNESS, 3)], ids=["pass", "fail", "harness"]
)
def test_the_exit_status_of_a_report_is_the_verdict(tmp_path: Path, outcome: Outcome, status: int) -> None:
    done = kit("report", written(tmp_path, run(verdict(outcome=outcome))))

    assert done.returncode == status
    assert done.stdout.startswith(f"{outcome.value}\tours\thost\twire-normal\t")


def test_a_report_on_several_runs_is_written_in_every_form(tmp_path: Path) -> None:
    runs = [written(tmp_path, run(verdict(), subject=name), f"{name}.ndjson") for name in ("ours", "theirs")]
    done = kit("report", *runs, "--html", str(tmp_path / "html"), "--junit", str(tmp_path / "junit.xml"))

    assert done.returncode == 0
    assert "theirs" in (tmp_path / "html" / "index.html").read_text(encoding="utf-8")
    assert 'name="theirs as host"' in (tmp_path / "junit.xml").read_text(encoding="utf-8")


def test_a_file_that_is_no_complete_run_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cut.ndjson"
    path.write_bytes(encode(run().header) + b"\n")
    done = kit("report", str(path))

    assert (done.returncode, done.stdout) == (3, "")
    assert "cut.ndjson, line 2: the file ends without a footer" in done.stderr


@pytest.mark.parametrize(
    ("case", "status", "said"),
    [("wire-normal", 0, "Known and expected: 1."), ("lock-race", 1, "STALE  ours.host.lock-race: known as 'fail'")],
    ids=["known", "stale"],
)
def test_known_failures_are_excused_and_stale_ones_are_not(tmp_path: Path, case: str, status: int, said: str) -> None:
    known = tmp_path / "known.toml"
    known.write_text(f'[ours.host.{case}]\noutcome = "fail"\nreason = "not yet"\n', encoding="utf-8")
    outcome = Outcome.FAIL if case == "wire-normal" else Outcome.PASS
    path = written(tmp_path, run(verdict(outcome=outcome), verdict("lock-race")))
    done = kit("report", path, "--expect", str(known))

    assert done.returncode == status
    assert said in done.stdout


def test_a_report_that_cannot_be_written_is_no_success(tmp_path: Path) -> None:
    (tmp_path / MARKER).touch()
    (tmp_path / "cases").touch()
    done = kit("report", written(tmp_path, run(verdict())), "--html", str(tmp_path))

    assert done.returncode == 3
    assert "A report could not be written: " in done.stderr


def test_a_fault_of_the_kit_is_no_verdict(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import tunnel_conformance.spec as s; del s.DIGEST", encoding="utf-8")
    environment = {**ENVIRONMENT, "PYTHONPATH": os.pathsep.join([str(tmp_path), ENVIRONMENT["PYTHONPATH"]])}
    command = [*KIT, "host", "--", "/none/such"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    assert done.returncode == 3
    assert done.stderr.endswith("The kit itself failed: this says nothing about the implementation.\n")


# --- Judging ---------------------------------------------------------------------------------------------------------


def test_our_own_host_is_judged_and_leaves_a_complete_run(tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson"
    done = kit("host", *OURS, "--only", "lock-race", "--only", "SEAL-1", "--ndjson", str(path), "--", *COMMAND)
    found = read(path)

    assert done.returncode == 0, done.stdout
    assert {"lock-race", "wire-normal"} <= {verdict.case for verdict in found.verdicts}
    assert (found.header.subject, found.header.time, found.footer.exit_status) == ("ours", "none", 0)
    assert "pass\tours\thost\tlock-race\t" in done.stdout
    assert f"ours as host: {len(found.verdicts)}/{len(found.verdicts)} pass: " in done.stderr


def test_the_options_need_no_dashes_in_front_of_the_command() -> None:
    done = kit("guest", "--control", "line", "--only", "auth-one-answer", *BY_LINES)

    assert done.returncode == 0, done.stdout


def test_a_matrix_judges_both_roles_and_has_each_talk_with_each(tmp_path: Path) -> None:
    names = ["--only", "lock-race", "--only", "auth-one-answer", "--only", "pair-*"]
    subjects = [f"{name}={shlex.join(BY_LINES)}" for name in "ab"]
    done = kit("matrix", "--control", "line", *names, "--ndjson", str(tmp_path / "runs"), *subjects)

    assert done.returncode == 0, done.stdout
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {
        f"{n}-{r}.ndjson" for n in "ab" for r in ("host", "guest")
    }
    for host in "ab":
        for guest in "ab":
            for talk in ("pair-talk", "pair-close", "pair-leave"):
                assert f"pass\t{host}\thost\t{talk} with {guest}\t" in done.stdout


def test_a_matrix_of_host_cases_alone_plays_no_guest() -> None:
    done = kit("matrix", "--only", "lock-race", "gone=/none/such")

    assert done.returncode == 3
    assert "as guest" not in done.stdout
    assert "pair-" not in done.stdout


def test_what_cannot_be_started_is_no_verdict(tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson"
    done = kit("host", "--only", "wire-*", "--ndjson", str(path), "--", "/none/such")

    assert done.returncode == read(path).footer.exit_status == 3
    assert "/none/such" in done.stdout
    assert done.stdout.count("no such program") == 1


@pytest.mark.parametrize("options", [["--time", "real"], ["--time-env", "SPEED"], ["--control", "line"]])
def test_other_clocks_and_controls_are_taken(options: list[str]) -> None:
    assert kit("host", *options, "--only", "auth-in-time", "--", "/none/such").returncode == 3


def test_a_clock_that_cannot_be_sped_up_is_named() -> None:
    done = kit(
        "host",
        "--only",
        "link-expires",
        "--time-env",
        "NO_SUCH_SPEED",
        "--name",
        "ours",
        "--control",
        "line",
        *BY_LINES,
    )

    assert done.returncode == 1
    assert "It was told to go" in done.stderr
    assert "not testable\tours\thost\tlink-expires\t" in done.stdout


@pytest.mark.needs("faketime")
def test_a_clock_that_can_be_sped_up_is_used(tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson"
    done = kit("host", "--only", "auth-in-time", "--ndjson", str(path), "--control", "line", *BY_LINES)
    found = read(path)

    assert done.returncode == 0, done.stdout
    assert found.header.time == "faketime", done.stderr
    assert found.verdicts[0].speed > 1


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["Ctrl-C", "SIGTERM", "SIGHUP"],
)
def test_who_is_stopped_leaves_nothing_running_and_no_footer(tmp_path: Path, number: int, status: int) -> None:
    path = tmp_path / "run.ndjson"
    arguments = ["host", *OURS, "--only", "auth-in-time", "--time", "real", "--ndjson", str(path), "--", *COMMAND]
    command = [*IN_THE_FOREGROUND, *KIT, *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT) as kit:
        children = next(filter(None, family(kit.pid)))
        while not path.is_file() or not path.read_bytes():
            time.sleep(0.01)
        kit.send_signal(number)
        _, told = kit.communicate(timeout=20)

    assert kit.returncode == status
    assert b"nothing is left running" in told
    assert path.read_bytes().count(b"\n") == 1
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL], ids=lambda number: number.name)
@pytest.mark.parametrize("what", ["host", "lint-line"])
def test_who_is_stopped_leaves_no_folder(tmp_path: Path, number: signal.Signals, what: str) -> None:
    command = [*IN_THE_FOREGROUND, *KIT, what, "--", "sleep", "100"]
    with subprocess.Popen(command, env={**ENVIRONMENT, "TMPDIR": str(tmp_path)}, stderr=subprocess.DEVNULL) as kit:
        while not [child for child in psutil.Process(kit.pid).children(recursive=True) if child.name() == "sleep"]:
            time.sleep(0.01)
        were_there = list(tmp_path.iterdir())
        kit.send_signal(number)
        kit.wait(timeout=20)
    until = time.monotonic() + 10
    while list(tmp_path.iterdir()) and time.monotonic() < until:
        time.sleep(0.01)

    assert were_there
    assert list(tmp_path.iterdir()) == []


def test_a_trial_of_lines_is_stopped_as_well() -> None:
    command = [*IN_THE_FOREGROUND, *KIT, "lint-line", "--", "sleep", "100"]
    with subprocess.Popen(command, env=ENVIRONMENT) as kit:
        next(filter(None, family(kit.pid)))
        kit.send_signal(signal.SIGINT)
        status = kit.wait(timeout=20)

    assert status == 130


def family(pid: int) -> Iterator[list[psutil.Process]]:
    while True:
        yield psutil.Process(pid).children(recursive=True)


def test_a_program_that_is_controlled_by_lines_is_tried() -> None:
    done = kit("lint-line", "--", "/none/such")

    assert done.returncode == 1
    assert "WRONG" in done.stdout
    assert done.stdout.endswith("1 wrong\n")


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("node", "/srv/server.js", "--port", "1"), "node server.js"),
        (("/usr/bin/python3", "-m", "tunnel"), "python3 tunnel"),
        (("env", "TOKEN=secret", "x"), "env x"),
        (("--",), "unnamed"),
    ],
)
def test_a_command_is_called_by_its_words_without_folders_or_values(command: tuple[str, ...], name: str) -> None:
    assert name_of(command) == name
