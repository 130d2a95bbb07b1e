"""`workstation data record` and `data collect`: collections of an engine and of a process of its own, from other
terminals; killed, stopped, gone on with."""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.histories import refusal, run
from tests.cli.services import lines_until, process_of
from tests.faults.running import Engine, Venues, until, write_configuration
from workstation.history.collection import Collection, CollectionShelf, CollectionState
from workstation.history.layout import HistoryKind
from workstation.history.store import HistoryStore
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey

SOL = InstrumentKey(Venue("nova"), Symbol("SOL/USDT"))
RECORD = ("data", "record", "--symbols", "SOL/USDT", "--venues", "nova", "--intervals", "1m")


@pytest.fixture
def configuration(tmp_path: Path) -> Iterator[Path]:
    with Venues(tmp_path, "nova,orion", quotes_per_second=100) as venues:
        yield write_configuration(tmp_path, venues)


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    """What a command says as JSON."""
    capsys.readouterr()
    assert run(*arguments, "--json") == 0
    return json.loads(capsys.readouterr().out)


def a_collection(name: str, **fields: Any) -> Collection:
    return Collection(
        **({"name": name, "by": "test", "is_of_engine": True, "instruments": (("nova", "SOL/USDT"),), "trades": True,
            "intervals": (), "funding": False, "book_levels": 0, "begun_ns": 10**18, "saved_ns": 10**18} | fields)
    )  # fmt: skip


@pytest.mark.slow
def test_one_of_its_own_process_is_listed_stopped_from_another_terminal_and_lost_when_killed(
    configuration: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--config", configuration)
    shelf = CollectionShelf(tmp_path / "home" / "history")
    with process_of(tmp_path / "home", [*RECORD, "--name", "night", *where]) as process:
        lines_until(process, "Ctrl-C ends it")
        until(lambda: (one := shelf.load("night")) and one.rows, "rows are kept")
        (shown,) = told(capsys, "data", "collect", "list", *where)
        assert (shown["name"], shown["state"], shown["is_of_engine"]) == ("night", "running", False)
        assert shown["rows"] > 0 and shown["ended_ns"] is None
        stopped = told(capsys, "data", "collect", "stop", "night", *where)
        assert (stopped["state"], stopped["reason"]) == ("stopped", "by command line")
        out, err = process.communicate(timeout=60)
        assert (process.returncode, "Traceback" in err) == (0, False)
        assert re.search(
            rf"recorded {stopped['rows']:,} rows, 0 lost; collection night: stopped by command line\n", out
        )
    store = HistoryStore(tmp_path / "home" / "history")
    quotes = next(one for one in stopped["series"] if one["kind"] == "quotes")
    stored = store.rows(SOL, HistoryKind.QUOTES, 0, stopped["begun_ns"], stopped["ended_ns"], as_recorded=True)
    assert len(stored) == quotes["rows"] > 0
    with process_of(tmp_path / "home", [*RECORD, *where]) as process:
        lines_until(process, "Ctrl-C ends it")
        until(lambda: (one := shelf.load("collection-1")) and one.rows, "rows are kept")
        process.kill()
        process.communicate()
    assert [one["state"] for one in told(capsys, "data", "collect", "list", *where)] == ["stopped", "lost"]
    with process_of(tmp_path / "home", [*RECORD, *where]) as process:
        lines_until(process, "Ctrl-C ends it")
        lost = until(lambda: (one := shelf.load("collection-1")) and not one.is_open and one, "it is written down")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0 and "collection collection-2: stopped its process was told to end" in out
    quotes = next(one for one in lost.series if one.kind == "quotes")
    counted = store.rows(SOL, HistoryKind.QUOTES, 0, lost.begun_ns, (lost.ended_ns or 0) + 1, as_recorded=True)
    assert (lost.state, quotes.rows) == (CollectionState.LOST, len(counted))


@pytest.mark.slow
def test_a_running_engine_is_found_and_asked_and_goes_on_after_it_was_killed(
    configuration: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--config", configuration)
    with Engine(configuration) as engine, engine.client() as client:
        until(lambda: all(one.state == "live" for one in client.health().feeds), "feeds are live")
        monkeypatch.setenv("WORKSTATION_API__PORT", str(engine.port))
        assert run(*RECORD, "--name", "long", "--for", "1h", "--detach", *where) == 0
        assert f"the engine at http://127.0.0.1:{engine.port} records it" in capsys.readouterr().out
        until(lambda: client.collection("long").rows, "it has rows")
        assert "SOL/USDT" in {one.symbol for one in client.instruments()}
        with process_of(tmp_path / "home", [*RECORD, *where], WORKSTATION_API__PORT=str(engine.port)) as process:
            lines_until(process, "as collection-1; Ctrl-C ends it")
            until(lambda: client.collection("collection-1").rows, "it has rows")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
            assert (process.returncode, "Traceback" in err) == (0, False), err
            assert "collection collection-1: stopped by command line" in out
        assert refusal(capsys, *RECORD, "--name", "LONG", *where).startswith("collection LONG: there is one of that")
        before = until(lambda: client.collection("long"), "it is told")
        engine.kill()
    (interrupted, _) = told(capsys, "data", "collect", "list", *where)
    assert (interrupted["state"], interrupted["ended_ns"]) == ("interrupted", None)
    with Engine(configuration) as engine, engine.client() as client:
        until(lambda: client.collection("long").rows > before.rows, "it goes on")
        again = client.collection("long")
        assert (again.state, again.begun_ns) == (CollectionState.RUNNING, before.begun_ns)
        assert again.planned_end_ns == before.planned_end_ns
        assert [(gap.venue, gap.why) for gap in again.gaps] == [("nova", "the engine ended without stopping")]
        stopped = told(capsys, "data", "collect", "stop", "long", *where)
        assert client.collection("long").rows == stopped["rows"] > before.rows
        assert [one.state for one in client.collections()] == ["stopped", "stopped"]
        assert client.health().problems == ()
        assert engine.end() == 0
    store = HistoryStore(tmp_path / "home" / "history")
    rows = store.rows(SOL, HistoryKind.QUOTES, 0, stopped["begun_ns"], stopped["ended_ns"], as_recorded=True)
    assert len(rows) == next(one["rows"] for one in stopped["series"] if one["kind"] == "quotes")


def test_with_no_process_one_is_shown_in_full_and_an_engines_is_stopped_for_good(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf = CollectionShelf(home / "history")
    assert run("data", "collect", "list") == 0
    assert "no collections in" in capsys.readouterr().out
    shelf.save(a_collection("night", planned_end_ns=2 * 10**18))
    shelf.save(a_collection("own", is_of_engine=False))
    shelf.save(a_collection("over", planned_end_ns=10**18 + 1))
    states = {one["name"]: one["state"] for one in told(capsys, "data", "collect", "list")}
    assert states == {"night": "interrupted", "own": "lost", "over": "lost"}
    assert run("data", "collect", "show", "night") == 0
    assert "goes on when one starts" in capsys.readouterr().out
    assert told(capsys, "data", "collect", "stop", "night")["state"] == "stopped"
    said = refusal(capsys, "data", "collect", "stop", "night")
    assert said == "collection night: it has ended: stopped by command line\n"
    assert refusal(capsys, "data", "collect", "stop", "own").startswith("collection own: it has ended: lost the recor")
    assert refusal(capsys, "data", "collect", "show", "day") == (
        "collection day: there is none; the last are night, over, own\n"
    )
    assert refusal(capsys, "data", "collect", "show", "<img>").startswith("collection '<img>': expected a name of")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--name", "<img src=x onerror=alert(1)>"), "collection '<img src=x onerror=alert(1)>': expected a name of"),
        (("--name", "../x"), "collection '../x': expected a name of letters"),
        (("--for", "99999999d"), "--for '99999999d': expected ten years at most"),
        (("--for", "-1s"), "--for '-1s': expected a length of time"),
        (("--detach",), "--detach: no engine records here"),
    ],
)
def test_what_cannot_be_a_collection_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], sentence: str
) -> None:
    (home / "workstation.toml").write_text('[venues.nova]\nexchange = "binance"\n')
    assert refusal(capsys, "data", "record", "--symbols", "BTC/USDT", *options).startswith(sentence)
