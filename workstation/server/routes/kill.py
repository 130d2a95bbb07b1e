"""The kill switch: how it stands, on, and lifted by the typed word."""

from fastapi import APIRouter

from workstation.client.control import Control
from workstation.client.kill import KillOrder, KillReset, KillView
from workstation.server.routes.access import NOBODY, PROTECTED, By

EVERY_SESSION = KillOrder()


def kill_router(control: Control) -> APIRouter:
    router = APIRouter(prefix="/kill", tags=["kill switch"], **PROTECTED)

    @router.get("", operation_id="get_kill", summary="Whether the kill switch is on, and for whom")
    async def get_kill() -> KillView:
        return control.kill_state()

    @router.post("", operation_id="kill", summary="Nothing is opened any more, until it is lifted")
    async def kill(order: KillOrder = EVERY_SESSION, by: By = NOBODY) -> KillView:
        return await control.kill(order, by)

    @router.delete("", operation_id="lift_kill", summary='Lift it; "confirm" is the word "reset"')
    async def lift_kill(reset: KillReset, by: By = NOBODY) -> KillView:
        return await control.lift_kill(reset, by)

    return router
