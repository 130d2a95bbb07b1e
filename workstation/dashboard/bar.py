"""The bar on every page, and what its buttons ask of Python."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from workstation.dashboard.components import code_of, sheet_of

Act = Callable[[Mapping[str, Any]], Awaitable[None]]


class TopBar(JSComponent):
    """Mode, account, equity, day, feeds, alerts, KILL. Its figures come over the channel "state"."""

    account = param.String(doc="Whose money it is.")
    can_kill = param.Boolean(doc="Whether this user's role may use the switch.")
    kill_command = param.String(default="workstation kill", doc="What works where this page does not.")

    pages = param.List(doc="Name, label and key of each page.")
    page = param.String(doc="The name of the one in sight; empty before the first is made.")
    is_dark = param.Boolean(doc="The theme in force.")

    _esm = code_of("bar")
    _stylesheets: ClassVar[list[str]] = [sheet_of("bar")]

    def __init__(self, act: Act, **params: Any) -> None:
        self._act = act
        self._asked: dict[int, asyncio.Future[bool]] = {}
        super().__init__(**params)

    async def _handle_msg(self, data: Any) -> None:
        if not isinstance(data, Mapping):
            return
        if data.get("act") == "answer":
            number = data.get("id")
            answer = self._asked.pop(number, None) if isinstance(number, int) else None
            if answer is not None and not answer.done():
                answer.set_result(data.get("yes") is True)
        else:
            await self._act(data)

    def tell(self, outcome: str, *, is_done: bool) -> None:
        """What came of a command: done in passing, not done in a dialog."""
        self._send_msg({"outcome": outcome, "is_done": is_done})

    async def ask(self, title: str, lines: Sequence[str], label: str) -> bool:
        """A dialog that says what will happen; True once the person presses `label`."""
        number = max(self._asked, default=0) + 1
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        self._send_msg({"ask": {"id": number, "title": title, "lines": list(lines), "label": label}})
        is_yes: bool = await answer
        return is_yes
