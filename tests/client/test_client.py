"""The client says Control's words over HTTP, and raises what the engine raised."""

import asyncio
import inspect
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

import workstation
from tests.server.desk import DECLARED, TOKEN, Desk, an_app, served
from workstation.client.client import Client, connect
from workstation.client.collection import CollectionRequest
from workstation.client.control import Control
from workstation.client.declaration import SessionDeclaration
from workstation.client.jobs import BacktestJob, DownloadJob, JobState, ReplayJob
from workstation.client.messages import SessionStatus
from workstation.errors import (
    AccessRefused,
    BadInput,
    CollectionExists,
    CollectionNotFound,
    EngineUnreachable,
    HaltError,
    HistoryMissing,
    JobNotFound,
    JournalStalled,
    OperatorError,
    RetryError,
    SessionExists,
    SessionNotFound,
    WorkstationError,
)
from workstation.server.settings import Rate

DECLARATION = SessionDeclaration.model_validate(DECLARED)


@contextmanager
def running(desk: Desk, **settings: object) -> Iterator[str]:
    """The desk on a port, in a thread with a loop of its own; its address."""
    ready, done = threading.Event(), asyncio.Event()
    ports: list[int] = []
    loops: list[asyncio.AbstractEventLoop] = []

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        async with served(an_app(desk, **settings)) as port:
            ports.append(port)
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert ready.wait(20)
    try:
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        loops[0].call_soon_threadsafe(done.set)
        thread.join()


def answering(status: int, content: str = "{}") -> Client:
    """A client whose every question is answered so."""
    transport = httpx.MockTransport(lambda request: httpx.Response(status, text=content))
    return Client("http://127.0.0.1:1", TOKEN, transport=transport)


def test_it_has_every_word_of_control_with_the_same_arguments() -> None:
    for name, word in inspect.getmembers(Control, inspect.isfunction):
        if not name.startswith("_"):
            ours = inspect.signature(getattr(Client, name)).parameters
            assert list(ours) == list(inspect.signature(word).parameters), name


def test_what_comes_back_is_what_the_engine_said() -> None:
    desk = Desk()
    with running(desk) as url, Client(url, TOKEN, by="notebook") as client:
        assert client.start_session(DECLARATION).session == "one"
        assert client.session("one") == desk.session("one")
        assert client.pause_session("one", reason="lunch").status is SessionStatus.PAUSED
        assert client.resume_session("one", by="cli").status is SessionStatus.RUNNING
        assert client.stop_session("one", flatten=True).status is SessionStatus.STOPPED
        assert client.sessions() == tuple(desk.sessions())
        assert client.orders("one", open_only=True) == tuple(desk.orders("one", open_only=True))
        assert client.orders() == tuple(desk.orders())
        assert client.positions("one") == tuple(desk.positions())
        assert client.groups() == tuple(desk.groups())
        assert client.signals() == tuple(desk.signals())
        client.orders(limit=7, after="")
        client.signals(limit=5_000, after="s-1")
        assert desk.pages[-2:] == [(7, ""), (5_000, "s-1")]
        assert client.spreads("ETH/USDT") == tuple(desk.spreads("ETH/USDT"))
        assert client.quotes("ETH/USDT") == tuple(desk.quotes("ETH/USDT"))
        assert client.instruments() == tuple(desk.instruments())
        assert client.bars("nova", "BTC/USDT", "5m", 7) == asyncio.run(desk.bars("nova", "BTC/USDT", "5m", 7))
        assert client.health() == desk.health()
        assert client.reset_feed("nova", by="cli") == desk.health().feeds[0]
        with pytest.raises(BadInput, match="venue 'orion': expected one of the engine's: nova"):
            client.reset_feed("orion")
        with pytest.raises(BadInput, match=r"venue '\.\./kill': expected an id"):
            client.reset_feed("../kill")
    assert [by for _, _, by in desk.acts] == ["notebook", "notebook", "cli", "notebook", "cli"]


def test_jobs_come_back_as_the_engine_said_them() -> None:
    desk = Desk()
    replay = ReplayJob(session="one", strategy="spread-reversion", venues=("nova", "orion"), symbol="BTC/USDT")
    backtest = BacktestJob(strategy="ma-cross", venue="nova", symbol="BTC/USDT", interval="1h", balance=Decimal("7.5"))
    with running(desk) as url, Client(url, TOKEN, by="notebook") as client:
        assert client.start_job(replay).job == "replay-1"
        assert client.start_job(backtest, by="cli").session is None
        assert client.jobs() == tuple(desk.jobs())
        assert client.job("replay-1").request == replay
        assert client.job("backtest-2").request == backtest
        asked = DownloadJob(venue="nova", symbol="BTC/USDT", start_ns=10**18)
        assert client.start_job(asked).series == "bars nova:BTC/USDT 1m"
        assert client.job("download-3").request == asked
        assert client.cancel_job("replay-1").state is JobState.CANCELLED
        with pytest.raises(JobNotFound, match="job replay-9: there is none"):
            client.job("replay-9")
        with pytest.raises(BadInput, match=r"job 'a/\.\.': expected a name such as replay-7"):
            client.cancel_job("a/..")
        with pytest.raises(HistoryMissing, match="not stored"):
            client.start_job(replay.model_copy(update={"symbol": "GONE/USDT"}))
    assert [by for _, _, by in desk.acts] == ["notebook", "cli", "notebook", "notebook"]


