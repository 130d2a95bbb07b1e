"""Pictures of the pages, for README and docs: python -m tests.browser.pictures.

With --only NAME: that one alone.
With --all FOLDER: every page, light and dark, wide and on a phone, empty, full, stale and disconnected, to look at.
"""

import argparse
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.browser.desk import Desk, a_desk
from tests.browser.seeing import PHONE, WIDE, Screen, a_browser, a_context, entered
from tests.faults.running import until
from workstation.cli.demonstration import AVERAGES, SPREAD
from workstation.client.collection import CollectionRequest
from workstation.client.declaration import SessionDeclaration
from workstation.client.jobs import ENDED, DownloadJob
from workstation.model.durations import DAY_NS, SECOND_NS

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
LARGEST_BYTES = 250_000
COLOURS = 256
DAYS = 20
"""Of bars on the page Data: a cell of its map is a day."""
PATIENCE_S = 600.0
"""A market in motion takes its time: a dislocation comes twice a minute, and is not always traded."""
WATCHED_S = 150.0
"""So much of a spread is shown that its band has a shape."""
SPREAD_SESSION = "spread-reversion-1"
LIVE = f"/live?session={SPREAD_SESSION}&instrument=nova%3ABTC%2FUSDT&interval=1m"
PAGES = {"live": LIVE, "spreads": "/spreads?symbol=BTC%2FUSDT&a=nova&b=orion&span=5m",
         "sessions": f"/sessions?session={SPREAD_SESSION}", "data": "/data?kind=bars"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture: its file's name, the page, and who looks."""

    name: str
    page: str
    is_dark: bool = True
    size: tuple[int, int] = WIDE


SHOTS = (
    Shot(name="live", page="live"),
    Shot(name="live_light", page="live", is_dark=False),
    Shot(name="spreads", page="spreads"),
    Shot(name="sessions", page="sessions", is_dark=False),
    Shot(name="live_narrow", page="live", size=PHONE),
    Shot(name="data", page="data", is_dark=False),
)


class Camera:
    """One browser of somebody who came by the link."""

    def __init__(self, browser: Browser, desk: Desk) -> None:
        self._browser, self._desk = browser, desk
        self._state: Any = entered(browser, desk.dashboard.link)

    @contextmanager
    def looking(self, *, size: tuple[int, int], is_dark: bool) -> Iterator[Screen]:
        context = a_context(self._browser, size=size, is_dark=is_dark, storage_state=self._state)
        try:
            yield Screen(context, self._desk.url)
        finally:
            context.close()

    def take(self, shots: Iterable[Shot], folder: Path) -> None:
        for shot in shots:
            with self.looking(size=shot.size, is_dark=shot.is_dark) as screen:
                screen.open(PAGES[shot.page])
                until(lambda screen=screen, page=shot.page: is_full(screen, page), f"{shot.page} is full", PATIENCE_S)
                save(screen, folder / f"{shot.name}.png")


def is_full(screen: Screen, page: str) -> bool:
    """Whether there is something to see: candles and a fill, a spread with an edge, a journal."""
    screen.page.wait_for_timeout(2_000)
    if screen.is_lost():
        return False
    if page == "live":
        return bool(screen.columns("fills").get("price")) and len(screen.columns("candles").get("t", [])) > 100
    if page == "spreads":
        return bool(screen.columns("opportunities").get("start")) and len(screen.columns("spread").get("t", [])) > 100
    if page == "data":
        return screen.page.locator(".map .cell").count() > DAYS and screen.page.locator("td.share").count() > 2
    return screen.page.locator("tbody tr").locator("visible=true").count() > 3


def save(screen: Screen, file: Path) -> None:
    """As few colours as do: a page has few."""
    file.parent.mkdir(parents=True, exist_ok=True)
    screen.page.screenshot(path=file)
    with Image.open(file) as picture:
        small = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(file, optimize=True)
    assert file.stat().st_size <= LARGEST_BYTES, f"{file.name}: {file.stat().st_size:,} bytes"
    print(f"{file}  {file.stat().st_size / 1000:.0f} kB", flush=True)


def start_sessions(desk: Desk) -> None:
    """As the demonstration does."""
    for name, declared in ((SPREAD_SESSION, SPREAD), ("ma-cross-1", AVERAGES)):
        desk.client.start_session(SessionDeclaration.model_validate({**declared, "session": name}))


def wait_for_something_to_see(desk: Desk) -> None:
    """A fill of the spread's session, and a band of some width."""
    started_ns = desk.client.session(SPREAD_SESSION).started_ns
    until(lambda: any(one.filled_quantity for one in desk.client.orders(SPREAD_SESSION)), "a fill", PATIENCE_S)
    until(lambda: time.time_ns() - started_ns > WATCHED_S * SECOND_NS, "a band", PATIENCE_S)


def fill_history(desk: Desk) -> None:
    """Weeks of bars, one of them with a hole, and a download that takes its time."""
    today_ns = time.time_ns() // DAY_NS * DAY_NS
    for venue, symbol, first, last in (
        ("nova", "BTC/USDT", DAYS, 0),
        ("orion", "BTC/USDT", DAYS, 9),
        ("orion", "BTC/USDT", 6, 0),
    ):
        span = {"start_ns": today_ns - first * DAY_NS, "end_ns": today_ns - last * DAY_NS}
        job = desk.client.start_job(DownloadJob(venue=venue, symbol=symbol, **span)).job
        until(lambda job=job: desk.client.job(job).state in ENDED, f"{job} ends", PATIENCE_S)
    desk.client.start_collection(CollectionRequest(name="majors", symbols=("BTC/USDT", "ETH/USDT")))
    desk.venues.go_wrong("latency", path="/api/v3/klines", seconds=3.0)
    slow = desk.client.start_job(DownloadJob(venue="nova", symbol="ETH/USDT", start_ns=today_ns - DAYS * DAY_NS)).job
    until(lambda: desk.client.job(slow).progress > 0.2, f"{slow} is on its way", PATIENCE_S)


def take_all(camera: Camera, desk: Desk, folder: Path) -> None:
    """Every page in every state, each state for each kind of viewer."""
    take_state(camera, folder, "empty")
    start_sessions(desk)
    wait_for_something_to_see(desk)
    fill_history(desk)
    take_state(camera, folder, "full")
    desk.venues.kill()
    until(lambda: any(one.state != "live" or one.stale for one in desk.client.health().feeds), "a stale feed")
    take_state(camera, folder, "stale")
    for (label, size), is_dark in product((("1440", WIDE), ("390", PHONE)), (False, True)):
        with camera.looking(size=size, is_dark=is_dark) as screen:
            screen.open(LIVE)
            desk.engine.kill()
            until(screen.is_lost, "stripes")
            screen.page.wait_for_timeout(1_000)
            save(screen, folder / f"disconnected_live_{'dark' if is_dark else 'light'}_{label}.png")
        desk.start_engine()


def take_state(camera: Camera, folder: Path, state: str) -> None:
    for (label, size), is_dark in product((("1440", WIDE), ("390", PHONE)), (False, True)):
        with camera.looking(size=size, is_dark=is_dark) as screen:
            for page, path in PAGES.items():
                screen.open(path)
                screen.page.wait_for_timeout(3_000)  # a moment of the page's life, whatever it shows
                save(screen, folder / f"{state}_{page}_{'dark' if is_dark else 'light'}_{label}.png")
                print(*screen.complaints, *screen.asked_outside, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="every page in every state, to look at")
    parser.add_argument("--only", choices=[one.name for one in SHOTS], metavar="NAME", help="one of README's pictures")
    asked = parser.parse_args()
    folder, shots = asked.all, [one for one in SHOTS if asked.only in (None, one.name)]
    with (
        tempfile.TemporaryDirectory() as home,
        a_desk(Path(home), names="nova,orion,vega", is_lively=True) as desk,
        sync_playwright() as playwright,
        a_browser(playwright) as browser,
    ):
        camera = Camera(browser, desk)
        if folder is not None:
            take_all(camera, desk, folder)
            return
        if any(one.page != "data" for one in shots):
            start_sessions(desk)
            wait_for_something_to_see(desk)
        if any(one.page == "data" for one in shots):
            fill_history(desk)
        camera.take(shots, FOLDER)


if __name__ == "__main__":
    main()
