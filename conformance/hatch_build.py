# ruff: noqa: INP001 - hatch loads it by its path
"""Puts the spec's vectors into the wheel: from the source tree, or from a source distribution that holds them already."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Vectors(BuildHookInterface[Any]):
    """Hatch finds it by its base class."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add them."""
        vectors = Path(self.root).parent / "spec" / "v1" / "vectors"
        if version == "standard" and vectors.is_dir():
            build_data["force_include"][str(vectors)] = "tunnel_conformance/data/vectors"
