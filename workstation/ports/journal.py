"""Journal: where facts go to stay."""

from collections.abc import Sequence
from typing import Protocol

from workstation.model.events import Fact
from workstation.model.ids import SessionId


class Ticket(Protocol):
    """A group of facts on its way to the disk."""

    def wait(self, timeout_s: float | None = None) -> None:
        """Returns once the group is durable. Raises JournalWriteFailed, or JournalStalled after `timeout_s` seconds."""


class Journal(Protocol):
    def append(self, session_id: SessionId, facts: Sequence[Fact]) -> Ticket:
        """Queues a group that is committed whole or not at all, after every group queued before it."""
