"""Each page draws, moves, and opens at the place that its address names."""

import json
import re
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Route, expect

from tests.browser.desk import BUSY, Desk
from tests.browser.seeing import TOLD, Screen
from tests.faults.running import until
from workstation.charts.theme import DARK, LIGHT, Theme

pytestmark = pytest.mark.browser
QUESTIONS = {
    "live": "What is it doing?",
    "spreads": "Where is the edge?",
    "sessions": "What runs?",
    "data": "Can I trust the data?",
}


def shows(screen: Screen, page: str) -> None:
    """Waits until that page is the one in sight."""
    expect(screen.page.get_by_role("heading", name=QUESTIONS[page])).to_be_visible()
    expect(screen.page).to_have_url(re.compile(rf"/{page}(\?|$)"))


def has_heads(screen: Screen, *titles: str) -> None:
    for title in titles:
        head = screen.page.get_by_role("columnheader", name=title)
        expect(head.first).to_be_visible()


def test_live_draws_candles_that_move_and_the_heads_of_its_tables(screen: Screen) -> None:
    screen.open("/live")
    shows(screen, "live")
    until(lambda: screen.columns("candles").get("t"), "bars in the chart")
    until(lambda: screen.painted(LIGHT.up) + screen.painted(LIGHT.down) > 200, "candles on the canvas")
    has_heads(screen, "Symbol", "Result, quote", "Price", "Refused by", "Slip, bps")
    before = screen.columns("candles")
    until(lambda: screen.columns("candles")["c"][-1] != before["c"][-1], "another last price")
    expect(screen.page.locator(".values").first).to_contain_text("close")


def test_the_theme_reaches_a_drawn_chart_and_one_that_is_made_later(screen: Screen) -> None:
    def is_drawn_in(theme: Theme, other: Theme) -> bool:
        shown, gone = (screen.painted(one.up) + screen.painted(one.down) for one in (theme, other))
        return shown > 200 and gone == 0

    screen.open("/live")
    until(lambda: is_drawn_in(LIGHT, DARK), "candles in light colours")
    screen.page.get_by_role("button", name="Toggle theme").click()
    until(lambda: is_drawn_in(DARK, LIGHT), "candles in dark ones")
    paper = [int(DARK.paper[at : at + 2], 16) for at in (1, 3, 5)]
    for _, edges in screen.plots():  # of half pixels, whose colours come out a little off
        assert edges and max(abs(a - b) for edge in edges for a, b in zip(edge, paper, strict=True)) <= 4
    screen.button("5m").click()
    until(lambda: has_step(screen, 300_000.0) and is_drawn_in(DARK, LIGHT), "another chart")
    screen.page.get_by_role("button", name="Toggle theme").click()
    until(lambda: is_drawn_in(LIGHT, DARK), "light ones again")


HELD = """() => [Bokeh.documents.length, Bokeh.index.roots.length, workstationCharts.size,
  document.querySelectorAll("canvas").length]"""


def test_a_chart_that_is_replaced_is_let_go(screen: Screen) -> None:
    screen.open("/live")
    until(partial(has_step, screen, 60_000.0), "bars")
    held = screen.page.evaluate(HELD)
    for interval, length_ms in (("5m", 300_000.0), ("15m", 900_000.0), ("1m", 60_000.0)):
        screen.button(interval).click()
        until(partial(has_step, screen, length_ms), f"bars of {interval}")
    assert screen.page.evaluate(HELD) == held
    assert held[0] == 2  # documents: the page's, and the chart's


def turn(screen: Screen, page: str) -> None:
    screen.page.locator(".MuiListItemButton-root", has_text=page).click()


def test_a_chart_that_cannot_be_drawn_says_so_and_is_tried_again(screen: Screen) -> None:
    screen.forgive("no room for a canvas")
    screen.open("/data")
    screen.page.evaluate(
        """() => {
          const whole = Bokeh
          const fails = async () => { window.Bokeh = whole; throw new Error("no room for a canvas") }
          window.Bokeh = Object.create(whole, {embed: {value: {...whole.embed, embed_item: fails}}})
        }"""
    )
    turn(screen, "Live")
    expect(screen.page.locator(".over").locator("visible=true")).to_have_text(
        "The chart could not be drawn: load the page again."
    )
    turn(screen, "Data")
    turn(screen, "Live")
    until(lambda: screen.painted(LIGHT.up) + screen.painted(LIGHT.down) > 200, "candles on the canvas")
    expect(screen.page.locator(".over").locator("visible=true")).to_have_count(0)


def has_step(screen: Screen, length_ms: float) -> bool:
    held = screen.columns("candles").get("t", [])
    return len(held) > 1 and held[-1] - held[-2] == length_ms


