"""Writes `export/`: what programs in other languages take from the tables, each in a form that its own tools read."""

from spec.compiler import export_asyncapi, export_bundle, export_frames, export_typescript
from spec.compiler.export_json import text
from spec.compiler.reader import Spec


def folder(spec: Spec) -> str:
    """Where all of it lies, below the root of the repository."""
    return f"spec/v{spec.protocol.wire}/export"


def write(spec: Spec) -> dict[str, str]:
    """Every file: path below the root of the repository, and its whole text."""
    files = {f"frames/{name}.schema.json": text(schema) for name, schema in export_frames.schemas(spec).items()}
    files["spec.schema.json"] = text(export_bundle.schema(spec))
    files["asyncapi.json"] = text(export_asyncapi.document(spec))
    files["tunnel.d.ts"] = export_typescript.types(spec)
    return {f"{folder(spec)}/{path}": written for path, written in sorted(files.items())}
