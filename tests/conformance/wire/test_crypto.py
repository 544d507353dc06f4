import json
from pathlib import Path

import pytest
from tunnel_conformance.wire import crypto

VECTORS = Path(__file__).parents[3] / "spec" / "v1" / "vectors"


def vectors(name: str) -> list[dict[str, str]]:
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))["vectors"]


@pytest.mark.parametrize("vector", vectors("challenge"), ids=lambda v: v["name"])
def test_the_kit_proves_a_key_as_the_spec_says(vector: dict[str, str]) -> None:
    """AUTH-2."""
    proof = crypto.prove(crypto.decode(vector["key"]), vector["challenge"])

    assert crypto.encode(proof) == vector["response"]


@pytest.mark.parametrize("vector", vectors("seal"), ids=lambda v: v["name"])
def test_the_kit_seals_and_unseals_as_the_spec_says(vector: dict[str, str]) -> None:
    """SEAL-1."""
    key, nonce = crypto.decode(vector["key"]), crypto.decode(vector["nonce"])
    text = vector["text"].encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    assert crypto.seal(key, text, nonce) == vector["sealed"]
    assert crypto.unseal(key, vector["sealed"]) == text


@pytest.mark.parametrize("vector", vectors("base64url"), ids=lambda v: v["name"])
def test_the_kit_reads_base64url_strictly(vector: dict[str, str | None]) -> None:
    """SEAL-4."""
    text, good = str(vector["text"]), vector["bytes"]
    try:
        found = crypto.decode(text).hex()
    except ValueError:
        found = None

    assert found == good


@pytest.mark.parametrize("body", [None, 5, "", "no ciphertext", "A" * 56], ids=str)
def test_what_is_no_ciphertext_opens_to_nothing(body: object) -> None:
    assert crypto.unseal(bytes(32), body) is None
