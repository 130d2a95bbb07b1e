"""The kill flag: one small file for each scope, in `kill/` of the home. A file that is there blocks, whatever it says.

all.json            every session
session-NAME.json   one

A scope has a file of its own, so that switching one on needs to read nothing, and no two writers undo each other. It is
written whole and synced before anybody is told; what cannot be read, or asked for, counts as blocked.
"""

from pathlib import Path

import msgspec

from workstation.errors import KillFlagFailed
from workstation.history.durable import sync_folder, write_durably
from workstation.model.ids import SessionId

FOLDER = "kill"
EVERY_SESSION = "all"
PREFIX, SUFFIX = "session-", ".json"
MOST_BYTES = 65_536


class Kill(msgspec.Struct, frozen=True, kw_only=True):
    """Since when (ns UTC), by whom, and why nothing is opened; `session` None is every session."""

    session: SessionId | None = None
    by: str
    since_ns: int
    reason: str = ""
    flatten: bool = False
    damage: str | None = None
    """Why its file could not be read: it blocks all the same."""


class KillFlag:
    """Of one home, for any process. Writing raises KillFlagFailed where the disk refuses."""

    def __init__(self, home: Path) -> None:
        self.folder = home / FOLDER
        self._of_all = self._path(None)

    def is_on(self, session: SessionId) -> bool:
        """Whether the session may open nothing: asked before each entry is sent, so it reads no file."""
        return _is_there(self._of_all) or _is_there(self._path(session))

    def kill_of(self, session: SessionId) -> Kill | None:
        """What holds the session; where both do, every session's, which flattens if either does."""
        every, own = self._read(None), self._read(session)
        if every is None or own is None:
            return every or own
        return msgspec.structs.replace(every, flatten=every.flatten or own.flatten)

    def kills(self) -> list[Kill]:
        """All that are on."""
        try:
            names = sorted(path.name for path in self.folder.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            return [_damaged(None, f"{self.folder}: {error.strerror}")]
        found = [self._read(None)] if self._of_all.name in names else []
        sessions = [name[len(PREFIX) : -len(SUFFIX)] for name in names if name.startswith(PREFIX)]
        found += [self._read(SessionId(session)) for session in sessions]
        return [kill for kill in found if kill is not None]

    def switch_on(self, kill: Kill) -> Kill:
        """Durable when it returns. One that is on stays as it was, but flattens if this one does."""
        had = self._read(kill.session)
        if had is not None and had.damage is None:
            kill = msgspec.structs.replace(had, flatten=had.flatten or kill.flatten)
        if kill != had:
            self._write(kill)
        return kill

    def lift(self, session: SessionId | None) -> bool:
        """Lifts the kill of one scope, and no other; whether there was one."""
        path = self._path(session)
        try:
            path.unlink()
            sync_folder(self.folder)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise KillFlagFailed(
                f"{path}: {error.strerror}: the kill switch stays on; mend that and lift it again"
            ) from (error)
        return True

    def _write(self, kill: Kill) -> None:
        path = self._path(kill.session)
        try:
            write_durably(path, msgspec.json.encode(kill) + b"\n")
        except OSError as error:
            raise KillFlagFailed(
                f"{path}: {error.strerror}: the kill switch is not on across a restart; make room on that disk, or "
                "stop the engine"
            ) from error

    def _path(self, session: SessionId | None) -> Path:
        return self.folder / f"{EVERY_SESSION if session is None else PREFIX + session}{SUFFIX}"

    def _read(self, session: SessionId | None) -> Kill | None:
        path = self._path(session)
        try:
            with path.open("rb") as file:
                kill = msgspec.json.decode(file.read(MOST_BYTES), type=Kill)
        except FileNotFoundError:
            return None
        except OSError as error:
            return _damaged(session, f"{path}: {error.strerror}")
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _damaged(session, f"{path}: {error}")
        return (
            kill
            if kill.session == session
            else _damaged(session, f"{path}: it names {kill.session or 'every session'}")
        )


def _damaged(session: SessionId | None, why: str) -> Kill:
    return Kill(session=session, by="a damaged flag", since_ns=0, reason=why, damage=why)


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError:  # who cannot know, blocks
        return True
    return True
