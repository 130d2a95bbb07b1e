"""Positions of all sessions or one."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query

from workstation.client.control import Control
from workstation.client.messages import PositionView
from workstation.server.routes.access import PROTECTED
from workstation.server.routes.queries import OfSession


def positions_router(control: Control) -> APIRouter:
    router = APIRouter(prefix="/positions", tags=["positions"], **PROTECTED)

    @router.get("", operation_id="list_positions", summary="Positions, with marks where there are quotes")
    async def list_positions(query: Annotated[OfSession, Query()]) -> Sequence[PositionView]:
        return control.positions(query.session)

    return router
