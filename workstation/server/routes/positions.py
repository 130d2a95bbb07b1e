"""Positions of all sessions or one; and by hand: close one."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query

from workstation.client.control import Control
from workstation.client.declaration import Message, SessionName, Word
from workstation.client.messages import GroupView, PositionView
from workstation.server.routes.access import NOBODY, PROTECTED, By
from workstation.server.routes.queries import OfSession


class ClosePosition(Message):
    session: SessionName
    venue: Word
    symbol: Word


def positions_router(control: Control) -> APIRouter:
    router = APIRouter(prefix="/positions", tags=["positions"], **PROTECTED)

    @router.get("", operation_id="list_positions", summary="Positions, with marks where there are quotes")
    async def list_positions(query: Annotated[OfSession, Query()]) -> Sequence[PositionView]:
        return control.positions(query.session)

    @router.post("/close", operation_id="close_position", summary="Close every group with a leg there, at the market")
    async def close_position(close: ClosePosition, by: By = NOBODY) -> Sequence[GroupView]:
        return await control.close_position(close.session, close.venue, close.symbol, by)

    return router
