"""What is sent to Gate: parameters of a query, or the fields of a JSON object, as texts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from workstation.simulator.gate.errors import INVALID_BODY, GateError, missing, wrong
from workstation.simulator.request_numbers import decimal_of, whole_of

Fields = Mapping[str, str]


def query_fields(query: str) -> Fields:
    return dict(parse_qsl(query))


def body_fields(body: str) -> Fields:
    """Raises GateError for what is no JSON object."""
    try:
        found = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise GateError(*INVALID_BODY) from None
    return as_texts(found)


def as_texts(fields: Mapping[str, Any]) -> Fields:
    """Texts and numbers; an empty text is as good as none, and what is neither is left out."""
    return {name: str(value) for name, value in fields.items() if isinstance(value, str | int | float) and value != ""}


def required(fields: Fields, name: str) -> str:
    """Raises GateError for one that was not sent."""
    if name not in fields:
        raise missing(name)
    return fields[name]


def whole(fields: Fields, name: str, otherwise: int, most: int | None = None) -> int:
    """A whole number that was sent. Raises GateError for what is none, and for more than `most`."""
    if name not in fields:
        return otherwise
    found = whole_of(fields[name])
    if found is None or (most is not None and found > most):
        raise wrong(name)
    return found


def decimal(fields: Fields, name: str) -> Decimal:
    """A number that must be sent. Raises GateError."""
    found = decimal_of(required(fields, name))
    if found is None:
        raise wrong(name)
    return found
