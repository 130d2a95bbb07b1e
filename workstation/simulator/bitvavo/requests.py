"""Single parameters of what is sent to Bitvavo."""

from workstation.simulator.bitvavo.errors import INVALID_JSON, BitvavoError, missing, wrong
from workstation.simulator.request_fields import FieldReader, Fields, body_fields, query_fields
from workstation.simulator.wire import WireRequest

WITH_BODY = frozenset({"POST", "PUT"})
READER = FieldReader(missing, wrong)
required, whole, decimal = READER.required, READER.whole_within, READER.decimal


def fields_of(request: WireRequest) -> Fields:
    """Of the body or of the query. Raises BitvavoError for a body that is no JSON object."""
    if request.method not in WITH_BODY:
        return query_fields(request.query)
    found = body_fields(request.body)
    if found is None:
        raise BitvavoError(*INVALID_JSON)
    return found


def is_true(fields: Fields, name: str) -> bool:
    """A yes or no, as JSON or as text; no without it. Raises BitvavoError for another word."""
    word = fields.get(name, "false").lower()
    if word not in ("true", "false"):
        raise wrong(name)
    return word == "true"
