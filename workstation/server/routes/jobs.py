"""Jobs: replays, back-tests, downloads, each in its own process; which there are, one in full, and start, cancel."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path

from workstation.client.control import Control
from workstation.client.jobs import JOB_NAME, JobDetail, JobRequest, JobView
from workstation.server.routes.access import NOBODY, PROTECTED, By

Named = Annotated[str, Path(pattern=JOB_NAME.pattern, max_length=60, description="The job's name, such as replay-7")]


def jobs_router(control: Control) -> APIRouter:
    router = APIRouter(prefix="/jobs", tags=["jobs"], **PROTECTED)

    @router.get("", operation_id="list_jobs", summary="All jobs, oldest first")
    async def list_jobs() -> Sequence[JobView]:
        return control.jobs()

    @router.post("", operation_id="start_job", summary="Start a replay, a back-test or a download", status_code=201)
    async def start_job(request: JobRequest, by: By = NOBODY) -> JobView:
        return await control.start_job(request, by)

    @router.get("/{job}", operation_id="get_job", summary="One job, with what was asked for")
    async def get_job(job: Named) -> JobDetail:
        return control.job(job)

    @router.delete("/{job}", operation_id="cancel_job", summary="End a job; one that has ended stays as it is")
    async def cancel_job(job: Named, by: By = NOBODY) -> JobView:
        return await control.cancel_job(job, by)

    return router
