"""The table of the pages by itself, in a page of nothing else: what it draws, sorts, leaves out, says and saves."""

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.seeing import a_context
from workstation.dashboard.components import code_of, sheet_of
from workstation.dashboard.tables import Column, rows_told

pytestmark = pytest.mark.browser
COLUMNS = (
    Column(name="age", title="Age", kind="age"),
    Column(name="venue", title="Venue", rank=2),
    Column(name="side", title="Side", kind="side"),
    Column(name="price", title="Price", kind="price", rank=1),
    Column(name="result", title="Result", kind="signed"),
    Column(name="reason", title="Reason", rank=3),
)
EVIL = "<img src=x onerror=alert(1)>"
NOW_MS = 1_700_000_100_000
PUT_UP = """async ([code, sheet, told]) => {
  const watchers = new Set(), said = []
  globalThis.workstationLive = {watch: (_, one) => { watchers.add(one); return () => watchers.delete(one) }}
  const heard = {}
  document.body.style.margin = 0
  const model = {...told, on: (name, act) => { heard[name] = act }, send_msg: (one) => said.push(one)}
  const module = await import(URL.createObjectURL(new Blob([code], {type: "text/javascript"})))
  document.head.append(Object.assign(document.createElement("style"), {textContent: sheet.replaceAll(":host", "body")}))
  document.body.append(module.render({model}))
  globalThis.tell = (whole) => watchers.forEach((one) => one.whole(whole))
  globalThis.set = (name, value) => { model[name] = value; heard[name]() }
  globalThis.said = said
}"""

COUNTED = "(columns) => document.querySelectorAll('th:not([hidden])').length === columns"
WATCH = """() => {
  globalThis.touched = []
  const told = (all) => all.forEach((one) => touched.push(one.target.textContent))
  const everything = {subtree: true, childList: true, characterData: true, attributes: true}
  new MutationObserver(told).observe(document.querySelector("tbody"), everything)
}"""


