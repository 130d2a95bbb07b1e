"""What comes out of the sockets of simulated venues: broken frames, and gaps in a book: of each wire."""

from typing import Any

import ccxt
import pytest
from aiohttp import ClientSession

from tests.simulator.client import control, run, until
from tests.simulator.dialects import MARKET_DIALECTS, Dialect
from workstation.simulator.server import SimulatedExchanges

MOST_UNDER_WAY = 500
"""Frames that were sent before the fault was asked for."""

pytestmark = pytest.mark.parametrize("told", MARKET_DIALECTS.values(), ids=MARKET_DIALECTS)


@pytest.mark.parametrize("kind", ["garbled", "absurd", "huge"])
def test_broken_frames_reach_the_client_as_they_are(wired: SimulatedExchanges, told: Dialect, kind: str) -> None:
    async def scene() -> None:
        url = wired.url + told.socket
        async with ClientSession() as session, session.ws_connect(url, max_msg_size=2**24) as stream:
            await stream.send_json(told.subscription(told.stream("quotes")))
            whole = await told.frame(stream)
            assert told.is_whole(whole)
            control(wired, "faults", kind=kind, stream=told.stream("quotes"), count=1, size=3_000)
            for _ in range(MOST_UNDER_WAY):
                if is_broken(broken := await told.frame(stream)):
                    break
            assert is_broken(broken) and told.is_whole(broken) is (kind != "garbled")
            assert not any([is_broken(await told.frame(stream)) for _ in range(12)])

    def is_broken(frame: Any) -> bool:
        if kind == "garbled":
            return not told.is_whole(frame)
        return len(frame) > 2_000_000 if kind == "huge" else told.is_odd(frame)

    run(scene())


def test_a_gap_in_the_book_shows_to_who_looks_at_the_ids(wired: SimulatedExchanges, told: Dialect) -> None:
    async def scene() -> None:
        async with told.client(wired) as client:
            for _ in range(3):
                await told.whole_book(client)
            control(wired, "faults", kind="sequence_gap", stream=told.stream("book"), count=1)
            if not told.gap_is_noticed:
                for _ in range(6):
                    await told.whole_book(client)  # ccxt does not look
                return
            with pytest.raises(ccxt.ChecksumError):
                await until(lambda: told.whole_book(client), lambda _: False)
            before = wired.venues[told.venue].exchange.market(told.market()).update_id
            book = await until(lambda: told.whole_book(client), lambda book: book["nonce"] > before)
            assert book["bids"][0][0] < book["asks"][0][0]

    run(scene())
