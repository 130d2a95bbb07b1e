"""Connections that say nothing, or never come to an end of what they ask."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from tests.server.desk import AUTHORIZED, Desk, an_app, listening, served
from workstation.server import connections
from workstation.server.connections import MOST, most_connections

ASKED = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n"


class Line:
    """One connection, byte for byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def say(self, text: bytes) -> None:
        self._writer.write(text)

    async def ends(self) -> bytes:
        """All that came before the other side ended it."""
        heard = b""
        with contextlib.suppress(ConnectionResetError):
            while part := await asyncio.wait_for(self._reader.read(65_536), 10):
                heard += part
        return heard

    async def answer(self) -> bytes:
        self.say(ASKED + b"\r\n")
        return await asyncio.wait_for(self._reader.readuntil(b"}"), 10)


@contextlib.asynccontextmanager
async def a_line(port: int) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Line(reader, writer)
    finally:
        writer.transport.abort()


def test_one_connection_too_many_costs_the_one_that_was_silent_longest() -> None:
    async def scenario() -> None:
        async with served(an_app(Desk()), most=3) as port, a_line(port) as busy, a_line(port) as first:
            assert b"200 OK" in await busy.answer()
            async with a_line(port) as second, a_line(port) as third:
                assert await first.ends() == b""
                for line in (third, second, busy):
                    assert b"200 OK" in await line.answer()

    asyncio.run(scenario())


@pytest.mark.parametrize("said", [b"", ASKED, b"GET"])
def test_who_does_not_say_what_it_wants_in_time_is_let_go(said: bytes) -> None:
    async def scenario() -> None:
        async with served(an_app(Desk()), patience_s=0.05) as port, a_line(port) as line:
            line.say(said)
            assert await line.ends() == b""

    asyncio.run(scenario())


def test_who_begins_its_second_request_and_does_not_end_it_is_let_go() -> None:
    async def scenario() -> None:
        async with served(an_app(Desk()), patience_s=0.5) as port, a_line(port) as line:
            assert b"200 OK" in await line.answer()
            line.say(ASKED)
            assert await line.ends() == b""

    asyncio.run(scenario())


def test_a_body_on_its_way_and_a_stream_have_their_own_time() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with served(an_app(desk), patience_s=1.5) as port, listening(port) as stream, a_line(port) as line:
            token = AUTHORIZED["Authorization"].encode()
            head = b"POST /sessions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\nConnection: close\r\n"
            line.say(head + b"Authorization: " + token + b"\r\n\r\n{")
            await stream.subscribe()
            await asyncio.sleep(3.0)  # twice the patience
            line.say(b"}")
            assert b"422 Unprocessable" in await line.ends()
            desk.publish(1)
            assert await stream.places(1) == [0]

    asyncio.run(scenario())


@pytest.mark.skipif(not hasattr(connections, "resource"), reason="this system has no such bound")
def test_connections_take_at_most_half_of_the_files_that_the_process_may_open(monkeypatch: pytest.MonkeyPatch) -> None:
    for files, most in ((256, 128), (1_024, 512), (1 << 20, MOST), (connections.resource.RLIM_INFINITY, MOST)):
        monkeypatch.setattr(connections.resource, "getrlimit", lambda _, files=files: (files, files))
        assert most_connections() == most


@pytest.mark.skipif(not hasattr(connections, "resource"), reason="this system has no such bound")
@pytest.mark.parametrize(("hard", "most"), [(5_000, 1_500), (900, 450)])
def test_a_server_raises_the_limit_of_its_shell_as_far_as_the_system_allows(hard: int, most: int) -> None:
    program = f"""if True:
        import resource
        from workstation.server.connections import most_connections, raise_file_limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, {hard}))
        before = most_connections()
        raise_file_limit()
        raise_file_limit()
        print(before, most_connections(), resource.getrlimit(resource.RLIMIT_NOFILE)[1])"""
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert told.split() == ["128", str(most), str(hard)]
