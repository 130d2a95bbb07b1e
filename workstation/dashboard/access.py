"""Who is in: what a cookie says, and whether that still holds. Each answer asks the list of users again."""

import base64
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import msgspec
from tornado.web import create_signed_value, decode_signed_value

from workstation.dashboard.attempts import Attempts
from workstation.dashboard.one_time_keys import OneTimeKeys
from workstation.dashboard.private_files import read_private, write_private
from workstation.dashboard.users import Role, User, UsersDamaged, UserStore
from workstation.errors import AccessRefused, OperatorError

SECRET_FILE = "cookie_secret"
SECRET_BYTES = 32
LASTS_S = 12 * 3_600
"""A cookie, from the last page that was loaded with it."""
RENEWED_AFTER_S = 3_600
LASTS_AT_MOST_S = 7 * 24 * 3_600
"""From the password on, however often it was renewed."""
MOST_SKEW_S = 60
MOST_ENDED = 4_096
OWNER = User(name="local owner", role=Role.ADMIN, stamp="owner")
"""Whoever came by the one-time link; no user's name has a space."""
LOGIN = "workstation_login"
"""The attribute of a request that holds its Login; the guard alone sets it."""

log = logging.getLogger(__name__)


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a cookie says. `session` is one browser's, from the password to the logout."""

    user: str
    stamp: str
    session: str
    since_s: int
    issued_s: int


class Asking(Protocol):
    """A handler of tornado's, as far as it is looked at here."""

    request: Any


class Access:
    """Of one dashboard. `hosts` are names besides loopback under which a proxy shows it, as desk.example.org."""

    def __init__(
        self,
        home: Path,
        port: int,
        hosts: Iterable[str] = (),
        *,
        store: UserStore | None = None,
        now_s: Callable[[], float] = time.time,
        elapsed_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = UserStore(home) if store is None else store
        self.port, self._now_s, self.elapsed_s = port, now_s, elapsed_s
        self.hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}", *(host.lower() for host in hosts)})
        self.cookie_name = f"workstation_{port}"  # cookies know no ports: two dashboards of one host share the jar
        self.secret = cookie_secret(home)
        self.keys, self.attempts = OneTimeKeys(elapsed_s), Attempts()
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._complaint = ""

    def link(self) -> str:
        """Lets its reader in as the local owner, once, within ten minutes."""
        return f"http://127.0.0.1:{self.port}/enter?key={self.keys.new()}"

    # -- logins

    def begin(self, user: User) -> Login:
        now_s = int(self._now_s())
        return Login(user.name, user.stamp, secrets.token_urlsafe(12), now_s, now_s)

    def renewed(self, login: Login) -> Login | None:
        """The same with a new time; None while it is new enough."""
        now_s = int(self._now_s())
        if now_s - login.issued_s < RENEWED_AFTER_S:
            return None
        return msgspec.structs.replace(login, issued_s=now_s)

    def end(self, login: Login) -> None:
        """For every page that the browser has open, too."""
        self._ended[login.session] = None
        if len(self._ended) > MOST_ENDED:
            self._ended.popitem(last=False)

    def written(self, login: Login) -> bytes:
        """The cookie's value: signed, not secret."""
        return create_signed_value(self.secret, self.cookie_name, msgspec.json.encode(login), version=2)

    def read(self, cookie: str) -> Login | None:
        """None for what we did not sign, what is over, and what the user's list does not bear out."""
        value = decode_signed_value(
            self.secret, self.cookie_name, cookie, max_age_days=LASTS_AT_MOST_S / 86_400 + 1, min_version=2
        )
        if value is None:
            return None
        try:
            login = msgspec.json.decode(value, type=Login)
        except msgspec.DecodeError:  # signed by another version of ours
            return None
        now_s = self._now_s()
        is_in_time = -MOST_SKEW_S <= now_s - login.issued_s < LASTS_S and now_s - login.since_s < LASTS_AT_MOST_S
        return login if is_in_time and self.user(login) is not None else None

    def user(self, login: Login) -> User | None:
        """Who that is, if it still holds: no logout, no other password or role since, not removed.

        Time ends no page that is open: somebody who watches all night may close everything at its end.
        """
        if login.session in self._ended:
            return None
        if login.user == OWNER.name:
            return OWNER if login.stamp == OWNER.stamp else None
        try:
            user = self.store.user(login.user)
        except (UsersDamaged, AccessRefused) as error:
            self._complain(error)
            return None
        return user if user is not None and user.stamp == login.stamp else None

    # -- who asks

    def user_of(self, handler: Asking) -> User | None:
        """Who sent the request of this handler, of a page or of a WebSocket; None for a stranger."""
        return self._user_of_request(handler.request)

    def user_of_document(self, document: Any) -> User | None:
        """Whose page that is (`pn.state.curdoc`), as of now: to be asked at each act, not once."""
        context = document.session_context
        return None if context is None else self._user_of_request(context.request)

    def _user_of_request(self, request: Any) -> User | None:
        login = getattr(request, LOGIN, None)
        return self.user(login) if isinstance(login, Login) else None

    def _complain(self, error: OperatorError) -> None:
        if str(error) != self._complaint:  # once, not at each request
            self._complaint = str(error)
            log.error("nobody of the list of users gets in: %s", error)


def cookie_secret(home: Path) -> str:
    """What signs this home's cookies; made where there is none. Without the file, everybody logs in again."""
    file = home / SECRET_FILE
    try:
        secret = read_private(file).decode("ascii", "replace").strip()
    except FileNotFoundError:
        secret = base64.urlsafe_b64encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")
        write_private(file, secret.encode("ascii") + b"\n")
    if len(secret) < SECRET_BYTES or not secret.isascii():
        raise AccessRefused(f"{file}: holds no secret; remove it, and the next start makes a new one")
    return secret
