"""The dashboard: how soon a page is there, and what one, twenty and a hundred viewers cost its server's process."""

import asyncio
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import expect, sync_playwright

from tests.browser.desk import Desk, a_desk
from tests.browser.seeing import Screen, a_browser, a_context, entered
from tests.browser.viewers import Crowd
from tests.faults.running import until
from workstation.charts.theme import LIGHT
from workstation.history.layout import HistoryKind
from workstation.history.store import HistoryStore
from workstation.model.durations import SECOND_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.model.market import Rows

VIEWERS, WATCHERS, SECONDS, QUOTES_PER_SECOND = 20, 100, 10.0, 250.0
LIVE = "/live?session=&instrument=nova%3ABTC%2FUSDT&interval=1m"
CHANNELS = ("state", "candles:nova:BTC/USDT:1m")
TURNS, REST_MS = 6, 1000
PAINTED = (
    "performance.getEntriesByType('paint').find((one) => one.name === 'first-contentful-paint')?.startTime ?? null"
)
FRESH_S = 20.0
FIGURES = re.compile(r"\d[\d,.]*")
NOVA = InstrumentKey(Venue("nova"), Symbol("BTC/USDT"))
SEEN = """(line, ms) => new Promise((done) => {
  const seen = [], {port1: behind, port2: painted} = new MessageChannel()
  painted.onmessage = ({data}) => seen.push([performance.timeOrigin + performance.now(), data])
  const watch = new MutationObserver(() => behind.postMessage(line.innerText))  // comes behind the frame being drawn
  watch.observe(line, {childList: true, characterData: true, subtree: true})
  setTimeout(() => { watch.disconnect(); done(seen) }, ms)
})"""
FILLED = "window.Bokeh?.documents?.some((one) => one.get_model_by_name('candles')?.data.t?.length)"


def main() -> None:
    """Goals of dashboard.md, on a machine that does nothing else."""
    with tempfile.TemporaryDirectory() as folder, a_desk(Path(folder), quotes_per_second=QUOTES_PER_SECOND) as desk:
        desk.busy_session()
        with sync_playwright() as playwright, a_browser(playwright) as browser:
            state = entered(browser, desk.dashboard.link)
            for warmth in ("server cold", "server warm"):
                screen = Screen(a_context(browser, storage_state=state), desk.url)
                loading(screen, warmth)
                if warmth == "server cold":
                    screen.context.close()
            loading(screen, "browser warm too")
            turning(screen)
            freshness(desk, screen)
            with ThreadPoolExecutor(1) as aside:  # Playwright has this thread's loop
                percent = aside.submit(asyncio.run, idle(desk)).result()
            row("server with one viewer, 20 Hz", f"{percent:.1f} % of a core", "")
        desk.dashboard.kill()
        desk.start_dashboard()
        asyncio.run(crowds(desk))


def row(what: str, took: str, goal: str) -> None:
    print(f"{what:<44} {took:>18}   {goal}", flush=True)


def loading(screen: Screen, warmth: str) -> None:
    began = time.monotonic()
    screen.page.goto(f"{screen.url}{LIVE}", wait_until="commit")
    screen.bar.wait_for()
    framed = time.monotonic() - began
    screen.page.wait_for_function(FILLED)  # once a frame: to count pixels meanwhile would take the page's own time
    until(lambda: screen.painted(LIGHT.up) + screen.painted(LIGHT.down) > 200, "candles")
    drawn = time.monotonic() - began
    row(f"{warmth}: first contentful paint", f"{screen.page.evaluate(PAINTED):.0f} ms", "")
    row(f"{warmth}: the bar is there", f"{1000 * framed:.0f} ms", "frame < 1000 ms")
    row(f"{warmth}: candles are drawn", f"{1000 * drawn:.0f} ms", "chart < 2500 ms, warm")


