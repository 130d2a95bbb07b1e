"""What is sent to Gate, and single parameters of it."""

from workstation.simulator.gate.errors import INVALID_BODY, GateError, missing, wrong
from workstation.simulator.request_fields import FieldReader, Fields, body_fields

READER = FieldReader(missing, wrong)
required, whole, decimal = READER.required, READER.whole_within, READER.needed_decimal


def checked_body(body: str) -> Fields:
    """Raises GateError for what is no JSON object."""
    found = body_fields(body)
    if found is None:
        raise GateError(*INVALID_BODY)
    return found
