"""The browser that tests drive, and a page in it without a network: what it asks for, and what it complains of."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
COMPLAINTS = ("error", "warning")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
"""A browser that asks nobody anything by itself."""


def browser_path() -> str:
    """CHROMIUM names it, or it is found. Without one: skips, or fails where CI promises that it is there."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is not None:
        return found
    message = f"no browser: expected one of {', '.join(BROWSERS)}, or its path in CHROMIUM"
    if os.environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@contextmanager
def opened(file: Path, width: int = 1200) -> Iterator[tuple[Any, list[str], list[str]]]:
    """The page, the addresses that it asked for, and its errors and warnings. Skips where there is no browser.

    What a page makes for itself (`blob:`, `data:`) is no question to anybody.
    """
    path = browser_path()
    asked: list[str] = []
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        page = browser.new_context(offline=True, viewport={"width": width, "height": 900}).new_page()
        page.on("request", lambda one: None if one.url.startswith(("blob:", "data:")) else asked.append(one.url))
        page.on("console", lambda one: said.append(one.text) if one.type in COMPLAINTS else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(file.as_uri())
        yield page, asked, said
        browser.close()
