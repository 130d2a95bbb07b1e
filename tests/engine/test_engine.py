"""The engine as a whole, without sockets: what it answers, what it is made of, and that paper stays on paper."""

import asyncio
import socket
from decimal import Decimal
from pathlib import Path

import pytest

from tests.engine.bench import Bench, a_bench
from tests.engine.test_feeds import an_engine
from tests.session.desks import NOVA, ORION, START_NS, linear, random_quotes
from workstation.client.messages import SessionStatus
from workstation.config.loading import load_configuration
from workstation.engine.channel import BLOCK
from workstation.errors import BadInput, ConfigError, LedgerInUse, OperatorError
from workstation.history.recorder import Recorder
from workstation.history.store import HistoryStore
from workstation.ledger.journal import Ledger
from workstation.model.events import GroupOpened, OrderFilled
from workstation.model.instrument import InstrumentKey, InstrumentKind
from workstation.server.host import run_engine

ROWS = random_quotes(5, 1_500)


@pytest.fixture
def bench(tmp_path: Path):
    with a_bench(tmp_path / "home") as bench:
        yield bench


def test_a_paper_session_trades_without_one_connection(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a paper session wanted a connection")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    bench.start()
    bench.play(ROWS)
    assert bench.events(GroupOpened) and bench.events(OrderFilled)
    assert bench.verify_all()["s.1"].beyond == 0


def test_it_answers_of_what_its_sessions_do(bench: Bench) -> None:
    engine = an_engine(bench)
    bench.start()
    bench.play(ROWS)
    (one,) = engine.sessions()
    assert (one.status, one.run, one.opening_equity) == (SessionStatus.RUNNING, "s.1", Decimal(20_000))
    assert one.equity is not None and one.equity != one.opening_equity and one.signals > 0
    assert engine.session("s").runs == ("s.1",)
    assert len(engine.positions()) == 2 and engine.orders("s") and engine.signals("s")
    health = engine.health()
    assert health.rows == len(ROWS) and health.sessions == 1 and health.problems == ()


def test_pause_resume_and_stop_pass_through_the_walk(bench: Bench) -> None:
    engine = an_engine(bench)
    bench.start()
    assert asyncio.run(engine.pause_session("s", "me", "lunch")).status is SessionStatus.PAUSED
    assert asyncio.run(engine.resume_session("s", "me")).status is SessionStatus.RUNNING
    assert asyncio.run(engine.stop_session("s", "me", flatten=True)).status is SessionStatus.STOPPED
    with pytest.raises(BadInput, match="it was stopped; start another one"):
        asyncio.run(engine.resume_session("s", "me"))
    asyncio.run(bench.sessions.end(bench.sessions.of("s")))
    for ask in (engine.pause_session, engine.stop_session):
        with pytest.raises(BadInput, match="it has ended"):
            asyncio.run(ask("s", "me"))


def test_coins_that_a_session_opened_with_count_on_both_sides(tmp_path: Path) -> None:
    keys = [InstrumentKey(key.venue, "BTC/USDT") for key in (NOVA, ORION)]  # type: ignore[arg-type]
    with a_bench(tmp_path / "home", [linear(key, kind=InstrumentKind.SPOT) for key in keys]) as bench:
        live = bench.start(symbol="BTC/USDT", coins="0.5", parameters={"entry_z": 50.0})
        engine = an_engine(bench)
        assert engine.sessions()[0].opening_equity == Decimal(20_000)  # no price yet
        bench.play(ROWS[:50], keys=keys)
        (one,) = engine.sessions()
        assert one.opening_equity == one.equity > Decimal(29_000)
        assert not live.session.state.orders


def test_one_home_has_one_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = configured(tmp_path, '[venues.nova]\nexchange = "binance"\nurl = "http://127.0.0.1:9/nova"\n')
    settings = configuration.settings
    with Ledger.open(settings.paths.ledger), pytest.raises(LedgerInUse, match="ledger"):
        run_engine(configuration)
    recorder = Recorder.open(HistoryStore(settings.paths.history), now_ns=START_NS)
    try:
        with pytest.raises(OperatorError, match="record"):
            run_engine(configuration)
    finally:
        recorder.close()


def test_an_engine_without_venues_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no venues; add a table such as \[venues.binance\]"):
        run_engine(configured(tmp_path, ""))


def test_an_exchange_that_there_is_not_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"exchange 'binanse': no such id in ccxt; did you mean binance"):
        run_engine(configured(tmp_path, '[venues.nova]\nexchange = "binanse"'), port=0)


def configured(home: Path, text: str):
    file = home / "config.toml"
    file.write_text(f'[paths]\nhome = "{home}"\n{text}')
    return load_configuration(file)


def test_a_turn_that_fails_while_a_feed_tells_its_rows_ends_the_engine_and_not_the_feed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.start()

    def fails(rows: object) -> None:
        raise RuntimeError("the market is out of order")

    monkeypatch.setattr(bench.market, "advance", fails)
    for row in ROWS[:BLOCK]:
        bench.clock.time_ns = max(bench.clock.time_ns, int(row["ts_received"]))
        bench.tell(row)  # the last one makes a block, and raises nothing
    with pytest.raises(RuntimeError, match="out of order"):
        asyncio.run(asyncio.wait_for(bench.turns.run(), 5))
