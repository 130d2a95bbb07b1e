"""What OKX said in 2022, through ccxt's `okx` into a sink, against a plain reading of it.

Its messages bore a checksum then; now they bear 0 in its place, and the number of the message before.
"""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from tests.exchanges.captured import Frame, Okx, PlainBook, okx_frames
from tests.exchanges.replayed import Followed, a_feed, serve, subscribed, tick, told_books, until_refused
from tests.exchanges.sinks import ToldSink, running
from workstation.exchanges.ccxt_parse import Refusal
from workstation.model.durations import MS_NS
from workstation.ports.feed import FeedState

pytestmark = pytest.mark.shared

OKX = {"BTC/USDT": "BTC-USDT", "UNI/USD:USD": "UNI-USD-SWAP", "BTC/USD:USD": "BTC-USD-220527"}
OKX_NAMES = list(OKX.values())
OKX_OPTIONS = {"fetchMarkets": {"types": ["spot", "swap"]}}
SIZE = Decimal("0.01")
"""Of a contract in base currency. Two of the markets were inverse, one of them with an end, and their contracts counted
dollars; what their messages say is the same of a linear perpetual, and as such they are listed here."""
CHECKED = 25


def okx_of(shared_dir: Path, kind: type[Okx] = Okx) -> tuple[Okx, list[Frame]]:
    frames = okx_frames(shared_dir / "data" / "raw_ws" / "OKX.ws.1.0.gz")
    markets = []
    for name, type_of in zip(OKX_NAMES, ("SPOT", "SWAP", "SWAP"), strict=True):
        base, quote = name.split("-")[:2]
        trades = [trade["px"] for frame in of_channel(frames, "trades", name) for trade in frame.told["data"]]
        spot = {"baseCcy": base, "quoteCcy": quote, "lotSz": "0.00000001", "minSz": "0.00001"}
        linear = {"uly": f"{base}-{quote}", "settleCcy": quote, "ctVal": str(SIZE), "lotSz": "1", "minSz": "1"}
        market = {"instId": name, "instType": type_of, "state": "live", "tickSz": tick(trades)}
        markets.append(market | (spot if type_of == "SPOT" else linear))
    venue = kind(markets)
    venue.sizes |= dict.fromkeys(OKX_NAMES[1:], SIZE)
    return venue, frames


def of_channel(frames: Sequence[Frame], channel: str, name: str) -> list[Frame]:
    return [frame for frame in frames if frame.topic == f"{channel}:{name}"]


def test_all_290_checksums_of_okx_are_those_of_the_books_that_the_frames_make(shared_dir: Path) -> None:
    _, frames = okx_of(shared_dir)
    books, proven = {name: PlainBook() for name in OKX_NAMES}, 0
    for frame in frames:
        if frame.told["arg"]["channel"] == "books":
            (change,) = frame.told["data"]
            book = books[frame.told["arg"]["instId"]]
            book.apply(change["bids"], change["asks"])
            assert book.okx_checksum() == change["checksum"]
            proven += 1
    assert proven == 290


def test_okx_every_quote_trade_and_book_is_told_once_and_right(shared_dir: Path) -> None:
    venue, frames = okx_of(shared_dir)

    async def scenario() -> None:
        venue.at_ns = frames[0].received_ns
        feed = a_feed(venue, "okx", options=OKX_OPTIONS)
        async with running(feed, subscribed(list(OKX), trades=True, book_levels=CHECKED)) as sink:
            await venue.wait_for(*{frame.topic for frame in frames})
            followed = Followed(venue, sink, OKX_NAMES, CHECKED)
            await followed.play(frames, lambda frame: frame.told["arg"]["instId"])
            await sink.until(lambda: (len(sink.quotes), len(sink.trades)) == (28, 74))
        followed.assert_told_each_once()
        check_okx(sink, frames)
        assert feed.refusals.total == 0, feed.refusals.last
        assert sink.states == [FeedState.CONNECTING, FeedState.LIVE, FeedState.STOPPED]

    serve(venue, scenario)


def check_okx(sink: ToldSink, frames: Sequence[Frame]) -> None:
    for index, name in enumerate(OKX_NAMES):
        tickers, trades = (
            [each for frame in of_channel(frames, channel, name) for each in frame.told["data"]]
            for channel in ("bbo-tbt", "trades")
        )
        size = SIZE if index else Decimal(1)
        assert [row[1:] for row in sink.quotes if row[0] == index] == [
            (
                int(each["ts"]) * MS_NS,
                *(float(each[key]) for key in ("bidPx", "askPx")),
                *(float(Decimal(each[key]) * size) for key in ("bidSz", "askSz")),
            )
            for each in tickers
        ]
        assert [row[1:] for row in sink.trades if row[0] == index] == [
            (int(each["ts"]) * MS_NS, float(each["px"]), float(Decimal(each["sz"]) * size), each["side"] == "sell")
            for each in trades
        ]
        times = [int(frame.told["data"][0]["ts"]) * MS_NS for frame in of_channel(frames, "books", name)]
        assert all(row[1] in times for row in sink.books if row[0] == index)


