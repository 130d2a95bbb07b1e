"""Orders of all sessions or one; and by hand: place one, cancel one that waits."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query

from workstation.client.control import Control
from workstation.client.messages import OrderView
from workstation.client.ticket import OrderTicket
from workstation.errors import OrderRefused
from workstation.server.routes.access import NOBODY, PROTECTED, By
from workstation.server.routes.queries import OfOrders

Named = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,60}$", description="The order's client_order_id")]


def orders_router(control: Control) -> APIRouter:
    router = APIRouter(prefix="/orders", tags=["orders"], **PROTECTED)

    @router.get("", operation_id="list_orders", summary="Orders, open and final")
    async def list_orders(query: Annotated[OfOrders, Query()]) -> Sequence[OrderView]:
        return control.orders(query.session, open_only=query.open_only, limit=query.limit, after=query.after)

    @router.post("", operation_id="place_order", summary="An order by hand; 409 where risk refuses it", status_code=201)
    async def place_order(ticket: OrderTicket, by: By = NOBODY) -> OrderView:
        placed = await control.place_order(ticket, by)
        if placed.refusal is not None:
            raise OrderRefused(f"{ticket.side} {ticket.symbol}: {placed.refusal.sentence}", placed.refusal.model_dump())
        assert placed.order is not None
        return placed.order

    @router.delete("/{order}", operation_id="cancel_order", summary="Give up an entry that waits")
    async def cancel_order(order: Named, by: By = NOBODY) -> OrderView:
        return await control.cancel_order(order, by)

    return router
