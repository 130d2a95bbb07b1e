"""MEXC's channels of spot of one simulated venue, public ones and an account's: events in, protobuf out."""

import re
from collections import defaultdict

from workstation.model.durations import DAY_NS, HOUR_NS, MINUTE_NS
from workstation.simulator.bar_history import WEEK_NS, Candle
from workstation.simulator.mexc.format import is_perpetual, status_word
from workstation.simulator.mexc.messages import (
    ProtobufCoding,
    best_prices,
    deals,
    depths,
    kline,
    own_balance,
    own_deal,
    own_order,
    wrapped,
)
from workstation.simulator.publisher import Publisher
from workstation.simulator.venue_market import VenueMarket
from workstation.simulator.venue_orders import BalanceChanged, Quoted, Reported, Traded
from workstation.simulator.wire import WireParts

INTERVALS_NS = {
    **{f"Min{minutes}": minutes * MINUTE_NS for minutes in (1, 5, 15, 30, 60)},
    "Hour4": 4 * HOUR_NS,
    "Hour8": 8 * HOUR_NS,
    "Day1": DAY_NS,
    "Week1": WEEK_NS,
}
"""By the label of MEXC's streams; months are not simulated."""
PUBLIC = "spot@public."
CHANNEL = re.compile(
    r"spot@public\.(?:aggre\.(?:bookTicker|depth|deals)\.v3\.api\.pb@(?:10ms|100ms)@(\w+)"
    r"|kline\.v3\.api\.pb@(\w+)@(\w+))"
)
ORDERS, DEALS, ACCOUNT = (f"spot@private.{name}.v3.api.pb" for name in ("orders", "deals", "account"))
PRIVATE_CHANNELS = frozenset({ORDERS, DEALS, ACCOUNT})
MOST_DEALS = 1000
"""In one push."""


def aggregated(what: str, market: str) -> tuple[str, str]:
    """The channel's two names: each is told as often."""
    return f"{PUBLIC}aggre.{what}.v3.api.pb@100ms@{market}", f"{PUBLIC}aggre.{what}.v3.api.pb@10ms@{market}"


class SpotStreams:
    """Best prices go out as they change, trades and balances with each step."""

    def __init__(self, parts: WireParts) -> None:
        self._exchange, self._hub = parts.exchange, parts.hub
        self.publisher = Publisher(parts.exchange.venue, parts.hub, parts.menu, ProtobufCoding())
        self.markets = {name: one for name, one in parts.exchange.markets.items() if not is_perpetual(one)}
        self._trades: defaultdict[str, list[Traded]] = defaultdict(list)

    def is_known(self, channel: str) -> bool:
        """Whether there is such a public channel."""
        match = CHANNEL.fullmatch(channel)
        if match is None:
            return False
        return (match[1] or match[2]) in self.markets and (match[3] is None or match[3] in INTERVALS_NS)

    def quoted(self, event: Quoted) -> None:
        market = self.markets[event.market]
        for channel in self._wanted("bookTicker", event.market):
            self._push(channel, event.market, publicAggreBookTicker=best_prices(market, event))

    def traded(self, event: Traded) -> None:
        if self._wanted("deals", event.market):
            self._trades[event.market].append(event)

    def step_ended(self) -> None:
        """The trades of a step come together."""
        for name, trades in self._trades.items():
            for channel in self._wanted("deals", name):
                for first in range(0, len(trades), MOST_DEALS):
                    told = deals(self.markets[name], trades[first : first + MOST_DEALS], channel.rpartition("@")[0])
                    self._push(channel, name, publicAggreDeals=told)
        self._trades.clear()

    def reported(self, event: Reported) -> None:
        key, market = event.account.credentials.api_key, event.order.request.market
        word = status_word(event.status, event.filled)
        self._tell_account(key, ORDERS, market, word, privateOrders=own_order(event))
        if event.fill is not None:
            role = "maker" if event.fill.is_maker else "taker"
            self._tell_account(key, DEALS, market, role, privateDeals=own_deal(event.order, event.fill))

    def balance(self, event: BalanceChanged) -> None:
        for name, (free, locked) in event.balances.items():
            told = own_balance(name, free, locked, event.ts_ns)
            self._tell_account(event.account.credentials.api_key, ACCOUNT, "", name, privateAccount=told)

    def tell_books(self) -> None:
        for name, market in self.markets.items():
            if self._wanted("depth", name):
                self.publish_depth(market)

    def publish_depth(self, market: VenueMarket) -> None:
        """Sends what changed in a book since the last time; its versions are those of REST."""
        change = market.depth_change()
        if change is not None:
            for channel in self._wanted("depth", market.name):
                told = depths(market, change, channel.rpartition("@")[0])
                self._push(channel, market.name, publicAggreDepths=told)

    def candle_stream(self, stream: str) -> tuple[VenueMarket, int] | None:
        match = CHANNEL.fullmatch(stream)
        return None if match is None or match[3] is None else (self.markets[match[2]], INTERVALS_NS[match[3]])

    def candle(self, stream: str, market: VenueMarket, length_ns: int, candle: Candle) -> None:
        told = kline(market, candle, length_ns, stream.rpartition("@")[2])
        self._push(stream, market.name, publicSpotKline=told)

    def _wanted(self, what: str, market: str) -> list[str]:
        return [channel for channel in aggregated(what, market) if self._hub.is_wanted(channel)]

    def _push(self, channel: str, symbol: str, shown: str | None = None, **body: object) -> None:
        self.publisher.publish(channel, wrapped(channel, symbol, self._exchange.now_ns, **body), shown)

    def _tell_account(self, key: str, channel: str, symbol: str, detail: str, **body: object) -> None:
        """To the sockets that the account's listen key opened; faults know the stream as user:<channel>:<detail>."""
        stream = account_stream(key, channel)
        if self._hub.is_wanted(stream):
            payload = wrapped(channel, symbol, self._exchange.now_ns, **body)
            self.publisher.publish(stream, payload, f"user:{channel.split('.')[1]}:{detail}")


def account_stream(api_key: str, channel: str) -> str:
    """A private channel of one account."""
    return f"user:{api_key}:{channel}"
