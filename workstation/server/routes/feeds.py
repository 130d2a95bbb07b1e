"""The connections to the venues, and a new attempt at one by hand."""

from collections.abc import Sequence

from fastapi import APIRouter

from workstation.client.control import Control
from workstation.client.messages import FeedView
from workstation.server.routes.access import NOBODY, PROTECTED, By


def feeds_router(control: Control) -> APIRouter:
    router = APIRouter(prefix="/feeds", tags=["market"], **PROTECTED)

    @router.get("", operation_id="list_feeds", summary="How the connection to each venue fares")
    async def list_feeds() -> Sequence[FeedView]:
        return control.health().feeds

    @router.post(
        "/{venue}/reset", operation_id="reset_feed", summary="Close its circuit breaker and try again now; a ban stays"
    )
    async def reset_feed(venue: str, by: By = NOBODY) -> FeedView:
        return await control.reset_feed(venue, by)

    return router
