"""What is sent to Bybit: parameters of a query, or the fields of a JSON object, as texts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from workstation.simulator.bybit.errors import wrong
from workstation.simulator.request_numbers import decimal_of, whole_of

Fields = Mapping[str, str]


def query_fields(query: str) -> Fields:
    return dict(parse_qsl(query))


def body_fields(body: str) -> Fields:
    """Raises BybitError for what is no JSON object."""
    try:
        found = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise wrong("body") from None
    return as_texts(found)


def as_texts(fields: Mapping[str, Any]) -> Fields:
    """Texts and numbers; an empty text is as good as none, and what is neither is left out."""
    return {name: str(value) for name, value in fields.items() if isinstance(value, str | int | float) and value != ""}


def whole(fields: Fields, name: str, otherwise: int, most: int | None = None) -> int:
    """A whole number that was sent, held to `most`. Raises BybitError for what is none."""
    if name not in fields:
        return otherwise
    found = whole_of(fields[name])
    if found is None:
        raise wrong(name)
    return found if most is None else min(found, most)


def decimal(fields: Fields, name: str) -> Decimal | None:
    """A number that was sent, None where there is none. Raises BybitError for what is no number."""
    if name not in fields:
        return None
    found = decimal_of(fields[name])
    if found is None:
        raise wrong(name)
    return found
