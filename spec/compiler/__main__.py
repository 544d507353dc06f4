"""`python -m spec.compiler COMMAND`: what can be done with the spec."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from random import Random

from spec.compiler import archive, generated, trace
from spec.compiler.commands import ABOUT_RELEASES, EVERY, parser
from spec.compiler.follows import followed
from spec.compiler.freeze import freeze, lint_follows, lint_frozen
from spec.compiler.frozen import FILE, is_frozen
from spec.compiler.graph import mermaid
from spec.compiler.lint import lint
from spec.compiler.lint_handshake import lint_handshake
from spec.compiler.mutants import mutants
from spec.compiler.mutate import judge_all
from spec.compiler.promela import Scene
from spec.compiler.promela_claims import by_scene, model, read_claims
from spec.compiler.promela_proof import drift, faults, prove, read_record, told, write_record
from spec.compiler.promela_spin import SpinError, Watch
from spec.compiler.promela_text import PromelaError
from spec.compiler.reader import Spec, SpecError
from spec.compiler.rehearsal import OutOfTuneError, rehearse
from spec.compiler.released import TABLE, lint_released, release
from spec.compiler.report import explore_all, hearings_told, out_of_reach, verdicts_told
from spec.compiler.versions import SPOKEN, begin, numbers, read_version, strays
from spec.compiler.walks import lint_durations

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run one command; the exit status is 0 when all is well, 1 when the spec or a generated file is not."""
    options = parser().parse_args(arguments)
    try:
        if options.command == "next":
            return told_next(begin(root), root)
        specs = [read_version(root, wire) for wire in _wires(options.command, options.version, root)]
    except SpecError as error:
        return report([str(error)])
    broken = report(lint_released(root)) if options.command in ABOUT_RELEASES else 0
    if broken and options.command not in ("lint", "check"):
        return broken
    status = max([broken, *(run(spec, options, root) for spec in specs)])
    return max(status, report([*strays(root)])) if options.command == "check" else status


def _wires(command: str, version: int | None, root: Path) -> list[int]:
    if version is not None:
        return [version]
    if command in EVERY:
        return numbers(root) or [SPOKEN]
    return [max(numbers(root), default=SPOKEN) if command in ("freeze", "release") else SPOKEN]


def run(spec: Spec, options: argparse.Namespace, root: Path) -> int:
    """Run a command on one version; its exit status."""
    match options.command:
        case "build":
            return build(spec, root)
        case "check":
            return check(spec, root)
        case "lint":
            return check_tables(spec)
        case "trace":
            print(trace.table(spec, root), end="")
            return report(trace.gaps(spec, root))
        case "explore":
            return explore(spec)
        case "archive":
            return pack(spec, root, options.folder)
        case "docs":
            return write_docs(spec, root)
        case "promela":
            return write_model(spec, options.scene)
        case "proof":
            return ask_spin(spec, Watch(options.within), write=options.write)
        case "freeze":
            return record(spec)
        case "release":
            return told_release(spec, root)
        case "mutate":
            return break_and_ask(spec, options.sample, options.seed, ask_core=options.core)
        case _:
            return draw(spec, options.machine)


def findings(spec: Spec) -> list[str]:
    """What is wrong with the tables of a version, and how a frozen one differs from what was frozen, by file.

    The second is no part of `lint`: whoever breaks the tables on purpose must not be told by that alone. Nor is a stale proof.
    """
    return _at(spec, [*(lint(spec) or lint_durations(spec)), *lint_frozen(spec)])


def check_tables(spec: Spec) -> int:
    """Print the findings; of a draft, stale proofs are told and are no fault until it is frozen."""
    stale = _at(spec, lint_handshake(spec))
    if is_frozen(spec.folder):
        return report([*findings(spec), *stale])
    report([f"{proof} (a draft: before it is frozen)" for proof in stale])
    return report(findings(spec))


def _at(spec: Spec, found: Iterable[str]) -> list[str]:
    return [f"spec/v{spec.protocol.wire}/{finding}" for finding in found]


def build(spec: Spec, root: Path) -> int:
    """Write every generated file; a spec with findings is not built."""
    if wrong := findings(spec):
        return report(wrong)
    made = generated.everything(spec)
    if wrong := _at(spec, lint_follows(spec, followed(spec, made))):
        return report(wrong)
    for path, text in made.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text.encode("utf-8"))
    return 0


