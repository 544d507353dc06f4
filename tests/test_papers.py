"""What the papers say is what the tables and the code say."""

import re
import tomllib
from pathlib import Path

import pytest

from tunnel import __version__
from tunnel.app.server import TOOLS
from tunnel.app.settings import BUDGET, LISTEN_SECONDS, read_settings
from tunnel.spec.v1 import constants
from tunnel.spec.v1.refusals import FAILURES, REFUSALS
from tunnel.transport import published
from tunnel.transport.choose import DEFAULT, TRANSPORTS
from tunnel.transport.cloudflared import KEPT

ROOT = Path(__file__).parents[1]
PAPERS = sorted([*ROOT.glob("*.md"), *ROOT.glob("spec/**/*.md")])
MISSPELT_ON_PURPOSE = {ROOT / "tests/spec/test_compiler.py", ROOT / "tests/spec/test_freeze.py"}
TEXTS = sorted(
    {*PAPERS, *ROOT.glob("spec/**/*.toml"), *ROOT.glob("tunnel/**/*.py"), *ROOT.glob("tests/**/*.py")}
    - MISSPELT_ON_PURPOSE
)
KNOWN = {
    rule["id"] for path in ROOT.glob("spec/v*/rules.toml") for rule in tomllib.loads(path.read_text("utf-8"))["rules"]
}
"""The rules of every version."""
RULE_ID = re.compile(r"\b(?:WIRE|AUTH|LOCK|LINK|IDLE|TIME|SEQ|SEAL|SIZE|NAME|KEEP|CLOSE)-\d+\b")


