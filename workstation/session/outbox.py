"""The outbox: facts to the journal first; an effect leaves only when the facts of its act are durable (I1).

Where effects stay inside this process (replay, verify) there is nothing to protect: the journal is written behind, and
what a crash cuts off is decided again, the same.
"""

from collections.abc import Sequence

from workstation.model.events import Fact
from workstation.model.ids import SessionId
from workstation.ports.broker import Broker, Effect
from workstation.ports.journal import Journal, Ticket

STALL_TIMEOUT_S = 5.0
BACKLOG_ACTS = 2_000


class Outbox:
    """Writes before it sends."""

    def __init__(self, journal: Journal, broker: Broker) -> None:
        self._journal, self._broker = journal, broker

    def put(self, session_id: SessionId, facts: Sequence[Fact], effects: Sequence[Effect]) -> None:
        """Journals an act and sends its effects. Raises JournalWriteFailed or JournalStalled, with nothing sent."""
        if not facts:
            return
        ticket = self._journal.append(session_id, facts)
        if effects:
            ticket.wait(STALL_TIMEOUT_S)
            for effect in effects:
                self._broker.send(effect)


class WriteBehindOutbox(Outbox):
    """For effects that do not leave the process. Where the disk falls BACKLOG_ACTS behind, it waits for it."""

    def __init__(self, journal: Journal, broker: Broker) -> None:
        super().__init__(journal, broker)
        self._acts = 0
        self._behind: Ticket | None = None

    def put(self, session_id: SessionId, facts: Sequence[Fact], effects: Sequence[Effect]) -> None:
        if facts:
            ticket = self._journal.append(session_id, facts)
            self._acts += 1
            if self._acts % BACKLOG_ACTS == 0:
                if self._behind is not None:
                    self._behind.wait()
                self._behind = ticket
        for effect in effects:
            self._broker.send(effect)
