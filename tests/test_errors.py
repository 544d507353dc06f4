"""Errors say whose fault they are, and in words."""

import pytest

from tunnel import errors

FAULTS = (errors.OurFault, errors.TheirFault, errors.Refused, errors.NetworkFault)


@pytest.mark.parametrize("error", [errors.BadLink, errors.BadEncoding, errors.Unreadable])
def test_what_a_stranger_wrote_wrong_is_their_fault(error: type[Exception]) -> None:
    assert issubclass(error, errors.TheirFault)


@pytest.mark.parametrize("error", FAULTS)
def test_every_fault_is_nobody_elses(error: type[Exception]) -> None:
    assert issubclass(error, errors.TunnelError)
    assert [other for other in FAULTS if issubclass(error, other)] == [error]


def test_what_a_row_needs_is_given_back_as_it_is() -> None:
    assert errors.given(0) == 0


def test_a_row_without_what_it_needs_is_a_bug_of_ours() -> None:
    with pytest.raises(errors.OurFault, match="a row was taken without what its actions need"):
        errors.given(None)
