"""What a session may be declared as."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.server.desk import DECLARED
from workstation.client.declaration import SessionDeclaration


def test_what_was_written_as_text_reads_back_the_same() -> None:
    declared = SessionDeclaration.model_validate(DECLARED)
    assert SessionDeclaration.model_validate_json(declared.model_dump_json()) == declared
    assert [type(value) for value in declared.parameters.values()] == [int, float, bool, str]


@pytest.mark.parametrize(
    "changes",
    [
        {"session": "a b"},  # the whole name must fit, not a part of it
        {"session": "-a"},
        {"session": "a\n"},
        {"balance": "1e16"},
        {"balance": "1e-19"},
        {"limits": {"max_position_notional": 0}},
        {"limits": {"max_position_notional": "nonesuch"}},
        {"limits": {"max_quote_age_ms": 0}},
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SessionDeclaration.model_validate({**DECLARED, **changes})


def test_a_limit_may_be_lifted_by_a_word() -> None:
    limits = {"max_position_notional": "none", "max_open_positions": "none", "max_quote_age_ms": "none"}
    declared = SessionDeclaration.model_validate({**DECLARED, "limits": limits})
    assert declared.limits.model_dump() == limits
