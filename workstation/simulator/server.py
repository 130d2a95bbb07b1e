"""Hosts simulated venues on loopback: `/{venue}/{the real host}/...`, REST and WebSocket, on one port.

A client library is pointed here by putting the venue's address before the real host of each of its URLs.
"""

import asyncio
import contextlib
import errno
import ipaddress
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from aiohttp import WSMsgType, web

from workstation.errors import ConfigError
from workstation.model.durations import SECOND_NS
from workstation.model.ids import Currency, Venue
from workstation.simulator.accounts import Account, Credentials
from workstation.simulator.control import control_routes
from workstation.simulator.exchange import Exchange
from workstation.simulator.faults import Fault, FaultMenu
from workstation.simulator.hosted_venue import HostedVenue
from workstation.simulator.market_feed import BLOCKS_AHEAD, MarketFeed
from workstation.simulator.market_source import Listing, MarketSource
from workstation.simulator.rest_host import RestHost
from workstation.simulator.socket_hub import Client
from workstation.simulator.venue_market import RowTuple, VenueMarket
from workstation.simulator.wires import DEFAULT_WIRE, WIRES

LEAD_NS = 20 * SECOND_NS
"""So much of the market is passed before the start, so that each book has a quote and there are recent trades."""
SHORTEST_STEP_S = 0.002
LONGEST_STEP_S = 0.05
STARTING_BALANCES = {"USDT": Decimal(100_000), "BTC": Decimal(2), "ETH": Decimal(30), "SOL": Decimal(500)}
CURRENCY_BALANCES = {
    Currency("USD"): Decimal(100_000),
    Currency("EUR"): Decimal(100_000),
    Currency("GBP"): Decimal(100_000),
    Currency("JPY"): Decimal(15_000_000),
}
"""Held beside the others where they are traded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """An account of each venue, as it starts."""

    credentials: Credentials
    balances: dict[Currency, Decimal] = field(
        default_factory=lambda: {Currency(name): amount for name, amount in STARTING_BALANCES.items()}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Where to listen, what is spoken, who has an account, how fast simulated time runs, and what goes wrong."""

    host: str = "127.0.0.1"
    port: int = 0
    """0: a free one."""
    speed: float = 1.0
    accounts: tuple[AccountSettings, ...] = ()
    faults: tuple[Fault, ...] = ()
    wires: Mapping[str, str] = field(default_factory=dict)
    """By venue, the name of the protocol that it speaks; DEFAULT_WIRE for those not named."""
    keeps_fx_week: bool = False
    """Whether venues of currencies are closed from Friday to Sunday 17:00 in New York."""

    def __post_init__(self) -> None:
        try:
            is_loopback = self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            is_loopback = False
        if not is_loopback:
            raise ConfigError(f"host {self.host}: a simulated exchange listens on loopback only, such as 127.0.0.1")
        if not 0 <= self.port <= 65_535:
            raise ConfigError(f"port {self.port}: expected 0 to 65535")
        for venue, wire in self.wires.items():
            if wire not in WIRES:
                raise ConfigError(f"venue {venue}: wire {wire!r}: expected one of {', '.join(WIRES)}")
        if not 0.01 <= self.speed <= 1000:
            raise ConfigError(f"speed {self.speed}: expected 0.01 to 1000")


