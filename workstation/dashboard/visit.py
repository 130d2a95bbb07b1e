"""One open page: its user, its address, and what is patched while it is in sight."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import panel as pn
from bokeh.document import Document

from workstation.config.settings import Settings
from workstation.dashboard.controls import Controls, Outcome
from workstation.dashboard.link import EngineLink
from workstation.dashboard.state import EngineState
from workstation.dashboard.users import User
from workstation.dashboard.verification import Verifications

Shown = Callable[[EngineState], None]
OnPlace = Callable[[dict[str, str]], None]
Confirm = Callable[[str, Sequence[str], str], Awaitable[bool]]
OpenPage = Callable[[str, dict[str, str]], None]


class Visit:
    """Of one viewer. Looks at the engine are handed to the page in sight, at most one at a time is waiting.

    `show_outcome`, `confirm` and `open_page` are set by the frame: where what came of a command is told; where a person
    is asked before one that cannot be taken back: title, lines that say what will happen, and the words of the button;
    and how a page turns to another one at a place of it.
    """

    def __init__(
        self,
        link: EngineLink,
        document: Document,
        user_now: Callable[[], User | None],
        settings: Settings,
        verifications: Verifications,
    ) -> None:
        self.link, self._document = link, document
        self.settings, self.verifications = settings, verifications
        self.user_now = user_now
        self.controls = Controls(link, user_now)
        self.show_outcome: Callable[[Outcome], None] = lambda outcome: None
        self.confirm: Confirm = _never
        self.open_page: OpenPage = lambda name, place: None
        self._shown: dict[str, Shown] = {}
        self._page = ""
        self._is_visible, self._is_built, self._is_loaded = True, False, False
        self._is_waiting = False
        self._leave = link.follow(self._on_look)

    @property
    def state(self) -> EngineState:
        """Nothing is known to somebody who has logged out or was removed."""
        return self.link.state if self.user_now() is not None else EngineState()

    @property
    def is_lost(self) -> bool:
        return self.state.is_lost(time.monotonic())

    def on_look(self, page: str, shown: Shown) -> None:
        """Calls `shown` after each look while that page is in sight, and when it comes into sight."""
        self._shown[page] = shown

    def turn_to(self, page: str) -> None:
        """From now on that page is shown; patched once it is built."""
        self._page, self._is_built = page, False

    def is_built(self) -> None:
        """The browser has built the page in sight: a table that is patched before breaks."""
        if not self._is_built and not self._is_loaded:
            # Panel holds back every change until the browser says that it has drawn the whole document. A component of
            # Material inside a row or a column often never says so (Panel 1.9.4); the page's own word counts as well.
            pn.state._schedule_on_load(self._document, None)
            self._is_loaded = True
        self._is_built = True
        self._document.add_next_tick_callback(self._flush)

    def is_in_sight(self, is_visible: bool) -> None:
        """The browser's tab is seen, or is not: a hidden one is patched no more."""
        self._is_visible = is_visible
        if is_visible and self._is_built:
            self._document.add_next_tick_callback(self._flush)

    def soon(self, act: Callable[[], None]) -> None:
        """In the document's next turn: what changes Bokeh's own models must be there, and a message's answer is not."""
        self._document.add_next_tick_callback(act)

    async def do(self, *args: Any, **named: Any) -> Outcome:
        """Controls.do, and its outcome shown."""
        outcome = await self.controls.do(*args, **named)
        self.show_outcome(outcome)
        return outcome

    def close(self) -> None:
        self._leave()
        self._shown.clear()

    def _on_look(self, _: EngineState) -> None:
        is_seen = self._is_visible and self._is_built and self._is_loaded
        if is_seen and not self._is_waiting and self._page in self._shown:
            self._is_waiting = True
            self._document.add_next_tick_callback(self._flush)

    def _flush(self) -> None:
        self._is_waiting = False
        if self._is_built and self._is_loaded and (shown := self._shown.get(self._page)) is not None:
            shown(self.state)


async def _never(title: str, lines: Sequence[str], label: str) -> bool:
    """Nobody can be asked."""
    return False
