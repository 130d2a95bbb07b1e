"""Spreads between venues as of now, and what they have left to take."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query

from workstation.client.control import Control
from workstation.client.messages import OpportunityView, SpreadView
from workstation.server.routes.access import PROTECTED
from workstation.server.routes.queries import OfOpportunities, OfSymbol


def spreads_router(control: Control) -> APIRouter:
    router = APIRouter(tags=["spreads"], **PROTECTED)

    @router.get("/spreads", operation_id="list_spreads", summary="Spreads between venues")
    async def list_spreads(query: Annotated[OfSymbol, Query()]) -> Sequence[SpreadView]:
        return control.spreads(query.symbol)

    @router.get("/opportunities", operation_id="list_opportunities", summary="When crossing two venues would have paid")
    async def list_opportunities(query: Annotated[OfOpportunities, Query()]) -> Sequence[OpportunityView]:
        return control.opportunities(query.symbol, limit=query.limit)

    return router
