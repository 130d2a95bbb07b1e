"""What clients send, as texts by name: the parameters of a query, or the fields of a JSON object."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from workstation.simulator.request_numbers import decimal_of, whole_of

Fields = Mapping[str, str]


def query_fields(query: str) -> Fields:
    """Those with a value."""
    return dict(parse_qsl(query))


def body_fields(body: str) -> Fields | None:
    """None for what is no JSON object."""
    try:
        return as_texts(msgspec.json.decode(body, type=dict[str, Any]))
    except (msgspec.DecodeError, RecursionError):
        return None


def as_texts(fields: Mapping[str, Any]) -> Fields:
    """Texts and numbers; an empty text is as good as none, and what is neither is left out."""
    return {name: str(value) for name, value in fields.items() if isinstance(value, str | int | float) and value != ""}


def json_object(text: str) -> dict[str, Any]:
    """The object that a text is; an empty one in place of what is none."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class FieldReader:
    """Single fields, refused in a venue's words: one that was not sent, and one that cannot be read."""

    missing: Callable[[str], Exception]
    wrong: Callable[[str], Exception]

    def required(self, fields: Fields, name: str) -> str:
        """Raises `missing` for one that was not sent."""
        if name not in fields:
            raise self.missing(name)
        return fields[name]

    def whole(self, fields: Fields, name: str, otherwise: int, most: int | None = None) -> int:
        """A whole number that was sent, held to `most`. Raises `wrong` for what is none."""
        if name not in fields:
            return otherwise
        found = whole_of(fields[name])
        if found is None:
            raise self.wrong(name)
        return found if most is None else min(found, most)

    def whole_within(self, fields: Fields, name: str, otherwise: int, most: int | None = None) -> int:
        """A whole number that was sent. Raises `wrong` for what is none, and for more than `most`."""
        found = self.whole(fields, name, otherwise)
        if name in fields and most is not None and found > most:
            raise self.wrong(name)
        return found

    def decimal(self, fields: Fields, name: str) -> Decimal | None:
        """A number that was sent, None where there is none. Raises `wrong` for what is no number."""
        return self.needed_decimal(fields, name) if name in fields else None

    def needed_decimal(self, fields: Fields, name: str) -> Decimal:
        """A number that must be sent. Raises `missing`, `wrong`."""
        found = decimal_of(self.required(fields, name))
        if found is None:
            raise self.wrong(name)
        return found
