"""Bars of one instrument: closed ones as columns, and the one in the making."""

from typing import Annotated

from fastapi import APIRouter, Query

from workstation.client.control import Control
from workstation.client.messages import BarsView
from workstation.server.routes.access import PROTECTED
from workstation.server.routes.queries import OfBars


def bars_router(control: Control) -> APIRouter:
    router = APIRouter(prefix="/bars", tags=["market"], **PROTECTED)

    @router.get("", operation_id="get_bars", summary="Closed bars, and the one in the making")
    async def get_bars(query: Annotated[OfBars, Query()]) -> BarsView:
        return await control.bars(query.venue, query.symbol, query.interval, query.limit)

    return router
