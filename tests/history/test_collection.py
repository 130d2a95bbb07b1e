"""Collections on the disk: who records is known by its lock, and rows are counted where figures end too early."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.services import ROOT, environment
from tests.history.live import NOW_NS, a_recorder, a_registry, live_rows
from tests.history.series import BTC, DAY_START_NS, ETH
from workstation.errors import BadInput
from workstation.history.collection import (
    Collection,
    CollectionGap,
    CollectionShelf,
    CollectionState,
    collections_of,
    free_collection_name,
)
from workstation.history.collection_rows import recorded_rows
from workstation.history.durable import RecorderRunning, is_owned, take_ownership
from workstation.history.layout import HistoryKind, Series
from workstation.history.store import HistoryStore
from workstation.model.durations import MINUTE_NS, MS_NS

OWNER = """
import sys
from pathlib import Path
from workstation.history.durable import take_ownership
owner = take_ownership(Path(sys.argv[1]))
print("owned", flush=True)
sys.stdin.read()
"""


def a_collection(**fields: Any) -> Collection:
    return Collection(
        **({"name": "night", "by": "test", "is_of_engine": True, "instruments": (("nova", "BTC/USDT"),),
            "trades": True, "intervals": ("1m",), "funding": False, "book_levels": 0, "begun_ns": 10, "saved_ns": 20}
           | fields)
    )  # fmt: skip


def test_it_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    shelf = CollectionShelf(tmp_path)
    kept = a_collection().with_gap(CollectionGap(from_ns=1, to_ns=None, why="closed", venue="nova"))
    shelf.save(kept)
    assert (shelf.load("night"), shelf.load("day"), shelf.names()) == (kept, None, ["night"])
    for name in ("", "../night", "a/b", ".night", "<img>", "x" * 61, "a\nb"):
        with pytest.raises(BadInput, match="expected a name of letters"):
            shelf.load(name)


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, CollectionState.INTERRUPTED),
        ({"planned_end_ns": 101}, CollectionState.INTERRUPTED),
        ({"planned_end_ns": 100}, CollectionState.LOST),
        ({"is_of_engine": False}, CollectionState.LOST),
        ({"state": CollectionState.STOPPED}, CollectionState.STOPPED),
    ],
)
def test_what_is_said_to_run_does_not_without_a_process(
    tmp_path: Path, fields: dict[str, Any], state: CollectionState
) -> None:
    CollectionShelf(tmp_path).save(a_collection(**fields))
    (found,), faults = collections_of(tmp_path, 100)
    assert (found.state, faults) == (state, [])
    assert (found.ended_ns is not None) == (state is CollectionState.LOST)
    owner = take_ownership(tmp_path / "live")
    (found,), _ = collections_of(tmp_path, 100)
    assert found.state is fields.get("state", CollectionState.RUNNING)
    owner.close()


def test_whoever_looks_is_in_no_owners_way_and_a_killed_one_owns_no_more(tmp_path: Path) -> None:
    folder = tmp_path / "live"
    assert not is_owned(folder)
    command = [sys.executable, "-c", OWNER, str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=environment(tmp_path)
    ) as owner:
        assert owner.stdout is not None and owner.stdout.readline() == b"owned\n"
        assert is_owned(folder) and is_owned(folder)
        with pytest.raises(RecorderRunning, match=f"process {owner.pid} already records"):
            take_ownership(folder)
        owner.kill()
    assert not is_owned(folder)
    for _ in range(3):
        take_ownership(folder).close()
        assert not is_owned(folder)


def test_rows_of_a_span_are_counted_where_they_lie_rolled_or_not(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    recorder = a_recorder(store, now_ns=NOW_NS)
    rows = live_rows(300)
    recorder.record(rows[:200], a_registry())
    recorder.sync()
    recorder.roll()
    recorder.record(rows[200:], a_registry())
    recorder.sync()
    first, last = DAY_START_NS + 20 * MS_NS, DAY_START_NS + 250 * MS_NS
    found = {
        (one.kind, one.symbol, one.interval): (one.rows, one.last_ns)
        for one in recorded_rows(store, lambda series: True, first, last)
    }
    expected: dict[Any, tuple[int, int]] = {}
    for row in rows[(rows["ts_received"] >= first) & (rows["ts_received"] < last)]:
        kind = {1: "quotes", 2: "trades", 3: "bars"}[int(row["kind"])]
        key = (kind, (BTC, ETH)[row["instrument"]].symbol, "1m" if kind == "bars" else None)
        expected[key] = (expected.get(key, (0, 0))[0] + 1, int(row["ts_received"]))
    assert {key: count for key, (count, _) in found.items()} == {key: count for key, (count, _) in expected.items()}
    assert all(expected[key][1] <= last_ns < last for key, (_, last_ns) in found.items())
    wanted = Series(kind=HistoryKind.BARS, key=BTC, interval_ns=MINUTE_NS)
    assert [one.kind for one in recorded_rows(store, lambda series: series == wanted, 0, last)] == ["bars"]
    recorder.close()


def test_names_are_found_beside_those_that_are_taken() -> None:
    assert free_collection_name([]) == "collection-1"
    assert free_collection_name(["Collection-1", "night", "collection-3"]) == "collection-2"
