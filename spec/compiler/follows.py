"""What follows from the tables is frozen beside them: what the machines do on every walk, and what a receiver takes for a frame.

It changes without them when somebody changes what tables mean. Compared are values without the words for people, and no bytes.
"""

import json
from typing import Any, Final

from spec.compiler import export, export_frames, export_json, export_traces
from spec.compiler.meaning import Meaning, Place
from spec.compiler.reader import Spec, SpecError

EXPORT: Final = "export"
"""Where it stands, in the folder of a version."""

PARTS: Final = ("start", "events", "actions", "traces")
"""Of a file of traces; the rest says where it comes from."""

WORDS: Final = frozenset({"$comment", "title", "description", "examples", "x-rules", "x-visible-note"})
"""Of a schema: for people, or from vectors and rules, of which there may be more."""

NAMED: Final = ("properties", "$defs")
"""In these, the keys are names, whatever they are."""


def follows(spec: Spec) -> Meaning:
    """What follows from the tables alone, whatever lies in the folder.

    Raises:
        SpecError: nothing can walk through a machine, or no frame can be read from the vectors.
    """
    try:
        frames = export_frames.schemas(spec)
    except (OSError, ValueError, KeyError) as error:
        raise SpecError(f"vectors/encode.json: holds no frames ({error!r}): restore it") from None
    schemas = {f"frames/{name}.schema.json": export_json.text(schema) for name, schema in frames.items()}
    made = {f"{export.folder(spec)}/{path}": text for path, text in schemas.items()}
    return followed(spec, made | export_traces.write(spec))


def followed(spec: Spec, texts: dict[str, str]) -> Meaning:
    """The same, from texts that were made already: by path below the root of the repository."""
    folder = export.folder(spec)
    found: Meaning = {}
    for name in spec.machines:
        traces = json.loads(texts[f"{folder}/traces/{name}.json"])
        found[Place(EXPORT, "traces", f"{name}.json")] = {part: _part(traces, part) for part in PARTS}
    for frame in spec.frames.frames:
        name = f"{frame.name}.schema.json"
        found[Place(EXPORT, "frames", name)] = {"schema": bare(json.loads(texts[f"{folder}/frames/{name}"]))}
    return found


def bare(schema: Any) -> Any:  # JSON of no fixed shape
    """A schema without its words."""
    match schema:
        case {**parts}:
            return {
                key: {name: bare(part) for name, part in value.items()} if key in NAMED else bare(value)
                for key, value in parts.items()
                if key not in WORDS
            }
        case [*parts]:
            return [bare(part) for part in parts]
        case _:
            return schema


def _part(traces: dict[str, Any], part: str) -> Any:  # JSON of no fixed shape
    """What an action is, in words, is a sentence of its table, and not told here again."""
    if part != "actions":
        return traces[part]
    return {action: {key: row[key] for key in row if key != "doc"} for action, row in traces[part].items()}