def turning(screen: Screen) -> None:
    """From the press to the page's title: the first turn makes the page, and later ones show it."""
    for turn in range(TURNS):
        name, question = (("Spreads", "Where is the edge?"), ("Live", "What is it doing?"))[turn % 2]
        began = time.monotonic()
        screen.page.locator(".MuiListItemButton-root", has_text=name).click()
        expect(screen.page.get_by_role("heading", name=question)).to_be_visible()
        row(
            f"turn to {name}" + ("" if turn else ", made for it"),
            f"{1000 * (time.monotonic() - began):.0f} ms",
            "switch < 300 ms",
        )
        screen.page.wait_for_timeout(REST_MS)


def freshness(desk: Desk, screen: Screen) -> None:
    """From the engine's receipt of a quote to the frame that has it, the engine's and the dashboard's pace included."""
    line = screen.page.locator(".quote").locator("visible=true")
    began_ns = time.time_ns() - SECOND_NS
    seen = line.evaluate(SEEN, FRESH_S * 1000)
    time.sleep(1.0)  # the recorder writes ten times a second
    quotes = HistoryStore(desk.home / "history").rows(NOVA, HistoryKind.QUOTES, 0, began_ns, as_recorded=True)
    shown = [(at_ms, [float(one.replace(",", "")) for one in FIGURES.findall(text)[:2]]) for at_ms, text in seen]
    new = [
        now for before, now in pairwise(shown) if now[1] != before[1]
    ]  # what repeats itself has no message of its own
    took = [lateness for at_ms, prices in new if (lateness := late_ms(at_ms, prices, quotes)) is not None]
    middle, worst = np.percentile(took, (50, 99))
    row(f"a quote's way to the page, {len(took)} frames", f"{middle:.0f}, {worst:.0f} ms", "p50 < 50, p99 < 150 ms")


def late_ms(at_ms: float, prices: list[float], quotes: Rows) -> float | None:
    """How long before a frame the quote in it was received; None where that is not known."""
    bid, ask = prices
    place = int(np.searchsorted(quotes["ts_received"], at_ms * 1e6)) - 1
    while place >= 0 and (quotes["x0"][place], quotes["x1"][place]) != (bid, ask):
        place -= 1
    while place > 0 and (quotes["x0"][place - 1], quotes["x1"][place - 1]) == (bid, ask):
        place -= 1  # the first that said so
    return None if place < 1 else at_ms - float(quotes["ts_received"][place]) / 1e6


async def idle(desk: Desk) -> float:
    return await cpu_percent(psutil.Process(desk.dashboard.process.pid))


async def crowds(desk: Desk) -> None:
    process = psutil.Process(desk.dashboard.process.pid)
    crowd = Crowd(desk.url, desk.dashboard.link)
    cpu: list[float] = []
    megabytes: list[float] = []

    async def measure() -> None:
        cpu.append(await cpu_percent(process))
        megabytes.append(process.memory_info().rss / 2**20)

    await crowd.many(1, lambda: crowd.page(LIVE), measure)
    await crowd.many(VIEWERS, lambda: crowd.page(LIVE), measure)
    row("1 page without its channel", f"{cpu[0]:.1f} % of a core", "")
    row(f"{VIEWERS} pages without their channels", f"{cpu[1]:.1f} % of a core", f"{VIEWERS} viewers < 35 %")
    row("memory of a viewer", f"{(megabytes[1] - megabytes[0]) / (VIEWERS - 1):.2f} MB", "< 1.5 MB")
    crowd.messages = 0
    await crowd.many(WATCHERS, lambda: crowd.watcher(*CHANNELS), measure)
    hertz = crowd.messages / WATCHERS / SECONDS
    row(f"{WATCHERS} viewers of the channel, {hertz:.0f} Hz", f"{cpu[2]:.1f} % of a core", "< 30 %")


async def cpu_percent(process: psutil.Process) -> float:
    process.cpu_percent()
    await asyncio.sleep(SECONDS)
    return process.cpu_percent()


if __name__ == "__main__":
    main()
