"""What is published holds what it needs and nothing else, and works where nothing else is installed."""

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

from tunnel import __version__
from tunnel.app.server import TOOLS
from tunnel.app.settings import BUDGET, LARGEST_BUDGET, read_settings
from tunnel.transport.choose import DEFAULT

ROOT = Path(__file__).parents[1]
BOTH = {"tunnel_mcp": ROOT, "tunnel_conformance": ROOT / "conformance"}
SUFFIXES = {"tunnel_mcp": {".py", ".toml", ".json", ".md", ".html", ".css", ".js", ".typed"}}
LOCK = (ROOT / ".ci" / "dev.lock").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source distribution of each, and a wheel that was made of that."""
    made = tmp_path_factory.mktemp("dist")
    for source in BOTH.values():
        run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(made), str(source))
    return made


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, dist: Path) -> Path:
    """An environment with the two wheels, and what they ask for."""
    empty = tmp_path_factory.mktemp("home")
    run(sys.executable, "-m", "venv", "--without-pip", str(empty / "venv"))
    python = str(empty / "venv" / "bin" / "python")
    run(sys.executable, "-m", "uv", "pip", "install", "--python", python, *map(str, dist.glob("*.whl")))
    return empty


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=150, env={**os.environ, **variables}, cwd="/"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def installed(home: Path, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a command of the environment says, which knows nothing of the sources; a warning of Python's is an error."""
    program = str(home / "venv" / "bin" / command)
    return run(program, *arguments, HOME=str(home), PYTHONPATH="", PYTHONWARNINGS="error", TUNNEL_TRANSPORT="loopback")


def wheel(dist: Path, name: str) -> zipfile.ZipFile:
    (found,) = dist.glob(f"{name}-*.whl")
    return zipfile.ZipFile(found)


def metadata(dist: Path, name: str) -> Message:
    with wheel(dist, name) as file:
        return message_from_bytes(file.read(f"{name}-{__version__}.dist-info/METADATA"))


def names(dist: Path, name: str) -> set[str]:
    with wheel(dist, name) as file:
        return {path for path in file.namelist() if ".dist-info/" not in path}


def sources(package: Path) -> set[str]:
    files = (path.relative_to(package.parent) for path in package.rglob("*") if path.is_file())
    return {str(path) for path in files if not any(part.startswith((".", "__pycache__")) for part in path.parts)}


def test_the_wheel_holds_the_package_and_nothing_else(dist: Path) -> None:
    assert names(dist, "tunnel_mcp") == sources(ROOT / "tunnel")
    assert {Path(name).suffix for name in names(dist, "tunnel_mcp")} == SUFFIXES["tunnel_mcp"]


def test_the_wheel_of_the_kit_holds_its_package_and_the_vectors_of_the_spec(dist: Path) -> None:
    vectors = {f"tunnel_conformance/data/vectors/{path.name}" for path in (ROOT / "spec" / "v1" / "vectors").iterdir()}

    assert names(dist, "tunnel_conformance") == sources(ROOT / "conformance" / "tunnel_conformance") | vectors


