"""Words from outside are text, wherever they come from."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Opens
from tests.browser.desk import Dashboard, Desk
from tests.browser.seeing import Screen, entered
from tests.faults.running import PATIENCE_S, until
from tests.server.desk import TOKEN, a_collection, a_job, an_app, detail_of, served
from tests.server.desk import Desk as Double
from workstation.cli.demonstration import free_port
from workstation.client.access import TOKEN_FILE
from workstation.client.collection import CollectionRequest
from workstation.client.declaration import SessionDeclaration
from workstation.client.jobs import DownloadJob, JobState
from workstation.client.kill import KillOrder
from workstation.client.messages import InstrumentView, PositionView, SpreadView
from workstation.dashboard.private_files import write_private

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)>"


def has_no_such_element(screen: Screen) -> None:
    assert screen.page.locator("img[src='x'], img[onerror]").count() == 0


def test_reasons_and_alerts_are_text(desk: Desk, screen: Screen) -> None:
    session = desk.session_by_hand("hostile-reason")
    desk.client.pause_session(session, reason=HOSTILE)
    desk.client.kill(KillOrder(session=session, reason=HOSTILE))
    try:
        screen.open(f"/sessions?session={session}")
        expect(screen.page.get_by_role("heading", name=session)).to_be_visible()
        expect(screen.page.get_by_text(HOSTILE).locator("visible=true").first).to_be_visible()
        screen.bar.get_by_text("alert").click()
        expect(screen.dialog).to_contain_text(HOSTILE)
        has_no_such_element(screen)
    finally:
        desk.lift_kill()


def test_an_address_is_text(screen: Screen) -> None:
    for path in ("/live", "/spreads", "/sessions", "/data"):
        names = ("session", "instrument", "interval", "symbol", "a", "b", "span", "start", "kind", "venue", "series")
        screen.open(f"{path}?{urlencode(dict.fromkeys(names, HOSTILE))}")
        has_no_such_element(screen)


class HostileDesk(Double):
    """An engine whose venue, symbols and reasons are markup."""

    def instruments(self) -> Sequence[InstrumentView]:
        return [one.model_copy(update={"venue": HOSTILE, "symbol": HOSTILE}) for one in super().instruments()]

    def positions(self, session: str | None = None) -> Sequence[PositionView]:
        return [one.model_copy(update={"venue": HOSTILE, "symbol": HOSTILE}) for one in super().positions(session)]

    def spreads(self, symbol: str | None = None) -> Sequence[SpreadView]:
        named = {"symbol": HOSTILE, "venue_a": HOSTILE, "venue_b": f"{HOSTILE}b"}
        return [one.model_copy(update=named) for one in super().spreads(symbol)]


@contextmanager
def hostile_engine(home: Path) -> Iterator[int]:
    """Served from a thread of its own; its port."""
    double = HostileDesk()
    declared = {"session": "one", "strategy": "ma-cross", "parameters": {}, "venues": ["nova"], "symbol": "BTC/USDT"}
    detail = detail_of(SessionDeclaration.model_validate(declared | {"interval": "1m"}))
    double.kept["one"] = detail.model_copy(update={"reason": HOSTILE, "instruments": (f"{HOSTILE}:{HOSTILE}",)})
    download = a_job("download-1", DownloadJob(venue="nova", symbol="BTC/USDT", start_ns=10**18))
    named = {"series": f"bars {HOSTILE}:{HOSTILE} 1m", "instruments": (f"{HOSTILE}:{HOSTILE}",), "reason": HOSTILE}
    double.kept_jobs["download-1"] = download.model_copy(update=named | {"state": JobState.FAILED})
    collection = a_collection("night", CollectionRequest(symbols=("BTC/USDT",)))
    double.kept_collections["night"] = collection.model_copy(update={"symbols": (HOSTILE,), "venues": (HOSTILE,)})
    double.problems = (HOSTILE,)
    write_private(home / TOKEN_FILE, TOKEN.encode())
    ports: list[int] = []
    is_over = threading.Event()

    async def serve() -> None:
        async with served(an_app(double)) as port:
            ports.append(port)
            await asyncio.to_thread(is_over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="hostile engine")
    thread.start()
    try:
        yield until(lambda: ports, "the engine's port")[0]
    finally:
        is_over.set()
        thread.join(PATIENCE_S)


def test_names_of_venues_and_symbols_are_text(browser: Browser, screens: Opens, tmp_path: Path) -> None:
    with hostile_engine(tmp_path) as port:
        file = tmp_path / "workstation.toml"
        file.write_text(f'[paths]\nhome = "{tmp_path}"\n[api]\nport = {port}\n')
        with Dashboard(file, free_port()) as dashboard:
            screen = screens(dashboard.url, storage_state=entered(browser, dashboard.link))
            for path in ("/live?session=one", "/spreads", "/sessions?session=one", "/data"):
                screen.open(path)
                expect(screen.page.get_by_text(HOSTILE).locator("visible=true").first).to_be_visible()
                has_no_such_element(screen)
            screen.bar.get_by_text("alert").click()
            expect(screen.dialog).to_contain_text(HOSTILE)
            has_no_such_element(screen)
