"""Quotes and last trades of all instruments or of one symbol, as of now."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query

from workstation.client.control import Control
from workstation.client.messages import QuoteView
from workstation.server.routes.access import PROTECTED
from workstation.server.routes.queries import OfSymbol


def quotes_router(control: Control) -> APIRouter:
    router = APIRouter(prefix="/quotes", tags=["market"], **PROTECTED)

    @router.get("", operation_id="list_quotes", summary="Best prices, last trades and minutes in the making")
    async def list_quotes(query: Annotated[OfSymbol, Query()]) -> Sequence[QuoteView]:
        return control.quotes(query.symbol)

    return router
