"""uvicorn in somebody else's event loop."""

import asyncio
import logging
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from tests.server.desk import AUTHORIZED, Desk, an_app, listening, served
from workstation.errors import ConfigError
from workstation.server.serve import listen, serve


def test_a_taken_port_is_one_clear_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}: another program listens there"):
            asyncio.run(serve(an_app(Desk()), "127.0.0.1", port))


def test_it_never_listens_where_others_reach_it() -> None:
    with pytest.raises(ConfigError, match="expected an address of this machine alone"):
        listen("0.0.0.0", 0)


def test_it_answers_until_cancelled_and_frees_its_port() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with served(an_app(desk)) as port, httpx.AsyncClient() as client:
            answer = await client.get(f"http://127.0.0.1:{port}/sessions", headers=AUTHORIZED)
            assert answer.json() == []
            assert "server" not in answer.headers
        async with served(an_app(desk), port) as again:
            assert again == port

    asyncio.run(scenario())


def test_signals_stay_with_the_caller() -> None:
    async def scenario() -> None:
        before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
        async with served(an_app(Desk())):
            assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before

    asyncio.run(scenario())


def test_when_it_ends_its_streams_are_told_to_come_again() -> None:
    async def scenario() -> tuple[int, str]:
        async with served(an_app(Desk())) as port:
            waiting = asyncio.Event()

            async def client() -> tuple[int, str]:
                async with listening(port) as stream:
                    await stream.subscribe()
                    waiting.set()
                    return await stream.closed()

            task = asyncio.create_task(client())
            await waiting.wait()
        return await task

    assert asyncio.run(scenario())[0] == 1012


def test_a_fault_of_our_own_is_in_the_log_and_the_token_is_not(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> int:
        desk = Desk()
        desk.failure = ZeroDivisionError("what went wrong")
        async with served(an_app(desk)) as port, httpx.AsyncClient() as client:
            return (await client.get(f"http://127.0.0.1:{port}/positions", headers=AUTHORIZED)).status_code

    with caplog.at_level(logging.DEBUG):
        assert asyncio.run(scenario()) == 500
    assert "what went wrong" in caplog.text
    assert AUTHORIZED["Authorization"].split()[1] not in caplog.text


def test_an_engine_is_not_made_larger_by_what_research_needs() -> None:
    """40 MB and more, which would count beside its windows."""
    large = {"pandas", "duckdb", "panel", "bokeh", "polars"}
    code = f"import workstation.server.host, sys; print(*{large} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []
