"""Login, logout and the one-time link, and what the server must be told for them.

access = Access(home, port)
server = pn.io.server.get_server(pages, port=port, **server_options(access), …)
protect(server, access)
"""

import hashlib
import math
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bokeh.server.auth_provider import AuthProvider
from tornado.httputil import HTTPServerRequest
from tornado.template import Loader
from tornado.web import HTTPError, RequestHandler
from tornado.websocket import WebSocketHandler

from workstation.dashboard.access import LASTS_S, LOGIN, OWNER, Access, Login
from workstation.dashboard.guard import OURS, Headers
from workstation.dashboard.users import NAME, User, UsersDamaged
from workstation.dashboard.verifier import TooManyLogins, Verifier
from workstation.errors import AccessRefused

PAGES = Path(__file__).parent / "pages_html"
MOST_BODY_BYTES = 64 * 1024
WRONG = "Name or password is not right."
STALE = "This page was open for too long, or cookies are off. Please try again."
BUSY = "Too many people log in at this moment. Please try again."
DAMAGED = "Nobody can log in: the list of users cannot be read. On the machine, run: workstation user list"
USED = "That link was used before, or is older than ten minutes. A new start of workstation dashboard prints a new one."

_templates = Loader(str(PAGES))


class PageHandler(RequestHandler):
    """What the login's pages share."""

    def initialize(self, access: Access, verifier: Verifier) -> None:
        self.access, self._verifier = access, verifier

    def let_in(self, user: User, target: str) -> None:
        """With a fresh session: what the browser had before is over."""
        self._end_session()
        set_login(self, self.access, self.access.begin(user))
        self.redirect(target, status=303)

    def _end_session(self) -> None:
        before = getattr(self.request, LOGIN, None)
        if isinstance(before, Login):
            self.access.end(before)

    def show(self, *, status: int = 200, error: str = "", name: str = "", target: str = "/") -> None:
        """The login page."""
        try:
            has_users = bool(self.access.store.users())
        except (UsersDamaged, AccessRefused):
            status, error, has_users = 503, DAMAGED, True
        nonce = secrets.token_urlsafe(16)
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.set_header(
            "Content-Security-Policy",
            f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        )
        self.finish(
            _templates.load("login.html").generate(
                error=error, name=name, target=target, nonce=nonce, has_users=has_users, token=self.xsrf_token
            )
        )


class LoginHandler(PageHandler):
    """Asks for name and password."""

    def get(self) -> None:
        target = local_target(self.get_query_argument("next", "/"))
        if self.access.user_of(self) is not None:
            self.redirect(target)
        elif self.request.headers.get("Sec-Fetch-Site") == "cross-site":
            # after a link on a foreign page the browser keeps a strict cookie back; from a page of ours it sends it
            self.set_header("Refresh", "0")
            self.finish()
        else:
            self.show(target=target)

    async def post(self) -> None:
        name, target = self.get_body_argument("name", ""), local_target(self.get_body_argument("next", "/"))
        password = self.get_body_argument("password", "", strip=False)
        try:
            self.check_xsrf_cookie()
        except HTTPError:
            self.show(status=403, error=STALE, target=target)
            return
        who, address = (name.casefold() if NAME.fullmatch(name) else ""), self.request.remote_ip or ""
        wait_s = self.access.attempts.begin(who, address, self.access.elapsed_s())
        if wait_s:
            self.set_header("Retry-After", str(wait_s))
            error = f"Too many wrong attempts. The next one is looked at in {in_words(wait_s)}."
            self.show(status=429, error=error, target=target)
            return
        await self._verify(name, password, target, lambda: self.access.attempts.was_right(who, address))

    async def _verify(self, name: str, password: str, target: str, was_right: Callable[[], None]) -> None:
        try:
            user = await self._verifier.verify(name, password)
        except TooManyLogins:
            self.show(status=503, error=BUSY, target=target)
            return
        except (UsersDamaged, AccessRefused):
            self.show(status=503, error=DAMAGED, target=target)
            return
        if user is None:
            self.show(status=403, error=WRONG, name=name if NAME.fullmatch(name) else "", target=target)
            return
        was_right()
        self.let_in(user, target)


