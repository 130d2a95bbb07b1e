"""I1: an effect leaves only when its facts are durable."""

import pytest

from workstation.errors import JournalStalled, JournalWriteFailed
from workstation.model.events import Fact, SessionPaused
from workstation.model.ids import ClientOrderId, SessionId
from workstation.ports.broker import CancelOrder
from workstation.session.outbox import BACKLOG_ACTS, STALL_TIMEOUT_S, Outbox, WriteBehindOutbox

SESSION = SessionId("s")
FACTS = [Fact(SessionPaused(by="test"), 1, 1)]
EFFECTS = [CancelOrder(ClientOrderId("a"), 1), CancelOrder(ClientOrderId("b"), 1)]


class Recorder:
    """A journal, its ticket and a broker in one: keeps the order of things."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.happened: list[str] = []

    def append(self, session_id, facts):
        self.happened.append(f"append {len(facts)}")
        return self

    def wait(self, timeout_s=None):
        self.happened.append(f"wait {timeout_s}")
        if self.failure is not None:
            raise self.failure

    def send(self, effect):
        self.happened.append(f"send {effect.client_order_id}")


def test_effects_leave_after_their_facts_are_durable_and_in_order():
    recorder = Recorder()
    Outbox(recorder, recorder).put(SESSION, FACTS, EFFECTS)
    assert recorder.happened == ["append 1", f"wait {STALL_TIMEOUT_S}", "send a", "send b"]


def test_facts_without_effects_do_not_wait():
    recorder = Recorder()
    Outbox(recorder, recorder).put(SESSION, FACTS, [])
    assert recorder.happened == ["append 1"]


@pytest.mark.parametrize("failure", [JournalWriteFailed("disk full"), JournalStalled("behind")])
def test_nothing_leaves_when_the_journal_cannot_be_written(failure):
    recorder = Recorder(failure)
    with pytest.raises(type(failure)):
        Outbox(recorder, recorder).put(SESSION, FACTS, EFFECTS)
    assert not any(what.startswith("send") for what in recorder.happened)


def test_written_behind_nothing_waits_and_nothing_is_lost():
    recorder = Recorder()
    WriteBehindOutbox(recorder, recorder).put(SESSION, FACTS, EFFECTS)
    assert recorder.happened == ["append 1", "send a", "send b"]


def test_an_act_that_changed_nothing_leaves_no_trace():
    recorder = Recorder()
    for outbox in (Outbox(recorder, recorder), WriteBehindOutbox(recorder, recorder)):
        outbox.put(SESSION, [], [])
    assert recorder.happened == []


def test_written_behind_the_disk_is_never_left_further_back_than_its_backlog():
    recorder = Recorder()
    outbox = WriteBehindOutbox(recorder, recorder)
    for _ in range(2 * BACKLOG_ACTS):
        outbox.put(SESSION, FACTS, [])
    assert recorder.happened.count("append 1") == 2 * BACKLOG_ACTS
    assert [what for what in recorder.happened if what.startswith("wait")] == ["wait None"]
    assert recorder.happened[-1] == "wait None"
