"""The application: Control's words as REST, the event stream, and a guard before both."""

import time
from collections.abc import Callable, Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import WebSocketRoute

from workstation import __version__
from workstation.client.control import Control
from workstation.client.problem import Problem
from workstation.engine.bus import Bus
from workstation.errors import WorkstationError
from workstation.server.guard import HEADERS, Guard
from workstation.server.metrics import EngineMetrics
from workstation.server.problems import FORM, problem_of, problem_of_details, status_of, written
from workstation.server.routes.bars import bars_router
from workstation.server.routes.books import books_router
from workstation.server.routes.collections import collections_router
from workstation.server.routes.docs import docs_router
from workstation.server.routes.feeds import feeds_router
from workstation.server.routes.groups import groups_router
from workstation.server.routes.health import health_router
from workstation.server.routes.instruments import instruments_router
from workstation.server.routes.jobs import jobs_router
from workstation.server.routes.kill import kill_router
from workstation.server.routes.orders import orders_router
from workstation.server.routes.positions import positions_router
from workstation.server.routes.quotes import quotes_router
from workstation.server.routes.sessions import sessions_router
from workstation.server.routes.signals import signals_router
from workstation.server.routes.spreads import spreads_router
from workstation.server.settings import ServerSettings
from workstation.server.stream import Stream

INTERNAL = "something went wrong inside the engine; its log says what"


def create_app(
    control: Control,
    bus: Bus,
    token: str,
    settings: ServerSettings | None = None,
    now_s: Callable[[], float] = time.monotonic,
) -> FastAPI:
    """All handlers run in the caller's event loop and ask `control` directly; `now_s` paces limits and stalls."""
    settings = settings or ServerSettings()
    app = FastAPI(title="workstation", version=__version__, docs_url=None, redoc_url=None)
    stream = Stream(bus, token, settings, str(control.health().started_ns), now_s)
    metrics = EngineMetrics(control, bus, stream)
    app.include_router(health_router(control, metrics))
    for router in (sessions_router, orders_router, positions_router, groups_router, signals_router, spreads_router):
        app.include_router(router(control))
    for router in (quotes_router, bars_router, books_router, instruments_router, feeds_router):
        app.include_router(router(control))
    app.include_router(kill_router(control))
    app.include_router(jobs_router(control))
    app.include_router(collections_router(control))
    app.include_router(docs_router(app))
    app.router.routes.append(WebSocketRoute("/stream", stream))
    _answer_errors(app)
    app.add_middleware(Guard, token=token, settings=settings, now_s=now_s, on_refused=metrics.count_refusal)
    return app


def _answer_errors(app: FastAPI) -> None:
    async def refused(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, WorkstationError)
        status = status_of(error)
        return _answer(status, problem_of(error), {"Retry-After": "1"} if status == 503 else None)

    async def misformed(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return _answer(FORM, problem_of_details(error.errors()))

    async def not_served(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        what = written(f"{request.method} {request.url.path}: {error.detail}")
        headers = None if error.headers is None else dict(error.headers)
        return _answer(error.status_code, Problem(error=what, kind="BadInput"), headers)

    async def failed(_: Request, error: Exception) -> JSONResponse:
        return _answer(
            500, Problem(error=INTERNAL, kind="WorkstationError"), HEADERS
        )  # it is answered outside the guard

    app.add_exception_handler(WorkstationError, refused)
    app.add_exception_handler(RequestValidationError, misformed)
    app.add_exception_handler(HTTPException, not_served)
    app.add_exception_handler(Exception, failed)


def _answer(status: int, problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(problem.model_dump(), status, headers)
