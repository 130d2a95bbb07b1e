"""Signals of all sessions or one."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query

from workstation.client.control import Control
from workstation.client.messages import SignalView
from workstation.server.routes.access import PROTECTED
from workstation.server.routes.queries import Page


def signals_router(control: Control) -> APIRouter:
    router = APIRouter(prefix="/signals", tags=["signals"], **PROTECTED)

    @router.get("", operation_id="list_signals", summary="Signals, and why some were refused")
    async def list_signals(query: Annotated[Page, Query()]) -> Sequence[SignalView]:
        return control.signals(query.session, limit=query.limit, after=query.after)

    return router
