"""The form that starts a session: what its fields show is what starts, and nothing is shown that is not known yet."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.seeing import Screen

pytestmark = pytest.mark.browser
FIRST_SHOWN = """() => {
  const inside = (root) => [...root.querySelectorAll("*")]
    .flatMap((one) => [one, ...(one.shadowRoot ? inside(one.shadowRoot) : [])])
  window.emptyShown = false
  const look = () => {
    for (const one of inside(document)) {
      const isName = one.tagName === "INPUT" && one.labels?.[0]?.innerText.startsWith("Name")
      if (isName && one.offsetParent !== null && !one.value) window.emptyShown = true
    }
    setTimeout(look, 10)
  }
  look()
}"""
"""Whether the form's name was ever seen without its value."""


def form_of(screen: Screen) -> Locator:
    return screen.page.locator(".session-form").locator("visible=true")


def open_form(screen: Screen) -> Locator:
    screen.open("/sessions")
    screen.button("Start a session").click()
    expect(form_of(screen)).to_contain_text("The same in a terminal")
    if "spread-reversion" not in (form_of(screen).get_by_role("combobox", name="Strategy").text_content() or ""):
        screen.choose("Strategy", "spread-reversion")
        expect(form_of(screen)).to_contain_text("spread-reversion on")
    return form_of(screen)


def test_the_symbol_in_its_field_is_the_one_that_starts(screen: Screen) -> None:
    form = open_form(screen)
    symbol = form.get_by_role("combobox", name="Symbol")
    expect(symbol).to_have_value("BTC/USDT")
    expect(form).to_contain_text("--symbol BTC/USDT")
    symbol.fill("ETH/USDT")
    symbol.press("Tab")
    expect(form).to_contain_text("--symbol ETH/USDT")
    expect(form).to_contain_text("ETH/USDT at nova and orion")
    expect(symbol).to_have_value("ETH/USDT")
    symbol.fill("BTC/USDT")
    expect(form).to_contain_text("--symbol BTC/USDT")
    symbol.fill("BTC")
    expect(form).to_contain_text("expected BASE/QUOTE")
    expect(form).not_to_contain_text("workstation session start")


def test_a_venue_that_is_typed_is_the_one_that_starts(screen: Screen) -> None:
    form = open_form(screen)
    venue = form.get_by_role("combobox", name="Venue", exact=True)
    expect(venue).to_have_value("nova")
    venue.fill("vega")
    venue.press("Tab")
    expect(form).to_contain_text("--venue vega --venue orion")


def test_the_form_appears_with_its_fields_filled(screen: Screen) -> None:
    screen.open("/sessions")
    screen.page.evaluate(FIRST_SHOWN)
    screen.button("Start a session").click()
    expect(form_of(screen)).to_contain_text("The same in a terminal")
    expect(form_of(screen).get_by_role("combobox", name="Symbol")).to_have_value("BTC/USDT")
    expect(form_of(screen).get_by_role("textbox", name="Name")).to_have_value(re.compile(r".-\d+$"))
    assert not screen.page.evaluate("() => window.emptyShown")


def test_figures_in_words_are_read_as_words(screen: Screen) -> None:
    screen.open("/live?session=busy-spread")
    cards = screen.page.locator(".cards").locator("visible=true")
    expect(cards).to_contain_text(re.compile(r"· \d+ refused"))
    expect(cards).to_contain_text("groups")
