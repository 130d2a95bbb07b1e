"""The sieve, against a plain retelling of what is wished."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.session.desks import NOVA, ORION, linear
from workstation.engine.sieve import Sieve
from workstation.engine.wish import Wish
from workstation.model.instrument import Registry
from workstation.model.market import INTERVALS_NS, MARKET_ROW, RowKind

WISHES = st.none() | st.builds(
    Wish,
    quotes=st.booleans(),
    trades=st.booleans(),
    funding=st.booleans(),
    book_levels=st.integers(0, 4),
    intervals_ns=st.frozensets(st.sampled_from(INTERVALS_NS), max_size=4),
)
ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(list(RowKind)), st.integers(0, len(INTERVALS_NS) - 1)), max_size=40
)


def is_wanted(wish: Wish | None, kind: RowKind, code: int) -> bool:
    if wish is None:
        return False
    return {
        RowKind.QUOTE: wish.quotes,
        RowKind.TRADE: wish.trades,
        RowKind.BAR: INTERVALS_NS[code] in wish.intervals_ns,
        RowKind.MARK: wish.funding,
        RowKind.FUNDING: wish.funding,
        RowKind.BOOK: code < wish.book_levels,
    }[kind]


@given(first=WISHES, second=WISHES, told=ROWS)
def test_what_is_wished_passes_and_nothing_else_of_these_instruments(first, second, told) -> None:
    registry = Registry()
    for key in (NOVA, ORION):
        registry.add(linear(key))
    rows = np.zeros(len(told), MARKET_ROW)
    for row, (instrument, kind, code) in zip(rows, told, strict=True):
        row["instrument"], row["kind"], row["interval_code"] = instrument, kind, code
        row["x4"] = 17.0 if kind is RowKind.BOOK else 3.0
    kept = Sieve(registry, {NOVA: first, ORION: second}).take(rows)
    wishes = [first, second]
    expected = [one for one in told if one[0] >= 2 or is_wanted(wishes[one[0]], one[1], one[2])]
    assert list(zip(kept["instrument"], kept["kind"], kept["interval_code"], strict=True)) == expected
    for row in kept:
        if row["kind"] != RowKind.BOOK:
            assert row["x4"] == 3.0
        elif row["instrument"] < 2:
            assert row["x4"] == wishes[row["instrument"]].book_levels
    assert all(row["x4"] in (3.0, 17.0) for row in rows)
