"""One open page: its user, its address, and what is patched while it is in sight."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import panel as pn
from bokeh.document import Document

from workstation.config.settings import Settings
from workstation.dashboard.controls import Controls, Outcome
from workstation.dashboard.link import EngineLink
from workstation.dashboard.state import EngineState
from workstation.dashboard.surveyor import Surveyor
from workstation.dashboard.users import User
from workstation.dashboard.verification import Verifications

MEETING_S = 0.03

Shown = Callable[[EngineState], None]
OnPlace = Callable[[dict[str, str]], None]
Confirm = Callable[[str, Sequence[str], str], Awaitable[bool]]
OpenPage = Callable[[str, dict[str, str]], None]


class Visit:
    """Of one viewer. Looks at the engine are handed to the page in sight, at most one at a time is waiting.

    `show_outcome`, `confirm`, `open_page` and `is_dark` are set by the frame: where what came of a command is told;
    where a person is asked before one that cannot be taken back: title, lines that say what will happen, and the words
    of the button; how a page turns to another one at a place of it; and the theme that is in force.
    """

    def __init__(
        self,
        link: EngineLink,
        document: Document,
        user_now: Callable[[], User | None],
        settings: Settings,
        verifications: Verifications,
        surveyor: Surveyor | None = None,
    ) -> None:
        self.link, self._document = link, document
        self.settings, self.verifications = settings, verifications
        self.surveyor = Surveyor(settings.paths.history) if surveyor is None else surveyor
        self.user_now = user_now
        self.controls = Controls(link, user_now)
        self.show_outcome: Callable[[Outcome], None] = lambda outcome: None
        self.confirm: Confirm = _never
        self.open_page: OpenPage = lambda name, place: None
        self.is_dark = False
        self._shown: dict[str, Shown] = {}
        self._page = ""
        self._is_visible, self._is_met = True, False
        self._is_waiting = False
        self._meeting: asyncio.Task[None] | None = None
        self._leave = link.follow(self._on_look)

    @property
    def state(self) -> EngineState:
        """Nothing is known to somebody who has logged out or was removed."""
        return self.link.state if self.user_now() is not None else EngineState()

    def on_look(self, page: str, shown: Shown) -> None:
        """Calls `shown` after each look while that page is in sight, and when it comes into sight."""
        self._shown[page] = shown

    def turn_to(self, page: str) -> None:
        """From now on that page is shown, and told of looks."""
        self._page = page
        if self._is_met:
            self._document.add_next_tick_callback(self._flush)

    def see(self, is_visible: bool) -> None:
        """The browser's tab is seen, or is not: a hidden one is patched no more."""
        self._is_visible = is_visible
        if is_visible and self._is_met:
            self._document.add_next_tick_callback(self._flush)

    def soon(self, act: Callable[[], None]) -> None:
        """In the document's next turn: what changes Bokeh's own models must be there, and a message's answer is not."""
        self._document.add_next_tick_callback(act)

    def once_met(self, act: Callable[[], None]) -> None:
        """As soon as the browser has the document as it is: what `act` adds is made while the browser draws that."""
        self._meeting = asyncio.get_running_loop().create_task(self._meet(act))

    async def _meet(self, act: Callable[[], None]) -> None:
        context: Any = self._document.session_context
        while not context.destroyed and context.session.connection_count == 0:
            await asyncio.sleep(MEETING_S)
        await asyncio.sleep(MEETING_S)  # it asks for the document right after it has come
        if not context.destroyed:
            # Panel keeps every change to itself until the browser says that it has drawn the whole document. Where a
            # component of Material stands in a row or a column, it often never does (Panel 1.9.4).
            pn.state._schedule_on_load(self._document, None)
            self._is_met = True
            self.soon(act)

    async def do(self, *args: Any, **named: Any) -> Outcome:
        """Controls.do, and its outcome shown."""
        outcome = await self.controls.do(*args, **named)
        self.show_outcome(outcome)
        return outcome

    def close(self) -> None:
        self._leave()
        self._shown.clear()

    def _on_look(self, _: EngineState) -> None:
        if self._is_visible and self._is_met and not self._is_waiting and self._page in self._shown:
            self._is_waiting = True
            self._document.add_next_tick_callback(self._flush)

    def _flush(self) -> None:
        self._is_waiting = False
        if (shown := self._shown.get(self._page)) is not None:
            shown(self.state)


async def _never(title: str, lines: Sequence[str], label: str) -> bool:
    """Nobody can be asked."""
    return False
