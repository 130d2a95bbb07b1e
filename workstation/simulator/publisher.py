"""Stream messages to their subscribers, and what the fault menu does to them."""

import asyncio
from collections.abc import Iterator

from workstation.simulator.faults import Fault, FaultKind, FaultMenu
from workstation.simulator.message_coding import Coding
from workstation.simulator.socket_hub import SocketHub

KILOBYTE = 1024
MOST_KILOBYTES = 100 * 1024


class Publisher:
    """Of one venue and one way to write messages."""

    def __init__(self, venue: str, hub: SocketHub, menu: FaultMenu, coding: Coding) -> None:
        self._venue, self._hub, self._menu, self._coding = venue, hub, menu, coding
        self._late: set[asyncio.TimerHandle] = set()

    def publish(self, stream: str, payload: bytes, shown: str | None = None) -> None:
        """One message, unless a fault strikes it; `shown` is the name that faults know the stream by."""
        fault = None
        if self._menu.has_stream_faults:
            fault = self._menu.on_message(self._venue, shown or stream)
        if fault is None:
            self._send(stream, payload)
        elif fault.kind is FaultKind.LATE:
            self._later(fault.seconds, stream, payload)
        elif fault.kind in (FaultKind.DROP_SOCKET, FaultKind.SILENT_SOCKET):
            for client in self._hub.subscribers(stream):
                if fault.kind is FaultKind.SILENT_SOCKET:
                    client.is_silent = True
                else:
                    client.abort()
        else:
            for message in self._struck(fault, payload):
                self._send(stream, message)

    def close(self) -> None:
        """Forgets what was to be sent later."""
        for timer in self._late:
            timer.cancel()

    def _struck(self, fault: Fault, payload: bytes) -> Iterator[bytes]:
        """What is sent at once instead of the message; nothing for one that is left out."""
        if fault.kind is FaultKind.DUPLICATE:
            yield payload
            yield payload
        elif fault.kind is FaultKind.GARBLED:
            yield payload[: len(payload) // 2]
        elif fault.kind is FaultKind.HUGE:
            yield self._coding.filled_up(payload, min(fault.size, MOST_KILOBYTES) * KILOBYTE)
        elif fault.kind is FaultKind.ABSURD:
            yield self._coding.absurd(payload)
        else:
            assert fault.kind is FaultKind.SEQUENCE_GAP

    def _send(self, stream: str, payload: bytes) -> None:
        self._hub.publish(stream, payload, self._coding.framing)

    def _later(self, seconds: float, stream: str, payload: bytes) -> None:
        def send() -> None:
            self._late.discard(timer)
            self._send(stream, payload)
            self._hub.flush()

        timer = asyncio.get_running_loop().call_later(seconds, send)
        self._late.add(timer)
