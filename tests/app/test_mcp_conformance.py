"""Of the official conformance tests' results every check is looked at: none hides behind another one."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from tests.app.mcp_conformance import Suite, Unusable, differences, environment, expected

SOME = {"ping": {"a": "SUCCESS"}, "tasks": {"b": "FAILURE", "c": "SUCCESS", "d": "WARNING", "e": "INFO"}}


def ran(folder: Path, scenarios: dict[str, dict[str, str]], announced: int | None = None) -> Suite:
    """A suite with these statuses of each scenario's checks."""
    for scenario, checks in scenarios.items():
        results = folder / f"server-{scenario}-2026-11-23T13-40-48-954Z"
        results.mkdir()
        told = [{"id": check, "status": status, "errorMessage": "so"} for check, status in checks.items()]
        (results / "checks.json").write_text(json.dumps(told))
    return Suite(folder, f"Running a suite ({len(scenarios) if announced is None else announced} scenarios)")


def test_as_expected_is_what_fails_and_is_named_and_nothing_else(tmp_path: Path) -> None:
    suite = ran(tmp_path, SOME)

    assert differences({("tasks", "b"): "none", ("tasks", "d"): "none"}, [suite]) == []
    assert (suite.scenarios, suite.statuses) == (2, Counter(SUCCESS=2, FAILURE=1, WARNING=1, INFO=1))


def test_a_check_that_fails_is_seen_beside_one_of_its_scenario_that_may(tmp_path: Path) -> None:
    assert differences({("tasks", "b"): "none"}, [ran(tmp_path, SOME)]) == ["tasks / d failed: so"]


def test_a_check_that_is_expected_to_fail_and_does_not_is_seen(tmp_path: Path) -> None:
    reasons = {("tasks", "b"): "none", ("tasks", "c"): "none", ("tasks", "d"): "none", ("gone", "f"): "none"}

    assert differences(reasons, [ran(tmp_path, SOME)]) == [
        "gone / f did not fail: take it out of mcp_conformance.toml.",
        "tasks / c did not fail: take it out of mcp_conformance.toml.",
    ]


def test_a_check_of_another_scenario_is_another_check(tmp_path: Path) -> None:
    suite = ran(tmp_path, {"one": {"same": "FAILURE"}, "other": {"same": "FAILURE"}})

    assert differences({("one", "same"): "none"}, [suite]) == ["other / same failed: so"]


def test_of_two_suites_each_may_show_that_a_check_fails(tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    suites = [ran(folders[0], {"x": {"a": "FAILURE"}}), ran(folders[1], {"y": {"b": "FAILURE"}})]

    assert differences({("x", "a"): "none", ("y", "b"): "none"}, suites) == []
    assert differences({("x", "a"): "none"}, suites) == ["y / b failed: so"]


@pytest.mark.parametrize("announced", [0, 1, 3])
def test_tests_that_have_not_run_to_their_end_prove_nothing(tmp_path: Path, announced: int) -> None:
    with pytest.raises(Unusable, match="not run to their end"):
        ran(tmp_path, SOME, announced)


def test_tests_that_did_not_begin_prove_nothing(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="npm ERR"):
        Suite(tmp_path, "npm ERR! network")


def test_every_check_that_is_expected_to_fail_has_a_reason_in_a_sentence() -> None:
    reasons = expected()

    assert reasons
    assert all(reason[0].isupper() and reason.endswith(".") for reason in reasons.values())


# --- Node ----------------------------------------------------------------------------------------------------------------


def a_node(folder: Path, says: str, code: int = 0) -> Path:
    node = folder / "node"
    node.write_text(f"#!/bin/sh\necho {says}\nexit {code}\n")
    node.chmod(0o755)
    return node


def test_the_node_that_is_named_goes_before_that_on_the_path(tmp_path: Path) -> None:
    node = a_node(tmp_path, "v22.1.0")

    found = environment({"NODE": str(node), "PATH": os.environ["PATH"], "HOME": "/nowhere"})

    assert found["PATH"] == f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    assert found["HOME"] == "/nowhere"


@pytest.mark.parametrize("named", [{}, {"NODE": ""}, {"NODE": "node"}], ids=["not named", "empty", "by its name"])
def test_without_a_name_it_is_the_one_on_the_path(tmp_path: Path, named: dict[str, str]) -> None:
    a_node(tmp_path, "v24.0.0")

    assert environment({**named, "PATH": str(tmp_path)})["PATH"] == str(tmp_path)


@pytest.mark.parametrize(("says", "code"), [("v20.20.2", 0), ("v21.9.9", 0), ("nonsense", 0), ("v22.0.0", 1)])
def test_a_node_that_is_too_old_or_none_is_said_with_the_way_to_another_one(
    tmp_path: Path, says: str, code: int
) -> None:
    node = a_node(tmp_path, says, code)

    with pytest.raises(Unusable, match=r"Node 22 or newer is needed; found: .*NODE=DIR"):
        environment({"NODE": str(node), "PATH": "/usr/bin:/bin"})


def test_where_there_is_no_node_the_way_to_one_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="found: none"):
        environment({"PATH": str(tmp_path)})
