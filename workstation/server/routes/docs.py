"""The operations on a page, for a person without internet; the whole description is /openapi.json."""

from html import escape

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>workstation: API</title>
<style>body {{ font: 16px/1.5 system-ui; margin: 2rem auto; max-width: 48rem }} td {{ padding: 0 2rem .3rem 0 }}</style>
<h1>API</h1><p>Show the token of the file <code>api_token</code>: <code>Authorization: Bearer …</code>. Generators of
clients read <a href="/openapi.json">/openapi.json</a>; events come over the WebSocket <code>/stream</code>.</p>
<table>{rows}</table></html>"""


def docs_router(app: FastAPI) -> APIRouter:
    router = APIRouter()

    @router.get("/docs", include_in_schema=False)
    async def operations() -> HTMLResponse:
        rows = "".join(
            f"<tr><td><code>{escape(method.upper())} {escape(path)}</code><td>{escape(operation['summary'])}"
            for path, methods in app.openapi()["paths"].items()
            for method, operation in methods.items()
        )
        return HTMLResponse(PAGE.format(rows=rows))

    return router
