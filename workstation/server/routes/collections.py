"""Collections: what is recorded on request; which there are, one in full, and start, stop."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path

from workstation.client.collection import CollectionDetail, CollectionRequest, CollectionView
from workstation.client.control import Control
from workstation.history.collection import COLLECTION_NAME
from workstation.server.routes.access import NOBODY, PROTECTED, By

Named = Annotated[str, Path(pattern=COLLECTION_NAME.pattern, max_length=60, description="The collection's name")]


def collections_router(control: Control) -> APIRouter:
    router = APIRouter(prefix="/collections", tags=["collections"], **PROTECTED)

    @router.get("", operation_id="list_collections", summary="All collections, those that ended too")
    async def list_collections() -> Sequence[CollectionView]:
        return control.collections()

    @router.post("", operation_id="start_collection", summary="Record venues and symbols, for a time", status_code=201)
    async def start_collection(request: CollectionRequest, by: By = NOBODY) -> CollectionView:
        return await control.start_collection(request, by)

    @router.get("/{name}", operation_id="get_collection", summary="One collection, with its series and gaps")
    async def get_collection(name: Named) -> CollectionDetail:
        return control.collection(name)

    @router.post("/{name}/stop", operation_id="stop_collection", summary="End a collection; its rows stay")
    async def stop_collection(name: Named, by: By = NOBODY) -> CollectionView:
        return await control.stop_collection(name, by)

    return router
