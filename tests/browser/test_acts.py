"""What a person does on the pages is done by the engine, and seen: orders, pause, stop, kill."""

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Desk
from tests.browser.seeing import Screen
from tests.faults.running import until

pytestmark = pytest.mark.browser


def live_of(session: str) -> str:
    return f"/live?session={session}&instrument=nova%3ABTC%2FUSDT&interval=1m"


def test_an_order_by_hand_is_filled_on_the_chart_and_in_the_table(desk: Desk, screen: Screen) -> None:
    screen.open(live_of(desk.session_by_hand("by-ticket")))
    screen.button("Order by hand").click()
    screen.page.get_by_placeholder("e.g. 500").locator("visible=true").fill("500")
    screen.button("Place on paper").click()
    expect(screen.note).to_contain_text("was placed in by-ticket")
    [order] = until(lambda: [one for one in desk.client.orders("by-ticket") if one.filled_quantity], "a fill")
    fills = until(lambda: len((told := screen.columns("fills")).get("price", [])) and told, "a fill on the chart")
    assert (fills["side"], fills["price"]) == (["buy"], [pytest.approx(float(order.average_price))])
    row = screen.page.locator("tbody tr", has_text="entry").locator("visible=true")
    expect(row.first).to_contain_text("buy")
    expect(screen.page.get_by_text("long").locator("visible=true").first).to_be_visible()


def test_a_session_is_paused_resumed_and_stopped(desk: Desk, screen: Screen) -> None:
    session = desk.session_by_hand("to-be-stopped")
    screen.open(live_of(session))
    for label, status in (("Pause", "paused"), ("Resume", "running"), ("Stop", "stopped")):
        screen.button(label).click()
        until(lambda status=status: desk.client.session(session).status == status, f"{session} is {status}")
        chosen = screen.page.get_by_role("combobox", name="Session").locator("visible=true")
        expect(chosen).to_contain_text(f"{session} · {status}")
    expect(screen.button("Pause")).to_have_count(0)


def test_kill_says_what_it_does_sends_nothing_on_escape_and_is_lifted_by_a_word_alone(
    desk: Desk, screen: Screen
) -> None:
    session = desk.session_by_hand("killed")
    screen.open(live_of(session))
    try:
        screen.kill.click()
        expect(screen.dialog).to_contain_text("New orders are blocked in all sessions")
        running = sum(one.status not in ("stopped", "broken") for one in desk.client.sessions())
        expect(screen.dialog).to_contain_text(f"({running} now)")
        expect(screen.dialog).to_contain_text("cancelled")
        screen.page.keyboard.press("Escape")
        expect(screen.dialog).to_have_count(0)
        assert not desk.client.kill_state().is_on
        screen.kill.click()
        screen.dialog.get_by_role("button", name="Block and cancel").click()
        expect(screen.kill).to_have_text("KILLED")
        assert desk.client.kill_state().is_on
        screen.kill.click()
        allow = screen.dialog.get_by_role("button", name="Allow new orders")
        expect(allow).to_be_disabled()
        screen.dialog.get_by_role("textbox").fill("rese")
        expect(allow).to_be_disabled()
        screen.dialog.get_by_role("textbox").fill("reset")
        allow.click()
        expect(screen.kill).to_have_text("KILL")
        assert not desk.client.kill_state().is_on
    finally:
        desk.lift_kill()
