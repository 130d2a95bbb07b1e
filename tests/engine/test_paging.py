"""A part of a list that grows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.engine.paging import page_of
from workstation.errors import BadInput


@given(entries=st.lists(st.integers(0, 999), unique=True, max_size=30), limit=st.integers(1, 12), parity=st.booleans())
def test_page_by_page_every_wanted_entry_comes_once_and_in_order(entries: list[int], limit: int, parity: bool) -> None:
    def wanted(entry: int) -> bool:
        return parity or entry % 2 == 0

    seen, after = list[int](), ""
    while page := page_of(entries, limit, after, str, wanted):
        assert len(page) <= limit
        seen, after = seen + page, str(page[-1])
    assert seen == [entry for entry in entries if wanted(entry)]
    assert page_of(entries, limit, None, str, wanted) == seen[-limit:]


def test_an_entry_that_is_not_wanted_any_more_may_be_named_all_the_same() -> None:
    assert page_of([1, 2, 3, 4], 9, "1", str, lambda entry: entry % 2 == 0) == [2, 4]


def test_an_entry_that_is_not_there_and_a_page_of_nothing_are_refused() -> None:
    with pytest.raises(BadInput, match="after '7': no such entry"):
        page_of([1, 2], 1, "7", str)
    with pytest.raises(BadInput, match="limit 0: expected 1 or more"):
        page_of([1, 2], 0, None, str)
