from tunnel_conformance.spec import spec
from tunnel_conformance.verbs import VERBS


def test_the_kit_has_the_verbs_of_the_table_and_no_other() -> None:
    assert set(VERBS) == {verb.name for verb in spec().cases.verbs}
