"""What verify says of a fact that is not the journal's: each field, and both values."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from tests.ledger.examples import RUN, SESSION, START_NS, a_fact, a_fill, every_fact
from workstation.ledger.codec import GENESIS, JournalRow, prepare_fact
from workstation.model.events import ConditionsChanged, Fact, OrderAccepted, OrderFilled
from workstation.model.ids import ClientOrderId
from workstation.model.market import MARKET_ROW
from workstation.research.differences import differences, in_words


def journaled(fact: Fact) -> JournalRow:
    return JournalRow(RUN, SESSION, 0, *prepare_fact(fact).values, GENESIS, GENESIS)


def woken_by(price: float) -> bytes:
    row = np.zeros(1, MARKET_ROW)
    row["x0"], row["x4"] = price, np.nan
    return row.tobytes()


@pytest.mark.parametrize("fact", every_fact(), ids=lambda fact: type(fact.event).__name__)
def test_what_was_journaled_differs_in_nothing(fact: Fact) -> None:
    assert differences(journaled(fact), fact) == []


FILLED = Fact(OrderFilled(fill=a_fill()), 7, START_NS, None, None, None, woken_by(100.5))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"event": OrderFilled(fill=a_fill(price=Decimal("60000.1")))}, "fill.price 60000.1 (journal: 60000.0)"),
        ({"sequence": 8, "ts_due": 9}, "sequence 8 (journal: 7), ts_due 9 (journal: None)"),
        ({"market_row": woken_by(100.25)}, "market_row.x0 100.25 (journal: 100.5)"),
        ({"event": OrderAccepted(client_order_id=ClientOrderId("a"))}, "event OrderAccepted (journal: OrderFilled)"),
    ],
)
def test_each_field_that_differs_is_named_with_both_values(changes: dict[str, Any], words: str) -> None:
    assert in_words(differences(journaled(FILLED), replace(FILLED, **changes))) == words


def test_a_row_that_is_missing_on_one_side_is_named() -> None:
    assert in_words(differences(journaled(replace(FILLED, market_row=None)), FILLED)).endswith("(journal: None)")


def test_what_stands_in_a_list_is_named_by_its_place() -> None:
    before, now = (Fact(ConditionsChanged(changes=(("a", True), ("b", last))), 1, 1) for last in (True, False))
    assert in_words(differences(journaled(before), now)) == "changes[1][1] False (journal: True)"


def test_of_many_differences_the_first_are_named_and_the_others_counted() -> None:
    words = in_words(differences(journaled(a_fact(1)), replace(a_fact(2), ts_due=5, event=OrderFilled(fill=a_fill()))))
    assert words.count("(journal:") == 5
    found = [(f"field{number}", 0, "x" * 100) for number in range(9)]
    assert in_words(found).endswith(", and 3 more")
    assert "x" * 81 not in in_words(found)