def check(spec: Spec, root: Path) -> int:
    """Compare what is generated, whole texts, with what lies there."""
    if wrong := findings(spec):
        return report(wrong)
    made = generated.everything(spec)
    return report([*_at(spec, lint_follows(spec, followed(spec, made))), *generated.drift(spec, root, made)])


def pack(spec: Spec, root: Path, folder: Path) -> int:
    """Write the archive; what is not current is not packed."""
    if check(spec, root):
        return 1
    print(archive.write(spec, root, folder))
    return 0


def record(spec: Spec) -> int:
    """Freeze a version, or record what a frozen one has taken up."""
    if against := lint(spec) or freeze(spec):
        return report(_at(spec, against))
    print(
        f"spec/v{spec.protocol.wire}/{FILE}: holds wire version {spec.protocol.wire} as of {spec.protocol.spec_version}"
    )
    return 0


def told_release(spec: Spec, root: Path) -> int:
    """Say what was released; what is not current is not."""
    if check(spec, root) or report(release(spec, root)):
        return 1
    print(f"{TABLE}: holds edition {spec.protocol.spec_version} of wire version {spec.protocol.wire}")
    return 0


def told_next(folder: Path, root: Path) -> int:
    """Say where the next version is, and what to do with it."""
    print(
        f"{folder.relative_to(root).as_posix()}: a draft; change its tables, and `make spec` writes what follows from them"
    )
    return 0


def explore(spec: Spec) -> int:
    """Print what the walks found; a breach is told with a shortest way to it."""
    if wrong := lint_durations(spec):
        return report(_at(spec, wrong))
    found, faults = explore_all(spec)
    print(found)
    return report(faults)


def break_and_ask(spec: Spec, sample: int | None, seed: int, *, ask_core: bool) -> int:
    """Print what noticed the mutants; one that nothing notices, or that the core cannot tell, is a finding."""
    if wrong := lint_durations(spec):
        return report(_at(spec, wrong))
    if ask_core and spec.protocol.wire != SPOKEN:
        return report([f"the core speaks wire version {SPOKEN}, and cannot be asked about {spec.protocol.wire}"])
    broken = list(mutants(spec))
    if sample is not None:
        broken = Random(seed).sample(broken, min(sample, len(broken)))  # noqa: S311 - drawn to be drawn again
    verdicts = judge_all(spec, broken)
    told, faults = verdicts_told(verdicts)
    print(told)
    if ask_core:
        noticed = [mutant for mutant, verdict in zip(broken, verdicts, strict=True) if verdict.is_noticed]
        try:
            hearings = rehearse(spec, noticed)
        except OutOfTuneError as error:
            return report([*faults, f"the core does not do what its tables say: {error}"])
        told, deaf = hearings_told(hearings)
        print("", told, sep="\n")
        faults += [*deaf, *(out_of_reach(hearings) if sample is None else ())]
    return report(faults)


def write_model(spec: Spec, scene: Scene) -> int:
    """Print the model."""
    try:
        print(model(spec, by_scene(read_claims(spec.folder / "proofs", spec).claims)[scene]), end="")
    except (SpecError, PromelaError) as error:
        return report([str(error)])
    return 0


def ask_spin(spec: Spec, watch: Watch, *, write: bool) -> int:
    """Print what SPIN found; a claim that breaks, a mistake that it misses, or a result that was not recorded, is a finding."""
    folder = spec.folder / "proofs"
    try:
        found = prove(spec, read_claims(folder, spec), lambda text: print(text, file=sys.stderr, flush=True), watch)
    except (SpecError, PromelaError, SpinError) as error:
        return report([str(error)])
    print(told(found))
    if write and not faults(found):
        write_record(folder, found)
    return report([*faults(found), *drift(found, read_record(folder))])


def write_docs(spec: Spec, root: Path) -> int:
    """Write the pages. Only here is the server needed, since its tools are described as it lists them."""
    if spec.protocol.wire != SPOKEN:
        return report([f"the documentation is that of wire version {SPOKEN}, as are its guides and papers"])
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
