"""On a phone: one column, nothing beside the screen, and the switch under the thumb on every page."""

import pytest
from playwright.sync_api import expect

from tests.browser.desk import BUSY
from tests.browser.seeing import PHONE, Screen
from tests.faults.running import until

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", [f"/live?session={BUSY}", "/spreads", f"/sessions?session={BUSY}"])
def test_nothing_lies_beside_the_screen_and_kill_can_be_pressed(phone: Screen, path: str) -> None:
    phone.open(path)
    until(lambda: phone.page.locator("main, .main-content").first.is_visible(), "the page")
    until(lambda: phone.overflow() <= 0, "no scrolling to the side")
    box = phone.kill.bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= PHONE[0] and box["y"] < 60
    expect(phone.page.get_by_role("button", name="Spreads", exact=True)).not_to_be_in_viewport()
    phone.kill.click()
    expect(phone.dialog).to_contain_text("Stop all trading?")
    sheet = phone.dialog.bounding_box()
    assert sheet is not None and sheet["x"] >= 0 and sheet["x"] + sheet["width"] <= PHONE[0]
    phone.page.keyboard.press("Escape")


def test_the_matrix_begins_below_what_the_side_of_the_chart_says(phone: Screen) -> None:
    phone.open("/spreads")
    quotes, matrix = phone.page.locator(".side .values"), phone.page.locator(".matrix")
    expect(quotes).to_contain_text("spread, bps")

    def room() -> float | None:
        ends, begins = quotes.bounding_box(), matrix.bounding_box()
        return None if ends is None or begins is None else begins["y"] - ends["y"] - ends["height"]

    until(lambda: (found := room()) is not None and found >= 0, "the matrix lies below")
