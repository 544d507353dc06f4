"""The documentation is built without a warning, as `make docs` builds it, and what Sphinx does not see in its pages is looked at."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spec.compiler import docs
from spec.compiler.docs_diagrams import with_dot
from spec.compiler.docs_site import Page, faults
from tests.spec.breakage import SPEC

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
RULES = {rule.id for rule in SPEC.rules.rules}


def built(source: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Sphinx, called as by `make docs`."""
    build = ["-q", "-W", "--keep-going", "-n", "-b", "html", "-c", str(DOCS), "-d", str(folder / "trees")]
    return subprocess.run(
        [sys.executable, "-m", "sphinx", *build, str(source), str(folder / "html")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module", params=["tables", pytest.param("pictures", marks=pytest.mark.needs("dot"))])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages."""
    folder = tmp_path_factory.mktemp("site")
    source = shutil.copytree(DOCS, folder / "docs", ignore=shutil.ignore_patterns("_build", *docs.FOLDERS))
    docs.generate(SPEC, ROOT, source, with_dot() if request.param == "pictures" else None)
    done = built(source, folder)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "html"


def test_the_pages_are_built_without_a_warning_and_each_rule_can_be_led_to(site: Path) -> None:
    """A link within them that leads nowhere is one, and so is what is loaded from elsewhere."""
    pages = {path: Page(path) for path in site.rglob("*.html")}

    assert len(pages) > 25
    assert {f"rule-{rule.lower()}" for rule in RULES} <= pages[site / "reference/rules.html"].ids
    assert [path for path, page in pages.items() if "{{" in page.text] == []


def test_a_dead_link_in_raw_html_and_a_rule_that_is_none_fail_the_build(tmp_path: Path) -> None:
    """Sphinx alone sees neither."""
    source = tmp_path / "docs"
    source.mkdir()
    (source / "index.md").write_text('# Start\n\n<a href="nowhere.html">there</a>, as AUTH' + "-99 says.\n")

    done = built(source, tmp_path)

    assert done.returncode == 1
    assert "index.html: a link leads nowhere: nowhere.html" in done.stderr
    assert "index.html: names AUTH" + "-99, which is no rule" in done.stderr


def test_what_is_wrong_with_pages_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<p id="x"><a href="#x">A-1</a><a href="b.html#y"></a><a href="b.html#z"></a><a href="c.html"></a>'
        '<a href="https://far/"></a><img src="//far/i.png"><script>A-3</script>B-2 and A-2'
    )
    (tmp_path / "b.html").write_text('<link href="https://far/s.css"><link href="s.css"><p id="y">')
    (tmp_path / "s.css").write_text("p { background: url('http://far/p.png') } q { background: url(data:x) }")

    assert faults(tmp_path, {"A-1"}) == [
        "a.html: a link leads nowhere: b.html#z",
        "a.html: a link leads nowhere: c.html",
        "a.html: is loaded from elsewhere: //far/i.png",
        "b.html: is loaded from elsewhere: https://far/s.css",
        "s.css: is loaded from elsewhere: http://far/p.png",
        "a.html: names A-2, which is no rule",
    ]


def test_the_target_of_make_calls_what_is_tested_here() -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\ndocs: ")[2].partition("\n\n")[0]

    assert re.search(r"-m sphinx -q -W --keep-going -n -b html ", recipe)
