"""Writes the vectors in the shape of Wycheproof's, so that who has a harness for those can ask an implementation with it.

A vector is `valid` where an implementation answers with what stands beside its input, and `invalid` where it answers no.
"""

import json
from typing import Any, Final

from spec.compiler.export_json import text
from spec.compiler.export_vectors_schema import KINDS, schema
from spec.compiler.reader import Spec, SpecError

Vector = dict[str, Any]
"""Any: a vector is JSON of the shape that its file has. Python's own reader is asked, because the vectors hold halves of
surrogate pairs, which msgspec refuses."""

LEGACY: Final = "ReleasedPeersAccept"
"""The flag of what this specification refuses and released peers accept; it needs no mark of its own in the vectors."""


def write(spec: Spec) -> dict[str, str]:
    """Every file: path below the root of the repository, and its whole text.

    Raises:
        SpecError: a vector has a flag that is not declared.
    """
    files = {f"{file}.json": _text(export(spec, file)) for file in KINDS}
    files["schema.json"] = text(schema(spec))
    files["LICENSE"] = (spec.folder / "vectors" / "LICENSE").read_text(encoding="utf-8")
    return {f"spec/v{spec.protocol.wire}/export/vectors/{name}": text for name, text in files.items()}


def export(spec: Spec, file: str) -> Vector:
    """A file of vectors in Wycheproof's shape."""
    source = _read(spec, file)
    tests = [_test(file, number, vector) for number, vector in enumerate(source["vectors"], 1)]
    return {
        "algorithm": KINDS[file].algorithm,
        "schema": "schema.json",
        "generatorVersion": spec.protocol.spec_version,
        "numberOfTests": len(tests),
        "header": [
            source["claim"],
            f"Generated from spec/v{spec.protocol.wire}/vectors/{file}.json by `python -m spec.compiler build`.",
            "CC0 1.0: see LICENSE.",
        ],
        "notes": _notes(spec, file, {flag for test in tests for flag in test["flags"]}),
        "testGroups": [
            {
                "type": KINDS[file].type,
                "source": {
                    "name": f"{spec.protocol.name}, wire version {spec.protocol.wire}",
                    "version": spec.protocol.spec_version,
                },
                "tests": tests,
            }
        ],
    }


def _read(spec: Spec, file: str) -> Vector:
    return json.loads((spec.folder / "vectors" / f"{file}.json").read_text(encoding="utf-8"))


def _notes(spec: Spec, file: str, flags: set[str]) -> Vector:
    """What the flags of a file mean."""
    declared = _read(spec, "flags")["flags"]
    if unknown := sorted(flags - declared.keys()):
        raise SpecError(
            f"vectors/{file}.json: the flag {unknown[0]!r} is not declared; declare it in vectors/flags.json"
        )
    return {flag: declared[flag] for flag in sorted(flags)}


def _test(file: str, number: int, vector: Vector) -> Vector:
    answer = _answer(file, vector)
    flags = [vector["flag"]] if "flag" in vector else []
    if answer is None and vector["verdict"] == "stricter":
        flags.append(LEGACY)
    return {
        "tcId": number,
        "comment": vector["name"],
        **({"why": vector["why"]} if "why" in vector else {}),
        "flags": flags,
        **{field: vector[field] for field in KINDS[file].asks},
        **(answer or {}),
        **{field: vector[field] for field in KINDS[file].always},
        "result": "invalid" if answer is None else "valid",
    }


def _answer(file: str, vector: Vector) -> Vector | None:
    """What an implementation answers, by field; None where it answers no."""
    match file:
        case "challenge_rejected" | "links_later":
            return None
        case "mint":
            return {"link": vector.get("ours", vector["released"])}
        case "base64url" | "links_own" | "frames":
            (field,) = KINDS[file].answers
            found = vector["read" if file == "frames" else field]
            return None if found is None else {field: found}
        case "open" | "links" | "decode":
            refused = vector["released"] is None or vector["verdict"] == "stricter"
            return None if refused else _released(file, vector["released"])
        case _:
            return None if vector["verdict"] == "stricter" else {field: vector[field] for field in KINDS[file].answers}


def _released(file: str, released: Any) -> Vector:
    match file:
        case "open":
            return {"text": released}
        case "decode":
            return {"frame": json.loads(released)["t"]}
        case _:
            # Released peers leave the blanks around a link to their dialler, which drops them.
            return {**released, "url": released["url"].strip()}


def _text(value: Vector) -> str:
    """A test on each line, in ASCII: nothing else can hold half of a surrogate pair."""
    (group,) = value["testGroups"]
    around = json.dumps({**value, "testGroups": [{**group, "tests": []}]}, indent=2)
    tests = ",\n".join(f"        {json.dumps(test)}" for test in group["tests"])
    return around.replace('"tests": []', f'"tests": [\n{tests}\n      ]') + "\n"
