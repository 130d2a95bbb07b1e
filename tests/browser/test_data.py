"""The Data page: what is stored, its map, gaps and sources without an engine; with one, downloads and collections."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import Opens
from tests.browser.desk import Dashboard, Desk
from tests.browser.seeing import PATIENCE_MS, PHONE, Screen, entered
from tests.browser.test_hostile import HOSTILE, has_no_such_element
from tests.dashboard.test_data_page import a_history
from tests.faults.running import until
from tests.history.series import HOURS, QUOTES, a_source, bars_from
from workstation.cli.demonstration import free_port
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS, MINUTE_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey

pytestmark = pytest.mark.browser
SLOW_S = 0.6


@contextmanager
def a_dashboard(home: Path) -> Iterator[Dashboard]:
    """Without an engine, on the history of its home."""
    file = home / "workstation.toml"
    file.write_text(f'[paths]\nhome = "{home}"\n[api]\nport = {free_port()}\n')
    with Dashboard(file, free_port()) as running:
        yield running


def lies_at(screen: Screen, path: str) -> None:
    """An engine that does not answer leaves stripes, and the page works."""
    screen.page.goto(f"{screen.url}{path}")
    expect(screen.page.get_by_role("heading", name="Can I trust the data?").locator("visible=true")).to_be_visible()


def table(screen: Screen, title: str) -> Locator:
    return screen.page.locator("section.table").filter(has=screen.page.get_by_role("heading", name=title)).last


def test_what_is_stored_is_shown_and_a_row_that_is_pressed_tells_its_gaps(
    browser: Browser, screens: Opens, tmp_path: Path
) -> None:
    store = a_history(tmp_path / "history")
    store.write(HOURS, bars_from(19_846 * DAY_NS, 24), a_source(HOSTILE))
    with a_dashboard(tmp_path) as dashboard:
        state = entered(browser, dashboard.link)
        screen = screens(dashboard.url, storage_state=state)
        lies_at(screen, "/data")
        rows = table(screen, "Stored series").locator("tbody tr.opens")
        expect(rows).to_have_count(2)
        expect(screen.page.locator(".map .cell")).to_have_count(4)
        rows.filter(has_text="quotes").click()
        expect(screen.page.get_by_text("10 min", exact=True).locator("visible=true")).to_be_visible()
        expect(screen.page.locator(".name[aria-pressed=true]")).to_have_text(str(QUOTES))
        screen.page.wait_for_url("**/data?series=quotes*")
        screen.page.locator(".name", has_text=str(HOURS)).click()
        expect(screen.page.get_by_text(HOSTILE, exact=True).locator("visible=true")).to_be_visible()
        has_no_such_element(screen)
        screen.choose("Kind", "quotes")
        expect(rows).to_have_count(1)
        phone = screens(dashboard.url, storage_state=state, size=PHONE)
        lies_at(phone, f"/data?kind=bars&series={HOURS}")
        expect(phone.page.locator(".map .cell").first).to_be_visible()
        expect(phone.page.get_by_text(HOSTILE, exact=True).locator("visible=true")).to_be_visible()
        assert phone.overflow() <= 0


def test_rows_that_come_while_somebody_looks_are_shown_and_nothing_stored_teaches(
    browser: Browser, screens: Opens, tmp_path: Path
) -> None:
    with a_dashboard(tmp_path) as dashboard:
        screen = screens(dashboard.url, storage_state=entered(browser, dashboard.link))
        lies_at(screen, "/data")
        expect(screen.page.get_by_text("workstation data download").locator("visible=true")).to_be_visible()
        HistoryStore(tmp_path / "history").write(HOURS, bars_from(19_844 * DAY_NS, 24), a_source("bars.csv"))
        expect(screen.page.locator(".data-page tbody tr.opens")).to_have_count(1, timeout=3 * PATIENCE_MS)


@pytest.fixture
def slow(desk: Desk) -> Iterator[None]:
    """Each page of bars comes late: there is time to look at a download."""
    number = desk.venues.go_wrong("latency", path="/api/v3/klines", seconds=SLOW_S)
    assert number is not None
    yield
    desk.venues.be_well()


LEFT_AND_TYPED_IN_AGAIN = """async (field, [first, last]) => {
  const put = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value").set
  const type = (words) => { put.call(field, words); field.dispatchEvent(new InputEvent("input", {bubbles: true})) }
  field.focus()
  type(first)
  await new Promise(requestAnimationFrame)
  field.blur()
  field.focus()
  type(last)
}"""
"""Faster than any finger, as over a slow line: the server hears of all three at once."""


def open_download(screen: Screen, **fields: str) -> Locator:
    """Its form, with these words in its fields."""
    screen.button("Download").click()
    form = screen.page.locator(".download-form")
    expect(form.get_by_text("workstation data download", exact=False)).to_be_visible()
    for label, words in fields.items():
        form.get_by_label(label, exact=False).fill(words)
    return form


def test_a_download_is_asked_for_on_the_page_watched_over_a_reload_and_the_map_grows(
    desk: Desk, screen: Screen, slow: None
) -> None:
    screen.open("/data")
    form = open_download(screen, From="2024-05-01", To="2024-05-04")
    expect(form.get_by_text("up to 4,320 bars", exact=False)).to_be_visible()
    form.get_by_role("button", name="Download", exact=True).click()
    expect(screen.note).to_contain_text("The download of bars nova:BTC/USDT 1m is asked for.")
    row = table(screen, "Downloads").locator("tbody tr").first
    expect(row).to_contain_text("running")
    expect(row.locator("td.share")).to_have_text(re.compile(r"^[1-9]\d? %$"))
    expect(screen.page.get_by_text("Downloading bars nova:BTC/USDT 1m", exact=False)).to_be_visible()
    screen.page.reload()
    screen.wait_for_figures()
    row = table(screen, "Downloads").locator("tbody tr").first
    expect(row).to_contain_text("4,320 rows stored; no gap")
    expect(row.locator("td.share")).to_have_text("100 %")
    expect(row.get_by_role("button")).to_have_count(0)
    stored = table(screen, "Stored series").locator("tbody tr").filter(has_text="bars 1m").filter(has_text="nova")
    expect(stored.filter(has_text="2024-05-01 00:00")).to_have_count(1)
    # a cell is a day, or a month where what is recorded meanwhile is in a file already
    expect(screen.page.locator(".map .cell[aria-label*='bars nova:BTC/USDT 1m, 2024-05']").first).to_be_visible()


def test_a_download_is_cancelled_and_goes_on_with_what_is_still_missing(desk: Desk, screen: Screen, slow: None) -> None:
    screen.open("/data")
    form = open_download(screen, Symbol="ETH/USDT", From="2024-05-01", To="2024-05-21")
    form.get_by_role("button", name="Download", exact=True).click()
    row = table(screen, "Downloads").locator("tbody tr").first
    expect(row.locator("td.share")).to_have_text(re.compile(r"^[1-9]\d? %$"))
    row.get_by_role("button", name="cancel").click()
    expect(screen.dialog).to_contain_text("rows came, and stay stored")
    screen.dialog.get_by_role("button", name="Cancel the download").click()
    row = table(screen, "Downloads").locator("tbody tr").filter(has_text="cancelled").first
    expect(row).to_contain_text("ETH/USDT")
    desk.venues.be_well()
    row.get_by_role("button", name="go on").click()
    expect(table(screen, "Downloads").locator("tbody tr").first).to_contain_text("rows stored; no gap")
    key = InstrumentKey(Venue("nova"), Symbol("ETH/USDT"))
    start_ns = 19_844 * DAY_NS
    bars = HistoryStore(desk.home / "history").bars(key, MINUTE_NS, start_ns, start_ns + 20 * DAY_NS)
    assert len(bars) == 20 * 1_440


def test_what_cannot_be_downloaded_is_said_beside_its_field_and_markup_is_text(desk: Desk, screen: Screen) -> None:
    jobs = len(desk.client.jobs())
    screen.open("/data")
    form = open_download(screen, From="tomorrow", To="2024-05-01")
    expect(form.get_by_text("tomorrow: expected a date or a time, such as 2024-05-01")).to_be_visible()
    form.get_by_label("From").fill("2024-05-02")
    expect(form.get_by_text("2024-05-01: expected a time after 2024-05-02")).to_be_visible()
    form.get_by_label("Symbol").fill(HOSTILE)
    expect(form.get_by_text("expected BASE/QUOTE", exact=False)).to_be_visible()
    form.get_by_role("button", name="Download", exact=True).click()
    has_no_such_element(screen)
    assert len(desk.client.jobs()) == jobs


def test_a_field_that_is_left_and_at_once_typed_in_again_keeps_what_was_typed_last(screen: Screen) -> None:
    screen.open("/data")
    form = open_download(screen, From="2024-05-01", To="2024-05-04")
    start = form.get_by_label("From")
    start.evaluate(LEFT_AND_TYPED_IN_AGAIN, ["2024-05-02", "2024-05-03"])
    expect(form.get_by_text("--start 2024-05-03", exact=False)).to_be_visible()
    expect(start).to_have_value("2024-05-03")


def test_a_collection_is_started_stopped_and_recorded_again(desk: Desk, screen: Screen) -> None:
    screen.open("/data")
    screen.button("Collect").click()
    form = screen.page.locator(".collection-form")
    form.get_by_label("Symbols").fill("BTC")
    expect(form.get_by_text("expected BASE/QUOTE", exact=False)).to_be_visible()
    form.get_by_label("Symbols").fill("BTC/USDT")
    form.get_by_label("Name").fill("by-page")
    expect(form.get_by_text("of BTC/USDT at nova, orion, until it is stopped", exact=False)).to_be_visible()
    form.get_by_role("button", name="Start the collection").click()
    expect(screen.note).to_contain_text("The collection by-page runs.")
    row = table(screen, "Collections").locator("tbody tr").filter(has_text="by-page")
    until(lambda: desk.client.collection("by-page").rows > 0, "it has rows")
    row.get_by_role("button", name="stop").click()
    expect(screen.dialog).to_contain_text("rows stay")
    screen.dialog.get_by_role("button", name="Stop").click()
    expect(row).to_contain_text("stopped")
    row.get_by_role("button", name="go on").click()
    again = table(screen, "Collections").locator("tbody tr").filter(has_text="running")
    expect(again).to_contain_text("BTC/USDT")
    for one in desk.client.collections():
        if one.state == "running":
            desk.client.stop_collection(one.name)
    expect(again).to_have_count(0)
