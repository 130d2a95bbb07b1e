"""A page of the dashboard as a person's browser shows it, and what the browser complained of meanwhile."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, WebSocket, expect

from tests.browsing import COMPLAINTS, FLAGS, browser_path

PATIENCE_MS = 60_000.0
"""Far above what a page takes: two cores may be shared by many tests."""
WIDE, PHONE = (1440, 900), (390, 844)
TOLD = re.compile(r"feeds \d+/\d+")
COLUMNS = """() => {
  const found = Bokeh.documents.map((one) => one.get_model_by_name(NAME)).find((one) => one)
  return Object.fromEntries(Object.entries(found?.data ?? {}).map(([name, held]) => [name, Array.from(held)]))
}"""
PAINTED = """(canvases, [r, g, b]) => {
  let count = 0
  for (const one of canvases) {
    if (!one.width || !one.height) continue
    const copy = new OffscreenCanvas(one.width, one.height).getContext("2d", {willReadFrequently: true})
    copy.drawImage(one, 0, 0)
    const {data} = copy.getImageData(0, 0, one.width, one.height)
    for (let i = 0; i < data.length; i += 4) if (data[i] === r && data[i + 1] === g && data[i + 2] === b) count++
  }
  return count
}"""

PLOTS = """() => {
const plots = (made) => [...made.views_manager.query((one) => one.canvas_view)].map(plot)
return [...workstationCharts.values()].flatMap(plots)
function plot(view) {
  const {canvas} = view.canvas_view.primary, {width, height} = canvas
  const copy = new OffscreenCanvas(width, height).getContext("2d", {willReadFrequently: true})
  copy.drawImage(canvas, 0, 0)
  const {data} = copy.getImageData(0, 0, width, height)
  const at = (x, y) => [...data.slice(4 * (y * width + x), 4 * (y * width + x + 1))]
  const top = [...Array(width).keys()].map((x) => at(x, 0)), left = [...Array(height).keys()].map((y) => at(0, y))
  const edges = top.slice(1).concat(left.slice(1))  // the corner is a quarter of a pixel, and black at some offsets
  let painted = 0
  for (let i = 3; i < data.length; i += 4) if (data[i]) painted++
  return [painted / (width * height), edges.filter(([r, g, b, a]) => a > 63).map(([r, g, b]) => [r, g, b])]
}}"""

expect.set_options(timeout=PATIENCE_MS)


class Screen:
    """One page in a context of its own. `complaints` and `asked_outside` are to be empty when its test ends."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context, self.url = context, url
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.asked_outside: list[str] = []
        self.dialogs: list[str] = []
        """Of alert() and its like: nothing of ours opens one."""
        self.watched: list[str] = []
        """What the page said over its channel."""
        self._forgiven: list[re.Pattern[str]] = []
        self.page.on("console", lambda one: self.complaints.append(one.text) if one.type in COMPLAINTS else None)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{error}\n{error.stack}"))
        self.page.on("request", lambda one: self._ask(one.url))
        self.page.on("websocket", self._socket)
        self.page.on("dialog", lambda one: (self.dialogs.append(one.message), one.dismiss()))

    def _ask(self, url: str) -> None:
        if not url.startswith((f"{self.url}/", "blob:", "data:")):
            self.asked_outside.append(url)

    def _socket(self, socket: WebSocket) -> None:
        self._ask(socket.url.replace("ws:", "http:"))
        if socket.url.endswith("/channel"):
            socket.on("framesent", lambda text: self.watched.append(str(text)))

    def forgive(self, pattern: str) -> None:
        """What this test provokes is no complaint."""
        self._forgiven.append(re.compile(pattern))

    @property
    def unforgiven(self) -> list[str]:
        return [one for one in self.complaints if not any(known.search(one) for known in self._forgiven)]

    # -- the page

    def open(self, path: str = "/live") -> None:
        """Returns once the page has taken the bar over, and that has figures of the engine."""
        self.page.goto(f"{self.url}{path}")
        self.wait_for_figures()

    def wait_for_figures(self) -> None:
        expect(self.page.locator("#first")).to_have_count(0)
        expect(self.bar).to_contain_text(TOLD)

    @property
    def bar(self) -> Locator:
        return self.page.locator(".bar")

    @property
    def kill(self) -> Locator:
        return self.page.locator("button.kill")

    @property
    def dialog(self) -> Locator:
        return self.page.locator("dialog[open]")

    @property
    def note(self) -> Locator:
        """What came of a command, said in passing."""
        return self.page.locator(".note")

    def button(self, name: str) -> Locator:
        """The one in sight: pages that were turned away from stay in the document."""
        return self.page.get_by_role("button", name=name, exact=True).locator("visible=true")

    def choose(self, label: str, option: str) -> None:
        """In a list of choices, as a person does."""
        self.page.get_by_role("combobox", name=label).locator("visible=true").click()
        self.page.get_by_role("menuitem", name=option, exact=True).click()

    def columns(self, source: str) -> Mapping[str, list[Any]]:
        """What a chart's source of that name holds; empty while there is none."""
        held: Mapping[str, list[Any]] = self.page.evaluate(COLUMNS.replace("NAME", repr(source)))
        return held

    def painted(self, colour: str) -> int:
        """How many pixels of the charts in sight have that colour."""
        wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        count: int = self.page.locator("canvas").locator("visible=true").evaluate_all(PAINTED, wanted)
        return count

    def plots(self) -> list[tuple[float, list[list[int]]]]:
        """Of each plot in the page's charts how much of it is painted, and its colours (rgb) at the top and left."""
        found: list[tuple[float, list[list[int]]]] = self.page.evaluate(PLOTS)
        return found

    def is_lost(self) -> bool:
        return bool(self.page.evaluate("() => document.documentElement.hasAttribute('data-lost')"))

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(self.page.evaluate("() => document.scrollingElement.scrollWidth - innerWidth"))


@contextmanager
def a_browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=browser_path(), args=list(FLAGS))
    try:
        yield browser
    finally:
        browser.close()


def a_context(
    browser: Browser, *, size: tuple[int, int] = WIDE, is_dark: bool = False, **options: Any
) -> BrowserContext:
    """A browser that nobody has used yet, but for what `storage_state` says."""
    width, height = size
    return browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if is_dark else "light",
        locale="en-GB",
        **options,
    )


def entered(browser: Browser, link: str) -> Any:
    """The cookies of a browser that came by the link."""
    context = a_context(browser)
    page = context.new_page()
    page.goto(link, wait_until="commit")
    state = context.storage_state()
    context.close()
    return state
