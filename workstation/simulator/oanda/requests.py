"""What clients ask, by name: parameters of a query, and fields of a body."""

import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from workstation.model.durations import SECOND_NS
from workstation.simulator.oanda.errors import OandaError, wrong
from workstation.simulator.oanda.format import Json
from workstation.simulator.request_fields import Fields

TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?\d*(Z|[+-]\d\d:\d\d)?")
UNIX = re.compile(r"(\d{1,11})(?:\.(\d{1,9}))?")
LONGEST = 40
BOOLEANS = {"true": True, "false": False}


def body_fields(body: str) -> Json:
    """The object that a body is, an empty one for none. Raises OandaError."""
    try:
        found = msgspec.json.decode(body) if body else {}
    except (msgspec.DecodeError, RecursionError):
        raise OandaError("Invalid JSON, ParseErrorCode: 3, Message: Invalid value.") from None
    return found if isinstance(found, dict) else {}


def body_object(body: str, name: str) -> Json:
    """The object of that name in a body. Raises OandaError."""
    inner = body_fields(body).get(name)
    if not isinstance(inner, dict):
        raise OandaError(f"Invalid JSON body: expected an object with '{name}'")
    return inner


def whole(fields: Fields, name: str, otherwise: int, most: int) -> int:
    """A whole number from 1 to the most. Raises OandaError."""
    text = fields.get(name, str(otherwise))
    if not re.fullmatch(r"[0-9]{1,12}", text) or int(text) < 1:
        raise wrong(name)
    if int(text) > most:
        raise OandaError(f"Maximum value for '{name}' exceeded")
    return int(text)


def boolean(fields: Fields, name: str, *, otherwise: bool) -> bool:
    """Raises OandaError."""
    text = fields.get(name)
    if text is None:
        return otherwise
    if text.lower() not in BOOLEANS:
        raise wrong(name)
    return BOOLEANS[text.lower()]


def moment_ns(fields: Fields, name: str) -> int | None:
    """A time by RFC 3339 or in s of Unix time; None where it is not given. Raises OandaError."""
    text = fields.get(name)
    if text is None:
        return None
    if (unix := UNIX.fullmatch(text)) is not None:
        return int(unix[1]) * SECOND_NS + int((unix[2] or "0").ljust(9, "0"))
    match = TIME.fullmatch(text)
    if match is None:
        raise wrong(name)
    zone = "+00:00" if match[3] in (None, "Z") else match[3]
    try:
        seconds = int(datetime.fromisoformat(match[1] + zone).timestamp())
    except (ValueError, OverflowError):
        raise wrong(name) from None
    return seconds * SECOND_NS + int((match[2] or "0").ljust(9, "0"))


def decimal_of(value: Any) -> Decimal | None:
    """A finite number, signed or not, as text or as a number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float) or len(str(value)) > LONGEST:
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
