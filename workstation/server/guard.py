"""The gate before every route and the stream: host, origin, rate, token, body; and headers on every answer.

A browser page of a stranger reaches loopback too: by a name that is rebound to it (Host tells), or by a request that is
sent whatever the answer (Origin tells, and the token is in no cookie).
"""

import math
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workstation.client.problem import Problem
from workstation.errors import AccessRefused, BadInput, RetryError
from workstation.server.auth import LOOPBACK, bearer_of, is_same_token
from workstation.server.body import BodyRefused, read_body, replay
from workstation.server.rates import RateLimit
from workstation.server.settings import ServerSettings

OPEN = frozenset({"/health", "/openapi.json", "/docs"})
"""What answers without a token; /health then says little."""
READS = frozenset({"GET", "HEAD"})
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Refusal(Exception):
    """An answer instead of the route's."""

    def __init__(self, status: int, problem: Problem, headers: dict[str, str] | None = None) -> None:
        super().__init__(problem.error)
        self.status, self.problem, self.headers = status, problem, headers or {}


class Guard:
    """Pure ASGI around the application; `now_s` is any clock that goes forward."""

    def __init__(
        self,
        app: ASGIApp,
        token: str,
        settings: ServerSettings,
        now_s: Callable[[], float],
        on_refused: Callable[[], None],
    ) -> None:
        self._app, self._token, self._settings, self._now_s = app, token, settings, now_s
        self._on_refused = on_refused
        self._hosts = LOOPBACK | {host.lower() for host in settings.hosts}
        self._rates, self._stranger_rates = RateLimit(settings.rate), RateLimit(settings.stranger_rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        answer = send if scope["type"] == "websocket" else _with_headers(send)
        headers = Headers(scope=scope)
        try:
            self._check(scope, headers)
            if scope["type"] == "http":
                body = await read_body(receive, headers.get("content-length"), self._settings)
                receive = replay(body, receive)
        except Refusal as refusal:
            self._on_refused()
            await _answered(refusal)(scope, receive, answer)
        except BodyRefused as error:
            self._on_refused()
            refused = Refusal(error.status, _problem(BadInput, str(error)), {"Connection": "close"})
            await _answered(refused)(scope, receive, answer)
        except ClientDisconnect:
            return
        else:
            await self._app(scope, receive, answer)

    def _check(self, scope: Scope, headers: Headers) -> None:
        is_http = scope["type"] == "http"
        host = self._checked_host(headers)
        if not is_http or scope["method"] not in READS:
            self._check_origin(headers, host)
        shown = bearer_of(headers)
        is_known = shown is not None and is_same_token(shown, self._token)
        client = scope["client"][0] if scope.get("client") else ""
        wait_s = (self._rates if is_known else self._stranger_rates).wait_s(client, self._now_s())
        if wait_s:
            seconds = str(math.ceil(wait_s))
            problem = _problem(RetryError, f"too many requests: expected the next one in {seconds} s")
            raise Refusal(429, problem, {"Retry-After": seconds})
        if is_http and not is_known and scope["path"] not in OPEN:
            lacks = "no token" if shown is None else "the token is not this engine's"
            problem = _problem(AccessRefused, f"{lacks}: expected Authorization: Bearer and the text of api_token")
            raise Refusal(401, problem, {"WWW-Authenticate": "Bearer"})
        scope.setdefault("state", {})["is_known"] = is_known

    def _checked_host(self, headers: Headers) -> str:
        given = headers.getlist("host")
        if len(given) != 1 or _host_of(f"//{given[0]}") not in self._hosts:
            shown = ", ".join(given)[:100] or "nothing"
            problem = _problem(AccessRefused, f"Host = {shown}: expected {', '.join(sorted(self._hosts))}")
            raise Refusal(400, problem)
        return given[0].lower()

    def _check_origin(self, headers: Headers, host: str) -> None:
        for origin in headers.getlist("origin"):
            if origin not in self._settings.origins and origin.lower() not in (f"http://{host}", f"https://{host}"):
                problem = _problem(AccessRefused, f"Origin = {origin[:100]}: expected a page of this engine's own")
                raise Refusal(403, problem)


def _host_of(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _problem(cls: type[Exception], sentence: str) -> Problem:
    return Problem(error=sentence, kind=cls.__name__)


def _answered(refusal: Refusal) -> ASGIApp:
    return JSONResponse(refusal.problem.model_dump(), refusal.status, refusal.headers)


def _with_headers(send: Send) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return answer
