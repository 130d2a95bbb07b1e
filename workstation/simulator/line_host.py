"""Answers by HTTP that go on, line by line, until either side ends them."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from aiohttp import web

from workstation.simulator.hosted_venue import HostedVenue
from workstation.simulator.socket_hub import Client, line_chunk

LOOK_S = 0.02
LAST_CHUNK = b"0\r\n\r\n"


class LineStream(NamedTuple):
    """`opened` is told of the client whose lines begin."""

    opened: Callable[[Client], None]


async def run_lines(request: web.Request, venue: HostedVenue, stream: LineStream) -> web.StreamResponse:
    """Serves the stream until its connection has ended."""
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    transport = request.transport
    if not isinstance(transport, asyncio.Transport):
        return response

    async def end() -> None:
        transport.write(LAST_CHUNK)
        transport.close()

    client = Client(venue.exchange.venue, transport, end, framing=line_chunk)
    venue.hub.add(client)
    stream.opened(client)
    try:
        while not transport.is_closing():
            await asyncio.sleep(LOOK_S)
    finally:
        venue.hub.remove(client)
    return response
