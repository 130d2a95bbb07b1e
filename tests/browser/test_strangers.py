"""Who is not known sees nothing, and a viewer changes nothing."""

import re
from contextlib import suppress

import pytest
from playwright.sync_api import expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.browser.conftest import Opens
from tests.browser.desk import Desk
from tests.browser.seeing import Screen
from tests.dashboard.serving import PASSWORD, quick_store
from tests.faults.running import until
from workstation.dashboard.users import Role, UserExists

pytestmark = pytest.mark.browser
PAGES = ("/", "/live", "/spreads", "/sessions")


def log_in(screen: Screen, name: str, password: str = PASSWORD) -> None:
    screen.page.goto(f"{screen.url}/live")
    screen.page.get_by_label("Name").fill(name)
    screen.page.locator("#password").fill(password)
    screen.page.get_by_role("button", name="Log in").click()


def a_user(desk: Desk, name: str, role: Role) -> str:
    with suppress(UserExists):
        quick_store(desk.home).add(name, role, PASSWORD)
    return name


def test_a_stranger_gets_the_login_and_no_page_channel_or_socket(desk: Desk, screens: Opens) -> None:
    a_user(desk, "vera", Role.VIEWER)
    stranger = screens(desk.url)
    for path in PAGES:
        stranger.page.goto(f"{desk.url}{path}")
        expect(stranger.page).to_have_url(re.compile("/login"))
        expect(stranger.page.get_by_role("button", name="Log in")).to_be_visible()
        expect(stranger.bar).to_have_count(0)
    for path in ("/channel", "/live/ws"):
        with pytest.raises(InvalidStatus) as refused:
            connect(f"ws://127.0.0.1:{desk.dashboard.port}{path}", origin=desk.url, proxy=None)
        assert refused.value.response.status_code == 403


def test_a_wrong_password_is_told_and_lets_nobody_in(desk: Desk, screens: Opens) -> None:
    stranger = screens(desk.url)
    stranger.forgive("40[13]")
    log_in(stranger, a_user(desk, "vera", Role.VIEWER), "not her password at all")
    expect(stranger.page.get_by_role("alert")).to_be_visible()
    expect(stranger.bar).to_have_count(0)


def test_a_viewer_watches_and_what_she_presses_all_the_same_is_refused(desk: Desk, screens: Opens) -> None:
    session = desk.session_by_hand("only-watched")
    viewer = screens(desk.url)
    log_in(viewer, a_user(desk, "vera", Role.VIEWER))
    viewer.wait_for_figures()
    expect(viewer.kill).to_be_disabled()
    viewer.kill.evaluate("(kill) => { kill.disabled = false; kill.click() }")
    viewer.dialog.get_by_role("button", name="Block and cancel").click()
    expect(viewer.dialog).to_contain_text("vera has the role viewer")
    assert not desk.client.kill_state().is_on
    viewer.open(f"/sessions?session={session}")
    for label in ("Start a session", "Pause", "Stop"):
        button = viewer.page.locator("button").filter(has_text=re.compile(f"^{label}$"))  # why it is off may name it
        expect(button.locator("visible=true")).to_be_disabled()
    assert desk.client.session(session).status == "running"


def test_who_was_removed_is_told_nothing_more(desk: Desk, screens: Opens) -> None:
    gone = screens(desk.url)
    gone.forgive("40[13]|WebSocket")
    log_in(gone, a_user(desk, "gwen", Role.VIEWER))
    gone.wait_for_figures()
    quick_store(desk.home).remove("gwen")
    until(gone.is_lost, "no more figures")
    answer = gone.context.request.get(f"{desk.url}/live", max_redirects=0)
    assert (answer.status, answer.headers["location"].partition("?")[0]) == (302, "/login")


def test_a_link_opens_the_form_of_its_strategy_for_who_may_start_it(desk: Desk, screens: Opens) -> None:
    for name, role, count in (("tess", Role.TRADER, 1), ("vera", Role.VIEWER, 0)):
        screen = screens(desk.url)
        log_in(screen, a_user(desk, name, role))
        screen.wait_for_figures()
        screen.open("/sessions?start=ma-cross")
        expect(screen.page.locator("button", has_text="Start a session").locator("visible=true")).to_be_visible()
        form = screen.page.locator(".session-form").locator("visible=true")
        expect(form).to_have_count(count)
        if count:
            expect(form).to_contain_text("session start ma-cross")


def test_a_trader_who_logs_in_by_name_may_act_under_that_name(desk: Desk, screens: Opens) -> None:
    session = desk.session_by_hand("paused-by-tom")
    trader = screens(desk.url)
    log_in(trader, a_user(desk, "tom", Role.TRADER))
    trader.wait_for_figures()
    trader.open(f"/sessions?session={session}")
    trader.button("Pause").click()
    expect(trader.button("Resume")).to_be_visible()
    assert desk.client.session(session).status == "paused"
    expect(trader.kill).to_be_enabled()
