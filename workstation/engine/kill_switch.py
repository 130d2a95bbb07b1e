"""The kill switch as the engine heeds it: the flag on the disk first, then every session in its scope.

Another process may write the flag: the engine looks at it ten times a second, and at each entry that is to be sent.
"""

import asyncio
import logging

from workstation.client.kill import KillScope, KillView
from workstation.engine.kill_flag import Kill, KillFlag
from workstation.engine.live_session import LiveSession
from workstation.engine.turns import Turns
from workstation.errors import KillFlagFailed
from workstation.model.events import SessionKilled, SessionRearmed
from workstation.model.ids import SessionId
from workstation.session.asked import waiting_entries

BY_ITS_FILE = "removing its flag"

log = logging.getLogger(__name__)


class KillSwitch:
    """Of one engine."""

    def __init__(self, flag: KillFlag, turns: Turns) -> None:
        self._flag, self._turns = flag, turns
        self._on_its_way: dict[SessionId | None, Kill] = {}
        """Asked for, and not on the disk yet: nothing is opened meanwhile."""
        self._unwritten: dict[SessionId | None, Kill] = {}
        """The disk refused them: they hold as long as this process."""

    def is_on(self, session: SessionId) -> bool:
        """Asked before each entry is sent."""
        for held in (self._on_its_way, self._unwritten):
            if None in held or session in held:
                return True
        return self._flag.is_on(session)

    async def switch_on(self, kill: Kill) -> None:
        """Returns when it is durable and every session in its scope has been told. Raises KillFlagFailed: then it holds
        until the engine ends."""
        log.warning("kill switch: on for %s, by %s: %s", kill.session or "every session", kill.by, kill.reason)
        self._on_its_way[kill.session] = kill
        try:
            await asyncio.to_thread(self._flag.switch_on, kill)
        except KillFlagFailed:
            log.exception("kill switch")
            self._unwritten[kill.session] = kill
            raise
        finally:
            self._on_its_way.pop(kill.session, None)
            self.heed()

    async def lift(self, session: SessionId | None, by: str) -> None:
        """Of one scope, and no other."""
        await asyncio.to_thread(self._flag.lift, session)
        self._unwritten.pop(session, None)
        log.warning("kill switch: lifted for %s, by %s", session or "every session", by)
        self.heed(by)

    def heed(self, lifted_by: str = BY_ITS_FILE) -> None:
        """Tells each session what has changed."""
        for live in list(self._turns.sessions.values()):
            if self._turns.serves(live):
                self.heed_in(live, lifted_by)

    def heed_in(self, live: LiveSession, lifted_by: str = BY_ITS_FILE) -> None:
        """The same of one session that is served."""
        has, kill = live.session.state.killed, self._kill_of(live.session_id)
        told = None
        if kill is not None:
            told = SessionKilled(by=kill.by, reason=kill.reason, since_ns=kill.since_ns, flatten=kill.flatten)
        if told is not None and told != has:
            self._turns.inject(live, told)
        elif told is None and has is not None:
            self._turns.inject(live, SessionRearmed(by=lifted_by))

    def view(self) -> KillView:
        kills = [*self._flag.kills(), *self._unwritten.values()]
        return KillView(is_on=bool(kills), scopes=tuple(self._scope(kill) for kill in kills))

    def _kill_of(self, session: SessionId) -> Kill | None:
        return self._flag.kill_of(session) or self._unwritten.get(None) or self._unwritten.get(session)

    def _scope(self, kill: Kill) -> KillScope:
        lives = [one for one in self._turns.sessions.values() if kill.session in (None, one.session_id)]
        return KillScope(
            session=kill.session,
            by=kill.by,
            since_ns=kill.since_ns,
            reason=kill.reason,
            flatten=kill.flatten,
            is_durable=kill not in self._unwritten.values(),
            waiting_entries=sum(len(waiting_entries(live.session.state)) for live in lives),
            open_groups=sum(len(live.session.state.groups) for live in lives),
        )
