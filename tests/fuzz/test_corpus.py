"""What fuzzing has found is replayed wherever tests run: every input that was kept, and every one to begin with."""

from pathlib import Path

import pytest

from tests.fuzz import corpus, record
from tests.fuzz.target import TRACED, load


@pytest.mark.parametrize("name", TRACED)
def test_every_input_that_is_kept_holds_its_claim(name: str) -> None:
    target = load(name)
    inputs = corpus.kept(name)
    for path in inputs:
        target.check(path.read_bytes())

    assert inputs, "nothing is kept"


@pytest.mark.parametrize("name", TRACED)
def test_every_input_to_begin_with_holds_its_claim(name: str) -> None:
    target = load(name)
    seeds = list(target.seeds())
    for seed in seeds:
        target.check(seed)

    assert seeds
    assert max(map(len, seeds)) <= target.longest


def test_the_corpus_is_small() -> None:
    sizes = [corpus.size(name) for name in TRACED]

    assert sum(files for files, _ in sizes) < corpus.MOST_FILES
    assert sum(size for _, size in sizes) < corpus.MOST_BYTES


def test_the_corpus_holds_inputs_of_the_targets_and_nothing_else() -> None:
    assert {path.name for path in corpus.CORPUS.iterdir()} == set(TRACED)
    assert [path for path in corpus.CORPUS.glob("*/*") if path.name.startswith("found-")] == []


def test_what_is_recorded_is_the_corpus() -> None:
    """A run that is kept is recorded: `python -m tests.fuzz --date DAY`."""
    rows = record.read()

    assert list(rows) == list(TRACED)
    assert {name: (row.inputs, row.bytes) for name, row in rows.items()} == {name: corpus.size(name) for name in TRACED}
    assert all(row.runs > row.inputs and row.features >= row.edges > 0 for row in rows.values())


def test_a_new_corpus_takes_the_place_of_the_old_and_leaves_what_shows_a_bug(tmp_path: Path) -> None:
    old, new = tmp_path / "kept" / "link", tmp_path / "merged"
    old.mkdir(parents=True)
    new.mkdir()
    (old / "0123456789abcdef").write_bytes(b"old")
    (old / "a-bug").write_bytes(b"once")
    (new / ("a" * 40)).write_bytes(b"new")
    (new / ("b" * 40)).write_bytes(b"once")

    corpus.replace("link", new, tmp_path / "kept")

    assert {path.name: path.read_bytes() for path in old.iterdir()} == {"a-bug": b"once", "a" * 16: b"new"}


def test_a_record_is_read_back(tmp_path: Path) -> None:
    row = record.Row(date="a day", engine="e", python="p", seconds=1, runs=2, edges=3, features=4, inputs=5, bytes=6)
    record.write({"link": row, "codec": row}, tmp_path / "record")

    assert record.read(tmp_path / "record") == {"link": row, "codec": row}
    assert record.read(tmp_path / "none") == {}
    assert len((tmp_path / "record").read_text().splitlines()) == 4