@pytest.mark.parametrize("name", OKX_NAMES)
def test_f18_okx_a_changed_level_fails_its_checksum_and_the_book_is_taken_anew(shared_dir: Path, name: str) -> None:
    venue, frames = okx_of(shared_dir)
    books, wrong = of_channel(frames, "books", name), 40

    async def scenario() -> None:
        venue.at_ns = frames[0].received_ns
        feed = a_feed(venue, "okx", options=OKX_OPTIONS)
        symbol = next(symbol for symbol, each in OKX.items() if each == name)
        async with running(feed, subscribed([symbol], quotes=False, book_levels=CHECKED)) as sink:
            await venue.wait_for(books[0].topic)
            followed = Followed(venue, sink, [name], CHECKED)
            await followed.play(books[:wrong], lambda frame: name)
            known, right = len(sink.books), []
            for frame in books[wrong:]:
                changed = with_another_quantity(venue, frame) if frame is books[wrong] else frame.text
                await venue.play(frame, text=changed)
                right.append(venue.book(name).best(CHECKED))
                if frame is books[wrong]:
                    await until_refused(feed, Refusal.BROKEN_BOOK)
            await sink.until(lambda: told_books(sink, 0)[-1] == right[-1])
            assert all(book in right for book in told_books(sink, 0)[known:]), "a book was told that never was"
        assert feed.refusals.counts == {Refusal.BROKEN_BOOK: 1}, feed.refusals.last
        assert sink.states == [FeedState.CONNECTING, FeedState.LIVE, FeedState.STOPPED]

    serve(venue, scenario)


def with_another_quantity(venue: Okx, frame: Frame) -> str:
    """The frame as text, and in it the best bid with a quantity that it does not have."""
    (change,) = frame.told["data"]
    best, _ = venue.book(frame.told["arg"]["instId"]).texts()
    wrong = change | {"bids": [*change["bids"], [best[0][0], "77", "0", "1"]]}
    return json.dumps(frame.told | {"data": [wrong]})


class PresentOkx(Okx):
    """As OKX is now: the checksum is 0, and each message bears its number and the one before."""

    last = 0

    def numbered(self, frame: Frame) -> str:
        """The next frame of the book as text."""
        (change,) = frame.told["data"]
        before = self.last if frame.told["action"] == "update" else -1
        self.last += 3
        told = change | {"checksum": 0, "prevSeqId": before, "seqId": self.last}
        return json.dumps(frame.told | {"data": [told]})

    def marks(self, name: str) -> dict[str, int]:
        return {"checksum": 0, "prevSeqId": -1, "seqId": self.last}


def test_f18_okx_a_number_left_out_breaks_the_chain_and_the_book_is_taken_anew(shared_dir: Path) -> None:
    venue, captured = okx_of(shared_dir, PresentOkx)
    assert isinstance(venue, PresentOkx)
    frames, left_out = of_channel(captured, "books", "BTC-USDT"), 40

    async def scenario() -> None:
        venue.at_ns = frames[0].received_ns
        feed = a_feed(venue, "okx", options=OKX_OPTIONS)
        async with running(feed, subscribed(["BTC/USDT"], quotes=False, book_levels=CHECKED)) as sink:
            await venue.wait_for(frames[0].topic)
            right = []
            for place, frame in enumerate(frames):
                await venue.play(frame, text=venue.numbered(frame), is_told=place != left_out)
                right.append(venue.book("BTC-USDT").best(CHECKED))
                if place == left_out - 1:
                    await sink.until(lambda: told_books(sink, 0)[-1:] == right[-1:])
                if place == left_out + 1:
                    await until_refused(feed, Refusal.BROKEN_BOOK)
            await sink.until(lambda: told_books(sink, 0)[-1] == right[-1])
            assert all(book in right for book in told_books(sink, 0)), "a book was told that never was"
        assert feed.refusals.counts == {Refusal.BROKEN_BOOK: 1}, feed.refusals.last
        assert sink.states == [FeedState.CONNECTING, FeedState.LIVE, FeedState.STOPPED]

    serve(venue, scenario)
