"""One client of the stream: it shows its token, says what it wants, and takes at its own pace."""

import asyncio
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from starlette.types import Receive, Send

from workstation.client.frames import Acknowledgement, Gap, Missed, Request, Subscribed, Wanted
from workstation.client.problem import Problem
from workstation.engine.bus import Bus
from workstation.server.auth import is_same_token
from workstation.server.mailbox import Mailbox
from workstation.server.problems import problem_of_form
from workstation.server.rates import RateLimit
from workstation.server.settings import ServerSettings

POLICY = 1008
"""Close code: the client did not keep the rules."""
TURN = 50
"""Events that one client gets before others have a turn: sending need not wait for anything by itself."""
WHOLE = '{"subscribe": {"topics": ["order_filled"]}}'


class Listener:
    """`token` is what the first message must bear; None where the handshake has shown it."""

    def __init__(
        self,
        bus: Bus,
        mailbox: Mailbox,
        filled: asyncio.Event,
        receive: Receive,
        send: Send,
        settings: ServerSettings,
        life: str,
        token: str | None,
        now_s: Callable[[], float],
    ) -> None:
        self._bus, self._mailbox, self._filled, self._settings = bus, mailbox, filled, settings
        self._receive, self._send, self._life, self._token, self._now_s = receive, send, life, token, now_s
        self._faults, self._pace = 0, RateLimit(settings.subscribe_rate)
        self._heartbeat: str | None = None
        self._sending_since: float | None = None
        self._may_send = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self.on_wanted: Callable[[], None] = lambda: None
        self.sent = 0

    async def run(self) -> None:
        """Until the client goes, breaks the rules, or takes nothing any more."""
        try:
            if (await self._receive())["type"] != "websocket.connect":
                return
            await self._send({"type": "websocket.accept"})
            if await self._has_shown_the_token():
                await self._converse()
        except OSError:
            return  # it went while something was being sent; its mailbox goes with it

    def beat(self, text: str) -> None:
        """A heartbeat, unless something is on the way anyhow; lets go of a client that has stalled."""
        since = self._sending_since
        if since is None:
            self._heartbeat = text
            self._filled.set()
        elif self._now_s() - since > self._settings.stall_s and self._sending is not None:
            self._sending.cancel()

    async def _has_shown_the_token(self) -> bool:
        if self._token is None:
            return True
        try:
            async with asyncio.timeout(self._settings.auth_timeout_s):
                text = await self._text()
        except TimeoutError:
            await self._close(f"no token within {self._settings.auth_timeout_s:g} s")
            return False
        if text is None:
            return False
        request, _ = self._parsed(text)
        if request is None or request.token is None or not is_same_token(request.token, self._token):
            await self._close('expected {"token": "..."} with this engine\'s token first')
            return False
        await self._answer(request)
        return True

    async def _converse(self) -> None:
        self._sending = asyncio.create_task(self._send_all())
        tasks = (self._sending, asyncio.create_task(self._receive_all()))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            if not task.cancelled():
                task.result()

    async def _send_all(self) -> None:
        mailbox, filled = self._mailbox, self._filled
        while True:
            await filled.wait()
            filled.clear()
            await self._may_send.wait()
            while (event := mailbox.take()) is not None:
                if (gap := mailbox.lost_span()) is not None:
                    await self._put_on_the_wire(Missed(missed=gap).model_dump_json())
                await self._put_on_the_wire(event.encoded.decode())
                self.sent += 1
                if not self.sent % TURN:
                    await asyncio.sleep(0)
                if not self._may_send.is_set():
                    await self._may_send.wait()
            if self._heartbeat is not None:  # behind all that was wanted up to its sequence
                text, self._heartbeat = self._heartbeat, None
                await self._put_on_the_wire(text)

    async def _put_on_the_wire(self, text: str) -> None:
        self._sending_since = self._now_s()
        await self._send({"type": "websocket.send", "text": text})
        self._sending_since = None

    async def _receive_all(self) -> None:
        self._may_send.set()
        while (text := await self._text()) is not None:
            request, problem = self._parsed(text)
            if request is not None:
                await asyncio.sleep(self._pace.wait_s("", self._now_s()))  # at the least, others have their turn
                await self._answer(request)
                continue
            self._faults += 1
            if self._faults > self._settings.most_faults:
                await self._close(f"more than {self._settings.most_faults} faulty messages")
                return
            await self._send({"type": "websocket.send", "text": problem})

    async def _close(self, reason: str) -> None:
        await self._send({"type": "websocket.close", "code": POLICY, "reason": reason[:120]})

    async def _text(self) -> str | None:
        """The next message; None when the client has gone."""
        message: Any = await self._receive()
        if message["type"] == "websocket.disconnect":
            return None
        text = message.get("text")
        return "" if text is None else str(text)

    def _parsed(self, text: str) -> tuple[Request | None, str]:
        """A request, or the Problem to answer with."""
        most = self._settings.most_frame_bytes
        if not text or len(text) > most:
            return None, _fault(f"a message of {len(text)} characters: expected text of 1 to {most}, such as {WHOLE}")
        try:
            request = Request.model_validate_json(text)
        except (ValidationError, ValueError) as error:
            return None, problem_of_form(error, "message").model_dump_json(exclude_none=True)
        if request.subscribe is None and (request.token is None or request.resume_from is not None):
            return None, _fault(f"a message that asks for nothing: expected {WHOLE}")
        return request, ""

    async def _answer(self, request: Request) -> None:
        if request.subscribe is None:
            return
        self._may_send.clear()  # the acknowledgement goes before what it acknowledges
        sequence = self._bus.sequence
        missed = self._open(request.subscribe, request)
        told = Acknowledgement(
            topics=tuple(sorted(request.subscribe.topics)),
            symbols=None if request.subscribe.symbols is None else tuple(sorted(request.subscribe.symbols)),
            session=request.subscribe.session,
            sequence=sequence,
            life=self._life,
            missed=missed,
        )
        await self._send({"type": "websocket.send", "text": Subscribed(subscribed=told).model_dump_json()})
        self._may_send.set()

    def _open(self, wanted: Wanted, request: Request) -> Gap | None:
        """Fills the mailbox with what is resumed; what cannot be."""
        since = request.resume_from
        if since is not None and (request.life not in (None, self._life) or since > self._bus.sequence):
            since = 0  # that was another life: all of this one is news
        missed, events = self._bus.since(self._bus.sequence if since is None else since)
        self._mailbox.open(wanted, events)
        self.on_wanted()
        return None if missed is None else Gap(first=missed[0], last=missed[1])


def _fault(sentence: str) -> str:
    return Problem(error=sentence, kind="BadInput").model_dump_json(exclude_none=True)
