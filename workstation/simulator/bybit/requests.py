"""What is sent to Bybit, and single parameters of it."""

from workstation.simulator.bybit.errors import wrong
from workstation.simulator.request_fields import FieldReader, Fields, body_fields

READER = FieldReader(wrong, wrong)
whole, decimal = READER.whole, READER.decimal


def checked_body(body: str) -> Fields:
    """Raises BybitError for what is no JSON object."""
    found = body_fields(body)
    if found is None:
        raise wrong("body")
    return found
