"""A call by WebSocket, answered once: the answer, or what the fault menu does to it."""

from collections.abc import Callable
from typing import Any

import msgspec

from workstation.simulator.faults import FaultKind
from workstation.simulator.socket_hub import Client
from workstation.simulator.wire import WireParts


def answer_call(parts: WireParts, client: Client, name: str, answer: Callable[[bool], Any]) -> None:
    """Faults know the call by `name`, its method is WS. `answer` is told whether what is asked for is not there yet."""
    fault = parts.menu.on_request(parts.exchange.venue, "WS", name)
    kind = None if fault is None else fault.kind
    if kind is FaultKind.TIMEOUT_BEFORE:
        return
    if kind is FaultKind.RESET_BEFORE:
        client.abort()
        return
    message = answer(kind is FaultKind.NOT_FOUND)
    if kind is FaultKind.RESET_AFTER:
        client.abort()
    elif kind is not FaultKind.TIMEOUT_AFTER:
        parts.hub.answer(client, msgspec.json.encode(message))
