"""Tables of pages as the browser is told them: columns once, rows when something of them changed, and presses."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.test_hub import APage
from tests.dashboard.test_pages import a_full_state
from tests.dashboard.views import T0_NS
from workstation.dashboard.hub import Hub
from workstation.dashboard.link import EngineLink
from workstation.dashboard.live_rows import FILLS, ORDERS, POSITIONS
from workstation.dashboard.sources import open_source
from workstation.dashboard.tables import Column, LiveTable, Row, rows_told
from workstation.dashboard.telling import told_of
from workstation.windows.opportunities import OpportunitySpec

COLUMNS = (Column(name="order", title="Id", kind="id"), Column(name="result", title="Result", kind="signed", rank=2))


def test_a_row_is_told_in_its_columns_order_with_its_decimals_and_whose_it_is() -> None:
    rows = rows_told(COLUMNS, [{"result": -1.5, "order": "a", "price_digits": 5, "session": "one"}, {}])
    assert rows == [["a", -1.5, 5, 2, "one"], [None, None, 2, 2, None]]


def test_a_column_is_as_wide_as_its_title_and_grows_unless_its_width_is_given() -> None:
    text, fixed = Column(name="x", title="A title of some length"), Column(name="x", title="x", width=90)
    assert text.told()["least"] > 130 and text.told()["grow"] == 2
    assert (fixed.told()["least"], fixed.told()["grow"]) == (90, 0)


def test_the_state_tells_the_rows_of_each_table() -> None:
    told = told_of(a_full_state(), 0.0)
    [position], [order], [fill] = told["positions_rows"], told["orders_rows"], told["fills_rows"]
    names = [[one.name for one in columns] for columns in (POSITIONS, ORDERS, FILLS)]
    assert position[names[0].index("side")] == "long" and position[-1] == "one"
    assert order[names[1].index("order")] == "one-1"
    assert fill[names[2].index("price")] == 100
    assert [row[0] for row in told["sessions_rows"]] == ["one", "old"]
    assert order[names[1].index("age")] == T0_NS // 1_000_000


def test_a_look_tells_what_changed_and_a_later_viewer_everything(tmp_path: Path) -> None:
    async def looked() -> tuple[APage, APage]:
        link = EngineLink("http://127.0.0.1:9", tmp_path)
        link.state = a_full_state()
        hub = Hub(lambda channel: open_source(channel, link, tmp_path, OpportunitySpec()))
        first, second = APage(), APage()
        hub.enter(first)
        hub.watch(first, frozenset({"state"}))
        link.state = replace(link.state, orders=())
        for told in tuple(link._followers):
            told(link.state)
        hub.enter(second)
        hub.watch(second, frozenset({"state"}))
        for one in (first, second):
            hub.leave(one)
        return first, second

    first, second = asyncio.run(looked())
    whole, change = first.taken
    assert {"orders", "orders_rows", "closing"} <= set(change["delta"]) and "positions_rows" not in change["delta"]
    assert second.taken[0]["sequence"] == change["sequence"]
    assert second.taken[0]["snapshot"] == whole["snapshot"] | change["delta"]


def pressed(table: LiveTable, data: Any) -> None:
    asyncio.run(table._handle_msg(data))


def test_a_press_reaches_its_button_or_its_row_and_nonsense_reaches_nothing() -> None:
    table, told = LiveTable("Orders", COLUMNS), []

    async def cancel(row: Row) -> None:
        told.append(("cancel", row))

    table.on_button("cancel", cancel)
    pressed(table, {"row": {"order": "x"}})  # rows of this one cannot be pressed
    table.on_row(lambda row: told.append(("row", row)))
    pressed(table, {"row": {"order": "a", "result": 1.5}, "button": "cancel"})
    pressed(table, {"row": {"order": "b"}})
    for nonsense in (None, [], "x", {"row": 1}, {"button": "cancel"}, {"row": {}, "button": "close"}):
        pressed(table, nonsense)
    assert told == [("cancel", {"order": "a", "result": "1.5"}), ("row", {"order": "b", "result": ""})]


@pytest.mark.parametrize("kind", ["price", "age"])
def test_rows_of_a_table_without_a_source_are_those_it_was_shown(kind: Any) -> None:
    table = LiveTable("Journal", (Column(name="x", title="X", kind=kind),))
    table.show([{"x": 1}, {"x": 2}])
    assert [row[0] for row in table.rows] == [1, 2]
