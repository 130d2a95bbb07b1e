"""When something is told that changes all the time, on a clock that a test moves."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from workstation.dashboard.paced import Paced

EVERY_S = 0.125


class Handle:
    def __init__(self, when: float, work: Callable[[], None]) -> None:
        self.when, self.work, self.is_cancelled = when, work, False

    def cancel(self) -> None:
        self.is_cancelled = True


class Loop:
    """As much of an event loop as is asked for."""

    def __init__(self) -> None:
        self.now = 100.0
        self.due: list[Handle] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, work: Callable[..., None], *words: Any) -> Handle:
        self.due.append(Handle(when, lambda: work(*words)))
        return self.due[-1]

    def go_to(self, now: float) -> None:
        self.now = now
        ready = [one for one in self.due if one.when <= now]
        self.due = [one for one in self.due if one.when > now]
        for one in ready:
            if not one.is_cancelled:
                one.work()


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    loop = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    return loop


def test_the_first_change_is_told_at_once_and_the_next_ones_together_a_while_later(loop: Loop) -> None:
    told: list[float] = []
    paced = Paced(lambda: told.append(loop.now), EVERY_S)
    paced.ask()
    paced.ask()
    assert not told, "what else comes in this turn of the loop is told with it"
    loop.go_to(100.0)
    assert told == [100.0]
    for now in (100.0, 100.0625, 100.1):
        loop.go_to(now)
        paced.ask()
    assert told == [100.0]
    loop.go_to(100.125)
    assert told == [100.0, 100.125]
    loop.go_to(200.0)
    assert told == [100.0, 100.125], "nothing was asked for since"
    paced.ask()
    loop.go_to(200.0)
    assert told == [100.0, 100.125, 200.0]


def test_one_told_late_is_as_far_from_the_next_as_any_other(loop: Loop) -> None:
    told: list[float] = []
    paced = Paced(lambda: told.append(loop.now), EVERY_S)
    paced.ask()
    loop.go_to(103.0)  # the loop stood still
    paced.ask()
    loop.go_to(103.0625)
    assert told == [103.0]
    loop.go_to(103.125)
    assert told == [103.0, 103.125]


def test_behind_its_end_nothing_is_told(loop: Loop) -> None:
    told: list[float] = []
    paced = Paced(lambda: told.append(loop.now), EVERY_S)
    paced.close()
    paced.ask()
    paced.close()
    loop.go_to(300.0)
    assert not told