def test_collections_come_back_as_the_engine_said_them() -> None:
    desk = Desk()
    with running(desk) as url, Client(url, TOKEN, by="notebook") as client:
        request = CollectionRequest(name="night", symbols=("BTC/USDT",), seconds=90.0)
        assert client.start_collection(request) == desk.collections()[0]
        assert client.collections() == tuple(desk.collections())
        assert client.collection("night") == desk.collection("night")
        with pytest.raises(CollectionExists, match="there is one of that name"):
            client.start_collection(request)
        assert client.stop_collection("night", by="cli").reason == "by cli"
        with pytest.raises(CollectionNotFound, match="collection day: there is none"):
            client.collection("day")
        with pytest.raises(BadInput, match=r"collection 'a/\.\.': expected a name"):
            client.stop_collection("a/..")
    assert [by for _, _, by in desk.acts] == ["notebook", "cli"]


def test_an_error_of_the_engine_is_raised_as_the_same_class_with_the_same_sentence() -> None:
    desk = Desk()
    with running(desk) as url, Client(url, TOKEN) as client:
        client.start_session(DECLARATION)
        with pytest.raises(SessionExists, match="session one: it is running; choose another name"):
            client.start_session(DECLARATION)
        with pytest.raises(SessionNotFound, match="session two: there is none; one is there"):
            client.session("two")
        with pytest.raises(BadInput, match="'nonsense'"):
            client.start_session(DECLARATION.model_copy(update={"session": "b", "strategy": "nonsense"}))
        with pytest.raises(BadInput, match=r"session 'a/\.\./b': expected a name"):
            client.session("a/../b")
        desk.failure = JournalStalled("5 s without durability")
        with pytest.raises(JournalStalled, match="5 s without durability"):
            client.positions()
        desk.failure = ZeroDivisionError("inside")
        with pytest.raises(WorkstationError, match="its log says what"):
            client.positions()


@pytest.mark.parametrize("name", ["", ".", "..", "...", "\ud800", "a\nb", "é" * 100])
def test_a_name_that_no_session_can_have_is_bad_input(name: str) -> None:
    with running(Desk()) as url, Client(url, TOKEN) as client, pytest.raises(BadInput):
        client.session(name)


def test_a_wrong_token_and_too_many_questions_are_told() -> None:
    with running(Desk(), stranger_rate=Rate(per_second=0.01, burst=1)) as url, Client(url, "x" * 43) as client:
        with pytest.raises(AccessRefused, match="the token is not this engine's") as refused:
            client.sessions()
        assert TOKEN not in str(refused.value)
        with pytest.raises(RetryError, match="too many requests"):
            client.sessions()


def test_where_nobody_answers_a_sentence_says_what_to_do() -> None:
    with Client("http://127.0.0.1:1", TOKEN) as client, pytest.raises(EngineUnreachable, match="start the engine"):
        client.health()


@pytest.mark.parametrize(("status", "content"), [(404, "<html>"), (200, "<html>"), (200, "[1]"), (302, "")])
def test_something_else_on_the_port_is_no_engine(status: int, content: str) -> None:
    with pytest.raises(OperatorError, match="is no engine of this version"):
        answering(status, content).health()


@pytest.mark.parametrize("kind", ["Nonsense", "BaseException", "annotations", "__doc__"])
def test_a_kind_of_error_that_this_version_does_not_know_is_still_an_error(kind: str) -> None:
    with pytest.raises(WorkstationError, match="sentence") as raised:
        answering(400, f'{{"error": "sentence", "kind": "{kind}"}}').health()
    assert type(raised.value) is WorkstationError
    assert not isinstance(raised.value, HaltError)


@pytest.mark.parametrize("url", ["", "127.0.0.1:8790", "ftp://x", "http://user@host", "http://host/path", "http://h?a"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="expected the engine's address"):
        Client(url, TOKEN)


def test_its_text_does_not_show_the_token() -> None:
    assert repr(Client("http://127.0.0.1:8790", TOKEN)) == "Client('http://127.0.0.1:8790')"


def test_connect_finds_the_engine_of_the_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineUnreachable, match="no engine has run in"):
        connect()
    (home / "api_token").write_text(TOKEN + "\n")
    with running(Desk()) as url:
        monkeypatch.setenv("WORKSTATION_API__PORT", url.rpartition(":")[2])
        with workstation.connect() as engine:
            assert engine.url == url
            assert engine.health().version == "1"
        with pytest.raises(AccessRefused, match="belongs to another home"):
            connect(token="x" * 43)
    with pytest.raises(EngineUnreachable, match="no engine answers at http"):
        connect()


def test_events_come_to_code_without_a_loop_of_its_own() -> None:
    desk = Desk()
    desk.publish(3)
    states: list[str] = []
    with running(desk) as url, Client(url, TOKEN) as client:
        loop_free = client.events("order_filled", on_state=lambda state: (states.append(state), desk.publish(2)))
        heard = [next(loop_free).sequence for _ in range(2)]
        loop_free.close()
    assert heard == [4, 5]
    assert states == ["connected"]


def test_events_come_inside_a_running_loop_too() -> None:
    desk = Desk()
    with running(desk) as url, Client(url, TOKEN) as client:

        async def cell() -> int:
            events = client.events(on_state=lambda state: desk.publish(1))
            first = next(events)
            events.close()
            return first.sequence

        assert asyncio.run(cell()) == 1


@pytest.mark.parametrize(
    ("topics", "more"), [(["nonsense"], {}), ([], {"session": "a b"}), ([], {"symbols": [""]}), ([7], {})]
)
def test_what_cannot_be_subscribed_is_refused_at_once(topics: list[str], more: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        Client("http://127.0.0.1:1", TOKEN).events(*topics, **more)
