"""Sessions: which there are, one in full, and start, pause, resume, stop."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Body, Path
from pydantic import Field

from workstation.client.control import Control
from workstation.client.declaration import SESSION_NAME, Message, SessionDeclaration
from workstation.client.messages import SessionDetail, SessionSummary
from workstation.client.now import SessionNow
from workstation.server.routes.access import NOBODY, PROTECTED, By

Named = Annotated[str, Path(pattern=SESSION_NAME.pattern, max_length=60, description="The session's name")]


class Pause(Message):
    reason: Annotated[str, Field(max_length=200)] = ""


class Stop(Message):
    flatten: bool = False
    """Close what is open at the market, instead of leaving it to its stops and targets."""


def sessions_router(control: Control) -> APIRouter:
    router = APIRouter(prefix="/sessions", tags=["sessions"], **PROTECTED)

    @router.get("", operation_id="list_sessions", summary="All sessions")
    async def list_sessions() -> Sequence[SessionSummary]:
        return control.sessions()

    @router.post(
        "", operation_id="start_session", summary="Start a session, or go on with its journal", status_code=201
    )
    async def start_session(declaration: SessionDeclaration, by: By = NOBODY) -> SessionSummary:
        return await control.start_session(declaration, by)

    @router.get("/{session}", operation_id="get_session", summary="One session in full")
    async def get_session(session: Named) -> SessionDetail:
        return control.session(session)

    @router.get("/{session}/now", operation_id="session_now", summary="What it holds, waits for, and is held back by")
    async def session_now(session: Named) -> SessionNow:
        return control.session_now(session)

    @router.post("/{session}/pause", operation_id="pause_session", summary="No entries; what is open is watched")
    async def pause_session(
        session: Named, pause: Annotated[Pause | None, Body()] = None, by: By = NOBODY
    ) -> SessionSummary:
        return await control.pause_session(session, by, "" if pause is None else pause.reason)

    @router.post("/{session}/resume", operation_id="resume_session", summary="Entries again")
    async def resume_session(session: Named, by: By = NOBODY) -> SessionSummary:
        return await control.resume_session(session, by)

    @router.post("/{session}/stop", operation_id="stop_session", summary="End a session")
    async def stop_session(
        session: Named, stop: Annotated[Stop | None, Body()] = None, by: By = NOBODY
    ) -> SessionSummary:
        return await control.stop_session(session, by, flatten=stop is not None and stop.flatten)

    return router
