"""A dead engine is seen at once, a dead dashboard too, and both heal without a hand."""

import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Desk
from tests.browser.seeing import PATIENCE_MS, Screen
from tests.faults.running import until

pytestmark = pytest.mark.browser
SEEN_WITHIN_S = 3.0
SHARED_MACHINE_S = 1.5
"""What other processes may take from the browser meanwhile."""
WITHHELD_S = 6.0
"""Longer than a page waits for bars, and shorter than the engine does."""
NOTE_THE_LOSS = """() => {
  window.marker = "the same page"
  new MutationObserver(() => { if (document.documentElement.hasAttribute("data-lost")) window.lostMs ??= Date.now() })
    .observe(document.documentElement, {attributes: true, attributeFilter: ["data-lost"]})
}"""


def wait_until_lost(screen: Screen) -> None:
    screen.page.wait_for_function("document.documentElement.hasAttribute('data-lost')", polling=100)


def wait_until_healed(screen: Screen) -> None:
    screen.page.wait_for_function(
        "!document.documentElement.hasAttribute('data-lost')", polling=100, timeout=2 * PATIENCE_MS
    )


def test_a_dead_engine_shows_within_three_seconds_and_its_return_heals_without_a_reload(
    desk: Desk, screen: Screen
) -> None:
    screen.open("/live")
    expect(screen.kill).to_be_enabled()
    screen.page.evaluate(NOTE_THE_LOSS)
    killed_s = time.time()
    desk.engine.kill()
    try:
        wait_until_lost(screen)
        took_s = screen.page.evaluate("window.lostMs") / 1000 - killed_s
        print(f"from kill -9 to stripes: {took_s:.2f} s")
        assert took_s < SEEN_WITHIN_S + SHARED_MACHINE_S
        expect(screen.kill).to_be_disabled()
        expect(screen.bar).to_contain_text("disconnected")
        expect(screen.bar).to_contain_text("workstation kill")
    finally:
        desk.start_engine()
    wait_until_healed(screen)
    expect(screen.kill).to_be_enabled()
    assert screen.page.evaluate("window.marker") == "the same page"


def test_a_dead_dashboard_shows_and_its_return_reloads_the_page_at_its_place(desk: Desk, screen: Screen) -> None:
    screen.forgive(r"WebSocket|ERR_CONNECTION|Failed to load|Lost websocket|bokeh")
    place = "session=&instrument=orion%3AETH%2FUSDT&interval=5m"
    screen.open(f"/live?{place}")
    screen.button("15m").click()
    expect(screen.page).to_have_url(re.compile("interval=15m"))
    screen.page.evaluate(NOTE_THE_LOSS)
    desk.dashboard.kill()
    try:
        wait_until_lost(screen)
        expect(screen.kill).to_be_disabled()
    finally:
        desk.start_dashboard()
    screen.page.wait_for_function("window.marker === undefined", polling=100, timeout=2 * PATIENCE_MS)
    screen.wait_for_figures()
    wait_until_healed(screen)
    expect(screen.button("15m")).to_have_attribute("aria-pressed", "true")
    place_now = parse_qs(urlsplit(screen.page.url).query)
    assert (place_now["instrument"], place_now["interval"]) == (["orion:ETH/USDT"], ["15m"])


def test_bars_that_a_venue_withholds_are_said_over_the_chart_until_they_come(desk: Desk, screen: Screen) -> None:
    desk.venues.go_wrong("latency", path="/api/v3/klines", seconds=WITHHELD_S)
    said = screen.page.locator(".over")
    try:
        screen.open("/live?session=&instrument=orion%3AETH%2FUSDT&interval=1d")
        expect(said).to_contain_text("orion has not answered yet: bars of ETH/USDT may be missing")
        until(lambda: len(screen.plots()) == 2, "the chart")
        until(lambda: all(painted > 0.9 for painted, _ in screen.plots()), "both plots, with nothing in them")
    finally:
        desk.venues.be_well()
    expect(said).to_be_empty()
    until(lambda: len(screen.columns("candles").get("t", ())) > 1, "the bars")
