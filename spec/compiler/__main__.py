"""`python -m spec.compiler COMMAND`: what can be done with the spec."""

import argparse
import sys
from pathlib import Path
from random import Random

from spec.compiler import python, trace
from spec.compiler.graph import mermaid
from spec.compiler.lint import lint
from spec.compiler.lint_handshake import lint_handshake
from spec.compiler.mutants import mutants
from spec.compiler.mutate import judge_all
from spec.compiler.promela import PEERS, PromelaError, Scene
from spec.compiler.promela_claims import by_scene, model, read_claims
from spec.compiler.promela_proof import drift, faults, prove, read_record, told, write_record
from spec.compiler.promela_spin import SpinError
from spec.compiler.reader import Spec, SpecError, read
from spec.compiler.rehearsal import OutOfTuneError, rehearse
from spec.compiler.report import explore_all, hearings_told, verdicts_told

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run one command; the exit status is 0 when all is well, 1 when the spec or a generated file is not."""
    parser = argparse.ArgumentParser(prog="python -m spec.compiler", description="Compile, check and draw the spec.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("build", help="write the generated files")
    commands.add_parser("check", help="compare the generated files, whole texts, with what build would write")
    commands.add_parser("lint", help="totality, unreachable states, unknown or uncarried rules, rules without a case")
    commands.add_parser("explore", help="walk through all that the machines can do, alone and together")
    mutate = commands.add_parser("mutate", help="make every small mistake in the tables, and ask what notices it")
    mutate.add_argument("--core", action="store_true", help="ask the real host and guest as well")
    mutate.add_argument("--sample", type=int, metavar="N", help="only so many mutants, drawn by chance")
    mutate.add_argument("--seed", type=int, default=0, metavar="S", help="another number draws others (default: 0)")
    commands.add_parser(
        "trace", help="follow every rule to its rows, invariants, cases and tests, as Markdown on stdout"
    )
    promela = commands.add_parser("promela", help="the machines with their claims as a model for SPIN, on stdout")
    promela.add_argument(
        "scene",
        nargs="?",
        choices=PEERS,
        default="host",
        help="host (default), crowd or together; see spec/v1/proofs/README.md",
    )
    proof = commands.add_parser("proof", help="ask SPIN whether the claims hold, and compare with what is recorded")
    proof.add_argument("--write", action="store_true", help="record the results")
    commands.add_parser("docs", help="write the generated pages of the documentation below docs/")
    graph = commands.add_parser("graph", help="draw a machine as Mermaid text on stdout")
    graph.add_argument("machine", nargs="?", help="session, connection or guest; all of them when left out")
    options = parser.parse_args(arguments)
    try:
        spec = read(root / "spec" / "v1")
    except SpecError as error:
        print(error, file=sys.stderr)
        return 1
    match options.command:
        case "build":
            return build(spec, root)
        case "check":
            return check(spec, root)
        case "lint":
            # That a proof is stale is no mistake in the tables: whoever breaks them on purpose must not be told by that.
            return report([*lint(spec), *lint_handshake(spec)])
        case "trace":
            print(trace.table(spec, root), end="")
            return report(trace.gaps(spec, root))
        case "explore":
            return explore(spec)
        case "docs":
            return write_docs(spec, root)
        case "promela":
            return write_model(spec, options.scene)
        case "proof":
            return ask_spin(spec, write=options.write)
        case "mutate":
            return break_and_ask(spec, options.sample, options.seed, ask_core=options.core)
        case _:
            return draw(spec, options.machine)


def build(spec: Spec, root: Path) -> int:
    """Write every generated file; a spec with findings is not built."""
    if findings := lint(spec):
        return report(findings)
    for path, text in python.write(spec).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text.encode("utf-8"))
    return 0


def check(spec: Spec, root: Path) -> int:
    """Compare whole texts: a generated file that was edited, or that is older than its table, is drift."""
    if findings := lint(spec):
        return report(findings)
    drift: list[str] = []
    written = python.write(spec)
    for path, text in written.items():
        if not (root / path).is_file():
            drift.append(f"{path}: is missing; run `make spec`")
        # As bytes: reading as text would take other line ends for the same.
        elif (root / path).read_bytes() != text.encode("utf-8"):
            drift.append(f"{path}: differs from its table; run `make spec`, never edit it")
    package = f"tunnel/spec/v{spec.protocol.wire}"
    drift += [
        f"{package}/{path.name}: nothing generates it"
        for path in sorted((root / package).glob("*.*"))
        if f"{package}/{path.name}" not in written
    ]
    return report(drift)


def explore(spec: Spec) -> int:
    """Print what the walks found; a breach is told with a shortest way to it."""
    found, faults = explore_all(spec)
    print(found)
    return report(faults)


def break_and_ask(spec: Spec, sample: int | None, seed: int, *, ask_core: bool) -> int:
    """Print what noticed the mutants; one that nothing notices, or that the core cannot tell, is a finding."""
    broken = list(mutants(spec))
    if sample is not None:
        broken = Random(seed).sample(broken, min(sample, len(broken)))  # noqa: S311 - drawn to be drawn again
    verdicts = judge_all(spec, broken)
    told, faults = verdicts_told(verdicts)
    print(told)
    if ask_core:
        noticed = [mutant for mutant, verdict in zip(broken, verdicts, strict=True) if verdict.is_noticed]
        try:
            told, deaf = hearings_told(rehearse(spec, noticed))
        except OutOfTuneError as error:
            return report([*faults, f"the core does not do what its tables say: {error}"])
        print("", told, sep="\n")
        faults += deaf
    return report(faults)


def write_model(spec: Spec, scene: Scene) -> int:
    """Print the model."""
    try:
        print(model(spec, by_scene(read_claims(spec.folder / "proofs", spec).claims)[scene]), end="")
    except (SpecError, PromelaError) as error:
        return report([str(error)])
    return 0


def ask_spin(spec: Spec, *, write: bool) -> int:
    """Print what SPIN found; a claim that breaks, a mistake that it misses, or a result that was not recorded, is a finding."""
    folder = spec.folder / "proofs"
    try:
        found = prove(spec, read_claims(folder, spec), lambda text: print(text, file=sys.stderr, flush=True))
    except (SpecError, PromelaError, SpinError) as error:
        return report([str(error)])
    print(told(found))
    if write and not faults(found):
        write_record(folder, found)
    return report([*faults(found), *drift(found, read_record(folder))])


def write_docs(spec: Spec, root: Path) -> int:
    """Write the pages. Only here is the server needed, since its tools are described as it lists them."""
    from spec.compiler.docs import generate
    from spec.compiler.docs_diagrams import DrawingError, with_dot

    try:
        generate(spec, root, root / "docs", with_dot())
    except DrawingError as error:
        return report([str(error)])
    return 0


def draw(spec: Spec, machine: str | None) -> int:
    """Print the diagrams."""
    if machine is not None and machine not in spec.machines:
        print(f"{machine!r} is no machine; there are {', '.join(spec.machines)}", file=sys.stderr)
        return 2
    for name, table in spec.machines.items():
        if machine in (None, name):
            print(mermaid(table))
    return 0


def report(findings: list[str]) -> int:
    """Print findings to stderr; the exit status."""
    for finding in findings:
        print(finding, file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