@pytest.mark.parametrize("name", BOTH)
def test_a_package_says_what_it_is_under_which_license_and_for_which_python(dist: Path, name: str) -> None:
    said = metadata(dist, name)

    assert (said["Version"], said["License-Expression"], said["Requires-Python"]) == (__version__, "MIT", ">=3.11")
    assert said["License-File"] == "LICENSE"
    assert (BOTH[name] / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert said.get_payload(decode=True) == (BOTH[name] / "README.md").read_bytes()


def test_a_source_distribution_can_be_changed_and_tested_as_the_repository_can(dist: Path) -> None:
    (found,) = dist.glob("tunnel_mcp-*.tar.gz")
    with tarfile.open(found) as file:
        top = {Path(name).parts[1] for name in file.getnames() if len(Path(name).parts) > 1}

    assert {"tunnel", "spec", "tests", "Makefile", "pyproject.toml", "LICENSE", "README.md", "manifest.json"} <= top
    assert {".ci", "conformance"} <= top
    assert not {".venv", ".git", "dist"} & top


@pytest.mark.needs("registry")
def test_an_installed_server_shows_itself(home: Path) -> None:
    assert installed(home, "tunnel-mcp", "--version").stdout == f"{__version__}\n"

    assert "10 steps held" in " ".join(installed(home, "tunnel-mcp", "demo").stderr.split())


@pytest.mark.needs("registry")
def test_an_installed_kit_knows_the_cases_and_the_vectors_and_judges_the_installed_server(home: Path) -> None:
    assert "lock-race" in installed(home, "tunnel-conformance", "list").stdout
    installed(home, "tunnel-conformance", "vectors", "--to", str(home / "copy"))
    assert (home / "copy" / "seal.json").is_file()
    server = str(home / "venv" / "bin" / "tunnel-mcp")
    judged = installed(
        home, "tunnel-conformance", "host", "--only", "wire-normal", "--env", "TUNNEL_TRANSPORT=loopback", "--", server
    )

    assert "Keeps every MUST that was tested" in judged.stdout


@pytest.mark.needs("registry")
def test_installing_starting_and_importing_warn_of_nothing(home: Path) -> None:
    python = str(home / "venv" / "bin" / "python")
    said = run(sys.executable, "-m", "uv", "pip", "check", "--python", python)
    imported = installed(home, "python", "-W", "error", "-c", "import tunnel.app.serve, tunnel_conformance.judging")

    assert "compatible" in said.stderr + said.stdout
    assert (imported.stdout, imported.stderr) == ("", "")


def test_what_desktop_clients_and_the_registry_of_mcp_read_is_what_is_published() -> None:
    bundle = json.loads((ROOT / "manifest.json").read_text(encoding="utf-8"))
    listed = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
    (package,) = listed["packages"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert {bundle["version"], listed["version"], package["version"]} == {__version__}
    assert {bundle["description"], listed["description"]} == {project["description"]}
    assert {bundle["name"], package["identifier"]} == {project["name"]}
    assert bundle["compatibility"]["runtimes"]["python"] == project["requires-python"]
    assert [tool["name"] for tool in bundle["tools"]] == [tool.name for tool in TOOLS]
    assert (ROOT / bundle["server"]["entry_point"]).is_file()
    assert bundle["server"]["mcp_config"]["args"][-1] in project["scripts"]
    assert "--no-dev" in bundle["server"]["mcp_config"]["args"]
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["uv"]["default-groups"] == []
    assert f"<!-- mcp-name: {listed['name']} -->" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_what_they_let_a_person_set_is_what_the_server_reads() -> None:
    bundle = json.loads((ROOT / "manifest.json").read_text(encoding="utf-8"))
    listed = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
    variables = {each["name"]: each for each in listed["packages"][0]["environmentVariables"]}
    set_by_bundle = bundle["server"]["mcp_config"]["env"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert all(f"| `{name}` |" in readme for name in {*variables, *set_by_bundle})
    assert variables["TUNNEL_TRANSPORT"]["default"] == bundle["user_config"]["transport"]["default"] == DEFAULT
    assert int(variables["TUNNEL_BUDGET"]["default"]) == bundle["user_config"]["budget"]["default"] == BUDGET
    assert bundle["user_config"]["budget"]["max"] == LARGEST_BUDGET
    assert read_settings({name: each.get("default", "") for name, each in variables.items()}).problems == ()


def test_the_lock_holds_everything_that_is_used_and_by_hash() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    kit = tomllib.loads((ROOT / "conformance" / "pyproject.toml").read_text(encoding="utf-8"))
    asked += [name for name in kit["project"]["dependencies"] if name != "tunnel-mcp"]
    locked = set(re.findall(r"^([a-z0-9-]+)==", LOCK, re.MULTILINE))

    assert {re.split(r"[\[><=]", name)[0] for name in asked} <= locked
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", LOCK)) > len(locked)
    assert "://" not in LOCK
