"""The gate before every route of the dashboard: host, origin, login; and headers on every answer.

A browser page of a stranger reaches loopback too: by a name that is rebound to it (Host tells), or from another port of
this machine, which cookies do not tell apart (Origin and Sec-Fetch-Site do).
"""

from typing import Any
from urllib.parse import urlencode

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.routing import Matcher, Rule
from tornado.web import OutputTransform, RequestHandler

from workstation.dashboard.access import LOGIN, Access

OPEN = frozenset({"/login", "/logout", "/enter", "/liveness", "/favicon.ico"})
PROTECTED = "is_protected_by_workstation"
OPEN_BELOW = "/static/"
"""What the libraries bring, the same for everybody."""
CLOSED_BELOW = "/components"
"""A route of Panel's that imports the Python module which its address names. No page of ours asks for it."""
READS = frozenset({"GET", "HEAD"})
SESSION_NAMED = frozenset({"bokeh-session-id", "bokeh-token"})
"""Arguments by which a link could lead its reader into a page that its writer shares."""
OURS = frozenset({"same-origin", "none"})
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with "no-referrer", browsers send our own forms with Origin: null
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Bokeh's templates and Panel's components are compiled in the browser; whatever they do, nothing leaves for outside
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline' "
        "blob:; connect-src 'self' blob: data:; img-src 'self' data: blob:; font-src 'self' data:; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
}


class Guard(Matcher):
    """Matches what must not reach the routes, and says why. What passes has its login with it, or an open address."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        refusal = self._foreign(request) or self._unknown(request) or self._closed(request)
        return None if refusal is None else {"target_kwargs": refusal}

    def _foreign(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        given = request.headers.get_list("Host")
        if len(given) != 1 or given[0].lower() not in self._access.hosts:
            shown = ", ".join(given)[:100] or "nothing"
            return {"status": 400, "sentence": f"Host = {shown}: expected {', '.join(sorted(self._access.hosts))}"}
        origin = request.headers.get("Origin")
        is_ours = origin is not None and origin.lower() in (f"http://{given[0].lower()}", f"https://{given[0].lower()}")
        site = request.headers.get("Sec-Fetch-Site")
        is_navigation = request.headers.get("Sec-Fetch-Mode") == "navigate" and request.method in READS
        if is_websocket(request):
            is_refused = not is_ours  # a browser always names one
        elif request.method not in READS and origin is not None:
            is_refused = not is_ours
        else:
            is_refused = site is not None and site not in OURS and not is_navigation
        if SESSION_NAMED & request.query_arguments.keys() or "Bokeh-Session-Id" in request.headers:
            return {"status": 403, "sentence": "a page is opened by its own address, without a session's name"}
        if not is_refused:
            return None
        return {"status": 403, "sentence": f"Origin = {(origin or site or 'nothing')[:100]}: expected a page of ours"}

    def _unknown(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        login = None
        if (cookie := request.cookies.get(self._access.cookie_name)) is not None:
            login = self._access.read(cookie.value)
        setattr(request, LOGIN, login)
        if login is not None or request.path in OPEN or request.path.startswith(OPEN_BELOW):
            return None
        if request.method in READS and not is_websocket(request):
            return {"status": 302, "sentence": f"/login?{urlencode({'next': request.uri or '/'})}"}
        return {"status": 403, "sentence": "nobody is logged in here: open /login"}

    def _closed(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        is_closed = request.path.startswith(CLOSED_BELOW)
        return {"status": 404, "sentence": "there is no such page"} if is_closed else None


class Refusal(RequestHandler):
    """Answers instead of the route; of a redirect, `sentence` is where to."""

    def initialize(self, status: int, sentence: str) -> None:
        self._status, self._sentence = status, sentence

    def prepare(self) -> None:
        if self._status == 302:
            self.redirect(self._sentence)
            return
        self.set_status(self._status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(self._sentence + "\n")


class Headers(OutputTransform):
    """On every answer that has none of its own."""

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        for name, value in HEADERS.items():
            if name not in headers:
                headers[name] = value
        return status_code, headers, chunk


def is_websocket(request: HTTPServerRequest) -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"


def protect(server: Any, access: Access) -> None:
    """Puts the guard before all routes of a server of Bokeh's or Panel's. Without it nobody is known."""
    protect_application(server._tornado, access)


def protect_application(application: Any, access: Access) -> None:
    """The same for the application of such a server, once however often it is asked for."""
    if not getattr(application, PROTECTED, False):
        setattr(application, PROTECTED, True)
        application.add_handlers(r".*", [Rule(Guard(access), Refusal)])
