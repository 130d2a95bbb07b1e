"""Position groups of all sessions or one."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query

from workstation.client.control import Control
from workstation.client.messages import GroupView
from workstation.server.routes.access import PROTECTED
from workstation.server.routes.queries import OfSession


def groups_router(control: Control) -> APIRouter:
    router = APIRouter(prefix="/groups", tags=["groups"], **PROTECTED)

    @router.get("", operation_id="list_groups", summary="Position groups")
    async def list_groups(query: Annotated[OfSession, Query()]) -> Sequence[GroupView]:
        return control.groups(query.session)

    return router
