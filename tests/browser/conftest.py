"""One desk for each worker, one browser for each module, and a context of its own for each test.

The browser ends with its module: while it is there, no test in its thread could run a loop of asyncio's own.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.desk import Desk, a_desk
from tests.browser.seeing import PHONE, Screen, a_browser, a_context, entered
from tests.browsing import browser_path

Opens = Callable[..., Screen]


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    browser_path()  # nothing is started where nobody could look at it
    with a_desk(tmp_path_factory.mktemp("desk")) as running:
        running.busy_session()
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    browser_path()
    with sync_playwright() as playwright, a_browser(playwright) as launched:
        yield launched


@pytest.fixture
def screens(browser: Browser) -> Iterator[Opens]:
    """Makes screens, and looks at the end whether any of them complained, asked outside, or opened a dialog."""
    made: list[Screen] = []

    def make(url: str, **options: object) -> Screen:
        made.append(Screen(a_context(browser, **options), url))
        return made[-1]

    yield make
    told = [(one.unforgiven, one.asked_outside, one.dialogs) for one in made]
    for one in made:
        one.context.close()
    assert told == [([], [], [])] * len(made)


@pytest.fixture
def known(desk: Desk, browser: Browser, screens: Opens) -> Opens:
    """A screen of somebody who came by the link."""
    if desk.state is None:
        desk.state = entered(browser, desk.dashboard.link)
    return lambda **options: screens(desk.url, storage_state=desk.state, **options)


@pytest.fixture
def screen(known: Opens) -> Screen:
    return known()


@pytest.fixture
def phone(known: Opens) -> Screen:
    return known(size=PHONE)
