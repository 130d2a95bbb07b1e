"""What a refused request is answered with, and the error that it is on either side."""

from workstation import errors
from workstation.client.declaration import Message
from workstation.client.ticket import RefusalView
from workstation.errors import OrderRefused, WorkstationError


class Problem(Message):
    """`error` is the sentence for a person; `kind` the name of its class in `workstation.errors`."""

    error: str
    kind: str
    field: str | None = None
    """Dotted place of the value that was refused: "body.limits.max_open_positions"."""
    value: str | None = None
    """That value as it was written, cut off where it is long."""
    expected: str | None = None
    refusal: RefusalView | None = None
    """Of an order by hand that risk refused."""


def error_of(problem: Problem) -> WorkstationError:
    """The error that the engine raised, of the same class and with the same message."""
    if problem.refusal is not None:
        return OrderRefused(problem.error, problem.refusal.model_dump())
    found = getattr(errors, problem.kind, None)
    if isinstance(found, type) and issubclass(found, WorkstationError):
        return found(problem.error)
    return WorkstationError(problem.error)
