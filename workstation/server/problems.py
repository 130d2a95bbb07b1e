"""Errors as answers: the status of each class, and one form for all of them. Never a stack trace, never a token."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from workstation.client.jobs import JobKind
from workstation.client.problem import Problem
from workstation.client.ticket import RefusalView
from workstation.errors import (
    AccessRefused,
    CallerError,
    CollectionExists,
    CollectionNotFound,
    GroupNotFound,
    HaltError,
    HistoryMissing,
    IllegalTransition,
    JobNotFound,
    OperatorError,
    OrderNotFound,
    OrderRefused,
    RetryError,
    RunNotFound,
    SessionExists,
    SessionNotFound,
    UnknownInstrument,
    WorkstationError,
)

STATUSES: tuple[tuple[type[WorkstationError], int], ...] = (
    (SessionNotFound, 404),
    (JobNotFound, 404),
    (OrderNotFound, 404),
    (GroupNotFound, 404),
    (UnknownInstrument, 404),
    (RunNotFound, 404),
    (HistoryMissing, 404),
    (CollectionNotFound, 404),
    (SessionExists, 409),
    (CollectionExists, 409),
    (IllegalTransition, 409),
    (AccessRefused, 403),
    (CallerError, 400),
    (OperatorError, 409),
    (RetryError, 503),
    (HaltError, 503),
)
"""The first class that fits decides."""

MOST_SHOWN = 200
KINDS = frozenset(JobKind)
"""What pydantic puts in front of a field of a message that is of one of several kinds."""
NO_KIND, OTHER_KIND = "union_tag_not_found", "union_tag_invalid"
BRANCH = re.compile(r"(constrained-)?(str|int|float|bool|decimal)|literal\[.*\]")
"""What pydantic puts behind a field that may be of several kinds: which of them it tried."""
FORM = 422
PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "A value breaks a rule, or the body is no JSON"},
    401: {"model": Problem, "description": "No token, or not this engine's"},
    403: {"model": Problem, "description": "A page of another origin"},
    404: {"model": Problem, "description": "No such thing"},
    409: {"model": Problem, "description": "Not in the present state of things"},
    408: {"model": Problem, "description": "The body did not come in time"},
    413: {"model": Problem, "description": "The body is too large"},
    FORM: {"model": Problem, "description": "A field is missing, unknown, or not of its form"},
    429: {"model": Problem, "description": "Too many requests; Retry-After says when"},
    500: {"model": Problem, "description": "A fault of the engine's own; its log has it"},
    503: {"model": Problem, "description": "Not now"},
}
"""What every operation may answer, for its description."""


def status_of(error: WorkstationError) -> int:
    return next((status for cls, status in STATUSES if isinstance(error, cls)), 500)


def problem_of(error: WorkstationError) -> Problem:
    figures = error.refusal if isinstance(error, OrderRefused) else None
    refusal = None if figures is None else RefusalView.model_validate(figures)
    return Problem(error=written(str(error)), kind=type(error).__name__, refusal=refusal)


def problem_of_form(error: ValidationError | ValueError, whole: str) -> Problem:
    """What a message of our own form lacks; `whole` is what its fields lie in."""
    if isinstance(error, ValidationError):
        return problem_of_details([{**detail, "loc": (whole, *detail["loc"])} for detail in error.errors()])
    return Problem(error=f"{whole}: {written(str(error))}", kind="BadInput", field=whole)


def problem_of_details(details: Sequence[Mapping[str, Any]]) -> Problem:
    """All in the sentence, the first in the fields; the kinds that one field may have are one expectation."""
    expected_of: dict[tuple[str, str], list[str]] = {}
    for detail in details:
        expected_of.setdefault((_place(detail), _shown(detail)), []).append(_expected(detail))
    told = [(field, value, " or ".join(expected)) for (field, value), expected in expected_of.items()]
    sentences = [f"{field} = {value}: expected {expected}" for field, value, expected in told[:3]]
    more = f"; and {len(told) - 3} more" if len(told) > 3 else ""
    field, value, expected = told[0]
    return Problem(error="; ".join(sentences) + more, kind="BadInput", field=field, value=value, expected=expected)


def written(text: str) -> str:
    """Text that JSON can hold, of a length that a person reads."""
    sound = text.encode("utf-8", "backslashreplace").decode()
    return sound if len(sound) <= 2_000 else sound[:2_000] + "…"


def _place(detail: Mapping[str, Any]) -> str:
    place = detail["loc"]
    if len(place) > 2 and place[1] in KINDS:
        place = (place[0], *place[2:])
    if detail["type"] in (NO_KIND, OTHER_KIND):
        place = (*place, "kind")
    if len(place) > 2 and BRANCH.fullmatch(str(place[-1])):
        place = place[:-1]
    return written(".".join(str(part) for part in place))[:MOST_SHOWN]


def _shown(detail: Mapping[str, Any]) -> str:
    if "token" in detail["loc"]:
        return "(not shown)"
    if detail["type"] in ("missing", "json_invalid", NO_KIND):
        return "no JSON" if detail["type"] == "json_invalid" else "nothing"
    if detail["type"] == OTHER_KIND:
        return written(repr(detail["ctx"]["tag"]))[:MOST_SHOWN]
    text = written(repr(detail.get("input")))
    return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "…"


def _expected(detail: Mapping[str, Any]) -> str:
    kind = detail["type"]
    if kind in ("missing", NO_KIND):
        return "a value"
    if kind == OTHER_KIND:
        return "one of " + ", ".join(f"'{one}'" for one in JobKind)
    if kind == "extra_forbidden":
        return "no such field"
    if kind == "json_invalid":
        return f"JSON ({detail.get('ctx', {}).get('error', 'one object')})"
    return written(re.sub(r"^.*?[Ii]nput should be ", "", str(detail["msg"])))[:MOST_SHOWN]
