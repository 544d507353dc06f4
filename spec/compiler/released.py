"""Which editions were released, told outside of the folders that they are about: so nobody unfreezes one by removing a file of it.

The table is made longer, and nothing in it is changed. `release` does that, and `lint` asks of every row whether it still holds.
"""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from spec.compiler.frozen import FILE, is_frozen, read_frozen
from spec.compiler.reader import Spec, SpecError

TABLE: Final = "spec/released.toml"

HEAD: Final = """\
# Every edition that was released, with the `sha256` of its `frozen.toml`: `lint` and `check` demand that the folder still holds it.
# `python -m spec.compiler release` adds a row. None is ever changed or taken away.

"""


class Release(Struct, frozen=True, forbid_unknown_fields=True):
    """One row."""

    wire: int
    edition: str
    sha256: str


class Released(Struct, frozen=True, forbid_unknown_fields=True):
    """`released.toml`."""

    editions: tuple[Release, ...]


def lint_released(root: Path) -> list[str]:
    """What was released, and is no longer what it was."""
    if not (root / TABLE).is_file():
        frozen = any(map(is_frozen, (root / "spec").glob("v*")))
        return [f"{TABLE}: is missing, and says what was released: restore it"] if frozen else []
    try:
        return [fault for one in read_released(root) for fault in _broken(root, one)]
    except SpecError as error:
        return [str(error)]


def read_released(root: Path) -> tuple[Release, ...]:
    """The table.

    Raises:
        SpecError: it is not as it was written.
    """
    try:
        raw = tomllib.loads((root / TABLE).read_text(encoding="utf-8"))
        return msgspec.convert(raw, Released).editions
    except (OSError, ValueError) as error:
        raise SpecError(f"{TABLE}: cannot be read ({error}): restore it") from None


def release(spec: Spec, root: Path) -> list[str]:
    """Add the edition of a frozen version, or say why that cannot be done; one that stands there already is left as it is."""
    if not is_frozen(spec.folder):
        return [
            f"spec/v{spec.protocol.wire}: is not frozen: first do `python -m spec.compiler freeze {spec.protocol.wire}`"
        ]
    try:
        recorded, rows = read_frozen(spec.folder), read_released(root)
    except SpecError as error:
        return [str(error)]
    new = Release(spec.protocol.wire, recorded.spec_version, recorded.sha256)
    if new not in rows:
        (root / TABLE).write_bytes(written((*rows, new)).encode("utf-8"))
    return []


def written(rows: tuple[Release, ...]) -> str:
    """The text of the table."""
    lines = (
        f"  {{ wire = {one.wire}, edition = {json.dumps(one.edition)}, sha256 = {json.dumps(one.sha256)} }},\n"
        for one in rows
    )
    return f"{HEAD}editions = [\n{''.join(lines)}]\n"


def _broken(root: Path, one: Release) -> Iterator[str]:
    folder = root / "spec" / f"v{one.wire}"
    where, said = f"spec/v{one.wire}", f"and edition {one.edition} of it was released"
    if not folder.is_dir():
        yield f"{where}: is gone, {said}: restore it"
    elif not is_frozen(folder):
        yield f"{where}/{FILE}: is gone, {said}: restore it; what was released is not frozen anew"
    else:
        recorded = read_frozen(folder)
        held = {**recorded.earlier, recorded.spec_version: recorded.sha256}.get(one.edition)
        if held != one.sha256:
            what = "holds nothing of" if held is None else "holds something else for"
            yield f"{where}/{FILE}: {what} edition {one.edition}, which was released (sha256 {one.sha256}): restore it"
