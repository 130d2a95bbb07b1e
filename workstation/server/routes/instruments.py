"""The instruments that the engine watches, with their rules."""

from collections.abc import Sequence

from fastapi import APIRouter

from workstation.client.control import Control
from workstation.client.messages import InstrumentView
from workstation.server.routes.access import PROTECTED


def instruments_router(control: Control) -> APIRouter:
    router = APIRouter(prefix="/instruments", tags=["market"], **PROTECTED)

    @router.get("", operation_id="list_instruments", summary="What is watched, and by which rules it is traded")
    async def list_instruments() -> Sequence[InstrumentView]:
        return control.instruments()

    return router