class Table:
    """`tell` is a look at the engine; `texts` are the cells in sight, by lines."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.page.goto("about:blank")

    def put_up(self, **told: Any) -> None:
        given = {
            "title": "Fills", "empty": "No fills yet.", "columns": [one.told() for one in COLUMNS], "buttons": {},
            "acts": True, "opens": False, "source": "fills", "most": 200, "session": "", "rows": [],
        }  # fmt: skip
        self.page.evaluate(PUT_UP, [code_of("table"), sheet_of("table"), given | told])
        self.page.wait_for_function("document.querySelector('col').style.width !== ''")

    def tell(self, *rows: dict[str, Any]) -> None:
        whole = {"silent_s": 0, "now_ms": NOW_MS, "fills_rows": rows_told(COLUMNS, rows)}
        self.page.evaluate("(whole) => tell(whole)", whole)

    def texts(self) -> list[list[str]]:
        seen = "[...one.cells].filter((cell) => !cell.hidden).map((cell) => cell.textContent)"
        lines = f"(lines) => lines.map((one) => {seen})"
        return self.page.locator("tbody tr").evaluate_all(lines)  # type: ignore[no-any-return]

    def note(self) -> str:
        return self.page.locator(".teach").inner_text()

    def said(self) -> Any:
        return self.page.evaluate("said")


@pytest.fixture
def table(browser: Browser) -> Iterator[Table]:
    context = a_context(browser)
    yield Table(context.new_page())
    context.close()


def a_row(**told: Any) -> dict[str, Any]:
    given = {"age": NOW_MS - 5_000, "venue": "nova", "side": "buy", "price": "50000.5", "result": -1.5, "reason": "z"}
    return given | {"price_digits": 1, "session": "one"} | told


def test_values_are_told_in_the_houses_words(table: Table) -> None:
    table.put_up()
    assert table.note() == "Loading…"
    table.tell(a_row(), a_row(age=NOW_MS - 125_000, venue="", side="short", price=None, result=0.0))
    assert table.texts() == [
        ["5 s", "nova", "▲ buy", "50,000.5", "−1.50", "z"],
        ["2 min", "–", "▼ short", "–", "0.00", "z"],
    ]
    assert table.page.locator("td.down").all_inner_texts() == ["−1.50", "▼ short"]
    table.tell()
    assert (table.texts(), table.note()) == ([], "No fills yet.")


def test_what_came_from_outside_is_text(table: Table) -> None:
    table.put_up()
    table.tell(a_row(reason=EVIL, venue=EVIL, side=EVIL, price=EVIL))
    assert table.texts()[0][1:4] == [EVIL, f"▼ {EVIL}", "–"]
    assert table.page.locator("tbody img").count() == 0


def test_heads_sort_up_down_and_not_at_all_and_the_unknown_comes_last(table: Table) -> None:
    table.put_up()
    table.tell(a_row(result=2.0), a_row(result=None), a_row(result=-10.0), a_row(result=10.0))
    head = table.page.get_by_role("button", name="Result")
    orders = []
    for _ in range(3):
        head.click()
        orders.append((table.page.locator("th").nth(4).get_attribute("aria-sort"), [row[4] for row in table.texts()]))
    assert orders == [
        ("ascending", ["−10.00", "+2.00", "+10.00", "–"]),
        ("descending", ["+10.00", "+2.00", "−10.00", "–"]),
        (None, ["+2.00", "–", "−10.00", "+10.00"]),
    ]


def test_only_cells_that_changed_are_touched(table: Table) -> None:
    table.put_up()
    table.tell(a_row(), a_row(venue="orion"))
    table.page.evaluate(WATCH)
    table.tell(a_row(), a_row(venue="orion", result=7.0))
    touched = table.page.evaluate("() => new Promise((done) => setTimeout(() => done([...new Set(touched)]), 0))")
    assert touched == ["+7.00"]


def test_what_has_no_room_goes_by_rank_and_comes_back(table: Table) -> None:
    table.put_up()
    table.tell(a_row())
    for width, columns in ((340, 5), (300, 4), (240, 3), (1000, 6)):
        table.page.set_viewport_size({"width": width, "height": 600})
        table.page.wait_for_function(COUNTED, arg=columns)
        assert len(table.texts()[0]) == columns
        assert table.page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def test_rows_of_another_session_are_not_shown_and_no_more_than_the_most(table: Table) -> None:
    table.put_up(most=2, session="one")
    table.tell(a_row(), a_row(session="two", venue="orion"), a_row(), a_row())
    assert [row[1] for row in table.texts()] == ["nova", "nova"]
    assert table.note() == "The first 2 of 3; the CSV has these 3."
    table.page.evaluate("set('session', 'two')")
    assert [row[1] for row in table.texts()] == ["orion"]


def test_a_press_says_which_row_and_which_button(table: Table) -> None:
    table.put_up(buttons={"close": ["close", "Close at the market"]}, opens=True)
    table.tell(a_row(), a_row(venue="orion"))
    table.page.get_by_role("button", name="close").nth(1).click()
    table.page.get_by_text("nova").click()
    table.page.locator("tbody tr").nth(1).press("Enter")
    said = [(one.get("button"), one["row"]["venue"]) for one in table.said()]
    assert said == [("close", "orion"), (None, "nova"), (None, "orion")]


def test_buttons_that_stand_where_a_column_says_so_share_one_place_and_are_off_for_who_may_not_act(
    table: Table,
) -> None:
    table.put_up(buttons={
        "cancel": ["cancel", "End it", {"venue": ["nova", "vega"]}], "again": ["go on", "Ask", {"venue": ["orion"]}],
    })  # fmt: skip
    table.tell(a_row(), a_row(venue="orion"), a_row(venue="lyra"))
    acts = table.page.locator("tbody .act")
    assert acts.count() == 3
    shown = [acts.nth(at).locator("button:visible").all_inner_texts() for at in range(3)]
    assert shown == [["cancel"], ["go on"], []]
    table.page.evaluate("set('acts', false)")
    assert table.page.locator("tbody button:enabled").count() == 0
    table.page.evaluate("set('acts', true)")
    table.page.get_by_role("button", name="go on").click()
    assert [(one["button"], one["row"]["venue"]) for one in table.said()] == [("again", "orion")]


def test_a_share_is_a_bar_with_its_percent_never_rounded_up(table: Table) -> None:
    column = Column(name="done", title="Done", kind="share")
    table.put_up(columns=[column.told()], source="", rows=rows_told([column], [{"done": 0.999}, {"done": None}]))
    cells = table.page.locator("tbody td")
    assert cells.all_inner_texts() == ["99 %", "–"]
    told = "(all) => all.map((one) => [one.classList.contains('share'), one.style.getPropertyValue('--share')])"
    bars = cells.evaluate_all(told)
    assert bars == [[True, "99.9%"], [False, "0%"]]


def test_a_button_stays_with_its_row_when_another_one_comes_or_goes(table: Table) -> None:
    table.put_up(buttons={"cancel": ["cancel", "Cancel this order"]})
    table.tell(a_row(), a_row(venue="orion"))
    button = table.page.get_by_role("button", name="cancel").nth(1).element_handle()
    table.tell(a_row(venue="vega"), a_row(venue="lyra"), a_row(venue="orion", result=3.0))
    assert [row[1] for row in table.texts()] == ["vega", "lyra", "orion"]
    button.click()
    table.tell(a_row(venue="vega"))
    assert not button.evaluate("(one) => one.isConnected")
    assert [one["row"]["venue"] for one in table.said()] == ["orion"]


@pytest.mark.parametrize(
    "reason", ['=HYPERLINK("http://evil.example")', "+1", "-1", "@SUM(1)", "\tx", "\rx", 'a "b", c']
)
def test_a_spreadsheet_gets_every_row_and_nothing_to_run(table: Table, reason: str, tmp_path: Path) -> None:
    table.put_up(most=1)
    table.tell(a_row(reason=reason), a_row(reason="z below -2", price=None))
    with table.page.expect_download() as download:
        table.page.get_by_role("button", name="Fills as CSV").click()
    assert download.value.suggested_filename == "fills.csv"
    download.value.save_as(tmp_path / "fills.csv")
    text = (tmp_path / "fills.csv").read_bytes().decode()
    first, second = csv.DictReader(StringIO(text, newline=""))
    assert first["reason"] == (reason if reason.startswith("a") else f"'{reason}")
    assert (first["age"], first["price"], first["result"]) == ("2023-11-14T22:14:55.000Z", "50000.5", "-1.5")
    assert (second["reason"], second["price"]) == ("z below -2", "")