def paper(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def unknown_rules(text: str) -> set[str]:
    return set(RULE_ID.findall(text)) - KNOWN


def test_a_rule_that_does_not_exist_is_found() -> None:
    assert unknown_rules("as LINK" + "-99 says, and LINK-1") == {"LINK" + "-99"}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_rule_that_is_named_exists(path: Path) -> None:
    assert unknown_rules(path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize("path", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_in_a_paper_leads_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8"))

    assert [target for target in targets if not (path.parent / target).exists()] == []


@pytest.mark.parametrize(
    ("name", "claim", "seconds"),
    [
        ("README.md", "good for 10 minutes", constants.LINK_SECONDS),
        ("README.md", "older than 10 minutes", constants.LINK_SECONDS),
        ("README.md", "said for 30 minutes", constants.IDLE_SECONDS),
        ("README.md", "waiting up to 45 s", LISTEN_SECONDS),
        ("SECURITY.md", "within 10 minutes", constants.LINK_SECONDS),
    ],
)
def test_a_duration_in_a_paper_is_the_one_that_runs(name: str, claim: str, seconds: float) -> None:
    number, unit = re.findall(r"(\d+) (minutes|s)", claim)[0]

    assert claim in " ".join(paper(name).split())
    assert int(number) * {"minutes": 60, "s": 1}[unit] == seconds


@pytest.mark.parametrize(
    "claim", [f"says {BUDGET} messages", "| `TUNNEL_BUDGET` | how many", f"more; {BUDGET} when it is not set"]
)
def test_the_budget_in_the_readme_is_the_one_that_runs(claim: str) -> None:
    assert claim in " ".join(paper("README.md").split())


def test_a_dead_peer_is_found_as_soon_as_the_papers_say() -> None:
    assert f"a dead peer: nothing heard for {constants.SILENCE_SECONDS} s" in paper("CHANGELOG.md")


@pytest.mark.parametrize("tool", [tool.name for tool in TOOLS])
def test_every_tool_is_in_the_readme(tool: str) -> None:
    assert f"`{tool}`" in paper("README.md")


class Asked(dict[str, str]):
    """An environment that notes which variables are looked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, key: str, default: str = "") -> str:  # pyright: ignore[reportIncompatibleMethodOverride] - as it is used
        self.names.add(key)
        return default

    def __contains__(self, key: object) -> bool:
        self.names.add(str(key))
        return False


def test_every_variable_that_is_read_is_in_the_readme_and_no_other() -> None:
    asked = Asked()
    read_settings(asked)
    table = paper("README.md").partition("| variable | means |")[2].partition("\n\n")[0]
    listed = set(re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE))

    assert listed == asked.names
    assert {name for text in PAPERS for name in re.findall(r"\bTUNNEL_[A-Z_]+\b", text.read_text("utf-8"))} <= (
        listed | KEPT
    )


@pytest.mark.parametrize("name", sorted(KEPT))
def test_every_variable_that_is_passed_on_to_cloudflared_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in paper("README.md")


@pytest.mark.parametrize(
    ("claim", "seconds"), [("up to 40 s", published.LONGEST_SECONDS), ("after 15 s", published.DEAF_SECONDS)]
)
def test_the_wait_for_the_dns_in_the_readme_is_the_one_that_runs(claim: str, seconds: float) -> None:
    assert claim in " ".join(paper("README.md").split())
    assert f"{seconds:g}" in claim.split()


def test_every_transport_is_in_the_readme_and_no_other() -> None:
    table = paper("README.md").partition("| transport | when |")[2].partition("\n\n")[0]

    assert set(re.findall(r"^\| `([a-z]+)`", table, re.MULTILINE)) == set(TRANSPORTS)
    assert f"| `{DEFAULT}` (default) |" in table


def test_the_troubleshooting_names_refusals_that_exist() -> None:
    named = re.findall(r"`auth failed: ([^`]+)`", paper("README.md"))

    assert set(named) == {row.text for row in REFUSALS.values()} - {"malformed auth"}
    assert "peer_left" in {failure.value for failure in FAILURES}


def test_the_order_of_refusals_in_the_prose_is_the_order_of_the_table() -> None:
    section = paper("spec/v1/tunnel.md").partition("## 4.")[2].partition("## 5.")[0]

    assert re.findall(r"`((?:malformed|bad|join link|tunnel) [a-z ]+)`", section) == [
        row.text for row in REFUSALS.values()
    ]


def test_constants_named_in_the_prose_exist() -> None:
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", paper("spec/v1/tunnel.md")))

    assert named - set(vars(constants)) == set()


def test_the_prose_binds_nobody() -> None:
    assert re.findall(r"\b(?:MUST|SHOULD|SHALL|REQUIRED|RECOMMENDED)\b", paper("spec/v1/tunnel.md")) == []


def test_every_test_that_stands_against_a_risk_exists() -> None:
    named = re.findall(r"`(tests/[a-z_/]+\.py)(?:::(test_\w+))?`", paper("SECURITY.md"))

    assert len(named) > 10
    assert [(file, test) for file, test in named if f"def {test}" not in paper(file)] == []


def test_every_risk_of_the_list_that_is_named_has_an_answer() -> None:
    table = paper("SECURITY.md").partition("## Risks")[2].partition("\n## ")[0]

    assert set(re.findall(r"\(ASI(\d\d)\)", table)) == {f"{number:02}" for number in range(1, 11)}


def test_every_make_target_in_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", paper("Makefile"), re.MULTILINE))

    assert set(re.findall(r"(?:`|    )make ([a-z-]+)", paper("README.md") + paper("CONTRIBUTING.md"))) <= targets


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads(paper("pyproject.toml"))
    needed = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    tables = re.findall(r"^\| ([a-z0-9, -]+) \|", paper("CONTRIBUTING.md"), re.MULTILINE)

    assert {re.split(r"[\[><=]", name)[0] for name in needed} == {
        name for row in tables for name in row.split(", ")
    } - {"package"}


def test_the_version_is_written_once() -> None:
    kit = re.search(r'__version__ = "([^"]+)"', paper("conformance/tunnel_conformance/__init__.py"))

    assert __version__ not in paper("pyproject.toml")
    assert kit is not None
    assert kit[1] == __version__