def test_the_bar_does_not_wait_for_the_libraries(screen: Screen) -> None:
    held: list[Route] = []
    screen.page.route("**/bokeh.min.js*", lambda one: held.append(one))
    screen.page.goto(f"{screen.url}/spreads", wait_until="commit")
    expect(screen.bar).to_contain_text(TOLD)
    expect(screen.kill).to_be_disabled()
    expect(screen.page.get_by_role("link", name="Spreads")).to_have_attribute("aria-current", "page")
    told = screen.bar.inner_text()
    until(lambda: screen.bar.inner_text() != told, "figures that go on")
    expect(screen.bar).to_contain_text("this page does not load · works without this page: ")
    expect(screen.bar).to_contain_text("workstation kill")
    until(lambda: held, "the script that is held")[0].continue_()
    shows(screen, "spreads")
    screen.wait_for_figures()
    expect(screen.kill).to_be_enabled()
    expect(screen.bar).not_to_contain_text("does not load")


def test_what_the_document_announces_is_what_its_components_load(screen: Screen) -> None:
    asked: list[str] = []
    screen.page.on("request", lambda one: asked.append(one.url))
    screen.open("/live")
    bundles = [url for url in asked if "panel-material-ui.bundle.js" in url]
    assert len(set(bundles)) == 1


def test_spreads_draw_and_move(screen: Screen) -> None:
    screen.open("/spreads")
    shows(screen, "spreads")
    first = until(lambda: screen.columns("spread").get("t"), "points in the chart")
    until(lambda: screen.painted(LIGHT.series[0]) > 50, "a line on the canvas")
    until(lambda: screen.columns("spread")["t"][-1] > first[-1], "a later point")
    expect(screen.page.get_by_role("columnheader", name="Peak, bps")).to_be_visible()
    cell = screen.page.get_by_role("button", name="sell nova, buy orion").first
    expect(cell).to_be_visible()
    said = cell.inner_text()
    until(lambda: cell.inner_text() != said, "another net edge in the table of pairs")


def test_sessions_lists_what_runs(desk: Desk, screen: Screen) -> None:
    desk.enter_again()
    screen.open(f"/sessions?session={BUSY}")
    shows(screen, "sessions")
    has_heads(screen, "Session", "Strategy", "Equity")
    expect(screen.page.get_by_role("cell", name=BUSY).first).to_be_visible()
    expect(screen.page.get_by_role("heading", name=BUSY)).to_be_visible()
    expect(screen.button("Pause")).to_be_enabled()


def test_a_link_opens_the_place_that_it_names(screen: Screen) -> None:
    screen.open("/live?session=&instrument=orion%3AETH%2FUSDT&interval=5m")
    expect(screen.page.get_by_role("combobox", name="Instrument").locator("visible=true")).to_contain_text("ETH/USDT")
    expect(screen.button("5m")).to_have_attribute("aria-pressed", "true")
    bars = until(lambda: screen.columns("candles").get("t"), "bars in the chart")
    assert bars[1] - bars[0] == 300_000
    screen.open("/spreads?symbol=ETH%2FUSDT&a=orion&b=nova&span=5m")
    expect(screen.page.get_by_role("combobox", name="Symbol").locator("visible=true")).to_contain_text("ETH/USDT")
    expect(screen.button("5m")).to_have_attribute("aria-pressed", "true")


def test_what_is_chosen_is_kept_in_the_address(screen: Screen) -> None:
    screen.open("/live")
    screen.button("15m").click()
    expect(screen.page).to_have_url(re.compile("interval=15m"))
    screen.page.keyboard.press("g")
    screen.page.keyboard.press("s")
    shows(screen, "spreads")
    screen.page.keyboard.press("g")
    screen.page.keyboard.press("l")
    shows(screen, "live")
    assert parse_qs(urlsplit(screen.page.url).query)["interval"] == ["15m"]


def test_keys_tell_their_list_and_ask_before_killing(desk: Desk, screen: Screen) -> None:
    screen.open("/live")
    screen.page.keyboard.press("?")
    expect(screen.dialog).to_contain_text("g s")
    screen.page.keyboard.press("Escape")
    expect(screen.dialog).to_have_count(0)
    expect(screen.kill).to_be_enabled()  # it does not ask while the engine is out of reach
    screen.page.keyboard.press("Shift+K")
    expect(screen.dialog).to_contain_text("Stop all trading?")
    screen.page.keyboard.press("Escape")
    expect(screen.dialog).to_have_count(0)
    assert not desk.client.kill_state().is_on


def test_a_hidden_tab_watches_no_channel_and_one_that_is_seen_again_all_of_its_own(screen: Screen) -> None:
    screen.open("/live")
    until(lambda: screen.columns("candles").get("t"), "bars in the chart")

    def is_hidden(yes: bool) -> list[str]:
        said = len(screen.watched)
        screen.page.evaluate("""(yes) => {
          Object.defineProperty(document, "hidden", {value: yes, configurable: true})
          document.dispatchEvent(new Event("visibilitychange"))
        }""", yes)  # fmt: skip
        until(lambda: screen.page.evaluate("1") and screen.watched[said:], "a word over the channel")
        names: list[str] = json.loads(screen.watched[-1])["watch"]
        return names

    assert is_hidden(True) == []
    seen = is_hidden(False)
    assert "state" in seen and any(name.startswith("candles:") for name in seen)
