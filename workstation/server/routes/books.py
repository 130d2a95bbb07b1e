"""The order book of one instrument, as of its last change."""

from typing import Annotated

from fastapi import APIRouter, Query

from workstation.client.control import Control
from workstation.client.messages import BookView
from workstation.server.routes.access import PROTECTED
from workstation.server.routes.queries import OfInstrument


def books_router(control: Control) -> APIRouter:
    router = APIRouter(prefix="/books", tags=["market"], **PROTECTED)

    @router.get("", operation_id="get_book", summary="The order book, to the depth that is watched")
    async def get_book(query: Annotated[OfInstrument, Query()]) -> BookView:
        return control.book(query.venue, query.symbol)

    return router
