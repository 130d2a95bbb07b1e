"""A part of a list that grows: its newest entries, or those behind one that is named."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import TypeVar

from workstation.errors import BadInput

Entry = TypeVar("Entry")


def page_of(
    entries: Sequence[Entry],
    limit: int,
    after: str | None,
    name_of: Callable[[Entry], str],
    is_wanted: Callable[[Entry], bool] = lambda entry: True,
) -> list[Entry]:
    """At most `limit` wanted entries, oldest first: the last ones, or the first behind the entry named `after`.

    An empty `after` begins at the oldest. An entry that is not wanted may be named all the same. Raises BadInput.
    """
    if limit < 1:
        raise BadInput(f"limit {limit}: expected 1 or more")
    if after is None:
        return list(islice(filter(is_wanted, reversed(entries)), limit))[::-1]
    return list(islice(filter(is_wanted, _behind(entries, after, name_of)), limit))


def _behind(entries: Sequence[Entry], after: str, name_of: Callable[[Entry], str]) -> Iterable[Entry]:
    if not after:
        return entries
    for place, entry in enumerate(entries):
        if name_of(entry) == after:
            return islice(entries, place + 1, None)
    raise BadInput(f"after {after!r}: no such entry in this list; leave it empty to begin at the oldest")
