"""The kill switch: blocked first and durably, then cancelled until nothing waits; only lifting it opens again (I20)."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.bench import Bench, a_bench
from tests.engine.test_hand import by_hand, place, placed, quote, refused, state_of
from tests.session.desks import random_quotes
from workstation.client.messages import SessionStatus
from workstation.engine.kill_flag import Kill, KillFlag
from workstation.errors import KillFlagFailed
from workstation.model.durations import SECOND_NS
from workstation.model.events import (
    CancelRequested,
    EntryRefused,
    GroupOpened,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
    SessionKilled,
    SessionRearmed,
)
from workstation.model.group import GroupStatus
from workstation.model.ids import SessionId
from workstation.model.order import OrderPurpose

ROWS = random_quotes(5, 3_000)
ONE = SessionId("s")


def a_kill(session: str | None = None, **fields: Any) -> Kill:
    scope = None if session is None else SessionId(session)
    return Kill(session=scope, **({"by": "tester", "since_ns": 7} | fields))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with a_bench(tmp_path / "home") as bench:
        by_hand(bench)
        yield bench


def switch_on(bench: Bench, **fields: Any) -> None:
    asyncio.run(bench.sessions.kill_switch.switch_on(a_kill(**fields)))


def lift(bench: Bench, session: str | None = None) -> None:
    scope = None if session is None else SessionId(session)
    asyncio.run(bench.sessions.kill_switch.lift(scope, "tester"))


# -- the flag


@pytest.fixture
def flag(tmp_path: Path) -> KillFlag:
    return KillFlag(tmp_path)


def test_a_flag_is_there_for_every_process_until_its_scope_is_lifted(flag: KillFlag, tmp_path: Path) -> None:
    other = KillFlag(tmp_path)
    assert not other.is_on(ONE) and other.kills() == [] and not other.lift(None)
    flag.switch_on(a_kill(reason="odd"))
    flag.switch_on(a_kill("s"))
    assert other.is_on(ONE) and other.is_on(SessionId("t"))
    assert other.kills() == [a_kill(reason="odd"), a_kill("s")]
    assert other.lift(None)
    assert other.is_on(ONE) and not other.is_on(SessionId("t"))
    assert other.lift(ONE) and not other.is_on(ONE)


def test_a_second_kill_keeps_the_first_ones_words_but_flattens_if_it_does(flag: KillFlag) -> None:
    flag.switch_on(a_kill(reason="first"))
    again = flag.switch_on(a_kill(reason="second", since_ns=9, flatten=True))
    assert again == a_kill(reason="first", flatten=True)
    assert flag.switch_on(a_kill()) == again == flag.kill_of(ONE)


def test_of_both_scopes_every_sessions_is_told_and_either_flattens(flag: KillFlag) -> None:
    flag.switch_on(a_kill(reason="all"))
    flag.switch_on(a_kill("s", flatten=True))
    assert flag.kill_of(ONE) == a_kill(reason="all", flatten=True)


@pytest.mark.parametrize("content", [b"", b"{", b'{"by": 7}', b"\xff\xfe", b'{"session":"t","by":"x","since_ns":1}'])
def test_a_damaged_flag_blocks_until_it_is_lifted(flag: KillFlag, content: bytes) -> None:
    flag.switch_on(a_kill("s"))
    (flag.folder / "session-s.json").write_bytes(content)
    assert flag.is_on(ONE)
    (kill,) = flag.kills()
    assert kill.session == ONE and kill.damage is not None and "session-s.json" in kill.reason
    assert flag.switch_on(a_kill("s")) == a_kill("s") == flag.kill_of(ONE)
    assert flag.lift(ONE) and not flag.is_on(ONE)


def test_a_flag_that_is_a_folder_or_lies_behind_a_file_blocks(flag: KillFlag, tmp_path: Path) -> None:
    (flag.folder / "all.json").mkdir(parents=True)
    assert flag.is_on(ONE) and flag.kills()[0].damage is not None
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "kill").write_text("a file where the folder should be")
    assert KillFlag(tmp_path / "other").is_on(ONE)
    assert KillFlag(tmp_path / "other").kills()[0].session is None
    with pytest.raises(KillFlagFailed, match="is not on across a restart"):
        KillFlag(tmp_path / "other").switch_on(a_kill())


def test_a_flag_is_synced_with_its_folder_before_anybody_is_told(
    flag: KillFlag, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []

    def sync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    if sys.platform != "linux":
        pytest.skip("reads names of open files from /proc")
    monkeypatch.setattr(os, "fsync", sync)
    flag.switch_on(a_kill())
    assert flag.folder in synced and any(path.name.endswith("all.json") for path in synced)
    assert synced.index(flag.folder) > min(place for place, path in enumerate(synced) if path.name.endswith("all.json"))
    synced.clear()
    flag.lift(None)
    assert synced == [flag.folder]


# -- what it does


def test_entries_that_wait_are_cancelled_and_nothing_is_opened_until_it_is_lifted(bench: Bench) -> None:
    placed(bench, type="limit", limit_price="95", quantity="1")
    quote(bench)
    switch_on(bench, reason="odd prices")
    assert len(bench.events(CancelRequested)) == 1
    assert bench.sessions.kill_switch.view().scopes[0].waiting_entries == 1
    assert bench.sessions.of("s").status == (SessionStatus.KILLED, "kill switch, by tester: odd prices")
    quote(bench)
    assert bench.sessions.kill_switch.view().scopes[0].waiting_entries == 0
    assert refused(bench) == "refused by kill switch: on by tester: odd prices, allowed no entries"
    lift(bench)
    assert not bench.sessions.kill_switch.view().is_on
    assert bench.events(SessionRearmed) == [SessionRearmed(by="tester")]
    assert place(bench).order is not None
    assert bench.verify_all()["s.1"].beyond == 0


def test_what_is_held_keeps_its_stop_and_its_exits(bench: Bench) -> None:
    placed(bench, stop_price="95", target_price="120")
    quote(bench)
    switch_on(bench)
    quote(bench)
    resting = {one.request.purpose for one in state_of(bench).orders.values() if not one.is_final}
    assert resting == {OrderPurpose.STOP, OrderPurpose.TARGET}
    quote(bench, 94.0, 94.5), quote(bench, 94.0, 94.5)
    assert (
        not state_of(bench).groups and state_of(bench).book.position(*state_of(bench).instruments).signed_quantity == 0
    )


def test_it_flattens_where_it_is_asked_to_also_when_it_is_on_already(bench: Bench) -> None:
    placed(bench, stop_price="90")
    quote(bench)
    switch_on(bench)
    assert state_of(bench).groups["g0"].status is GroupStatus.OPEN
    switch_on(bench, flatten=True)
    for _ in range(3):
        quote(bench)
    assert not state_of(bench).groups
    assert all(order.is_final for order in state_of(bench).orders.values())


def test_a_session_s_kill_leaves_the_others_alone(bench: Bench) -> None:
    by_hand(bench, "t")
    switch_on(bench, session="t")
    assert place(bench, session="t").refusal is not None
    assert place(bench).order is not None


def test_a_strategy_s_entries_are_refused_and_its_exits_are_not(tmp_path: Path) -> None:
    with a_bench(tmp_path / "home") as bench:
        bench.start()
        held = 0
        for start in range(0, 3_000, 100):
            bench.play(ROWS[start : start + 100])
            if state_of(bench).groups and not held:
                held = len(bench.events(GroupOpened))
                switch_on(bench)
        assert len(bench.events(GroupOpened)) == held
        assert {one.limit for one in bench.events(EntryRefused)} == {"kill switch"}
        assert not state_of(bench).groups
        assert bench.verify_all()["s.1"].beyond == 0


# -- from another process, across restarts, on a bad disk


def test_an_entry_decided_before_the_engine_saw_the_flag_is_not_sent(bench: Bench) -> None:
    KillFlag(bench.home).switch_on(a_kill())  # as the command does it, in a process of its own
    order = placed(bench)
    quote(bench)
    assert [one.reason for one in bench.events(OrderRejected)] == ["the kill switch is on: it was not sent"]
    assert not bench.events(OrderFilled)
    bench.sessions.kill_switch.heed()
    assert refused(bench).startswith("refused by kill switch")
    assert bench.verify_all()["s.1"].beyond == 0
    assert order.group not in state_of(bench).groups


def test_an_exit_is_sent_while_the_flag_is_on(bench: Bench) -> None:
    placed(bench, stop_price="95")
    KillFlag(bench.home).switch_on(a_kill())
    quote(bench)
    assert [one.request.purpose for one in bench.events(OrderSubmitted)] == [OrderPurpose.ENTRY, OrderPurpose.STOP]
    assert not bench.events(OrderRejected)


@pytest.mark.parametrize("flatten", [False, True])
def test_a_kill_while_the_engine_was_down_holds_from_its_first_moment_on(tmp_path: Path, flatten: bool) -> None:
    with a_bench(tmp_path / "home") as bench:
        by_hand(bench)
        placed(bench)
        quote(bench)
        placed(bench, quantity="1")  # on its way when the process dies
        home = bench.crashed(tmp_path / "again")
        now_ns = bench.clock.time_ns + SECOND_NS
    KillFlag(home).switch_on(a_kill(flatten=flatten))
    with a_bench(home, now_ns=now_ns) as bench:
        bench.recover()
        assert [one.flatten for one in bench.events(SessionKilled)] == [flatten]
        assert bench.sessions.of("s").status[0] is SessionStatus.KILLED
        for _ in range(4):
            quote(bench)
        assert len(bench.events(OrderRejected)) == 1 and refused(bench)
        assert list(state_of(bench).groups) == ([] if flatten else ["g0"])
        assert [one.beyond for one in bench.verify_all().values()] == [0, 0]
        home = bench.crashed(tmp_path / "third")
    with a_bench(home, now_ns=now_ns + 60 * SECOND_NS) as bench:
        bench.recover()
        assert len(bench.events(SessionKilled)) == 1, "it knew already"
        lift(bench)
        quote(bench)
        assert place(bench).order is not None


def test_a_flag_that_was_lifted_while_the_engine_was_down_lets_it_open(tmp_path: Path) -> None:
    with a_bench(tmp_path / "home") as bench:
        by_hand(bench)
        switch_on(bench)
        home = bench.crashed(tmp_path / "again")
        now_ns = bench.clock.time_ns + SECOND_NS
    assert KillFlag(home).lift(None)
    with a_bench(home, now_ns=now_ns) as bench:
        bench.recover()
        quote(bench)
        assert bench.events(SessionRearmed) == [SessionRearmed(by="removing its flag")]
        assert place(bench).order is not None


def test_a_session_that_starts_under_it_starts_killed(tmp_path: Path) -> None:
    with a_bench(tmp_path / "home") as bench:
        switch_on(bench)
        by_hand(bench)
        assert bench.sessions.of("s").status[0] is SessionStatus.KILLED
        assert place(bench).refusal is not None


def test_a_disk_that_refuses_the_flag_is_told_and_the_engine_blocks_all_the_same(bench: Bench) -> None:
    placed(bench, type="limit", limit_price="95", quantity="1")
    (bench.home / "kill").write_text("no folder")
    with pytest.raises(KillFlagFailed, match="make room on that disk"):
        switch_on(bench)
    (bench.home / "kill").unlink()
    bench.sessions.kill_switch.heed()
    (scope,) = bench.sessions.kill_switch.view().scopes
    assert not scope.is_durable and len(bench.events(CancelRequested)) == 1
    assert place(bench).refusal is not None
    lift(bench)
    assert place(bench).order is not None