class LogoutHandler(PageHandler):
    """Ends the session in every tab; a page of a stranger cannot bring that about."""

    def get(self) -> None:
        if self.request.headers.get("Sec-Fetch-Site", "none") not in OURS:
            raise HTTPError(403, reason="Log out from a page of the dashboard")
        self._end_session()
        self.clear_cookie(self.access.cookie_name)
        self.redirect("/login")


class EnterHandler(PageHandler):
    """The one-time link."""

    def get(self) -> None:
        if self.request.headers.get("Sec-Purpose") is not None:
            raise HTTPError(403, reason="This link is not opened ahead of its time")  # it would be used up
        if self.access.keys.take(self.get_query_argument("key", "")):
            self.let_in(OWNER, "/")
        else:
            self.show(status=403, error=USED)


class UserAuth(AuthProvider):
    """Bokeh's and Panel's own routes ask here; the guard has read the cookie before."""

    def __init__(self, access: Access) -> None:
        self._access = access
        super().__init__()

    @property
    def get_user(self) -> Callable[[RequestHandler], User | None]:  # type: ignore[override]  # it is handed a handler
        return self._user_of

    @property
    def login_url(self) -> str:
        return "/login"

    @property
    def logout_url(self) -> str:
        return "/logout"

    def _user_of(self, handler: RequestHandler) -> User | None:
        user = self._access.user_of(handler)
        if user is not None and not isinstance(handler, WebSocketHandler):
            renewed = self._access.renewed(getattr(handler.request, LOGIN))
            if renewed is not None:
                set_login(handler, self._access, renewed)
        return user


def set_login(handler: RequestHandler, access: Access, login: Login) -> None:
    """Out of reach for scripts, and for requests that another site brings about."""
    handler.set_cookie(
        access.cookie_name,
        access.written(login),
        max_age=LASTS_S,
        httponly=True,
        samesite="Strict",
        secure=is_encrypted(handler.request),
    )


def is_encrypted(request: HTTPServerRequest) -> bool:
    return bool(request.protocol == "https")


def local_target(asked: str) -> str:
    """A path of ours to go to after the login; "/" for whatever could lead elsewhere."""
    try:
        parts = urlsplit(asked)
    except ValueError:
        return "/"
    is_path = asked.startswith("/") and not asked.startswith("//") and not (parts.scheme or parts.netloc)
    is_plain = asked.isprintable() and asked.isascii() and not set("\\ ") & set(asked)
    is_back_here = parts.path in ("/login", "/logout", "/enter")
    return asked if is_path and is_plain and not is_back_here else "/"


def in_words(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{math.ceil(seconds / 60)} minutes"


def handlers(access: Access) -> list[Any]:
    """The routes of the login, for `extra_patterns`."""
    shared = {"access": access, "verifier": Verifier(access.store)}
    return [("/login", LoginHandler, shared), ("/logout", LogoutHandler, shared), ("/enter", EnterHandler, shared)]


def server_options(access: Access) -> dict[str, Any]:
    """What a server of Panel's or Bokeh's is given besides its pages; add own routes to `extra_patterns`."""
    return {
        "auth_provider": UserAuth(access),
        "extra_patterns": handlers(access),
        "cookie_secret": access.secret,
        "allow_websocket_origin": sorted(access.hosts),
        # Bokeh writes headers and cookies into each page's token, where scripts could read what HttpOnly keeps away
        "include_cookies": [],
        "exclude_headers": ["Cookie", "Authorization", "Proxy-Authorization"],
        "sign_sessions": True,
        "secret_key": hashlib.sha256(b"sessions " + access.secret.encode("ascii")).digest(),
        "transforms": [Headers],
        "xsrf_cookie_name": f"_xsrf_{access.port}",
        "xsrf_cookie_kwargs": {"httponly": True, "samesite": "Strict"},
        "http_server_kwargs": {"max_body_size": MOST_BODY_BYTES, "idle_connection_timeout": 300, "body_timeout": 10},
    }
