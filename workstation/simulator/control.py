"""`/_control` of the simulated exchanges: faults, and what drills and tests do to a venue by hand. Loopback only."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web

from workstation.errors import BadInput
from workstation.simulator.faults import FaultKind, FaultMenu, parse_fault
from workstation.simulator.hosted_venue import HostedVenue, number_of
from workstation.simulator.refusals import Refused

Answer = Callable[[Mapping[str, Any]], Any]


class Control:
    """What can be asked by POST: each takes a JSON object."""

    def __init__(self, venues: Mapping[str, HostedVenue], menu: FaultMenu) -> None:
        self._venues = venues
        self._menu = menu

    def add_fault(self, fields: Mapping[str, Any]) -> Any:
        """A fault for the menu; a burst strikes at once."""
        fault = parse_fault(fields)
        if fault.kind is FaultKind.BURST:
            for name in [fault.venue] if fault.venue != "*" else list(self._venues):
                self._venue({"venue": name}).burst(fault.market, fault.size)
            return {"number": None}
        return {"number": self._menu.add(fault)}

    def place_levels(self, fields: Mapping[str, Any]) -> Any:
        """{venue, market, bids, asks}: shows these [price, quantity] levels; an empty list: the market's again."""
        venue = self._venue(fields)
        venue.place_levels(str(fields.get("market")), _levels(fields, "bids"), _levels(fields, "asks"))
        return {}

    def fill(self, fields: Mapping[str, Any]) -> Any:
        """{venue, orderId or clientOrderId, quantity}: fills an open order at its price."""
        order = self._venue(fields).fill(fields)
        return {"orderId": order.order_id, "status": order.status}

    async def kick(self, fields: Mapping[str, Any]) -> Any:
        """{venue}: closes its sockets with code 1001."""
        clients = list(self._venue(fields).hub)
        for client in clients:
            await client.close()
        return {"closed": len(clients)}

    def _venue(self, fields: Mapping[str, Any]) -> HostedVenue:
        found = self._venues.get(str(fields.get("venue")))
        if found is None:
            raise BadInput(f"venue {fields.get('venue')!r}: expected one of {', '.join(self._venues)}")
        return found


def control_routes(
    venues: Mapping[str, HostedVenue], menu: FaultMenu, advance: Callable[[], None]
) -> list[web.RouteDef]:
    """The routes below /_control."""
    control = Control(venues, menu)

    def posted(answer: Answer) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.Response:
            try:
                fields = _decoded(await request.read())
                advance()
                return web.json_response(answer(fields))
            except (BadInput, Refused) as error:
                return web.json_response({"error": str(error)}, status=400)

        return handle

    async def kick(request: web.Request) -> web.Response:
        try:
            return web.json_response(await control.kick(_decoded(await request.read())))
        except BadInput as error:
            return web.json_response({"error": str(error)}, status=400)

    async def listed(request: web.Request) -> web.Response:
        return web.json_response(menu.listed())

    async def clear(request: web.Request) -> web.Response:
        menu.clear()
        return web.json_response([])

    return [
        web.get("/_control/faults", listed),
        web.post("/_control/faults", posted(control.add_fault)),
        web.delete("/_control/faults", clear),
        web.post("/_control/book", posted(control.place_levels)),
        web.post("/_control/fill", posted(control.fill)),
        web.post("/_control/kick", kick),
    ]


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadInput(f"{error}: expected a JSON object") from None


def _levels(fields: Mapping[str, Any], side: str) -> list[tuple[Decimal, Decimal]]:
    given = fields.get(side, [])
    if not isinstance(given, list) or not all(isinstance(level, list) and len(level) == 2 for level in given):
        raise BadInput(f"{side} {given!r:.200}: expected a list of [price, quantity]")
    return [(number_of(price, f"{side} price"), number_of(quantity, f"{side} quantity")) for price, quantity in given]
