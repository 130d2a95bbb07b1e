"""The kill switch in real processes (F43): the command alone, an engine that was dead meanwhile, one that hangs."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.services import ROOT, environment
from tests.faults.running import Engine, Venues, until, write_configuration
from workstation.client.client import Client
from workstation.client.declaration import SessionDeclaration
from workstation.client.messages import OrderView, SessionStatus
from workstation.client.ticket import OrderTicket, Placed
from workstation.ledger.journal import read_runs
from workstation.research.verify import verify

MINE = SessionDeclaration(session="mine", strategy="by-hand", venues=("nova",), symbol="BTC/USDT")


def command(engine: Engine, configuration: Path, *words: str) -> str:
    """What `workstation kill …` prints, run as a process of its own."""
    variables = environment(engine.home) | {"WORKSTATION_API__PORT": str(engine.port)}
    arguments = [sys.executable, "-m", "workstation", "kill", *words, "--config", str(configuration)]
    done = subprocess.run(arguments, capture_output=True, text=True, env=variables, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def placed(client: Client, **changes: object) -> Placed:
    fields = {"session": "mine", "venue": "nova", "symbol": "BTC/USDT", "side": "buy", "notional": 100} | changes
    return client.place_order(OrderTicket.model_validate(fields))


def is_quoted(client: Client) -> bool:
    return any(one.bid is not None for one in client.quotes("BTC/USDT"))


def is_killed(client: Client) -> bool:
    return any(one.session == "mine" and one.status is SessionStatus.KILLED for one in client.sessions())


def order(client: Client, wanted: str) -> OrderView:
    return next(one for one in client.orders("mine") if one.client_order_id == wanted)


@pytest.mark.slow
def test_a_kill_while_the_engine_is_dead_holds_when_it_comes_back_and_its_lifting_is_typed(tmp_path: Path) -> None:
    with Venues(tmp_path / "venues", "nova") as venues:
        configuration = write_configuration(tmp_path, venues)
        with Engine(configuration) as engine, engine.client() as client:
            client.start_session(MINE)
            until(lambda: is_quoted(client), "a price")
            took = placed(client)
            bought = took.order
            assert bought is not None and bought.decision_price is not None, took.refusal
            resting = placed(client, type="limit", limit_price=str(round(bought.decision_price / 2, 2))).order
            assert resting is not None
            until(lambda: order(client, resting.client_order_id).status == "accepted", "an order that rests")
            until(lambda: client.health().journal_lag_ms == 0, "its report on the disk")
            engine.kill()
        assert "no engine was asked" in command(engine, configuration, "--reason", "drill")
        with Engine(configuration) as engine, engine.client() as client:
            until(lambda: is_killed(client), "a killed session")
            until(lambda: order(client, resting.client_order_id).status == "cancelled", "its order cancelled")
            until(lambda: is_quoted(client), "a price")
            refused = placed(client).refusal
            assert refused is not None and refused.limit == "kill switch"
            assert any("kill switch: on for every session" in one for one in client.health().problems)
            assert len(client.groups("mine")) == 1, "nothing was flattened"
            assert "lifted for every session" in command(engine, configuration, "--reset", "--confirm", "reset")
            assert placed(client).order is not None
            assert "on for every session" in command(engine, configuration, "--flatten")
            until(lambda: not client.groups("mine"), "all closed")
            assert engine.end() == 0
        for run in read_runs(engine.ledger):
            verify(engine.ledger, run.run_id)


@pytest.mark.slow
def test_a_flag_written_beside_an_engine_that_hangs_is_heeded_as_soon_as_it_moves(tmp_path: Path) -> None:
    with Venues(tmp_path / "venues", "nova") as venues:
        configuration = write_configuration(tmp_path, venues)
        with Engine(configuration) as engine, engine.client() as client:
            client.start_session(MINE)
            until(lambda: is_quoted(client), "a price")
            os.kill(engine.pid, signal.SIGSTOP)
            try:
                assert "gave no answer in time" in command(engine, configuration)
            finally:
                os.kill(engine.pid, signal.SIGCONT)
            with engine.client() as after:  # the connection from before may have been let go meanwhile
                until(lambda: after.session("mine").status is SessionStatus.KILLED, "a killed session")
                assert placed(after).refusal is not None
