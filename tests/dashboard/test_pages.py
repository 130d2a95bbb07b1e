"""Pages as they are made for one visit: what they show of an engine's state, to whom they offer what."""

import asyncio
import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from bokeh.document import Document

from tests.dashboard.test_spread_source import a_state
from tests.dashboard.views import a_position, a_summary, an_order
from workstation.client.messages import SessionStatus
from workstation.config.settings import Settings
from workstation.dashboard.desk import ENTRIES
from workstation.dashboard.frame import Frame
from workstation.dashboard.link import EngineLink
from workstation.dashboard.pages.live import LivePage
from workstation.dashboard.pages.sessions import SessionsPage
from workstation.dashboard.state import EngineState
from workstation.dashboard.users import Role, User
from workstation.dashboard.verification import Verifications
from workstation.dashboard.visit import Visit

NOBODY = "http://127.0.0.1:9"
pytestmark = pytest.mark.filterwarnings("ignore:button_type:PendingDeprecationWarning")


def a_full_state() -> EngineState:
    stopped = a_summary("old", status=SessionStatus.STOPPED)
    filled = an_order(status="filled", filled_quantity=1, average_price=100, client_order_id="one-2")
    return a_state(
        sessions=(stopped, a_summary("one")),
        positions=(a_position(),),
        orders=(an_order(),),
        fills=(filled,),
        heard_s=1e12,  # far ahead: never silent
        health=None,
    )


def pass_ticks(visit: Visit) -> None:
    """What waits for the document's next turn, and what that asks for."""
    while waiting := visit._document.session_callbacks:
        for one in waiting:
            visit._document.remove_next_tick_callback(one)
            cast("Any", one.callback)()


def visited(home: Path, act: Callable[[Visit], Any], role: Role = Role.TRADER) -> Any:
    """What `act` answers, within the loop of one visit of an engine that is not asked."""

    async def visit() -> Any:
        link = EngineLink(NOBODY, home)
        link.state = a_full_state()
        user = User(name="ada", role=role, stamp="x")
        settings = Settings.model_validate({"paths": {"home": str(home)}})
        one = Visit(link, Document(), lambda: user, settings, Verifications(home / "ledger.db", home / "strategies"))
        try:
            answer = act(one)
            return await answer if asyncio.iscoroutine(answer) else answer
        finally:
            one.close()

    return asyncio.run(visit())


def test_live_shows_what_its_session_holds_and_offers_an_order_by_hand(tmp_path: Path) -> None:
    def looked(visit: Visit) -> None:
        page = LivePage(visit, {"session": "one", "instrument": "nova:BTC/USDT", "interval": "5m"})
        page.view().get_root(Document())
        page.show(visit.state)
        page.restyle(is_dark=True)
        assert page.place == {"session": "one", "instrument": "nova:BTC/USDT", "interval": "5m"}
        assert {one.session for one in (page.tables.positions, page.tables.orders, page.tables.fills)} == {"one"}
        assert page.ticket.opener.visible
        page.session.value = ""
        page.show(visit.state)
        assert not page.ticket.opener.visible

    visited(tmp_path, looked)


def test_a_viewer_is_offered_no_order(tmp_path: Path) -> None:
    def looked(visit: Visit) -> bool:
        return bool(LivePage(visit, {"session": "one"}).ticket.opener.visible)

    assert visited(tmp_path, looked, Role.VIEWER) is False


def test_sessions_stand_in_order_and_one_of_them_is_chosen(tmp_path: Path) -> None:
    def looked(visit: Visit) -> None:
        page = SessionsPage(visit, {"session": "old"})
        page.view().get_root(Document())
        assert list(page.chosen.options) == ["none", "one", "old"]
        assert page.place == {"session": "old"}
        assert not page.new.disabled

    visited(tmp_path, looked)


def test_the_form_declares_what_its_fields_show(tmp_path: Path) -> None:
    async def filled(visit: Visit) -> None:
        page = SessionsPage(visit, {})
        form = page.form
        await form.open("ma-cross")
        form.view().get_root(Document())
        assert (form.form().strategy, form.form().symbol, form.form().session) == ("ma-cross", "BTC/USDT", "ma-cross-1")
        form.symbol.value_input = "ETH/USDT"
        assert form.form().symbol == "ETH/USDT"
        assert "--symbol ETH/USDT" in str(form.says.lines)
        form.symbol.value_input = "ETH"
        assert form.symbol.error_state and form.says.lines == []
        form.strategy.value = "spread-reversion"
        assert form.venues[1].visible and len(form.form().venues) == 2

    visited(tmp_path, filled)


def test_a_frame_turns_its_pages_and_says_why_a_viewer_kills_nothing(tmp_path: Path) -> None:
    async def turned(visit: Visit) -> list[tuple[str, bool]]:
        frame = Frame(visit, ENTRIES, "live", account="paper", kill_command="workstation kill", is_dark=False)
        frame.page.get_root(Document())
        title = frame._views["spreads"][0]
        frame.turn_to("spreads")
        assert (frame.bar.page, set(frame._pages), frame._views["spreads"][0]) == ("spreads", set(), title)
        pass_ticks(visit)
        assert set(frame._pages) == {"spreads"} and frame._views["spreads"][0] is not title
        for name in ("sessions", "spreads", "no such page", "live"):
            await frame._act({"act": "page", "name": name})
            pass_ticks(visit)
        assert (frame.bar.page, set(frame._pages)) == ("live", {"spreads", "sessions", "live"})
        frame.open_page("sessions", {"session": "old"})
        pass_ticks(visit)
        assert frame._pages["sessions"].place["session"] == "old"
        frame.open_page("spreads", {})
        assert (frame.bar.page, frame._wanted) == ("spreads", {})
        told: list[tuple[str, bool]] = []
        frame.bar.tell = lambda outcome, *, is_done: told.append((outcome, is_done))
        for asked in ({"act": "kill", "flatten": True}, {"act": "reset_kill", "confirm": "no"}, {"act": ["x"]}, {}):
            await frame._act(asked)
        return told

    told = visited(tmp_path, turned, Role.VIEWER)
    assert told == [("Nothing was sent: ada has the role viewer, and this takes trader.", False)]


def test_nothing_keeps_the_pages_of_a_visit_that_is_over(tmp_path: Path) -> None:
    def left(visit: Visit) -> weakref.ref[Frame]:
        frame = Frame(visit, ENTRIES, "live", account="paper", kill_command="workstation kill", is_dark=False)
        return weakref.ref(frame)

    gone = visited(tmp_path, left)
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(("role", "is_made"), [(Role.TRADER, True), (Role.VIEWER, False)])
def test_a_link_to_a_form_runs_no_strategies_for_a_viewer(tmp_path: Path, role: Role, is_made: bool) -> None:
    async def linked(visit: Visit) -> bool:
        page = SessionsPage(visit, {})
        await page._open_form("ma-cross")
        return page._form is not None

    assert visited(tmp_path, linked, role) is is_made


def test_a_viewer_ends_nobodys_verification(tmp_path: Path) -> None:
    async def pressed(visit: Visit) -> list[str]:
        cancelled: list[str] = []
        visit.verifications.current, visit.verifications.cancel = "one", cancelled.append
        page = SessionsPage(visit, {"session": "one"})
        await page.panel._on_verify(None)
        return cancelled

    assert visited(tmp_path, pressed, Role.VIEWER) == []
    assert visited(tmp_path, pressed, Role.TRADER) == ["one"]
