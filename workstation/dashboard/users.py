"""Who may use the dashboard: `users.json` in the home folder, written by `workstation user`, read at every request."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec

from workstation.dashboard.passwords import Passwords, check_password
from workstation.dashboard.private_files import read_private, write_private
from workstation.errors import BadInput, CallerError, OperatorError
from workstation.history.durable import one_writer

USERS_FILE = "users.json"
LOCK_FILE = "users.lock"
VERSION = 1
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
STAMP_BYTES = 16


class UserNotFound(CallerError):
    """No such user."""


class UserExists(CallerError):
    """A user of that name is there already."""


class UsersDamaged(OperatorError):
    """The list of users cannot be read: nobody of it gets in until it is mended."""


class Role(StrEnum):
    """What a user may do: each role all that those before it may, and more."""

    VIEWER = "viewer"
    """Look."""
    TRADER = "trader"
    """Start, stop, trade, kill."""
    ADMIN = "admin"
    """Settings, and what clears a kill."""

    def may(self, needed: "Role") -> bool:
        """Whether this role does for what needs `needed`."""
        order = tuple(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """`stamp` is another one after each change of password or role: what was given out before is then void."""

    name: str
    role: Role
    stamp: str


class _Kept(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    name: str
    role: Role
    stamp: str
    password: str

    def __post_init__(self) -> None:
        if not (NAME.fullmatch(self.name) and self.stamp and self.password):
            raise ValueError(f"a user without a name of the known form, a stamp or a password: {self.name[:40]!r}")

    def public(self) -> User:
        return User(name=self.name, role=self.role, stamp=self.stamp)


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    users: list[_Kept]


class UserStore:
    """The users of one home. A change is on the disk when the call returns; others' changes are seen at the next call.

    Names differ by more than upper and lower case, and are found whatever the case. Each method raises UsersDamaged or
    AccessRefused where the file is not whole, or open to others.
    """

    def __init__(self, home: Path, passwords: Passwords | None = None) -> None:
        self.file = home / USERS_FILE
        self._passwords = Passwords() if passwords is None else passwords
        self._read: tuple[tuple[int, ...], dict[str, _Kept]] | None = None

    def users(self) -> tuple[User, ...]:
        """By name."""
        return tuple(kept.public() for _, kept in sorted(self._load().items()))

    def user(self, name: str) -> User | None:
        kept = self._load().get(name.casefold())
        return None if kept is None else kept.public()

    def found(self, name: str) -> User:
        """Raises UserNotFound."""
        return _found(self._load(), name).public()

    def add(self, name: str, role: Role, password: str) -> User:
        check_name(name)
        check_password(password, name)
        hashed = self._passwords.hash(password)

        def added(users: dict[str, _Kept]) -> _Kept:
            if (there := users.get(name.casefold())) is not None:
                raise UserExists(
                    f"user {name}: {there.name} is there already; "
                    f"`workstation user password {there.name}` gives a new password"
                )
            return _Kept(name=name, role=role, stamp=_stamp(), password=hashed)

        return self._change(name, added)

    def set_password(self, name: str, password: str) -> User:
        """Ends what the user has open."""
        check_password(password, name)
        hashed = self._passwords.hash(password)
        return self._change(name, lambda users: _with(_found(users, name), password=hashed, stamp=_stamp()))

    def set_role(self, name: str, role: Role) -> User:
        """Ends what the user has open, unless the role is the same."""

        def changed(users: dict[str, _Kept]) -> _Kept:
            kept = _found(users, name)
            return kept if kept.role is role else _with(kept, role=role, stamp=_stamp())

        return self._change(name, changed)

    def remove(self, name: str) -> User:
        with one_writer(self.file.parent, LOCK_FILE):
            users = dict(self._load())
            gone = _found(users, name)
            del users[name.casefold()]
            self._write(users)
        return gone.public()

    def verify(self, name: str, password: str) -> User | None:
        """The user whose password that is. Takes as long for a name that is not there; about 0.1 s."""
        kept = self._load().get(name.casefold())
        if not self._passwords.is_right(password, None if kept is None else kept.password):
            return None
        assert kept is not None
        if self._passwords.is_outdated(kept.password):
            self._hash_again(kept, password)
        return kept.public()

    def _hash_again(self, was: _Kept, password: str) -> None:
        """By today's parameters; the stamp stays, and so does what another process changed meanwhile."""
        hashed = self._passwords.hash(password)
        with one_writer(self.file.parent, LOCK_FILE):
            users = dict(self._load())
            if users.get(was.name.casefold()) == was:
                users[was.name.casefold()] = _with(was, password=hashed)
                self._write(users)

    def _change(self, name: str, change: Callable[[dict[str, _Kept]], _Kept]) -> User:
        with one_writer(self.file.parent, LOCK_FILE):
            users = dict(self._load())
            kept = change(users)
            users[name.casefold()] = kept
            self._write(users)
        return kept.public()

    def _load(self) -> dict[str, _Kept]:
        """Read again where the file is another one."""
        try:
            status = self.file.stat()
            mark = (status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)
            if self._read is None or self._read[0] != mark:
                self._read = (mark, self._decoded(read_private(self.file)))
        except FileNotFoundError:
            return {}
        return self._read[1]

    def _decoded(self, content: bytes) -> dict[str, _Kept]:
        try:
            document = msgspec.json.decode(content, type=_Document)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise UsersDamaged(
                f"{self.file}: not a list of users: {error}; mend it, or remove it and add the users again"
            ) from error
        users = {kept.name.casefold(): kept for kept in document.users}
        if document.version != VERSION or len(users) != len(document.users):
            raise UsersDamaged(
                f"{self.file}: version {document.version} with {len(document.users)} users, {len(users)} of them with "
                f"a name of their own; expected version {VERSION} and each name once"
            )
        return users

    def _write(self, users: dict[str, _Kept]) -> None:
        document = _Document(version=VERSION, users=[kept for _, kept in sorted(users.items())])
        write_private(self.file, msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")


def check_name(name: str) -> None:
    """Raises BadInput."""
    if not NAME.fullmatch(name):
        raise BadInput(
            f"name {name[:60]!r}: expected 1 to 40 letters, digits, dots, hyphens or underscores, such as ada; "
            "the first a letter or a digit"
        )


def _found(users: dict[str, _Kept], name: str) -> _Kept:
    kept = users.get(name.casefold())
    if kept is None:
        there = f"there are {', '.join(sorted(one.name for one in users.values()))}" if users else "there is nobody yet"
        raise UserNotFound(f"user {name[:60]}: there is none of that name; {there}")
    return kept


def _with(kept: _Kept, **changes: str | Role) -> _Kept:
    return msgspec.structs.replace(kept, **changes)


def _stamp() -> str:
    return secrets.token_hex(STAMP_BYTES)
