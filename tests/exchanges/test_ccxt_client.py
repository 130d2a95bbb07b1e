"""The ccxt client as we open it: addresses moved, errors told apart by the real address, nothing ever sent twice."""

import asyncio
from types import SimpleNamespace

import ccxt
import ccxt.pro
import pytest

from workstation.errors import ConfigError, VenueRefused, VenueUnavailable
from workstation.exchanges.ccxt_client import open_client, venue_errors
from workstation.exchanges.rest_limiter import RestLimiter
from workstation.exchanges.settings import VenueSettings
from workstation.exchanges.venue_facts import OANDA, VENUES, QuoteSource, facts_of, quote_source
from workstation.model.ids import Venue

URL = "http://127.0.0.1:8400/nova"
OF_CCXT = [exchange for exchange in VENUES if exchange != OANDA]


def settings(exchange: str = "binance", url: str | None = URL) -> VenueSettings:
    return VenueSettings(venue=Venue("nova"), exchange=exchange, url=url)


def addresses(node: object) -> list[str]:
    if isinstance(node, dict):
        return [found for value in node.values() for found in addresses(value)]
    return [node] if isinstance(node, str) else []


@pytest.mark.parametrize("exchange", OF_CCXT)
def test_every_address_of_a_simulated_exchange_keeps_the_real_host_as_a_segment(exchange: str) -> None:
    moved = addresses(open_client(settings(exchange)).urls["api"])
    assert moved
    assert all(each.startswith((f"{URL}/", "ws" + URL.removeprefix("http") + "/")) for each in moved)
    assert not any("{hostname}" in each for each in moved)


def test_spot_and_futures_streams_are_told_apart_after_the_move() -> None:
    spot = open_client(settings()).urls["api"]["ws"]["spot"]
    client = open_client(settings("binanceusdm"))
    futures = client.urls["api"]["ws"]["linear"]
    assert spot == "ws://127.0.0.1:8400/nova/stream.binance.com:9443/ws"
    assert futures.startswith("ws://127.0.0.1:8400/nova/fstream.binance.com/")
    assert [client.is_spot_url(SimpleNamespace(url=each)) for each in (spot, futures)] == [True, False]


@pytest.mark.parametrize("url", ["http://stream.local/nova", "http://127.0.0.1:1/spotty", "http://127.0.0.1:1/shop-a"])
def test_an_address_that_ccxt_would_misread_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="would be taken for a kind of market"):
        settings(url=url)


@pytest.mark.parametrize("url", [URL, None])
def test_error_codes_are_mapped_as_at_the_real_address(url: str | None) -> None:
    async def scenario() -> None:
        client = open_client(settings(url=url))
        client.open()
        base = "https:/" if url is None else url
        reply = {"code": -1008, "msg": "busy"}
        with pytest.raises(ccxt.OperationFailed):
            client.handle_errors(
                503, "", f"{base}/api.binance.com/api/v3/order", "POST", {}, '{"code":-1008}', reply, {}, ""
            )
        await client.close()

    asyncio.run(scenario())


def test_rest_calls_of_two_clients_stand_in_one_line() -> None:
    async def scenario() -> None:
        limiter = RestLimiter()
        clients = [open_client(settings(), limiter) for _ in range(2)]
        await clients[0].throttle(20)
        loop = asyncio.get_running_loop()
        assert limiter.place(loop.time(), 0) - loop.time() == pytest.approx(20 * 0.05, abs=0.05)

    asyncio.run(scenario())


def test_numbers_are_floats_and_orders_are_never_retried() -> None:
    client = open_client(settings())
    assert client.number is float
    assert "maxRetriesOnFailure" not in client.options
    assert client.enableRateLimit is True


def test_an_unknown_exchange_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="exchange 'binanc': no such id in ccxt; did you mean binance"):
        open_client(settings("binanc"))


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (ccxt.RequestTimeout("slow"), VenueUnavailable),
        (ccxt.DDoSProtection("429"), VenueUnavailable),
        (ccxt.BadSymbol("no such"), VenueRefused),
        (ccxt.AuthenticationError("key"), VenueRefused),
        (KeyError("symbol"), VenueUnavailable),
        (TypeError("NoneType"), VenueUnavailable),
        (OSError(24, "Too many open files"), VenueUnavailable),
    ],
)
def test_errors_are_ours_with_venue_exchange_and_kind(error: Exception, ours: type[Exception]) -> None:
    with pytest.raises(ours, match=rf"^nova \(binance\): .*{type(error).__name__}: "), venue_errors(settings()):
        raise error


def test_a_page_of_html_is_cut_short() -> None:
    with pytest.raises(VenueUnavailable) as caught, venue_errors(settings()):
        raise ccxt.ExchangeNotAvailable("<html>\n" * 10_000)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("exchange", OF_CCXT)
def test_each_known_exchange_has_the_calls_that_its_facts_name(exchange: str) -> None:
    client = getattr(ccxt.pro, exchange)()
    for is_spot in (True, False):
        source = quote_source(exchange, client.has, is_spot=is_spot)
        assert client.has.get(
            {
                QuoteSource.BIDS_ASKS: "watchBidsAsks",
                QuoteSource.TICKER: "watchTicker",
                QuoteSource.BOOK: "watchOrderBook",
            }[source]
        )
    assert client.has.get("watchTrades") or client.has.get("watchTradesForSymbols")


def test_an_exchange_that_was_not_looked_at_is_taken_at_ccxts_word() -> None:
    assert facts_of("bitget").quotes is None
    assert quote_source("bitget", {"watchBidsAsks": True}, is_spot=True) is QuoteSource.BIDS_ASKS
    assert quote_source("bitget", {"watchOrderBook": True}, is_spot=True) is QuoteSource.BOOK
    assert quote_source("bitget", {"watchTicker": True}, is_spot=True) is QuoteSource.TICKER
