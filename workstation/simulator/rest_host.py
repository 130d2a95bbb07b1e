"""One REST request to a simulated venue: its answer, or what the fault menu does to it."""

import asyncio
import socket
import struct
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from workstation.simulator.faults import Fault, FaultKind, FaultMenu
from workstation.simulator.hosted_venue import HostedVenue
from workstation.simulator.line_host import LineStream, run_lines
from workstation.simulator.wire import Answer, WireError, WireRequest

HANG_STEP_S = 0.02
HANG_MOST_S = 120.0
PROXY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
REFUSED_BEFORE = frozenset({FaultKind.BUSY_503, FaultKind.RATE_429, FaultKind.BAN_418, FaultKind.NOT_FOUND})
"""The answers of a venue that did nothing."""


class RestHost:
    """Answers one request."""

    def __init__(self, venue: HostedVenue, menu: FaultMenu, advance: Callable[[], None], wall_ns: int) -> None:
        self._venue = venue
        self._menu = menu
        self._advance = advance
        self._wall_ns = wall_ns

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The venue's answer."""
        asked = WireRequest(
            method=request.method,
            path="/" + request.match_info["path"],
            query=request.rel_url.raw_query_string,
            body=(await request.read()).decode("utf-8", errors="replace"),
            headers={name.lower(): value for name, value in request.headers.items()},
            wall_ns=self._wall_ns,
        )
        fault = self._menu.on_request(self._venue.exchange.venue, asked.method, asked.path)
        answer = await self._done(asked) if fault is None else await self._struck(fault, asked, request)
        return await run_lines(request, self._venue, answer) if isinstance(answer, LineStream) else answer

    async def _done(self, asked: WireRequest) -> web.Response | LineStream:
        self._advance()
        wire = self._venue.wire
        try:
            found = await asyncio.to_thread(wire.answer, asked) if wire.is_slow(asked) else wire.answer(asked)
        except WireError as error:
            return _refusal(error)
        if isinstance(found, LineStream):
            return found
        return _json(*found) if isinstance(found, Answer) else _json(found)

    async def _struck(self, fault: Fault, asked: WireRequest, request: web.Request) -> web.Response | LineStream:
        if fault.kind in REFUSED_BEFORE:
            return _refusal(self._venue.wire.in_place(fault.kind, fault.seconds, asked))
        if fault.kind is FaultKind.TIMEOUT_BEFORE:
            return await _hang(request)
        if fault.kind is FaultKind.RESET_BEFORE:
            return _reset(request)
        if fault.kind in (FaultKind.LATE_ACCEPT, FaultKind.LATENCY):
            is_late = fault.kind is FaultKind.LATE_ACCEPT
            if is_late:
                await asyncio.sleep(fault.seconds)
            answer = await self._done(asked)
            if not is_late:
                await asyncio.sleep(fault.seconds)
            return answer
        answer = await self._done(asked)
        if fault.kind is FaultKind.TIMEOUT_AFTER:
            return await _hang(request)
        if fault.kind is FaultKind.RESET_AFTER:
            return _reset(request)
        if fault.kind is FaultKind.HTML_502:
            return web.Response(status=502, text=PROXY_PAGE, content_type="text/html")
        if fault.kind is FaultKind.UNKNOWN_504:
            return _refusal(self._venue.wire.in_place(fault.kind, fault.seconds, asked))
        text = "" if isinstance(answer, LineStream) else answer.text or ""
        broken = text[: len(text) // 2] if fault.kind is FaultKind.TRUNCATED else "<!> " + text
        return web.Response(text=broken, content_type="application/json")


def _json(content: Any, headers: Mapping[str, str] | None = None, status: int = 200) -> web.Response:
    text = msgspec.json.encode(content).decode()
    return web.Response(text=text, status=status, content_type="application/json", headers=headers)


def _refusal(error: WireError) -> web.Response:
    if isinstance(error.content, str):
        is_page = error.content.startswith("<")
        kind = "text/html" if is_page else "text/plain"
        return web.Response(text=error.content, status=error.status, content_type=kind, headers=error.headers)
    return _json(error.content, error.headers, error.status)


async def _hang(request: web.Request) -> web.Response:
    """No answer until the client has gone."""
    waited_s = 0.0
    while request.transport is not None and not request.transport.is_closing() and waited_s < HANG_MOST_S:
        await asyncio.sleep(HANG_STEP_S)
        waited_s += HANG_STEP_S
    return _reset(request)


def _reset(request: web.Request) -> web.Response:
    """Ends the connection with a TCP reset; what is returned reaches nobody."""
    transport = request.transport
    if isinstance(transport, asyncio.Transport):
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response(status=500)
