"""Is it well: in one word for anybody, in full for who shows the token; and figures for monitors."""

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from workstation.client.control import Control
from workstation.client.declaration import Message
from workstation.client.messages import Health
from workstation.server.metrics import EngineMetrics
from workstation.server.routes.access import PLAIN_PROBLEMS, PROTECTED


class Status(Message):
    """`troubled`: it runs, and something is wrong; the details say what."""

    status: Literal["well", "troubled"]


def health_router(control: Control, metrics: EngineMetrics) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/health", operation_id="health_status", summary="Whether the engine runs and is well")
    async def health_status() -> Status:
        return Status(status="troubled" if control.health().problems else "well")

    @router.get(
        "/health/details", operation_id="health", summary="What the engine does, and what is wrong", **PROTECTED
    )
    async def health() -> Health:
        return control.health()

    @router.get(
        "/metrics",
        operation_id="metrics",
        summary="Counters and gauges in Prometheus' text format",
        response_class=PlainTextResponse,
        dependencies=PROTECTED["dependencies"],
        responses=PLAIN_PROBLEMS,
    )
    async def figures() -> PlainTextResponse:
        return PlainTextResponse(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return router