class SimulatedExchanges:
    """All venues of one source on one port, from `start` to `close`."""

    def __init__(self, source: MarketSource, settings: ServerSettings) -> None:
        self.settings = settings
        self.menu = FaultMenu()
        for fault in settings.faults:
            self.menu.add(fault)
        self._source = source
        self._started_ns = time.time_ns()
        start_ns = self._started_ns - LEAD_NS
        listings = source.listings()
        names = list(dict.fromkeys(listing.instrument.venue for listing in listings))
        self.venues: dict[str, HostedVenue] = {}
        for name in names:
            own = [listing for listing in listings if listing.instrument.venue == name]
            held = _currencies_of(own)
            accounts = [Account(one.credentials, held | one.balances) for one in settings.accounts]
            kind = WIRES[settings.wires.get(name, DEFAULT_WIRE)]
            exchange = Exchange(Venue(name), own, accounts, start_ns, kind.market_name, ids_for_good=kind.ids_for_good)
            self.venues[name] = HostedVenue(
                exchange, source, self.menu, kind, partial(self.wall_ns, name), keeps_fx_week=settings.keeps_fx_week
            )
        markets = {one.instrument.key: one for venue in self.venues.values() for one in venue.exchange.markets.values()}
        # by a row's instrument: whose row it is
        self._targets = [(each.instrument.venue, markets[each.instrument.key]) for each in listings]
        self._feed = MarketFeed(source.blocks(start_ns), settings.speed)
        self._tasks: list[asyncio.Task[None]] = []
        self._runner: web.AppRunner | None = None
        self.port = settings.port

    @property
    def url(self) -> str:
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        return f"http://{host}:{self.port}"

    async def start(self) -> None:
        """Makes the market up to now, then listens. Raises ConfigError for a port that is in use."""
        await self._feed.fill(LEAD_NS // SECOND_NS + BLOCKS_AHEAD)
        self.advance()
        for venue in self.venues.values():
            venue.wire.streams.flush()
        app = web.Application(client_max_size=1024 * 1024)
        app.add_routes(control_routes(self.venues, self.menu, self.advance))
        app.router.add_route("*", "/{venue}/{host}/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.settings.host, self.settings.port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            in_use = error.errno == errno.EADDRINUSE
            reason = "another program listens there: choose another --port" if in_use else error.strerror
            raise ConfigError(f"port {self.settings.port} on {self.settings.host}: {reason}") from None
        self.port = self._runner.addresses[0][1]
        self._tasks = [asyncio.create_task(self._feed.run()), asyncio.create_task(self._run())]

    async def close(self) -> None:
        """Closes all sockets and ends."""
        for task in self._tasks:
            task.cancel()
        for venue in self.venues.values():
            venue.wire.streams.close()
            for client in venue.hub:
                client.abort()
        if self._runner is not None:
            await self._runner.cleanup()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def wait(self) -> None:
        """Until cancelled; raises what ended the market, if anything did."""
        await asyncio.gather(*self._tasks)

    def now_ns(self) -> int:
        """Simulated time: that of the market."""
        return self._started_ns + round((time.time_ns() - self._started_ns) * self.settings.speed)

    def wall_ns(self, venue: str) -> int:
        """The venue's clock by which signatures are judged: the wall's, but for a fault."""
        return time.time_ns() + self.menu.skew_ns(venue)

    def advance(self) -> None:
        """Brings every venue to now."""
        now_ns = self.now_ns()
        parts: dict[str, list[tuple[VenueMarket, RowTuple]]] = {name: [] for name in self.venues}
        closed = {name for name, venue in self.venues.items() if venue.is_closed(now_ns)}
        for row in self._feed.take(now_ns).tolist():
            venue, market = self._targets[row[3]]
            if venue not in closed or not market.book.has_quote:
                parts[venue].append((market, row))
        for name, rows in parts.items():
            self.venues[name].advance(rows, now_ns)

    async def _run(self) -> None:
        while True:
            due_ns = self._feed.next_ns()
            wait_s = LONGEST_STEP_S if due_ns is None else (due_ns - self.now_ns()) / SECOND_NS / self.settings.speed
            await asyncio.sleep(min(max(wait_s, SHORTEST_STEP_S), LONGEST_STEP_S))
            self.advance()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        venue = self.venues.get(request.match_info["venue"])
        if venue is None:
            known = ", ".join(self.venues)
            return web.json_response({"code": -1000, "msg": f"no such venue: expected one of {known}"}, status=404)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(request, venue)
        host = RestHost(venue, self.menu, self.advance, self.wall_ns(venue.exchange.venue))
        return await host.answer(request)

    async def _socket(self, request: web.Request, venue: HostedVenue) -> web.StreamResponse:
        talk = venue.wire.talk("/" + request.match_info["path"], request.query_string)
        if talk is None:
            return web.Response(status=404)
        socket = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=1024 * 1024)
        await socket.prepare(request)
        transport = request.transport
        if not isinstance(transport, asyncio.Transport):
            return socket
        end = partial(socket.close, code=1001, message=b"going away")
        client = Client(venue.exchange.venue, transport, end, talk.envelope)
        venue.hub.add(client)
        talk.opened(client)
        try:
            async for message in socket:
                if message.type is WSMsgType.PING and not client.is_silent:
                    await socket.pong(message.data)
                elif message.type is WSMsgType.TEXT and not client.is_silent:
                    self.advance()
                    talk.said(client, message.data)
        finally:
            venue.hub.remove(client)
        return socket


def _currencies_of(listings: Sequence[Listing]) -> dict[Currency, Decimal]:
    """The currencies that an account holds without being told to: those that can be traded."""
    traded = {name for one in listings for name in (one.instrument.base, one.instrument.quote)}
    return {name: amount for name, amount in CURRENCY_BALANCES.items() if name in traded}


def account_of(name: str, **balances: Any) -> AccountSettings:
    """An account with the key `<name>-key`, the secret `<name>-secret`, and the usual balances but for those given."""
    held = STARTING_BALANCES | {currency: Decimal(amount) for currency, amount in balances.items()}
    return AccountSettings(
        credentials=Credentials(api_key=f"{name}-key", secret=f"{name}-secret"),
        balances={Currency(currency): amount for currency, amount in held.items()},
    )
