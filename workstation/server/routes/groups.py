"""Position groups of all sessions or one; and by hand: close one."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query

from workstation.client.control import Control
from workstation.client.declaration import Message, SessionName
from workstation.client.messages import GroupView
from workstation.server.routes.access import NOBODY, PROTECTED, By
from workstation.server.routes.queries import OfSession

Named = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,60}$", description="The group's name, such as g7")]


class CloseGroup(Message):
    session: SessionName | None = None
    """Needed where several sessions have an open group of that name."""


def groups_router(control: Control) -> APIRouter:
    router = APIRouter(prefix="/groups", tags=["groups"], **PROTECTED)

    @router.get("", operation_id="list_groups", summary="Position groups")
    async def list_groups(query: Annotated[OfSession, Query()]) -> Sequence[GroupView]:
        return control.groups(query.session)

    @router.post("/{group}/close", operation_id="close_group", summary="Close a group at the market")
    async def close_group(
        group: Named, close: Annotated[CloseGroup | None, Body()] = None, by: By = NOBODY
    ) -> GroupView:
        return await control.close_group(group, by, None if close is None else close.session)

    return router
