"""One REST request to a simulated venue: its answer, or what the fault menu does to it."""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from workstation.simulator.binance_auth import signed_text
from workstation.simulator.binance_errors import BUSY, NO_SUCH_ORDER, TOO_MANY, UNKNOWN_STATUS, ApiError
from workstation.simulator.binance_venue import ApiRequest, BinanceVenue
from workstation.simulator.faults import Fault, FaultKind, FaultMenu

HANG_STEP_S = 0.02
HANG_MOST_S = 120.0
PROXY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
IN_THREAD = frozenset({"/api/v3/klines"})
"""Years of candles take longer than the event loop may wait."""


class RestHost:
    """Answers one request."""

    def __init__(self, venue: BinanceVenue, menu: FaultMenu, advance: Callable[[], None], wall_ns: int) -> None:
        self._venue = venue
        self._menu = menu
        self._advance = advance
        self._wall_ns = wall_ns

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The venue's answer."""
        body = (await request.read()).decode("utf-8", errors="replace")
        path = "/" + request.match_info["path"]
        parameters = dict(parse_qsl(request.query_string, keep_blank_values=True))
        parameters |= dict(parse_qsl(body, keep_blank_values=True))
        asked = ApiRequest(
            method=request.method,
            path=path,
            parameters=parameters,
            signed=signed_text(request.rel_url.raw_query_string, body),
            api_key=request.headers.get("X-MBX-APIKEY"),
            wall_ns=self._wall_ns,
        )
        fault = self._menu.on_request(self._venue.exchange.venue, request.method, path)
        if fault is None:
            return await self._done(asked)
        return await self._struck(fault, asked, request)

    async def _done(self, asked: ApiRequest) -> web.Response:
        self._advance()
        try:
            if asked.path in IN_THREAD:
                return _json(await asyncio.to_thread(self._venue.answer, asked))
            return _json(self._venue.answer(asked))
        except ApiError as error:
            return _refusal(error)

    async def _struck(self, fault: Fault, asked: ApiRequest, request: web.Request) -> web.StreamResponse:
        refusal = _refused_before(fault)
        if refusal is not None:
            return refusal
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
            return _refusal(ApiError(*UNKNOWN_STATUS))
        text = answer.text or ""
        broken = text[: len(text) // 2] if fault.kind is FaultKind.TRUNCATED else "<!> " + text
        return web.Response(text=broken, content_type="application/json")


def _refused_before(fault: Fault) -> web.Response | None:
    """The answer of a venue that did nothing."""
    if fault.kind is FaultKind.BUSY_503:
        return _refusal(ApiError(*BUSY))
    if fault.kind in (FaultKind.RATE_429, FaultKind.BAN_418):
        status = 429 if fault.kind is FaultKind.RATE_429 else 418
        return _refusal(ApiError(-1003, TOO_MANY, status, fault.seconds))
    if fault.kind is FaultKind.NOT_FOUND:
        return _refusal(ApiError(*NO_SUCH_ORDER))
    return None


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    text = msgspec.json.encode(content).decode()
    return web.Response(text=text, status=status, content_type="application/json", headers=headers)


def _refusal(error: ApiError) -> web.Response:
    headers = None if error.retry_after_s is None else {"Retry-After": str(max(round(error.retry_after_s), 1))}
    return _json(error.body(), error.status, headers)


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
