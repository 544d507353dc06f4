"""How Sphinx makes pages of this folder; `make docs` writes what is generated first, and then runs it."""

import sys
from pathlib import Path
from typing import Any

from sphinx.util.logging import getLogger

sys.path.insert(0, str(Path(__file__).parents[1]))

from spec.compiler.__main__ import ROOT
from spec.compiler.docs import names
from spec.compiler.docs_papers import linked
from spec.compiler.docs_site import faults
from spec.compiler.reader import read
from tunnel import __version__
from tunnel.app.settings import BUDGET
from tunnel.io.internet import EDGE_PORT
from tunnel.transport.choose import DEFAULT

SPEC = read(ROOT / "spec" / "v1")

project = "tunnel"
author = "the tunnel-mcp contributors"
release = __version__

extensions = ["myst_parser"]
exclude_patterns = ["_build", "_generated"]
nitpicky = True
smartquotes = False

myst_enable_extensions = ["attrs_inline", "colon_fence", "substitution"]
myst_heading_anchors = 3
# What guides say of the protocol is put in from its tables: {{ LINK_SECONDS // 60 }} minutes.
myst_substitutions = SPEC.constants | {
    "BUDGET": BUDGET,
    "DEFAULT_TRANSPORT": f"`{DEFAULT}`",
    "EDGE_PORT": EDGE_PORT,
    "FRAMES": len(SPEC.frames.frames),
}

html_theme = "furo"
html_title = "tunnel"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_use_index = False
html_show_sphinx = False
html_show_copyright = False
highlight_language = "none"
pygments_style = "friendly"
pygments_dark_style = "monokai"


def setup(app: Any) -> None:  # Sphinx's application
    """Rules and constants are linked wherever a page names them, and what is wrong with the made pages is a warning.

    Generated pages were linked when they were written.
    """

    def link(_app: Any, page: str, source: list[str]) -> None:
        if not page.startswith("reference/"):
            source[0] = linked(source[0], names(SPEC))

    def look(app: Any, error: Exception | None) -> None:
        if error is None and app.builder.name == "html":
            for fault in faults(Path(app.outdir), {rule.id for rule in SPEC.rules.rules}):
                getLogger(__name__).warning(fault)

    app.connect("source-read", link)
    app.connect("build-finished", look)
