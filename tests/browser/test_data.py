"""The Data page without an engine: what is stored, its map, one series' gaps and sources, a history of nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Opens
from tests.browser.desk import Dashboard
from tests.browser.seeing import PATIENCE_MS, PHONE, Screen, entered
from tests.browser.test_hostile import HOSTILE, has_no_such_element
from tests.dashboard.test_data_page import a_history
from tests.history.series import HOURS, QUOTES, a_source, bars_from
from workstation.cli.demonstration import free_port
from workstation.history.store import HistoryStore
from workstation.model.durations import DAY_NS

pytestmark = pytest.mark.browser


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


def test_what_is_stored_is_shown_and_a_row_that_is_pressed_tells_its_gaps(
    browser: Browser, screens: Opens, tmp_path: Path
) -> None:
    store = a_history(tmp_path / "history")
    store.write(HOURS, bars_from(19_846 * DAY_NS, 24), a_source(HOSTILE))
    with a_dashboard(tmp_path) as dashboard:
        state = entered(browser, dashboard.link)
        screen = screens(dashboard.url, storage_state=state)
        lies_at(screen, "/data")
        rows = screen.page.locator(".data-page tbody tr.opens")
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
