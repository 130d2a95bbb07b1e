"""Spreads between venues, as of now."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query

from workstation.client.control import Control
from workstation.client.messages import SpreadView
from workstation.server.routes.access import PROTECTED
from workstation.server.routes.queries import OfSymbol


def spreads_router(control: Control) -> APIRouter:
    router = APIRouter(prefix="/spreads", tags=["spreads"], **PROTECTED)

    @router.get("", operation_id="list_spreads", summary="Spreads between venues")
    async def list_spreads(query: Annotated[OfSymbol, Query()]) -> Sequence[SpreadView]:
        return control.spreads(query.symbol)

    return router
