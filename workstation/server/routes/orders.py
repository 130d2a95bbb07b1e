"""Orders of all sessions or one."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query

from workstation.client.control import Control
from workstation.client.messages import OrderView
from workstation.server.routes.access import PROTECTED
from workstation.server.routes.queries import OfOrders


def orders_router(control: Control) -> APIRouter:
    router = APIRouter(prefix="/orders", tags=["orders"], **PROTECTED)

    @router.get("", operation_id="list_orders", summary="Orders, open and final")
    async def list_orders(query: Annotated[OfOrders, Query()]) -> Sequence[OrderView]:
        return control.orders(query.session, open_only=query.open_only, limit=query.limit, after=query.after)

    return router
